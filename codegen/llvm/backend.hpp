// What the module with LLVM gives the library. The module is loaded when the first kernel is
// compiled: a process that finds its code on disk never pays for LLVM.
#pragma once
#include "codegen/llvm/compile.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fluxion::codegen {

/// Phases of an object in executable memory, as long as `code` lives.
struct LinkedPhases {
  std::vector<PhaseEntry> entries;
  std::shared_ptr<const void> code;
};

struct Backend {
  const char* version;  // of the library that it was built with
  const Target& (*host_target)();
  Target (*target_of)(const std::string& cpu);
  /// Phase k is named by the prefix and k.
  std::string (*emit)(const KernelForm&, const Target&, const std::string& prefix, Output);
  LinkedPhases (*link)(const std::string& object, const std::string& prefix, std::size_t phases);
};

/// Loads the module. Throws InternalError where it is not beside the library or is of another.
const Backend& backend();
/// The module's file; empty: unknown.
std::string backend_path();

/// The one symbol of the module.
extern "C" const Backend* fluxion_llvm_backend();

}  // namespace fluxion::codegen
