// One axis of an array cut into parts that are worked on side by side.
#pragma once
#include "trace/graph.hpp"

namespace fluxion {

/// parts * length >= the size of the axis.
struct Parts {
  int axis;
  std::int64_t parts, length;
};

/// The axis padded with the scalar `filling` to whole parts and made two: part, then place in the
/// part.
Array in_parts(const Array& x, const Parts&, const Array& filling, const Site&);

}  // namespace fluxion
