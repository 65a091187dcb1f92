// Comparisons, logic, and choice between arrays.
#include "fluxion/complex.hpp"
#include "trace/composed/common.hpp"

#include <cmath>
#include <limits>

namespace fluxion {
namespace {

using namespace composed;

Array compared(std::string_view who, ops::Direction direction, const Operand& x, const Operand& y) {
  const Pair p = meet_number(who, x, y, common_dtype({&x, &y}));
  return ops::compare(direction, p.x, p.y, x.site());
}

Array truth(const Operand& x, std::string_view who) {
  const Array a = as(x, composed::dtype_of(x), who);
  return type_of(a).dtype == bool_
             ? a
             : ops::compare(ops::Direction::ne, a, constant_like(a, 0, x.site()), x.site());
}

Array logical(std::string_view who, std::string_view row, const Operand& x, const Operand& y) {
  const Array a = truth(x, who), b = truth(y, who);
  const Shape shape = broadcast_shapes(who, a, b, x.site());
  return ops::binary(
      row, broadcast(who, a, shape, x.site()), broadcast(who, b, shape, x.site()), x.site());
}

/// Of a complex number: whether it holds for one of the parts.
Array either(Array (*f)(const Operand&), const Operand& x) {
  SiteScope here(x.site());
  return f(fluxion::real(x)) | f(imag(x));
}

/// A bool of x's shape.
Array constant_truth(const Array& x, bool value) { return full(type_of(x).shape, value); }

}  // namespace

Array equal(const Operand& x, const Operand& y) { return compared("==", ops::Direction::eq, x, y); }
Array not_equal(const Operand& x, const Operand& y) {
  return compared("!=", ops::Direction::ne, x, y);
}
Array less(const Operand& x, const Operand& y) { return compared("<", ops::Direction::lt, x, y); }
Array less_equal(const Operand& x, const Operand& y) {
  return compared("<=", ops::Direction::le, x, y);
}
Array greater(const Operand& x, const Operand& y) {
  return compared(">", ops::Direction::gt, x, y);
}
Array greater_equal(const Operand& x, const Operand& y) {
  return compared(">=", ops::Direction::ge, x, y);
}
Array operator==(const Operand& x, const Operand& y) { return equal(x, y); }
Array operator!=(const Operand& x, const Operand& y) { return not_equal(x, y); }
Array operator<(const Operand& x, const Operand& y) { return less(x, y); }
Array operator<=(const Operand& x, const Operand& y) { return less_equal(x, y); }
Array operator>(const Operand& x, const Operand& y) { return greater(x, y); }
Array operator>=(const Operand& x, const Operand& y) { return greater_equal(x, y); }

Array isclose(const Operand& x, const Operand& y, double rtol, double atol) {
  SiteScope here(x.site());
  const Pair p = meet("isclose", x, y, real_dtype(common_dtype({&x, &y})));
  const Array close = abs(p.x - p.y) <= atol + rtol * abs(p.y);
  return (p.x == p.y) | (isfinite(p.x) & isfinite(p.y) & close);
}

Array allclose(const Operand& x, const Operand& y, double rtol, double atol) {
  SiteScope here(x.site());
  return all(isclose(x, y, rtol, atol));
}

Array array_equal(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Array a = array_of(x), b = array_of(y);
  if (!(shape_of(a) == shape_of(b))) return Array(false);
  return all(x == y);
}

Array logical_and(const Operand& x, const Operand& y) {
  return logical("logical_and", "and", x, y);
}
Array logical_or(const Operand& x, const Operand& y) { return logical("logical_or", "or", x, y); }
Array logical_xor(const Operand& x, const Operand& y) {
  return logical("logical_xor", "xor", x, y);
}
Array logical_not(const Operand& x) { return ops::unary("not", truth(x, "logical_not"), x.site()); }
Array operator!(const Array& x) { return logical_not(Operand(x, detail::origin(x))); }

Array bitwise_not(const Operand& x) {
  const Array a = array_of(x);
  if (is_floating(type_of(a).dtype))
    fail("dtype",
         x.site(),
         "~: bits of " + to_string(type_of(a).dtype) + " are asked for; it takes integers or bools",
         {},
         "for a condition write !x");
  return ops::unary("not", a, x.site());
}

Array isnan(const Operand& x) {
  const Array a = array_of(x);
  if (is_complex(type_of(a).dtype)) return either(isnan, x);
  return is_floating(type_of(a).dtype) ? ops::compare(ops::Direction::ne, a, a, x.site())
                                       : constant_truth(a, false);
}

Array isfinite(const Operand& x) {
  const Array a = array_of(x);
  if (is_complex(type_of(a).dtype)) {
    SiteScope here(x.site());
    return isfinite(real(a)) & isfinite(imag(a));
  }
  return is_floating(type_of(a).dtype) ? ops::unary("is_finite", a, x.site())
                                       : constant_truth(a, true);
}

Array isinf(const Operand& x) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  if (is_complex(type_of(a).dtype)) return either(isinf, x);
  return is_floating(type_of(a).dtype) ? abs(a) == INFINITY : constant_truth(a, false);
}

Array isposinf(const Operand& x) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  return is_floating(type_of(a).dtype) ? a == INFINITY : constant_truth(a, false);
}

Array isneginf(const Operand& x) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  return is_floating(type_of(a).dtype) ? a == -INFINITY : constant_truth(a, false);
}

Array where(const Operand& condition, const Operand& x, const Operand& y) {
  const Site& site = condition.site();
  const DType d = common_dtype({&x, &y});
  const Array c = truth(condition, "where"), a = as(x, d, "where"), b = as(y, d, "where");
  const Shape shape = broadcast_shapes("where", {c, a, b}, site);
  const Array chosen = shape_of(c).empty() ? c : broadcast("where", c, shape, site);
  return ops::select(
      chosen, broadcast("where", a, shape, site), broadcast("where", b, shape, site), site);
}

Array clip(const Operand& x, const Operand& low, const Operand& high) {
  const Site& site = x.site();
  const DType d = common_dtype({&x, &low, &high});
  const Array a = as(x, d, "clip"), from = as(low, d, "clip"), to = as(high, d, "clip");
  const Shape shape = broadcast_shapes("clip", {a, from, to}, site);
  const auto bound = [&](const Array& b) {
    return shape_of(b).empty() ? b : broadcast("clip", b, shape, site);
  };
  return ops::clamp(bound(from), broadcast("clip", a, shape, site), bound(to), site);
}

}  // namespace fluxion
