// What every verb computes on one element, written apart from the library's own constant folding.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <type_traits>

namespace fluxion::test {

/// Values are zero-extended bit patterns.
struct KernelArithmetic {
  using Verb = kernel::Verb;
  using Bits = std::uint64_t;

  static std::size_t bytes(DType type) {
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
      default:
        return 8;
    }
  }
  template <class F> static auto typed(DType type, F f) {
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
        throw std::logic_error("a type without arithmetic");
    }
  }
  template <class T> static T get(Bits bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  template <class T> static Bits put(T value) {
    Bits bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
  }

  static float narrow_value(DType type, std::uint16_t bits) {
    if (type == bfloat16) return get<float>(Bits{bits} << 16);
    return static_cast<float>(get<_Float16>(bits));
  }
  /// The 16-bit float nearest to x, ties to even, found by comparing distances.
  static Bits nearest(DType type, long double x) {
    const int fraction = type == float16 ? 10 : 7;
    const std::uint16_t infinity = type == float16 ? 0x7c00 : 0x7f80;
    const Bits sign = std::signbit(x) ? 0x8000 : 0;
    if (std::isnan(x)) return sign | infinity | 1u << (fraction - 1);
    const long double magnitude = std::fabs(x);
    auto value = [&](unsigned bits) -> long double {
      // Beyond the greatest number the next power of two stands for infinity.
      return bits < infinity
                 ? static_cast<long double>(narrow_value(type, static_cast<std::uint16_t>(bits)))
                 : std::ldexp(1.0L, type == float16 ? 16 : 128);
    };
    if (magnitude >= value(infinity)) return sign | infinity;
    unsigned low = 0, high = infinity;
    while (high - low > 1) {
      unsigned middle = (low + high) / 2;
      (value(middle) <= magnitude ? low : high) = middle;
    }
    const long double below = magnitude - value(low), above = value(high) - magnitude;
    const bool up = above < below || (above == below && low % 2 == 1);
    return sign | (up ? high : low);
  }
  template <class To, class From> static To number(From x) {
    if constexpr (std::is_same_v<To, bool>) {
      return x != From{0};
    } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
      const long double whole = std::trunc(static_cast<long double>(x));
      if (std::isnan(x)) return To{0};
      if (whole <= static_cast<long double>(std::numeric_limits<To>::min()))
        return std::numeric_limits<To>::min();
      if (whole >= static_cast<long double>(std::numeric_limits<To>::max()))
        return std::numeric_limits<To>::max();
      return static_cast<To>(whole);
    } else {
      return static_cast<To>(x);
    }
  }
  static Bits convert(DType from, DType to, Bits bits) {
    const bool narrow_from = from == float16 || from == bfloat16;
    const bool narrow_to = to == float16 || to == bfloat16;
    if (from == to) return bits;
    if (narrow_from) {
      const float value = narrow_value(from, static_cast<std::uint16_t>(bits));
      if (narrow_to) return nearest(to, value);
      return typed(to, [&](auto t) { return put(number<decltype(t)>(value)); });
    }
    return typed(from, [&](auto f) {
      const auto value = get<decltype(f)>(bits);
      if (narrow_to) return nearest(to, static_cast<long double>(value));
      return typed(to, [&](auto t) { return put(number<decltype(t)>(value)); });
    });
  }

  template <class T> static bool is_nan(T x) {
    if constexpr (std::is_floating_point_v<T>)
      return std::isnan(x);
    else
      return false;
  }
  template <class T> static bool before(T x, T y) {  // -0 before +0
    if constexpr (std::is_floating_point_v<T>) {
      if (x == 0 && y == 0) return std::signbit(x) && !std::signbit(y);
    }
    return x < y;
  }
  template <class T> static T lesser(T x, T y) {
    return is_nan(x) ? x : is_nan(y) ? y : before(y, x) ? y : x;
  }
  template <class T> static T greater(T x, T y) {
    return is_nan(x) ? x : is_nan(y) ? y : before(x, y) ? y : x;
  }
  template <class T> static T floating(Verb verb, T x, T y, T z) {
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
        return lesser(x, y);
      case Verb::max:
        return greater(x, y);
      case Verb::neg:
        return std::copysign(x, std::signbit(x) ? T{1} : T{-1});
      case Verb::abs:
        return std::copysign(x, T{1});
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
        throw std::logic_error("not a verb of floats");
    }
  }
  template <class T> static T whole(Verb verb, T x, T y) {
    using Wide = __int128;  // holds every product and every sum
    const int width = 8 * sizeof(T);
    const Wide a = x, b = y;
    const std::make_unsigned_t<T> unsigned_x = static_cast<std::make_unsigned_t<T>>(x);
    const bool beyond = b < 0 || b >= width;
    switch (verb) {
      case Verb::add:
        return static_cast<T>(a + b);
      case Verb::sub:
        return static_cast<T>(a - b);
      case Verb::mul:
        return static_cast<T>(static_cast<unsigned __int128>(a) *
                              static_cast<unsigned __int128>(b));
      case Verb::div:
        return y == 0 ? static_cast<T>(-1) : static_cast<T>(a / b);
      case Verb::rem:
        return y == 0 ? x : static_cast<T>(a % b);
      case Verb::mulhi:
        if constexpr (std::is_unsigned_v<T>)
          return static_cast<T>(static_cast<unsigned __int128>(x) * y >> width);
        else
          return static_cast<T>(a * b >> width);
      case Verb::min:
        return x < y ? x : y;
      case Verb::max:
        return x < y ? y : x;
      case Verb::neg:
        return static_cast<T>(-a);
      case Verb::abs:
        return static_cast<T>(a < 0 ? -a : a);
      case Verb::bit_and:
        return static_cast<T>(x & y);
      case Verb::bit_or:
        return static_cast<T>(x | y);
      case Verb::bit_xor:
        return static_cast<T>(x ^ y);
      case Verb::bit_not:
        return static_cast<T>(~x);
      case Verb::shift_left:
        return beyond ? T{0}
                      : static_cast<T>(static_cast<unsigned __int128>(a) << static_cast<int>(b));
      case Verb::shift_right_logical:
        return beyond ? T{0} : static_cast<T>(unsigned_x >> static_cast<int>(b));
      case Verb::shift_right_arithmetic:
        return static_cast<T>(static_cast<std::make_signed_t<T>>(x) >>
                              (beyond ? width - 1 : static_cast<int>(b)));
      case Verb::clz: {
        int zeros = 0;
        while (zeros < width && !(unsigned_x >> (width - 1 - zeros) & 1)) ++zeros;
        return static_cast<T>(zeros);
      }
      case Verb::popcount: {
        int ones = 0;
        for (int k = 0; k < width; ++k) ones += static_cast<int>(unsigned_x >> k & 1);
        return static_cast<T>(ones);
      }
      default:
        throw std::logic_error("not a verb of integers");
    }
  }
  static Bits arithmetic(Verb verb, DType type, Bits a, Bits b, Bits c) {
    if (verb == Verb::bitcast) return a;
    if (verb == Verb::select) return a ? b : c;
    if (type == bool_ && verb == Verb::bit_not) return a ? 0 : 1;
    return typed(type, [&](auto sample) -> Bits {
      using T = decltype(sample);
      const T x = get<T>(a), y = get<T>(b);
      switch (verb) {
        case Verb::equal:
          return x == y;
        case Verb::not_equal:
          return x != y;
        case Verb::less:
          return x < y;
        case Verb::less_equal:
          return x <= y;
        default:
          break;
      }
      if constexpr (std::is_same_v<T, bool>)
        return verb == Verb::bit_and ? a & b : verb == Verb::bit_or ? a | b : a ^ b;
      else if constexpr (std::is_floating_point_v<T>)
        return put(floating(verb, x, y, get<T>(c)));
      else
        return put(whole(verb, x, y));
    });
  }

  static Bits combine(kernel::Combiner combiner, DType type, Bits a, Bits b) {
    static constexpr Verb verbs[] = {
        Verb::add, Verb::mul, Verb::min, Verb::max, Verb::bit_and, Verb::bit_or, Verb::bit_xor};
    return arithmetic(verbs[static_cast<std::size_t>(combiner)], type, a, b, 0);
  }
  static Bits identity(kernel::Combiner combiner, DType type) {
    using kernel::Combiner;
    return typed(type, [&](auto sample) -> Bits {
      using T = decltype(sample);
      using Limits = std::numeric_limits<T>;
      constexpr bool floating = std::is_floating_point_v<T>;
      switch (combiner) {
        case Combiner::add:
          return floating ? put(static_cast<T>(-0.0)) : Bits{0};
        case Combiner::mul:
          return put(T{1});
        case Combiner::min:
        case Combiner::arg_min:
          return put(floating ? Limits::infinity() : Limits::max());
        case Combiner::max:
        case Combiner::arg_max:
          return put(floating ? static_cast<T>(-Limits::infinity()) : Limits::lowest());
        case Combiner::bit_and:
          return std::is_same_v<T, bool> ? Bits{1} : put(static_cast<T>(~Bits{0}));
        default:
          return 0;
      }
    });
  }
  /// Whether (x, i) is to be replaced by (y, k): NaN wins, then the better value, then the smaller
  /// index.
  static bool replaces(kernel::Combiner combiner, DType type, Bits x, Bits i, Bits y, Bits k) {
    return typed(type, [&](auto sample) {
      using T = decltype(sample);
      const T a = get<T>(x), b = get<T>(y);
      if (is_nan(a) != is_nan(b)) return is_nan(b);
      const bool tie = is_nan(a) || a == b;
      if (tie) return static_cast<std::int64_t>(k) < static_cast<std::int64_t>(i);
      return combiner == kernel::Combiner::arg_min ? b < a : a < b;
    });
  }
  static bool is_pair(kernel::Combiner c) {
    return c == kernel::Combiner::arg_min || c == kernel::Combiner::arg_max;
  }
};

}  // namespace fluxion::test
