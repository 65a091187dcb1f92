// The walks over a graph that derivatives are made of; each records into the current frames.
#pragma once
#include "trace/frame.hpp"
#include "trace/graph.hpp"

namespace fluxion {

enum class Derivative { jvp, linearize };  // how operations that hold programs are treated

/// The values and tangents of the graph's outputs. `tangents`: one for each input, empty for zero.
/// Only what the outputs need is recorded. `known`: values that were computed before.
Both differentiate(const Graph&,
                   Derivative,
                   Arrays inputs,
                   Arrays tangents,
                   std::span<const std::pair<ValueId, Array>> known = {});

/// The cotangents of the linear inputs (empty: zero) of a graph, of which `inputs` gives the
/// others' values (and an empty Array for each linear one). `cotangents`: one for each output,
/// empty for zero. `seeds`: what the cotangent of an input begins with (none: nothing).
ArrayList transpose(const Graph&, Arrays inputs, Arrays cotangents, Arrays seeds = {});

/// The graph's outputs for inputs of which some have a batch axis.
Batched batch(const Graph&, Arrays inputs, BatchAxes at, std::int64_t size);

/// The graph with each operation replaced by what `replace` records for it (inside a frame, with
/// its line set).
GraphRef rewritten(const GraphRef&,
                   const std::function<ArrayList(const Operation&, Arrays operands)>& replace);

/// x with its axis `from` moved to `to`.
Array move_axis(const Array& x, int from, int to);
/// x repeated along a new axis.
Array repeat_along(const Array& x, int axis, std::int64_t size);

/// Which operations the outputs depend on.
std::vector<char> needed_operations(const Graph&);

}  // namespace fluxion
