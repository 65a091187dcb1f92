// The elementwise operations of two operands, one row each: accepted dtypes, derivatives, kernel
// expression, reference.
#include "trace/frame.hpp"
#include "trace/kernel/math.hpp"
#include "trace/ops/complex_functions.hpp"

#include <array>
#include <cmath>

namespace fluxion::ops {
std::span<const Rules* const> binary_rules();

namespace {
using kernel::Scalar;

/// The part of the result's tangent that comes from one operand's tangent.
using Partial = Array (*)(const Array& x, const Array& y, const Array& z, const Array& tangent);
/// The cotangent of one operand, where the operation is linear in it; the other operand may be
/// unknown where the operation is linear in both.
using Pullback = Array (*)(const Array& ct, const Array& other);

struct BinaryRow {
  std::string_view name;
  unsigned accepts;
  Partial left = nullptr, right = nullptr;
  Pullback pull_left = nullptr, pull_right = nullptr;
  /// x and y are no 16-bit floats, and real: complex numbers have a table of their own.
  Scalar (*lower)(Scalar x, Scalar y) = nullptr;
  double (*reference)(double x, double y) = nullptr;                 // of floating-point elements
  std::uint64_t (*integer)(WideInteger x, WideInteger y) = nullptr;  // of integers and bool
  bool joins_parts = false;  // the operands are the parts of the result
};

Array unary_here(std::string_view name, const Array& x) { return unary(name, x, rule_site()); }
Array pow_here(const Array& x, const Array& y) { return binary("pow", x, y, rule_site()); }
Array compare_here(Direction d, const Array& x, const Array& y) {
  return compare(d, x, y, rule_site());
}
Array select_here(const Array& condition, const Array& yes, const Array& no) {
  return select(condition, yes, no, rule_site());
}

/// y x^(y-1). Where both are 0 the factor x^-1 would turn 0 into NaN.
Array pow_left(const Array& x, const Array& y, const Array&, const Array& dx) {
  Array zero = constant_like(x, 0), one = constant_like(x, 1);
  Array both = binary("and",
                      compare_here(Direction::eq, x, zero),
                      compare_here(Direction::eq, y, zero),
                      rule_site());
  Array exponent = select_here(both, one, sub(y, one));
  return mul(dx, mul(y, pow_here(x, exponent)));
}

/// log(x) x^y, with log 0 taken as 0: 0^y is constant for positive y.
Array pow_right(const Array& x, const Array&, const Array& z, const Array& dy) {
  Array is_zero = compare_here(Direction::eq, x, constant_like(x, 0));
  Array base = select_here(is_zero, constant_like(x, 1), x);
  return mul(dy, mul(unary_here("log", base), z));
}

/// x - q y with the integer q = (x - z) / y, which is constant between its jumps.
Array rem_right(const Array& x, const Array& y, const Array& z, const Array& dy) {
  return neg(mul(dy, unary_here("round_even", div(sub(x, z), y))));
}

Array squared_radius(const Array& x, const Array& y) { return add(mul(x, x), mul(y, y)); }

/// 1 where the operand is the result, 1/2 in a tie.
template <Direction wins> Array weighted(const Array& x, const Array& y, const Array& tangent) {
  Array one = constant_like(x, 1), half = constant_like(x, 0.5), zero = constant_like(x, 0);
  Array tie = select_here(compare_here(Direction::eq, x, y), half, zero);
  return mul(tangent, select_here(compare_here(wins, x, y), one, tie));
}

/// Square and multiply. A negative exponent is 1 / x^|y| truncated: 0 unless x is 1 or -1 (and for
/// x = 0).
Scalar lower_integer_pow(Scalar x, Scalar y) {
  const DType type = x.type();
  const bool is_signed = is_signed_integer(type);
  kernel::Builder& builder = x.builder();
  Scalar one = x.like(1), zero = x.like(0);
  const std::int64_t steps = static_cast<std::int64_t>(8 * size_of(type)) - (is_signed ? 1 : 0);
  std::vector<Scalar> end = builder.serial(
      Shape{steps}, {one, x, y}, [&](const kernel::Index&, std::vector<Scalar> carry) {
        Scalar odd = (carry[2] & one) != zero;
        Scalar product = kernel::select(odd, carry[0] * carry[1], carry[0]);
        return std::vector<Scalar>{
            product, carry[1] * carry[1], kernel::shift_right_logical(carry[2], one)};
      });
  if (!is_signed) return end[0];
  Scalar minus_one = x.like(-1);
  Scalar alternating = kernel::select((y & one) != zero, minus_one, one);
  Scalar reciprocal =
      kernel::select(x == one, one, kernel::select(x == minus_one, alternating, zero));
  return kernel::select(y < zero, reciprocal, end[0]);
}

Scalar lower_pow(Scalar x, Scalar y) {
  return is_floating(x.type()) ? kernel::pow(x, y) : lower_integer_pow(x, y);
}

Scalar lower_max(Scalar x, Scalar y) { return x.type() == bool_ ? x | y : kernel::max(x, y); }
Scalar lower_min(Scalar x, Scalar y) { return x.type() == bool_ ? x & y : kernel::min(x, y); }

Scalar lower_rem(Scalar x, Scalar y) {
  return is_floating(x.type()) ? kernel::remainder(x, y) : x % y;
}

double max_of(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return std::nan("");
  if (x == y) return std::signbit(x) ? y : x;
  return x > y ? x : y;
}

double min_of(double x, double y) {
  if (std::isnan(x) || std::isnan(y)) return std::nan("");
  if (x == y) return std::signbit(x) ? x : y;
  return x < y ? x : y;
}

bool less(WideInteger x, WideInteger y) {
  return x.is_signed ? x.as_signed() < y.as_signed() : x.bits < y.bits;
}

std::uint64_t divide(WideInteger x, WideInteger y) {
  if (y.bits == 0) return ~std::uint64_t{0};
  if (!x.is_signed) return x.bits / y.bits;
  if (y.as_signed() == -1) return 0 - x.bits;
  return static_cast<std::uint64_t>(x.as_signed() / y.as_signed());
}

std::uint64_t remain(WideInteger x, WideInteger y) {
  if (y.bits == 0) return x.bits;
  if (!x.is_signed) return x.bits % y.bits;
  if (y.as_signed() == -1) return 0;
  return static_cast<std::uint64_t>(x.as_signed() % y.as_signed());
}

std::uint64_t power(WideInteger x, WideInteger y) {
  if (y.negative()) {
    const bool odd = y.bits & 1;
    if (x.as_signed() == 1) return 1;
    if (x.as_signed() == -1) return odd ? ~std::uint64_t{0} : 1;
    return 0;
  }
  std::uint64_t product = 1, base = x.bits;
  for (std::uint64_t rest = y.bits; rest != 0; rest >>= 1) {
    if (rest & 1) product *= base;
    base *= base;
  }
  return product;
}

std::uint64_t low_bits(WideInteger x) {
  return x.width == 64 ? x.bits : x.bits & ((std::uint64_t{1} << x.width) - 1);
}

/// A negative amount is beyond the width too.
bool beyond(WideInteger amount) {
  return amount.negative() || amount.bits >= static_cast<std::uint64_t>(amount.width);
}

// clang-format off
constexpr BinaryRow table[] = {
    {.name = "add",
     .accepts = numbers | complexes,
     .left = [](const Array&, const Array&, const Array&, const Array& dx) { return dx; },
     .right = [](const Array&, const Array&, const Array&, const Array& dy) { return dy; },
     .pull_left = [](const Array& ct, const Array&) { return ct; },
     .pull_right = [](const Array& ct, const Array&) { return ct; },
     .lower = [](Scalar x, Scalar y) { return x + y; },
     .reference = [](double x, double y) { return x + y; },
     .integer = [](WideInteger x, WideInteger y) { return x.bits + y.bits; }},

    {.name = "sub",
     .accepts = numbers | complexes,
     .left = [](const Array&, const Array&, const Array&, const Array& dx) { return dx; },
     .right = [](const Array&, const Array&, const Array&, const Array& dy) { return neg(dy); },
     .pull_left = [](const Array& ct, const Array&) { return ct; },
     .pull_right = [](const Array& ct, const Array&) { return neg(ct); },
     .lower = [](Scalar x, Scalar y) { return x - y; },
     .reference = [](double x, double y) { return x - y; },
     .integer = [](WideInteger x, WideInteger y) { return x.bits - y.bits; }},

    {.name = "mul",
     .accepts = numbers | complexes,
     .left = [](const Array&, const Array& y, const Array&, const Array& dx) { return mul(dx, y); },
     .right = [](const Array& x, const Array&, const Array&, const Array& dy) { return mul(x, dy); },
     .pull_left = [](const Array& ct, const Array& y) { return mul(ct, y); },
     .pull_right = [](const Array& ct, const Array& x) { return mul(x, ct); },
     .lower = [](Scalar x, Scalar y) { return x * y; },
     .reference = [](double x, double y) { return x * y; },
     .integer = [](WideInteger x, WideInteger y) { return x.bits * y.bits; }},

    // d(x / y) = dx / y - (x / y) dy / y
    {.name = "div",
     .accepts = numbers | complexes,
     .left = [](const Array&, const Array& y, const Array&, const Array& dx) { return div(dx, y); },
     .right = [](const Array&, const Array& y, const Array& z, const Array& dy) { return neg(mul(dy, div(z, y))); },
     .pull_left = [](const Array& ct, const Array& y) { return div(ct, y); },
     .lower = [](Scalar x, Scalar y) { return x / y; },
     .reference = [](double x, double y) { return x / y; },
     .integer = divide},

    {.name = "rem",
     .accepts = numbers,
     .left = [](const Array&, const Array&, const Array&, const Array& dx) { return dx; },
     .right = rem_right,
     .lower = lower_rem,
     .reference = [](double x, double y) { return std::fmod(x, y); },
     .integer = remain},

    {.name = "pow",
     .accepts = numbers | complexes,
     .left = pow_left,
     .right = pow_right,
     .lower = lower_pow,
     .reference = [](double x, double y) { return std::pow(x, y); },
     .integer = power},

    // a complex number of two real ones; cotangents pair with tangents as Re(ct dz)
    {.name = "complex",
     .accepts = floats,
     .left = [](const Array&, const Array& y, const Array&, const Array& dx) { return make_complex(dx, constant_like(y, 0)); },
     .right = [](const Array& x, const Array&, const Array&, const Array& dy) { return make_complex(constant_like(x, 0), dy); },
     .pull_left = [](const Array& ct, const Array&) { return real(ct); },
     .pull_right = [](const Array& ct, const Array&) { return neg(imag(ct)); },
     .joins_parts = true},

    // the angle of the point (y, x): the first operand is the ordinate
    {.name = "atan2",
     .accepts = floats,
     .left = [](const Array& y, const Array& x, const Array&, const Array& dy) { return mul(dy, div(x, squared_radius(x, y))); },
     .right = [](const Array& y, const Array& x, const Array&, const Array& dx) { return neg(mul(dx, div(y, squared_radius(x, y)))); },
     .lower = [](Scalar y, Scalar x) { return kernel::atan2(y, x); },
     .reference = [](double y, double x) { return std::atan2(y, x); }},

    {.name = "max",
     .accepts = booleans | numbers,
     .left = [](const Array& x, const Array& y, const Array&, const Array& dx) { return weighted<Direction::gt>(x, y, dx); },
     .right = [](const Array& x, const Array& y, const Array&, const Array& dy) { return weighted<Direction::lt>(x, y, dy); },
     .lower = lower_max,
     .reference = max_of,
     .integer = [](WideInteger x, WideInteger y) { return less(x, y) ? y.bits : x.bits; }},

    {.name = "min",
     .accepts = booleans | numbers,
     .left = [](const Array& x, const Array& y, const Array&, const Array& dx) { return weighted<Direction::lt>(x, y, dx); },
     .right = [](const Array& x, const Array& y, const Array&, const Array& dy) { return weighted<Direction::gt>(x, y, dy); },
     .lower = lower_min,
     .reference = min_of,
     .integer = [](WideInteger x, WideInteger y) { return less(x, y) ? x.bits : y.bits; }},

    {.name = "and",
     .accepts = booleans | integers,
     .lower = [](Scalar x, Scalar y) { return x & y; },
     .integer = [](WideInteger x, WideInteger y) { return x.bits & y.bits; }},

    {.name = "or",
     .accepts = booleans | integers,
     .lower = [](Scalar x, Scalar y) { return x | y; },
     .integer = [](WideInteger x, WideInteger y) { return x.bits | y.bits; }},

    {.name = "xor",
     .accepts = booleans | integers,
     .lower = [](Scalar x, Scalar y) { return x ^ y; },
     .integer = [](WideInteger x, WideInteger y) { return x.bits ^ y.bits; }},

    {.name = "shift_left",
     .accepts = integers,
     .lower = [](Scalar x, Scalar y) { return kernel::shift_left(x, y); },
     .integer = [](WideInteger x, WideInteger y) { return beyond(y) ? 0 : x.bits << y.bits; }},

    {.name = "shift_right_logical",
     .accepts = integers,
     .lower = [](Scalar x, Scalar y) { return kernel::shift_right_logical(x, y); },
     .integer = [](WideInteger x, WideInteger y) { return beyond(y) ? 0 : low_bits(x) >> y.bits; }},

    // of unsigned integers too: the top bit counts as the sign
    {.name = "shift_right_arithmetic",
     .accepts = integers,
     .lower = [](Scalar x, Scalar y) { return kernel::shift_right_arithmetic(x, y); },
     .integer = [](WideInteger x, WideInteger y) {
       const int unused = 64 - x.width;
       const std::int64_t value = static_cast<std::int64_t>(x.bits << unused) >> unused;
       return static_cast<std::uint64_t>(value >> (beyond(y) ? 63 : y.bits));
     }},
};
// clang-format on
constexpr std::size_t row_count = std::size(table);

Types binary_types(const BinaryRow& row, TypeList in) {
  check_operand_count(row.name, in, 2);
  check_alike(row.name, in);
  check_accepted(row.name, in[0], row.accepts);
  if (!row.joins_parts) return {in[0]};
  if (is_half(in[0].dtype)) {
    fail("dtype",
         Site(),
         "complex: there are no complex numbers of " + to_string(in[0].dtype),
         {"parts " + to_string(in[0])},
         "convert the parts first: x.astype(fx::float32)");
  }
  return {{in[0].shape, in[0].dtype == float64 ? complex128 : complex64}};
}

Scalar lower_binary(const BinaryRow& row, kernel::Reader& x, const kernel::Index& index) {
  if (row.joins_parts) return x.part_of({x.read(0, index), x.read(1, index)});
  if (is_complex(x.operand(0).dtype)) {
    return x.part_of(
        complex_binary(row.name).lower(x.read_complex(0, index), x.read_complex(1, index)));
  }
  Scalar left = x.read(0, index), right = x.read(1, index);
  return narrowed(row.lower(widened(left), widened(right)), left.type());
}

void join_parts(const ConstTensor& re, const ConstTensor& im, const Tensor& z) {
  const std::int64_t count = element_count(re.type.shape);
  for (std::int64_t i = 0; i < count; ++i) {
    copy_element({{{2 * count}, re.type.dtype}, z.data}, 2 * i, re, i);
    copy_element({{{2 * count}, re.type.dtype}, z.data}, 2 * i + 1, im, i);
  }
}

void binary_transpose(const BinaryRow& row,
                      const Array& ct,
                      const Operands& operands,
                      Accumulators& out) {
  const Pullback pull[] = {row.pull_left, row.pull_right};
  for (std::size_t k = 0; k < 2; ++k) {
    if (!operands.linear(k) || !out.needed(k)) continue;
    if (pull[k] == nullptr) {
      throw InternalError(std::string(row.name) + ": not linear in operand " + std::to_string(k));
    }
    out.add(k, pull[k](ct, operands.value(1 - k)));
  }
}

void binary_reference(const BinaryRow& row,
                      const ConstTensor& x,
                      const ConstTensor& y,
                      const Tensor& z) {
  if (row.joins_parts) return join_parts(x, y, z);
  if (is_complex(x.type.dtype)) return complex_binary_reference(row.name, x, y, z);
  by_dtype(x.type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::int64_t count = element_count(x.type.shape);
    for (std::int64_t i = 0; i < count; ++i) {
      if constexpr (host_float<T>) {
        z.as<T>()[i] =
            from_double<T>(row.reference(to_double(x.as<T>()[i]), to_double(y.as<T>()[i])));
      } else if constexpr (host_integer<T>) {
        z.as<T>()[i] = narrow<T>(row.integer(widen(x.as<T>()[i]), widen(y.as<T>()[i])));
      }
    }
  });
}

/// Every row is an operation of its own: the name is the operation, there are no attributes.
template <std::size_t at_row> struct Binary {
  static constexpr const BinaryRow& row = table[at_row];
  static constexpr auto name = row.name;

  Types types(TypeList in) const { return binary_types(row, in); }
  ArrayList jvp(Arrays x, Arrays z, Arrays dx) const {
    Array left, right;
    if (row.left != nullptr && defined(dx[0])) left = row.left(x[0], x[1], z[0], dx[0]);
    if (row.right != nullptr && defined(dx[1])) right = row.right(x[0], x[1], z[0], dx[1]);
    return {sum_of(left, right)};
  }
  void transpose(Arrays ct, const Operands& operands, Accumulators& out) const
    requires(table[at_row].pull_left != nullptr)
  {
    binary_transpose(row, ct[0], operands, out);
  }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }
  Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    return lower_binary(row, x, index);
  }
  void reference(ConstTensors in, Tensors out) const {
    binary_reference(row, in[0], in[1], out[0]);
  }
};

template <std::size_t... k> constexpr auto rules_of_rows(std::index_sequence<k...>) {
  return std::array<const Rules*, sizeof...(k)>{rules_of<Binary<k>>()...};
}
template <std::size_t... k>
std::array<Op, sizeof...(k)> make_operations(std::index_sequence<k...>) {
  return {Op(Binary<k>())...};
}
constexpr auto rules = rules_of_rows(std::make_index_sequence<row_count>());

}  // namespace

std::span<const Rules* const> binary_rules() { return rules; }

Array binary(std::string_view name, const Array& x, const Array& y, const Site& site) {
  static const auto operations = make_operations(std::make_index_sequence<row_count>());
  for (std::size_t k = 0; k < row_count; ++k) {
    if (table[k].name != name) continue;
    if (number_meets_array(x, y)) {
      const Array operands[] = {x, y};
      return emit_with_numbers(operations[k], operands, site);
    }
    return emit(operations[k], {x, y}, site);
  }
  throw InternalError("no elementwise operation of two operands is called " + std::string(name));
}

}  // namespace fluxion::ops
