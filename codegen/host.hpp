// The processor that this process runs on, asked without LLVM.
#pragma once
#include "codegen/kernel_mapping.hpp"

#include <string>

namespace fluxion::codegen {

/// Its vectors. The same as host_target().vector.
const VectorTarget& host_vector();
/// Whether it has the instructions that kernels rely on (x86: SSE4.1, FMA, F16C).
bool host_supported();
/// All that LLVM derives its name and features from, as bytes: equal bytes, equal code. Empty where
/// this is not known how to ask (not x86-64).
const std::string& host_identification();

}  // namespace fluxion::codegen
