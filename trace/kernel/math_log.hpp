// The formulas of logarithms and powers: log, log1p, pow.
#pragma once
#include "trace/kernel/math_exp.hpp"

namespace fluxion::kernel::formulas {

/// log(1 + f) + k ln(2), 1 + f from sqrt(1/2) to sqrt(2).
template <class F> F log_of_parts(Single, F f, F k) {
  F value = fma(f * f, polynomial(f, coefficients::log_single), f);
  value = fma(k, f.like(Single::ln2_low), value);
  return fma(k, f.like(Single::ln2_high), value);
}
/// With s = f / (2 + f): log(1 + f) = 2 atanh(s) = f - f^2 / 2 + s (f^2 / 2 + 2 atanh(s) / s - 2),
/// as in FreeBSD's e_log.c.
template <class F> F log_of_parts(Double, F f, F k) {
  F s = f / (f + 2.0);
  F z = s * s;
  F half_square = f * f * 0.5;
  F odd = fma(z, polynomial(z, coefficients::log_double), half_square);
  F less = fma(-s, odd, half_square);
  less = fma(-k, f.like(Double::ln2_low), less);
  return fma(k, f.like(Double::ln2_high), f - less);
}

/// How often the mantissa has been halved to bring a positive normal x between sqrt(1/2) and
/// sqrt(2).
template <class Format, class F> auto halvings(F x) {
  auto bits = bits_of(x) - Format::root_half;
  return bits >> bits.like(Format::fraction);
}

/// Gives log's values where x is not a positive finite number.
template <class F> F log_or_special(F x, F zero_at, F value) {
  value = select(x < x.like(infinity), value, x);
  value = select(x == zero_at, x.like(-infinity), value);
  return select(x < zero_at, x.like(not_a_number), value);
}

template <class Format, class F> F log(F x) {
  auto subnormal = x < Format::smallest_normal;
  F normal = select(subnormal, x * Format::to_normal, x);
  auto n = halvings<Format>(normal);
  F mantissa = float_of(bits_of(normal) - (n << n.like(Format::fraction)));
  F k = float_from<Format>(n);
  k = select(subnormal, k - Format::to_normal_exponent, k);
  return log_or_special(x, x.like(0), log_of_parts(Format{}, mantissa - 1.0, k));
}

/// 1 + x is 2^n (1 + f) with f = 2^-n x + (2^-n - 1), whose one rounding does not count: for n = 0
/// there is none, otherwise n ln(2) is larger (as in N. Juffa's log1pf).
template <class Format, class F> F log1p(F x) {
  auto n = halvings<Format>(x + 1.0);
  auto exponent = n << n.like(Format::fraction);
  F scaled_x = float_of(bits_of(x) - exponent);
  // 4 * 2^-n: 2^-n itself is subnormal for the largest x.
  F scaled_four = float_of(bits_of(x.like(4)) - exponent);
  F f = scaled_x + fma(scaled_four, x.like(0.25), x.like(-1));
  F value = log_or_special(x, x.like(-1), log_of_parts(Format{}, f, float_from<Format>(n)));
  return select(x == 0.0, x, value);
}

/// C's rules for x^y, given z = |x|^y: signs, and the cases that are no power.
template <class Format, class F> F pow_or_special(F x, F y, F z) {
  F half = y * 0.5;
  auto whole = truncate(y) == y;
  auto odd = whole & (truncate(half) != half);
  z = select(odd, times_sign<Format>(z, x), z);
  auto invalid = (x < 0.0) & (x > x.like(-infinity)) & ~whole;
  z = select(invalid, x.like(not_a_number), z);
  z = select((x != x) | (y != y), x + y, z);
  return select((x == 1.0) | (y == 0.0), x.like(1), z);
}

/// 2^(y log2|x|) in float64, where one rounding of each step does not count.
template <class F> F pow(Single, F x, F y) {
  auto a = widened(abs(x));
  auto n = halvings<Double>(a);
  auto f = float_of(bits_of(a) - (n << n.like(Double::fraction))) - 1.0;
  auto log2 = fma(f, polynomial(f, coefficients::log2_wide), float_from<Double>(n));
  log2 = select(a == 0.0, a.like(-infinity), log2);
  log2 = select(a < a.like(infinity), log2, a);
  // log2(1) * infinity is no number, but 1 to every power is 1.
  auto product = select(a == 1.0, a.like(0), log2 * widened(y));
  product = clamped(product, -200, 200);
  auto shifted = product + Double::magic;
  auto fraction = product - (shifted - Double::magic);
  auto power =
      polynomial(fraction, coefficients::exp2_wide) * power_of_two<Double>(bits_of(shifted));
  return pow_or_special<Single>(x, y, narrowed(power));
}

/// log(a) for a > 0 to about 2^-64, relative: 2 atanh(q) with q = (m - 1) / (m + 1) and its first
/// two terms as unevaluated sums (as in N. Juffa's extended-precision logarithm).
template <class F> Pair<F> log_pair(F a) {
  auto subnormal = a < Double::smallest_normal;
  F normal = select(subnormal, a * Double::to_normal, a);
  auto n = halvings<Double>(normal);
  F m = float_of(bits_of(normal) - (n << n.like(Double::fraction)));
  F k = float_from<Double>(n);
  k = select(subnormal, k - Double::to_normal_exponent, k);

  F above = m + 1.0, f = m - 1.0;  // f is exact
  F above_low = m - (above - 1.0);
  F q = f / above;
  F q_low = fma(-q, above_low, fma(-q, above, f)) / above;
  auto [s, s_low] = exact_product(q, q);
  s_low = fma(q, q_low + q_low, s_low);
  // 1/3 + s / 5 + ...
  F rest = fma(s, polynomial(s, coefficients::atanh_tail), a.like(0x1.5555555555555p-56));
  auto [c, c_low] = exact_sum_ordered(a.like(0x1.5555555555555p-2), rest);
  auto [p, p_low] = exact_product(s, q);  // q^3
  p_low = fma(s, q_low, fma(s_low, q, p_low));
  auto [t, t_low] = exact_product(p, c);
  t_low = fma(p, c_low, fma(p_low, c, t_low));
  auto [u, u_low] = exact_sum_ordered(q, t);
  u_low = u_low + (t_low + q_low);
  // k ln(2) + 2 u
  F exponent = k * Double::ln2_high;  // exact
  auto [v, v_low] = exact_sum_ordered(exponent, u + u);
  v_low = v_low + fma(k, a.like(Double::ln2_low), u_low + u_low);
  return exact_sum_ordered(v, v_low);
}

/// exp(y log|x|) with the logarithm and the product as unevaluated sums.
template <class F> F pow(Double, F x, F y) {
  F a = abs(x);
  auto log = log_pair(a);
  F high = y * log.high;
  F low = fma(y, log.low, fma(y, log.high, -high));
  F of_zero_or_infinity = y * select(a == 0.0, a.like(-infinity), a);
  high = select((a == 0.0) | (a == infinity), of_zero_or_infinity, high);
  high = select(a == 1.0, a.like(0), high);
  F bounded = clamped(high, DoubleExp::underflow, DoubleExp::overflow);
  low = select((bounded == high) & (a != 1.0), low, a.like(0));
  return pow_or_special<Double>(x, y, exp_of_sum<DoubleExp>(bounded, low));
}

}  // namespace fluxion::kernel::formulas
