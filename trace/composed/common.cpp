// How operands come together: which dtype and which shape they meet in, and what is said where they
// do not.
#include "trace/composed/common.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace fluxion::composed {
namespace {

int kind_of(DType d) { return d == bool_ ? 0 : is_integer(d) ? 1 : is_floating(d) ? 2 : 3; }

/// A bare number follows the arrays: only a kind that they lack (a float among integers) adds
/// something.
DType follow(DType arrays, DType number) {
  if (kind_of(number) <= kind_of(arrays)) return arrays;
  if (is_integer(number)) return number;
  if (is_floating(number)) return float32;
  return arrays == float64 ? complex128 : complex64;
}

bool fits(const Scalar& v, DType d) {
  const bool negative = !is_unsigned(v.dtype) && v.integer < 0;
  if (d == bool_) return v.dtype == bool_;
  const int bits = static_cast<int>(size_of(d)) * 8;
  if (is_unsigned(d))
    return !negative && (bits == 64 || static_cast<std::uint64_t>(v.integer) >> bits == 0);
  if (v.dtype == uint64 && v.integer < 0) return false;
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
  return v.integer <= largest && v.integer >= -largest - 1;
}

std::string described(std::string_view label, const Array& x) {
  return fmt::format("{} {}", label, to_string(type_of(x)));
}

}  // namespace

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (kind_of(a) < kind_of(b)) std::swap(a, b);  // a is of the higher kind
  if (kind_of(a) > kind_of(b)) return a == complex64 && b == float64 ? complex128 : a;
  if (kind_of(a) == 2 && size_of(a) == 2 && size_of(b) == 2) return float32;
  if (kind_of(a) != 1) return size_of(a) > size_of(b) ? a : b;
  if (size_of(a) < size_of(b)) std::swap(a, b);
  const bool holds_both =
      is_unsigned(a) == is_unsigned(b) || (is_signed_integer(a) && size_of(a) > size_of(b));
  if (holds_both) return a;
  return size_of(a) < 4 ? int32 : size_of(a) > size_of(b) || is_unsigned(a) ? a : b;
}

DType common_dtype(std::initializer_list<const Operand*> operands) {
  std::optional<DType> arrays, numbers;
  for (const Operand* o : operands) {
    std::optional<DType>& which = o->weak() ? numbers : arrays;
    const DType d = composed::dtype_of(*o);
    which = which ? promote(*which, d) : d;
  }
  if (arrays && numbers) return follow(*arrays, *numbers);
  return arrays ? *arrays : *numbers;
}

DType real_dtype(DType d) { return is_floating(d) || is_complex(d) ? d : float32; }
DType arithmetic_dtype(DType d) { return d == bool_ ? int32 : d; }
DType sum_dtype(DType d) {
  if (d == bool_ || d == int8 || d == int16) return int32;
  return d == uint8 || d == uint16 ? uint32 : d;
}
DType wide_dtype(DType d) { return d == float16 || d == bfloat16 ? float32 : d; }

DType dtype_of(const Operand& o) { return o.weak() ? o.number().dtype : o.array().dtype(o.site()); }

Array array_of(const Operand& o) {
  Array a = o.array();
  (void)a.dtype(o.site());  // an empty array is refused at its own line
  return a;
}

Array as(const Operand& o, DType d, std::string_view who) {
  if (!o.weak()) {
    const Array a = array_of(o);
    return type_of(a).dtype == d ? a : ops::convert(a, d, o.site());
  }
  const Scalar& v = o.number();
  if (is_integer(v.dtype) && is_integer(d) && !fits(v, d)) {
    const std::string number = v.dtype == uint64
                                   ? std::to_string(static_cast<std::uint64_t>(v.integer))
                                   : std::to_string(v.integer);
    fail("dtype",
         o.site(),
         fmt::format("{}: the number {} does not fit {}, the dtype of the array it meets",
                     who,
                     number,
                     to_string(d)),
         {},
         "convert the array first: x.astype(fx::int64)");
  }
  return detail::make_scalar_as(v, d, o.site());
}

Array real(const Operand& o, std::string_view who) {
  return as(o, real_dtype(composed::dtype_of(o)), who);
}

Array constant_like(const Array& x, double value, const Site& site) {
  const Type& t = type_of(x);
  const Array scalar = literal(value, t.dtype, site);
  return t.shape.empty() ? scalar : ops::broadcast_in_dim(scalar, t.shape, {}, site);
}

Shape broadcast_shapes(std::string_view who, const Array& x, const Array& y, const Site& site) {
  return broadcast_shapes(
      who, shape_of(x), shape_of(y), {described("x", x), described("y", y)}, site);
}

Shape broadcast_shapes(std::string_view who,
                       const Shape& a,
                       const Shape& b,
                       std::initializer_list<std::string> details,
                       const Site& site) {
  if (a == b) return a;
  const std::size_t rank = std::max(a.size(), b.size());
  std::vector<std::int64_t> sizes(rank);
  for (std::size_t k = 1; k <= rank; ++k) {
    const std::int64_t m = k <= a.size() ? a[a.size() - k] : 1,
                       n = k <= b.size() ? b[b.size() - k] : 1;
    if (m != n && m != 1 && n != 1)
      fail("broadcast",
           site,
           fmt::format("{}: the shapes {} and {} do not broadcast: axis -{} has {} and {}",
                       who,
                       to_string(a),
                       to_string(b),
                       k,
                       m,
                       n),
           details,
           "sizes are compared from the last axis, and must be equal or 1; fx::expand_dims puts in "
           "axes of size 1");
    sizes[rank - k] = m == 1 ? n : m;
  }
  return Shape(std::span<const std::int64_t>(sizes));
}

Shape broadcast_shapes(std::string_view who, const std::vector<Array>& arrays, const Site& site) {
  Shape shape;
  std::size_t rank = 0;
  for (const Array& a : arrays) rank = std::max(rank, shape_of(a).size());
  for (std::size_t k = rank; k >= 1; --k) {
    std::int64_t size = 1;
    for (const Array& a : arrays) {
      const Shape& s = shape_of(a);
      const std::int64_t n = k <= s.size() ? s[s.size() - k] : 1;
      if (n == 1) continue;
      if (size != 1 && size != n)
        fail("broadcast",
             site,
             fmt::format("{}: shapes do not broadcast: axis -{} has {} and {}", who, k, size, n),
             {described("one has", a)},
             {});
      size = n;
    }
    shape.push_back(size);
  }
  return shape;
}

Array broadcast(std::string_view who, const Array& x, const Shape& to, const Site& site) {
  const Shape& from = shape_of(x);
  if (from == to) return x;
  std::vector<int> at;
  bool fits = from.size() <= to.size();
  for (std::size_t k = 0; fits && k < from.size(); ++k) {
    const std::size_t axis = to.size() - from.size() + k;
    fits = from[k] == to[axis] || from[k] == 1;
    at.push_back(static_cast<int>(axis));
  }
  if (!fits)
    fail("broadcast",
         site,
         fmt::format(
             "{}: the shape {} does not broadcast to {}", who, to_string(from), to_string(to)),
         {described("x", x)},
         "sizes are compared from the last axis, and must be equal or 1");
  return ops::broadcast_in_dim(x, to, at, site);
}

Pair meet(std::string_view who, const Operand& x, const Operand& y) {
  return meet(who, x, y, common_dtype({&x, &y}));
}

Pair meet(std::string_view who, const Operand& x, const Operand& y, DType d) {
  Pair p{as(x, d, who), as(y, d, who)};
  const Shape &a = shape_of(p.x), &b = shape_of(p.y);
  if (a == b) return p;
  const Shape shape = broadcast_shapes(who, p.x, p.y, x.site());
  return {broadcast(who, p.x, shape, x.site()), broadcast(who, p.y, shape, x.site())};
}

Pair meet_number(std::string_view who, const Operand& x, const Operand& y, DType d) {
  if (x.weak() == y.weak()) return meet(who, x, y, d);
  return {as(x, d, who), as(y, d, who)};
}

int axis_of(std::string_view who, int axis, int rank, const Site& site) {
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  fail("axis",
       site,
       fmt::format("{}: there is no axis {} in an array of {} axes", who, axis, rank),
       {},
       rank ? fmt::format("axes count from 0 to {}, or from -{} to -1", rank - 1, rank)
            : "a scalar has no axes");
}

std::vector<int> axes_of(std::string_view who, const Axes& axes, int rank, const Site& site) {
  std::vector<int> out;
  if (axes.all())
    for (int k = 0; k < rank; ++k) out.push_back(k);
  for (int axis : axes.list()) out.push_back(axis_of(who, axis, rank, site));
  std::sort(out.begin(), out.end());
  if (auto twice = std::adjacent_find(out.begin(), out.end()); twice != out.end())
    fail("axis", site, fmt::format("{}: axis {} is named twice", who, *twice));
  return out;
}

Shape with_size(const Shape& s, int axis, std::int64_t size) {
  Shape out;
  for (std::size_t k = 0; k < s.size(); ++k)
    out.push_back(static_cast<int>(k) == axis ? size : s[k]);
  return out;
}

Shape with_axis(const Shape& s, int axis, std::int64_t size) {
  Shape out;
  for (std::size_t k = 0; k <= s.size(); ++k) {
    if (static_cast<int>(k) == axis) out.push_back(size);
    if (k < s.size()) out.push_back(s[k]);
  }
  return out;
}

Shape without_axes(const Shape& s, const std::vector<int>& axes) {
  Shape out;
  for (std::size_t k = 0; k < s.size(); ++k)
    if (std::find(axes.begin(), axes.end(), static_cast<int>(k)) == axes.end()) out.push_back(s[k]);
  return out;
}

Array slice_axis(const Array& x,
                 int axis,
                 std::int64_t start,
                 std::int64_t stop,
                 std::int64_t step,
                 const Site& site) {
  const Shape& s = shape_of(x);
  std::vector<std::int64_t> begin(s.size(), 0), end(s.begin(), s.end()), by(s.size(), 1);
  const auto a = static_cast<std::size_t>(axis);
  if (start == 0 && stop == s[a] && step == 1) return x;
  begin[a] = start;
  end[a] = stop;
  by[a] = step;
  return ops::slice(x, begin, end, by, site);
}

Array move_axis(const Array& x, int from, int to, const Site& site) {
  if (from == to) return x;
  std::vector<int> order;
  for (int k = 0; k < rank_of(x); ++k)
    if (k != from) order.push_back(k);
  order.insert(order.begin() + to, from);
  return ops::transpose(x, order, site);
}

Array positions(const Shape& shape, int axis, const Site& site) {
  const bool wide =
      shape[static_cast<std::size_t>(axis)] > std::numeric_limits<std::int32_t>::max();
  return ops::iota({shape, wide ? int64 : int32}, axis, site);
}

}  // namespace fluxion::composed
