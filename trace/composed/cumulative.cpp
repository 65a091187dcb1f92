// Running reductions along an axis, and differences of neighbours.
#include "trace/ops/cumulative.hpp"

#include "trace/composed/common.hpp"

#include <cmath>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

/// The array in the dtype that it is combined in (16-bit floats: float32), flat if no axis is
/// given, and the axis.
struct Line {
  Array array;
  int axis;
};
Line line_of(std::string_view who, const Operand& x, DType dtype, MaybeAxis axis) {
  const Array wide = as(as(x, dtype, who), wide_dtype(dtype), who);
  if (!axis) return {wide.reshape({-1}), 0};
  return {wide, axis_of(who, *axis, rank_of(wide), x.site())};
}

Array running(std::string_view who,
              ops::Reduction op,
              const Operand& x,
              DType dtype,
              MaybeAxis axis,
              bool reverse) {
  SiteScope here(x.site());
  const Line line = line_of(who, x, dtype, axis);
  return ops::cumulative(op, line.array, line.axis, reverse, x.site()).astype(dtype);
}

}  // namespace

Array cumsum(const Operand& x, MaybeAxis axis, bool reverse) {
  return running("cumsum", ops::Reduction::sum, x, sum_dtype(composed::dtype_of(x)), axis, reverse);
}
Array cumprod(const Operand& x, MaybeAxis axis, bool reverse) {
  return running(
      "cumprod", ops::Reduction::prod, x, sum_dtype(composed::dtype_of(x)), axis, reverse);
}
Array cummax(const Operand& x, MaybeAxis axis, bool reverse) {
  return running("cummax", ops::Reduction::max, x, composed::dtype_of(x), axis, reverse);
}
Array cummin(const Operand& x, MaybeAxis axis, bool reverse) {
  return running("cummin", ops::Reduction::min, x, composed::dtype_of(x), axis, reverse);
}

/// With the running maximum m, the running sum s of exp(x - m) obeys
/// s[i] = exp(m[i-1] - m[i]) s[i-1] + exp(x[i] - m[i]).
Array cumlogsumexp(const Operand& x, MaybeAxis axis, bool reverse) {
  SiteScope here(x.site());
  const DType dtype = real_dtype(composed::dtype_of(x));
  const auto [a, k] = line_of("cumlogsumexp", x, dtype, axis);
  const Array most =
      ops::stop_gradient(ops::cumulative(ops::Reduction::max, a, k, reverse, x.site()), x.site());
  const Array base = where(isfinite(most), most, 0);
  std::vector<ops::Padding> later(shape_of(a).size());
  later[static_cast<std::size_t>(k)] = reverse ? ops::Padding{-1, 1, 0} : ops::Padding{1, -1, 0};
  const Array before =
      ops::pad(most, literal(-INFINITY, type_of(a).dtype, x.site()), later, x.site());
  // Nothing was summed while the maximum was -inf, and nothing matters once it is inf.
  const Array decay = exp(where(isfinite(before), before - base, 0));
  const Array sum = ops::linear_recurrence(decay, exp(a - base), k, reverse, x.site());
  return (log(sum) + base).astype(dtype);
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
