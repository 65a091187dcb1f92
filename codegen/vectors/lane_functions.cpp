// Loops that the compiler turns into AVX2's instructions.
#include "codegen/vectors/lane_functions.hpp"

#ifdef __x86_64__

#include "trace/kernel/arithmetic.hpp"
#include "trace/kernel/fold.hpp"

#include <immintrin.h>

// Lanes do not depend on each other, also where the result is an operand.
#ifdef __clang__
#define FLUXION_LANES _Pragma("clang loop vectorize(assume_safety)")
#else
#define FLUXION_LANES _Pragma("GCC ivdep")
#endif

namespace fluxion::codegen {
namespace {

using kernel::Combiner;
using kernel::Verb;

constexpr int operands_of(Verb verb) {
  switch (verb) {
    case Verb::neg:
    case Verb::abs:
    case Verb::floor:
    case Verb::ceil:
    case Verb::round_even:
    case Verb::truncate:
    case Verb::sqrt:
    case Verb::bit_not:
    case Verb::clz:
    case Verb::popcount:
      return 1;
    case Verb::fma:
      return 3;
    default:
      return 2;
  }
}

template <Verb verb, class T>
void compute(void* out, const void* a, const void* b, const void* c, std::int64_t lanes) {
  constexpr int operands = operands_of(verb);
  T* const r = static_cast<T*>(out);
  const T *const x = static_cast<const T*>(a), *const y = static_cast<const T*>(b),
                 *const z = static_cast<const T*>(c);
  FLUXION_LANES
  for (std::int64_t k = 0; k < lanes; ++k) {
    if constexpr (operands == 1) {
      r[k] = kernel::result_of(verb, x[k], T{}, T{});
    } else if constexpr (operands == 2) {
      r[k] = kernel::result_of(verb, x[k], y[k], T{});
    } else {
      r[k] = kernel::result_of(verb, x[k], y[k], z[k]);
    }
  }
}

template <Verb verb, class T>
void compare(void* out, const void* a, const void* b, const void*, std::int64_t lanes) {
  bool* const r = static_cast<bool*>(out);
  const T *const x = static_cast<const T*>(a), *const y = static_cast<const T*>(b);
  FLUXION_LANES
  for (std::int64_t k = 0; k < lanes; ++k) r[k] = kernel::compared(verb, x[k], y[k]);
}

template <class Word>
void select(void* out, const void* a, const void* b, const void* c, std::int64_t lanes) {
  Word* const r = static_cast<Word*>(out);
  const std::uint8_t* const which = static_cast<const std::uint8_t*>(a);
  const Word *const x = static_cast<const Word*>(b), *const y = static_cast<const Word*>(c);
  FLUXION_LANES
  for (std::int64_t k = 0; k < lanes; ++k) {
    const Word first = static_cast<Word>(0) - which[k];  // all bits or none
    r[k] = static_cast<Word>((x[k] & first) | (y[k] & ~first));
  }
}

template <class Word>
void copy(void* out, const void* a, const void*, const void*, std::int64_t lanes) {
  Word* const r = static_cast<Word*>(out);
  const Word* const x = static_cast<const Word*>(a);
  FLUXION_LANES
  for (std::int64_t k = 0; k < lanes; ++k) r[k] = x[k];
}

template <class To, class From>
void convert(void* out, const void* a, const void*, const void*, std::int64_t lanes) {
  To* const r = static_cast<To*>(out);
  const From* const x = static_cast<const From*>(a);
  FLUXION_LANES
  for (std::int64_t k = 0; k < lanes; ++k) r[k] = kernel::converted<To>(x[k]);
}

// 16-bit floats. What converts to float32 converts on from there, without another rounding.

float widened(DType from, std::uint16_t bits) {
  if (from == float16) return _cvtsh_ss(bits);
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

template <class To, DType from>
void widen(void* out, const void* a, const void*, const void*, std::int64_t lanes) {
  To* const r = static_cast<To*>(out);
  const std::uint16_t* const x = static_cast<const std::uint16_t*>(a);
  std::int64_t k = 0;
  if constexpr (std::is_same_v<To, float> && from == float16) {
    for (; k + 8 <= lanes; k += 8)
      _mm256_storeu_ps(r + k,
                       _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k))));
  }
  FLUXION_LANES
  for (; k < lanes; ++k) r[k] = kernel::converted<To>(widened(from, x[k]));
}

void float_to_half(void* out, const void* a, const void*, const void*, std::int64_t lanes) {
  std::uint16_t* const r = static_cast<std::uint16_t*>(out);
  const float* const x = static_cast<const float*>(a);
  std::int64_t k = 0;
  for (; k + 8 <= lanes; k += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(r + k),
                     _mm256_cvtps_ph(_mm256_loadu_ps(x + k), _MM_FROUND_TO_NEAREST_INT));
  for (; k < lanes; ++k) r[k] = _cvtss_sh(x[k], _MM_FROUND_TO_NEAREST_INT);
}

void float_to_bfloat(void* out, const void* a, const void*, const void*, std::int64_t lanes) {
  std::uint16_t* const r = static_cast<std::uint16_t*>(out);
  const float* const x = static_cast<const float*>(a);
  FLUXION_LANES
  for (std::int64_t k = 0; k < lanes; ++k) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x[k]);
    const std::uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    r[k] = static_cast<std::uint16_t>(x[k] != x[k] ? bits >> 16 | 0x40 : rounded);
  }
}

template <class T> constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return bool_;
  if constexpr (std::is_same_v<T, double>) return float64;
  constexpr bool is_signed = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1:
      return is_signed ? int8 : uint8;
    case 2:
      return is_signed ? int16 : uint16;
    case 4:
      return is_signed ? int32 : uint32;
    default:
      return is_signed ? int64 : uint64;
  }
}

/// Rounded once, one after the other.
template <class From, DType from, DType to>
void narrow(void* out, const void* a, const void*, const void*, std::int64_t lanes) {
  std::uint16_t* const r = static_cast<std::uint16_t*>(out);
  const From* const x = static_cast<const From*>(a);
  for (std::int64_t k = 0; k < lanes; ++k) {
    std::uint64_t bits = 0;
    __builtin_memcpy(&bits, x + k, sizeof(From));
    r[k] = static_cast<std::uint16_t>(kernel::convert_bits(from, to, bits));
  }
}

template <class T>
void take_least(void* x,
                std::int64_t* i,
                const void* y,
                const std::int64_t* j,
                std::int64_t lanes,
                bool greatest) {
  T* const values = static_cast<T*>(x);
  const T* const others = static_cast<const T*>(y);
  for (std::int64_t k = 0; k < lanes; ++k) {
    const T have = values[k], offered = others[k];
    const bool have_nan = have != have, offered_nan = offered != offered;
    const bool better = (greatest ? have < offered : offered < have) || (offered_nan && !have_nan);
    const bool tie = have == offered || (have_nan && offered_nan);
    if (!better && !(tie && j[k] < i[k])) continue;
    values[k] = offered;
    i[k] = j[k];
  }
}

template <class T>
void arg_min(void* x, std::int64_t* i, const void* y, const std::int64_t* j, std::int64_t lanes) {
  take_least<T>(x, i, y, j, lanes, false);
}
template <class T>
void arg_max(void* x, std::int64_t* i, const void* y, const std::int64_t* j, std::int64_t lanes) {
  take_least<T>(x, i, y, j, lanes, true);
}

/// f of a value of the C++ type; null for 16-bit floats and what is no type of a kernel.
template <class F> auto with_type(DType type, const F& f) -> decltype(f(float{})) {
  return kernel::by_type(type, f, [] { return nullptr; });
}

template <class T> LaneFunction arithmetic(Verb verb) {
#define FLUXION_VERB(name) \
  case Verb::name:         \
    return compute<Verb::name, T>;
  if constexpr (std::is_integral_v<T>) {
    switch (verb) {
      FLUXION_VERB(bit_and)
      FLUXION_VERB(bit_or)
      FLUXION_VERB(bit_xor)
      FLUXION_VERB(bit_not)
      default:
        break;
    }
  }
  if constexpr (!std::is_same_v<T, bool>) {
    switch (verb) {
      FLUXION_VERB(add)
      FLUXION_VERB(sub)
      FLUXION_VERB(mul)
      FLUXION_VERB(div)
      FLUXION_VERB(min)
      FLUXION_VERB(max)
      FLUXION_VERB(neg)
      FLUXION_VERB(abs)
      default:
        break;
    }
  }
  if constexpr (std::is_floating_point_v<T>) {
    switch (verb) {
      FLUXION_VERB(fma)
      FLUXION_VERB(floor)
      FLUXION_VERB(ceil)
      FLUXION_VERB(round_even)
      FLUXION_VERB(truncate)
      FLUXION_VERB(sqrt)
      default:
        break;
    }
  } else if constexpr (!std::is_same_v<T, bool>) {
    switch (verb) {
      FLUXION_VERB(rem)
      FLUXION_VERB(mulhi)
      FLUXION_VERB(shift_left)
      FLUXION_VERB(shift_right_logical)
      FLUXION_VERB(shift_right_arithmetic)
      FLUXION_VERB(clz)
      FLUXION_VERB(popcount)
      default:
        break;
    }
  }
#undef FLUXION_VERB
  return nullptr;
}

template <class T> LaneFunction comparison(Verb verb) {
  switch (verb) {
    case Verb::equal:
      return compare<Verb::equal, T>;
    case Verb::not_equal:
      return compare<Verb::not_equal, T>;
    case Verb::less:
      return compare<Verb::less, T>;
    default:
      return compare<Verb::less_equal, T>;
  }
}

template <template <class> class Function> LaneFunction by_bytes(int bytes) {
  switch (bytes) {
    case 1:
      return Function<std::uint8_t>::run;
    case 2:
      return Function<std::uint16_t>::run;
    case 4:
      return Function<std::uint32_t>::run;
    default:
      return Function<std::uint64_t>::run;
  }
}
template <class Word> struct Select {
  static constexpr LaneFunction run = select<Word>;
};
template <class Word> struct Copy {
  static constexpr LaneFunction run = copy<Word>;
};

LaneFunction to_narrow(DType to, DType from) {
  if (from == float32) return to == float16 ? float_to_half : float_to_bfloat;
  if (kernel::is_narrow_float(from))
    return from == float16 ? narrow<std::uint16_t, float16, bfloat16>
                           : narrow<std::uint16_t, bfloat16, float16>;
  return with_type(from, [&](auto sample) -> LaneFunction {
    using From = decltype(sample);
    return to == float16 ? narrow<From, dtype_of<From>(), float16>
                         : narrow<From, dtype_of<From>(), bfloat16>;
  });
}

LaneFunction conversion(DType to, DType from) {
  if (to == from) return by_bytes<Copy>(kernel::bytes_of(to));
  if (kernel::is_narrow_float(to)) return to_narrow(to, from);
  return with_type(to, [&](auto target) -> LaneFunction {
    using To = decltype(target);
    if (from == float16) return widen<To, float16>;
    if (from == bfloat16) return widen<To, bfloat16>;
    return with_type(from,
                     [](auto sample) -> LaneFunction { return convert<To, decltype(sample)>; });
  });
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                          __builtin_cpu_supports("f16c");
  return has;
}

}  // namespace

LaneFunction lane_function(Verb verb, DType result, DType operand) {
  if (!has_avx2()) return nullptr;
  switch (verb) {
    case Verb::equal:
    case Verb::not_equal:
    case Verb::less:
    case Verb::less_equal:
      return with_type(operand, [&](auto sample) { return comparison<decltype(sample)>(verb); });
    case Verb::select:
      return by_bytes<Select>(kernel::bytes_of(result));
    case Verb::bitcast:
      return by_bytes<Copy>(kernel::bytes_of(result));
    case Verb::convert:
      return conversion(result, operand);
    default:
      return with_type(result, [&](auto sample) { return arithmetic<decltype(sample)>(verb); });
  }
}

ArgumentFunction argument_function(Combiner combiner, DType type) {
  if (!has_avx2()) return nullptr;
  return with_type(type, [&](auto sample) -> ArgumentFunction {
    using T = decltype(sample);
    return combiner == Combiner::arg_min ? arg_min<T> : arg_max<T>;
  });
}

}  // namespace fluxion::codegen

#else

namespace fluxion::codegen {

LaneFunction lane_function(kernel::Verb, DType, DType) { return nullptr; }
ArgumentFunction argument_function(kernel::Combiner, DType) { return nullptr; }

}  // namespace fluxion::codegen

#endif
