// Arithmetic on unevaluated sums of two numbers, about twice as many digits as one has.
#pragma once
#include "trace/kernel/math_verbs.hpp"

namespace fluxion::kernel::formulas {

// As in Dekker (1971) and Hida, Li, Bailey (2001); relative errors of a few 2^-104, unless a
// product of the parts underflows.

template <class F> Pair<F> pair_of(F x) { return {x, x.like(0)}; }
template <class F> Pair<F> pair_like(F x, const std::array<double, 2>& value) {
  return {x.like(value[0]), x.like(value[1])};
}
template <class F> Pair<F> negative(Pair<F> a) { return {-a.high, -a.low}; }
/// Times a power of two.
template <class F> Pair<F> scaled_pair(Pair<F> a, F power) {
  return {a.high * power, a.low * power};
}
template <class F> Pair<F> scaled_pair(Pair<F> a, double power) {
  return scaled_pair(a, a.high.like(power));
}
template <class F, class B> Pair<F> select_pair(B condition, Pair<F> yes, Pair<F> no) {
  return {select(condition, yes.high, no.high), select(condition, yes.low, no.low)};
}

template <class F> Pair<F> sum(Pair<F> a, Pair<F> b) {
  auto [high, low] = exact_sum(a.high, b.high);
  auto [second, third] = exact_sum(a.low, b.low);
  auto [first, rest] = exact_sum_ordered(high, low + second);
  return exact_sum_ordered(first, rest + third);
}
template <class F> Pair<F> sum(Pair<F> a, F b) {
  auto [high, low] = exact_sum(a.high, b);
  return exact_sum_ordered(high, low + a.low);
}
template <class F> Pair<F> product(Pair<F> a, Pair<F> b) {
  auto [high, low] = exact_product(a.high, b.high);
  return exact_sum_ordered(high, fma(a.high, b.low, fma(a.low, b.high, low)));
}
template <class F> Pair<F> product(Pair<F> a, F b) {
  auto [high, low] = exact_product(a.high, b);
  return exact_sum_ordered(high, fma(a.low, b, low));
}
template <class F> Pair<F> quotient(Pair<F> a, Pair<F> b) {
  F q = a.high / b.high;
  F rest = fma(-q, b.low, fma(-q, b.high, a.high) + a.low);
  return exact_sum_ordered(q, rest / b.high);
}
template <class F> Pair<F> root(Pair<F> a) {
  F r = sqrt(a.high);
  F rest = fma(-r, r, a.high) + a.low;
  F low = select(r == 0.0, r, rest / (r + r));
  return exact_sum_ordered(r, low);
}
/// x^2 + y^2
template <class F> Pair<F> sum_of_squares(F x, F y) {
  auto [p, p_low] = exact_product(x, x);
  auto [q, q_low] = exact_product(y, y);
  auto [s, s_low] = exact_sum(p, q);
  return exact_sum_ordered(s, s_low + (p_low + q_low));
}

/// The sum of a few numbers as if in four times their digits, whatever cancels (Rump, Ogita and
/// Oishi's distillation).
template <class F, std::size_t N> Pair<F> distilled_sum(std::array<F, N> v) {
  for (int pass = 0; pass < 3; ++pass) {
    for (std::size_t k = 1; k < N; ++k) {
      auto [above, below] = exact_sum(v[k], v[k - 1]);
      v[k] = above;
      v[k - 1] = below;
    }
  }
  F low = v[0];
  for (std::size_t k = 1; k + 1 < N; ++k) low = low + v[k];
  return exact_sum_ordered(v[N - 1], low);
}

/// c[0] + c[1] x + ... + x^N rest
template <class F, std::size_t N>
Pair<F> pair_polynomial(Pair<F> x, const std::array<std::array<double, 2>, N>& c, F rest) {
  Pair<F> value = sum(pair_like(x.high, c[N - 1]), x.high * rest);
  for (std::size_t k = N - 1; k-- > 0;) value = sum(product(value, x), pair_like(x.high, c[k]));
  return value;
}

}  // namespace fluxion::kernel::formulas
