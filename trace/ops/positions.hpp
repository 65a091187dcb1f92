// Where gathered and scattered slices lie: index vectors, batching axes, and what out of bounds
// means.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// How an array of index vectors names a slice of an operand for each of its positions.
struct Positions {
  std::vector<int> operand_batching, indices_batching;  // pairs of axes that are walked together
  std::vector<int> map;  // component j of a vector is the start along operand axis map[j]
  int vector_dim =
      0;  // the axis of the indices with the components; their rank: one component, no axis

  /// The positions: the shape of the indices without the axis of components.
  Shape shape(const Shape& indices) const;

  /// Kernel: sets `start` (one entry per operand axis) for the slice of `sizes` at `position`,
  /// where operand `k` of the operation holds the indices. The result tells whether the slice fits;
  /// with clip it is moved until it does.
  kernel::Scalar place(kernel::Reader&,
                       int k,
                       const kernel::Index& position,
                       const Shape& operand,
                       const std::vector<std::int64_t>& sizes,
                       OutOfBounds,
                       kernel::Index& start) const;

  /// Reference: the same on host data. False where the slice does not fit and is not moved.
  bool start(const ConstTensor& indices,
             const std::vector<std::int64_t>& position,
             const Shape& operand,
             const std::vector<std::int64_t>& sizes,
             OutOfBounds,
             std::vector<std::int64_t>& start) const;
};

/// A start along one axis, moved into [0, limit].
kernel::Affine clamped_start(kernel::Builder&, kernel::Scalar start, std::int64_t limit);
/// Reference: element `at` of an array of integers; what exceeds int64 becomes its greatest value.
std::int64_t index_at(const ConstTensor& indices, std::int64_t at);

/// Refuses indices and axes that do not go together.
void check_positions(std::string_view operation,
                     const Positions&,
                     const Type& operand,
                     const Type& indices);

/// gather that gives zeros (not NaN) where a slice does not fit: what derivatives need.
Array gather_or_zero(const Array& x,
                     const Array& indices,
                     const GatherDimensions&,
                     const std::vector<std::int64_t>& slice_sizes,
                     OutOfBounds,
                     const Site&);

/// The elements at flat row-major indices, which are in bounds; `unique` promises that none is
/// taken twice.
Array gather_flat(const Array& x, const Array& flat_indices, bool unique, const Site&);

}  // namespace fluxion::ops
