// Windows whose sums and products are rounded at every step.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// reduce_window, where sums and products are made in order and 16-bit ones are rounded at every
/// step, as StableHLO says.
Array reduce_window_in_order(Reduction, const Array& x, const Window&, const Site&);

}  // namespace fluxion::ops
