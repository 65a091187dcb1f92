// Where the largest or smallest element of each sliding window lies.
#include "trace/ops/reduction.hpp"
#include "trace/ops/window.hpp"

#include <limits>

namespace fluxion::ops {
std::span<const Rules* const> window_argreduce_rules();

namespace {

constexpr std::int64_t nowhere = std::numeric_limits<std::int64_t>::max();

/// Whether an element takes the place of an earlier one: NaN wins, then the first.
template <class T> bool better(bool largest, T x, T best) {
  if constexpr (host_float<T>) {
    const double a = to_double(x), b = to_double(best);
    if (std::isnan(b)) return false;
    return std::isnan(a) || (largest ? a > b : a < b);
  } else {
    return largest ? x > best : x < best;
  }
}

// Padding never wins; a window without any element gives 0.
struct WindowArgReduce {
  static constexpr auto name = "window_argreduce";
  bool largest = true;
  WindowAxes
      window;  // of each axis: size, stride, base dilation, window dilation, low, high padding
  DType index = int32;
  int batch_axes = 0;  // the flat index counts within the axes after these

  std::string_view what() const { return largest ? "window_argmax" : "window_argmin"; }

  Types types(TypeList in) const {
    const std::string label(what());
    check_real(label, in[0]);
    if (window.size() != in[0].shape.size()) {
      fail("window",
           Site(),
           label + ": a window with " + std::to_string(window.size()) +
               " axes over an operand with " + std::to_string(in[0].shape.size()),
           {"operand " + to_string(in[0])});
    }
    if (!is_integer(index)) {
      fail("dtype", Site(), label + ": indices are integers, not " + to_string(index));
    }
    const std::size_t bits = 8 * size_of(index) - (is_signed_integer(index) ? 1 : 0);
    const std::int64_t count = element_count(counted(in[0].shape));
    if (bits < 63 && (count - 1) >> bits > 0) {
      fail("dtype",
           Site(),
           label + ": " + std::to_string(count) + " elements are more than " + to_string(index) +
               " can number",
           {"operand " + to_string(in[0])},
           "use int64");
    }
    return {{window_counts(label, window, in[0]), index}};
  }

  /// The axes that the flat index counts.
  Shape counted(const Shape& operand) const {
    Shape shape;
    for (std::size_t k = static_cast<std::size_t>(batch_axes); k < operand.size(); ++k) {
      shape.push_back(operand[k]);
    }
    return shape;
  }

  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array()}; }

  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    const WindowArgReduce wider{largest, with_free_axis(window, 0), index, batch_axes + 1};
    return {{emit(wider, {move_axis(x[0], at[0], 0)}, rule_site())}, {0}};
  }

  void body(kernel::Nest& nest) const {
    const Type in = nest.operand(0);
    nest.phase(nest.result().shape, [this, &nest, in](const kernel::Index& out) {
      kernel::Builder& b = nest.builder();
      const auto combiner = largest ? kernel::Combiner::arg_max : kernel::Combiner::arg_min;
      const DType computed = in.dtype == bool_ ? uint8 : is_half(in.dtype) ? float32 : in.dtype;
      const auto worst = b.constant_bits(computed, kernel::identity_bits(combiner, computed));
      const auto none = b.constant_bits(int64, static_cast<std::uint64_t>(nowhere));
      std::vector<std::int64_t> strides = strides_of(in.shape);
      for (int k = 0; k < batch_axes; ++k) strides[static_cast<std::size_t>(k)] = 0;
      const auto element = [&](const kernel::Index& within) {
        kernel::Index at;
        const kernel::Scalar inside = element_under(b, window, out, within, in.shape, at);
        const kernel::Scalar read = nest.read(0, at, inside, narrowed(worst, in.dtype));
        const kernel::Scalar place = b.value(kernel::dot(at, strides));
        return std::vector<kernel::Builder::Element>{{narrowed(read, computed)},
                                                     {kernel::select(inside, place, none)}};
      };
      const auto best = b.reduce(window_shape(window),
                                 kernel::Tree::sequential,
                                 {combiner, combiner},
                                 {worst, none},
                                 element);
      const kernel::Scalar zero = b.constant(int64, 0);
      nest.write(0, out, narrowed(kernel::select(best[1] == none, zero, best[1]), index));
    });
  }

  void reference(ConstTensors in, Tensors out) const {
    const std::int64_t elements = element_count(counted(in[0].type.shape));
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!host_complex<T>) {
        for_each_index(out[0].type.shape, [&](const auto& place, std::int64_t flat) {
          std::int64_t best = -1;
          for_each_in_window(window, place, in[0].type.shape, [&](std::int64_t at) {
            const T* values = in[0].template as<T>();
            if (best < 0 || better(largest, values[at], values[best])) best = at;
          });
          store_index(out[0], flat, best < 0 ? 0 : best % elements);
        });
      }
    });
  }

  static void store_index(const Tensor& out, std::int64_t at, std::int64_t value) {
    by_dtype(out.type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (host_integer<T>) out.as<T>()[at] = static_cast<T>(value);
    });
  }
};

constexpr const Rules* rules[] = {rules_of<WindowArgReduce>()};

}  // namespace

std::span<const Rules* const> window_argreduce_rules() { return rules; }

Array window_argreduce(
    bool largest, const Array& x, const Window& window, DType index, const Site& site) {
  const SiteScope line(current_site(site));
  const WindowAxes axes = axes_of(largest ? "window_argmax" : "window_argmin", window, rank_of(x));
  return emit(WindowArgReduce{largest, axes, index, 0}, {x}, site);
}

}  // namespace fluxion::ops
