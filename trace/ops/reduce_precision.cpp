// reduce_precision: rounds the bits of a float to the nearest value of a smaller format, ties to
// even.
#include "trace/ops/reduce_precision.hpp"

#include "trace/ops/elementwise.hpp"

#include <cmath>
#include <limits>

namespace fluxion::ops {
std::span<const Rules* const> reduce_precision_rules();

namespace {

struct Format {
  int exponent, mantissa;
  DType bits;
};
Format format_of(DType d) {
  switch (d) {
    case float16:
      return {5, 10, uint16};
    case bfloat16:
      return {8, 7, uint16};
    case float32:
      return {8, 23, uint32};
    default:
      return {11, 52, uint64};
  }
}

struct ReducePrecision {
  static constexpr auto name = "reduce_precision";
  int exponent_bits = 8, mantissa_bits = 23;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    check_accepted(name, in[0], floats);
    if (exponent_bits < 1 || mantissa_bits < 0) {
      fail("dtype",
           Site(),
           "reduce_precision: no float has " + std::to_string(exponent_bits) +
               " bits of exponent and " + std::to_string(mantissa_bits) + " of mantissa",
           {"operand " + to_string(in[0])},
           "an exponent has at least one bit");
    }
    return {in[0]};
  }

  Array rounded(const Array& x) const { return emit(*this, {x}, rule_site()); }
  /// As JAX has it: tangents are rounded as the values are.
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? rounded(dx[0]) : Array()};
  }
  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (out.needed(0)) out.add(0, rounded(ct[0]));
  }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }

  kernel::Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    const kernel::Scalar value = x.read(0, index);
    const Format format = format_of(value.type());
    kernel::Builder& b = x.builder();
    const auto constant = [&](std::uint64_t bits) { return b.constant_bits(format.bits, bits); };
    const kernel::Scalar given = kernel::bitcast(value, format.bits);
    const std::uint64_t sign = std::uint64_t{1} << (format.exponent + format.mantissa);
    const std::uint64_t infinity = ((std::uint64_t{1} << format.exponent) - 1) << format.mantissa;
    const kernel::Scalar magnitude = given & constant(sign - 1);
    kernel::Scalar bits = magnitude;
    if (mantissa_bits < format.mantissa) {
      const int dropped = format.mantissa - mantissa_bits;
      const std::uint64_t last = std::uint64_t{1} << dropped;
      const kernel::Scalar odd =
          kernel::shift_right_logical(bits, constant(static_cast<std::uint64_t>(dropped))) &
          constant(1);
      bits = (bits + constant((last >> 1) - 1) + odd) & constant(~(last - 1) & (sign - 1));
    }
    if (exponent_bits < format.exponent) {
      const std::uint64_t own_bias = (std::uint64_t{1} << (format.exponent - 1)) - 1;
      const std::uint64_t bias = (std::uint64_t{1} << (exponent_bits - 1)) - 1;
      const kernel::Scalar most = constant((own_bias + bias + 1) << format.mantissa);
      const kernel::Scalar least = constant((own_bias - bias + 1) << format.mantissa);
      bits = select(bits >= most, constant(infinity), bits);
      bits = select(bits < least, constant(0), bits);
    }
    // A NaN stays one where the mantissa can hold it.
    const kernel::Scalar nan = magnitude > constant(infinity);
    const std::uint64_t quiet = std::uint64_t{1} << (format.mantissa - 1);
    const kernel::Scalar kept =
        mantissa_bits > 0 ? magnitude | constant(quiet) : constant(infinity);
    bits = select(nan, kept, bits);
    return kernel::bitcast(bits | (given & constant(sign)), value.type());
  }

  /// By scaling: a number is its mantissa times a power of two.
  double reduced(double x) const {
    if (std::isnan(x))
      return mantissa_bits > 0 ? x : std::copysign(std::numeric_limits<double>::infinity(), x);
    if (x == 0 || std::isinf(x)) return x;
    int exponent;
    const double fraction = std::frexp(x, &exponent);  // in [1/2, 1)
    double value = x;
    if (mantissa_bits < 52)
      value = std::ldexp(std::nearbyint(std::ldexp(fraction, mantissa_bits + 1)),
                         exponent - mantissa_bits - 1);
    if (exponent_bits >= 11) return value;
    const int bias = (1 << (exponent_bits - 1)) - 1;
    if (std::fabs(value) >= std::ldexp(1.0, bias + 1))
      return std::copysign(std::numeric_limits<double>::infinity(), x);
    if (std::fabs(value) < std::ldexp(1.0, 1 - bias)) return std::copysign(0.0, x);
    return value;
  }

  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (host_float<T>) {
        const std::int64_t count = element_count(in[0].type.shape);
        for (std::int64_t i = 0; i < count; ++i) {
          const double x = to_double(in[0].as<T>()[i]);
          out[0].as<T>()[i] = from_double<T>(reduced_in_format(x, in[0].type.dtype));
        }
      }
    });
  }
  /// Subnormal numbers of the array's own format have fewer bits than others: their last place is
  /// fixed.
  double reduced_in_format(double x, DType dtype) const {
    const Format own = format_of(dtype);
    const double least = std::ldexp(1.0, 2 - (1 << (own.exponent - 1)));
    if (std::fabs(x) >= least || x == 0 || exponent_bits < own.exponent) return reduced(x);
    if (mantissa_bits >= own.mantissa || std::isnan(x)) return reduced(x);
    const double unit = least * std::ldexp(1.0, -mantissa_bits);
    return std::copysign(std::nearbyint(std::fabs(x) / unit) * unit, x);
  }
};

constexpr const Rules* rules[] = {rules_of<ReducePrecision>()};

}  // namespace

std::span<const Rules* const> reduce_precision_rules() { return rules; }

Array reduce_precision(const Array& x, int exponent_bits, int mantissa_bits, const Site& site) {
  return emit(ReducePrecision{exponent_bits, mantissa_bits}, {x}, site);
}

}  // namespace fluxion::ops
