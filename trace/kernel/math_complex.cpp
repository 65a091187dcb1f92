// Which formula belongs to which complex function, for both types.
#include "trace/kernel/math_complex.hpp"

#include "trace/kernel/math_arc.hpp"

namespace fluxion::kernel {
namespace {

/// f computed in float64.
template <class F> ComplexScalar in_double(const ComplexScalar& z, const F& f) {
  z.re.builder().count_transcendental();
  const DType type = z.re.type();
  const ComplexScalar w = f(ComplexScalar{widened(z.re), widened(z.im)});
  return {convert(w.re, type), convert(w.im, type)};
}
template <class F> Scalar in_double(Scalar x, const F& f) {
  x.builder().count_transcendental();
  return convert(f(widened(x)), x.type());
}

}  // namespace

Scalar complex_abs(ComplexScalar z) {
  const DType type = z.re.type();
  return convert(formulas::complex_abs(ComplexScalar{widened(z.re), widened(z.im)}), type);
}
ComplexScalar complex_square(ComplexScalar z) { return formulas::complex_square(z); }

// clang-format off
ComplexScalar complex_sign(ComplexScalar z) { return in_double(z, formulas::complex_sign<Scalar>); }
ComplexScalar complex_exp(ComplexScalar z) { return in_double(z, formulas::complex_exp<Scalar>); }
ComplexScalar complex_expm1(ComplexScalar z) { return in_double(z, formulas::complex_expm1<Scalar>); }
ComplexScalar complex_log(ComplexScalar z) { return in_double(z, formulas::complex_log<Scalar>); }
ComplexScalar complex_log1p(ComplexScalar z) { return in_double(z, formulas::complex_log1p<Scalar>); }
ComplexScalar complex_sin(ComplexScalar z) { return in_double(z, formulas::complex_sin<Scalar>); }
ComplexScalar complex_cos(ComplexScalar z) { return in_double(z, formulas::complex_cos<Scalar>); }
ComplexScalar complex_tan(ComplexScalar z) { return in_double(z, formulas::complex_tan<Scalar>); }
ComplexScalar complex_sinh(ComplexScalar z) { return in_double(z, formulas::complex_sinh<Scalar>); }
ComplexScalar complex_cosh(ComplexScalar z) { return in_double(z, formulas::complex_cosh<Scalar>); }
ComplexScalar complex_tanh(ComplexScalar z) { return in_double(z, formulas::complex_tanh<Scalar>); }
ComplexScalar complex_asin(ComplexScalar z) { return in_double(z, formulas::complex_asin<Scalar>); }
ComplexScalar complex_acos(ComplexScalar z) { return in_double(z, formulas::complex_acos<Scalar>); }
ComplexScalar complex_atan(ComplexScalar z) { return in_double(z, formulas::complex_atan<Scalar>); }
ComplexScalar complex_asinh(ComplexScalar z) { return in_double(z, formulas::complex_asinh<Scalar>); }
ComplexScalar complex_acosh(ComplexScalar z) { return in_double(z, formulas::complex_acosh<Scalar>); }
ComplexScalar complex_atanh(ComplexScalar z) { return in_double(z, formulas::complex_atanh<Scalar>); }
ComplexScalar complex_sqrt(ComplexScalar z) { return in_double(z, formulas::complex_sqrt<Scalar>); }
ComplexScalar complex_rsqrt(ComplexScalar z) { return in_double(z, formulas::complex_rsqrt<Scalar>); }
ComplexScalar complex_logistic(ComplexScalar z) { return in_double(z, formulas::complex_logistic<Scalar>); }

Scalar sinh(Scalar x) { return in_double(x, formulas::sinh<Scalar>); }
Scalar cosh(Scalar x) { return in_double(x, formulas::cosh<Scalar>); }
Scalar asin(Scalar x) { return in_double(x, formulas::asin<Scalar>); }
Scalar acos(Scalar x) { return in_double(x, formulas::acos<Scalar>); }
Scalar atan(Scalar x) { return in_double(x, formulas::atan<Scalar>); }
Scalar asinh(Scalar x) { return in_double(x, formulas::asinh<Scalar>); }
Scalar acosh(Scalar x) { return in_double(x, formulas::acosh<Scalar>); }
Scalar atanh(Scalar x) { return in_double(x, formulas::atanh<Scalar>); }
// clang-format on

ComplexScalar complex_div(ComplexScalar x, ComplexScalar y) {
  return in_double(x, [&](ComplexScalar z) {
    return formulas::complex_div(z, ComplexScalar{widened(y.re), widened(y.im)});
  });
}
ComplexScalar complex_pow(ComplexScalar x, ComplexScalar y) {
  return in_double(x, [&](ComplexScalar z) {
    return formulas::complex_pow(z, ComplexScalar{widened(y.re), widened(y.im)});
  });
}

}  // namespace fluxion::kernel
