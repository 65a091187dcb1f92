// Exponentials, sines and cosines in twice the digits, and the hyperbolic functions of real
// numbers.
#pragma once
#include "trace/kernel/math_log.hpp"
#include "trace/kernel/math_pairs.hpp"
#include "trace/kernel/math_trig.hpp"

// The Taylor coefficients: those whose rounding would show as pairs, later ones as they are.
namespace fluxion::kernel::coefficients {
inline constexpr std::array<std::array<double, 2>, 6> exp_pairs = {{
    // 1/2! to 1/7!
    {0x1p-1, 0},
    {0x1.5555555555555p-3, 0x1.5555555555555p-57},
    {0x1.5555555555555p-5, 0x1.5555555555555p-59},
    {0x1.1111111111111p-7, 0x1.1111111111111p-63},
    {0x1.6c16c16c16c17p-10, -0x1.f49f49f49f49fp-65},
    {0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-73},
}};
inline constexpr std::array exp_pairs_tail = {0x1.a01a01a01a01ap-16,
                                              0x1.71de3a556c734p-19,
                                              0x1.27e4fb7789f5cp-22,
                                              0x1.ae64567f544e4p-26,
                                              0x1.1eed8eff8d898p-29,
                                              0x1.6124613a86d09p-33};
inline constexpr std::array<std::array<double, 2>, 7> sin_pairs = {{
    // -1/3! to -1/15!
    {-0x1.5555555555555p-3, -0x1.5555555555555p-57},
    {0x1.1111111111111p-7, 0x1.1111111111111p-63},
    {-0x1.a01a01a01a01ap-13, -0x1.a01a01a01a01ap-73},
    {0x1.71de3a556c734p-19, -0x1.c154f8ddc6c00p-73},
    {-0x1.ae64567f544e4p-26, 0x1.c062e06d1f209p-80},
    {0x1.6124613a86d09p-33, 0x1.f28e0cc748ebep-87},
    {-0x1.ae7f3e733b81fp-41, -0x1.1d8656b0ee8cbp-97},
}};
inline constexpr std::array sin_pairs_tail = {0x1.952c77030ad4ap-49,
                                              -0x1.2f49b46814157p-57,
                                              0x1.71b8ef6dcf572p-66,
                                              -0x1.761b41316381ap-75,
                                              0x1.3f3ccdd165fa9p-84};
inline constexpr std::array<std::array<double, 2>, 8> cos_pairs = {{
    // -1/2! to 1/16!
    {-0x1p-1, 0},
    {0x1.5555555555555p-5, 0x1.5555555555555p-59},
    {-0x1.6c16c16c16c17p-10, 0x1.f49f49f49f49fp-65},
    {0x1.a01a01a01a01ap-16, 0x1.a01a01a01a01ap-76},
    {-0x1.27e4fb7789f5cp-22, -0x1.cbbc05b4fa99ap-76},
    {0x1.1eed8eff8d898p-29, -0x1.2aec959e14c06p-83},
    {-0x1.93974a8c07c9dp-37, -0x1.05d6f8a2efd1fp-92},
    {0x1.ae7f3e733b81fp-45, 0x1.1d8656b0ee8cbp-101},
}};
inline constexpr std::array cos_pairs_tail = {-0x1.6827863b97d97p-53,
                                              0x1.e542ba4020225p-62,
                                              -0x1.0ce396db7f853p-70,
                                              0x1.f2cf01972f578p-80,
                                              -0x1.88e85fc6a4e5ap-89};
inline constexpr std::array sinh_tail = {0x1.5555555555555p-3,
                                         0x1.1111111111111p-7,
                                         0x1.a01a01a01a01ap-13,
                                         0x1.71de3a556c734p-19,
                                         0x1.ae64567f544e4p-26,
                                         0x1.6124613a86d09p-33,
                                         0x1.ae7f3e733b81fp-41,
                                         0x1.952c77030ad4ap-49,
                                         0x1.2f49b46814157p-57};
}  // namespace fluxion::kernel::coefficients

namespace fluxion::kernel::formulas {

/// exp(x) = 2^n (1 + tail); n's lowest twelve bits count.
template <class F, class I> struct Exponential {
  Pair<F> tail;
  I n;
};
/// Beyond this magnitude exp of x times any float64 is infinite or zero.
inline constexpr double exp_bound = 1500;

/// For float64; NaN gives NaN.
template <class F> auto exponential(F x) {
  x = clamped(x, -exp_bound, exp_bound);
  F shifted = fma(x, x.like(DoubleExp::log2_e), x.like(Double::magic));
  F n = shifted - Double::magic;
  F first = fma(n, x.like(-Double::ln2_high), x);  // exact
  auto [second, third] = exact_product(n, x.like(-0x1.ef35793c76730p-45));
  auto [r, r_low] = exact_sum(first, second);
  r_low = r_low + fma(n, x.like(-0x1.f97b57a079a19p-103), third);
  // of a sixteenth, and 16 times (1 + t)^2 - 1 = 2 t + t^2
  Pair<F> part = scaled_pair(exact_sum_ordered(r, r_low), 0x1p-4);
  F rest = polynomial(part.high, coefficients::exp_pairs_tail);
  Pair<F> square = product(part, part);
  Pair<F> t = sum(part, product(square, pair_polynomial(part, coefficients::exp_pairs, rest)));
  for (int k = 0; k < 4; ++k) t = sum(scaled_pair(t, 2.0), product(t, t));
  return Exponential<F, decltype(bits_of(x))>{t, bits_of(shifted)};
}

/// Sine, cosine and cosine - 1.
template <class F> struct Circle {
  Pair<F> sine, cosine, less;
};

template <class F, class I> Pair<F> with_parity_pair(Pair<F> a, I n) {
  return {with_parity(a.high, n), with_parity(a.low, n)};
}

template <class F> Circle<F> circle(F y) {
  F magnitude = abs(y);
  auto [r, r_low, n] = unless_large(magnitude, moderate_double, quarters(magnitude), [](F large) {
    return quarters_of_large(large);
  });
  Pair<F> angle = exact_sum_ordered(r, r_low), z = product(angle, angle);
  F sine_rest = polynomial(z.high, coefficients::sin_pairs_tail);
  F cosine_rest = polynomial(z.high, coefficients::cos_pairs_tail);
  Pair<F> odd = product(angle, product(z, pair_polynomial(z, coefficients::sin_pairs, sine_rest)));
  Pair<F> sine = sum(angle, odd);
  Pair<F> less = product(z, pair_polynomial(z, coefficients::cos_pairs, cosine_rest));
  Pair<F> cosine = sum(less, r.like(1));
  auto swapped = is_odd(n);
  auto half = n >> n.like(1);
  auto next = (n + n.like(1)) >> n.like(1);
  Pair<F> s = with_parity_pair(select_pair(swapped, cosine, sine), half);
  Pair<F> c = with_parity_pair(select_pair(swapped, sine, cosine), next);
  auto whole = (n & n.like(3)) == 0.0;
  Pair<F> c_less = select_pair(whole, less, sum(c, r.like(-1)));
  return {{times_sign<Double>(s.high, y), times_sign<Double>(s.low, y)}, c, c_less};
}

/// sinh and cosh of |x|, both times 2^-exponent.
template <class F, class I> struct Hyperbola {
  Pair<F> sine, cosine;
  I exponent;
  F magnitude;
};
/// From here on exp(-2 |x|) does not count.
inline constexpr double hyperbolic_far = 40;

template <class F> auto hyperbola(F x) {
  F a = abs(x);
  auto [tail, n] = exponential(a);
  auto far = a >= hyperbolic_far;
  auto tiny = a < 0x1p-60;
  F power = power_of_two<Double>(n);
  Pair<F> above = sum(scaled_pair(tail, power), power - 1.0);  // exp(a) - 1
  Pair<F> whole = sum(above, x.like(1));
  Pair<F> sine = scaled_pair(sum(above, quotient(above, whole)), 0.5);
  Pair<F> cosine = scaled_pair(sum(whole, quotient(pair_of(x.like(1)), whole)), 0.5);
  Pair<F> leading = sum(tail, x.like(1));
  sine = select_pair(tiny, pair_of(a), select_pair(far, leading, sine));
  cosine = select_pair(far, leading, cosine);
  auto exponent = select(far, n - n.like(1), n.like(0));
  return Hyperbola<F, decltype(n)>{sine, cosine, exponent, a};
}

/// a b 2^exponent, rounded about once; the sign is that of the product.
template <class F, class I> F scaled_product(Pair<F> a, Pair<F> b, I exponent) {
  // A subnormal number has few digits: brought among the normals first.
  auto tiny = abs(b.high) < 0x1p-900;
  b = scaled_pair(b, select(tiny, a.high.like(0x1p128), a.high.like(1)));
  exponent = select(tiny, exponent - exponent.like(128), exponent);
  auto quarter = exponent >> exponent.like(2);
  F step = power_of_two<Double>(quarter);
  Pair<F> value = product(a, scaled_pair(b, step));
  F rest = power_of_two<Double>(exponent - quarter - quarter - quarter);
  F result = value.high * step * step * rest;
  return with_sign<Double>(abs(result), times_sign<Double>(a.high, b.high));
}

/// exp in two parts: 2^n (high + low).
template <class F> auto exp_parts(F x) {
  auto reduced = reduced_by_ln2<DoubleExp>(x);
  auto [high, low] = exact_sum_ordered(x.like(1), expm1_reduced<DoubleExp>(reduced.rest));
  return Exponential<F, decltype(bits_of(x))>{{high, low}, reduced.integer};
}

/// Below 1 by the series; above, (exp(a) - exp(-a)) / 2 with the rounding errors of both.
template <class F> F sinh(F x) {
  F a = abs(x), z = a * a;
  F small = fma(a * z, polynomial(z, coefficients::sinh_tail), a);
  auto [e, n] = exp_parts(clamped(a, 0, 711));
  F up = power_of_two<Double>(n - n.like(3)), grown = e.high * up;  // an eighth of exp(a)
  auto [high, low] = exact_sum_ordered(grown, -0x1p-6 / grown);
  F quarter = high + fma(e.low, up, low);  // 2^(n - 1) may be too large
  return with_sign<Double>(select(a < 1.0, small, quarter * 4.0), x);
}
template <class F> F cosh(F x) {
  auto [e, n] = exp_parts(clamped(abs(x), 0, 711));
  F up = power_of_two<Double>(n - n.like(3)), grown = e.high * up;  // an eighth of exp(a)
  auto [high, low] = exact_sum_ordered(grown, 0x1p-6 / grown);
  return (high + fma(e.low, up, low)) * 4.0;
}

}  // namespace fluxion::kernel::formulas
