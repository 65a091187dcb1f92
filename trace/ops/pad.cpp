// Puts a value around and between the elements; negative padding cuts elements off.
#include "trace/ops/axes.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> pad_rules();

namespace {

struct Pad {
  static constexpr auto name = "pad";
  std::vector<Padding> padding;  // of each axis: low, high, interior

  Types types(TypeList in) const {
    check_same_dtype("pad", in[0], in[1]);
    if (rank_of(in[1]) != 0) {
      fail("pad",
           Site(),
           "pad: the value must be a scalar, not " + to_string(in[1]),
           {"operand " + to_string(in[0])});
    }
    if (static_cast<int>(padding.size()) != rank_of(in[0])) {
      fail("pad",
           Site(),
           "pad: padding for " + std::to_string(padding.size()) + " axes, the operand has " +
               std::to_string(rank_of(in[0])),
           {"operand " + to_string(in[0])});
    }
    Type result{{}, in[0].dtype};
    for (std::size_t k = 0; k < padding.size(); ++k) {
      const Padding& p = padding[k];
      const std::int64_t size = in[0].shape[k];
      const std::int64_t inner = size > 0 ? size + (size - 1) * p.interior : 0;
      if (p.interior < 0 || inner + p.low + p.high < 0) {
        fail("pad",
             Site(),
             "pad: axis " + std::to_string(k) + " of size " + std::to_string(size) +
                 " cannot be padded by " + std::to_string(p.low) + " below, " +
                 std::to_string(p.high) + " above and " + std::to_string(p.interior) + " between",
             {"operand " + to_string(in[0])});
      }
      result.shape.push_back(inner + p.low + p.high);
    }
    return {result};
  }

  Array with(const Array& x, const Array& value) const {
    return emit(*this, {x, value}, rule_site());
  }

  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    if (!defined(dx[0]) && !defined(dx[1])) return {Array()};
    return {with(or_zeros(dx[0], type_of(x[0])), or_zeros(dx[1], type_of(x[1])))};
  }

  /// True where the result is an element, false where it is the value.
  Array elements(const Shape& operand) const {
    return with(filled(1, {operand, bool_}), literal(0, bool_));
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0])) return;
    const Type& operand = x.type(0);
    if (x.linear(0) && out.needed(0)) {
      std::vector<Padding> undo;
      std::vector<std::int64_t> step, stop;
      for (std::size_t k = 0; k < padding.size(); ++k) {
        undo.push_back({-padding[k].low, -padding[k].high, 0});
        step.push_back(padding[k].interior + 1);
        stop.push_back(operand.shape[k] ? (operand.shape[k] - 1) * step[k] + 1 : 0);
      }
      const Array cut = pad(ct[0], literal(0, operand.dtype), undo, rule_site());
      out.add(0, slice(cut, std::vector<std::int64_t>(step.size()), stop, step, rule_site()));
    }
    if (x.linear(1) && out.needed(1)) {
      const Array around =
          select(elements(operand.shape), zeros_of(type_of(ct[0])), ct[0], rule_site());
      out.add(1, reduce(Reduction::sum, around, counted_axes(rank_of(around)), rule_site()));
    }
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    Pad wider = *this;
    if (at[1] == unbatched) {
      wider.padding.insert(wider.padding.begin() + at[0], Padding());
      return {{wider.with(x[0], x[1])}, {at[0]}};
    }
    const Array operand = batch_first(x[0], at[0], size);
    wider.padding.insert(wider.padding.begin(), Padding());
    const Array padded = wider.with(operand, literal(0, type_of(operand).dtype));
    const Type& type = type_of(padded);
    const Array value = broadcast_in_dim(x[1], type.shape, {0}, rule_site());
    return {{select(wider.elements(type_of(operand).shape), padded, value, rule_site())}, {0}};
  }

  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    kernel::Builder& b = x.builder();
    const Shape& from = x.operand(0).shape;
    kernel::Index index(from.size());
    kernel::Scalar inside = b.constant(bool_, 1);
    for (std::size_t k = 0; k < from.size(); ++k) {
      const std::int64_t step = padding[k].interior + 1, low = padding[k].low;
      index[k] = i[k] + -low;
      if (step > 1) {
        // Indices are divided where they are not negative.
        const std::int64_t periods = std::max<std::int64_t>(0, (low + step - 1) / step);
        const kernel::Affine above = index[k] + periods * step;
        inside = inside & b.in_range(b.modulo(above, step), 0, 1);
        index[k] = b.divide(above, step) + -periods;
      }
      inside = inside & b.in_range(index[k], 0, from[k]);
    }
    return x.read(0, index, inside, x.read(1, {}));
  }

  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = out[0].type.shape;
    for_each_index(shape,
                   [&](const auto&, std::int64_t flat) { copy_element(out[0], flat, in[1], 0); });
    const std::vector<std::int64_t> strides = strides_of(shape);
    for_each_index(in[0].type.shape, [&](const auto& index, std::int64_t flat) {
      std::int64_t to = 0;
      for (std::size_t k = 0; k < index.size(); ++k) {
        const std::int64_t at = padding[k].low + index[k] * (padding[k].interior + 1);
        if (at < 0 || at >= shape[k]) return;
        to += at * strides[k];
      }
      copy_element(out[0], to, in[0], flat);
    });
  }
};

constexpr const Rules* rules[] = {rules_of<Pad>()};

}  // namespace

std::span<const Rules* const> pad_rules() { return rules; }

Array pad(const Array& x,
          const Array& value,
          const std::vector<Padding>& padding,
          const Site& site) {
  return emit(Pad{padding}, {x, value}, site);
}

}  // namespace fluxion::ops
