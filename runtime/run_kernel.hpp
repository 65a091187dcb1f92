// The steps of a schedule that are compiled code.
#pragma once
#include "codegen/strips.hpp"
#include "runtime/kernel_cache.hpp"

#include <vector>

namespace fluxion::runtime {

/// All phases, on as many threads as they are worth. `buffers`: inputs, then outputs.
void run_kernel(const codegen::CompiledKernel&, void* const* buffers);

/// `kernels`: the schedule's; `buffers`: the step's inputs, then its outputs; `memory`: that of its
/// threads.
void run_strip(const codegen::Strip&,
               const std::vector<detail::Ref<codegen::CompiledKernel>>& kernels,
               void* const* buffers,
               void* memory);

}  // namespace fluxion::runtime
