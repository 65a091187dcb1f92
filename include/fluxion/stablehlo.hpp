// Programs as StableHLO, the text in which machine-learning programs travel between frameworks.
#pragma once
#include "programs.hpp"
#include "transforms.hpp"

namespace fluxion::stablehlo {

/// A program that was read from StableHLO: a function of arrays, which may be called, jitted,
/// differentiated, batched and printed. Sums and products are rounded to the element type at every
/// step, in order, as StableHLO says.
class Program {
 public:
  /// The results for these arguments. Error `stablehlo-arguments` where their number, a shape or a
  /// dtype differs from `inputs()`.
  std::vector<Array> operator()(const std::vector<Array>& arguments, Site = Site::current()) const;
  /// The types of the arguments, of the results.
  const std::vector<Spec>& inputs() const;
  const std::vector<Spec>& outputs() const;
  /// The typed program; its inputs are the arguments and then the program's literal arrays.
  Function function() const;

  class Impl;
  explicit Program(detail::Ref<const Impl>);

 private:
  detail::Ref<const detail::Shared> impl_;
};

/// Reads a module in MLIR's text form and gives its function `entry`. Errors `stablehlo-syntax`
/// (with line and column of the text) where the text is not well-formed, `stablehlo-program` where
/// it has no such meaning: an operation that is not known, types that do not agree.
Program read(std::string_view text, std::string_view entry = "main", Site = Site::current());
/// The same from a file. Error `file` where it cannot be read.
Program load(const std::string& path, std::string_view entry = "main", Site = Site::current());
/// A typed program as a StableHLO module whose function @main it is; `read` gives the same program
/// back. What StableHLO has no operation for is written as a custom call that names this library's.
/// Error `stablehlo-host` where the program calls back, checks or prints.
std::string write(const Function&, Site = Site::current());

}  // namespace fluxion::stablehlo
