// The formulas of the trigonometric functions, whose arguments are reduced exactly however large
// they are.
#pragma once
#include "trace/kernel/math_coefficients.hpp"
#include "trace/kernel/math_verbs.hpp"

namespace fluxion::kernel::formulas {

// Moderate arguments are reduced with as much of 1/pi, or of pi/2, as they need. For large ones
// Payne and Hanek's method: x / pi modulo 2 needs only those bits of 1/pi that do not make
// multiples of 2, so x is scaled down by a power of two and multiplied by a sum of doubles which is
// 1/pi, scaled up by the same power, modulo 2; that is right because the scaled x is an integer.

/// x minus its nearest multiple of 2, exactly.
template <class F> F modulo_two(F x) { return fma(x.like(-2), round_even(x * 0.5), x); }

/// Sine and cosine count half turns, cosine from a quarter turn on; the tangent counts quarter
/// turns.
enum class Phase { sine, cosine, tangent };

/// x / pi = n + t modulo 2, |t| <= 1/2 or for quarter turns 1/4; n, or twice n, as an integer's
/// lowest bits.
template <class F, class I> struct Turns {
  F t, t_low;
  I n;
};

/// Sets the sign of -1 to the power n.
template <class F, class I> F with_parity(F value, I n) {
  return float_of(bits_of(value) ^ (n << n.like(63)));
}
template <class I> auto is_odd(I n) { return (n & n.like(1)) != 0.0; }

/// For a float32 x >= 0 in float64.
template <Phase phase, class F> auto turns(F x) {
  constexpr double per_half_turn = phase == Phase::tangent ? 2 : 1;
  constexpr double shift = phase == Phase::cosine ? 0.5 : 0;
  F high = x.like(coefficients::inverse_pi_low[0]), low = x.like(coefficients::inverse_pi_low[1]);
  F shifted = fma(x, high * per_half_turn, x.like(shift)) + Double::magic;
  F n = (shifted - Double::magic) * (1 / per_half_turn);
  F t = fma(x, low, fma(x, high, shift - n));
  return Turns<F, decltype(bits_of(x))>{t, t, bits_of(shifted)};
}
inline constexpr double moderate_single = 0x1p40;

/// The same for any x, with an error of about 2^-60.
template <Phase phase, class F> auto turns_of_large(F x) {
  auto very_large = x >= 0x1p88;
  F scaled = select(very_large, x * 0x1p-64, x);
  auto part = [&](std::size_t k) {
    return select(very_large,
                  x.like(coefficients::inverse_pi_high[k]),
                  x.like(coefficients::inverse_pi_low[k]));
  };
  auto [a, b] = exact_product(scaled, part(0));
  auto [c, d] = exact_product(scaled, part(1));
  a = modulo_two(a);
  d = fma(scaled, part(2), d);
  if constexpr (phase == Phase::cosine) a = a + 0.5;
  constexpr double per_half_turn = phase == Phase::tangent ? 2 : 1;
  F shifted = fma(a + b + c, x.like(per_half_turn), x.like(Double::magic));
  F n = (shifted - Double::magic) * (1 / per_half_turn);
  F t = ((a - n) + b) + c + d;
  return Turns<F, decltype(bits_of(x))>{t, t, bits_of(shifted)};
}

/// sin or cos of a magnitude, by turns.
template <Phase phase, class F> auto sine_of_turns(F t, auto n) {
  return narrowed(with_parity(t * polynomial(t * t, coefficients::sin_half_turn), n));
}
template <Phase phase, class F> F sine(Single, F x) {
  auto [t, t_low, n] = turns<phase>(widened(x));
  return unless_large(x, moderate_single, sine_of_turns<phase>(t, n), [](F large) {
    auto [t, t_low, n] = turns_of_large<phase>(widened(large));
    return sine_of_turns<phase>(t, n);
  });
}

/// In the odd quarters the tangent is -cos / sin.
template <class F> auto tan_of_turns(F t, auto n) {
  F z = t * t;
  F sine = t * polynomial(z, coefficients::sin_quarter_turn);
  F cosine = polynomial(z, coefficients::cos_quarter_turn);
  return narrowed(select(is_odd(n), -cosine, sine) / select(is_odd(n), sine, cosine));
}
template <class F> F tan_of_magnitude(Single, F x) {
  auto [t, t_low, n] = turns<Phase::tangent>(widened(x));
  return unless_large(x, moderate_single, tan_of_turns(t, n), [](F large) {
    auto [t, t_low, n] = turns_of_large<Phase::tangent>(widened(large));
    return tan_of_turns(t, n);
  });
}

/// For a float64 x >= 0, in quarter turns, with an error of about 2^-140. (Where terms cancel the
/// sums before are exact: their parts are multiples of 2^-54 or of what remains.)
template <class F> auto quarter_turns(F x) {
  auto field = bits_of(x) >> bits_of(x).like(Double::fraction);
  auto above = field - 1075;
  auto group = select(above < 0.0, above.like(0), above) >> above.like(4);
  F scaled = x * float_of(above.like(Double::one) - (group << group.like(Double::fraction + 4)));
  auto [a, b] = exact_product(scaled, element(coefficients::inverse_pi[0], group));
  auto [c, d] = exact_product(scaled, element(coefficients::inverse_pi[1], group));
  auto [e, f] = exact_product(scaled, element(coefficients::inverse_pi[2], group));
  f = fma(scaled, element(coefficients::inverse_pi[3], group), f);
  a = modulo_two(a);
  F shifted = fma(a + b + c, x.like(2), x.like(Double::magic));
  auto [sum, low] = exact_sum(a, (shifted - Double::magic) * -0.5);
  auto [with_b, low_b] = exact_sum(sum, b);
  auto [with_c, low_c] = exact_sum(with_b, c);
  auto [with_lows, rest] = exact_sum(with_c, low + low_b + low_c);
  auto [with_d, low_d] = exact_sum(with_lows, d);
  auto [with_e, low_e] = exact_sum(with_d, e);
  auto [t, t_low] = exact_sum_ordered(with_e, rest + (low_d + low_e + f));
  return Turns<F, decltype(bits_of(x))>{t, t_low, bits_of(shifted)};
}

/// For a float64 x >= 0 below 2^20: n times the first part of pi/2 and its difference from x are
/// exact.
template <class F> auto quarters(F x) {
  F shifted = fma(x, x.like(0x1.45f306dc9c883p-1), x.like(Double::magic));
  F n = shifted - Double::magic;
  F first = fma(n, x.like(-0x1.921fb544p+0), x);
  auto [second, third] = exact_product(n, x.like(-0x1.0b4611a626331p-34));
  auto [r, r_low] = exact_sum(first, second);
  r_low = r_low + fma(n, x.like(-0x1.1701b839a252p-88), third);
  return Rest<F, decltype(bits_of(x))>{r, r_low, bits_of(shifted)};
}
inline constexpr double moderate_double = 0x1p20;
template <class F> auto quarters_of_large(F x) {
  auto [t, t_low, n] = quarter_turns(x);
  F pi = x.like(0x1.921fb54442d18p+1);
  auto [r, r_low] = exact_product(t, pi);
  r_low = fma(t_low, pi, fma(t, x.like(0x1.1a62633145c07p-53), r_low));
  return Rest<F, decltype(n)>{r, r_low, n};
}

/// Sine and cosine of r + r_low.
template <class F> Pair<F> sine_and_cosine(F r, F r_low) {
  F z = r * r;
  F sine = r + fma(z * r, polynomial(z, coefficients::sin_quarter_pi), r_low);
  F half = z * 0.5;
  F one_less = 1.0 - half;
  F error = (1.0 - one_less) - half;
  F tail = fma(z * z, polynomial(z, coefficients::cos_quarter_pi), -r * r_low);
  return {sine, one_less + (error + tail)};
}

template <Phase phase, class F> F sine_of_quarters(F r, F r_low, auto n) {
  auto [sine, cosine] = sine_and_cosine(r, r_low);
  if constexpr (phase == Phase::cosine) n = n + n.like(1);
  return with_parity(select(is_odd(n), cosine, sine), n >> n.like(1));
}
template <Phase phase, class F> F sine(Double, F x) {
  auto [r, r_low, n] = quarters(x);
  return unless_large(x, moderate_double, sine_of_quarters<phase>(r, r_low, n), [](F large) {
    auto [r, r_low, n] = quarters_of_large(large);
    return sine_of_quarters<phase>(r, r_low, n);
  });
}

template <class F> F tan_of_quarters(F r, F r_low, auto n) {
  auto [sine, cosine] = sine_and_cosine(r, r_low);
  return select(is_odd(n), -cosine, sine) / select(is_odd(n), sine, cosine);
}
template <class F> F tan_of_magnitude(Double, F x) {
  auto [r, r_low, n] = quarters(x);
  return unless_large(x, moderate_double, tan_of_quarters(r, r_low, n), [](F large) {
    auto [r, r_low, n] = quarters_of_large(large);
    return tan_of_quarters(r, r_low, n);
  });
}

template <class Format, class F> F sin(F x) {
  return times_sign<Format>(sine<Phase::sine>(Format{}, abs(x)), x);
}
template <class Format, class F> F cos(F x) { return sine<Phase::cosine>(Format{}, abs(x)); }
template <class Format, class F> F tan(F x) {
  return times_sign<Format>(tan_of_magnitude(Format{}, abs(x)), x);
}

struct SingleArc : Single {
  static constexpr auto& tail = coefficients::atan_single;
  static constexpr double half_pi = 0x1.921fb6p+0, half_pi_low = -0x1.777a5cp-25;
};
struct DoubleArc : Double {
  static constexpr auto& tail = coefficients::atan_double;
  static constexpr double half_pi = 0x1.921fb54442d18p+0, half_pi_low = 0x1.1a62633145c07p-54;
};

/// The angle t of the smaller over the larger coordinate, reflected into its octant: base + t or
/// base - t.
template <class Format, class F> F atan2(F y, F x) {
  F across = abs(x), up = abs(y);
  auto steep = up > across;
  auto left = (bits_of(x) & bits_of(x).like(Format::sign)) != 0.0;
  F larger = select(steep, up, across), smaller = select(steep, across, up);
  F t = smaller / larger;
  t = select(larger == 0.0, x.like(0), t);
  t = select(smaller == infinity, x.like(1), t);
  F z = t * t;
  F tail = z * t * polynomial(z, Format::tail);
  auto backward = steep ^ left;
  t = select(backward, -t, t);
  tail = select(backward, -tail, tail);
  F zero = x.like(0);
  F base = select(steep, x.like(Format::half_pi), select(left, x.like(2 * Format::half_pi), zero));
  F base_low = select(
      steep, x.like(Format::half_pi_low), select(left, x.like(2 * Format::half_pi_low), zero));
  auto [sum, low] = exact_sum_ordered(base, t);
  F angle = with_sign<Format>(sum + (low + (base_low + tail)), y);
  return select((x != x) | (y != y), x + y, angle);
}

}  // namespace fluxion::kernel::formulas
