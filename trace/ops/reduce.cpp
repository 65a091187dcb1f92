// reduce: sums, products, extremes and bits over axes.
#include "trace/ops/reduce.hpp"

#include "trace/frame.hpp"
#include "trace/ops/elementwise.hpp"
#include "trace/ops/reduction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fluxion::ops {
std::span<const Rules* const> reduce_rules();

namespace {
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Scalar;

/// Products of pairs, of pairs of pairs, ...: with its tangent, without a division, so that zeros
/// are elements like others.
struct ProductTree {
  Array value, tangent;  // [n, ...]

  static Array rows(const Array& x, std::int64_t from, std::int64_t to) {
    const Shape& shape = type_of(x).shape;
    std::vector<std::int64_t> start(shape.size()), stop(shape.begin(), shape.end());
    start[0] = from;
    stop[0] = to;
    return slice(x, start, stop, std::vector<std::int64_t>(shape.size(), 1), rule_site());
  }
  static Array joined(const Array& head, const Array& tail) {
    const Array both[] = {head, tail};
    return concatenate(both, 0, rule_site());
  }
  void halve() {
    const std::int64_t n = type_of(value).shape[0], half = n / 2;
    const Array a = rows(value, 0, half), b = rows(value, half, 2 * half);
    const Array da = rows(tangent, 0, half), db = rows(tangent, half, 2 * half);
    Array product = mul(a, b), change = ops::add(mul(da, b), mul(a, db));
    if (n % 2 == 1) {
      product = joined(product, rows(value, n - 1, n));
      change = joined(change, rows(tangent, n - 1, n));
    }
    value = product;
    tangent = change;
  }
};

struct Reduce {
  static constexpr auto name = "reduce";
  Reduction op = Reduction::sum;
  std::vector<int> axes;
  /// Sums and products of 16-bit floats are rounded at every step, and are made in order.
  bool in_element_type = false;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    const std::string what = label();
    check_accepted(what, in[0], accepted(op));
    check_axes(what, "axes", axes, rank_of(in[0]));
    if (!std::is_sorted(axes.begin(), axes.end()))
      throw InternalError("reduce: axes are not sorted");
    return {{kept_of(in[0].shape, kept_axes(in[0])), in[0].dtype}};
  }

  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0]) || reduced_count(type_of(x[0]).shape) == 0) return {Array()};
    switch (op) {
      case Reduction::sum:
        return {again(dx[0])};
      case Reduction::prod:
        return {product_tangent(x[0], dx[0])};
      case Reduction::max:
      case Reduction::min:
        return {extreme_tangent(x[0], y[0], dx[0])};
      default:
        return {Array()};
    }
  }
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (op != Reduction::sum) throw InternalError("reduce: only sums are linear");
    if (!out.needed(0)) return;
    out.add(0, broadcast_in_dim(ct[0], x.type(0).shape, kept_axes(x.type(0)), rule_site()));
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    if (at[0] == unbatched) return {{emit(*this, x, rule_site())}, {unbatched}};
    const std::vector<int> moved = around(axes, at[0]);
    const int before = static_cast<int>(
        std::count_if(moved.begin(), moved.end(), [&](int axis) { return axis < at[0]; }));
    return {{emit(Reduce{op, moved, in_element_type}, x, rule_site())}, {at[0] - before}};
  }

  void body(kernel::Nest& nest) const {
    const Type in = nest.operand(0);
    const std::vector<int> kept = kept_axes(in);
    const Shape extents = reduced_of(in.shape);
    nest.phase(nest.result().shape, [this, &nest, in, kept, extents](const Index& at) {
      const auto place = [&](const Index& reduced) {
        Index full(in.shape.size());
        for (std::size_t k = 0; k < kept.size(); ++k)
          full[static_cast<std::size_t>(kept[k])] = at[k];
        for (std::size_t k = 0; k < axes.size(); ++k)
          full[static_cast<std::size_t>(axes[k])] = reduced[k];
        return full;
      };
      if (op == Reduction::prod && is_complex(in.dtype)) {
        const auto factor = [&](const Index& j) { return nest.read_complex(0, place(j)); };
        return nest.write(
            0, at, complex_product(nest.builder(), extents, in.dtype, nest.part(), factor));
      }
      const auto element = [&](const Index& j) { return widened(nest.read(0, place(j))); };
      nest.write(0, at, narrowed(total(nest.builder(), in, extents, element), part_type(in.dtype)));
    });
  }

  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      accumulate<T, ops::Accumulator<T>>(in[0], out[0]);
    });
  }

 private:
  std::string label() const {
    return "reduce " + std::string(EnumWords<Reduction>::words[static_cast<std::size_t>(op)]);
  }
  std::vector<int> kept_axes(const Type& in) const { return other_axes(rank_of(in), axes); }
  static Shape kept_of(const Shape& shape, const std::vector<int>& kept) {
    Shape out;
    for (int axis : kept) out.push_back(size_at(shape, axis));
    return out;
  }
  Shape reduced_of(const Shape& shape) const { return kept_of(shape, axes); }
  std::int64_t reduced_count(const Shape& shape) const { return element_count(reduced_of(shape)); }
  Array again(const Array& x) const { return emit(*this, {x}, rule_site()); }
  Array sum(const Array& x) const { return reduce(Reduction::sum, x, axes, rule_site()); }

  Array product_tangent(const Array& x, const Array& dx) const {
    const Type& type = type_of(x);
    const std::vector<int> kept = kept_axes(type);
    std::vector<int> order = axes;
    order.insert(order.end(), kept.begin(), kept.end());
    const Shape shape = with_axis(kept_of(type.shape, kept), 0, reduced_count(type.shape));
    const auto flat = [&](const Array& a) {
      return reshape(ops::transpose(a, order, rule_site()), shape, rule_site());
    };
    ProductTree tree{flat(x), flat(dx)};
    while (type_of(tree.tangent).shape[0] > 1) tree.halve();
    return reshape(tree.tangent, without_axis(shape, 0), rule_site());
  }

  /// The mean of the tangents of all elements that equal the extreme.
  Array extreme_tangent(const Array& x, const Array& y, const Array& dx) const {
    const Type& type = type_of(x);
    const Array everywhere = broadcast_in_dim(y, type.shape, kept_axes(type), rule_site());
    const Array hits =
        convert(compare(Direction::eq, x, everywhere, rule_site()), type.dtype, rule_site());
    return div(sum(mul(dx, hits)), sum(hits));
  }

  /// Combines element(index) over all indices below `extents`.
  template <class Element>
  Scalar total(Builder& builder,
               const Type& in,
               const Shape& extents,
               const Element& element) const {
    const DType dtype = in.dtype;
    const bool rounds = in_element_type && adds_or_multiplies(op) && is_half(dtype);
    const Combiner combiner = combiner_of(op, dtype);
    const DType computed = is_half(dtype) ? float32 : dtype;
    const Scalar initial = neutral(builder, op, computed);
    if (rounds) {
      return builder.serial(extents, {initial}, [&](const Index& at, std::vector<Scalar> carry) {
        Scalar next = op == Reduction::sum ? carry[0] + element(at) : carry[0] * element(at);
        return std::vector<Scalar>{widened(narrowed(next, dtype))};
      })[0];
    }
    const bool along_rows =
        !axes.empty() && axes.back() + 1 == rank_of(in) && size_at(in.shape, axes.back()) >= 32;
    const bool in_order = in_element_type && adds_or_multiplies(op);
    const kernel::Tree tree =
        along_rows && !in_order ? kernel::Tree::lanes : kernel::Tree::sequential;
    return builder.reduce(extents, tree, {combiner}, {initial}, [&](const Index& at) {
      return std::vector<Builder::Element>{{element(at)}};
    })[0];
  }

  template <class T, class Accumulator>
  void accumulate(const ConstTensor& in, const Tensor& out) const {
    const Shape& shape = in.type.shape;
    const std::vector<int> kept = kept_axes(in.type);
    const std::vector<std::int64_t> out_strides = strides_of(out.type.shape);
    std::vector<std::int64_t> strides(shape.size(), 0);
    for (std::size_t k = 0; k < kept.size(); ++k)
      strides[static_cast<std::size_t>(kept[k])] = out_strides[k];
    std::vector<Accumulator> totals(static_cast<std::size_t>(element_count(out.type.shape)),
                                    Accumulator(op, in_element_type));
    std::vector<std::int64_t> index(shape.size(), 0);
    const std::int64_t count = element_count(shape);
    for (std::int64_t i = 0; i < count; ++i, next_index(index, shape)) {
      std::int64_t at = 0;
      for (std::size_t k = 0; k < index.size(); ++k) at += index[k] * strides[k];
      totals[static_cast<std::size_t>(at)].take(in.as<T>()[i]);
    }
    for (std::size_t i = 0; i < totals.size(); ++i) out.as<T>()[i] = totals[i].result();
  }
};
}  // namespace

std::span<const Rules* const> reduce_rules() {
  static constexpr const Rules* rules[] = {rules_of<Reduce>()};
  return rules;
}

std::optional<ReduceAttributes> reduce_attributes(const Op& op) {
  const auto* r = op.as<Reduce>();
  if (r == nullptr) return {};
  return ReduceAttributes{r->op, r->axes, r->in_element_type};
}

Array reduction_identity(Reduction op, DType dtype, const Site& site) {
  if (op == Reduction::sum) return literal(0, dtype, site);
  if (is_complex(dtype)) return literal(1, dtype, site);
  return literal_bits(dtype, kernel::identity_bits(combiner_of(op, dtype), dtype), 0, site);
}

Array reduce(Reduction op,
             const Array& x,
             const std::vector<int>& axes,
             const Site& site,
             bool accumulate_in_element_type) {
  return emit(Reduce{op, axes, accumulate_in_element_type}, {x}, site);
}

}  // namespace fluxion::ops
