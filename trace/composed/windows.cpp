// Convolutions, pooling and other windows: what users write as the dimensions of the primitives.
#include "trace/composed/common.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;
using Widths = std::vector<std::pair<std::int64_t, std::int64_t>>;
using Sizes = std::vector<std::int64_t>;

/// As many numbers as asked for: those given, or ones.
Sizes numbers(std::string_view who,
              std::string_view what,
              const Shape& given,
              std::size_t count,
              const Site& site) {
  if (given.empty()) return Sizes(count, 1);
  if (given.size() != count)
    fail("window",
         site,
         fmt::format("{}: {} has {} entries, {} are needed", who, what, given.size(), count));
  for (std::int64_t n : given)
    if (n < 1)
      fail("window", site, fmt::format("{}: {} holds {}; it takes positive numbers", who, what, n));
  return {given.begin(), given.end()};
}

std::int64_t dilated(std::int64_t size, std::int64_t by) {
  return size == 0 ? 0 : (size - 1) * by + 1;
}

/// The padding in numbers, for sizes already dilated.
Widths widths(std::string_view who,
              const lax::Padding& padding,
              const Sizes& size,
              const Sizes& window,
              const Sizes& stride,
              const Site& site) {
  if (padding.rule() == lax::Padding::Rule::given) {
    if (padding.widths().size() != size.size())
      fail("window",
           site,
           fmt::format("{}: padding has {} pairs, {} are needed",
                       who,
                       padding.widths().size(),
                       size.size()));
    return padding.widths();
  }
  Widths out(size.size(), {0, 0});
  if (padding.rule() == lax::Padding::Rule::valid) return out;
  for (std::size_t k = 0; k < size.size(); ++k) {
    const std::int64_t steps = (size[k] + stride[k] - 1) / stride[k];
    const std::int64_t total =
        std::max<std::int64_t>(0, (steps - 1) * stride[k] + window[k] - size[k]);
    const std::int64_t less = total / 2;
    out[k] = padding.rule() == lax::Padding::Rule::same ? std::pair{less, total - less}
                                                        : std::pair{total - less, less};
  }
  return out;
}

ops::Reduction primitive(lax::Reduction r) {
  switch (r) {
    case lax::Reduction::sum:
      return ops::Reduction::sum;
    case lax::Reduction::prod:
      return ops::Reduction::prod;
    case lax::Reduction::max:
      return ops::Reduction::max;
    case lax::Reduction::min:
      return ops::Reduction::min;
  }
  __builtin_unreachable();
}

/// A window over the last axes as one over all.
ops::Window pooling_window(std::string_view who,
                           const Array& x,
                           const Shape& window,
                           const Shape& stride,
                           const Widths& padding,
                           const Site& site) {
  const auto rank = static_cast<std::size_t>(rank_of(x)), count = window.size();
  if (count == 0 || count > rank)
    fail("window",
         site,
         fmt::format("{}: a window over {} axes of {}", who, count, to_string(type_of(x))),
         {},
         "it names the sizes along the last axes, for example {2, 2}");
  const Sizes size = numbers(who, "the window", window, count, site),
              steps = stride.empty() ? size : numbers(who, "the stride", stride, count, site);
  if (!padding.empty() && padding.size() != count)
    fail("window",
         site,
         fmt::format(
             "{}: padding has {} pairs, the window has {} axes", who, padding.size(), count));
  const Sizes ones(rank, 1);
  ops::Window w{ones, ones, ones, ones, Widths(rank, {0, 0})};
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t axis = rank - count + k;
    w.size[axis] = size[k];
    w.stride[axis] = steps[k];
    if (!padding.empty()) w.padding[axis] = padding[k];
    const std::int64_t room = shape_of(x)[axis] + w.padding[axis].first + w.padding[axis].second;
    if (size[k] > room)
      fail("window",
           site,
           fmt::format("{}: a window of {} does not fit into axis {} of {}",
                       who,
                       size[k],
                       axis,
                       to_string(type_of(x))));
  }
  return w;
}

/// Where N, C (or O, I) and the spatial letters stand.
struct Axis {
  int first = 0, second = 1;
  std::vector<int> spatial;
};
Axis read_layout(std::string_view layout,
                 std::string_view special,
                 std::string_view spatial,
                 const Array& x,
                 const Site& site) {
  Axis out;
  const auto rank = static_cast<std::size_t>(rank_of(x));
  if (layout.empty()) {
    for (std::size_t k = 2; k < rank; ++k) out.spatial.push_back(static_cast<int>(k));
    return out;
  }
  const auto at = [&](char letter) {
    const std::size_t place = layout.find(letter);
    if (place == std::string_view::npos || layout.find(letter, place + 1) != std::string_view::npos)
      fail("convolution",
           site,
           fmt::format("conv_general_dilated: the layout \"{}\" needs the letter '{}' once",
                       layout,
                       letter));
    return static_cast<int>(place);
  };
  if (layout.size() != rank)
    fail("convolution",
         site,
         fmt::format("conv_general_dilated: the layout \"{}\" does not fit {}",
                     layout,
                     to_string(type_of(x))));
  out.first = at(special[0]);
  out.second = at(special[1]);
  for (char letter : spatial) out.spatial.push_back(at(letter));
  return out;
}

std::string spatial_letters(std::string_view layout) {
  std::string out;
  for (char letter : layout)
    if (letter != 'N' && letter != 'C') out += letter;
  return out;
}

void check_ranks(const Array& x, const Array& y, const Site& site) {
  if (rank_of(x) >= 2 && rank_of(x) == rank_of(y)) return;
  fail("convolution",
       site,
       fmt::format(
           "conv_general_dilated: an image of {} axes and a kernel of {}", rank_of(x), rank_of(y)),
       {fmt::format("lhs {}", to_string(type_of(x))), fmt::format("rhs {}", to_string(type_of(y)))},
       "both have batch and feature axes besides the spatial ones");
}

}  // namespace

Array max_pool(const Operand& x, const Shape& window, const Shape& stride, const Widths& padding) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  return ops::reduce_window(ops::Reduction::max,
                            a,
                            pooling_window("max_pool", a, window, stride, padding, x.site()),
                            x.site());
}

Array avg_pool(const Operand& x, const Shape& window, const Shape& stride, const Widths& padding) {
  SiteScope here(x.site());
  const Array a = real(x, "avg_pool");
  const ops::Window w = pooling_window("avg_pool", a, window, stride, padding, x.site());
  const Array total = ops::reduce_window(ops::Reduction::sum, a, w, x.site());
  const bool padded =
      std::any_of(w.padding.begin(), w.padding.end(), [](auto p) { return p.first || p.second; });
  if (padded) return total / ops::reduce_window(ops::Reduction::sum, ones_like(a), w, x.site());
  std::int64_t count = 1;
  for (std::int64_t n : window) count *= n;
  return total / static_cast<double>(count);
}

namespace lax {

Array reduce_window(const Operand& x, Reduction reduction, const Window& window) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  const auto rank = static_cast<std::size_t>(rank_of(a));
  ops::Window w{numbers("reduce_window", "the window", window.size, rank, x.site()),
                numbers("reduce_window", "strides", window.strides, rank, x.site()),
                numbers("reduce_window", "base_dilation", window.base_dilation, rank, x.site()),
                numbers("reduce_window", "window_dilation", window.window_dilation, rank, x.site()),
                {}};
  Sizes size, span;
  for (std::size_t k = 0; k < rank; ++k) {
    size.push_back(dilated(shape_of(a)[k], w.base_dilation[k]));
    span.push_back(dilated(w.size[k], w.window_dilation[k]));
  }
  w.padding = widths("reduce_window", window.padding, size, span, w.stride, x.site());
  return ops::reduce_window(primitive(reduction), a, w, x.site());
}

Array conv_general_dilated(const Operand& lhs,
                           const Operand& rhs,
                           const ConvolutionOptions& options) {
  SiteScope here(lhs.site());
  const Site& site = lhs.site();
  const DType d = arithmetic_dtype(common_dtype({&lhs, &rhs}));
  const Array x = as(lhs, d, "conv_general_dilated"), y = as(rhs, d, "conv_general_dilated");
  check_ranks(x, y, site);
  const std::string spatial = spatial_letters(options.layout.lhs);
  const Axis image = read_layout(options.layout.lhs, "NC", spatial, x, site);
  const Axis kernel = read_layout(options.layout.rhs, "OI", spatial, y, site);
  const Axis out = read_layout(options.layout.out, "NC", spatial, x, site);
  const std::size_t count = image.spatial.size();
  if (kernel.spatial.size() != count || out.spatial.size() != count)
    fail("convolution",
         site,
         "conv_general_dilated: the layouts name different spatial axes",
         {},
         "give all three, or none");
  ops::ConvolutionWindow w;
  w.stride = numbers("conv_general_dilated", "strides", options.strides, count, site);
  w.lhs_dilation =
      numbers("conv_general_dilated", "lhs_dilation", options.lhs_dilation, count, site);
  w.rhs_dilation =
      numbers("conv_general_dilated", "rhs_dilation", options.rhs_dilation, count, site);
  Sizes size, span;
  for (std::size_t k = 0; k < count; ++k) {
    size.push_back(dilated(size_at(x, image.spatial[k]), w.lhs_dilation[k]));
    span.push_back(dilated(size_at(y, kernel.spatial[k]), w.rhs_dilation[k]));
  }
  w.padding = widths("conv_general_dilated", options.padding, size, span, w.stride, site);
  w.feature_groups = options.feature_groups;
  w.batch_groups = options.batch_groups;
  return ops::conv_general_dilated(x,
                                   y,
                                   w,
                                   {image.first,
                                    image.second,
                                    image.spatial,
                                    kernel.first,
                                    kernel.second,
                                    kernel.spatial,
                                    out.first,
                                    out.second,
                                    out.spatial},
                                   site);
}

}  // namespace lax
}  // namespace fluxion
