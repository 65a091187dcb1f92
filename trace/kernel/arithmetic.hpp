// What the verbs of the kernel language compute on values of C++'s types. For constants (fold) and
// for whole vectors (codegen/vectors), whose loops are compiled for larger registers: everything
// here is its translation unit's own.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace fluxion::kernel {

/// Throws InternalError: a type has no such verb.
[[noreturn]] void no_arithmetic(Verb);

namespace {  // NOLINT(google-build-namespaces)

/// f(a value of the C++ type of `type`); otherwise() for 16-bit floats, which have none, and for
/// complex numbers.
template <class F, class Otherwise>
auto by_type(DType type, const F& f, const Otherwise& otherwise) -> decltype(f(float{})) {
  switch (type) {
    case bool_:
      return f(bool{});
    case int8:
      return f(std::int8_t{});
    case int16:
      return f(std::int16_t{});
    case int32:
      return f(std::int32_t{});
    case int64:
      return f(std::int64_t{});
    case uint8:
      return f(std::uint8_t{});
    case uint16:
      return f(std::uint16_t{});
    case uint32:
      return f(std::uint32_t{});
    case uint64:
      return f(std::uint64_t{});
    case float32:
      return f(float{});
    case float64:
      return f(double{});
    default:
      return otherwise();
  }
}

/// A float's bits.
template <class T> using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Of numbers: NaN wins, and of two zeros the negative one. No branch: vectors take both ways.
template <class T> inline T minimum(T a, T b) {
  const T least = a < b ? a : b;
  if constexpr (std::is_floating_point_v<T>) {
    const T zero = std::bit_cast<T>(std::bit_cast<BitsOf<T>>(a) | std::bit_cast<BitsOf<T>>(b));
    const T number = a == b ? zero : least;
    return a != a ? a : number;
  }
  return least;
}
template <class T> inline T maximum(T a, T b) {
  const T greatest = b < a ? a : b;
  if constexpr (std::is_floating_point_v<T>) {
    const T zero = std::bit_cast<T>(std::bit_cast<BitsOf<T>>(a) & std::bit_cast<BitsOf<T>>(b));
    const T number = a == b ? zero : greatest;
    return a != a ? a : number;
  }
  return greatest;
}

template <class T> inline bool compared(Verb verb, T x, T y) {
  switch (verb) {
    case Verb::equal:
      return x == y;
    case Verb::not_equal:
      return x != y;
    case Verb::less:
      return x < y;
    default:
      return x <= y;
  }
}

template <class T> inline T float_result(Verb verb, T x, T y, T z) {
  switch (verb) {
    case Verb::add:
      return x + y;
    case Verb::sub:
      return x - y;
    case Verb::mul:
      return x * y;
    case Verb::div:
      return x / y;
    case Verb::fma:
      return std::fma(x, y, z);
    case Verb::min:
      return minimum(x, y);
    case Verb::max:
      return maximum(x, y);
    case Verb::neg:
      return -x;
    case Verb::abs:
      return std::fabs(x);
    case Verb::floor:
      return std::floor(x);
    case Verb::ceil:
      return std::ceil(x);
    case Verb::round_even:
      return std::nearbyint(x);
    case Verb::truncate:
      return std::trunc(x);
    case Verb::sqrt:
      return std::sqrt(x);
    default:
      no_arithmetic(verb);
  }
}

template <class T> inline T quotient(T x, T y, bool remainder) {
  if (y == 0) return remainder ? x : static_cast<T>(-1);
  if constexpr (std::is_signed_v<T>) {
    if (y == -1)
      return remainder ? T{0} : static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  }
  return static_cast<T>(remainder ? x % y : x / y);
}

template <class T> inline T high_product(T x, T y) {
  using Twice =
      std::conditional_t<sizeof(T) == 8,
                         std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>,
                         std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
  return static_cast<T>((static_cast<Twice>(x) * static_cast<Twice>(y)) >> (8 * sizeof(T)));
}

template <class T> inline T integer_result(Verb verb, T x, T y) {
  using Unsigned = std::make_unsigned_t<T>;
  // Small types would be promoted to int, which must not overflow.
  using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  constexpr Word width = 8 * sizeof(T);
  const Word ux = static_cast<Unsigned>(x), uy = static_cast<Unsigned>(y);
  switch (verb) {
    case Verb::add:
      return static_cast<T>(ux + uy);
    case Verb::sub:
      return static_cast<T>(ux - uy);
    case Verb::mul:
      return static_cast<T>(ux * uy);
    case Verb::div:
      return quotient(x, y, false);
    case Verb::rem:
      return quotient(x, y, true);
    case Verb::mulhi:
      return high_product(x, y);
    case Verb::min:
      return minimum(x, y);
    case Verb::max:
      return maximum(x, y);
    case Verb::neg:
      return static_cast<T>(0 - ux);
    case Verb::abs:
      return std::is_signed_v<T> && x < 0 ? static_cast<T>(0 - ux) : x;
    case Verb::bit_and:
      return static_cast<T>(ux & uy);
    case Verb::bit_or:
      return static_cast<T>(ux | uy);
    case Verb::bit_xor:
      return static_cast<T>(ux ^ uy);
    case Verb::bit_not:
      return static_cast<T>(~ux);
    case Verb::shift_left:
      return uy >= width ? T{0} : static_cast<T>(ux << (uy % width));
    case Verb::shift_right_logical:
      return uy >= width ? T{0} : static_cast<T>(ux >> (uy % width));
    case Verb::shift_right_arithmetic:
      return static_cast<T>(static_cast<std::make_signed_t<T>>(x) >>
                            (uy >= width ? width - 1 : uy));
    case Verb::clz:
      return static_cast<T>(std::countl_zero(static_cast<Unsigned>(x)));
    case Verb::popcount:
      return static_cast<T>(std::popcount(static_cast<Unsigned>(x)));
    default:
      no_arithmetic(verb);
  }
}

inline bool bool_result(Verb verb, bool x, bool y) {
  switch (verb) {
    case Verb::bit_and:
      return x & y;
    case Verb::bit_or:
      return x | y;
    case Verb::bit_xor:
      return x ^ y;
    case Verb::bit_not:
      return !x;
    default:
      no_arithmetic(verb);
  }
}

/// The result of a verb whose operands and result are of one type.
template <class T> inline T result_of(Verb verb, T x, T y, T z) {
  if constexpr (std::is_same_v<T, bool>) {
    return bool_result(verb, x, y);
  } else if constexpr (std::is_floating_point_v<T>) {
    return float_result(verb, x, y, z);
  } else {
    return integer_result(verb, x, y);
  }
}

/// Between numbers of 32 and 64 bits, integers and bool.
template <class To, class From> inline To converted(From from) {
  if constexpr (std::is_same_v<To, bool>) {
    return from != 0;
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr From low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From high =
        static_cast<From>(std::uint64_t{1} << (std::numeric_limits<To>::digits - 1)) * 2;
    if (from != from) return 0;
    if (from < low) return std::numeric_limits<To>::min();
    if (from >= high) return std::numeric_limits<To>::max();
    return static_cast<To>(from);
  } else {
    return static_cast<To>(from);
  }
}

}  // namespace
}  // namespace fluxion::kernel
