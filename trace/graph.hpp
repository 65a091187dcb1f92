// Graph: a closed, typed, immutable program in SSA form.
#pragma once
#include "trace/op.hpp"

#include <functional>
#include <string>
#include <vector>

namespace fluxion {

/// The number of a value in its graph: inputs first, then the results of operations in order.
using ValueId = std::int32_t;

struct Operation {
  Op op;
  std::vector<ValueId> operands;
  ValueId first_result;
  std::int32_t result_count;
  Site site;
};

/// inputs -> operations -> outputs. Never changed after it was made; shared by counting.
class Graph : public detail::Shared {
 public:
  Graph(std::vector<Type> types,
        std::int32_t input_count,
        std::vector<Operation> operations,
        std::vector<ValueId> outputs);

  std::int32_t input_count() const { return input_count_; }
  std::int32_t value_count() const { return static_cast<std::int32_t>(types_.size()); }
  const Type& type(ValueId v) const { return types_[static_cast<std::size_t>(v)]; }
  TypeList input_types() const { return {types_.data(), static_cast<std::size_t>(input_count_)}; }
  Types output_types() const;
  const std::vector<Operation>& operations() const { return operations_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  Types operand_types(const Operation&) const;
  TypeList result_types(const Operation& o) const {
    return {types_.data() + o.first_result, static_cast<std::size_t>(o.result_count)};
  }
  /// The same operations with other outputs; nothing is renumbered or dropped.
  detail::Ref<const Graph> with_outputs(std::vector<ValueId> outputs) const;
  /// Structural: operations, attributes, types, wiring; not sites.
  std::uint64_t hash() const { return hash_; }

 private:
  std::vector<Type> types_;
  std::int32_t input_count_;
  std::vector<Operation> operations_;
  std::vector<ValueId> outputs_;
  std::uint64_t hash_;
};

/// Throws InternalError unless every value is defined before it is used and every operation's type
/// rule gives the recorded types.
void verify(const Graph&);
/// Stable text that parses back. `sites` adds "// file:line" to every operation.
std::string to_string(const Graph&, bool sites = false);
/// The graph that `to_string` printed. Throws Error "graph-syntax" with line and column.
GraphRef parse_graph(std::string_view text);
/// All operations that the parser knows.
std::span<const Rules* const> known_operations();

/// Puts graphs together without frames: for passes.
class GraphBuilder {
 public:
  ValueId input(const Type&);
  /// The first result; the others follow. `share`: an equal pure operation on equal operands is
  /// made only once.
  ValueId add(const Op&, std::vector<ValueId> operands, const Site&, bool share = true);
  /// The same with known result types (no type rule is run).
  ValueId add(
      const Op&, std::vector<ValueId> operands, TypeList types, const Site&, bool share = true);
  const Type& type(ValueId v) const { return types_[static_cast<std::size_t>(v)]; }
  std::size_t operation_count() const { return operations_.size(); }
  const Operation& operation(std::size_t i) const { return operations_[i]; }
  std::int32_t input_count() const { return input_count_; }
  /// The operation that made a value, or -1 for an input.
  std::int32_t producer(ValueId v) const { return producer_[static_cast<std::size_t>(v)]; }
  GraphRef finish(std::vector<ValueId> outputs, bool drop_unused = true) const;

 private:
  std::vector<Type> types_;
  std::vector<std::int32_t> producer_;
  std::vector<ValueId> inputs_;
  std::int32_t input_count_ = 0;
  std::vector<Operation> operations_;
  std::vector<std::int32_t> table_;  // open addressing: operation numbers by hash, for sharing
  std::vector<std::uint64_t> hashes_;
  void grow();
};

/// Runs a graph's operations on arrays of the current frame (or lazily): the graph, inlined. Each
/// operation keeps its own site.
ArrayList inline_graph(const Graph&, Arrays inputs);

}  // namespace fluxion
