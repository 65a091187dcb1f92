// Each verb of the kernel language as a function over many lanes, compiled ahead of time for the
// registers of AVX2: what a kernel runs on before it has machine code of its own.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <cstdint>

namespace fluxion::codegen {

/// Lane k of `out` becomes the verb of lane k of the operands, for all of `lanes`. A lane of bool
/// is a byte, 0 or 1. `out` may be an operand. Operands that a verb has not may be null.
using LaneFunction =
    void (*)(void* out, const void* a, const void* b, const void* c, std::int64_t lanes);

/// Null where this processor or this build has none. Not for verbs of memory and loops.
LaneFunction lane_function(kernel::Verb, DType result, DType operand);

/// Where (y, j) replaces (x, i) in a reduction by arg_min or arg_max it does so, lane by lane.
using ArgumentFunction =
    void (*)(void* x, std::int64_t* i, const void* y, const std::int64_t* j, std::int64_t lanes);
ArgumentFunction argument_function(kernel::Combiner, DType);

}  // namespace fluxion::codegen
