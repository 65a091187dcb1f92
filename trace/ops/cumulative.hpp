// Running combinations along an axis.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// Each element combined with all before it (reverse: after it) along the axis, in order and in the
/// element type, whose rounding every step makes. sum, prod, max and min.
Array cumulative(Reduction, const Array& x, int axis, bool reverse, const Site&);
/// h[i] = factor[i] * h[i - 1] + term[i] along the axis, where h[-1] is 0 (reverse: from the end).
/// Floating-point and complex operands of one type.
Array linear_recurrence(
    const Array& factor, const Array& term, int axis, bool reverse, const Site&);

}  // namespace fluxion::ops
