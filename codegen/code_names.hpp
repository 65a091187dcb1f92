// Names of generated functions, for debuggers and profilers.
#pragma once
#include "codegen/abi.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fluxion::codegen {

struct NamedCode {
  std::string name;
  PhaseEntry entry;
  std::uint64_t size;
};

/// The size of a function in a relocatable object (ELF); 0 if it is not there.
std::uint64_t size_in(const std::string& object, std::string_view name);

/// While one lives, GDB knows the functions of a kernel by name (through its JIT interface). With
/// FLUXION_PERF_MAP=1 they are also written to /tmp/perf-<process>.map, where perf looks.
class CodeNames {
 public:
  explicit CodeNames(std::span<const NamedCode>);
  ~CodeNames();
  CodeNames(const CodeNames&) = delete;
  CodeNames& operator=(const CodeNames&) = delete;

 private:
  struct Entry;
  std::unique_ptr<Entry> entry_;
};

}  // namespace fluxion::codegen
