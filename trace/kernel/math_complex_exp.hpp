// The formulas of exponential, trigonometric and hyperbolic functions of complex float64.
#pragma once
#include "trace/kernel/complex.hpp"
#include "trace/kernel/math_hyperbolic.hpp"

namespace fluxion::kernel::formulas {

template <class F> auto is_finite(F x) { return abs(x) < x.like(infinity); }

template <class F> Complex<F> complex_exp(Complex<F> z) {
  auto [tail, n] = exp_parts(clamped(z.re, -exp_bound, exp_bound));
  F s = sin<Double>(z.im), c = cos<Double>(z.im);
  F re = scaled_product(tail, pair_of(c), n), im = scaled_product(tail, pair_of(s), n);
  auto endless = (abs(z.re) == infinity) & ~is_finite(z.im);
  F zero = z.re.like(0);
  re = select(endless, select(z.re > 0.0, z.re, zero), re);
  im = select(endless & (z.re < 0.0), zero, im);
  return {re, select(z.im == 0.0, z.im, im)};
}

/// exp(x) cos(y) - 1 = expm1(x) cos(y) + (cos(y) - 1), which cancels where exp(x) cos(y) is near 1.
template <class F> Complex<F> complex_expm1(Complex<F> z) {
  auto far = z.re > hyperbolic_far;
  F x = clamped(z.re, -100, hyperbolic_far);
  auto [tail, n] = exponential(x);
  F power = power_of_two<Double>(n);
  Pair<F> above = sum(scaled_pair(tail, power), power - 1.0);
  above = select_pair(abs(x) < 0x1p-60, pair_of(x), above);
  auto [sine, cosine, less] = circle(z.im);
  Pair<F> near = sum(product(above, cosine), less);
  Complex<F> whole = complex_exp(z);
  F re = select(far, whole.re, near.high);
  re = select(z.re == -infinity, z.re.like(-1), re);
  return {select((z.im == 0.0) & (z.re == 0.0), z.re, re), whole.im};
}

template <class F> Complex<F> complex_sinh(Complex<F> z) {
  auto h = hyperbola(z.re);
  auto [sine, cosine, less] = circle(z.im);
  F re = scaled_product(h.sine, cosine, h.exponent);
  F im = scaled_product(h.cosine, sine, h.exponent);
  re = times_sign<Double>(re, z.re);
  auto endless = (h.magnitude == infinity) & ~is_finite(z.im);
  re = select(endless | ((z.re == 0.0) & ~is_finite(z.im)), z.re, re);
  return {re, select(z.im == 0.0, z.im, im)};
}

template <class F> Complex<F> complex_cosh(Complex<F> z) {
  auto h = hyperbola(z.re);
  auto [sine, cosine, less] = circle(z.im);
  F re = scaled_product(h.cosine, cosine, h.exponent);
  F im = times_sign<Double>(scaled_product(h.sine, sine, h.exponent), z.re);
  auto endless = (h.magnitude == infinity) & ~is_finite(z.im);
  re = select(endless, h.magnitude, re);
  // 0 where one part is, even if the other one is not finite
  F zero = with_sign<Double>(z.re.like(0), times_sign<Double>(z.re, z.im));
  return {re, select((z.im == 0.0) | ((z.re == 0.0) & ~is_finite(z.im)), zero, im)};
}

/// (sinh x cosh x + i sin y cos y) / (sinh(x)^2 + cos(y)^2); far out 1 + 4 i sin y cos y exp(-2 x).
template <class F> Complex<F> complex_tanh(Complex<F> z) {
  auto h = hyperbola(z.re);
  auto [sine, cosine, less] = circle(z.im);
  Pair<F> turned = product(sine, cosine);
  auto far = h.magnitude >= hyperbolic_far;
  Pair<F> below = sum(product(h.sine, h.sine), product(cosine, cosine));
  F re = quotient(product(h.sine, h.cosine), below).high;
  F im = quotient(turned, below).high;
  auto [tail, n] = exponential(clamped(h.magnitude * -2.0, -exp_bound, 0));
  F im_far = scaled_product(sum(tail, re.like(1)), turned, n + n.like(2));
  im_far = select(h.magnitude == infinity, re.like(0), im_far);
  auto known = is_finite(z.im) | (h.magnitude == infinity);
  re = select(known, select(far, re.like(1), re), re.like(not_a_number));
  im = select(far, im_far, im);
  im = with_sign<Double>(abs(im), select(far & ~is_finite(z.im), z.im, turned.high));
  re = select(z.re == 0.0, z.re, times_sign<Double>(re, z.re));
  return {re, select(z.im == 0.0, z.im, im)};
}

// By sinh, cosh and tanh of y + i x.
template <class F> Complex<F> complex_sin(Complex<F> z) {
  Complex<F> w = complex_sinh(Complex<F>{z.im, z.re});
  return {w.im, w.re};
}
template <class F> Complex<F> complex_cos(Complex<F> z) {
  Complex<F> w = complex_cosh(Complex<F>{z.im, z.re});
  return {w.re, -w.im};
}
template <class F> Complex<F> complex_tan(Complex<F> z) {
  Complex<F> w = complex_tanh(Complex<F>{z.im, z.re});
  return {w.im, w.re};
}

/// With q = exp(-|x|) and the half angle, so that nothing cancels near the poles.
template <class F> Complex<F> complex_logistic(Complex<F> z) {
  F minus = -abs(z.re);
  F q = exp<DoubleExp>(minus), other = -expm1<DoubleExp>(minus);
  F half = z.im * 0.5;
  F c = cos<Double>(half), s = sin<Double>(half), both = c * s;
  F with = (q + 1.0) * c, without = other * s;
  F below = fma(with, with, without * without);
  auto right = z.re >= 0.0;
  F above = select(right, fma(with, c, without * s), fma(with, c, -without * s) * q);
  return {above / below, (q * both + q * both) / below};
}

}  // namespace fluxion::kernel::formulas
