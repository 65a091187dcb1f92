// The kernels that fusion is making: what each evaluates, what it stores, who reads that.
#pragma once
#include "codegen/cost.hpp"
#include "codegen/flat_set.hpp"
#include "codegen/fuse.hpp"

#include <algorithm>
#include <map>

namespace fluxion::codegen {

inline constexpr int most_instructions = 2000;
inline constexpr std::size_t most_buffers = 48;
inline constexpr std::size_t most_structured = 4;

/// One way in which a kernel evaluates an operation: which reads lead to it, and how often.
struct Path {
  std::uint64_t reads = 0;  // 0: at the kernel's own place, once for each element of the domain
  double evaluations = 0;
  friend bool operator==(const Path&, const Path&) = default;
};
using Paths = std::vector<Path>;

/// The reads of an operand that structured operation i makes, after those that lead to it.
inline std::uint64_t read_by_structured(std::int32_t i, std::size_t operand, std::uint64_t reads) {
  return mix(mix(reads + 1, operand), static_cast<std::uint64_t>(i));
}

/// Whether all evaluations are at the kernel's own place.
inline bool at_own_place(const Paths& paths) {
  return std::all_of(paths.begin(), paths.end(), [](const Path& path) { return path.reads == 0; });
}

struct Node {  // a kernel (or leaf, ...) in the making
  Cut::Kind kind = Cut::Kind::kernel;
  std::int32_t call = -1;  // of a leaf
  bool alive = true;
  bool general = false;     // a structured operation that nothing joins but what it reads
  bool lanes = false;       // of its structured operations
  std::int32_t joint = -1;  // the operation by whose operands the domain is cut into parts
  std::int64_t count = 0;
  Shape shape;
  std::map<std::int32_t, Paths> evaluated;  // operations, and how
  FlatSet<ValueId> outputs;
  FlatSet<int> readers;  // nodes that read its outputs, or are to run after it
  InPlaces in_place;     // of its only structured operation, `updater`
  std::int32_t updater = -1;
  int instructions = 0;
  std::size_t structured = 0;
  std::int64_t row = 0;      // of a row group: elements of a row
  std::vector<Node> stages;  // of a row group: the kernels that it is made of, in order
};

class Fusion {
 public:
  Fusion(const Graph& graph, const Leaves& leaves) : graph_(graph), leaves_(leaves) {
    const std::size_t n = graph.operations().size();
    users_.resize(n);
    is_output_.assign(static_cast<std::size_t>(graph.value_count()), false);
    makers_.assign(static_cast<std::size_t>(graph.value_count()), -1);
    where_.resize(n);
    repeated_.assign(n, 0);
    facts_.assign(n, nullptr);
    for (ValueId v : graph.outputs()) is_output_[static_cast<std::size_t>(v)] = true;
    for (std::size_t i = 0; i < n; ++i) {
      const Operation& o = graph.operations()[i];
      for (std::int32_t k = 0; k < o.result_count; ++k)
        makers_[static_cast<std::size_t>(o.first_result + k)] = static_cast<std::int32_t>(i);
      for (std::size_t k = 0; k < o.operands.size(); ++k) {
        const std::int32_t maker = makers_[static_cast<std::size_t>(o.operands[k])];
        if (maker >= 0)
          users_[static_cast<std::size_t>(maker)].push_back({static_cast<std::int32_t>(i), k});
      }
    }
  }

  std::vector<Cut> run() {
    for (auto i = static_cast<std::int32_t>(graph_.operations().size()); i-- > 0;) place(i);
    merge_siblings();
    fuse_rows();
    return ordered();
  }

 private:
  struct User {
    std::int32_t operation;
    std::size_t operand;
  };

  const Operation& operation(std::int32_t i) const {
    return graph_.operations()[static_cast<std::size_t>(i)];
  }
  const Type& type_of_result(std::int32_t i) const {
    static const Type nothing;  // an effect may have no results
    if (operation(i).result_count == 0) return nothing;
    return graph_.type(operation(i).first_result);
  }
  std::int64_t count_of(std::int32_t i) const { return element_count(type_of_result(i).shape); }
  const OperationFacts& facts(std::int32_t i) {
    auto& known = facts_[static_cast<std::size_t>(i)];
    if (!known) {
      const Operation& o = operation(i);
      known = &facts_of(o.op, graph_.operand_types(o), graph_.result_types(o));
    }
    return *known;
  }
  bool has_kernel(std::int32_t i) const {
    const Operation& o = operation(i);
    return !o.op.effects() && (o.op.pointwise() || o.op.structured());
  }

  // What the nodes do with operation i, once all its users are placed.
  struct Demand {
    std::map<int, Paths> by_node;  // kernels that may evaluate it
    FlatSet<int> memory;           // nodes that want it in memory whatever happens
    bool stored = false;           // it must be in memory
  };
  Demand demand_of(std::int32_t i);

  void place(std::int32_t i);
  void place_leaf(std::int32_t i, std::int32_t call);
  void place_kernel_operation(std::int32_t i, const Demand&);
  bool worth_repeating(std::int32_t i, const Demand&);
  bool inline_into_only_reader(std::int32_t i, const Demand&);
  int join(std::int32_t i, const Demand&);
  bool may_host(std::int32_t i, int node);
  bool feeds_back(const Demand&, int host);
  int found(std::int32_t i, Cut::Kind);
  void evaluate_in(std::int32_t i, int node, const Paths&);
  void store_in(std::int32_t i, int node, const Demand&);
  double bytes_read_by(std::int32_t i);
  bool has_room(std::int32_t i, int node);

  bool may_merge(int a, int b);
  int merge(int a, int b);
  Node united(const Node&, const Node&);
  void replace(int a, int b, Node both);
  bool reaches(int from, int to, bool through_others);
  void merge_siblings();
  void fuse_rows();
  std::int64_t row_of(const Node&);
  FlatSet<int> row_neighbours(int n);
  bool is_stage(const Node&, const Shape& rows, std::int64_t row);
  bool join_rows(int a, int b);
  bool order_stages(Node&) const;
  bool is_one_row(const Node&);
  void describe_stages(const Node&, Cut&);
  FlatSet<ValueId> kept_by(const Node& group, const Node& stage) const;
  bool reads_in_row(const Node& stage, ValueId, bool last);
  std::size_t buffers_of(const Node&) const;
  FlatSet<ValueId> inputs_of(const Node&) const;
  bool updates(const Node&, std::int32_t operation, std::size_t operand) const;
  FlatSet<ValueId> updated_by(const Node&) const;
  void update_last();
  class Order;
  std::vector<Cut> ordered();
  Cut cut_of(const Node&, const FlatSet<ValueId>& needed);
  Shape domain_of(const Node&);
  bool reads_at_own_place(const Node&, ValueId);
  bool is_flat(const Node&);

  const Graph& graph_;
  const Leaves& leaves_;
  std::vector<std::vector<User>> users_;
  std::vector<bool> is_output_;
  std::vector<std::int32_t> makers_;
  std::vector<FlatSet<int>> where_;  // the nodes that evaluate an operation
  std::vector<int> repeated_;        // instructions that are repeated in several kernels below it
  std::vector<const OperationFacts*> facts_;
  std::vector<Node> nodes_;
  std::map<ValueId, FlatSet<int>> readers_of_;  // before rows are fused
  std::vector<std::uint32_t> seen_;             // of each node, the last search that came by
  std::uint32_t searches_ = 0;
  int next_effect_ = -1;  // the node of the effect that comes next
};

}  // namespace fluxion::codegen
