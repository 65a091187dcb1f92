// The meaning of a graph: its operations one after the other, each through its own reference.
#pragma once
#include "trace/buffer.hpp"
#include "trace/graph.hpp"

#include <functional>
#include <vector>

namespace fluxion::codegen {

/// Runs a graph on row-major host data; one buffer for each output, of at least the output's bytes.
/// No optimisation: this is what every compiled program is compared with.
/// `around` is called for every operation and runs it.
using Around = std::function<void(const Graph&, const Operation&, const std::function<void()>&)>;
std::vector<detail::Ref<Buffer>> interpret(const Graph&,
                                           ConstTensors inputs,
                                           const Around& around = {});

/// Runs one operation into memory that the caller owns.
void interpret(const Op&, ConstTensors operands, Tensors results);

}  // namespace fluxion::codegen
