// Where gathered and scattered slices lie: index vectors, batching axes, and what out of bounds
// means.
#include "trace/ops/positions.hpp"

#include "trace/ops/axes.hpp"

#include <algorithm>
#include <limits>

namespace fluxion::ops {

Shape Positions::shape(const Shape& indices) const {
  return vector_dim == static_cast<int>(indices.size()) ? indices
                                                        : without_axis(indices, vector_dim);
}

kernel::Scalar Positions::place(kernel::Reader& x,
                                int k,
                                const kernel::Index& position,
                                const Shape& operand,
                                const std::vector<std::int64_t>& sizes,
                                OutOfBounds mode,
                                kernel::Index& start) const {
  kernel::Builder& b = x.builder();
  start.assign(operand.size(), {});
  for (std::size_t j = 0; j < operand_batching.size(); ++j) {
    const int axis = indices_batching[j];
    start[static_cast<std::size_t>(operand_batching[j])] =
        position[static_cast<std::size_t>(axis - (axis > vector_dim))];
  }
  const bool has_axis = vector_dim < rank_of(x.operand(k));
  kernel::Scalar inside = b.constant(bool_, 1);
  for (std::size_t j = 0; j < map.size(); ++j) {
    kernel::Index where = position;
    if (has_axis) {
      where.insert(where.begin() + vector_dim,
                   kernel::Affine{static_cast<std::int64_t>(j), {}, {}});
    }
    const std::size_t axis = static_cast<std::size_t>(map[j]);
    const std::int64_t limit = operand[axis] - sizes[axis];
    kernel::Scalar component = x.read(k, where);
    if (mode == OutOfBounds::clip) {
      start[axis] = clamped_start(b, component, limit);
      continue;
    }
    // The upper bound first: what exceeds int64 is beyond every limit.
    if (component.type() == uint64 && mode == OutOfBounds::fill)
      inside = inside & (component <= b.constant(uint64, static_cast<double>(limit)));
    component = convert(component, int64);
    start[axis] = b.affine(component);
    if (mode == OutOfBounds::fill) inside = inside & b.in_range(start[axis], 0, limit + 1);
  }
  return inside;
}

kernel::Affine clamped_start(kernel::Builder& b, kernel::Scalar start, std::int64_t limit) {
  // Unsigned numbers are clamped as such: what exceeds int64 is beyond every limit.
  const bool huge = start.type() == uint64;
  if (huge) start = min(start, b.constant(uint64, static_cast<double>(limit)));
  start = convert(start, int64);
  if (!huge) start = min(start, b.constant(int64, static_cast<double>(limit)));
  return b.affine(max(start, b.constant(int64, 0)));
}

std::int64_t index_at(const ConstTensor& indices, std::int64_t at) {
  return by_dtype(indices.type.dtype, [&](auto tag) -> std::int64_t {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
      const T value = indices.as<T>()[at];
      if constexpr (std::is_same_v<T, std::uint64_t>) {
        if (value > static_cast<std::uint64_t>(greatest)) return greatest;
      }
      return static_cast<std::int64_t>(value);
    } else {
      throw InternalError("indices are integers");
    }
  });
}

bool Positions::start(const ConstTensor& indices,
                      const std::vector<std::int64_t>& position,
                      const Shape& operand,
                      const std::vector<std::int64_t>& sizes,
                      OutOfBounds mode,
                      std::vector<std::int64_t>& start) const {
  const Shape& shape = indices.type.shape;
  const std::vector<std::int64_t> strides = strides_of(shape);
  start.assign(operand.size(), 0);
  std::int64_t first = 0;
  std::size_t next = 0;
  for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
    if (axis == vector_dim) continue;
    const std::int64_t at = position[next++];
    first += at * strides[static_cast<std::size_t>(axis)];
    const int pair = position_of(axis, indices_batching);
    if (pair >= 0)
      start[static_cast<std::size_t>(operand_batching[static_cast<std::size_t>(pair)])] = at;
  }
  const bool has_axis = vector_dim < static_cast<int>(shape.size());
  for (std::size_t j = 0; j < map.size(); ++j) {
    const std::int64_t step = has_axis ? strides[static_cast<std::size_t>(vector_dim)] : 0;
    const std::int64_t value = index_at(indices, first + static_cast<std::int64_t>(j) * step);
    const std::size_t axis = static_cast<std::size_t>(map[j]);
    const std::int64_t limit = operand[axis] - sizes[axis];
    if (mode == OutOfBounds::fill && (value < 0 || value > limit)) return false;
    start[axis] = std::clamp<std::int64_t>(value, 0, limit);
  }
  return true;
}

void check_positions(std::string_view operation,
                     const Positions& p,
                     const Type& operand,
                     const Type& indices) {
  const std::string name(operation);
  const int rank = rank_of(indices);
  auto refuse = [&](const std::string& sentence) {
    fail(operation,
         Site(),
         name + ": " + sentence,
         {"operand " + to_string(operand), "indices " + to_string(indices)});
  };
  if (!is_integer(indices.dtype)) refuse("indices are integers, not " + to_string(indices.dtype));
  if (p.vector_dim < 0 || p.vector_dim > rank) {
    refuse("index_vector_dim " + std::to_string(p.vector_dim) + " for indices with " +
           std::to_string(rank) + " axes");
  }
  const std::int64_t components = p.vector_dim < rank ? size_at(indices.shape, p.vector_dim) : 1;
  if (components != static_cast<std::int64_t>(p.map.size())) {
    refuse("index vectors have " + std::to_string(components) + " components for " +
           std::to_string(p.map.size()) + " axes");
  }
  std::vector<int> axes = p.map;
  axes.insert(axes.end(), p.operand_batching.begin(), p.operand_batching.end());
  check_axes(operation, "indexed and batching axes", axes, rank_of(operand));
  check_axes(operation, "batching axes of the indices", p.indices_batching, rank);
  if (p.operand_batching.size() != p.indices_batching.size()) {
    refuse(std::to_string(p.operand_batching.size()) + " batching axes of the operand and " +
           std::to_string(p.indices_batching.size()) + " of the indices");
  }
  for (std::size_t k = 0; k < p.operand_batching.size(); ++k) {
    const std::int64_t have = size_at(operand.shape, p.operand_batching[k]);
    const std::int64_t want = size_at(indices.shape, p.indices_batching[k]);
    if (have != want)
      refuse("batching axes of sizes " + std::to_string(have) + " and " + std::to_string(want));
    if (p.indices_batching[k] == p.vector_dim) refuse("the axis of components is no batching axis");
  }
}

}  // namespace fluxion::ops
