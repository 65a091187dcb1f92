// Arrays from nothing: constants, ranges, grids.
#include "trace/composed/common.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

void check_shape(std::string_view who, const Shape& shape, const Site& site) {
  for (std::int64_t n : shape)
    if (n < 0)
      fail("shape",
           site,
           fmt::format("{}: the shape {} has a negative size", who, to_string(shape)));
}

Array filled(
    std::string_view who, double value, const Shape& shape, DType dtype, const Site& site) {
  check_shape(who, shape, site);
  return broadcast(who, literal(value, dtype, site), shape, site);
}

/// How many steps of a range fit before its end.
std::int64_t range_length(const Scalar& start, const Scalar& stop, const Scalar& step, bool whole) {
  if (!whole)
    return std::max<std::int64_t>(
        0, static_cast<std::int64_t>(std::ceil((stop.real - start.real) / step.real)));
  const std::int64_t distance = stop.integer - start.integer, by = step.integer;
  if (distance == 0 || (distance > 0) != (by > 0)) return 0;
  return distance / by + (distance % by != 0);
}

}  // namespace

Array zeros(const Shape& shape, DType dtype, Site site) {
  return filled("zeros", 0, shape, dtype, site);
}
Array ones(const Shape& shape, DType dtype, Site site) {
  return filled("ones", 1, shape, dtype, site);
}

Array full(const Shape& shape, const Operand& value, MaybeDType dtype) {
  check_shape("full", shape, value.site());
  return broadcast(
      "full", as(value, dtype.value_or(composed::dtype_of(value)), "full"), shape, value.site());
}

Array zeros_like(const Operand& x) { return constant_like(array_of(x), 0, x.site()); }
Array ones_like(const Operand& x) { return constant_like(array_of(x), 1, x.site()); }
Array full_like(const Operand& x, const Operand& value) {
  const Array like = array_of(x);
  return broadcast(
      "full_like", as(value, type_of(like).dtype, "full_like"), shape_of(like), value.site());
}

Array arange(Scalar stop, MaybeDType dtype, Site site) {
  return arange(Scalar(std::int32_t{0}), stop, dtype, site);
}
Array arange(Scalar start, Scalar stop, MaybeDType dtype, Site site) {
  return arange(start, stop, Scalar(std::int32_t{1}), dtype, site);
}

Array arange(Scalar start, Scalar stop, Scalar step, MaybeDType dtype, Site site) {
  SiteScope here(site);
  const DType met = promote(promote(start.dtype, stop.dtype), step.dtype);
  const DType d = dtype.value_or(met);
  const bool whole = is_integer(met);
  if (is_complex(met) || met == bool_)
    fail("dtype",
         site,
         "arange: the bounds are " + to_string(met) + "; it takes integers or floats");
  if (whole ? step.integer == 0 : step.real == 0) fail("arange", site, "arange: the step is 0");
  if (!whole &&
      !(std::isfinite(start.real) && std::isfinite(stop.real) && std::isfinite(step.real)))
    fail("arange",
         site,
         fmt::format(
             "arange: from {} to {} in steps of {} never ends", start.real, stop.real, step.real));
  const std::int64_t n = range_length(start, stop, step, whole);
  // 16-bit floats count in float32, bool has no order
  const Array i = ops::iota({{n}, d == bool_ ? int32 : wide_dtype(d)}, 0, site);
  const DType counting = type_of(i).dtype;
  Array out = i;
  const bool by_one = whole ? step.integer == 1 : step.real == 1,
             from_zero = whole ? start.integer == 0 : start.real == 0;
  if (!by_one) out = out * detail::make_scalar_as(step, counting, site);
  if (!from_zero) out = out + detail::make_scalar_as(start, counting, site);
  return out.astype(d);
}

Array linspace(
    Scalar start, Scalar stop, std::int64_t num, MaybeDType dtype, bool endpoint, Site site) {
  SiteScope here(site);
  if (num < 0) fail("shape", site, fmt::format("linspace: {} numbers are asked for", num));
  const bool wide = start.dtype == float64 || stop.dtype == float64;
  const DType d = dtype.value_or(wide ? float64 : float32),
              computed = d == float64 ? float64 : float32;
  const std::int64_t steps = endpoint ? num - 1 : num;
  if (num == 0) return zeros({0}, d, site);
  const Array i = ops::iota({{num}, computed}, 0, site);
  if (steps == 0) return broadcast("linspace", literal(start.real, d, site), {num}, site);
  // from both ends, so that the last number is `stop` itself
  const Array t = i / static_cast<double>(steps);
  Array out =
      literal(start.real, computed, site) * (1 - t) + literal(stop.real, computed, site) * t;
  return out.astype(d);
}

Array logspace(
    Scalar start, Scalar stop, std::int64_t num, double base, MaybeDType dtype, Site site) {
  SiteScope here(site);
  const Array powers = linspace(start, stop, num, {}, true, site);
  const Array out = power(base, powers);
  return dtype ? out.astype(*dtype) : out;
}

Array eye(std::int64_t n, DType dtype, Site site) { return eye(n, n, 0, dtype, site); }

Array eye(std::int64_t n, std::int64_t m, int k, DType dtype, Site site) {
  SiteScope here(site);
  check_shape("eye", {n, m}, site);
  return (ops::iota({{n, m}, int32}, 0, site) + k == ops::iota({{n, m}, int32}, 1, site))
      .astype(dtype);
}

Array tri(std::int64_t n, std::int64_t m, int k, DType dtype, Site site) {
  SiteScope here(site);
  check_shape("tri", {n, m}, site);
  return (ops::iota({{n, m}, int32}, 0, site) + k >= ops::iota({{n, m}, int32}, 1, site))
      .astype(dtype);
}

std::vector<Array> meshgrid(const std::vector<Array>& vectors, bool cartesian, Site site) {
  Shape shape;
  for (const Array& v : vectors) {
    if (v.ndim(site) != 1)
      fail("meshgrid", site, "meshgrid: it takes vectors, this one is " + to_string(type_of(v)));
    shape.push_back(size_at(v, 0));
  }
  const bool swap = cartesian && vectors.size() > 1;
  if (swap) {
    Shape swapped;
    for (std::size_t k = 0; k < shape.size(); ++k) swapped.push_back(shape[k < 2 ? 1 - k : k]);
    shape = swapped;
  }
  std::vector<Array> out;
  for (std::size_t k = 0; k < vectors.size(); ++k)
    out.push_back(ops::broadcast_in_dim(
        vectors[k], shape, {static_cast<int>(swap && k < 2 ? 1 - k : k)}, site));
  return out;
}

namespace detail {
void check_element_count(std::size_t given, const Shape& shape, Site site) {
  check_shape("from_span", shape, site);
  if (static_cast<std::int64_t>(given) == element_count(shape)) return;
  fail("element-count",
       site,
       fmt::format("from_span: {} numbers do not fill the shape {}, which has {}",
                   given,
                   to_string(shape),
                   element_count(shape)));
}
}  // namespace detail

namespace lax {
Array iota(DType dtype, const Shape& shape, int axis, Site site) {
  check_shape("iota", shape, site);
  return ops::iota(
      {shape, dtype}, axis_of("iota", axis, static_cast<int>(shape.size()), site), site);
}
}  // namespace lax

}  // namespace fluxion
