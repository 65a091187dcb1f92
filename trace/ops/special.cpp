// The special functions that are loops in the kernel language, one row each: derivatives, kernel
// expression, reference. All compute in float64 and round once.
#include "trace/ops/special.hpp"

#include "trace/kernel/math.hpp"
#include "trace/kernel/special.hpp"
#include "trace/ops/elementwise.hpp"
#include "trace/ops/special_reference.hpp"

#include <array>
#include <cmath>

namespace fluxion::ops {
std::span<const Rules* const> special_rules();

namespace {
using kernel::Scalar;

/// The derivative of the result with respect to one operand.
using Partial = Array (*)(Arrays x, const Array& y);

struct SpecialRow {
  std::string_view name;
  std::size_t operands;
  Partial partials[3];  // none: the derivative is not known, and asking for it is an error
  Scalar (*lower)(const Scalar* x);
  double (*reference)(const double* x);
};

Array here(std::string_view name, Arrays x) { return special(name, x, rule_site()); }
Array here(std::string_view name, std::initializer_list<Array> x) {
  return special(name, Arrays(x.begin(), x.size()), rule_site());
}
Array function(std::string_view name, const Array& x) { return unary(name, x, rule_site()); }
Array plus(const Array& x, double y) { return add(x, constant_like(x, y)); }

/// x^(a-1) e^-x / gamma(a)
Array gamma_density(const Array& a, const Array& x) {
  const Array exponent = sub(mul(plus(a, -1), function("log", x)), x);
  return function("exp", sub(exponent, function("lgamma", a)));
}
/// x^(a-1) (1-x)^(b-1) / B(a, b)
Array beta_density(const Array& a, const Array& b, const Array& x) {
  const Array powers =
      add(mul(plus(a, -1), function("log", x)), mul(plus(b, -1), function("log1p", neg(x))));
  const Array beta =
      sub(add(function("lgamma", a), function("lgamma", b)), function("lgamma", add(a, b)));
  return function("exp", sub(powers, beta));
}

/// (-1)^(n+1) n! zeta(n + 1, x); n = 0 is digamma.
Scalar lower_polygamma(const Scalar* in) {
  const Scalar n = in[0], x = in[1], first = n == 0.0;
  const Scalar safe = select(first, n.like(1), n);
  const Scalar size = kernel::exp(kernel::lgamma(safe + 1.0)) * kernel::zeta(safe + 1.0, x);
  const Scalar half = n * 0.5, odd = kernel::floor(half) != half;
  const Scalar value = select(odd, size, -size);
  const Scalar whole = (n >= 0.0) & (kernel::floor(n) == n);
  return select(whole,
                select(first, kernel::digamma(x), value),
                n.like(std::numeric_limits<double>::quiet_NaN()));
}

// clang-format off
constexpr SpecialRow table[] = {
    {.name = "zeta", .operands = 2,
     .partials = {nullptr, [](Arrays x, const Array&) { return neg(mul(x[0], here("zeta", {plus(x[0], 1), x[1]}))); }},
     .lower = [](const Scalar* x) { return kernel::zeta(x[0], x[1]); },
     .reference = [](const double* x) { return reference::zeta(x[0], x[1]); }},

    {.name = "polygamma", .operands = 2,
     .partials = {nullptr, [](Arrays x, const Array&) { return here("polygamma", {plus(x[0], 1), x[1]}); }},
     .lower = lower_polygamma,
     .reference = [](const double* x) { return reference::polygamma(x[0], x[1]); }},

    {.name = "igamma", .operands = 2,
     .partials = {[](Arrays x, const Array&) { return here("igamma_grad_a", x); },
                  [](Arrays x, const Array&) { return gamma_density(x[0], x[1]); }},
     .lower = [](const Scalar* x) { return kernel::igamma(x[0], x[1]); },
     .reference = [](const double* x) { return reference::igamma(x[0], x[1]); }},

    {.name = "igammac", .operands = 2,
     .partials = {[](Arrays x, const Array&) { return neg(here("igamma_grad_a", x)); },
                  [](Arrays x, const Array&) { return neg(gamma_density(x[0], x[1])); }},
     .lower = [](const Scalar* x) { return kernel::igammac(x[0], x[1]); },
     .reference = [](const double* x) { return reference::igammac(x[0], x[1]); }},

    // d/dx of dP/da is the derivative of the density with respect to a
    {.name = "igamma_grad_a", .operands = 2,
     .partials = {nullptr,
                  [](Arrays x, const Array&) { return mul(gamma_density(x[0], x[1]), sub(function("log", x[1]), function("digamma", x[0]))); }},
     .lower = [](const Scalar* x) { return kernel::igamma_grad_a(x[0], x[1]); },
     .reference = [](const double* x) { return reference::igamma_grad_a(x[0], x[1]); }},

    // I_x(a, b) = 1 - I_(1-x)(b, a)
    {.name = "betainc", .operands = 3,
     .partials = {[](Arrays x, const Array&) { return here("betainc_grad_a", x); },
                  [](Arrays x, const Array&) { return neg(here("betainc_grad_a", {x[1], x[0], sub(constant_like(x[2], 1), x[2])})); },
                  [](Arrays x, const Array&) { return beta_density(x[0], x[1], x[2]); }},
     .lower = [](const Scalar* x) { return kernel::betainc(x[0], x[1], x[2]); },
     .reference = [](const double* x) { return reference::betainc(x[0], x[1], x[2]); }},

    {.name = "betainc_grad_a", .operands = 3,
     .partials = {nullptr, nullptr,
                  [](Arrays x, const Array&) {
                    const Array slope = sub(function("digamma", add(x[0], x[1])), function("digamma", x[0]));
                    return mul(beta_density(x[0], x[1], x[2]), add(function("log", x[2]), slope));
                  }},
     .lower = [](const Scalar* x) { return kernel::betainc_grad_a(x[0], x[1], x[2]); },
     .reference = [](const double* x) { return reference::betainc_grad_a(x[0], x[1], x[2]); }},

    // i0' = i1, and the factor exp(-|x|)
    {.name = "bessel_i0e", .operands = 1,
     .partials = {[](Arrays x, const Array& y) { return sub(here("bessel_i1e", x), mul(function("sign", x[0]), y)); }},
     .lower = [](const Scalar* x) { return kernel::bessel_i0e(x[0]); },
     .reference = [](const double* x) { return reference::bessel_ie(0, x[0]); }},

    // i1' = i0 - i1 / x, 1/2 at 0
    {.name = "bessel_i1e", .operands = 1,
     .partials = {[](Arrays x, const Array& y) {
       const Array zero = compare(Direction::eq, x[0], constant_like(x[0], 0), rule_site());
       const Array safe = select(zero, constant_like(x[0], 1), x[0], rule_site());
       const Array ratio = select(zero, constant_like(x[0], 0.5), div(y, safe), rule_site());
       return sub(sub(here("bessel_i0e", x), ratio), mul(function("sign", x[0]), y));
     }},
     .lower = [](const Scalar* x) { return kernel::bessel_i1e(x[0]); },
     .reference = [](const double* x) { return reference::bessel_ie(1, x[0]); }},
};
// clang-format on
constexpr std::size_t row_count = std::size(table);

Types special_types(const SpecialRow& row, TypeList in) {
  check_operand_count(row.name, in, row.operands);
  check_alike(row.name, in);
  check_accepted(row.name, in[0], floats);
  return {in[0]};
}

Array special_tangent(const SpecialRow& row, Arrays x, const Array& y, Arrays dx) {
  Array tangent;
  for (std::size_t k = 0; k < row.operands; ++k) {
    if (!defined(dx[k])) continue;
    if (!row.partials[k]) {
      fail("no-derivative",
           rule_site(),
           std::string(row.name) + ": its derivative with respect to argument " +
               std::to_string(k) + " is not known in closed form",
           {"argument " + std::to_string(k) + " is " + to_string(type_of(x[k]))},
           "hold the argument fixed: fx::stop_gradient");
    }
    tangent = sum_of(tangent, mul(row.partials[k](x, y), dx[k]));
  }
  return tangent;
}

Scalar lower_special(const SpecialRow& row, kernel::Reader& reader, const kernel::Index& index) {
  Scalar x[3];
  for (std::size_t k = 0; k < row.operands; ++k)
    x[k] = kernel::convert(reader.read(static_cast<int>(k), index), float64);
  return kernel::convert(row.lower(x), reader.operand(0).dtype);
}

void special_reference(const SpecialRow& row, ConstTensors in, const Tensor& out) {
  by_dtype(out.type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (host_float<T>) {
      const std::int64_t count = element_count(out.type.shape);
      for (std::int64_t i = 0; i < count; ++i) {
        double x[3] = {};
        for (std::size_t k = 0; k < row.operands; ++k) x[k] = to_double(in[k].as<T>()[i]);
        out.as<T>()[i] = from_double<T>(row.reference(x));
      }
    }
  });
}

/// Every row is an operation of its own: the name is the operation, there are no attributes.
template <std::size_t at_row> struct Special {
  static constexpr const SpecialRow& row = table[at_row];
  static constexpr auto name = row.name;

  Types types(TypeList in) const { return special_types(row, in); }
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const { return {special_tangent(row, x, y[0], dx)}; }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }
  Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    return lower_special(row, x, index);
  }
  void reference(ConstTensors in, Tensors out) const { special_reference(row, in, out[0]); }
};

template <std::size_t... k> constexpr auto rules_of_rows(std::index_sequence<k...>) {
  return std::array<const Rules*, sizeof...(k)>{rules_of<Special<k>>()...};
}
template <std::size_t... k>
std::array<Op, sizeof...(k)> make_operations(std::index_sequence<k...>) {
  return {Op(Special<k>())...};
}
constexpr auto rules = rules_of_rows(std::make_index_sequence<row_count>());

}  // namespace

std::span<const Rules* const> special_rules() { return rules; }

Array special(std::string_view name, Arrays operands, const Site& site) {
  static const auto operations = make_operations(std::make_index_sequence<row_count>());
  for (std::size_t k = 0; k < row_count; ++k)
    if (table[k].name == name) return emit(operations[k], operands, site);
  throw InternalError("no special function is called " + std::string(name));
}

}  // namespace fluxion::ops
