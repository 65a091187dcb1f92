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
/// to y in [1, 9/4], where it is (y - root) P(y), and their reciprocals are summed as one fraction.
template <class F> F digamma_of_positive(F x) {
  auto up = x < 1.0;
  F y = select(up, x + 1.0, x);
  F numerator = select(up, x.like(-1), x.like(0)), denominator = select(up, x, x.like(1));
  for (double i : {1, 2, 3, 4, 5}) {
    F below = x - i;
    auto step = x >= i + 1.25;
    numerator = select(step, fma(numerator, below, denominator), numerator);
    denominator = select(step, denominator * below, denominator);
    y = select(step, below, y);
  }
  F from_root = (y - 0x1.762d86356be3fp+0) - 0x1.b86a722197829p-54;
  F near = fma(
      from_root, polynomial(y - 1.625, coefficients::digamma_near_root), numerator / denominator);
  F inverse = 1.0 / x;
  F w = inverse * inverse;
  F less = fma(w, polynomial(w, coefficients::digamma_tail), inverse * 0.5);
  return select(x >= 6.25, formulas::log<Double>(x) - less, near);
}

/// For x < 0 by reflection: digamma(x) = digamma(1 - x) - pi / tan(pi x).
template <class F> F digamma(Double, F x) {
  return unless_large(-x, least_positive, digamma_of_positive(x), [](F a) {
    F r = a - round_even(a), magnitude = abs(r);
    F over_pi = times_sign<Double>(sine_over_pi(0.5 - magnitude) / sine_over_pi(magnitude), r);
    F value = fma(over_pi, a.like(0x1.921fb54442d18p+1), digamma_of_positive(a + 1.0));
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
