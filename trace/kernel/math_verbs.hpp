// What the formulas of math.hpp are written in beside operators: formats, bit patterns, exact sums.
#pragma once
#include "trace/kernel/builder.hpp"

#include <array>
#include <bit>

namespace fluxion::kernel {

// The formulas are templates over the number type: Scalar writes kernels, and a plain number with
// the same operators computes the same bits where a test wants them. These are what differs.
/// The bit pattern of a float32 or float64, as a signed integer.
inline Scalar bits_of(Scalar x) { return bitcast(x, x.type() == float32 ? int32 : int64); }
/// The float of a bit pattern.
inline Scalar float_of(Scalar bits) {
  return bitcast(bits, bits.type() == int32 ? float32 : float64);
}
inline Scalar widened(Scalar x) { return convert(x, float64); }
inline Scalar narrowed(Scalar x) { return convert(x, float32); }
/// An element of a table of float64, by an int64 index.
template <std::size_t N> Scalar element(const std::array<double, N>& table, Scalar index) {
  std::vector<std::uint64_t> bits;
  for (double value : table) bits.push_back(std::bit_cast<std::uint64_t>(value));
  Builder& builder = index.builder();
  return builder.lookup(builder.table(float64, std::move(bits)), index);
}
/// (value, count) after body(value, count) has been applied for as long as count > 0.
template <class Body>
std::pair<Scalar, Scalar> while_positive(Scalar value, Scalar count, const Body& body) {
  auto last = value.builder().repeat_while(
      {value, count},
      [](std::vector<Scalar> now) { return now[1] > 0.0; },
      [&](std::vector<Scalar> now) {
        auto [next_value, next_count] = body(now[0], now[1]);
        return std::vector<Scalar>{next_value, next_count};
      });
  return {last[0], last[1]};
}
/// `usual`, or where x >= bound, which should be rare, body(x): no lane pays that all others do not
/// need.
template <class Body> Scalar unless_large(Scalar x, double bound, Scalar usual, const Body& body) {
  return x.builder().repeat_while(
      {x, usual},
      [&](std::vector<Scalar> now) { return now[0] >= bound; },
      [&](std::vector<Scalar> now) { return std::vector<Scalar>{x.like(0), body(now[0])}; })[1];
}

/// What is left of an angle after whole quarter turns: r + r_low, and their number in the lowest
/// bits.
template <class F, class I> struct Rest {
  F r, r_low;
  I n;
};
template <class Body>
Rest<Scalar, Scalar> unless_large(Scalar x,
                                  double bound,
                                  const Rest<Scalar, Scalar>& usual,
                                  const Body& body) {
  const auto last = x.builder().repeat_while(
      {x, usual.r, usual.r_low, usual.n},
      [&](std::vector<Scalar> now) { return now[0] >= bound; },
      [&](std::vector<Scalar> now) {
        const auto rest = body(now[0]);
        return std::vector<Scalar>{x.like(0), rest.r, rest.r_low, rest.n};
      });
  return {last[1], last[2], last[3]};
}

/// The constants of a floating-point format; patterns are signed integers that a double holds.
struct Single {
  static constexpr int fraction = 23;              // bits after the point
  static constexpr double one = 0x3f800000;        // pattern of 1
  static constexpr double sign = -0x80000000LL;    // pattern of -0
  static constexpr double root_half = 0x3f3504f3;  // pattern of sqrt(1/2)
  static constexpr double magic = 0x1.8p23;        // added and subtracted: rounds to an integer
  static constexpr double magic_bits = 0x4b400000;
  static constexpr double smallest_normal = 0x1p-126;
  static constexpr double ln2_high = 0x1.62e4p-1;  // the product with an exponent is exact
  static constexpr double ln2_low = 0x1.7f7d1cf8p-20f;
  static constexpr double to_normal = 0x1p24;  // brings every subnormal among the normals
  static constexpr int to_normal_exponent = 24;
};
struct Double {
  static constexpr int fraction = 52;
  static constexpr double one = 0x3ff0000000000000;
  static constexpr double sign = -0x1p63;
  static constexpr double root_half = 0x3fe6a09e00000000;
  static constexpr double magic = 0x1.8p52;
  static constexpr double magic_bits = 0x4338000000000000;
  static constexpr double smallest_normal = 0x1p-1022;
  static constexpr double ln2_high = 0x1.62e42fefa38p-1;
  static constexpr double ln2_low = 0x1.ef35793c7673p-45;
  static constexpr double to_normal = 0x1p54;
  static constexpr int to_normal_exponent = 54;
};
inline constexpr double infinity = __builtin_inf();
inline constexpr double not_a_number = __builtin_nan("");

/// c[from] + c[from + step] x + c[from + 2 step] x^2 + ..., by Horner's rule.
template <class F, std::size_t N>
F horner(F x, const std::array<double, N>& c, std::size_t from, std::size_t step) {
  std::size_t k = N - 1 - (N - 1 - from) % step;
  F sum = x.like(c[k]);
  for (; k > from; k -= step) sum = fma(sum, x, x.like(c[k - step]));
  return sum;
}
/// c[1] + c[2] x + ...; the later terms of a long one, whose rounding does not count, as two sums
/// that a processor computes at the same time.
template <class F, std::size_t N> F slope_of_polynomial(F x, const std::array<double, N>& c) {
  if constexpr (N < 10) {
    return horner(x, c, 1, 1);
  } else {
    F square = x * x;
    F later = fma(horner(square, c, 4, 2), x, horner(square, c, 3, 2));
    return fma(fma(later, x, x.like(c[2])), x, x.like(c[1]));
  }
}
/// c[0] + c[1] x + ...
template <class F, std::size_t N> F polynomial(F x, const std::array<double, N>& c) {
  return fma(slope_of_polynomial(x, c), x, x.like(c[0]));
}
/// 2^n for an integer of the format's width, within the normal range.
template <class Format, class I> auto power_of_two(I n) {
  return float_of((n << n.like(Format::fraction)) + Format::one);
}
/// An integer of the format's width as a float, |i| < 2^22.
template <class Format, class I> auto float_from(I i) {
  return float_of(i + Format::magic_bits) - Format::magic;
}
/// The magnitude of a (>= 0) with the sign of b.
template <class Format, class F> F with_sign(F a, F b) {
  auto bits = bits_of(b);
  return float_of(bits_of(a) | (bits & bits.like(Format::sign)));
}
/// Flips the sign of a where b's is set.
template <class Format, class F> F times_sign(F a, F b) {
  auto bits = bits_of(b);
  return float_of(bits_of(a) ^ (bits & bits.like(Format::sign)));
}

/// high + low, unevaluated.
template <class F> struct Pair {
  F high, low;
};
/// a + b exactly (Knuth).
template <class F> Pair<F> exact_sum(F a, F b) {
  F sum = a + b;
  F b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}
/// a + b exactly where a is zero or |a| >= |b| (Dekker).
template <class F> Pair<F> exact_sum_ordered(F a, F b) {
  F sum = a + b;
  return {sum, b - (sum - a)};
}
/// a * b exactly.
template <class F> Pair<F> exact_product(F a, F b) {
  F product = a * b;
  return {product, fma(a, b, -product)};
}

}  // namespace fluxion::kernel
