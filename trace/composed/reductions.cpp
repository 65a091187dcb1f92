// Reductions along axes, and what is made of them.
#include "fluxion/complex.hpp"
#include "trace/composed/common.hpp"

#include <cmath>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

Shape with_ones(const Shape& s, const std::vector<int>& axes) {
  Shape out = s;
  for (int axis : axes) out = with_size(out, axis, 1);
  return out;
}

std::int64_t count_along(const Array& x, const std::vector<int>& axes) {
  std::int64_t n = 1;
  for (int axis : axes) n *= size_at(x, axis);
  return n;
}

/// The reduction; kept axes have size 1.
Array reduced(ops::Reduction op,
              const Array& x,
              const std::vector<int>& axes,
              bool keepdims,
              const Site& site) {
  const Array y = axes.empty() ? x : ops::reduce(op, x, axes, site);
  return keepdims && !axes.empty() ? ops::reshape(y, with_ones(shape_of(x), axes), site) : y;
}

Array accumulated(
    std::string_view who, ops::Reduction op, const Operand& x, const Axes& axes, bool keepdims) {
  const Array a = as(x, sum_dtype(composed::dtype_of(x)), who);
  return reduced(op, a, axes_of(who, axes, rank_of(a), x.site()), keepdims, x.site());
}

Array extreme(
    std::string_view who, ops::Reduction op, const Operand& x, const Axes& axes, bool keepdims) {
  const Array a = array_of(x);
  const std::vector<int> along = axes_of(who, axes, rank_of(a), x.site());
  const std::int64_t results = element_count(without_axes(shape_of(a), along));
  if (count_along(a, along) == 0 && results > 0)
    fail("empty-reduction",
         x.site(),
         fmt::format("{}: {} of no elements", who, who == "max" ? "the largest" : "the smallest"),
         {fmt::format("x {}", to_string(type_of(a)))},
         "an empty maximum has no value: check the size first");
  if (type_of(a).dtype == bool_)
    op = op == ops::Reduction::max ? ops::Reduction::any : ops::Reduction::all;
  return reduced(op, a, along, keepdims, x.site());
}

Array truth_reduced(
    std::string_view who, ops::Reduction op, const Operand& x, const Axes& axes, bool keepdims) {
  const Array a = array_of(x);
  const std::vector<int> along = axes_of(who, axes, rank_of(a), x.site());
  const Array b =
      type_of(a).dtype == bool_
          ? a
          : ops::compare(ops::Direction::ne, a, constant_like(a, 0, x.site()), x.site());
  return reduced(op, b, along, keepdims, x.site());
}

Array position(
    std::string_view who, bool largest, const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  Array a = array_of(x);
  const int rank = rank_of(a);
  const std::vector<int> along = axes_of(who, axes, rank, x.site());
  if (!axes.all() && along.size() != 1)
    fail("axis",
         x.site(),
         fmt::format("{}: it works along one axis or over all elements, {} axes were named",
                     who,
                     along.size()));
  if (count_along(a, along) == 0 && element_count(without_axes(shape_of(a), along)) > 0)
    fail("empty-reduction",
         x.site(),
         fmt::format("{}: a position among no elements", who),
         {fmt::format("x {}", to_string(type_of(a)))},
         "check the size first");
  if (type_of(a).dtype == bool_) a = a.astype(uint8);
  if (!axes.all()) {
    const Array y = ops::argreduce(largest, a, along[0], int32, x.site());
    return keepdims ? ops::reshape(y, with_ones(shape_of(a), along), x.site()) : y;
  }
  const Shape kept = with_ones(shape_of(a), along);
  const Array flat = a.reshape({-1});
  const Array y = ops::argreduce(
      largest, flat, 0, element_count(shape_of(a)) > INT32_MAX ? int64 : int32, x.site());
  return keepdims ? y.reshape(kept) : y;
}

/// x as floats wide enough for sums of squares, with the dtype that the result shall have.
struct Widened {
  Array x;
  DType result;
  std::vector<int> along;
};
Widened widened(std::string_view who, const Operand& x, const Axes& axes) {
  const DType d = real_dtype(composed::dtype_of(x));
  const Array a = as(x, wide_dtype(d), who);
  return {a, d, axes_of(who, axes, rank_of(a), x.site())};
}

}  // namespace

Array sum(const Operand& x, const Axes& axes, bool keepdims) {
  return accumulated("sum", ops::Reduction::sum, x, axes, keepdims);
}
Array prod(const Operand& x, const Axes& axes, bool keepdims) {
  return accumulated("prod", ops::Reduction::prod, x, axes, keepdims);
}
Array max(const Operand& x, const Axes& axes, bool keepdims) {
  return extreme("max", ops::Reduction::max, x, axes, keepdims);
}
Array min(const Operand& x, const Axes& axes, bool keepdims) {
  return extreme("min", ops::Reduction::min, x, axes, keepdims);
}
Array any(const Operand& x, const Axes& axes, bool keepdims) {
  return truth_reduced("any", ops::Reduction::any, x, axes, keepdims);
}
Array All::operator()(const Operand& x, const Axes& axes, bool keepdims) const {
  return truth_reduced("all", ops::Reduction::all, x, axes, keepdims);
}
Array argmax(const Operand& x, const Axes& axis, bool keepdims) {
  return position("argmax", true, x, axis, keepdims);
}
Array argmin(const Operand& x, const Axes& axis, bool keepdims) {
  return position("argmin", false, x, axis, keepdims);
}

Array mean(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Widened w = widened("mean", x, axes);
  return (reduced(ops::Reduction::sum, w.x, w.along, keepdims, x.site()) /
          static_cast<double>(count_along(w.x, w.along)))
      .astype(w.result);
}

Array var(const Operand& x, const Axes& axes, bool keepdims, int ddof) {
  SiteScope here(x.site());
  const Widened w = widened("var", x, axes);
  const auto n = static_cast<double>(count_along(w.x, w.along));
  const Array middle = reduced(ops::Reduction::sum, w.x, w.along, true, x.site()) / n;
  const Array off = w.x - middle;
  const bool pairs = is_complex(w.result);  // the variance of complex numbers is real
  const Array distances = pairs ? square(real(off)) + square(imag(off)) : square(off);
  const Array squares = reduced(ops::Reduction::sum, distances, w.along, keepdims, x.site());
  const Array mean = squares / std::max(0.0, n - ddof);
  return pairs ? mean : mean.astype(w.result);
}

Array std(const Operand& x, const Axes& axes, bool keepdims, int ddof) {
  SiteScope here(x.site());
  return sqrt(var(x, axes, keepdims, ddof));
}

Array logsumexp(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Widened w = widened("logsumexp", x, axes);
  if (count_along(w.x, w.along) == 0)
    return full(keepdims ? with_ones(shape_of(w.x), w.along) : without_axes(shape_of(w.x), w.along),
                -INFINITY,
                w.result);
  const Array most = stop_gradient(reduced(ops::Reduction::max, w.x, w.along, true, x.site()));
  const Array shift = where(isfinite(most), most, 0);
  const Array total = reduced(ops::Reduction::sum, exp(w.x - shift), w.along, keepdims, x.site());
  return (log(total) + shift.reshape(shape_of(total))).astype(w.result);
}

Array count_nonzero(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  return sum((array_of(x) != 0).astype(int32), axes, keepdims);
}

Array ptp(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  return max(a, axes, keepdims) - min(a, axes, keepdims);
}

Array average(const Operand& x, const Operand& weights, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Pair p = meet("average", x, weights, real_dtype(common_dtype({&x, &weights})));
  return sum(p.x * p.y, axes, keepdims) / sum(p.y, axes, keepdims);
}

Array nansum(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  return sum(where(isnan(a), 0, a), axes, keepdims);
}

Array nanmean(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Widened w = widened("nanmean", x, axes);
  const Array there = !isnan(w.x);
  const Array count = sum(there.astype(type_of(w.x).dtype), axes, keepdims);
  return (sum(where(there, w.x, 0), axes, keepdims) / count).astype(w.result);
}

Array nanmax(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  if (!is_floating(type_of(a).dtype)) return max(a, axes, keepdims);
  return where(
      all(isnan(a), axes, keepdims), NAN, max(where(isnan(a), -INFINITY, a), axes, keepdims));
}

Array nanmin(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  if (!is_floating(type_of(a).dtype)) return min(a, axes, keepdims);
  return where(
      all(isnan(a), axes, keepdims), NAN, min(where(isnan(a), INFINITY, a), axes, keepdims));
}

namespace linalg {
Array norm(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Widened w = widened("norm", x, axes);
  return sqrt(reduced(ops::Reduction::sum, square(w.x), w.along, keepdims, x.site()))
      .astype(w.result);
}
}  // namespace linalg

}  // namespace fluxion
