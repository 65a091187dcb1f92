// Boxes of an array at a start that is computed.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// The box of `sizes` of x at `start`, an integer scalar for each axis, moved until it fits.
Array dynamic_slice(const Array& x,
                    Arrays start,
                    const std::vector<std::int64_t>& sizes,
                    const Site&);
/// x with the box at `start`, moved until it fits, replaced by (add: increased by) `update`. Costs
/// the size of the update where nobody else reads x.
Array dynamic_update_slice(Update, const Array& x, const Array& update, Arrays start, const Site&);

}  // namespace fluxion::ops
