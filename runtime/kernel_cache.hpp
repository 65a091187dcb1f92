// Compiled kernels, shared by all programs of the process.
#pragma once
#include "codegen/llvm/compile.hpp"

#include <span>
#include <vector>

namespace fluxion::runtime {

/// The code of each kernel, found or compiled, several at a time. A kernel that another thread is
/// compiling is waited for.
std::vector<detail::Ref<codegen::CompiledKernel>> compiled(std::span<const kernel::Kernel> kernels);

/// How many kernels this process has compiled.
std::uint64_t compiled_kernels() noexcept;

}  // namespace fluxion::runtime
