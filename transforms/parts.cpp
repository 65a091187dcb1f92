// One axis of an array cut into parts.
#include "transforms/parts.hpp"

#include "trace/ops/axes.hpp"

namespace fluxion {

Array in_parts(const Array& x, const Parts& cut, const Array& filling, const Site& site) {
  const Shape& shape = type_of(x).shape;
  std::vector<ops::Padding> padding(shape.size());
  padding[static_cast<std::size_t>(cut.axis)].high =
      cut.parts * cut.length - ops::size_at(shape, cut.axis);
  const bool whole = padding[static_cast<std::size_t>(cut.axis)].high == 0;
  Shape parts;
  for (int k = 0; k < static_cast<int>(shape.size()); ++k) {
    if (k == cut.axis) parts.push_back(cut.parts);
    parts.push_back(k == cut.axis ? cut.length : ops::size_at(shape, k));
  }
  return ops::reshape(whole ? x : ops::pad(x, filling, padding, site), parts, site);
}

}  // namespace fluxion
