// What names a kernel's code among all machines and builds that share a cache.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <string>

namespace fluxion::runtime {

/// All that the code of a kernel depends on: its structure, the processor, and this build of the
/// library with its LLVM. Empty where code may not be kept: the processor or the build is unknown.
std::string code_key(const kernel::Kernel&);

}  // namespace fluxion::runtime
