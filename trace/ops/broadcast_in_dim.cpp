// Repeats an array along new axes and along axes of size one.
#include "trace/ops/broadcast_in_dim.hpp"

#include "trace/ops/axes.hpp"

namespace fluxion::ops {
std::span<const Rules* const> broadcast_in_dim_rules();

namespace {

struct BroadcastInDim {
  static constexpr auto name = "broadcast_in_dim";
  Shape shape;
  std::vector<int> axes;  // the operand's axis k is axis axes[k] of the result

  Types types(TypeList in) const {
    if (static_cast<int>(axes.size()) != rank_of(in[0])) {
      fail("broadcast",
           Site(),
           "broadcast_in_dim: " + std::to_string(axes.size()) +
               " axes are placed, the operand has " + std::to_string(rank_of(in[0])),
           {"operand " + to_string(in[0]), "axes " + list_text(axes)});
    }
    check_axes("broadcast_in_dim", "axes", axes, static_cast<int>(shape.size()));
    for (std::size_t k = 0; k < axes.size(); ++k) {
      const std::int64_t have = in[0].shape[k], want = size_at(shape, axes[k]);
      if (have == want || have == 1) continue;
      fail("broadcast",
           Site(),
           "broadcast_in_dim: axis " + std::to_string(k) + " has size " + std::to_string(have) +
               ", which is neither 1 nor " + std::to_string(want),
           {"operand " + to_string(in[0]), "result " + to_string(Type{shape, in[0].dtype})});
    }
    return {{shape, in[0].dtype}};
  }

  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }

  // Sums over the copies: the axes that are new or were stretched.
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) || !out.needed(0)) return;
    const Shape& operand = x.type(0).shape;
    std::vector<int> kept;  // in the operand's order
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (operand[k] == size_at(shape, axes[k])) kept.push_back(axes[k]);
    }
    const int rank = static_cast<int>(shape.size());
    const std::vector<int> summed = other_axes(rank, kept), ascending = other_axes(rank, summed);
    Array sum = summed.empty() ? ct[0] : reduce(Reduction::sum, ct[0], summed, rule_site());
    std::vector<int> permutation;
    for (int axis : kept) permutation.push_back(position_of(axis, ascending));
    sum = ops::transpose(sum, permutation, rule_site());
    out.add(0, reshape(sum, operand, rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    std::vector<int> moved = shifted(axes);
    moved.insert(moved.begin() + at[0], 0);
    return {{broadcast_in_dim(x[0], with_axis(shape, 0, size), moved, rule_site())}, {0}};
  }

  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    const Shape& from = x.operand(0).shape;
    kernel::Index index(from.size());
    for (std::size_t k = 0; k < from.size(); ++k) {
      if (from[k] == size_at(shape, axes[k])) index[k] = i[static_cast<std::size_t>(axes[k])];
    }
    return x.read(0, index);
  }

  void reference(ConstTensors in, Tensors out) const {
    const Shape& from = in[0].type.shape;
    const std::vector<std::int64_t> strides = strides_of(from);
    for_each_index(shape, [&](const auto& index, std::int64_t flat) {
      std::int64_t source = 0;
      for (std::size_t k = 0; k < from.size(); ++k) {
        if (from[k] != 1) source += index[static_cast<std::size_t>(axes[k])] * strides[k];
      }
      copy_element(out[0], flat, in[0], source);
    });
  }
};

constexpr const Rules* rules[] = {rules_of<BroadcastInDim>()};

}  // namespace

std::span<const Rules* const> broadcast_in_dim_rules() { return rules; }

Op repeated_scalar(const Shape& shape) { return BroadcastInDim{shape, {}}; }

Array broadcast_in_dim(const Array& x,
                       const Shape& shape,
                       const std::vector<int>& at,
                       const Site& site) {
  if (defined(x) && type_of(x).shape == shape && at == counted_axes(rank_of(x))) return x;
  return emit(BroadcastInDim{shape, at}, {x}, site);
}

}  // namespace fluxion::ops
