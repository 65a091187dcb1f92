// Elements in reverse order along some axes.
#include "trace/ops/axes.hpp"

namespace fluxion::ops {
std::span<const Rules* const> rev_rules();

namespace {

struct Rev {
  static constexpr auto name = "rev";
  std::vector<int> axes;

  Types types(TypeList in) const {
    check_axes("rev", "axes", axes, rank_of(in[0]));
    return {in[0]};
  }

  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }

  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (defined(ct[0]) && out.needed(0)) out.add(0, emit(*this, {ct[0]}, rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    return {{emit(Rev{around(axes, at[0])}, {x[0]}, rule_site())}, {at[0]}};
  }

  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    kernel::Index index = i;
    for (int axis : axes) {
      const std::size_t k = static_cast<std::size_t>(axis);
      index[k] = i[k] * -1 + (x.operand(0).shape[k] - 1);
    }
    return x.read(0, index);
  }

  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = in[0].type.shape;
    const std::vector<std::int64_t> strides = strides_of(shape);
    for_each_index(shape, [&](const auto& index, std::int64_t flat) {
      std::int64_t from = 0;
      for (std::size_t k = 0; k < index.size(); ++k) {
        const bool reversed = position_of(static_cast<int>(k), axes) >= 0;
        from += (reversed ? shape[k] - 1 - index[k] : index[k]) * strides[k];
      }
      copy_element(out[0], flat, in[0], from);
    });
  }
};

constexpr const Rules* rules[] = {rules_of<Rev>()};

}  // namespace

std::span<const Rules* const> rev_rules() { return rules; }

Array rev(const Array& x, const std::vector<int>& axes, const Site& site) {
  if (defined(x) && axes.empty()) return x;
  return emit(Rev{axes}, {x}, site);
}

}  // namespace fluxion::ops
