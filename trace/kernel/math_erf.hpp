// The formulas of the error function and its complement.
#pragma once
#include "trace/kernel/math_exp.hpp"

namespace fluxion::kernel::formulas {

struct SingleErf : SingleExp {
  static constexpr auto& small = coefficients::erf_small_single;
  static constexpr auto& large = coefficients::erf_large_single;
  static constexpr auto& complement = coefficients::erfc_single;
  static constexpr double complement_low = coefficients::erfc_single_low;
  static constexpr double one_from = 3.93;    // where erf is 1
  static constexpr double middle = 2;         // of the complement's polynomial
  static constexpr double zero_from = 10.07;  // where erfc is 0
};
struct DoubleErf : DoubleExp {
  static constexpr auto& small = coefficients::erf_small_double;
  static constexpr auto& large = coefficients::erf_large_double;
  static constexpr auto& complement = coefficients::erfc_double;
  static constexpr double complement_low = coefficients::erfc_double_low;
  static constexpr double one_from = 5.94;
  static constexpr double middle = 4;
  static constexpr double zero_from = 27.3;
};

/// Below 0.927 an odd polynomial, above 1 - exp(-t (1 + P(t))) (as in N. Juffa's erff).
template <class Format, class F> F erf(F x) {
  F t = abs(x);
  F square = x * x;
  F small = fma(t, polynomial(square, Format::small), t);
  F bounded = select(t > Format::one_from, x.like(Format::one_from), t);
  F exponent = -fma(bounded, polynomial(bounded, Format::large), bounded);
  F large = 1.0 - exp_of_negative<Format>(exponent);
  return with_sign<Format>(select(t < 0.927, small, large), x);
}

/// exp(-x^2) / (1 + 2 x) * P((x - m) / (x + m)) for x >= 0, 2 minus that otherwise (M. Shepherd and
/// J. Laframboise, Mathematics of Computation 36, 1981); x^2 and the quotients keep their rounding
/// errors.
template <class Format, class F> F erfc(F x) {
  F a = abs(x);
  a = select(a > Format::zero_from, x.like(Format::zero_from), a);
  F below = a - Format::middle, above = a + Format::middle;
  F inverse = 1.0 / above;
  F q = below * inverse;
  F above_low = a - (above - Format::middle);
  F below_low = a - (below + Format::middle);
  F rest = fma(-q, above, below) + fma(-q, above_low, below_low);
  q = fma(inverse, rest, q);
  F slope = slope_of_polynomial(q, Format::complement);
  F p = fma(slope, q, a.like(Format::complement[0]));
  F p_low = fma(slope, q, a.like(Format::complement[0]) - p) + Format::complement_low;
  F denominator = fma(a, a.like(2), a.like(1));
  F ratio = p / denominator;
  F denominator_low = fma(a, a.like(2), 1.0 - denominator);
  F residue = fma(-ratio, denominator, p) - fma(ratio, denominator_low, -p_low);
  auto [square, square_low] = exact_product(a, a);
  auto reduced = reduced_by_ln2<Format>(-square);
  F small = expm1_reduced<Format>(reduced.rest - square_low);
  // (1 + small) (ratio + residue / denominator)
  F value = ratio + fma(ratio, small, residue / denominator);
  value = scaled<Format>(value, reduced.integer);
  return select(x < 0.0, 2.0 - value, value);
}

}  // namespace fluxion::kernel::formulas
