// The formulas of the logarithm of the gamma function and of its derivative.
#pragma once
#include "trace/kernel/math_log.hpp"

namespace fluxion::kernel::formulas {

inline constexpr double least_positive = 0x1p-1074;

/// sin(pi r) / pi for 0 <= r <= 1/2.
template <class F> F sine_over_pi(F r) {
  F angle = r * 0x1.921fb54442d18p+1;
  F z = angle * angle;
  return fma(r * z, polynomial(z, coefficients::sin_half_pi), r);
}

/// log gamma(x) for x >= 0. From 7 on Stirling's formula; below, steps lead to y in [5/4, 5/2),
/// where lgamma(y) = (y - 2) P(y - 2), and their product counts by its logarithm.
template <class F> F lgamma_of_positive(F x) {
  F y = x, product = x.like(1);
  for (double i : {1, 2, 3, 4, 5}) {
    F below = x - i;
    auto step = x >= i + 1.5;
    product = select(step, product * below, product);
    y = select(step, below, y);
  }
  F t = y - 2.0;
  auto up = x < 1.25, up_twice = x < 0.5;
  t = select(up_twice, x, select(up, x - 1.0, t));
  product = select(up_twice, x * (x + 1.0), select(up, x, product));

  auto far = x >= 7.0;
  F logarithm = formulas::log<Double>(select(far, x, product));
  F near = fma(t, polynomial(t, coefficients::lgamma_near_two), select(up, -logarithm, logarithm));
  F w = 1.0 / (x * x);
  F rest =
      polynomial(w, coefficients::lgamma_tail) / x + 0x1.acfe390c97d69p-2;  // log(2 pi) / 2 - 1/2
  return select(far, fma(x - 0.5, logarithm - 1.0, rest), near);
}

/// log |gamma(x)|; for x < 0 by reflection: gamma(x) gamma(1 - x) = pi / sin(pi x).
template <class F> F lgamma(Double, F x) {
  return unless_large(-x, least_positive, lgamma_of_positive(x), [](F a) {
    F sine = sine_over_pi(abs(a - round_even(a)));
    F value = -formulas::log<Double>(sine) - lgamma_of_positive(a + 1.0);
    return select(
        a >= 0x1p52, a.like(infinity), value);  // a pole, though lgamma(a) may be infinite
  });
}

/// The derivative of log gamma(x) for x >= 0. From 25/4 on its asymptotic series; below, steps lead
/// to y in [1, 9/4], where it is (y - root) P(y), and their reciprocals are summed as one fraction,
/// whose parts carry what rounding took from them.
template <class F> F digamma_of_positive(F x) {
  auto up = x < 1.0;
  F y = select(up, x + 1.0, x);
  F numerator = select(up, x.like(-1), x.like(0)), denominator = select(up, x, x.like(1));
  F lost_above = x.like(0), lost_below = x.like(0);
  for (double i : {1, 2, 3, 4, 5}) {
    F below = x - i;  // exact
    auto step = x >= i + 1.25;
    F product = numerator * below, sum = product + denominator;
    F added = sum - product;
    F lost = fma(lost_above, below, fma(numerator, below, -product)) + lost_below +
             ((product - (sum - added)) + (denominator - added));
    F next = denominator * below;
    lost_below = select(step, fma(lost_below, below, fma(denominator, below, -next)), lost_below);
    lost_above = select(step, lost, lost_above);
    numerator = select(step, sum, numerator);
    denominator = select(step, next, denominator);
    y = select(step, below, y);
  }
  F quotient = numerator / denominator;
  F left = fma(-quotient, denominator, numerator) + fma(-quotient, lost_below, lost_above);
  F rest = select(up, x.like(0), left / denominator);  // of -1 / x: nothing, it may be infinite
  F from_root = (y - 0x1.762d86356be3fp+0) - 0x1.b86a722197829p-54;
  F near = fma(from_root, polynomial(y - 1.625, coefficients::digamma_near_root), quotient) + rest;
  F inverse = 1.0 / x;
  F w = inverse * inverse;
  F less = fma(w, polynomial(w, coefficients::digamma_tail), inverse * 0.5);
  return select(x >= 6.25, formulas::log<Double>(x) - less, near);
}

/// pi / tan(pi r) + more for -1/2 <= r <= 1/2: from the sine and cosine of the angle to the nearer
/// axis, with what rounding takes from their quotient.
template <class F> F pi_over_tangent_plus(F r, F more) {
  constexpr double pi_squared = 9.869604401089358, rest_of_it = 6.265295508739711e-16;
  F magnitude = abs(r);
  auto steep = magnitude <= 0.25;
  F turn = select(steep, magnitude, 0.5 - magnitude);
  F sine = sine_over_pi(turn), half = sine_over_pi(turn * 0.5);
  F cosine = fma(half * (-2 * pi_squared), half, r.like(1));
  F scaled = sine * pi_squared;
  F lost = fma(sine, r.like(pi_squared), -scaled) + sine * rest_of_it;
  F numerator = select(steep, cosine, scaled), denominator = select(steep, sine, cosine);
  F quotient = numerator / denominator;
  F left = fma(-quotient, denominator, numerator) + select(steep, r.like(0), lost);
  left = select(quotient < 0x1p1000, left / denominator, r.like(0));
  return times_sign<Double>(quotient, r) + (times_sign<Double>(left, r) + more);
}

/// For x < 0 by reflection: digamma(x) = digamma(1 - x) - pi / tan(pi x).
template <class F> F digamma(Double, F x) {
  return unless_large(-x, least_positive, digamma_of_positive(x), [](F a) {
    F r = a - round_even(a);
    F value = pi_over_tangent_plus(r, digamma_of_positive(a + 1.0));
    return select(r == 0.0, a.like(not_a_number), value);
  });
}

template <class F> F lgamma(Single, F x) {
  return narrowed(formulas::lgamma(Double{}, widened(x)));
}
template <class F> F digamma(Single, F x) {
  return narrowed(formulas::digamma(Double{}, widened(x)));
}

}  // namespace fluxion::kernel::formulas
