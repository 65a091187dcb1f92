// Rewrites that change values for the better: numerically stable forms of what users write. Run
// once, when a program is closed.
#pragma once
#include "trace/graph.hpp"

namespace fluxion {

/// log(1 + exp x) -> max(x, 0) + log1p(exp(-|x|)); log(softmax x) -> x - max - log(sum(exp(x -
/// max))); and the like. The same graph if nothing applies. `known`: what the inputs stand for,
/// where that is known: a repeated literal that was recorded outside counts as a constant.
GraphRef stabilize(const GraphRef&, Arrays known = {});

}  // namespace fluxion
