// The elementwise operations of one operand, one row each: accepted dtypes, derivative, kernel
// expression, reference.
#include "trace/kernel/math.hpp"
#include "trace/kernel/math_complex.hpp"
#include "trace/kernel/special.hpp"
#include "trace/ops/complex_functions.hpp"
#include "trace/ops/special.hpp"
#include "trace/ops/special_reference.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace fluxion::ops {
std::span<const Rules* const> unary_rules();

namespace {
using kernel::Scalar;

struct UnaryRow {
  std::string_view name;
  unsigned accepts;
  /// The tangent of the result; none where it is zero or where there are no tangents.
  Array (*jvp)(const Array& x, const Array& y, const Array& dx) = nullptr;
  /// x is no 16-bit float, and real: complex numbers have a table of their own.
  Scalar (*lower)(Scalar x) = nullptr;
  double (*reference)(double x) = nullptr;            // of floating-point elements
  std::uint64_t (*integer)(WideInteger x) = nullptr;  // of integers and bool
  /// The cotangent of the operand, where the operation is linear.
  Array (*pull)(const Array& ct) = nullptr;
  bool gives_bool = false;
  bool gives_part = false;  // of complex numbers the result is real
};

/// Halves away from zero; exact where x + 0.5 would round.
double round_half_away(double x) { return std::round(x); }

double round_half_even(double x) {
  double below = std::floor(x), rest = x - below;
  double even = std::fmod(below, 2) == 0 ? below : below + 1;
  return std::copysign(rest < 0.5 ? below : rest > 0.5 ? below + 1 : even, x);
}

double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

std::uint64_t low_bits(WideInteger x) {
  return x.width == 64 ? x.bits : x.bits & ((std::uint64_t{1} << x.width) - 1);
}

Scalar lower_sign(Scalar x) {
  if (is_unsigned(x.type())) return kernel::min(x, x.like(1));
  return select(x > 0, x.like(1), select(x < 0, x.like(-1), x));
}

Array unary_here(std::string_view name, const Array& x) { return unary(name, x, rule_site()); }

/// scale * exp(-x * x)
Array scaled_bell(const Array& x, double scale) {
  return mul(constant_like(x, scale), unary_here("exp", neg(mul(x, x))));
}

/// Of complex numbers: Re(conj(x / |x|) dx).
Array abs_tangent(const Array& x, const Array&, const Array& dx) {
  const Array sign = unary_here("sign", x);
  if (!is_complex(type_of(x).dtype)) return mul(dx, sign);
  return real(mul(dx, conj(sign)));
}

/// Zero of real numbers. A complex one turns: i y Im(conj(y) dx) / |x|.
Array sign_tangent(const Array& x, const Array& y, const Array& dx) {
  if (!is_complex(type_of(x).dtype)) return Array();
  const Array across = imag(mul(dx, conj(y))), zero = constant_like(across, 0);
  const Array size = unary_here("abs", x);
  const Array is_zero = compare(Direction::eq, size, zero, rule_site());
  const Array safe = select(is_zero, constant_like(size, 1), size, rule_site());
  return mul(make_complex(zero, div(across, safe)), y);
}

/// 1 - y^2 = (1 + y) (1 - y), which keeps its digits where |y| is near 1.
Array one_minus_square(const Array& y) {
  const Array one = constant_like(y, 1);
  return mul(add(one, y), sub(one, y));
}
Array one_plus_square(const Array& y) { return add(constant_like(y, 1), mul(y, y)); }
Array root(const Array& x) { return unary_here("sqrt", x); }
/// sqrt(x - 1) sqrt(x + 1): with the signs of acosh on the whole plane.
Array roots_around_one(const Array& x) {
  const Array one = constant_like(x, 1);
  return mul(root(sub(x, one)), root(add(x, one)));
}
/// sqrt(1 - x^2), as the product of two roots for complex numbers.
Array root_of_one_minus_square(const Array& x) {
  if (!is_complex(type_of(x).dtype)) return root(one_minus_square(x));
  const Array one = constant_like(x, 1);
  return mul(root(add(one, x)), root(sub(one, x)));
}

constexpr double two_over_root_pi = 2 * std::numbers::inv_sqrtpi;

constexpr UnaryRow table[] = {
    {.name = "neg",
     .accepts = numbers | complexes,
     .jvp = [](const Array&, const Array&, const Array& dx) { return neg(dx); },
     .lower = [](Scalar x) { return -x; },
     .reference = [](double x) { return -x; },
     .integer = [](WideInteger x) { return 0 - x.bits; },
     .pull = [](const Array& ct) { return neg(ct); }},

    {.name = "abs",
     .accepts = numbers | complexes,
     .jvp = abs_tangent,
     .lower = [](Scalar x) { return is_unsigned(x.type()) ? x : kernel::abs(x); },
     .reference = [](double x) { return std::fabs(x); },
     .integer = [](WideInteger x) { return x.negative() ? 0 - x.bits : x.bits; },
     .gives_part = true},

    // -0 and NaN are their own signs.
    {.name = "sign",
     .accepts = numbers | complexes,
     .jvp = sign_tangent,
     .lower = lower_sign,
     .reference = sign_of,
     .integer = [](WideInteger x) { return x.negative() ? ~std::uint64_t{0} : x.bits != 0; }},

    {.name = "floor",
     .accepts = floats,
     .lower = [](Scalar x) { return kernel::floor(x); },
     .reference = [](double x) { return std::floor(x); }},

    {.name = "ceil",
     .accepts = floats,
     .lower = [](Scalar x) { return kernel::ceil(x); },
     .reference = [](double x) { return std::ceil(x); }},

    {.name = "round",
     .accepts = floats,
     .lower = [](Scalar x) { return kernel::round_away(x); },
     .reference = round_half_away},

    {.name = "round_even",
     .accepts = floats,
     .lower = [](Scalar x) { return kernel::round_even(x); },
     .reference = round_half_even},

    {.name = "exp",
     .accepts = floats | complexes,
     .jvp = [](const Array&, const Array& y, const Array& dx) { return mul(dx, y); },
     .lower = [](Scalar x) { return kernel::exp(x); },
     .reference = [](double x) { return std::exp(x); }},

    {.name = "log",
     .accepts = floats | complexes,
     .jvp = [](const Array& x, const Array&, const Array& dx) { return div(dx, x); },
     .lower = [](Scalar x) { return kernel::log(x); },
     .reference = [](double x) { return std::log(x); }},

    // y + 1 would lose its digits for x far below 0
    {.name = "expm1",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return mul(dx, unary_here("exp", x)); },
     .lower = [](Scalar x) { return kernel::expm1(x); },
     .reference = [](double x) { return std::expm1(x); }},

    {.name = "log1p",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return div(dx, add(x, constant_like(x, 1))); },
     .lower = [](Scalar x) { return kernel::log1p(x); },
     .reference = [](double x) { return std::log1p(x); }},

    {.name = "sin",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return mul(dx, unary_here("cos", x)); },
     .lower = [](Scalar x) { return kernel::sin(x); },
     .reference = [](double x) { return std::sin(x); }},

    {.name = "cos",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return mul(dx, neg(unary_here("sin", x))); },
     .lower = [](Scalar x) { return kernel::cos(x); },
     .reference = [](double x) { return std::cos(x); }},

    // tan' = 1 + tan^2
    {.name = "tan",
     .accepts = floats | complexes,
     .jvp =
         [](const Array&, const Array& y, const Array& dx) { return mul(dx, one_plus_square(y)); },
     .lower = [](Scalar x) { return kernel::tan(x); },
     .reference = [](double x) { return std::tan(x); }},

    {.name = "tanh",
     .accepts = floats | complexes,
     .jvp =
         [](const Array&, const Array& y, const Array& dx) { return mul(dx, one_minus_square(y)); },
     .lower = [](Scalar x) { return kernel::tanh(x); },
     .reference = [](double x) { return std::tanh(x); }},

    {.name = "sqrt",
     .accepts = floats | complexes,
     .jvp = [](const Array&,
               const Array& y,
               const Array& dx) { return mul(dx, div(constant_like(y, 0.5), y)); },
     .lower = [](Scalar x) { return kernel::sqrt(x); },
     .reference = [](double x) { return std::sqrt(x); }},

    // (x^-1/2)' = -1/2 y / x
    {.name = "rsqrt",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array& y,
               const Array& dx) { return mul(dx, mul(constant_like(y, -0.5), div(y, x))); },
     .lower = [](Scalar x) { return kernel::rsqrt(x); },
     .reference = [](double x) { return 1 / std::sqrt(x); }},

    // y (1 - y), where 1 - logistic(x) = logistic(-x) keeps its digits for large x
    {.name = "logistic",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array& y,
               const Array& dx) { return mul(dx, mul(y, unary_here("logistic", neg(x)))); },
     .lower = [](Scalar x) { return kernel::logistic(x); },
     .reference =
         [](double x) {
           return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
         }},

    {.name = "sinh",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return mul(dx, unary_here("cosh", x)); },
     .lower = [](Scalar x) { return kernel::sinh(x); },
     .reference = [](double x) { return std::sinh(x); }},

    {.name = "cosh",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return mul(dx, unary_here("sinh", x)); },
     .lower = [](Scalar x) { return kernel::cosh(x); },
     .reference = [](double x) { return std::cosh(x); }},

    {.name = "asin",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return div(dx, root_of_one_minus_square(x)); },
     .lower = [](Scalar x) { return kernel::asin(x); },
     .reference = [](double x) { return std::asin(x); }},

    {.name = "acos",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return neg(div(dx, root_of_one_minus_square(x))); },
     .lower = [](Scalar x) { return kernel::acos(x); },
     .reference = [](double x) { return std::acos(x); }},

    {.name = "atan",
     .accepts = floats | complexes,
     .jvp =
         [](const Array& x, const Array&, const Array& dx) { return div(dx, one_plus_square(x)); },
     .lower = [](Scalar x) { return kernel::atan(x); },
     .reference = [](double x) { return std::atan(x); }},

    {.name = "asinh",
     .accepts = floats | complexes,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return div(dx, root(one_plus_square(x))); },
     .lower = [](Scalar x) { return kernel::asinh(x); },
     .reference = [](double x) { return std::asinh(x); }},

    {.name = "acosh",
     .accepts = floats | complexes,
     .jvp =
         [](const Array& x, const Array&, const Array& dx) { return div(dx, roots_around_one(x)); },
     .lower = [](Scalar x) { return kernel::acosh(x); },
     .reference = [](double x) { return std::acosh(x); }},

    {.name = "atanh",
     .accepts = floats | complexes,
     .jvp =
         [](const Array& x, const Array&, const Array& dx) { return div(dx, one_minus_square(x)); },
     .lower = [](Scalar x) { return kernel::atanh(x); },
     .reference = [](double x) { return std::atanh(x); }},

    {.name = "square",
     .accepts = complexes,
     .jvp = [](const Array& x, const Array&, const Array& dx) { return mul(dx, add(x, x)); }},

    {.name = "conj",
     .accepts = complexes,
     .jvp = [](const Array&, const Array&, const Array& dx) { return conj(dx); },
     .pull = [](const Array& ct) { return conj(ct); }},

    // Cotangents pair with tangents as Re(ct dx), without a conjugate, as in JAX.
    {.name = "real",
     .accepts = complexes,
     .jvp = [](const Array&, const Array&, const Array& dx) { return real(dx); },
     .pull = [](const Array& ct) { return make_complex(ct, constant_like(ct, 0)); },
     .gives_part = true},

    {.name = "imag",
     .accepts = complexes,
     .jvp = [](const Array&, const Array&, const Array& dx) { return imag(dx); },
     .pull = [](const Array& ct) { return make_complex(constant_like(ct, 0), neg(ct)); },
     .gives_part = true},

    {.name = "erf",
     .accepts = floats,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return mul(dx, scaled_bell(x, two_over_root_pi)); },
     .lower = [](Scalar x) { return kernel::erf(x); },
     .reference = [](double x) { return std::erf(x); }},

    {.name = "erfc",
     .accepts = floats,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return mul(dx, scaled_bell(x, -two_over_root_pi)); },
     .lower = [](Scalar x) { return kernel::erfc(x); },
     .reference = [](double x) { return std::erfc(x); }},

    {.name = "digamma",
     .accepts = floats,
     .jvp =
         [](const Array& x, const Array&, const Array& dx) {
           const Array operands[] = {constant_like(x, 1), x};
           return mul(dx, special("polygamma", operands, rule_site()));
         },
     .lower = [](Scalar x) { return kernel::digamma(x); },
     .reference = reference::digamma},

    {.name = "lgamma",
     .accepts = floats,
     .jvp = [](const Array& x,
               const Array&,
               const Array& dx) { return mul(dx, unary_here("digamma", x)); },
     .lower = [](Scalar x) { return kernel::lgamma(x); },
     .reference = [](double x) { return std::lgamma(x); }},

    // erf' = 2 / sqrt(pi) exp(-x^2)
    {.name = "erf_inv",
     .accepts = floats,
     .jvp =
         [](const Array&, const Array& y, const Array& dx) {
           const Array slope = unary_here("exp", mul(y, y));
           return mul(dx, mul(constant_like(y, 1 / two_over_root_pi), slope));
         },
     .lower = [](Scalar x) { return kernel::erf_inv(x); },
     .reference = reference::erf_inv},

    {.name = "is_finite",
     .accepts = floats,
     .lower = [](Scalar x) { return kernel::abs(x) < std::numeric_limits<double>::infinity(); },
     .reference = [](double x) { return std::isfinite(x) ? 1.0 : 0.0; },
     .gives_bool = true},

    {.name = "not",
     .accepts = booleans | integers,
     .lower = [](Scalar x) { return ~x; },
     .integer = [](WideInteger x) { return ~x.bits; }},

    {.name = "population_count",
     .accepts = integers,
     .lower = [](Scalar x) { return kernel::popcount(x); },
     .integer =
         [](WideInteger x) {
           std::uint64_t ones = 0;
           for (std::uint64_t rest = low_bits(x); rest != 0; rest >>= 1) ones += rest & 1;
           return ones;
         }},

    {.name = "clz",
     .accepts = integers,
     .lower = [](Scalar x) { return kernel::clz(x); },
     .integer =
         [](WideInteger x) {
           std::uint64_t zeros = static_cast<std::uint64_t>(x.width);
           for (std::uint64_t rest = low_bits(x); rest != 0; rest >>= 1) --zeros;
           return zeros;
         }},
};
constexpr std::size_t row_count = std::size(table);

Types unary_types(const UnaryRow& row, TypeList in) {
  check_operand_count(row.name, in, 1);
  check_accepted(row.name, in[0], row.accepts);
  const DType same = row.gives_part ? part_type(in[0].dtype) : in[0].dtype;
  return {{in[0].shape, row.gives_bool ? bool_ : same}};
}

Scalar lower_unary(const UnaryRow& row, kernel::Reader& operands, const kernel::Index& index) {
  if (is_complex(operands.operand(0).dtype)) {
    const kernel::ComplexScalar z = complex_unary(row.name).lower(operands.read_complex(0, index));
    return row.gives_part ? z.re : operands.part_of(z);
  }
  Scalar x = operands.read(0, index);
  Scalar y = row.lower(widened(x));
  return row.gives_bool ? y : narrowed(y, x.type());
}

void unary_reference(const UnaryRow& row, const ConstTensor& x, const Tensor& y) {
  if (is_complex(x.type.dtype)) return complex_unary_reference(row.name, x, y);
  by_dtype(x.type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::int64_t count = element_count(x.type.shape);
    if constexpr (host_float<T>) {
      for (std::int64_t i = 0; i < count; ++i) {
        const double value = row.reference(to_double(x.as<T>()[i]));
        if (row.gives_bool)
          y.as<bool>()[i] = value != 0;
        else
          y.as<T>()[i] = from_double<T>(value);
      }
    } else if constexpr (host_integer<T>) {
      for (std::int64_t i = 0; i < count; ++i) {
        y.as<T>()[i] = narrow<T>(row.integer(widen(x.as<T>()[i])));
      }
    }
  });
}

/// Every row is an operation of its own: the name is the operation, there are no attributes.
template <std::size_t at_row> struct Unary {
  static constexpr const UnaryRow& row = table[at_row];
  static constexpr auto name = row.name;

  Types types(TypeList in) const { return unary_types(row, in); }
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (row.jvp == nullptr || !defined(dx[0])) return {Array()};
    return {row.jvp(x[0], y[0], dx[0])};
  }
  void transpose(Arrays ct, const Operands&, Accumulators& out) const
    requires(table[at_row].pull != nullptr)
  {
    if (out.needed(0)) out.add(0, row.pull(ct[0]));
  }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }
  Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    return lower_unary(row, x, index);
  }
  void reference(ConstTensors in, Tensors out) const { unary_reference(row, in[0], out[0]); }
};

template <std::size_t... k> constexpr auto rules_of_rows(std::index_sequence<k...>) {
  return std::array<const Rules*, sizeof...(k)>{rules_of<Unary<k>>()...};
}
template <std::size_t... k>
std::array<Op, sizeof...(k)> make_operations(std::index_sequence<k...>) {
  return {Op(Unary<k>())...};
}
constexpr auto rules = rules_of_rows(std::make_index_sequence<row_count>());

}  // namespace

std::span<const Rules* const> unary_rules() { return rules; }

Array unary(std::string_view name, const Array& x, const Site& site) {
  static const auto operations = make_operations(std::make_index_sequence<row_count>());
  for (std::size_t k = 0; k < row_count; ++k) {
    if (table[k].name == name) return emit(operations[k], {x}, site);
  }
  throw InternalError("no elementwise operation of one operand is called " + std::string(name));
}

}  // namespace fluxion::ops
