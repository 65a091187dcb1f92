// The formulas of moduli, roots, logarithms, quotients and powers of complex float64.
#pragma once
#include "trace/kernel/math_complex_exp.hpp"

namespace fluxion::kernel::formulas {

/// Factors that keep squares in range: 2^-600 of large numbers, 2^600 of small ones; 1 between.
template <class F> struct Scaling {
  F factor, inverse;
  F root;      // of the inverse
  F exponent;  // log2 of the inverse
};
template <class F> Scaling<F> scaling_of(F largest) {
  auto large = largest >= 0x1p500, small = largest < 0x1p-450;
  auto pick = [&](double of_large, double of_small, double between) {
    return select(large,
                  largest.like(of_large),
                  select(small, largest.like(of_small), largest.like(between)));
  };
  return {pick(0x1p-600, 0x1p600, 1),
          pick(0x1p600, 0x1p-600, 1),
          pick(0x1p300, 0x1p-300, 1),
          pick(600, -600, 0)};
}
template <class F> F larger_magnitude(F x, F y) {
  F a = abs(x), b = abs(y);
  return select(a > b, a, b);
}
template <class F> auto is_infinite(Complex<F> z) {
  return (abs(z.re) == infinity) | (abs(z.im) == infinity);
}

template <class F> F complex_abs(Complex<F> z) {
  auto scaling = scaling_of(larger_magnitude(z.re, z.im));
  F r = root(sum_of_squares(z.re * scaling.factor, z.im * scaling.factor)).high;
  return select(is_infinite(z), z.re.like(infinity), r * scaling.inverse);
}

template <class F> Complex<F> complex_sign(Complex<F> z) {
  auto scaling = scaling_of(larger_magnitude(z.re, z.im));
  F x = z.re * scaling.factor, y = z.im * scaling.factor;
  Pair<F> r = root(sum_of_squares(x, y));
  F size = select(is_infinite(z), x.like(infinity), r.high);
  auto zero = size == 0.0;
  F re = quotient(pair_of(x), r).high, im = quotient(pair_of(y), r).high;
  auto finite = size < infinity;
  return {select(zero, z.re, select(finite, re, x / size)),
          select(zero, z.im, select(finite, im, y / size))};
}

template <class F> Complex<F> complex_square(Complex<F> z) {
  F a = abs(z.re), b = abs(z.im);
  F larger = select(a > b, z.re, z.im), smaller = select(a > b, z.im, z.re);
  F re = select((a == b) & is_finite(a), z.re.like(0), (z.re - z.im) * (z.re + z.im));
  return {re, larger * (smaller + smaller)};
}

/// log |x + x_low + i y| = log((x + x_low)^2 + y^2) / 2, or log1p(less) / 2 where the caller knows
/// that sum less 1 and it is small.
template <class F> F log_modulus(F x, F x_low, F y, Pair<F> less) {
  F largest = larger_magnitude(x, y);
  auto scaling = scaling_of(largest);
  F u = x * scaling.factor, v = y * scaling.factor;
  Pair<F> s = sum_of_squares(u, v);
  s.low = fma(u + u, x_low * scaling.factor, s.low);
  F far = (log<Double>(s.high) + s.low / s.high) * 0.5;
  far = far + scaling.exponent * 0x1.62e42fefa39efp-1;
  F near = (log1p<Double>(less.high) + less.low / (less.high + 1.0)) * 0.5;
  auto close = (less.high >= -0.5) & (less.high <= 1.0);
  F value = select(close, near, far);
  value = select((x == 0.0) & (y == 0.0), x.like(-infinity), value);
  return select((abs(x) == infinity) | (abs(y) == infinity), x.like(infinity), value);
}

template <class F> F log_modulus(Complex<F> z) {
  auto [p, p_low] = exact_product(z.re, z.re);
  auto [q, q_low] = exact_product(z.im, z.im);
  Pair<F> less = distilled_sum(std::array<F, 5>{p_low, q_low, p, q, p.like(-1)});
  return log_modulus(z.re, z.re.like(0), z.im, less);
}

template <class F> Complex<F> complex_log(Complex<F> z) {
  return {log_modulus(z), atan2<DoubleArc>(z.im, z.re)};
}

/// |1 + z|^2 - 1 = 2 x + x^2 + y^2. The argument is corrected for the rounding of 1 + x.
template <class F> Complex<F> complex_log1p(Complex<F> z) {
  auto [p, p_low] = exact_product(z.re, z.re);
  auto [q, q_low] = exact_product(z.im, z.im);
  Pair<F> less = distilled_sum(std::array<F, 5>{p_low, q_low, p, q, z.re + z.re});
  auto [x, x_low] = exact_sum(z.re, z.re.like(1));
  x_low = select(is_finite(x_low), x_low, x.like(0));
  F re = log_modulus(x, x_low, z.im, less);
  F im = atan2<DoubleArc>(z.im, x);
  F correction = z.im * x_low / fma(x, x, z.im * z.im);
  im = select(abs(x) + abs(z.im) < 0x1p500, select(is_finite(correction), im - correction, im), im);
  return {select((z.re == 0.0) & (z.im == 0.0), z.re, re),
          select(z.im == 0.0, atan2<DoubleArc>(z.im, x), im)};
}

/// The larger part t = sqrt((|z| + |x|) / 2) of a root; the other one is y / (2 t).
template <class F> struct Root {
  Pair<F> t;
  F modulus;  // of z times the factor
  Scaling<F> scaling;
};
template <class F> Root<F> larger_part_of_root(Complex<F> z) {
  auto scaling = scaling_of(larger_magnitude(z.re, z.im));
  F x = abs(z.re) * scaling.factor, y = abs(z.im) * scaling.factor;
  Pair<F> modulus = root(sum_of_squares(x, y));
  Pair<F> t = root(scaled_pair(sum(modulus, x), 0.5));
  return {scaled_pair(t, scaling.root), modulus.high, scaling};
}

template <class F> Complex<F> complex_sqrt(Complex<F> z) {
  auto r = larger_part_of_root(z);
  auto left = z.re < 0.0;
  F t = r.t.high;
  F other = select(t == 0.0, t, quotient(pair_of(abs(z.im)), scaled_pair(r.t, 2.0)).high);
  F re = select(left, other, t), im = select(left, t, other);
  F inf = re.like(infinity), zero = re.like(0);
  auto wide = abs(z.re) == infinity;
  F of_im = select(is_finite(z.im), zero, z.im);
  re = select(wide, select(left, abs(of_im), inf), re);
  im = select(wide, select(left, inf, of_im), im);
  auto tall = abs(z.im) == infinity;
  re = select(tall, inf, re);
  im = select(tall, inf, abs(im));
  return {re, with_sign<Double>(im, z.im)};
}

/// conj(sqrt(z)) / |z|
template <class F> Complex<F> complex_rsqrt(Complex<F> z) {
  auto r = larger_part_of_root(z);
  auto left = z.re < 0.0;
  F other = quotient(pair_of(abs(z.im)), scaled_pair(r.t, 2.0)).high;
  auto divided = [&](F part) { return part / r.modulus * r.scaling.factor; };
  F re = divided(select(left, other, r.t.high)), im = divided(select(left, r.t.high, other));
  auto zero = r.modulus == 0.0;
  auto endless = is_infinite(z);
  F nothing = re.like(0);
  re = select(zero, re.like(infinity), select(endless, nothing, re));
  im = select(zero, re.like(not_a_number), select(endless, nothing, im));
  return {re, -with_sign<Double>(abs(im), z.im)};
}

template <class F> F unit_of_infinite(F x) {
  return with_sign<Double>(select(abs(x) == infinity, x.like(1), x.like(0)), x);
}

/// z conj(w) / |w|^2 in twice the digits, both scaled; then C's rules (Annex G.5.1).
template <class F> Complex<F> complex_div(Complex<F> z, Complex<F> w) {
  auto above = scaling_of(larger_magnitude(z.re, z.im));
  auto below = scaling_of(larger_magnitude(w.re, w.im));
  F a = z.re * above.factor, b = z.im * above.factor;
  F c = w.re * below.factor, d = w.im * below.factor;
  auto sum_of_products = [](F p, F q, F r, F s) {  // p q + r s
    auto [x, x_low] = exact_product(p, q);
    auto [y, y_low] = exact_product(r, s);
    auto [total, low] = exact_sum(x, y);
    return exact_sum_ordered(total, low + (x_low + y_low));
  };
  Pair<F> size = sum_of_squares(c, d);
  F re = quotient(sum_of_products(a, c, b, d), size).high * below.factor * above.inverse;
  F im = quotient(sum_of_products(b, c, -a, d), size).high * below.factor * above.inverse;

  auto by_zero = (w.re == 0.0) & (w.im == 0.0);
  F pole = with_sign<Double>(re.like(infinity), w.re);
  auto top = is_infinite(z) & is_finite(w.re) & is_finite(w.im);
  auto bottom = is_infinite(w) & is_finite(z.re) & is_finite(z.im);
  F p = select(top, unit_of_infinite(z.re), z.re), q = select(top, unit_of_infinite(z.im), z.im);
  F r = select(bottom, unit_of_infinite(w.re), w.re);
  F s = select(bottom, unit_of_infinite(w.im), w.im);
  F factor = select(top, re.like(infinity), re.like(0));
  auto endless = top | bottom;
  re = select(endless, factor * (p * r + q * s), re);
  im = select(endless, factor * (q * r - p * s), im);
  return {select(by_zero, pole * z.re, re), select(by_zero, pole * z.im, im)};
}

/// log z in twice the digits: of the argument by one step of Newton's method.
template <class F> Complex<Pair<F>> log_pairs(Complex<F> z) {
  auto scaling = scaling_of(larger_magnitude(z.re, z.im));
  F x = z.re * scaling.factor, y = z.im * scaling.factor;
  Pair<F> s = sum_of_squares(x, y);
  Pair<F> modulus = sum(log_pair(s.high), s.low / s.high);
  modulus = scaled_pair(modulus, 0.5);
  Pair<F> ln2{x.like(0x1.62e42fefa39efp-1), x.like(0x1.abc9e3b39803fp-56)};
  modulus = sum(modulus, product(ln2, scaling.exponent));
  F angle = atan2<DoubleArc>(y, x);
  auto [sine, cosine, less] = circle(angle);
  F off = sum(product(cosine, y), negative(product(sine, x))).high;
  F along = fma(cosine.high, x, sine.high * y);
  return {modulus, exact_sum_ordered(angle, off / along)};
}

template <class F> Complex<F> complex_pow(Complex<F> z, Complex<F> w) {
  auto [l, t] = log_pairs(z);
  Pair<F> grown = sum(product(l, w.re), negative(product(t, w.im)));
  Pair<F> turned = sum(product(l, w.im), product(t, w.re));
  auto [tail, n] = exponential(grown.high);
  auto bounded = abs(grown.high) < exp_bound;
  Pair<F> size = sum(tail, l.high.like(1));
  size = sum(size, size.high * select(bounded, grown.low, l.high.like(0)));
  auto [sine, cosine, less] = circle(turned.high);
  Pair<F> c = sum(cosine, -sine.high * turned.low), s = sum(sine, cosine.high * turned.low);
  Complex<F> value{scaled_product(size, c, n), scaled_product(size, s, n)};
  auto base_zero = (z.re == 0.0) & (z.im == 0.0), power_zero = (w.re == 0.0) & (w.im == 0.0);
  F zero = l.high.like(0), one = l.high.like(1);
  F of_zero = select(w.re > 0.0, zero, l.high.like(not_a_number));
  return {select(power_zero, one, select(base_zero, of_zero, value.re)),
          select(power_zero, zero, select(base_zero, of_zero, value.im))};
}

}  // namespace fluxion::kernel::formulas
