// Functions that are several operations here: cube roots, inverse and hyperbolic functions,
// neighbours of floating-point numbers.
#include "fluxion/fft.hpp"
#include "fluxion/ops.hpp"
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/ops/reduce_precision.hpp"
#include "trace/ops/special.hpp"
#include "trace/tensor.hpp"

#include <cstdio>

namespace fluxion::stablehlo {
namespace {

/// Narrow floats go through float32, as StableHLO's own expansions of these functions do.
template <Array (*function)(const Operand&)> ArrayList wide(const Step& s) {
  const DType d = s.type(0).dtype;
  const bool half = d == float16 || d == bfloat16;
  const Array x = half ? ops::convert(s.x(0), float32, s.site()) : s.x(0);
  const Array y = function(Operand(x, s.site()));
  return {half ? ops::convert(y, d, s.site()) : y};
}
ArrayList error_function(const Step& s) { return {ops::unary("erf", s.x(0), s.site())}; }
ArrayList inverse_error_function(const Step& s) {
  return {ops::unary("erf_inv", s.x(0), s.site())};
}
ArrayList complementary_error_function(const Step& s) {
  return {ops::unary("erfc", s.x(0), s.site())};
}
template <Array (*function)(const Operand&)> ArrayList direct(const Step& s) {
  return {function(Operand(s.x(0), s.site()))};
}

/// The next number from x towards y: one step of the bits, which are ordered like the numbers on
/// each side of zero.
ArrayList next_after(const Step& s) {
  const Site& site = s.site();
  const Type type = s.type(0);
  if (!is_floating(type.dtype)) s.complain("chlo.next_after takes floating-point numbers");
  const DType bits_type = type.dtype == float64 ? uint64 : type.dtype == float32 ? uint32 : uint16;
  const int width = static_cast<int>(8 * size_of(bits_type));
  const Array x = s.x(0), y = s.x(1);
  const auto binary = [&](std::string_view name, const Array& a, const Array& b) {
    return ops::binary(name, a, b, site);
  };
  const auto choose = [&](const Array& c, const Array& a, const Array& b) {
    return ops::select(c, a, b, site);
  };
  const auto compare = [&](ops::Direction d, const Array& a, const Array& b) {
    return ops::compare(d, a, b, site);
  };
  const Array bits = ops::bitcast(x, bits_type, site), other = ops::bitcast(y, bits_type, site);
  const Array sign_bit = broadcast_scalar(
      literal_bits(bits_type, std::uint64_t{1} << (width - 1), 0, site), type.shape, site);
  const Array one = number(bits, 1, site), zero = number(bits, 0, site);
  const Array magnitude = binary("and", bits, ops::unary("not", sign_bit, site)),
              other_magnitude = binary("and", other, ops::unary("not", sign_bit, site));
  const Array x_sign = binary("and", bits, sign_bit), y_sign = binary("and", other, sign_bit);
  const Array shrink = binary("or",
                              compare(ops::Direction::gt, magnitude, other_magnitude),
                              compare(ops::Direction::ne, x_sign, y_sign));
  const Array stepped = choose(shrink, binary("sub", bits, one), binary("add", bits, one));
  const Array from_zero = binary("or", y_sign, one);  // the smallest number of y's sign
  const Array moved = ops::bitcast(
      choose(compare(ops::Direction::eq, magnitude, zero), from_zero, stepped), type.dtype, site);
  const Array equal = compare(ops::Direction::eq, x, y);
  const Array nan =
      binary("or", compare(ops::Direction::ne, x, x), compare(ops::Direction::ne, y, y));
  return {choose(nan, binary("add", x, y), choose(equal, y, moved))};
}

/// exp(x + log 1/2) and exp(log 1/2 - x): halves that do not overflow before the result does;
/// float32 is what StableHLO's own expansion gives, rounding included.
std::pair<Array, Array> half_exponentials(const Array& x, const Site& site) {
  const Array log_half = number(x, -0.69314718055994530942, site);
  return {ops::unary("exp", ops::binary("add", x, log_half, site), site),
          ops::unary("exp", ops::binary("sub", log_half, x, site), site)};
}
Array expanded_cosh(const Operand& operand) {
  const Array x = operand.array();
  if (type_of(x).dtype != float32) return cosh(operand);
  const auto [a, b] = half_exponentials(x, operand.site());
  return ops::binary("add", a, b, operand.site());
}
Array expanded_sinh(const Operand& operand) {
  const Array x = operand.array();
  if (type_of(x).dtype != float32) return sinh(operand);
  const Site& site = operand.site();
  const auto [a, b] = half_exponentials(x, site);
  const Array e = ops::unary("expm1", x, site), one = number(x, 1, site);
  const Array near = ops::binary(
      "mul",
      ops::binary("add", e, ops::binary("div", e, ops::binary("add", e, one, site), site), site),
      number(x, 0.5, site),
      site);
  return ops::select(ops::compare(ops::Direction::lt, ops::unary("abs", x, site), one, site),
                     near,
                     ops::binary("sub", a, b, site),
                     site);
}

ArrayList fft(const Step& s) {
  static constexpr std::pair<std::string_view, lax::FftType> words[] = {
      {"FFT", lax::FftType::FFT},
      {"IFFT", lax::FftType::IFFT},
      {"RFFT", lax::FftType::RFFT},
      {"IRFFT", lax::FftType::IRFFT}};
  const std::string type = s.word(s.find("fft_type") ? "fft_type" : "type");
  const std::vector<std::int64_t> lengths = s.integers("fft_length", "length");
  for (const auto& [word, t] : words)
    if (word == type) return {lax::fft(Operand(s.x(0), s.site()), t, Shape(lengths))};
  s.complain("a Fourier transform is FFT, IFFT, RFFT or IRFFT, not '" + type + "'");
}

ArrayList lgamma(const Step& s) { return {ops::unary("lgamma", s.x(0), s.site())}; }
ArrayList digamma(const Step& s) { return {ops::unary("digamma", s.x(0), s.site())}; }
ArrayList special(const Step& s) {
  ArrayList operands;
  for (std::size_t k = 0; k < s.count(); ++k) operands.push_back(s.x(k));
  return {ops::special(s.op.name.substr(5), operands, s.site())};
}

/// The letters of e5m10.
ArrayList reduce_precision(const Step& s) {
  std::int64_t exponent = 0, mantissa = 0;
  if (const Attribute* format = s.find("format")) {
    if (std::sscanf(format->text.c_str(), "e%6ldm%6ld", &exponent, &mantissa) != 2)
      s.complain("a format is written as e5m10, not '" + format->text + "'");
  } else {
    exponent = s.integer("exponent_bits");
    mantissa = s.integer("mantissa_bits");
  }
  if (exponent < 1 || mantissa < 0 || exponent > 64 || mantissa > 64)
    s.complain("a format has at least one bit of exponent, and not less than none of mantissa");
  return {ops::reduce_precision(
      s.x(0), static_cast<int>(exponent), static_cast<int>(mantissa), s.site())};
}

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.fft", 1, 1, 0, fft},
      {"stablehlo.cbrt", 1, 1, 0, wide<cbrt>},
      {"chlo.acos", 1, 1, 0, wide<acos>},
      {"chlo.acosh", 1, 1, 0, wide<acosh>},
      {"chlo.asin", 1, 1, 0, wide<asin>},
      {"chlo.asinh", 1, 1, 0, wide<asinh>},
      {"chlo.atan", 1, 1, 0, wide<atan>},
      {"chlo.atanh", 1, 1, 0, wide<atanh>},
      {"chlo.cosh", 1, 1, 0, wide<expanded_cosh>},
      {"chlo.sinh", 1, 1, 0, wide<expanded_sinh>},
      {"chlo.tan", 1, 1, 0, wide<tan>},
      {"chlo.square", 1, 1, 0, direct<square>},
      {"chlo.erf", 1, 1, 0, error_function},
      {"chlo.erfc", 1, 1, 0, complementary_error_function},
      {"chlo.erf_inv", 1, 1, 0, inverse_error_function},
      {"chlo.lgamma", 1, 1, 0, lgamma},
      {"chlo.digamma", 1, 1, 0, digamma},
      {"chlo.zeta", 2, 1, 0, special},
      {"chlo.polygamma", 2, 1, 0, special},
      {"chlo.bessel_i1e", 1, 1, 0, special},
      {"stablehlo.reduce_precision", 1, 1, 0, reduce_precision},
      {"chlo.next_after", 2, 1, 0, next_after},
  };
  return table;
}

}  // namespace

Rows function_rows() { return rows(); }

}  // namespace fluxion::stablehlo
