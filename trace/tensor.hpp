// Plain row-major host data, as the references of operations and the interpreter see it; 16-bit
// floats on the host.
#pragma once
#include "fluxion/core.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <type_traits>

namespace fluxion {

/// IEEE half precision and bfloat16 as storage; arithmetic is done in float and rounded to nearest
/// even.
struct Float16 {
  std::uint16_t bits = 0;
  Float16() = default;
  explicit Float16(float);
  explicit operator float() const;
};
struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float);
  explicit operator float() const;
};
struct Complex64 {
  float real = 0, imag = 0;
};
struct Complex128 {
  double real = 0, imag = 0;
};

constexpr std::size_t size_of(DType d) {
  constexpr std::uint8_t sizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
  return sizes[static_cast<int>(d)];
}
constexpr bool is_floating(DType d) { return d >= float16 && d <= float64; }
constexpr bool is_complex(DType d) { return d >= complex64; }
constexpr bool is_signed_integer(DType d) { return d >= int8 && d <= int64; }
constexpr bool is_unsigned(DType d) { return d >= uint8 && d <= uint64; }
constexpr bool is_integer(DType d) { return d >= int8 && d <= uint64; }
/// Has a tangent: floating or complex.
constexpr bool is_differentiable(DType d) { return d >= float16; }
std::int64_t element_count(const Shape&);
inline std::size_t bytes_of(const Spec& t) {
  return static_cast<std::size_t>(element_count(t.shape)) * size_of(t.dtype);
}

template <class T> struct Tag {
  using type = T;
};
/// f(Tag<T>()) for the C++ type of the dtype (bool, std::int8_t ..., Float16, BFloat16, float,
/// double, Complex64, Complex128).
template <class F> decltype(auto) by_dtype(DType d, F&& f) {
  switch (d) {
    case bool_:
      return f(Tag<bool>());
    case int8:
      return f(Tag<std::int8_t>());
    case int16:
      return f(Tag<std::int16_t>());
    case int32:
      return f(Tag<std::int32_t>());
    case int64:
      return f(Tag<std::int64_t>());
    case uint8:
      return f(Tag<std::uint8_t>());
    case uint16:
      return f(Tag<std::uint16_t>());
    case uint32:
      return f(Tag<std::uint32_t>());
    case uint64:
      return f(Tag<std::uint64_t>());
    case float16:
      return f(Tag<Float16>());
    case bfloat16:
      return f(Tag<BFloat16>());
    case float32:
      return f(Tag<float>());
    case float64:
      return f(Tag<double>());
    case complex64:
      return f(Tag<Complex64>());
    case complex128:
      return f(Tag<Complex128>());
  }
  __builtin_unreachable();
}

struct ConstTensor {
  Spec type;
  const void* data = nullptr;
  template <class T> const T* as() const { return static_cast<const T*>(data); }
};
struct Tensor {
  Spec type;
  void* data = nullptr;
  template <class T> T* as() const { return static_cast<T*>(data); }
  operator ConstTensor() const { return {type, data}; }
};
using ConstTensors = std::span<const ConstTensor>;
using Tensors = std::span<const Tensor>;

/// Steps a multi-index in row-major order; false after the last.
bool next_index(std::span<std::int64_t> index, const Shape&);

}  // namespace fluxion
