// What the body of a loop computes from arrays of outside alone is computed once, before the loop.
#pragma once
#include "trace/graph.hpp"

namespace fluxion {

/// A loop's body whose first inputs are its captures.
struct LoopBody {
  GraphRef graph;
  ArrayList captures;
};

/// The same body with such values among its captures instead. Only those that are no larger than
/// what they are made of, and that nobody sees being made. So a derivative, too, adds the parts of
/// an array once and not in every step.
LoopBody hoist_invariants(const LoopBody&);

}  // namespace fluxion
