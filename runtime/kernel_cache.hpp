// Compiled kernels, shared by all programs of the process.
#pragma once
#include "codegen/llvm/compile.hpp"

#include <span>
#include <vector>

namespace fluxion::runtime {

/// The code of each kernel, found here or in the cache on disk, or else compiled, several at a
/// time, or left to run over vectors at first. `runs`: what one call needs of each. A kernel that
/// another thread is compiling is waited for.
std::vector<detail::Ref<codegen::CompiledKernel>> compiled(std::span<const kernel::Kernel> kernels,
                                                           double runs = 1);

/// How many kernels this process has compiled, or made ready to run over vectors.
std::uint64_t compiled_kernels() noexcept;
/// How many it has loaded from the cache on disk instead.
std::uint64_t loaded_kernels() noexcept;

class DiskCache;
/// Loads the kernel's code or compiles and stores it. `disk` may be null.
detail::Ref<codegen::CompiledKernel> load_or_compile(const kernel::Kernel&, DiskCache* disk);

}  // namespace fluxion::runtime
