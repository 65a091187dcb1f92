// Kernels whose values are a few numbers of each of many lanes, as one kernel: batches of small
// vectors and matrices stay in registers.
#pragma once
#include "codegen/fuse.hpp"

namespace fluxion::codegen {

/// Joins such kernels where that moves much less memory. The cuts stay in an order that can be run.
void join_lanes(const Graph&, std::vector<Cut>&);

}  // namespace fluxion::codegen
