// Windows that slide over an array: how large, how far apart, and which element lies under which
// window position.
#include "trace/ops/window.hpp"

#include <algorithm>

namespace fluxion::ops {

std::int64_t WindowAxis::count(std::int64_t n) const {
  const std::int64_t room = dilated(n, base_dilation) + low + high - reach();
  return room < 0 ? 0 : room / stride + 1;
}

Padding WindowAxis::transposed(std::int64_t n) const {
  const std::int64_t before = reach() - 1 - low;
  const std::int64_t all = dilated(n, base_dilation) + reach() - 1;
  return {before, all - dilated(count(n), stride) - before, stride - 1};
}

std::int64_t WindowAxis::element(std::int64_t out, std::int64_t within, std::int64_t n) const {
  const std::int64_t at = out * stride + within * window_dilation - low;
  if (at < 0 || at % base_dilation != 0 || at / base_dilation >= n) return -1;
  return at / base_dilation;
}

kernel::Affine WindowAxis::element(kernel::Builder& b,
                                   const kernel::Affine& out,
                                   const kernel::Affine& within,
                                   std::int64_t n,
                                   kernel::Scalar& inside) const {
  kernel::Affine at = out * stride + within * window_dilation + -low;
  if (base_dilation > 1) {
    // Indices are divided where they are not negative.
    const std::int64_t periods =
        std::max<std::int64_t>(0, (low + base_dilation - 1) / base_dilation);
    const kernel::Affine above = at + periods * base_dilation;
    inside = inside & b.in_range(b.modulo(above, base_dilation), 0, 1);
    at = b.divide(above, base_dilation) + -periods;
  }
  inside = inside & b.in_range(at, 0, n);
  return at;
}

WindowAxes axes_of(std::string_view operation, const Window& w, int rank) {
  const std::size_t count = static_cast<std::size_t>(rank);
  if (w.size.size() != count || w.stride.size() != count || w.base_dilation.size() != count ||
      w.window_dilation.size() != count || w.padding.size() != count) {
    fail("window",
         Site(),
         std::string(operation) + ": the window does not say everything for each of " +
             std::to_string(rank) + " axes",
         {"size " + list_text(w.size),
          "stride " + list_text(w.stride),
          "base dilation " + list_text(w.base_dilation),
          "window dilation " + list_text(w.window_dilation),
          "padding for " + std::to_string(w.padding.size()) + " axes"});
  }
  WindowAxes axes;
  for (std::size_t k = 0; k < count; ++k) {
    axes.push_back({w.size[k],
                    w.stride[k],
                    w.base_dilation[k],
                    w.window_dilation[k],
                    w.padding[k].first,
                    w.padding[k].second});
  }
  return axes;
}

Shape window_counts(std::string_view operation, const WindowAxes& axes, const Type& operand) {
  Shape counts;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const WindowAxis& w = axes[k];
    if (w.size < 1 || w.stride < 1 || w.base_dilation < 1 || w.window_dilation < 1) {
      fail("window",
           Site(),
           std::string(operation) + ": size " + std::to_string(w.size) + ", stride " +
               std::to_string(w.stride) + ", base dilation " + std::to_string(w.base_dilation) +
               " and window dilation " + std::to_string(w.window_dilation) + " along axis " +
               std::to_string(k) + " must be at least 1",
           {"operand " + to_string(operand)});
    }
    const std::int64_t n = operand.shape[k];
    if (WindowAxis::dilated(n, w.base_dilation) + w.low + w.high < 0) {
      fail("window",
           Site(),
           std::string(operation) + ": axis " + std::to_string(k) + " of size " +
               std::to_string(n) + " has no room for the padding " + std::to_string(w.low) +
               " and " + std::to_string(w.high),
           {"operand " + to_string(operand)});
    }
    counts.push_back(w.count(n));
  }
  return counts;
}

Shape window_shape(const WindowAxes& axes) {
  Shape shape;
  for (const WindowAxis& w : axes) shape.push_back(w.size);
  return shape;
}

WindowAxes with_free_axis(WindowAxes axes, int at) {
  axes.insert(axes.begin() + at, WindowAxis());
  return axes;
}

kernel::Scalar element_under(kernel::Builder& b,
                             const WindowAxes& axes,
                             const kernel::Index& out,
                             const kernel::Index& within,
                             const Shape& operand,
                             kernel::Index& element) {
  kernel::Scalar inside = b.constant(bool_, 1);
  element.resize(axes.size());
  for (std::size_t k = 0; k < axes.size(); ++k) {
    element[k] = axes[k].element(b, out[k], within[k], operand[k], inside);
  }
  return inside;
}

}  // namespace fluxion::ops
