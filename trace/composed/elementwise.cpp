// Functions of one operand: primitives by name, and those composed of them with care for accuracy
// and range.
#include "trace/composed/common.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace fluxion {
namespace {

using namespace composed;

Array of_real(std::string_view row, const Operand& x) {
  return ops::unary(row, real(x, row), x.site());
}

/// f of the operand as floats; 16-bit ones are computed in float32 and rounded once.
template <class F> Array in_wide(std::string_view who, const Operand& x, const F& f) {
  SiteScope here(x.site());
  const Array a = real(x, who);
  const DType d = type_of(a).dtype;
  return f(a.astype(wide_dtype(d))).astype(d);
}

/// Rounding: integers and bools stay.
Array rounded(std::string_view row, const Operand& x) {
  const Array a = array_of(x);
  return is_floating(type_of(a).dtype) || is_complex(type_of(a).dtype)
             ? ops::unary(row, a, x.site())
             : a;
}

/// The largest finite number.
double largest(DType d) {
  switch (d) {
    case float16:
      return 65504;
    case bfloat16:
      return 0x1.fep127;
    case float32:
      return std::numeric_limits<float>::max();
    default:
      return std::numeric_limits<double>::max();
  }
}

/// |x| whose derivative at 0 is 1: for odd functions, f(x) = mirrored(x, f(magnitude(x))).
Array magnitude(const Array& x) { return where(x < 0, -x, x); }
Array mirrored(const Array& x, const Array& y) { return where(x < 0, -y, y); }

}  // namespace

Array abs(const Operand& x) {
  const Array a = array_of(x);
  const DType d = type_of(a).dtype;
  return d == bool_ || is_unsigned(d) ? a : ops::unary("abs", a, x.site());
}

Array negative(const Operand& x) {
  return ops::unary("neg", as(x, arithmetic_dtype(composed::dtype_of(x)), "negative"), x.site());
}
Array positive(const Operand& x) { return array_of(x); }
Array sign(const Operand& x) {
  const Array a = array_of(x);
  return type_of(a).dtype == bool_ ? a : ops::unary("sign", a, x.site());
}

Array signbit(const Operand& x) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  switch (type_of(a).dtype) {
    case float16:
    case bfloat16:
      return lax::bitcast_convert_type(a, int16) < 0;
    case float32:
      return lax::bitcast_convert_type(a, int32) < 0;
    case float64:
      return lax::bitcast_convert_type(a, int64) < 0;
    default:
      return a < 0;
  }
}

Array square(const Operand& x) {
  const Array a = as(x, arithmetic_dtype(composed::dtype_of(x)), "square");
  if (is_complex(type_of(a).dtype)) return ops::unary("square", a, x.site());
  return ops::binary("mul", a, a, x.site());
}

Array reciprocal(const Operand& x) {
  const Array a = real(x, "reciprocal");
  return ops::binary("div", constant_like(a, 1, x.site()), a, x.site());
}

Array floor(const Operand& x) { return rounded("floor", x); }
Array ceil(const Operand& x) { return rounded("ceil", x); }
Array round(const Operand& x) { return rounded("round_even", x); }
Array trunc(const Operand& x) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  return is_floating(type_of(a).dtype) ? where(a < 0, ceil(a), floor(a)) : a;
}

Array exp(const Operand& x) { return of_real("exp", x); }
Array expm1(const Operand& x) { return of_real("expm1", x); }
Array log(const Operand& x) { return of_real("log", x); }
Array log1p(const Operand& x) { return of_real("log1p", x); }
Array sqrt(const Operand& x) { return of_real("sqrt", x); }
Array rsqrt(const Operand& x) { return of_real("rsqrt", x); }
Array sin(const Operand& x) { return of_real("sin", x); }
Array cos(const Operand& x) { return of_real("cos", x); }
Array tan(const Operand& x) { return of_real("tan", x); }
Array tanh(const Operand& x) { return of_real("tanh", x); }
Array erf(const Operand& x) { return of_real("erf", x); }
Array erf_inv(const Operand& x) { return of_real("erf_inv", x); }
Array erfc(const Operand& x) { return of_real("erfc", x); }
Array sigmoid(const Operand& x) { return of_real("logistic", x); }

// pow keeps the digits that exp(x log 2) would lose for large x.
Array exp2(const Operand& x) {
  const Array a = real(x, "exp2");
  return ops::binary("pow", constant_like(a, 2, x.site()), a, x.site());
}

Array log2(const Operand& x) {
  return in_wide("log2", x, [](const Array& a) { return log(a) / std::numbers::ln2; });
}

Array log10(const Operand& x) {
  return in_wide("log10", x, [](const Array& a) { return log(a) / std::numbers::ln10; });
}

// pow(|x|, 1/3) is off by the rounding of 1/3; one step of Newton's method puts that right.
Array cbrt(const Operand& x) {
  return in_wide("cbrt", x, [](const Array& a) {
    const Array t = magnitude(a), y = power(t, 1.0 / 3.0);
    const Array step = (y * y * y - t) / (3 * y * y);
    return mirrored(a, y - stop_gradient(where(isfinite(step), step, 0)));
  });
}

Array asin(const Operand& x) { return of_real("asin", x); }
Array acos(const Operand& x) { return of_real("acos", x); }
Array atan(const Operand& x) { return of_real("atan", x); }
Array sinh(const Operand& x) { return of_real("sinh", x); }
Array cosh(const Operand& x) { return of_real("cosh", x); }
Array asinh(const Operand& x) { return of_real("asinh", x); }
Array acosh(const Operand& x) { return of_real("acosh", x); }
Array atanh(const Operand& x) { return of_real("atanh", x); }

// Near 0 by its series, which has the right derivatives there.
Array sinc(const Operand& x) {
  SiteScope here(x.site());
  const Array y = real(x, "sinc") * std::numbers::pi, near = abs(y) < 0.1;
  const Array small = where(near, y, 0), s = small * small, safe = where(near, 1, y);
  const Array series = 1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72)));
  return where(near, series, sin(safe) / safe);
}

Array radians(const Operand& x) {
  SiteScope here(x.site());
  return real(x, "radians") * (std::numbers::pi / 180);
}

Array degrees(const Operand& x) {
  SiteScope here(x.site());
  return real(x, "degrees") * (180 / std::numbers::pi);
}

Array logit(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "logit");
  return log(a / (1 - a));
}

Array nan_to_num(const Operand& x, double nan) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  if (!is_floating(type_of(a).dtype)) return a;
  const double most = largest(type_of(a).dtype);
  return where(isnan(a), nan, clip(a, -most, most));
}

Array stop_gradient(const Operand& x) { return ops::stop_gradient(array_of(x), x.site()); }
Array name(const Operand& x, std::string_view name) {
  return ops::name(array_of(x), name, x.site());
}

namespace lax {

Array bitcast_convert_type(const Operand& x, DType to) {
  const Array a = array_of(x);
  if (size_of(type_of(a).dtype) != size_of(to))
    fail("bitcast",
         x.site(),
         "bitcast_convert_type: " + fluxion::to_string(type_of(a).dtype) + " and " +
             fluxion::to_string(to) + " differ in width");
  return ops::bitcast(a, to, x.site());
}

Array population_count(const Operand& x) {
  return ops::unary("population_count", array_of(x), x.site());
}
Array clz(const Operand& x) { return ops::unary("clz", array_of(x), x.site()); }

}  // namespace lax
}  // namespace fluxion
