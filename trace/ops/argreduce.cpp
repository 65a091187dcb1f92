// argreduce: where the largest or smallest element is, along one axis.
#include "trace/ops/elementwise.hpp"

#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace fluxion::ops {
std::span<const Rules* const> argreduce_rules();

namespace {
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Scalar;

std::uint64_t greatest_index(DType index) {
  const std::size_t bits = 8 * size_of(index) - (is_signed_integer(index) ? 1 : 0);
  return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

/// Whether x takes the place of `best`, which stands before it.
template <class T> bool better(bool largest, T x, T best) {
  if constexpr (host_float<T>) {
    const double a = to_double(x), b = to_double(best);
    if (std::isnan(b)) return false;
    return std::isnan(a) || (largest ? a > b : a < b);
  } else {
    return largest ? x > best : x < best;
  }
}

struct ArgReduce {
  static constexpr auto name = "argreduce";
  bool largest = true;
  int axis = 0;
  DType index = int32;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    const char* what = largest ? "argmax" : "argmin";
    check_accepted(what, in[0], booleans | numbers);
    check_axes(what, "axes", {axis}, rank_of(in[0]));
    if (!is_integer(index)) {
      fail("dtype",
           Site(),
           fmt::format("{}: indices are integers, not {}", what, to_string(index)),
           {},
           "ask for fx::int32 or fx::int64");
    }
    const std::int64_t size = size_at(in[0].shape, axis);
    if (size == 0) {
      fail("empty-reduction",
           Site(),
           fmt::format("{}: axis {} has no elements", what, axis),
           {"operand " + to_string(in[0])},
           "an empty axis has no largest or smallest element");
    }
    if (static_cast<std::uint64_t>(size - 1) > greatest_index(index)) {
      fail("dtype",
           Site(),
           fmt::format("{}: axis {} has {} elements, which {} cannot number",
                       what,
                       axis,
                       size,
                       to_string(index)),
           {"operand " + to_string(in[0])},
           "ask for a wider index: fx::int64");
    }
    return {{without_axis(in[0].shape, axis), index}};
  }
  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array()}; }
  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    if (at[0] == unbatched) return {{emit(*this, x, rule_site())}, {unbatched}};
    const int moved = axis + (axis >= at[0]);
    return {{emit(ArgReduce{largest, moved, index}, x, rule_site())}, {at[0] - (moved < at[0])}};
  }
  void body(kernel::Nest& nest) const {
    const Type in = nest.operand(0);
    nest.phase(nest.result().shape, [this, &nest, in](const Index& at) {
      const std::int64_t size = size_at(in.shape, axis);
      const bool along_rows = axis + 1 == rank_of(in) && size >= 32;
      Builder& builder = nest.builder();
      const Combiner combiner = largest ? Combiner::arg_max : Combiner::arg_min;
      const DType computed = in.dtype == bool_ ? uint8 : is_half(in.dtype) ? float32 : in.dtype;
      std::vector<Scalar> initial = {
          builder.constant_bits(computed, kernel::identity_bits(combiner, computed)),
          builder.constant_bits(int64, std::numeric_limits<std::int64_t>::max())};
      const auto tree = along_rows ? kernel::Tree::lanes : kernel::Tree::sequential;
      std::vector<Scalar> best =
          builder.reduce(Shape{size}, tree, {combiner, combiner}, initial, [&](const Index& k) {
            Index full = at;
            full.insert(full.begin() + axis, k[0]);
            Scalar value = kernel::convert(nest.read(0, full), computed);
            return std::vector<Builder::Element>{{value}, {builder.value(k[0])}};
          });
      nest.write(0, at, kernel::convert(best[1], index));
    });
  }
  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = in[0].type.shape;
    const std::int64_t size = size_at(shape, axis);
    const std::int64_t stride = strides_of(shape)[static_cast<std::size_t>(axis)];
    const std::int64_t count = element_count(out[0].type.shape);
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!host_complex<T>) {
        for (std::int64_t i = 0; i < count; ++i) {
          // Result i is the pair (outer, inner) of what is before and behind the axis.
          const T* line = in[0].as<T>() + i / stride * stride * size + i % stride;
          std::int64_t best = 0;
          for (std::int64_t k = 1; k < size; ++k) {
            if (better(largest, line[k * stride], line[best * stride])) best = k;
          }
          store_index(out[0], i, best);
        }
      }
    });
  }

 private:
  static void store_index(const Tensor& out, std::int64_t at, std::int64_t value) {
    by_dtype(out.type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (host_integer<T>) out.as<T>()[at] = static_cast<T>(value);
    });
  }
};
}  // namespace

std::span<const Rules* const> argreduce_rules() {
  static constexpr const Rules* rules[] = {rules_of<ArgReduce>()};
  return rules;
}

Array argreduce(bool largest, const Array& x, int axis, DType index, const Site& site) {
  return emit(ArgReduce{largest, axis, index}, {x}, site);
}

}  // namespace fluxion::ops
