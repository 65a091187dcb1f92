// The arithmetic of the kernel language on single values: wrapping integers, saturating
// conversions, correctly rounded floats.
#include "trace/kernel/fold.hpp"

#include "trace/error.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace fluxion::kernel {

int bytes_of(DType type) noexcept {
  switch (type) {
    case bool_:
    case int8:
    case uint8:
      return 1;
    case int16:
    case uint16:
    case float16:
    case bfloat16:
      return 2;
    case int32:
    case uint32:
    case float32:
      return 4;
    case complex128:
      return 16;
    default:
      return 8;
  }
}
bool is_narrow_float(DType type) noexcept { return type == float16 || type == bfloat16; }
bool is_float(DType type) noexcept {
  return type == float32 || type == float64 || is_narrow_float(type);
}
bool is_signed(DType type) noexcept {
  return type == int8 || type == int16 || type == int32 || type == int64;
}
bool is_integer(DType type) noexcept {
  return is_signed(type) || type == uint8 || type == uint16 || type == uint32 || type == uint64;
}

namespace {

template <class T> T value_of(std::uint64_t bits) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(bits);
  } else if constexpr (std::is_same_v<T, bool>) {
    return bits != 0;
  } else {
    return static_cast<T>(bits);
  }
}

template <class T> std::uint64_t bits_from(T value) {
  if constexpr (std::is_same_v<T, float>) {
    return std::isnan(value) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(value);
  } else if constexpr (std::is_same_v<T, double>) {
    return std::isnan(value) ? 0x7ff8000000000000u : std::bit_cast<std::uint64_t>(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? 1 : 0;
  } else {
    return static_cast<std::make_unsigned_t<T>>(value);
  }
}

/// Calls f with a value of the C++ type of `type`; 16-bit floats have none.
template <class F> std::uint64_t with_type(DType type, F f) {
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
      throw InternalError("no arithmetic in a type of the kernel language");
  }
}

/// A double in a format of `exponent_bits` and `fraction_bits`, rounded once to nearest even.
std::uint64_t narrow(double value, int exponent_bits, int fraction_bits) {
  std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
  std::uint64_t sign = bits >> 63 << (exponent_bits + fraction_bits);
  std::uint64_t infinity = ((std::uint64_t{1} << exponent_bits) - 1) << fraction_bits;
  if (std::isnan(value)) return sign | infinity | std::uint64_t{1} << (fraction_bits - 1);
  if (std::isinf(value)) return sign | infinity;
  if (value == 0) return sign;
  int bias = (1 << (exponent_bits - 1)) - 1;
  int exponent = 0;
  double mantissa = std::frexp(std::fabs(value), &exponent);  // in [1/2, 1)
  int lowest = 1 - bias - fraction_bits;  // exponent of the last place, subnormal
  int last = std::max(exponent - 1 - fraction_bits, lowest);
  // The scaling is exact (at most 53 bits remain) or falls below one half of the last place.
  double scaled = std::nearbyint(std::ldexp(mantissa, exponent - last));
  std::uint64_t integer = static_cast<std::uint64_t>(scaled);
  std::uint64_t field = static_cast<std::uint64_t>(last - lowest);
  // The hidden bit, and a carry out of the fraction, add to the exponent by themselves.
  std::uint64_t magnitude = (field << fraction_bits) + integer;
  return sign | std::min(magnitude, infinity);
}

double widen(std::uint64_t bits, int exponent_bits, int fraction_bits) {
  std::uint64_t fraction = bits & ((std::uint64_t{1} << fraction_bits) - 1);
  int exponent = static_cast<int>(bits >> fraction_bits & ((1u << exponent_bits) - 1));
  int bias = (1 << (exponent_bits - 1)) - 1;
  double sign = bits >> (exponent_bits + fraction_bits) & 1 ? -1.0 : 1.0;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction ? std::numeric_limits<double>::quiet_NaN()
                    : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0)
    return sign * std::ldexp(static_cast<double>(fraction), 1 - bias - fraction_bits);
  return sign * std::ldexp(static_cast<double>(fraction | std::uint64_t{1} << fraction_bits),
                           exponent - bias - fraction_bits);
}

int exponent_bits(DType narrow_float) { return narrow_float == float16 ? 5 : 8; }
int fraction_bits(DType narrow_float) { return narrow_float == float16 ? 10 : 7; }

template <class To, class From> To convert_value(From from) {
  if constexpr (std::is_same_v<To, bool>) {
    return from != 0;
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(from)) return 0;
    From low = static_cast<From>(std::numeric_limits<To>::min());
    From high = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    if (from < low) return std::numeric_limits<To>::min();
    if (from >= high) return std::numeric_limits<To>::max();
    return static_cast<To>(from);
  } else {
    return static_cast<To>(from);
  }
}

/// An integer as a double that narrow() rounds as it would round the integer: bits beyond 53 become
/// one sticky bit.
template <class T> double sticky_double(T value) {
  if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
    std::uint64_t magnitude = static_cast<std::uint64_t>(value);
    bool negative = std::is_signed_v<T> && value < 0;
    if (negative) magnitude = 0 - magnitude;
    if (magnitude >> 53) {
      magnitude = (magnitude & ~std::uint64_t{0x7ff}) | ((magnitude & 0x7ff) != 0 ? 0x800u : 0u);
    }
    double result = static_cast<double>(magnitude);
    return negative ? -result : result;
  } else {
    return static_cast<double>(value);
  }
}

}  // namespace

std::uint64_t convert_bits(DType from, DType to, std::uint64_t bits) {
  if (from == to) return bits;
  if (is_narrow_float(from)) {
    double value = widen(bits, exponent_bits(from), fraction_bits(from));
    if (is_narrow_float(to)) return narrow(value, exponent_bits(to), fraction_bits(to));
    return convert_bits(float64, to, bits_from(value));
  }
  return with_type(from, [&](auto sample) {
    auto value = value_of<decltype(sample)>(bits);
    if (is_narrow_float(to)) {
      return narrow(sticky_double(value), exponent_bits(to), fraction_bits(to));
    }
    return with_type(
        to, [&](auto target) { return bits_from(convert_value<decltype(target)>(value)); });
  });
}

std::uint64_t bits_of(DType type, double value) {
  return convert_bits(float64, type, std::bit_cast<std::uint64_t>(value));
}

namespace {

template <class T> T minimum(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
    if (a == b) return std::signbit(a) ? a : b;
  }
  return a < b ? a : b;
}
template <class T> T maximum(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
    if (a == b) return std::signbit(a) ? b : a;
  }
  return a < b ? b : a;
}

std::uint64_t fold_comparison(Verb verb, DType type, std::uint64_t a, std::uint64_t b) {
  return with_type(type, [&](auto sample) -> std::uint64_t {
    auto x = value_of<decltype(sample)>(a), y = value_of<decltype(sample)>(b);
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
  });
}

template <class T> T fold_float(Verb verb, T x, T y, T z) {
  switch (verb) {
    case Verb::add:
      return x + y;
    case Verb::sub:
      return x - y;
    case Verb::mul:
      return x * y;
    case Verb::div:
      return x / y;
    case Verb::rem:
      return std::fmod(x, y);
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
      throw InternalError(std::string("no float arithmetic for ") + name_of(verb));
  }
}

template <class T> T divide(T x, T y, bool remainder) {
  if (y == 0) return remainder ? x : static_cast<T>(-1);
  if constexpr (std::is_signed_v<T>) {
    if (y == -1)
      return remainder ? T{0} : static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  }
  return static_cast<T>(remainder ? x % y : x / y);
}

template <class T> T high_product(T x, T y) {
  using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
  return static_cast<T>((static_cast<Wide>(x) * static_cast<Wide>(y)) >> (8 * sizeof(T)));
}

template <class T> T fold_integer(Verb verb, T x, T y) {
  using Unsigned = std::make_unsigned_t<T>;
  constexpr int width = 8 * sizeof(T);
  // Through 64 bits, so that no small type is promoted to int.
  std::uint64_t ux = static_cast<Unsigned>(x), uy = static_cast<Unsigned>(y);
  switch (verb) {
    case Verb::add:
      return static_cast<T>(ux + uy);
    case Verb::sub:
      return static_cast<T>(ux - uy);
    case Verb::mul:
      return static_cast<T>(ux * uy);
    case Verb::div:
      return divide(x, y, false);
    case Verb::rem:
      return divide(x, y, true);
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
      return uy >= width ? T{0} : static_cast<T>(ux << uy);
    case Verb::shift_right_logical:
      return uy >= width ? T{0} : static_cast<T>(ux >> uy);
    case Verb::shift_right_arithmetic:
      return static_cast<T>(static_cast<std::make_signed_t<T>>(x) >>
                            std::min<std::uint64_t>(uy, width - 1));
    case Verb::clz:
      return static_cast<T>(std::countl_zero(static_cast<Unsigned>(x)));
    case Verb::popcount:
      return static_cast<T>(std::popcount(static_cast<Unsigned>(x)));
    default:
      throw InternalError(std::string("no integer arithmetic for ") + name_of(verb));
  }
}

std::uint64_t fold_bool(Verb verb, std::uint64_t a, std::uint64_t b) {
  switch (verb) {
    case Verb::bit_and:
      return a & b;
    case Verb::bit_or:
      return a | b;
    case Verb::bit_xor:
      return a ^ b;
    case Verb::bit_not:
      return a ^ 1;
    default:
      throw InternalError(std::string("no arithmetic on bool for ") + name_of(verb));
  }
}

}  // namespace

std::uint64_t fold(
    Verb verb, DType result, DType operand, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  switch (verb) {
    case Verb::select:
      return a ? b : c;
    case Verb::bitcast:
      return a;
    case Verb::convert:
      return convert_bits(operand, result, a);
    case Verb::equal:
    case Verb::not_equal:
    case Verb::less:
    case Verb::less_equal:
      return fold_comparison(verb, operand, a, b);
    default:
      break;
  }
  if (result == bool_) return fold_bool(verb, a, b);
  return with_type(result, [&](auto sample) -> std::uint64_t {
    using T = decltype(sample);
    if constexpr (std::is_floating_point_v<T>) {
      return bits_from(fold_float(verb, value_of<T>(a), value_of<T>(b), value_of<T>(c)));
    } else if constexpr (!std::is_same_v<T, bool>) {
      return bits_from(fold_integer(verb, value_of<T>(a), value_of<T>(b)));
    } else {
      throw InternalError("unreachable");
    }
  });
}

}  // namespace fluxion::kernel
