// Lines of arrays in order.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// The operands, of one shape, along the axis in the order of the first `keys` of them, compared
/// one after the other; equal ones keep their order. -0 equals 0; NaN is greater than everything.
/// `descending`: the greatest first.
ArrayList sort(Arrays operands, int axis, int keys, bool descending, const Site&);

}  // namespace fluxion::ops
