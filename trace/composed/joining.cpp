// Arrays made of several, or cut into several; borders.
#include "trace/composed/common.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;
using Widths = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// All with one dtype.
std::vector<Array> promoted(std::string_view who,
                            const std::vector<Array>& arrays,
                            const Site& site) {
  if (arrays.empty()) fail(who, site, fmt::format("{}: no arrays were given", who));
  DType d = arrays[0].dtype(site);
  for (const Array& a : arrays) d = promote(d, a.dtype(site));
  std::vector<Array> out;
  for (const Array& a : arrays) out.push_back(a.astype(d, site));
  return out;
}

/// One pair for each axis.
Widths all_widths(const Array& x, const Widths& widths, const Site& site) {
  const auto rank = static_cast<std::size_t>(rank_of(x));
  if (widths.size() != rank && widths.size() != 1)
    fail("pad",
         site,
         fmt::format("pad: {} pairs of widths are given for {} axes", widths.size(), rank),
         {fmt::format("x {}", to_string(type_of(x)))},
         "one pair for each axis, or one for all: {{before, after}, ...}");
  for (auto [low, high] : widths)
    if (low < 0 || high < 0)
      fail("pad",
           site,
           fmt::format("pad: the width ({}, {}) is negative", low, high),
           {},
           "take away with a slice: x[{fx::slice(1, -1)}]");
  return widths.size() == rank ? widths : Widths(rank, widths[0]);
}

/// The next elements beyond one end of an axis. Mirrors lie at multiples of the period, so whole
/// periods may be appended to what is there.
Array beyond(const Array& x,
             int axis,
             bool before,
             std::int64_t count,
             PadMode mode,
             std::int64_t period,
             const Site& site) {
  const std::int64_t n = size_at(x, axis);
  const auto part = [&](std::int64_t from_end) {  // `count` elements that begin so far from the end
                                                  // which is extended
    return before ? slice_axis(x, axis, from_end, from_end + count, 1, site)
                  : slice_axis(x, axis, n - from_end - count, n - from_end, 1, site);
  };
  switch (mode) {
    case PadMode::reflect:
      return ops::rev(part(1), {axis}, site);
    case PadMode::symmetric:
      return ops::rev(part(0), {axis}, site);
    case PadMode::wrap:
      return before ? slice_axis(x, axis, period - count, period, 1, site)
                    : slice_axis(x, axis, n - period, n - period + count, 1, site);
    case PadMode::edge:
      break;
  }
  const Array one =
      before ? slice_axis(x, axis, 0, 1, 1, site) : slice_axis(x, axis, n - 1, n, 1, site);
  return broadcast("pad", one, with_size(shape_of(x), axis, count), site);
}

Array extended(const Array& x,
               int axis,
               bool before,
               std::int64_t width,
               PadMode mode,
               std::int64_t size,
               const Site& site) {
  const std::int64_t period = mode == PadMode::reflect ? size - 1
                              : mode == PadMode::edge  ? width
                                                       : size;
  Array y = x;
  for (std::int64_t left = width; left > 0;) {
    const std::int64_t count = std::min(left, period);
    const Array more = beyond(y, axis, before, count, mode, period, site);
    y = ops::concatenate(before ? ArrayList{more, y} : ArrayList{y, more}, axis, site);
    left -= count;
  }
  return y;
}

std::vector<Array> cut(const Array& x,
                       int axis,
                       const std::vector<std::int64_t>& bounds,
                       const Site& site) {
  std::vector<Array> out;
  for (std::size_t k = 0; k + 1 < bounds.size(); ++k)
    out.push_back(slice_axis(x, axis, bounds[k], std::max(bounds[k], bounds[k + 1]), 1, site));
  return out;
}

}  // namespace

Array concatenate(const std::vector<Array>& arrays, int axis, Site site) {
  const std::vector<Array> list = promoted("concatenate", arrays, site);
  const int rank = rank_of(list[0]);
  if (rank == 0)
    fail("concatenate",
         site,
         "concatenate: scalars have no axis to be joined along",
         {},
         "fx::stack makes a new axis");
  const int k = axis_of("concatenate", axis, rank, site);
  for (const Array& a : list)
    if (rank_of(a) != rank || !(with_size(shape_of(a), k, 0) == with_size(shape_of(list[0]), k, 0)))
      fail("concatenate",
           site,
           fmt::format("concatenate: the shapes {} and {} differ in more than axis {}",
                       to_string(shape_of(list[0])),
                       to_string(shape_of(a)),
                       k));
  return list.size() == 1 ? list[0] : ops::concatenate(list, k, site);
}

Array stack(const std::vector<Array>& arrays, int axis, Site site) {
  SiteScope here(site);
  std::vector<Array> list = promoted("stack", arrays, site);
  const int k = axis_of("stack", axis, rank_of(list[0]) + 1, site);
  const Shape shape = shape_of(list[0]);
  for (Array& a : list) {
    if (!(shape_of(a) == shape))
      fail("stack",
           site,
           fmt::format(
               "stack: the shapes {} and {} differ", to_string(shape), to_string(shape_of(a))),
           {},
           "fx::concatenate joins along an axis that exists");
    a = ops::reshape(a, composed::with_axis(shape, k, 1), site);
  }
  return list.size() == 1 ? list[0] : ops::concatenate(list, k, site);
}

Array vstack(const std::vector<Array>& arrays, Site site) {
  SiteScope here(site);
  std::vector<Array> rows;
  for (const Array& a : arrays) rows.push_back(a.ndim(site) < 2 ? a.reshape({1, -1}) : a);
  return concatenate(rows, 0, site);
}

Array hstack(const std::vector<Array>& arrays, Site site) {
  SiteScope here(site);
  std::vector<Array> columns;
  for (const Array& a : arrays) columns.push_back(a.ndim(site) == 0 ? a.reshape({1}) : a);
  return concatenate(columns, !columns.empty() && rank_of(columns[0]) > 1 ? 1 : 0, site);
}

std::vector<Array> split(const Operand& x, int parts, int axis) {
  const Array a = array_of(x);
  const int k = axis_of("split", axis, rank_of(a), x.site());
  const std::int64_t n = size_at(a, k);
  if (parts < 1 || n % parts)
    fail("split",
         x.site(),
         fmt::format("split: axis {} of {} has {} elements, which do not make {} equal parts",
                     k,
                     to_string(type_of(a)),
                     n,
                     parts),
         {},
         "name the positions instead: fx::split(x, {3, 5})");
  std::vector<std::int64_t> bounds;
  for (int p = 0; p <= parts; ++p) bounds.push_back(n / parts * p);
  return cut(a, k, bounds, x.site());
}

std::vector<Array> split(const Operand& x, const std::vector<std::int64_t>& positions, int axis) {
  const Array a = array_of(x);
  const int k = axis_of("split", axis, rank_of(a), x.site());
  const std::int64_t n = size_at(a, k);
  std::vector<std::int64_t> bounds{0};
  for (std::int64_t p : positions)
    bounds.push_back(std::clamp<std::int64_t>(p < 0 ? p + n : p, 0, n));
  bounds.push_back(n);
  return cut(a, k, bounds, x.site());
}

Array pad(const Operand& x, const Widths& widths, const Operand& value) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  std::vector<ops::Padding> padding;
  for (auto [low, high] : all_widths(a, widths, x.site())) padding.push_back({low, high, 0});
  const Array fill = as(value, type_of(a).dtype, "pad");
  if (rank_of(fill))
    fail("pad", value.site(), "pad: the value is " + to_string(type_of(fill)) + ", not a scalar");
  return padding.empty() ? a : ops::pad(a, fill, padding, x.site());
}

Array pad(const Operand& x, const Widths& widths, PadMode mode) {
  SiteScope here(x.site());
  Array a = array_of(x);
  const Widths all = all_widths(a, widths, x.site());
  for (int k = 0; k < rank_of(a); ++k) {
    const auto [low, high] = all[static_cast<std::size_t>(k)];
    const std::int64_t size = size_at(a, k);
    if (low + high == 0) continue;
    if (size == 0)
      fail("pad",
           x.site(),
           fmt::format("pad: axis {} of {} has no element to repeat", k, to_string(type_of(a))));
    const PadMode used = mode == PadMode::reflect && size == 1
                             ? PadMode::edge
                             : mode;  // a single element mirrors into itself
    a = extended(a, k, true, low, used, size, x.site());
    a = extended(a, k, false, high, used, size, x.site());
  }
  return a;
}

namespace lax {
Array pad(const Operand& x, const Operand& value, const std::vector<PadWidth>& widths) {
  const Array a = array_of(x);
  std::vector<ops::Padding> padding;
  for (const PadWidth& w : widths) padding.push_back({w.low, w.high, w.interior});
  return ops::pad(a, as(value, type_of(a).dtype, "pad"), padding, x.site());
}
}  // namespace lax

}  // namespace fluxion
