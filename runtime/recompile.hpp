// Kernels that run often are compiled again, by all passes, while their first code runs.
#pragma once
#include "codegen/llvm/compile.hpp"

namespace fluxion::runtime {

/// FLUXION_QUICK_CODE: for how many runs kernels are compiled quickly at first; -1: as many as that
/// is worth.
int quick_code();

/// Whether kernels may run before they have machine code; FLUXION_VECTORS=0: never.
bool vectors_first();

/// Compiles the kernel again on the thread that does nothing else (here, if it is the first that
/// this process compiles), replaces its code when that is
/// done, and stores it on disk. Nothing that goes wrong is an error: the first code stays. What
/// has not been begun when the process ends is not done.
void recompile(const codegen::CompiledKernel&);

/// Waits until everything asked for so far is done.
void finish_recompiling();

/// How many kernels this process has compiled again.
std::uint64_t recompiled_kernels() noexcept;

}  // namespace fluxion::runtime
