// compare: elementwise order, IEEE's or total; the result is bool and has no tangent.
#include "trace/frame.hpp"
#include "trace/ops/elementwise.hpp"

namespace fluxion {
template <> struct EnumWords<ops::Direction> {
  static constexpr bool given = true;
  static constexpr std::string_view words[] = {"eq", "ne", "lt", "le", "gt", "ge"};
};
}  // namespace fluxion

namespace fluxion::ops {
std::span<const Rules* const> compare_rules();

namespace {
using kernel::Scalar;

template <class T> bool holds(Direction direction, T x, T y) {
  switch (direction) {
    case Direction::eq:
      return x == y;
    case Direction::ne:
      return x != y;
    case Direction::lt:
      return x < y;
    case Direction::le:
      return x <= y;
    case Direction::gt:
      return x > y;
    case Direction::ge:
      return x >= y;
  }
  return false;
}

/// The signed integer of the same width.
DType bits_of(DType floating) {
  return is_half(floating) ? int16 : floating == float32 ? int32 : int64;
}

/// Bits whose signed order is the total order: -NaN < -inf < ... < -0 < 0 < ... < inf < NaN.
Scalar total_order_key(Scalar x) {
  const DType type = bits_of(x.type());
  Scalar bits = kernel::bitcast(x, type);
  Scalar amount = bits.like(static_cast<double>(8 * size_of(type) - 1));
  Scalar sign = kernel::shift_right_arithmetic(bits, amount);
  return bits ^ kernel::shift_right_logical(sign, bits.like(1));
}

template <class Bits, class T> Bits total_order_number(T x) {
  const Bits bits = std::bit_cast<Bits>(x);
  return bits < 0 ? static_cast<Bits>(std::numeric_limits<Bits>::min() - bits - 1) : bits;
}

struct Compare {
  static constexpr auto name = "compare";
  Direction direction = Direction::eq;
  bool total_order = false;

  Types types(TypeList in) const {
    check_operand_count(name, in, 2);
    check_alike(name, in);
    check_accepted(name, in[0], booleans | numbers | complexes);
    return {{in[0].shape, bool_}};
  }
  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array()}; }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }
  Scalar at(kernel::Reader& operands, const kernel::Index& index) const {
    if (is_complex(operands.operand(0).dtype))
      return complex_in_kernel(operands.read_complex(0, index), operands.read_complex(1, index));
    Scalar x = operands.read(0, index), y = operands.read(1, index);
    if (total_order && is_floating(x.type())) {
      x = total_order_key(x);
      y = total_order_key(y);
    } else {
      x = widened(x);
      y = widened(y);
    }
    return holds_in_kernel(x, y);
  }
  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      const std::int64_t count = element_count(in[0].type.shape);
      for (std::int64_t i = 0; i < count; ++i) {
        out[0].as<bool>()[i] = element(in[0].as<T>()[i], in[1].as<T>()[i]);
      }
    });
  }

 private:
  /// Equality of both parts; order by the real parts, and where those are equal by the imaginary
  /// ones.
  Scalar complex_in_kernel(const kernel::Complex<Scalar>& x,
                           const kernel::Complex<Scalar>& y) const {
    const Scalar same = x.re == y.re;
    if (direction == Direction::eq) return same & (x.im == y.im);
    if (direction == Direction::ne) return (x.re != y.re) | (x.im != y.im);
    return kernel::select(same, holds_in_kernel(x.im, y.im), holds_in_kernel(x.re, y.re));
  }
  Scalar holds_in_kernel(Scalar x, Scalar y) const {
    switch (direction) {
      case Direction::eq:
        return x == y;
      case Direction::ne:
        return x != y;
      case Direction::lt:
        return x < y;
      case Direction::le:
        return x <= y;
      case Direction::gt:
        return x > y;
      case Direction::ge:
        return x >= y;
    }
    throw InternalError("compare: a direction that does not exist");
  }
  template <class T> bool element(T x, T y) const {
    if constexpr (host_complex<T>) {
      const bool by_imaginary = x.real == y.real;
      if (direction == Direction::ne) return !by_imaginary || x.imag != y.imag;
      if (direction == Direction::eq) return by_imaginary && x.imag == y.imag;
      return by_imaginary ? holds(direction, x.imag, y.imag) : holds(direction, x.real, y.real);
    } else if constexpr (host_float<T>) {
      if (!total_order) return holds(direction, to_double(x), to_double(y));
      using Bits =
          std::conditional_t<sizeof(T) == 2,
                             std::int16_t,
                             std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>;
      return holds(direction, total_order_number<Bits>(x), total_order_number<Bits>(y));
    } else {
      return holds(direction, x, y);
    }
  }
};
}  // namespace

std::span<const Rules* const> compare_rules() {
  static constexpr const Rules* rules[] = {rules_of<Compare>()};
  return rules;
}

Array compare(
    Direction direction, const Array& x, const Array& y, const Site& site, bool total_order) {
  if (number_meets_array(x, y)) {
    const Array operands[] = {x, y};
    return emit_with_numbers(Compare{direction, total_order}, operands, site);
  }
  return emit(Compare{direction, total_order}, {x, y}, site);
}

}  // namespace fluxion::ops
