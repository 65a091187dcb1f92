// Running reductions along an axis, by doubling steps.
#include "trace/composed/common.hpp"

#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

using Combine = Array (*)(const Operand&, const Operand&);

/// Hillis and Steele: after the step of 2^k every element holds the combination of the last
/// 2^(k+1).
Array running(const Array& x, int axis, bool reverse, Combine combine, const Site& site) {
  const std::int64_t n = size_at(x, axis);
  Array y = x;
  for (std::int64_t step = 1; step < n; step *= 2) {
    const Array early = slice_axis(y, axis, 0, n - step, 1, site),
                late = slice_axis(y, axis, step, n, 1, site);
    const Array both = combine(early, late);
    y = reverse
            ? ops::concatenate(
                  ArrayList{both, slice_axis(y, axis, n - step, n, 1, site)}, axis, site)
            : ops::concatenate(ArrayList{slice_axis(y, axis, 0, step, 1, site), both}, axis, site);
  }
  return y;
}

Array cumulative(std::string_view who,
                 const Operand& x,
                 DType dtype,
                 MaybeAxis axis,
                 bool reverse,
                 Combine combine) {
  SiteScope here(x.site());
  const Array a = as(x, dtype, who), wide = as(a, wide_dtype(dtype), who);
  const Array line = axis ? wide : wide.reshape({-1});
  const int k = axis ? axis_of(who, *axis, rank_of(line), x.site()) : 0;
  return running(line, k, reverse, combine, x.site()).astype(dtype);
}

}  // namespace

Array cumsum(const Operand& x, MaybeAxis axis, bool reverse) {
  return cumulative("cumsum", x, sum_dtype(composed::dtype_of(x)), axis, reverse, add);
}
Array cumprod(const Operand& x, MaybeAxis axis, bool reverse) {
  return cumulative("cumprod", x, sum_dtype(composed::dtype_of(x)), axis, reverse, multiply);
}
Array cummax(const Operand& x, MaybeAxis axis, bool reverse) {
  return cumulative("cummax", x, composed::dtype_of(x), axis, reverse, maximum);
}
Array cummin(const Operand& x, MaybeAxis axis, bool reverse) {
  return cumulative("cummin", x, composed::dtype_of(x), axis, reverse, minimum);
}
Array cumlogsumexp(const Operand& x, MaybeAxis axis, bool reverse) {
  return cumulative("cumlogsumexp", x, real_dtype(composed::dtype_of(x)), axis, reverse, logaddexp);
}

Array diff(const Operand& x, int n, int axis) {
  SiteScope here(x.site());
  Array a = array_of(x);
  const int k = axis_of("diff", axis, rank_of(a), x.site());
  if (n < 0) fail("diff", x.site(), fmt::format("diff: differences are to be taken {} times", n));
  for (int i = 0; i < n; ++i) {
    const std::int64_t size = size_at(a, k);
    if (size == 0) return a;
    a = slice_axis(a, k, 1, size, 1, x.site()) - slice_axis(a, k, 0, size - 1, 1, x.site());
  }
  return a;
}

}  // namespace fluxion
