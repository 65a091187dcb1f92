// Loops whose body works on a few numbers, or on one lane of large arrays at a time, as one kernel:
// carries in registers, no step is launched.
#pragma once
#include "codegen/lower.hpp"

#include <optional>

namespace fluxion::codegen {

/// The kernel of a loop operation, if it is one. Its buffers are the inputs, then the outputs of
/// the group that comes with it; carries that are changed where they lie are the group's in_place.
struct LoopKernel {
  kernel::Kernel kernel;
  Group group;
};
std::optional<LoopKernel> loop_kernel(const Graph&, std::int32_t operation);

}  // namespace fluxion::codegen
