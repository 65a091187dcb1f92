// What passes ask about scatters, and how one update combines on the host.
#pragma once
#include "trace/ops.hpp"
#include "trace/ops/elementwise.hpp"

#include <cmath>
#include <optional>

namespace fluxion::ops {

struct ScatterAttributes {
  Update update;
  ScatterDimensions dimensions;
  OutOfBounds mode;
  ScatterPromise promise;
};
/// The attributes, if the operation is a scatter.
std::optional<ScatterAttributes> scatter_attributes(const Op&);

template <class T> void combine(Update update, T& to, T value) {
  if constexpr (std::is_same_v<T, bool>) {
    to = update == Update::set ? value : update == Update::min ? to && value : to || value;
  } else if constexpr (std::is_class_v<T>) {
    if constexpr (host_complex<T>) {
      const WideComplex a = to_wide_complex(to), b = to_wide_complex(value);
      if (update == Update::add) value = from_wide_complex<T>(a + b);
      if (update == Update::mul) value = from_wide_complex<T>(a * b);
    }
    to = value;  // 16-bit floats are only set
  } else if (update == Update::set) {
    to = value;
  } else if (update == Update::add || update == Update::mul) {
    if constexpr (std::is_floating_point_v<T>) {
      to = update == Update::add ? to + value : to * value;
    } else {
      const auto a = static_cast<std::uint64_t>(to), b = static_cast<std::uint64_t>(value);
      to = static_cast<T>(update == Update::add ? a + b : a * b);
    }
  } else if (to != to || value != value) {
    if (value != value) to = value;
  } else {
    const bool minimum = update == Update::min;
    bool less = value<to, greater = value> to;
    if constexpr (std::is_floating_point_v<T>) {
      less = less || (value == to && std::signbit(value) && !std::signbit(to));
      greater = greater || (value == to && !std::signbit(value) && std::signbit(to));
    }
    if (minimum ? less : greater) to = value;
  }
}

}  // namespace fluxion::ops
