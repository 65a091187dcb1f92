// Axes in another order.
#include "trace/ops/axes.hpp"

namespace fluxion::ops {
std::span<const Rules* const> transpose_rules();

namespace {

struct Transpose {
  static constexpr auto name = "transpose";
  std::vector<int> permutation;  // axis k of the result is axis permutation[k] of the operand

  Types types(TypeList in) const {
    check_axes("transpose", "permutation", permutation, rank_of(in[0]));
    if (static_cast<int>(permutation.size()) != rank_of(in[0])) {
      fail("axis",
           Site(),
           "transpose: the permutation has " + std::to_string(permutation.size()) +
               " axes, the operand " + std::to_string(rank_of(in[0])),
           {"operand " + to_string(in[0]), "permutation " + list_text(permutation)});
    }
    Type result{{}, in[0].dtype};
    for (int axis : permutation) result.shape.push_back(size_at(in[0].shape, axis));
    return {result};
  }

  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }

  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (defined(ct[0]) && out.needed(0)) {
      out.add(0, emit(Transpose{inverse(permutation)}, {ct[0]}, rule_site()));
    }
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    return {{ops::transpose(x[0], prepended(at[0], around(permutation, at[0])), rule_site())}, {0}};
  }

  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    kernel::Index index(i.size());
    for (std::size_t k = 0; k < i.size(); ++k)
      index[static_cast<std::size_t>(permutation[k])] = i[k];
    return x.read(0, index);
  }

  void reference(ConstTensors in, Tensors out) const {
    const std::vector<std::int64_t> strides = strides_of(in[0].type.shape);
    for_each_index(out[0].type.shape, [&](const auto& index, std::int64_t flat) {
      std::int64_t from = 0;
      for (std::size_t k = 0; k < index.size(); ++k) {
        from += index[k] * strides[static_cast<std::size_t>(permutation[k])];
      }
      copy_element(out[0], flat, in[0], from);
    });
  }
};

constexpr const Rules* rules[] = {rules_of<Transpose>()};

}  // namespace

std::span<const Rules* const> transpose_rules() { return rules; }

Array transpose(const Array& x, const std::vector<int>& permutation, const Site& site) {
  if (defined(x) && permutation == counted_axes(rank_of(x))) return x;
  return emit(Transpose{permutation}, {x}, site);
}

}  // namespace fluxion::ops
