// What StableHLO's operations mean: each recorded through this library's operations.
#pragma once
#include "interop/stablehlo_module.hpp"
#include "trace/frame.hpp"
#include "trace/ops.hpp"

#include <map>
#include <optional>
#include <set>

namespace fluxion::stablehlo {

class Step;

/// The values of one function while it is recorded, and what defines each.
struct Values {
  std::vector<Array> arrays;
  std::vector<const Operation*> definitions;
};

/// Records the functions of a module as graphs, each once.
class Lowering {
 public:
  Lowering(const Module& module, const Site& site) : module_(module), site_(site) {}

  /// The function's program: its inputs are the arguments, then the captured literal arrays.
  const Traced& function(std::string_view name, Location at);
  /// Records operations into the current frame; the results are what they return. `skip` operations
  /// are passed over (checks).
  ArrayList record(const Region&, Values&);
  /// A region as a program of its own. Outer values that it reads are captures.
  Traced region(const Region&, Values&, TypeList arguments);
  ArrayList operation(const Operation&, Values&);

  const Module& module() const { return module_; }
  const Site& site() const { return site_; }

 private:
  const Module& module_;
  Site site_;
  std::map<std::string, Traced, std::less<>> functions_;
  std::vector<std::string_view> active_;
};

/// Values of a function, none of which is known.
Values values_of(const Definition&);
/// The program of a frame, without the rewrites that change values.
Traced close_exactly(FrameScope&, Arrays outputs);

/// One operation that is being recorded: its operands and attributes, with errors at its place in
/// the text.
class Step {
 public:
  Step(Lowering& lowering, const Operation& o, Values& v) : program(lowering), op(o), values(v) {}

  Lowering& program;
  const Operation& op;
  Values& values;

  const Site& site() const { return program.site(); }
  std::size_t count() const { return op.operands.size(); }
  const Array& x(std::size_t k) const;
  const Type& type(std::size_t k) const { return type_of(x(k)); }
  const Type& result(std::size_t k = 0) const { return op.results[k]; }
  [[noreturn]] void complain(const std::string& what,
                             std::initializer_list<std::string> details = {}) const;

  const Attribute* find(std::string_view name, std::string_view short_name = {}) const;
  const Attribute& need(std::string_view name, std::string_view short_name = {}) const;
  bool flag(std::string_view name, bool otherwise) const;
  std::int64_t integer(std::string_view name, std::string_view short_name = {}) const;
  std::int64_t integer_or(std::string_view name, std::int64_t otherwise) const;
  /// The word of an enumeration: of an attribute, or the bare word at that place of the short form.
  std::string word(std::string_view name, std::size_t place = 100) const;
  std::vector<std::int64_t> integers(std::string_view name, std::string_view short_name = {}) const;
  std::vector<std::int64_t> integers_or(std::string_view name,
                                        std::size_t count,
                                        std::int64_t otherwise) const;
  std::vector<int> axes(std::string_view name, std::string_view short_name = {}) const;
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs_or_zero(std::string_view name,
                                                                   std::size_t count) const;

  std::vector<std::int64_t> integers_of(const Attribute&) const;
  std::vector<int> axes_of(const Attribute*) const;
  const Region& region(std::size_t k) const { return op.regions[k]; }
  /// The literal behind a value, seen through broadcasts: null if there is none, or several
  /// elements.
  const Elements* literal_of(ValueNumber) const;
  const Operation* definition(ValueNumber v) const {
    return values.definitions[static_cast<std::size_t>(v)];
  }
};

/// One row: how an operation of StableHLO is recorded. Counts of -1: any.
struct Row {
  std::string_view name;
  int operands, results, regions;
  ArrayList (*record)(const Step&);
};
using Rows = std::span<const Row>;
Rows arithmetic_rows();
Rows function_rows();
Rows shape_rows();
Rows indexing_rows();
Rows contraction_rows();
Rows reduction_rows();
Rows structure_rows();
Rows loop_rows();
Rows sorting_rows();
Rows factorization_rows();

// ---- pieces that rows share ----
Array broadcast_scalar(const Array&, const Shape&, const Site&);
Array reshaped(const Array&, const Shape&, const Site&);
Array converted(const Array&, DType, const Site&);
/// An array in the program from elements: a literal where there is one element to repeat, else a
/// captured array.
/// `placed`: recorded here and now, not where it is first used.
Array array_of(const Elements&, const Site&, bool placed = true);
Array number(const Array& like, double value, const Site&);

/// A scatter as it is defined: one position after the other, each combined with what is there.
ArrayList scatter_in_order(const Step&, const ops::ScatterDimensions&, std::size_t count);

/// A region on scalars, applied to all elements of arrays at once.
class Body {
 public:
  /// Refuses a region that does not give `results`.
  Body(const Step&, const Region&, TypeList scalars, TypeList results);
  /// Arrays of one shape in, results of that shape out.
  ArrayList apply(const ArrayList&) const;

 private:
  Traced traced_;
  Site site_;
};

/// What a region of two scalars for each of `count` arrays does with array k, if it is a single
/// well-known operation on that array alone.
enum class Combination { none, add, mul, min, max, bit_and, bit_or, bit_xor, second };
Combination combination_of(const Region&, std::size_t k, std::size_t count);
/// Whether a literal changes nothing when it is combined with anything.
bool is_identity(Combination, const Elements&);
Array combine(Combination, const Array&, const Array&, const Site&);
std::optional<ops::Reduction> reduction_of(Combination, DType);
/// Combines neighbours along the last axis until one is left, then with the first values; the order
/// of elements is kept.
ArrayList fold_last_axis(const Body&, ArrayList arrays, const ArrayList& init, const Site&);

}  // namespace fluxion::stablehlo
