// How the elements of reductions combine: accepted dtypes, combiners of kernels, accumulators of
// references.
#pragma once
#include "trace/ops/elementwise.hpp"

#include <cmath>
#include <limits>

namespace fluxion::ops {

inline bool adds_or_multiplies(Reduction op) {
  return op == Reduction::sum || op == Reduction::prod;
}

/// The dtypes whose elements a reduction combines.
inline unsigned accepted(Reduction op) {
  switch (op) {
    case Reduction::sum:
    case Reduction::prod:
      return numbers | complexes;
    case Reduction::max:
    case Reduction::min:
      return booleans | numbers;
    case Reduction::all:
    case Reduction::any:
      return booleans;
    default:
      return booleans | integers;
  }
}

inline kernel::Combiner combiner_of(Reduction op, DType dtype) {
  switch (op) {
    case Reduction::sum:
      return kernel::Combiner::add;
    case Reduction::prod:
      return kernel::Combiner::mul;
    case Reduction::max:
      return dtype == bool_ ? kernel::Combiner::bit_or : kernel::Combiner::max;
    case Reduction::min:
      return dtype == bool_ ? kernel::Combiner::bit_and : kernel::Combiner::min;
    case Reduction::all:
    case Reduction::bit_and:
      return kernel::Combiner::bit_and;
    case Reduction::any:
    case Reduction::bit_or:
      return kernel::Combiner::bit_or;
    case Reduction::bit_xor:
      return kernel::Combiner::bit_xor;
  }
  throw InternalError("reduce: an operation that does not exist");
}

/// What a reduction of nothing gives, as kernels compute it.
inline kernel::Scalar neutral(kernel::Builder& builder, Reduction op, DType dtype) {
  if (op == Reduction::sum) return builder.constant(dtype, 0);
  if (is_complex(dtype)) return builder.constant(dtype, 1);  // the real part
  return builder.constant_bits(dtype, kernel::identity_bits(combiner_of(op, dtype), dtype));
}

/// Floats add up in more digits than they have, so that the order does not matter to the result.
template <class T> using Wide = std::conditional_t<std::is_same_v<T, double>, long double, double>;

template <class T> struct FloatAccumulator {
  Reduction op;
  bool rounds_each_step;
  Wide<T> value;

  FloatAccumulator(Reduction o, bool rounds) : op(o), rounds_each_step(rounds) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    value = o == Reduction::sum    ? 0
            : o == Reduction::prod ? 1
            : o == Reduction::max  ? -infinity
                                   : infinity;
  }
  void take(T element) {
    const Wide<T> x = to_double(element);
    if (op == Reduction::sum)
      value += x;
    else if (op == Reduction::prod)
      value *= x;
    else if (std::isnan(x) || std::isnan(value))
      value = std::numeric_limits<double>::quiet_NaN();
    else if (x == value)
      value = (op == Reduction::max) == std::signbit(x) ? value : x;
    else if (op == Reduction::max)
      value = x > value ? x : value;
    else
      value = x < value ? x : value;
    if (rounds_each_step) value = to_double(result());
  }
  T result() const {
    if constexpr (std::is_same_v<T, double>)
      return static_cast<double>(value);
    else
      return from_double<T>(value);
  }
};

template <class T> struct ComplexAccumulator {
  Reduction op;
  WideComplex value;

  ComplexAccumulator(Reduction o, bool) : op(o), value(o == Reduction::sum ? 0 : 1, 0) {}
  void take(T x) {
    const WideComplex z = to_wide_complex(x);
    value = op == Reduction::sum ? value + z
                                 : WideComplex(value.real() * z.real() - value.imag() * z.imag(),
                                               value.real() * z.imag() + value.imag() * z.real());
  }
  T result() const { return from_wide_complex<T>(value); }
};

/// Kernels: the product of element(index) over all indices below `extents`, in order; the part that
/// is asked for.
template <class Element>
kernel::Scalar complex_product(
    kernel::Builder& builder, const Shape& extents, DType dtype, int part, const Element& element) {
  const kernel::Scalar one = builder.constant(dtype, 1), zero = builder.constant(dtype, 0);
  const auto last = builder.serial(
      extents, {one, zero}, [&](const kernel::Index& at, std::vector<kernel::Scalar> carry) {
        const auto next = kernel::naive_product({carry[0], carry[1]}, element(at));
        return std::vector<kernel::Scalar>{next.re, next.im};
      });
  return last[static_cast<std::size_t>(part)];
}

template <class T> struct IntegerAccumulator {
  Reduction op;
  T value;

  IntegerAccumulator(Reduction o, bool) : op(o) {
    switch (o) {
      case Reduction::prod:
        value = 1;
        break;
      case Reduction::max:
        value = std::numeric_limits<T>::min();
        break;
      case Reduction::min:
        value = std::numeric_limits<T>::max();
        break;
      case Reduction::all:
      case Reduction::bit_and:
        value = narrow<T>(~std::uint64_t{0});
        break;
      default:
        value = 0;
    }
  }
  void take(T x) {
    const std::uint64_t a = static_cast<std::uint64_t>(value), b = static_cast<std::uint64_t>(x);
    switch (op) {
      case Reduction::sum:
        value = narrow<T>(a + b);
        break;
      case Reduction::prod:
        value = narrow<T>(a * b);
        break;
      case Reduction::max:
        value = x > value ? x : value;
        break;
      case Reduction::min:
        value = x < value ? x : value;
        break;
      case Reduction::all:
      case Reduction::bit_and:
        value = narrow<T>(a & b);
        break;
      case Reduction::any:
      case Reduction::bit_or:
        value = narrow<T>(a | b);
        break;
      case Reduction::bit_xor:
        value = narrow<T>(a ^ b);
        break;
    }
  }
  T result() const { return value; }
};

/// The accumulator of a dtype's reference.
template <class T>
using Accumulator = std::conditional_t<
    host_float<T>,
    FloatAccumulator<std::conditional_t<host_float<T>, T, float>>,
    std::conditional_t<host_complex<T>,
                       ComplexAccumulator<std::conditional_t<host_complex<T>, T, Complex64>>,
                       IntegerAccumulator<std::conditional_t<host_integer<T>, T, int>>>>;

}  // namespace fluxion::ops
