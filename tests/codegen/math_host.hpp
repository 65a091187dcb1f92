// Plain numbers with the verbs of the kernel language, to compute the formulas of math.hpp without
// a compiler.
#pragma once
#include "trace/kernel/math_verbs.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace host {

template <class T> struct Number {
  using Unsigned = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  T value;

  Number like(double v) const { return {static_cast<T>(v)}; }

  friend Number operator+(Number a, Number b) {
    return wrap(a, b, [](auto x, auto y) { return x + y; });
  }
  friend Number operator-(Number a, Number b) {
    return wrap(a, b, [](auto x, auto y) { return x - y; });
  }
  friend Number operator*(Number a, Number b) {
    return wrap(a, b, [](auto x, auto y) { return x * y; });
  }
  friend Number operator/(Number a, Number b) { return {static_cast<T>(a.value / b.value)}; }
  friend Number operator-(Number a) { return {static_cast<T>(-a.value)}; }
  friend Number operator&(Number a, Number b) { return {static_cast<T>(a.value & b.value)}; }
  friend Number operator|(Number a, Number b) { return {static_cast<T>(a.value | b.value)}; }
  friend Number operator^(Number a, Number b) { return {static_cast<T>(a.value ^ b.value)}; }
  friend Number operator~(Number a) {
    if constexpr (std::is_same_v<T, bool>)
      return {!a.value};
    else
      return {~a.value};
  }
  friend Number operator<<(Number a, Number b) {
    return {static_cast<T>(static_cast<Unsigned>(a.value) << b.value)};
  }
  friend Number operator>>(Number a, Number b) { return {static_cast<T>(a.value >> b.value)}; }
  friend Number<bool> operator==(Number a, Number b) { return {a.value == b.value}; }
  friend Number<bool> operator!=(Number a, Number b) { return {a.value != b.value}; }
  friend Number<bool> operator<(Number a, Number b) { return {a.value < b.value}; }
  friend Number<bool> operator<=(Number a, Number b) { return {a.value <= b.value}; }
  friend Number<bool> operator>(Number a, Number b) { return {a.value > b.value}; }
  friend Number<bool> operator>=(Number a, Number b) { return {a.value >= b.value}; }
  friend Number operator+(Number a, double b) { return a + a.like(b); }
  friend Number operator-(Number a, double b) { return a - a.like(b); }
  friend Number operator*(Number a, double b) { return a * a.like(b); }
  friend Number operator/(Number a, double b) { return a / a.like(b); }
  friend Number operator-(double a, Number b) { return b.like(a) - b; }
  friend Number operator/(double a, Number b) { return b.like(a) / b; }
  friend Number<bool> operator==(Number a, double b) { return a == a.like(b); }
  friend Number<bool> operator!=(Number a, double b) { return a != a.like(b); }
  friend Number<bool> operator<(Number a, double b) { return a < a.like(b); }
  friend Number<bool> operator<=(Number a, double b) { return a <= a.like(b); }
  friend Number<bool> operator>(Number a, double b) { return a > a.like(b); }
  friend Number<bool> operator>=(Number a, double b) { return a >= a.like(b); }

 private:
  /// Integers wrap.
  template <class Operation> static Number wrap(Number a, Number b, Operation operation) {
    if constexpr (std::is_integral_v<T>)
      return {static_cast<T>(
          operation(static_cast<Unsigned>(a.value), static_cast<Unsigned>(b.value)))};
    else
      return {operation(a.value, b.value)};
  }
};

template <class T> Number<T> fma(Number<T> a, Number<T> b, Number<T> c) {
  return {std::fma(a.value, b.value, c.value)};
}
template <class T> Number<T> abs(Number<T> a) { return {std::fabs(a.value)}; }
template <class T> Number<T> sqrt(Number<T> a) { return {std::sqrt(a.value)}; }
template <class T> Number<T> truncate(Number<T> a) { return {std::trunc(a.value)}; }
template <class T> Number<T> round_even(Number<T> a) { return {std::nearbyint(a.value)}; }
template <class T> Number<T> select(Number<bool> condition, Number<T> yes, Number<T> no) {
  return condition.value ? yes : no;
}

inline Number<std::int32_t> bits_of(Number<float> x) {
  return {std::bit_cast<std::int32_t>(x.value)};
}
inline Number<std::int64_t> bits_of(Number<double> x) {
  return {std::bit_cast<std::int64_t>(x.value)};
}
inline Number<float> float_of(Number<std::int32_t> x) { return {std::bit_cast<float>(x.value)}; }
inline Number<double> float_of(Number<std::int64_t> x) { return {std::bit_cast<double>(x.value)}; }
inline Number<double> widened(Number<float> x) { return {static_cast<double>(x.value)}; }
inline Number<float> narrowed(Number<double> x) { return {static_cast<float>(x.value)}; }
template <std::size_t N>
Number<double> element(const std::array<double, N>& table, Number<std::int64_t> index) {
  return {table.at(static_cast<std::size_t>(index.value))};
}
template <class F, class I, class Body>
std::pair<F, I> while_positive(F value, I count, const Body& body) {
  while (count.value > 0) std::tie(value, count) = body(value, count);
  return {value, count};
}
template <class F, class I, class Body>
fluxion::kernel::Rest<F, I> unless_large(F x,
                                         double bound,
                                         const fluxion::kernel::Rest<F, I>& usual,
                                         const Body& body) {
  return x.value >= bound ? body(x) : usual;
}
template <class F, class Body> F unless_large(F x, double bound, F usual, const Body& body) {
  return x.value >= bound ? body(x) : usual;
}

}  // namespace host
