// Machine code of kernels for this machine: what the rest of the library sees of LLVM.
#pragma once
#include "codegen/abi.hpp"
#include "codegen/kernel_mapping.hpp"
#include "fluxion/core.hpp"
#include "trace/kernel/kernel.hpp"

#include <string>
#include <vector>

namespace fluxion::codegen {

/// The machine that code is made for.
struct Target {
  std::string triple, cpu, features;
  VectorTarget vector;
  bool supported =
      true;  // false: it lacks instructions that kernels rely on (x86: SSE4.1, FMA, F16C)
};
/// This machine; asked once.
const Target& host_target();
/// A lesser processor of this machine's family, in LLVM's words ("x86-64-v3").
Target target_of(const std::string& cpu);

struct CompileOptions {
  /// 0: compiles fastest; 1: runs fast; 2: every pass of code generation; -1: chosen by what a run
  /// takes.
  int level = -1;
  const Mapping* mapping = nullptr;  // of collapse(kernel); null: chosen, and columns interchanged
  const Target* target = nullptr;    // null: this machine
};

/// The code of one kernel, alive as long as this object. Safe to call from several threads.
class CompiledKernel : public detail::Shared {
 public:
  struct Phase {
    PhaseEntry entry;
    std::int64_t units;  // begin and end of a call lie in [0, units]
    std::int64_t grain;  // fewer units are not worth another thread
  };
  const std::vector<Phase>& phases() const { return phases_; }
  /// Bytes that every calling thread must lend in Context::scratch; 0: none.
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  const kernel::Kernel& kernel() const { return kernel_; }  // as compiled, collapsed
  const Mapping& mapping() const { return mapping_; }
  /// The relocatable object (ELF) that was linked.
  const std::string& object() const { return object_; }
  std::string llvm_ir() const;
  std::string assembly() const;
  ~CompiledKernel() override;

 private:
  friend detail::Ref<CompiledKernel> compile(const kernel::Kernel&, const CompileOptions&);
  CompiledKernel() = default;
  kernel::Kernel kernel_;
  Mapping mapping_;
  Target target_;
  int level_ = 1;
  std::vector<Phase> phases_;
  std::size_t scratch_bytes_ = 0;
  std::string object_;
  void* code_ = nullptr;  // the linker's handle
};

/// Compiles a kernel; may be called from several threads at once. Throws InternalError if LLVM
/// refuses.
detail::Ref<CompiledKernel> compile(const kernel::Kernel&, const CompileOptions& = {});
/// Runs all phases on the calling thread.
void run(const CompiledKernel&, void* const* buffers);

}  // namespace fluxion::codegen
