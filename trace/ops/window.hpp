// Windows that slide over an array: how large, how far apart, and which element lies under which
// window position.
#pragma once
#include "trace/ops/axes.hpp"

namespace fluxion::ops {

/// A window along one axis of `n` elements. Dilation puts holes between the elements (base) or the
/// window positions.
struct WindowAxis {
  std::int64_t size = 1, stride = 1, base_dilation = 1, window_dilation = 1, low = 0, high = 0;

  static std::int64_t dilated(std::int64_t n, std::int64_t dilation) {
    return n > 0 ? (n - 1) * dilation + 1 : 0;
  }
  /// The elements that one window spans.
  std::int64_t reach() const { return dilated(size, window_dilation); }
  /// How many windows there are.
  std::int64_t count(std::int64_t n) const;
  /// Padding of the cotangent (its elements `stride` apart), over which the same window with stride
  /// `base_dilation` gives the operand's cotangent; with the window reversed that is a
  /// convolution's.
  Padding transposed(std::int64_t n) const;
  /// The element under position `within` of window `out`, or -1.
  std::int64_t element(std::int64_t out, std::int64_t within, std::int64_t n) const;
  /// Kernel: the same; `inside` is and-ed with whether there is one.
  kernel::Affine element(kernel::Builder&,
                         const kernel::Affine& out,
                         const kernel::Affine& within,
                         std::int64_t n,
                         kernel::Scalar& inside) const;
};
using WindowAxes = std::vector<WindowAxis>;

/// The axes of a Window; refuses one whose lists do not have `rank` entries.
WindowAxes axes_of(std::string_view operation, const Window&, int rank);
/// Refuses sizes, strides and dilations below 1; the shape of the windows otherwise.
Shape window_counts(std::string_view operation, const WindowAxes&, const Type& operand);
Shape window_shape(const WindowAxes&);
WindowAxes with_free_axis(WindowAxes, int at);

/// Kernel: the element under a window position, and whether there is one.
kernel::Scalar element_under(kernel::Builder&,
                             const WindowAxes&,
                             const kernel::Index& out,
                             const kernel::Index& within,
                             const Shape& operand,
                             kernel::Index& element);
/// Reference: visit(flat index) for every element of window `out`, in row-major order.
template <class Visit>
void for_each_in_window(const WindowAxes& axes,
                        const std::vector<std::int64_t>& out,
                        const Shape& operand,
                        Visit&& visit) {
  const std::vector<std::int64_t> strides = strides_of(operand);
  for_each_index(window_shape(axes), [&](const auto& within, std::int64_t) {
    std::int64_t flat = 0;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      const std::int64_t at = axes[k].element(out[k], within[k], operand[k]);
      if (at < 0) return;
      flat += at * strides[k];
    }
    visit(flat);
  });
}

}  // namespace fluxion::ops
