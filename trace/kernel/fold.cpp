// The arithmetic of the kernel language on single values: wrapping integers, saturating
// conversions, correctly rounded floats.
#include "trace/kernel/fold.hpp"

#include "trace/error.hpp"
#include "trace/kernel/arithmetic.hpp"

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

template <class F> std::uint64_t with_type(DType type, const F& f) {
  return by_type(type, f, []() -> std::uint64_t {
    throw InternalError("no arithmetic in a type of the kernel language");
  });
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
    return with_type(to,
                     [&](auto target) { return bits_from(converted<decltype(target)>(value)); });
  });
}

std::uint64_t bits_of(DType type, double value) {
  return convert_bits(float64, type, std::bit_cast<std::uint64_t>(value));
}

void no_arithmetic(Verb verb) {
  throw InternalError(std::string("no arithmetic for ") + name_of(verb));
}

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
      return with_type(operand, [&](auto sample) -> std::uint64_t {
        using T = decltype(sample);
        return compared(verb, value_of<T>(a), value_of<T>(b));
      });
    default:
      break;
  }
  return with_type(result, [&](auto sample) {
    using T = decltype(sample);
    return bits_from(result_of(verb, value_of<T>(a), value_of<T>(b), value_of<T>(c)));
  });
}

}  // namespace fluxion::kernel
