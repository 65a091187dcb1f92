// What elementwise operations have in common: accepted dtypes, equal shapes, batching, host
// elements, arithmetic for their rules.
#pragma once
#include "trace/ops/axes.hpp"

#include <complex>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace fluxion::ops {

/// Which dtypes a row of a table accepts.
enum Accepts : unsigned {
  booleans = 1,
  signed_integers = 2,
  unsigned_integers = 4,
  integers = signed_integers | unsigned_integers,
  floats = 8,
  complexes = 16,
  numbers = integers | floats,
};
/// Throws Error "complex" or "dtype" unless `operation` takes arrays of this dtype.
void check_accepted(std::string_view operation, const Type&, unsigned accepts);
/// Throws Error "broadcast" or "dtype" unless the operands have one shape and one dtype.
void check_alike(std::string_view operation, TypeList);
/// Throws InternalError unless there are `count` operands.
void check_operand_count(std::string_view operation, TypeList, std::size_t count);

/// Whether one is a bare number, which operations of two operands repeat to the other's shape.
bool number_meets_array(const Array& x, const Array& y);

/// Runs an elementwise operation on batched operands: moves the batch axes to one place and repeats
/// operands that have none.
Batched batch_elementwise(const Op&, Arrays, BatchAxes, std::int64_t size);
/// `x` with its batch axis at `at` and, where it has none or is a scalar per example, repeated to
/// the shape `full` (which includes the batch axis).
Array align(const Array& x, int axis, const Shape& full, int at);
/// The real dtype of a complex one's parts; any other dtype itself.
constexpr DType part_type(DType d) {
  return d == complex64 ? float32 : d == complex128 ? float64 : d;
}
/// True where kernels convert to float32 before they compute.
constexpr bool is_half(DType d) { return d == float16 || d == bfloat16; }
/// The value as kernels compute with it: 16-bit floats as float32.
inline kernel::Scalar widened(kernel::Scalar x) {
  return is_half(x.type()) ? kernel::convert(x, float32) : x;
}
/// A computed value as its array holds it.
inline kernel::Scalar narrowed(kernel::Scalar x, DType to) {
  return x.type() == to ? x : kernel::convert(x, to);
}

// Arithmetic of derivative rules: one operation each, at the line of the operation that is
// transformed.
Array constant_like(const Array& x, double value);
Array add(const Array& x, const Array& y);
Array sub(const Array& x, const Array& y);
Array mul(const Array& x, const Array& y);
Array div(const Array& x, const Array& y);
Array neg(const Array& x);
Array conj(const Array& x);
Array real(const Array& x);
Array imag(const Array& x);
Array make_complex(const Array& re, const Array& im);

// Elements on the host.
template <class T>
inline constexpr bool host_float = std::is_same_v<T, float> || std::is_same_v<T, double> ||
                                   std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;
template <class T>
inline constexpr bool host_complex = std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>;
/// bool counts as an integer of one bit.
template <class T> inline constexpr bool host_integer = std::is_integral_v<T>;

template <class T> double to_double(T v) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>)
    return static_cast<float>(v);
  else
    return static_cast<double>(v);
}
/// Rounded to T; 16-bit floats by way of float, as kernels do.
template <class T> T from_double(double v) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>)
    return T(static_cast<float>(v));
  else
    return static_cast<T>(v);
}

/// Complex elements as references compute with them.
using WideComplex = std::complex<long double>;
template <class T> WideComplex to_wide_complex(T v) {
  if constexpr (host_complex<T>)
    return {v.real, v.imag};
  else
    return {static_cast<long double>(to_double(v)), 0};
}
template <class T> T from_wide_complex(const WideComplex& v) {
  using Part = decltype(T().real);
  return {static_cast<Part>(v.real()), static_cast<Part>(v.imag())};
}

/// An integer of any width, extended to 64 bits by its own sign.
struct WideInteger {
  std::uint64_t bits;
  int width;
  bool is_signed;
  std::int64_t as_signed() const { return static_cast<std::int64_t>(bits); }
  bool negative() const { return is_signed && as_signed() < 0; }
};
template <class T> WideInteger widen(T v) {
  constexpr int width = std::is_same_v<T, bool> ? 1 : static_cast<int>(8 * sizeof(T));
  return {static_cast<std::uint64_t>(v), width, std::is_signed_v<T>};
}
/// The low bits, as a T.
template <class T> T narrow(std::uint64_t bits) {
  if constexpr (std::is_same_v<T, bool>)
    return bits & 1;
  else
    return static_cast<T>(bits);
}

}  // namespace fluxion::ops
