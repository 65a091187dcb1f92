// The meaning of a graph: its operations one after the other, each through its own reference.
#pragma once
#include "trace/buffer.hpp"
#include "trace/graph.hpp"

#include <vector>

namespace fluxion::codegen {

/// Runs a graph on row-major host data; one buffer for each output, of at least the output's bytes.
/// No optimisation: this is what every compiled program is compared with.
std::vector<detail::Ref<Buffer>> interpret(const Graph&, ConstTensors inputs);

/// Runs one operation into memory that the caller owns.
void interpret(const Op&, ConstTensors operands, Tensors results);

}  // namespace fluxion::codegen
