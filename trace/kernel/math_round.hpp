// The formulas of rounding, remainders and the reciprocal square root.
#pragma once
#include "trace/kernel/math_verbs.hpp"

namespace fluxion::kernel::formulas {

template <class F> F rsqrt(F x) { return x.like(1) / sqrt(x); }

/// Adding the number before 1/2 and truncating: an exact half is rounded up by the addition,
/// nothing less is.
template <class F> F round_away(Single, F x) {
  return truncate(x + with_sign<Single>(x.like(0x1.fffffep-2), x));
}
template <class F> F round_away(Double, F x) {
  return truncate(x + with_sign<Double>(x.like(0x1.fffffffffffffp-2), x));
}

/// One step of long division: r modulo y for 0 <= r < 2^53 y. The quotient may be rounded up to the
/// next integer.
template <class F> F division_step(F r, F y) {
  F quotient = truncate(r / y);
  F rest = fma(-quotient, y, r);  // exact
  return select(rest < 0.0, rest + y, rest);
}

/// C's fmod, in float64, where every quotient of float32 numbers below 2^278 is taken in six steps
/// of 48 bits.
template <class F> F remainder(Single, F x, F y) {
  auto r = widened(abs(x)), divisor = widened(abs(y));
  for (double scale : {0x1p240, 0x1p192, 0x1p144, 0x1p96, 0x1p48, 1.0}) {
    r = division_step(r, divisor * scale);
  }
  F value = times_sign<Single>(narrowed(r), x);
  return select((abs(x) < infinity) & (abs(y) == infinity), x, value);
}

/// A positive finite float64 as mantissa * 2^exponent, 1 <= mantissa < 2.
template <class F> auto mantissa_and_exponent(F x) {
  auto subnormal = x < Double::smallest_normal;
  auto bits = bits_of(select(subnormal, x * Double::to_normal, x));
  auto exponent = (bits >> bits.like(Double::fraction)) - 1023;
  F mantissa = float_of(bits - (exponent << bits.like(Double::fraction)));
  auto lower = exponent - Double::to_normal_exponent;
  return std::pair(mantissa, select(subnormal, lower, exponent));
}

/// C's fmod by long division of the mantissas, 52 bits of the quotient at a time.
template <class F> F remainder(Double, F x, F y) {
  F a = abs(x), b = abs(y);
  auto [m, m_exponent] = mantissa_and_exponent(a);
  auto [n, n_exponent] = mantissa_and_exponent(b);
  auto step = [&n = n](F r, auto left) {
    auto bits = select(left < 52.0, left, left.like(52));
    return std::pair(division_step(r * power_of_two<Double>(bits), n), left - bits);
  };
  auto [r, none] = while_positive(division_step(m, n), m_exponent - n_exponent, step);
  auto half = n_exponent >> n_exponent.like(1);
  F value = r * power_of_two<Double>(half) * power_of_two<Double>(n_exponent - half);
  value = times_sign<Double>(select(a < b, a, value), x);
  // Zero and infinite numbers have no mantissa.
  auto invalid = (b == 0.0) | (a == infinity) | (x != x) | (y != y);
  return select(invalid, x.like(not_a_number), value);
}

}  // namespace fluxion::kernel::formulas
