// The formulas of the exponential family: exp, expm1, logistic, tanh.
#pragma once
#include "trace/kernel/math_coefficients.hpp"
#include "trace/kernel/math_verbs.hpp"

namespace fluxion::kernel::formulas {

/// What exp needs to know of a format: from `overflow` on the result is infinite, up to `underflow`
/// zero.
struct SingleExp : Single {
  static constexpr auto& tail = coefficients::exp_single;
  static constexpr double overflow = 89, underflow = -105, log2_e = 0x1.715476p+0;
  static constexpr double minus_one = -20;  // from here down expm1 is -1
  static constexpr auto& tanh = coefficients::tanh_single;
  static constexpr double tanh_one = 10;  // from here on tanh is 1
};
struct DoubleExp : Double {
  static constexpr auto& tail = coefficients::exp_double;
  static constexpr double overflow = 710, underflow = -746, log2_e = 0x1.71547652b82fep+0;
  static constexpr double minus_one = -40;
  static constexpr auto& tanh = coefficients::tanh_double;
  static constexpr double tanh_one = 20;
};

/// NaN stays NaN.
template <class F> F clamped(F x, double low, double high) {
  x = select(x > high, x.like(high), x);
  return select(x < low, x.like(low), x);
}

/// x = n ln(2) + rest, |rest| <= ln(2) / 2; n as an integer modulo 2^(width - fraction bits), and
/// as a float.
template <class F, class I> struct Reduced {
  F rest, n;
  I integer;
};
template <class Format, class F> auto reduced_by_ln2(F x) {
  F shifted = fma(x, x.like(Format::log2_e), x.like(Format::magic));
  F n = shifted - Format::magic;
  F rest = fma(n, x.like(-Format::ln2_high), x);
  rest = fma(n, x.like(-Format::ln2_low), rest);
  return Reduced<F, decltype(bits_of(x))>{rest, n, bits_of(shifted)};
}

/// exp(x) - 1 for a reduced argument.
template <class Format, class F> F expm1_reduced(F r) {
  return fma(r * r, polynomial(r, Format::tail), r);
}

/// value * 2^n, value about 1, rounded once: in two steps, for 2^n itself may be subnormal or too
/// large.
template <class Format, class F, class I> F scaled(F value, I n) {
  I half = n >> n.like(1);
  return value * power_of_two<Format>(half) * power_of_two<Format>(n - half);
}

/// exp(x + low), |low| far below 1.
template <class Format, class F> F exp_of_sum(F x, F low) {
  auto reduced = reduced_by_ln2<Format>(clamped(x, Format::underflow, Format::overflow));
  return scaled<Format>(expm1_reduced<Format>(reduced.rest + low) + 1.0, reduced.integer);
}

template <class Format, class F> F exp(F x) {
  auto reduced = reduced_by_ln2<Format>(clamped(x, Format::underflow, Format::overflow));
  return scaled<Format>(expm1_reduced<Format>(reduced.rest) + 1.0, reduced.integer);
}

/// exp(x) for x <= 0 where a subnormal result may become any number as small.
template <class Format, class F> F exp_of_negative(F x) {
  auto reduced = reduced_by_ln2<Format>(select(x < -80.0, x.like(-80.0), x));
  return (expm1_reduced<Format>(reduced.rest) + 1.0) * power_of_two<Format>(reduced.integer);
}

template <class Format, class F> F expm1(F x) {
  auto reduced = reduced_by_ln2<Format>(clamped(x, Format::minus_one, Format::overflow));
  // 2^n (e^r - 1) + (2^n - 1), with half of 2^n, which is finite for every n.
  F half = power_of_two<Format>(reduced.integer - reduced.integer.like(1));
  F result = fma(half, expm1_reduced<Format>(reduced.rest), half - 0.5);
  return with_sign<Format>(result + result, x);
}

/// 1 / (1 + exp(-x)): with t = exp(-|x|), 1 / (1 + t) or t / (1 + t); the sum keeps its rounding
/// error.
template <class Format, class F> F logistic(F x) {
  F t = exp<Format>(-abs(x));
  auto [sum, error] = exact_sum_ordered(x.like(1), t);
  F inverse = x.like(1) / sum;
  F inverse_low = (fma(-sum, inverse, x.like(1)) - error) * inverse;
  F numerator = select(x < 0.0, t, x.like(1));
  return fma(numerator, inverse, numerator * inverse_low);
}

/// Below 0.55 an odd polynomial; above, 1 - 2 / (exp(2 x) + 1), where errors of the quotient count
/// half.
template <class Format, class F> F tanh(F x) {
  F magnitude = abs(x);
  F square = x * x;
  F small = fma(square * magnitude, polynomial(square, Format::tanh), magnitude);
  F doubled = magnitude + magnitude;
  auto reduced = reduced_by_ln2<Format>(clamped(doubled, 0, 2 * Format::tanh_one));
  F power = power_of_two<Format>(reduced.integer);
  F above = fma(power, expm1_reduced<Format>(reduced.rest), power + 1.0);  // exp(2 x) + 1
  F large = 1.0 - 2.0 / above;
  return with_sign<Format>(select(magnitude < 0.55, small, large), x);
}

}  // namespace fluxion::kernel::formulas
