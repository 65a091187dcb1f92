// Sums, products and extremes over sliding windows.
#include "trace/ops/reduce_window.hpp"

#include "trace/ops/positions.hpp"
#include "trace/ops/reduction.hpp"
#include "trace/ops/window.hpp"

namespace fluxion::ops {
std::span<const Rules* const> reduce_window_rules();

namespace {

// Padding and holes count as the reduction of nothing. Sums and products of 16-bit floats
// accumulate in float32 unless they are rounded at every step.
struct ReduceWindow {
  static constexpr auto name = "reduce_window";
  Reduction op = Reduction::sum;
  WindowAxes
      window;  // of each axis: size, stride, base dilation, window dilation, low, high padding
  bool in_element_type = false;

  Types types(TypeList in) const {
    check_accepted(name, in[0], accepted(op));
    if (window.size() != in[0].shape.size()) {
      fail("window",
           Site(),
           "reduce_window: a window with " + std::to_string(window.size()) +
               " axes over an operand with " + std::to_string(in[0].shape.size()),
           {"operand " + to_string(in[0])});
    }
    return {{window_counts(name, window, in[0]), in[0].dtype}};
  }

  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return {Array()};
    switch (op) {
      case Reduction::sum:
        return {emit(*this, {dx[0]}, rule_site())};
      case Reduction::prod:
        return {product_tangent(x[0], dx[0], type_of(y[0]))};
      case Reduction::max:
      case Reduction::min:
        return {extreme_tangent(x[0], dx[0])};
      default:
        return {Array()};
    }
  }

  /// The tangent where each window has its extreme; the first one, if there are several.
  Array extreme_tangent(const Array& x, const Array& dx) const {
    const Type& type = type_of(x);
    if (element_count(type.shape) == 0) return Array();
    Window same;
    bool empty = false, apart = true;
    for (std::size_t k = 0; k < window.size(); ++k) {
      const WindowAxis& w = window[k];
      same.size.push_back(w.size);
      same.stride.push_back(w.stride);
      same.base_dilation.push_back(w.base_dilation);
      same.window_dilation.push_back(w.window_dilation);
      same.padding.push_back({w.low, w.high});
      empty = empty || some_window_is_empty(w, type.shape[k]);
      apart = apart && w.stride >= w.reach();
    }
    const Array place = window_argreduce(op == Reduction::max, x, same, int64, rule_site());
    const Array tangent = gather_flat(dx, place, apart && !empty, rule_site());
    if (!empty) return tangent;
    const Array counts =
        emit(ReduceWindow{Reduction::sum, window, false}, {filled(1, type)}, rule_site());
    const Array zeros = zeros_of(type_of(counts));
    return select(compare(Direction::gt, counts, zeros, rule_site()), tangent, zeros, rule_site());
  }

  static bool some_window_is_empty(const WindowAxis& w, std::int64_t n) {
    for (std::int64_t out = 0; out < w.count(n); ++out) {
      bool any = false;
      for (std::int64_t k = 0; k < w.size && !any; ++k) any = w.element(out, k, n) >= 0;
      if (!any) return true;
    }
    return false;
  }

  /// Sum over window positions of the tangent there times the product of all others; no division,
  /// so that zeros are numbers like others.
  Array product_tangent(const Array& x, const Array& dx, const Type& result) const {
    const ArrayList values = positions(x, 1, result), tangents = positions(dx, 0, result);
    const std::size_t n = values.size();
    ArrayList after(n);  // the product of what follows
    for (std::size_t k = n - 1; k-- > 0;) {
      after[k] = defined(after[k + 1]) ? mul(values[k + 1], after[k + 1]) : values[k + 1];
    }
    Array before, sum;
    for (std::size_t k = 0; k < n; ++k) {
      Array term = tangents[k];
      if (defined(before)) term = mul(term, before);
      if (defined(after[k])) term = mul(term, after[k]);
      sum = sum_of(sum, term);
      before = defined(before) ? mul(before, values[k]) : values[k];
    }
    return sum;
  }

  /// For each window position an array of what all windows have there.
  ArrayList positions(const Array& x, double outside, const Type& result) const {
    std::vector<Padding> padding;
    std::vector<std::int64_t> step;
    for (const WindowAxis& w : window) {
      padding.push_back({w.low, w.high, w.base_dilation - 1});
      step.push_back(w.stride);
    }
    const Array padded = pad(x, literal(outside, result.dtype), padding, rule_site());
    ArrayList arrays;
    for_each_index(window_shape(window), [&](const auto& within, std::int64_t) {
      std::vector<std::int64_t> start, stop;
      for (std::size_t k = 0; k < window.size(); ++k) {
        const std::int64_t span = WindowAxis::dilated(result.shape[k], window[k].stride);
        start.push_back(span ? within[k] * window[k].window_dilation : 0);
        stop.push_back(start[k] + span);
      }
      arrays.push_back(slice(padded, start, stop, step, rule_site()));
    });
    return arrays;
  }

  // The windows that an element is in: those of the cotangent, spread out by the stride, around it.
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (op != Reduction::sum) throw InternalError("reduce_window: only sums are linear");
    if (!defined(ct[0]) || !out.needed(0)) return;
    const Shape& operand = x.type(0).shape;
    std::vector<Padding> padding;
    ReduceWindow around{Reduction::sum, {}, in_element_type};
    for (std::size_t k = 0; k < window.size(); ++k) {
      const WindowAxis& w = window[k];
      padding.push_back(w.transposed(operand[k]));
      around.window.push_back({w.size, w.base_dilation, 1, w.window_dilation, 0, 0});
    }
    const Array spread = pad(ct[0], literal(0, x.type(0).dtype), padding, rule_site());
    out.add(0, emit(around, {spread}, rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    return {
        {emit(
            ReduceWindow{op, with_free_axis(window, at[0]), in_element_type}, {x[0]}, rule_site())},
        {at[0]}};
  }

  void body(kernel::Nest& nest) const {
    const Type in = nest.operand(0);
    const DType computed = is_half(in.dtype) ? float32 : in.dtype;
    nest.phase(nest.result().shape, [this, &nest, in, computed](const kernel::Index& out) {
      kernel::Builder& b = nest.builder();
      if (op == Reduction::prod && is_complex(in.dtype))
        return nest.write(0, out, product_in_kernel(nest, in, out));
      const auto element = [&](const kernel::Index& within) {
        kernel::Index at;
        const kernel::Scalar inside = element_under(b, window, out, within, in.shape, at);
        const kernel::Scalar value = nest.read(0, at, inside, neutral(b, op, in.dtype));
        return std::vector<kernel::Builder::Element>{{widened(value)}};
      };
      if (in_element_type && adds_or_multiplies(op) && is_half(in.dtype)) {
        const auto step = [&](const kernel::Index& within, std::vector<kernel::Scalar> carry) {
          const kernel::Scalar x = element(within)[0].value;
          const kernel::Scalar next = op == Reduction::sum ? carry[0] + x : carry[0] * x;
          return std::vector<kernel::Scalar>{widened(narrowed(next, in.dtype))};
        };
        const auto last = b.serial(window_shape(window), {neutral(b, op, computed)}, step);
        nest.write(0, out, narrowed(last[0], in.dtype));
        return;
      }
      const auto total = b.reduce(window_shape(window),
                                  kernel::Tree::sequential,
                                  {combiner_of(op, in.dtype)},
                                  {neutral(b, op, computed)},
                                  element);
      nest.write(0, out, narrowed(total[0], part_type(in.dtype)));
    });
  }

  kernel::Scalar product_in_kernel(kernel::Nest& nest,
                                   const Type& in,
                                   const kernel::Index& out) const {
    kernel::Builder& b = nest.builder();
    return complex_product(
        b, window_shape(window), in.dtype, nest.part(), [&](const kernel::Index& within) {
          kernel::Index at;
          const kernel::Scalar inside = element_under(b, window, out, within, in.shape, at);
          return nest.read_complex(
              0, at, inside, {b.constant(in.dtype, 1), b.constant(in.dtype, 0)});
        });
  }

  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      accumulate<T, ops::Accumulator<T>>(in[0], out[0]);
    });
  }

 private:
  template <class T, class Accumulator>
  void accumulate(const ConstTensor& in, const Tensor& out) const {
    for_each_index(out.type.shape, [&](const auto& index, std::int64_t flat) {
      Accumulator total(op, in_element_type);
      for_each_in_window(
          window, index, in.type.shape, [&](std::int64_t at) { total.take(in.as<T>()[at]); });
      out.as<T>()[flat] = total.result();
    });
  }
};

constexpr const Rules* rules[] = {rules_of<ReduceWindow>()};

}  // namespace

std::span<const Rules* const> reduce_window_rules() { return rules; }

Array reduce_window(Reduction op, const Array& x, const Window& window, const Site& site) {
  const SiteScope line(current_site(site));
  return emit(ReduceWindow{op, axes_of("reduce_window", window, rank_of(x)), false}, {x}, site);
}
Array reduce_window_in_order(Reduction op, const Array& x, const Window& window, const Site& site) {
  const SiteScope line(current_site(site));
  return emit(ReduceWindow{op, axes_of("reduce_window", window, rank_of(x)), true}, {x}, site);
}

}  // namespace fluxion::ops
