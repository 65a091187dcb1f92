// The formulas of inverse trigonometric and hyperbolic functions, of real and complex float64.
#pragma once
#include "trace/kernel/math_complex_log.hpp"

namespace fluxion::kernel::formulas {

/// log(1 + t)
template <class F> F log1p_of_pair(Pair<F> t) {
  return log1p<Double>(t.high) + t.low / (t.high + 1.0);
}
inline constexpr double ln2 = 0x1.62e42fefa39efp-1;

/// What asin and acos of x + i y, x and y >= 0, are made of (Hull, Fairgrieve and Tang 1997): with
/// r and s the distances from -1 and 1, and a = (r + s) / 2, the real part of asin is the angle of
/// the point (across, x), across = sqrt((a - x) (a + x)), and the imaginary part is
/// height = log(a + sqrt(a^2 - 1)).
template <class F> struct ArcParts {
  F across, height;
};
template <class F> ArcParts<F> arc_parts(F x, F y) {
  auto large = (x >= 0x1p100) | (y >= 0x1p100);
  F one = x.like(1);
  F u = select(large, one, x), v = select(large, one, y);
  auto [beyond, beyond_low] = exact_sum(u, one);
  auto [off, off_low] = exact_sum(u, -one);
  auto left = u < 1.0, right = u > 1.0;
  Pair<F> far{beyond, beyond_low};                                         // x + 1
  Pair<F> near{select(left, -off, off), select(left, -off_low, off_low)};  // |x - 1|
  auto [v2, v2_low] = exact_product(v, v);
  Pair<F> square{v2, v2_low};
  Pair<F> r = root(sum(product(far, far), square));
  Pair<F> s = root(sum(product(near, near), square));
  s = select_pair(u == 1.0, pair_of(v), s);
  Pair<F> a = scaled_pair(sum(r, s), 0.5);
  Pair<F> first = sum(r, far), second = sum(s, near);
  // r - (x + 1) = y^2 / first, s - |x - 1| = y^2 / second
  Pair<F> inverses = sum(quotient(pair_of(one), first), quotient(pair_of(one), second));
  Pair<F> mixed = sum(quotient(square, first), second);
  // Left of 1, 2 (a - 1) = y^2 inverses and 2 (a - x) = mixed; right of it the other way round.
  Pair<F> for_height =
      root(scaled_pair(product(select_pair(left, inverses, mixed), sum(a, one)), 0.5));
  Pair<F> by_inverses = product(sum(scaled_pair(product(inverses, v), 0.5), for_height), v);
  Pair<F> by_mixed = sum(scaled_pair(mixed, 0.5), for_height);
  Pair<F> t = select_pair(left, by_inverses, by_mixed);
  Pair<F> across = root(scaled_pair(product(select_pair(right, inverses, mixed), sum(a, u)), 0.5));
  across = select_pair(right, product(across, v), across);
  F height = log1p_of_pair(t);
  F height_far = log_modulus(Complex<F>{x, y}) + ln2;
  return {select(large, y, across.high), select(large, height_far, height)};
}

template <class F> Complex<F> complex_asin(Complex<F> z) {
  F x = abs(z.re);
  auto [across, height] = arc_parts(x, abs(z.im));
  F angle = atan2<DoubleArc>(x, across);
  F re = select(x == 0.0, z.re, with_sign<Double>(abs(angle), z.re));
  return {re, with_sign<Double>(abs(height), z.im)};
}
template <class F> Complex<F> complex_acos(Complex<F> z) {
  auto [across, height] = arc_parts(abs(z.re), abs(z.im));
  // a quarter turn of 0, even if the other part is NaN
  F turn = select(z.re == 0.0, z.re.like(0x1.921fb54442d18p0), atan2<DoubleArc>(across, z.re));
  return {turn, -with_sign<Double>(abs(height), z.im)};
}
template <class F> Complex<F> complex_asinh(Complex<F> z) {
  Complex<F> w = complex_asin(Complex<F>{z.im, z.re});
  return {w.im, w.re};
}
template <class F> Complex<F> complex_acosh(Complex<F> z) {
  Complex<F> w = complex_acos(z);
  return {abs(w.im), with_sign<Double>(abs(w.re), z.im)};
}

/// log1p(4 x / ((1 - x)^2 + y^2)) / 4 + i atan2(2 y, 1 - x^2 - y^2) / 2 for x >= 0.
template <class F> Complex<F> complex_atanh(Complex<F> z) {
  F x = abs(z.re), y = z.im, height = abs(z.im), one = x.like(1);
  F largest = select(x > height, x, height);
  auto endless = is_infinite(z);
  auto large = (largest >= 0x1p100) | endless;
  F u = select(large, one, x), v = select(large, one, y);
  auto [off, off_low] = exact_sum(u, -one);
  Pair<F> near{off, off_low};
  auto [p, p_low] = exact_product(u, u);
  auto [q, q_low] = exact_product(v, v);
  Pair<F> ratio = quotient(pair_of(u * 4.0), sum(product(near, near), Pair<F>{q, q_low}));
  F re = log1p_of_pair(ratio) * 0.25;
  auto at_pole = (x == 1.0) & (height < 0x1p-400);
  re = select(at_pole, (ln2 - log<Double>(height)) * 0.5, re);
  F less = distilled_sum(std::array<F, 5>{-p_low, -q_low, -p, -q, one}).high;
  F im = atan2<DoubleArc>(v + v, less) * 0.5;
  // far out x / (x^2 + y^2), and a quarter turn
  F scale = select(largest >= 0x1p500, x.like(0x1p-600), one);
  F xs = x * scale, ys = y * scale;
  F re_far = quotient(pair_of(xs), sum_of_squares(xs, ys)).high * scale;
  re_far = select(endless, x.like(0), re_far);
  re = select(large, re_far, re);
  im = select(large, with_sign<Double>(x.like(DoubleArc::half_pi), y), im);
  re = select(x == 0.0, z.re, with_sign<Double>(abs(re), z.re));
  im = select((height == 0.0) & (x <= 1.0), y, im);
  auto unknown = ((x != x) | (y != y)) & (height != infinity);
  return {re, select(unknown, x.like(not_a_number), im)};
}
template <class F> Complex<F> complex_atan(Complex<F> z) {
  Complex<F> w = complex_atanh(Complex<F>{z.im, z.re});
  return {w.im, w.re};
}

template <class F> F asin(F x) { return atan2<DoubleArc>(x, sqrt(fma(-x, x, x.like(1)))); }
template <class F> F acos(F x) { return atan2<DoubleArc>(sqrt(fma(-x, x, x.like(1))), x); }
template <class F> F atan(F x) { return atan2<DoubleArc>(x, x.like(1)); }

template <class F> F asinh(F x) {
  F a = abs(x);
  auto large = a >= 0x1p100;
  F u = select(large, x.like(1), a);
  auto [square, square_low] = exact_product(u, u);
  Pair<F> s{square, square_low};
  Pair<F> below = sum(root(sum(s, x.like(1))), x.like(1));
  F value = log1p_of_pair(sum(quotient(s, below), u));
  value = select(a < 0x1p-400, a, value);
  return with_sign<Double>(select(large, log<Double>(a) + ln2, value), x);
}
/// log1p(t + sqrt(t (t + 2))) with t = x - 1
template <class F> F acosh(F x) {
  auto large = x >= 0x1p100;
  auto [high, low] = exact_sum(select(large, x.like(1), x), x.like(-1));
  Pair<F> t{high, low};
  F value = log1p_of_pair(sum(t, root(product(t, sum(t, x.like(2))))));
  value = select(large, log<Double>(x) + ln2, value);
  return select(x < 1.0, x.like(not_a_number), value);
}
template <class F> F atanh(F x) {
  F a = abs(x);
  auto [high, low] = exact_sum(x.like(1), -a);
  Pair<F> below{high, low};
  F value = log1p_of_pair(quotient(pair_of(a + a), below)) * 0.5;
  value = select(a == 1.0, x.like(infinity), value);
  value = select(a > 1.0, x.like(not_a_number), value);
  return with_sign<Double>(value, x);
}

}  // namespace fluxion::kernel::formulas
