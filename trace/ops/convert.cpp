// convert: numbers of one dtype as numbers of another. Floats to integers truncate and saturate,
// NaN becomes 0; complex numbers become their real parts; everything else rounds once.
#include "trace/ops/elementwise.hpp"

#include <cmath>
#include <limits>

namespace fluxion::ops {
std::span<const Rules* const> convert_rules();

namespace {

/// The neighbour of v with an odd last place where v is no float, so that a later rounding to 16
/// bits is the only one.
float round_to_odd(double v) {
  const float nearest = static_cast<float>(v);
  if (static_cast<double>(nearest) == v || std::isnan(v) ||
      (std::bit_cast<std::uint32_t>(nearest) & 1))
    return nearest;
  return std::nextafter(nearest, static_cast<double>(nearest) < v ? HUGE_VALF : -HUGE_VALF);
}

/// An integer as a double whose last place remembers that bits were lost.
double sticky_double(WideInteger v) {
  std::uint64_t magnitude = v.negative() ? 0 - v.bits : v.bits;
  int shift = 0;
  for (; magnitude >> 53 != 0; ++shift) magnitude = (magnitude >> 1) | (magnitude & 1);
  const double value = std::ldexp(static_cast<double>(magnitude), shift);
  return v.negative() ? -value : value;
}

template <class To> To truncated(double v) {
  using Limits = std::numeric_limits<To>;
  if (std::isnan(v)) return 0;
  if (v <= static_cast<double>(Limits::min())) return Limits::min();
  if (v >= std::ldexp(1.0, Limits::digits)) return Limits::max();
  return static_cast<To>(v);
}

template <class To, class From> To converted(From v) {
  constexpr bool half = std::is_same_v<To, Float16> || std::is_same_v<To, BFloat16>;
  if constexpr (host_complex<From> && host_complex<To>) {
    using Part = decltype(To().real);
    return {static_cast<Part>(v.real), static_cast<Part>(v.imag)};
  } else if constexpr (host_complex<From>) {
    if constexpr (std::is_same_v<To, bool>)
      return v.real != 0 || v.imag != 0;
    else
      return converted<To>(v.real);
  } else if constexpr (host_complex<To>) {
    return {converted<decltype(To().real)>(v), 0};
  } else if constexpr (host_float<From>) {
    const double value = to_double(v);
    if constexpr (std::is_same_v<To, bool>)
      return value != 0;
    else if constexpr (host_integer<To>)
      return truncated<To>(value);
    else if constexpr (half)
      return To(round_to_odd(value));
    else
      return static_cast<To>(value);
  } else {
    if constexpr (std::is_same_v<To, bool>)
      return v != 0;
    else if constexpr (half)
      return To(round_to_odd(sticky_double(widen(v))));
    else
      return static_cast<To>(v);
  }
}

struct Convert {
  static constexpr auto name = "convert";
  DType to = float32;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    return {{in[0].shape, to}};
  }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    if (!defined(dx[0]) || !is_differentiable(to)) return {Array()};
    return {convert(dx[0], to, rule_site())};
  }
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (out.needed(0)) out.add(0, convert(ct[0], x.type(0).dtype, rule_site()));
  }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }
  // A complex number loses its imaginary part, a real one gets none.
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    const DType part = part_type(to);
    if (!is_complex(x.operand(0).dtype)) {
      const kernel::Scalar value = kernel::convert(x.read(0, index), part);
      return is_complex(to) ? x.part_of({value, value.like(0)}) : value;
    }
    if (is_complex(to)) return kernel::convert(x.read(0, index), part);
    const kernel::Complex<kernel::Scalar> z = x.read_complex(0, index);
    if (to == bool_) return (z.re != 0.0) | (z.im != 0.0);
    return kernel::convert(z.re, to);
  }
  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto from_tag) {
      by_dtype(to, [&](auto to_tag) {
        using From = typename decltype(from_tag)::type;
        using To = typename decltype(to_tag)::type;
        const std::int64_t count = element_count(in[0].type.shape);
        for (std::int64_t i = 0; i < count; ++i) {
          out[0].as<To>()[i] = converted<To>(in[0].as<From>()[i]);
        }
      });
    });
  }
};
}  // namespace

std::span<const Rules* const> convert_rules() {
  static constexpr const Rules* rules[] = {rules_of<Convert>()};
  return rules;
}

Array convert(const Array& x, DType to, const Site& site) {
  if (defined(x) && type_of(x).dtype == to) return x;
  return emit(Convert{to}, {x}, site);
}

}  // namespace fluxion::ops
