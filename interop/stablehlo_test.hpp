// Self-checking programs: the inputs that @main asks for, what it computes from them, and what it
// compares the results with.
#pragma once
#include "fluxion/array.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fluxion::stablehlo {

/// One comparison at the end of a test program.
struct Check {
  std::string rule;  // eq, close, almost_eq
  Array expected;    // empty: the result number `against`
  int result = 0, against = 0;
};

/// A function @main that calls @inputs() and @expected() and ends in checks. The values of @inputs
/// are arguments here, so that no compiler can know them.
class TestProgram {
 public:
  /// Errors as of `read`.
  explicit TestProgram(std::string_view text, Site = Site::current());
  const std::vector<Array>& inputs() const { return inputs_; }
  const std::vector<Check>& checks() const { return checks_; }
  /// Whether the program has a Fourier transform, whose results are compared as a whole.
  bool transforms() const { return transforms_; }
  /// What the checks look at, for these inputs; records operations where it is called.
  std::vector<Array> operator()(const std::vector<Array>& inputs) const;
  /// The empty text where all checks hold for what the program gave, else what differs.
  std::string differences(const std::vector<Array>& results) const;

 private:
  std::vector<Array> inputs_, captures_;
  std::vector<Check> checks_;
  detail::Ref<const detail::Shared> graph_;
  bool transforms_ = false;
};

}  // namespace fluxion::stablehlo
