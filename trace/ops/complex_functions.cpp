// The table of complex elementwise functions.
#include "trace/ops/complex_functions.hpp"

#include "trace/kernel/math_complex.hpp"

#include <cmath>

namespace fluxion::ops {
namespace {

using Z = kernel::Complex<kernel::Scalar>;
using W = WideComplex;

W sign_of(W x) {
  const long double size = std::abs(x);
  return size == 0 ? x : x / size;
}
/// (e^z - 1) = e^x cos y - 1 + i e^x sin y, where nothing is lost of small x and y.
W expm1_of(W z) {
  const long double half = std::sin(z.imag() / 2);
  const long double above = std::expm1(z.real());
  return {above * std::cos(z.imag()) - 2 * half * half,
          z.imag() == 0 ? z.imag() : std::exp(z.real()) * std::sin(z.imag())};
}
/// log |1 + z| by way of |1 + z|^2 - 1 where that is small.
W log1p_of(W z) {
  const long double x = z.real(), y = z.imag();
  if (std::fabs(x) < 0.5L && std::fabs(y) < 0.5L)
    return {std::log1p(x * (2 + x) + y * y) / 2, std::atan2(y, 1 + x)};
  return std::log(W(1 + x, y));
}
W square_of(W z) {
  const long double x = z.real(), y = z.imag();
  const bool zero = std::fabs(x) == std::fabs(y) && std::isfinite(x);
  return {zero ? 0 : (x - y) * (x + y), 2 * x * y};
}
W power_of(W x, W y) {
  if (y == W(0, 0)) return {1, 0};
  if (x == W(0, 0)) {
    const long double nan = std::nanl("");
    return y.real() > 0 ? W(0, 0) : W(nan, nan);
  }
  return std::exp(naive_product(y, std::log(x)));
}
W logistic_of(W z) {
  return z.real() >= 0 ? W(1) / (W(1) + std::exp(-z)) : std::exp(z) / (W(1) + std::exp(z));
}

constexpr ComplexUnary unary_table[] = {
    {"neg", [](Z z) { return Z{-z.re, -z.im}; }, [](W z) { return -z; }},
    {"conj", [](Z z) { return Z{z.re, -z.im}; }, [](W z) { return std::conj(z); }},
    {"real", [](Z z) { return z; }, [](W z) { return z; }},
    {"imag", [](Z z) { return Z{z.im, z.re}; }, [](W z) { return W(z.imag(), 0); }},
    {"abs",
     [](Z z) { return Z{kernel::complex_abs(z), z.re}; },
     [](W z) { return W(std::abs(z), 0); }},
    {"sign", kernel::complex_sign, sign_of},
    {"square", kernel::complex_square, square_of},
    {"exp", kernel::complex_exp, [](W z) { return std::exp(z); }},
    {"expm1", kernel::complex_expm1, expm1_of},
    {"log", kernel::complex_log, [](W z) { return std::log(z); }},
    {"log1p", kernel::complex_log1p, log1p_of},
    {"sin", kernel::complex_sin, [](W z) { return std::sin(z); }},
    {"cos", kernel::complex_cos, [](W z) { return std::cos(z); }},
    {"tan", kernel::complex_tan, [](W z) { return std::tan(z); }},
    {"sinh", kernel::complex_sinh, [](W z) { return std::sinh(z); }},
    {"cosh", kernel::complex_cosh, [](W z) { return std::cosh(z); }},
    {"tanh", kernel::complex_tanh, [](W z) { return std::tanh(z); }},
    {"asin", kernel::complex_asin, [](W z) { return std::asin(z); }},
    {"acos", kernel::complex_acos, [](W z) { return std::acos(z); }},
    {"atan", kernel::complex_atan, [](W z) { return std::atan(z); }},
    {"asinh", kernel::complex_asinh, [](W z) { return std::asinh(z); }},
    {"acosh", kernel::complex_acosh, [](W z) { return std::acosh(z); }},
    {"atanh", kernel::complex_atanh, [](W z) { return std::atanh(z); }},
    {"sqrt", kernel::complex_sqrt, [](W z) { return std::sqrt(z); }},
    {"rsqrt", kernel::complex_rsqrt, [](W z) { return W(1) / std::sqrt(z); }},
    {"logistic", kernel::complex_logistic, logistic_of},
};

constexpr ComplexBinary binary_table[] = {
    {"add", [](Z x, Z y) { return Z{x.re + y.re, x.im + y.im}; }, [](W x, W y) { return x + y; }},
    {"sub", [](Z x, Z y) { return Z{x.re - y.re, x.im - y.im}; }, [](W x, W y) { return x - y; }},
    {"mul",
     [](Z x, Z y) { return kernel::naive_product(x, y); },
     [](W x, W y) { return naive_product(x, y); }},
    {"div", kernel::complex_div, [](W x, W y) { return x / y; }},
    {"pow", kernel::complex_pow, power_of},
};

template <class Table> const auto& row_of(const Table& table, std::string_view name) {
  for (const auto& row : table)
    if (row.name == name) return row;
  throw InternalError(std::string(name) + ": no row for complex numbers");
}

}  // namespace

const ComplexUnary& complex_unary(std::string_view name) { return row_of(unary_table, name); }
const ComplexBinary& complex_binary(std::string_view name) { return row_of(binary_table, name); }

void complex_unary_reference(std::string_view name, const ConstTensor& x, const Tensor& y) {
  const ComplexUnary& row = complex_unary(name);
  const std::int64_t count = element_count(x.type.shape);
  by_dtype(x.type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (host_complex<T>) {
      using Part = decltype(T().real);
      for (std::int64_t i = 0; i < count; ++i) {
        const WideComplex value = row.reference(to_wide_complex(x.as<T>()[i]));
        if (is_complex(y.type.dtype))
          y.as<T>()[i] = from_wide_complex<T>(value);
        else
          y.as<Part>()[i] = static_cast<Part>(value.real());
      }
    }
  });
}

void complex_binary_reference(std::string_view name,
                              const ConstTensor& x,
                              const ConstTensor& y,
                              const Tensor& z) {
  const ComplexBinary& row = complex_binary(name);
  const std::int64_t count = element_count(x.type.shape);
  by_dtype(x.type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (host_complex<T>) {
      for (std::int64_t i = 0; i < count; ++i)
        z.as<T>()[i] = from_wide_complex<T>(
            row.reference(to_wide_complex(x.as<T>()[i]), to_wide_complex(y.as<T>()[i])));
    }
  });
}

}  // namespace fluxion::ops
