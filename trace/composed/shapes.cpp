// The same elements in another arrangement: reshaping, reordering of axes, repetition, order along
// an axis.
#include "trace/composed/common.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

/// The shape with its -1 deduced.
Shape deduced(const Array& x, const Shape& to, const Site& site) {
  std::int64_t known = 1;
  int open = -1;
  for (std::size_t k = 0; k < to.size(); ++k) {
    if (to[k] == -1 && open < 0)
      open = static_cast<int>(k);
    else if (to[k] < 0)
      fail("reshape",
           site,
           fmt::format("reshape: the shape {} has {}",
                       to_string(to),
                       to[k] == -1 ? "two sizes of -1" : "a negative size"),
           {},
           "one size may be -1");
    else
      known *= to[k];
  }
  const std::int64_t n = element_count(shape_of(x));
  if (open >= 0 && known != 0 && n % known == 0) return with_size(to, open, n / known);
  if (open >= 0 || known != n)
    fail("reshape",
         site,
         fmt::format("reshape: {} elements do not fill the shape {}", n, to_string(to)),
         {fmt::format("x {} has {} elements", to_string(type_of(x)), n)},
         open >= 0 ? fmt::format("the other sizes multiply to {}", known)
                   : fmt::format("the new shape would need {}", known));
  return to;
}

Array repeated(const Array& x, int axis, std::int64_t times, const Site& site) {
  const Shape& s = shape_of(x);
  std::vector<int> at;
  for (int k = 0; k < rank_of(x); ++k) at.push_back(k <= axis ? k : k + 1);
  const Array wide = ops::broadcast_in_dim(x, composed::with_axis(s, axis + 1, times), at, site);
  return ops::reshape(wide, with_size(s, axis, size_at(x, axis) * times), site);
}

}  // namespace

Array reshape(const Operand& x, const Shape& shape) {
  const Array a = array_of(x);
  const Shape to = deduced(a, shape, x.site());
  return to == shape_of(a) ? a : ops::reshape(a, to, x.site());
}

Array flatten(const Operand& x) { return reshape(x, {-1}); }

Array transpose(const Operand& x, const std::vector<int>& axes) {
  const Array a = array_of(x);
  const int rank = rank_of(a);
  std::vector<int> order;
  if (axes.empty())
    for (int k = rank - 1; k >= 0; --k) order.push_back(k);
  for (int axis : axes) order.push_back(axis_of("transpose", axis, rank, x.site()));
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  if (static_cast<int>(order.size()) != rank ||
      std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    fail("axis",
         x.site(),
         fmt::format(
             "transpose: {} axes are named for an array of {}, each once", order.size(), rank),
         {fmt::format("x {}", to_string(type_of(a)))});
  return sorted == order ? a : ops::transpose(a, order, x.site());
}

Array swapaxes(const Operand& x, int a, int b) {
  const Array array = array_of(x);
  const int rank = rank_of(array);
  std::vector<int> order(static_cast<std::size_t>(rank));
  for (int k = 0; k < rank; ++k) order[static_cast<std::size_t>(k)] = k;
  std::swap(order[static_cast<std::size_t>(axis_of("swapaxes", a, rank, x.site()))],
            order[static_cast<std::size_t>(axis_of("swapaxes", b, rank, x.site()))]);
  return transpose(x, order);
}

Array moveaxis(const Operand& x, int from, int to) {
  const Array a = array_of(x);
  const int rank = rank_of(a);
  return move_axis(a,
                   axis_of("moveaxis", from, rank, x.site()),
                   axis_of("moveaxis", to, rank, x.site()),
                   x.site());
}

Array squeeze(const Operand& x, const Axes& axes) {
  const Array a = array_of(x);
  std::vector<int> gone;
  if (axes.all()) {
    for (int k = 0; k < rank_of(a); ++k)
      if (size_at(a, k) == 1) gone.push_back(k);
  } else {
    gone = axes_of("squeeze", axes, rank_of(a), x.site());
    for (int k : gone)
      if (size_at(a, k) != 1)
        fail("axis",
             x.site(),
             fmt::format("squeeze: axis {} has size {}, not 1", k, size_at(a, k)),
             {fmt::format("x {}", to_string(type_of(a)))});
  }
  return gone.empty() ? a : ops::reshape(a, without_axes(shape_of(a), gone), x.site());
}

Array expand_dims(const Operand& x, const Axes& axes) {
  const Array a = array_of(x);
  if (axes.all()) return a;
  Shape shape = shape_of(a);
  for (int axis :
       axes_of("expand_dims", axes, rank_of(a) + static_cast<int>(axes.list().size()), x.site()))
    shape = composed::with_axis(shape, axis, 1);
  return ops::reshape(a, shape, x.site());
}

Array broadcast_to(const Operand& x, const Shape& shape) {
  return broadcast("broadcast_to", array_of(x), shape, x.site());
}

std::vector<Array> broadcast_arrays(const std::vector<Array>& arrays, Site site) {
  for (const Array& a : arrays) (void)a.shape(site);
  const Shape shape = broadcast_shapes("broadcast_arrays", arrays, site);
  std::vector<Array> out;
  for (const Array& a : arrays) out.push_back(broadcast("broadcast_arrays", a, shape, site));
  return out;
}

Array tile(const Operand& x, const Shape& repeats) {
  SiteScope here(x.site());
  Array a = array_of(x);
  for (std::int64_t n : repeats)
    if (n < 0)
      fail("shape",
           x.site(),
           fmt::format("tile: the repeats {} hold a negative number", to_string(repeats)));
  while (shape_of(a).size() < repeats.size()) a = expand_dims(a, 0);
  const std::size_t rank = shape_of(a).size(), missing = rank - repeats.size();
  Shape wide, out;
  std::vector<int> at;
  for (std::size_t k = 0; k < rank; ++k) {
    const std::int64_t times = k < missing ? 1 : repeats[k - missing];
    wide.push_back(times);
    wide.push_back(shape_of(a)[k]);
    at.push_back(static_cast<int>(2 * k + 1));
    out.push_back(times * shape_of(a)[k]);
  }
  return out == shape_of(a)
             ? a
             : ops::reshape(ops::broadcast_in_dim(a, wide, at, x.site()), out, x.site());
}

Array repeat(const Operand& x, int repeats, MaybeAxis axis) {
  if (repeats < 0)
    fail(
        "shape", x.site(), fmt::format("repeat: each element is to be repeated {} times", repeats));
  const Array a = axis ? array_of(x) : flatten(x);
  return repeated(a, axis ? axis_of("repeat", *axis, rank_of(a), x.site()) : 0, repeats, x.site());
}

Array flip(const Operand& x, const Axes& axes) {
  const Array a = array_of(x);
  const std::vector<int> along = axes_of("flip", axes, rank_of(a), x.site());
  return along.empty() ? a : ops::rev(a, along, x.site());
}

Array roll(const Operand& x, int shift, MaybeAxis axis) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  if (!axis) return reshape(roll(Operand(flatten(x), x.site()), shift, 0), shape_of(a));
  const int k = axis_of("roll", *axis, rank_of(a), x.site());
  const std::int64_t n = size_at(a, k), by = n ? ((shift % n) + n) % n : 0;
  if (by == 0) return a;
  return ops::concatenate(
      ArrayList{slice_axis(a, k, n - by, n, 1, x.site()), slice_axis(a, k, 0, n - by, 1, x.site())},
      k,
      x.site());
}

Array rot90(const Operand& x, int turns, int from, int to) {
  const Array a = array_of(x);
  const int i = axis_of("rot90", from, rank_of(a), x.site()),
            j = axis_of("rot90", to, rank_of(a), x.site());
  if (i == j) fail("axis", x.site(), fmt::format("rot90: the two axes are the same, {}", i));
  switch (((turns % 4) + 4) % 4) {
    case 0:
      return a;
    case 1:
      return ops::rev(swapaxes(Operand(a, x.site()), i, j), {i}, x.site());
    case 2:
      return ops::rev(a, {std::min(i, j), std::max(i, j)}, x.site());
    default:
      return swapaxes(Operand(ops::rev(a, {i}, x.site()), x.site()), i, j);
  }
}

Array Array::reshape(const Shape& shape, Site site) const {
  return fluxion::reshape(Operand(*this, site), shape);
}
Array Array::flatten(Site site) const { return fluxion::flatten(Operand(*this, site)); }
Array Array::T(Site site) const { return fluxion::transpose(Operand(*this, site)); }
Array Array::astype(DType dtype, Site site) const {
  return this->dtype(site) == dtype ? *this : ops::convert(*this, dtype, site);
}

namespace lax {

Array broadcast_in_dim(const Operand& x, const Shape& shape, const std::vector<int>& at) {
  return ops::broadcast_in_dim(array_of(x), shape, at, x.site());
}

Array slice(const Operand& x, const Shape& start, const Shape& stop, const Shape& step) {
  const Array a = array_of(x);
  const Shape& s = shape_of(a);
  if (start.size() != s.size() || stop.size() != s.size() ||
      (!step.empty() && step.size() != s.size()))
    fail("slice",
         x.site(),
         fmt::format("slice: {} starts, {} stops and {} steps are given for {} axes",
                     start.size(),
                     stop.size(),
                     step.size(),
                     s.size()));
  const std::vector<std::int64_t> by = step.empty()
                                           ? std::vector<std::int64_t>(s.size(), 1)
                                           : std::vector<std::int64_t>(step.begin(), step.end());
  return ops::slice(a, {start.begin(), start.end()}, {stop.begin(), stop.end()}, by, x.site());
}

}  // namespace lax
}  // namespace fluxion
