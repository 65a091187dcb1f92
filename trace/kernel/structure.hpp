// A kernel's structure as bytes, for tables that outlive the process.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <string>

namespace fluxion::kernel {

/// Equal for two kernels exactly where same_structure() holds: all that code depends on, without
/// the name. The same bytes on every machine; another build may write others.
std::string structure_bytes(const Kernel&);

}  // namespace fluxion::kernel
