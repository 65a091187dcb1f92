// Arrays one after the other along one axis.
#include "trace/ops/axes.hpp"

namespace fluxion::ops {
std::span<const Rules* const> concatenate_rules();

namespace {

struct Concatenate {
  static constexpr auto name = "concatenate";
  int axis = 0;
  int operands = 0;  // how many: a kernel asks for them one by one

  Types types(TypeList in) const {
    if (in.empty()) fail("concatenate", Site(), "concatenate: there is no array to concatenate");
    if (static_cast<int>(in.size()) != operands) {
      throw InternalError("concatenate: " + std::to_string(in.size()) + " operands instead of " +
                          std::to_string(operands));
    }
    check_axes("concatenate", "axis", {axis}, rank_of(in[0]));
    Shape shape = without_axis(in[0].shape, axis);
    std::int64_t total = 0;
    for (std::size_t k = 0; k < in.size(); ++k) {
      check_same_dtype("concatenate", in[0], in[k]);
      if (rank_of(in[k]) != rank_of(in[0]) || !(without_axis(in[k].shape, axis) == shape)) {
        fail("concatenate",
             Site(),
             "concatenate: operands 0 and " + std::to_string(k) +
                 " differ in more than the size of axis " + std::to_string(axis) + ", " +
                 to_string(in[0].shape) + " and " + to_string(in[k].shape));
      }
      total += size_at(in[k].shape, axis);
    }
    return {{with_axis(shape, axis, total), in[0].dtype}};
  }

  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    ArrayList tangents;
    bool any = false;
    for (const Array& tangent : dx) any = any || defined(tangent);
    if (!any) return {Array()};
    for (std::size_t k = 0; k < x.size(); ++k) tangents.push_back(or_zeros(dx[k], type_of(x[k])));
    return {emit(*this, tangents, rule_site())};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0])) return;
    const std::size_t rank = type_of(ct[0]).shape.size(), along = static_cast<std::size_t>(axis);
    std::vector<std::int64_t> start(rank, 0), stop(rank), step(rank, 1);
    for (std::size_t k = 0; k < rank; ++k) stop[k] = type_of(ct[0]).shape[k];
    for (std::size_t k = 0; k < x.size(); ++k) {
      stop[along] = start[along] + x.type(k).shape[along];
      if (x.linear(k) && out.needed(k)) out.add(k, slice(ct[0], start, stop, step, rule_site()));
      start[along] = stop[along];
    }
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    ArrayList batched;
    for (std::size_t k = 0; k < x.size(); ++k) batched.push_back(batch_first(x[k], at[k], size));
    return {{emit(Concatenate{axis + 1, operands}, batched, rule_site())}, {0}};
  }

  // Each operand is read where it lies; elsewhere the read gives what the later operands give.
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    kernel::Builder& b = x.builder();
    const std::size_t along = static_cast<std::size_t>(axis);
    const std::int64_t total = x.result().shape[along];
    kernel::Scalar value;
    std::int64_t end = total;
    for (int k = operands - 1; k >= 0; --k) {
      const std::int64_t size = x.operand(k).shape[along];
      if (size == 0 && (k > 0 || value.defined())) continue;
      kernel::Index index = i;
      index[along] = i[along] + (size - end);
      const kernel::Scalar inside = b.in_range(index[along], 0, size);
      const kernel::Scalar otherwise = value.defined() ? value : b.constant(x.operand(k).dtype, 0);
      value = x.read(k, index, inside, otherwise);
      end -= size;
    }
    return value;
  }

  void reference(ConstTensors in, Tensors out) const {
    const std::vector<std::int64_t> strides = strides_of(out[0].type.shape);
    std::int64_t begin = 0;
    for (const ConstTensor& part : in) {
      for_each_index(part.type.shape, [&](const auto& index, std::int64_t flat) {
        std::int64_t to = begin * strides[static_cast<std::size_t>(axis)];
        for (std::size_t k = 0; k < index.size(); ++k) to += index[k] * strides[k];
        copy_element(out[0], to, part, flat);
      });
      begin += size_at(part.type.shape, axis);
    }
  }
};

constexpr const Rules* rules[] = {rules_of<Concatenate>()};

}  // namespace

std::span<const Rules* const> concatenate_rules() { return rules; }

Array concatenate(Arrays operands, int axis, const Site& site) {
  return emit(Concatenate{axis, static_cast<int>(operands.size())}, operands, site);
}

}  // namespace fluxion::ops
