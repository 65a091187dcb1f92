// Arithmetic of two operands, its operators, and powers.
#include "trace/composed/common.hpp"

#include <cmath>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

Array arithmetic(std::string_view who, std::string_view row, const Operand& x, const Operand& y) {
  const Pair p = meet_number(who, x, y, arithmetic_dtype(common_dtype({&x, &y})));
  return ops::binary(row, p.x, p.y, x.site());
}

/// Both as real numbers.
Pair meet_real(std::string_view who, const Operand& x, const Operand& y) {
  return meet(who, x, y, real_dtype(common_dtype({&x, &y})));
}

Array ordered(std::string_view who, std::string_view row, const Operand& x, const Operand& y) {
  const DType d = common_dtype({&x, &y});
  if (is_complex(d)) {
    const Pair z = meet(who, x, y, d);
    const auto first = row == "max" ? ops::Direction::gt : ops::Direction::lt;
    return ops::select(ops::compare(first, z.x, z.y, x.site()), z.x, z.y, x.site());
  }
  const Pair p = meet_number(who, x, y, d);
  return ops::binary(row, p.x, p.y, x.site());
}

Array bitwise(std::string_view who, std::string_view row, const Operand& x, const Operand& y) {
  const DType d = common_dtype({&x, &y});
  if (d != bool_ && !is_integer(d))
    fail("dtype",
         x.site(),
         fmt::format("{}: bits of {} are asked for; it takes integers or bools", who, to_string(d)),
         {},
         "convert first: x.astype(fx::int32), or compare: x != 0");
  const Pair p = meet_number(who, x, y, d);
  return ops::binary(row, p.x, p.y, x.site());
}

Array shift(std::string_view who,
            std::string_view left_row,
            std::string_view unsigned_row,
            const Operand& x,
            const Operand& y) {
  const DType d = arithmetic_dtype(common_dtype({&x, &y}));
  if (!is_integer(d))
    fail("dtype",
         x.site(),
         fmt::format("{}: {} has no bits to shift; it takes integers", who, to_string(d)),
         {},
         "convert first: x.astype(fx::int32)");
  const Pair p = meet_number(who, x, y, d);
  return ops::binary(is_unsigned(d) ? unsigned_row : left_row, p.x, p.y, x.site());
}

/// x to a whole power by repeated squaring.
Array whole_power(const Array& x, std::uint64_t n) {
  Array result, square = x;
  for (;; n >>= 1) {
    if (n & 1) result = defined(result) ? result * square : square;
    if (n <= 1) return result;
    square = square * square;
  }
}

/// The exponent where it is a bare whole number that squaring serves well.
std::optional<std::int64_t> whole_exponent(const Operand& y) {
  if (!y.weak() || is_complex(y.number().dtype)) return {};
  const Scalar& v = y.number();
  if (!is_floating(v.dtype)) return v.integer;
  if (std::floor(v.real) == v.real && std::abs(v.real) <= 1024)
    return static_cast<std::int64_t>(v.real);
  return {};
}

}  // namespace

Array add(const Operand& x, const Operand& y) { return arithmetic("add", "add", x, y); }
Array subtract(const Operand& x, const Operand& y) { return arithmetic("subtract", "sub", x, y); }
Array multiply(const Operand& x, const Operand& y) { return arithmetic("multiply", "mul", x, y); }
Array divide(const Operand& x, const Operand& y) { return arithmetic("divide", "div", x, y); }
Array fmod(const Operand& x, const Operand& y) { return arithmetic("fmod", "rem", x, y); }

Array true_divide(const Operand& x, const Operand& y) {
  const Pair p = meet_number("true_divide", x, y, real_dtype(common_dtype({&x, &y})));
  return ops::binary("div", p.x, p.y, x.site());
}

Array remainder(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet("remainder", x, y, arithmetic_dtype(common_dtype({&x, &y})));
  const Array r = p.x % p.y;
  return where((r != 0) & ((r < 0) != (p.y < 0)), r + p.y, r);
}

Array floor_divide(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet("floor_divide", x, y, arithmetic_dtype(common_dtype({&x, &y})));
  const Array r = p.x % p.y;
  const Array below = (r != 0) & ((r < 0) != (p.y < 0));
  if (is_integer(type_of(r).dtype)) return p.x / p.y - below.astype(type_of(r).dtype);
  const Array quotient = (p.x - r) / p.y;  // whole up to rounding
  return round(where(below, quotient - 1, quotient));
}

Array power(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const DType d = arithmetic_dtype(common_dtype({&x, &y}));
  if (const auto n = whole_exponent(y); n && !x.weak()) {
    const Array base = as(x, d, "power");
    if (*n < 0 && is_integer(d))
      fail("dtype",
           x.site(),
           fmt::format("power: {} to the power {} is no integer", to_string(type_of(base)), *n),
           {},
           "convert first: x.astype(fx::float32)");
    if (*n == 0) return ones_like(base);
    const Array whole = whole_power(base, static_cast<std::uint64_t>(*n < 0 ? -*n : *n));
    return *n < 0 ? reciprocal(whole) : whole;
  }
  const Pair p = meet_number("power", x, y, d);
  return ops::binary("pow", p.x, p.y, x.site());
}

Array minimum(const Operand& x, const Operand& y) { return ordered("minimum", "min", x, y); }
Array maximum(const Operand& x, const Operand& y) { return ordered("maximum", "max", x, y); }

Array fmin(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet("fmin", x, y);
  return where(isnan(p.x), p.y, where(isnan(p.y), p.x, minimum(p.x, p.y)));
}

Array fmax(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet("fmax", x, y);
  return where(isnan(p.x), p.y, where(isnan(p.y), p.x, maximum(p.x, p.y)));
}

Array atan2(const Operand& y, const Operand& x) {
  const Pair p = meet_real("atan2", y, x);
  return ops::binary("atan2", p.x, p.y, y.site());
}

Array hypot(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet_real("hypot", x, y);
  const Array a = abs(p.x), b = abs(p.y), large = maximum(a, b), infinite = isinf(p.x) | isinf(p.y);
  const Array safe = where((large == 0) | infinite, 1, large), ratio = minimum(a, b) / safe;
  return where(infinite, INFINITY, large * sqrt(1 + ratio * ratio));
}

Array logaddexp(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet_real("logaddexp", x, y);
  const Array distance = where(p.x == p.y, 0, p.x - p.y);  // of equal infinities it would be NaN
  return maximum(p.x, p.y) + log1p(exp(-abs(distance)));
}

Array logaddexp2(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet_real("logaddexp2", x, y);
  const Array distance = where(p.x == p.y, 0, p.x - p.y);
  return maximum(p.x, p.y) + log1p(exp2(-abs(distance))) / std::log(2.0);
}

Array copysign(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet_real("copysign", x, y);
  return where(signbit(p.x) ^ signbit(p.y), -p.x, p.x);
}

Array heaviside(const Operand& x, const Operand& at_zero) {
  SiteScope here(x.site());
  const Pair p = meet_real("heaviside", x, at_zero);
  return where(p.x == 0, p.y, where(isnan(p.x), p.x, (p.x > 0).astype(type_of(p.x).dtype)));
}

// At x = 0 the product is 0 wherever the logarithm is finite; elsewhere 0 * inf is avoided.
Array xlogy(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet_real("xlogy", x, y);
  const Array avoid = (p.x == 0) & ((p.y <= 0) | isposinf(p.y));
  return p.x * log(where(avoid, 1, p.y));
}

Array xlog1py(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Pair p = meet_real("xlog1py", x, y);
  const Array avoid = (p.x == 0) & ((p.y <= -1) | isposinf(p.y));
  return p.x * log1p(where(avoid, 0, p.y));
}

Array bitwise_and(const Operand& x, const Operand& y) { return bitwise("&", "and", x, y); }
Array bitwise_or(const Operand& x, const Operand& y) { return bitwise("|", "or", x, y); }
Array bitwise_xor(const Operand& x, const Operand& y) { return bitwise("^", "xor", x, y); }
Array left_shift(const Operand& x, const Operand& y) {
  return shift("<<", "shift_left", "shift_left", x, y);
}
Array right_shift(const Operand& x, const Operand& y) {
  return shift(">>", "shift_right_arithmetic", "shift_right_logical", x, y);
}

namespace lax {
Array shift_right_logical(const Operand& x, const Operand& y) {
  return shift("shift_right_logical", "shift_right_logical", "shift_right_logical", x, y);
}
}  // namespace lax

Array operator+(const Operand& x) { return positive(x); }
Array operator-(const Operand& x) { return negative(x); }
Array operator~(const Operand& x) { return bitwise_not(x); }
Array operator+(const Operand& x, const Operand& y) { return add(x, y); }
Array operator-(const Operand& x, const Operand& y) { return subtract(x, y); }
Array operator*(const Operand& x, const Operand& y) { return multiply(x, y); }
Array operator/(const Operand& x, const Operand& y) { return divide(x, y); }
Array operator%(const Operand& x, const Operand& y) { return fmod(x, y); }
Array operator&(const Operand& x, const Operand& y) { return bitwise_and(x, y); }
Array operator|(const Operand& x, const Operand& y) { return bitwise_or(x, y); }
Array operator^(const Operand& x, const Operand& y) { return bitwise_xor(x, y); }
Array operator<<(const Operand& x, const Operand& y) { return left_shift(x, y); }
Array operator>>(const Operand& x, const Operand& y) { return right_shift(x, y); }

// x op= y binds the left side anew; the line is that of the right side, which is on the same
// statement.
Array& Array::operator+=(const Operand& y) & { return *this = add(Operand(*this, y.site()), y); }
Array& Array::operator-=(const Operand& y) & {
  return *this = subtract(Operand(*this, y.site()), y);
}
Array& Array::operator*=(const Operand& y) & {
  return *this = multiply(Operand(*this, y.site()), y);
}
Array& Array::operator/=(const Operand& y) & { return *this = divide(Operand(*this, y.site()), y); }
Array& Array::operator%=(const Operand& y) & { return *this = fmod(Operand(*this, y.site()), y); }
Array& Array::operator&=(const Operand& y) & {
  return *this = bitwise_and(Operand(*this, y.site()), y);
}
Array& Array::operator|=(const Operand& y) & {
  return *this = bitwise_or(Operand(*this, y.site()), y);
}
Array& Array::operator^=(const Operand& y) & {
  return *this = bitwise_xor(Operand(*this, y.site()), y);
}
Array& Array::operator<<=(const Operand& y) & {
  return *this = left_shift(Operand(*this, y.site()), y);
}
Array& Array::operator>>=(const Operand& y) & {
  return *this = right_shift(Operand(*this, y.site()), y);
}

}  // namespace fluxion
