// Asks operations for their library calls, and folds transposes into the calls' strides.
#include "codegen/leaves.hpp"

#include "codegen/cost.hpp"

#include <array>

namespace fluxion::codegen {
namespace {

constexpr std::int64_t smallest_product = 512;  // multiplications that are worth a library call

class Finder {
 public:
  explicit Finder(const Graph& graph)
      : graph_(graph),
        makers_(static_cast<std::size_t>(graph.value_count()), -1),
        users_(makers_.size()),
        is_output_(makers_.size()) {
    leaves_.call_of.assign(graph.operations().size(), -1);
    for (ValueId v : graph.outputs()) is_output_[static_cast<std::size_t>(v)] = true;
    for (std::size_t i = 0; i < graph.operations().size(); ++i) {
      const Operation& o = graph.operations()[i];
      for (std::int32_t k = 0; k < o.result_count; ++k)
        makers_[static_cast<std::size_t>(o.first_result + k)] = static_cast<std::int32_t>(i);
      for (ValueId v : o.operands)
        users_[static_cast<std::size_t>(v)].push_back(static_cast<std::int32_t>(i));
    }
  }

  Leaves run() {
    for (std::size_t i = 0; i < graph_.operations().size(); ++i)
      consider(static_cast<std::int32_t>(i));
    return std::move(leaves_);
  }

 private:
  const Operation& operation(std::int32_t i) const {
    return graph_.operations()[static_cast<std::size_t>(i)];
  }

  void consider(std::int32_t i) {
    const Operation& o = operation(i);
    const LeafSpec spec = o.op.leaf(graph_.operand_types(o), graph_.result_types(o));
    if (std::holds_alternative<std::monostate>(spec)) return;
    LeafCall call{{}, i, {i}, o.operands, o.first_result, {}};
    if (const auto* product = std::get_if<MatmulSpec>(&spec)) {
      if (product->batch * product->m * product->n * product->k <= smallest_product) return;
      call.product = *product;
      call.leaf = with_moves(*product, call);
    }
    if (!call.leaf) call.leaf = prepared(spec);
    if (!call.leaf) return;
    const std::int32_t last = makers_[static_cast<std::size_t>(call.output)];
    leaves_.call_of[static_cast<std::size_t>(last)] =
        static_cast<std::int32_t>(leaves_.calls.size());
    leaves_.calls.push_back(std::move(call));
  }

  /// Equal calls of a program are prepared once.
  detail::Ref<PreparedLeaf> prepared(const LeafSpec& spec) {
    for (const auto& [known, leaf] : prepared_)
      if (known == spec) return leaf;
    return prepared_.emplace_back(spec, prepare(spec)).second;
  }

  /// The view that an operation is of its operand, or null.
  const std::vector<std::int64_t>* view_of(std::int32_t i) const {
    if (i < 0) return nullptr;
    const Operation& o = operation(i);
    if (!o.op.pointwise() || o.op.aliases() || o.operands.size() != 1) return nullptr;
    const Type& type = graph_.type(o.first_result);
    if (element_count(type.shape) <= 1 || is_complex(type.dtype)) return nullptr;
    const OperationFacts& facts = facts_of(o.op, graph_.operand_types(o), graph_.result_types(o));
    return facts.view.empty() ? nullptr : &facts.view;
  }

  /// The product with the moves of its operands and result in its strides; null if there are none,
  /// or the library refuses.
  detail::Ref<PreparedLeaf> with_moves(MatmulSpec spec, LeafCall& call) {
    LeafCall moved = call;
    bool any = false;
    const std::array<std::int64_t, 3> a_extents{spec.batch, spec.m, spec.k},
        b_extents{spec.batch, spec.k, spec.n}, c_extents{spec.batch, spec.m, spec.n};
    for (std::size_t k = 0; k < 2; ++k) {
      const ValueId v = moved.inputs[k];
      const std::int32_t maker = makers_[static_cast<std::size_t>(v)];
      const auto* view = view_of(maker);
      if (!view) continue;
      if (!through_view(k == 0 ? std::span<std::int64_t>(spec.a_strides) : spec.b_strides,
                        k == 0 ? a_extents : b_extents,
                        graph_.type(v).shape,
                        *view))
        continue;
      moved.inputs[k] = operation(maker).operands[0];
      moved.operations.insert(moved.operations.begin(), maker);
      any = true;
    }
    any = move_result(spec, c_extents, moved) || any;
    if (!any) return {};
    detail::Ref<PreparedLeaf> leaf = prepared(spec);
    moved.product = spec;
    if (leaf) call = std::move(moved);
    return leaf;
  }

  /// A transpose that alone reads the result.
  bool move_result(MatmulSpec& spec, std::span<const std::int64_t> extents, LeafCall& call) {
    const ValueId v = call.output;
    const auto& users = users_[static_cast<std::size_t>(v)];
    if (users.size() != 1 || is_output_[static_cast<std::size_t>(v)]) return false;
    const auto* view = view_of(users[0]);
    if (!view) return false;
    // Where the result's axes lie in the transposed array: the inverse of the view.
    const Operation& mover = operation(users[0]);
    const Shape& from = graph_.type(v).shape;
    const Shape& to = graph_.type(mover.first_result).shape;
    if (element_count(from) != element_count(to)) return false;
    const std::vector<std::int64_t> dense = kernel::row_major(from), target = kernel::row_major(to);
    std::vector<std::int64_t> inverse(from.size());
    for (std::size_t k = 0; k < from.size(); ++k) {
      if (from[k] == 1) continue;
      std::size_t at = to.size();
      for (std::size_t j = 0; j < to.size(); ++j)
        if (to[j] == from[k] && (*view)[j] == dense[k]) at = j;
      if (at == to.size()) return false;
      inverse[k] = target[at];
    }
    if (!through_view(spec.c_strides, extents, from, inverse)) return false;
    call.output = mover.first_result;
    call.operations.push_back(users[0]);
    return true;
  }

  const Graph& graph_;
  Leaves leaves_;
  std::vector<std::pair<LeafSpec, detail::Ref<PreparedLeaf>>> prepared_;
  std::vector<std::int32_t> makers_;
  std::vector<std::vector<std::int32_t>> users_;
  std::vector<bool> is_output_;
};

}  // namespace

bool through_view(std::span<std::int64_t> strides,
                  std::span<const std::int64_t> extents,
                  const Shape& shape,
                  std::span<const std::int64_t> view) {
  const std::vector<std::int64_t> dense = kernel::row_major(shape);
  std::vector<std::int64_t> moved(strides.begin(), strides.end());
  for (std::size_t d = 0; d < strides.size(); ++d) {
    if (extents[d] == 1 || strides[d] == 0) continue;
    // The axes of `shape` that this one runs over, from the last.
    std::int64_t left = extents[d], expected = 0;
    bool begun = false;
    for (std::size_t k = shape.size(); k-- > 0 && left > 1;) {
      if (shape[k] == 1) continue;
      if (!begun) {
        if (dense[k] != strides[d]) continue;
        begun = true;
        moved[d] = view[k];
      } else if (view[k] != expected) {
        return false;
      }
      if (left % shape[k] != 0) return false;
      left /= shape[k];
      expected = view[k] * shape[k];
    }
    if (!begun || left != 1) return false;
  }
  std::copy(moved.begin(), moved.end(), strides.begin());
  return true;
}

Leaves find_leaves(const Graph& graph) { return Finder(graph).run(); }

Leaves no_leaves(const Graph& graph) {
  return {{}, std::vector<std::int32_t>(graph.operations().size(), -1)};
}

}  // namespace fluxion::codegen
