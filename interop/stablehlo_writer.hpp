// What the rows of the writer are given, and what they leave.
#pragma once
#include "trace/graph.hpp"
#include "trace/ops.hpp"

#include <span>
#include <string>
#include <vector>

namespace fluxion::stablehlo {

/// One operation on its way into text. Helper values have names that no value of the graph has.
class Written {
 public:
  Written(const Graph& graph, const fluxion::Operation& o) : graph_(graph), operation_(o) {}

  const Op& op() const { return operation_.op; }
  const Site& site() const { return operation_.site; }
  std::string x(std::size_t k) const { return "%" + std::to_string(operation_.operands[k]); }
  std::size_t operand_count() const { return operation_.operands.size(); }
  const Type& type(std::size_t k) const;
  const Type& result(std::size_t k = 0) const;

  /// "%4, %5 = "; "%0, %1"; "(T, T)"; "(T, T) -> T".
  std::string results() const;
  std::string operands() const;
  std::string operand_types() const;
  std::string function_type() const;
  /// The attribute that keeps what StableHLO's form does not say: this operation's own attributes.
  std::string mark() const;

  void line(const std::string& text) { lines_ += "    " + text + "\n"; }
  const std::string& lines() const { return lines_; }
  std::string fresh() {
    return "%h" + std::to_string(operation_.first_result) + "_" + std::to_string(helpers_++);
  }
  /// The name of a literal scalar.
  std::string literal(const Type&, const void* element);
  std::string identity(ops::Reduction, DType);

 private:
  const Graph& graph_;
  const fluxion::Operation& operation_;
  std::string lines_;
  int helpers_ = 0;
};

/// One row: how an operation of this library is written; false where StableHLO cannot say what its
/// attributes say.
struct WriterRow {
  std::string_view name;
  bool (*write)(Written&);
};
using WriterRows = std::span<const WriterRow>;
WriterRows elementwise_writers();
WriterRows structured_writers();

/// "[1, 2]" and "array<i64: 1, 2>".
std::string integer_list(const std::vector<std::int64_t>&);
std::string integer_array(const std::vector<std::int64_t>&);

}  // namespace fluxion::stablehlo
