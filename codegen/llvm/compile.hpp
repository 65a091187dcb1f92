// Machine code of kernels for this machine: what the rest of the library sees of LLVM.
#pragma once
#include "codegen/abi.hpp"
#include "codegen/code_image.hpp"
#include "codegen/code_names.hpp"
#include "codegen/kernel_mapping.hpp"
#include "codegen/vectors/vector_program.hpp"
#include "fluxion/core.hpp"
#include "trace/kernel/kernel.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
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
  /// Level 0 for so many runs where another would be chosen, but for kernels whose one run may take
  /// longer than their compilation saves (CompiledKernel::quick); -1: as many runs as that saves.
  int quick = 0;
  /// No code at first, where so many runs over vectors (CompiledKernel::over_vectors) are done
  /// before code would be; 0: always code.
  double vector_runs = 0;
  const Mapping* mapping = nullptr;  // of collapse(kernel); null: chosen, and columns interchanged
  const Target* target = nullptr;    // null: this machine
};

/// A kernel as it is emitted.
struct KernelForm {
  kernel::Kernel kernel;  // collapsed, and columns interchanged
  Mapping mapping;
  int level = 1;  // as in CompileOptions, chosen
};
KernelForm form_of(const kernel::Kernel&, const CompileOptions&, const VectorTarget&);

struct KeptCode;

enum class Output { object, assembly, ir };

/// The code of one kernel, alive as long as this object. Safe to call from several threads.
class CompiledKernel : public detail::Shared {
 public:
  class Phase {
   public:
    Phase(PhaseEntry entry, std::int64_t units, std::int64_t grain)
        : units(units), grain(grain), entry_(entry) {}
    Phase(const VectorProgram& vectors, std::size_t number, const PhaseMapping& phase)
        : units(phase.units), grain(phase.grain), vectors_(&vectors), number_(number) {}
    Phase(const Phase& other)
        : units(other.units),
          grain(other.grain),
          vectors_(other.vectors_),
          number_(other.number_),
          entry_(other.entry()) {}
    Phase& operator=(const Phase&) = delete;
    void run(const Context* context,
             void* const* buffers,
             std::int64_t begin,
             std::int64_t end) const {
      if (const PhaseEntry code = entry()) [[likely]]
        code(context, buffers, begin, end);
      else
        vectors_->run(number_, buffers, begin, end);
    }
    /// Null: there is none yet.
    PhaseEntry entry() const noexcept { return entry_.load(std::memory_order_acquire); }
    const std::int64_t units;  // begin and end of a run lie in [0, units]
    const std::int64_t grain;  // fewer units are not worth another thread

   private:
    friend CompiledKernel;
    const VectorProgram* vectors_ = nullptr;
    std::size_t number_ = 0;
    mutable std::atomic<PhaseEntry> entry_ = nullptr;
  };
  const std::vector<Phase>& phases() const { return phases_; }
  /// Whether runs begin without machine code: over vectors, an instruction at a time
  /// (VectorProgram).
  bool over_vectors() const noexcept { return vectors_ != nullptr; }
  /// Whether runs that begin now have machine code.
  bool has_code() const noexcept { return phases_.empty() || phases_[0].entry() != nullptr; }
  /// Whether this is code that was made in a hurry, or none, and nobody has asked for better yet.
  bool quick() const noexcept { return wanting_.load(std::memory_order_relaxed) > 0; }
  /// Counts a run of what quick() is. True for one caller: the kernel runs often enough for better
  /// code.
  bool wants_better() const noexcept { return quick() && wanting_.fetch_sub(1) == 1; }
  /// What was compiled; of loaded code and of code that may be replaced.
  const kernel::Kernel& source() const { return source_; }
  /// The next better code of the same kernel: quick code where there was none, that of all passes
  /// otherwise. For one thread at a time, as replace_code.
  detail::Ref<CompiledKernel> compiled_again() const;
  /// Runs of phases that begin from now on run this code of the same kernel.
  void replace_code(detail::Ref<CompiledKernel> better) const;
  /// Bytes that every calling thread must lend in Context::scratch; 0: none.
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  const kernel::Kernel& kernel() const { return form().kernel; }  // as compiled, collapsed
  const Mapping& mapping() const { return form().mapping; }
  /// The relocatable object (ELF). Of loaded code it is made when it is asked for.
  const std::string& object() const;
  std::string llvm_ir() const;
  std::string assembly() const;
  /// What load() takes; nothing, where there is no code or it cannot do without a linker (see
  /// link_object).
  std::optional<CodeImage> image() const;

 private:
  friend detail::Ref<CompiledKernel> compile(const kernel::Kernel&, const CompileOptions&);
  friend std::vector<detail::Ref<CompiledKernel>> load(std::span<const KeptCode>);
  CompiledKernel() = default;
  bool take_vectors(const kernel::Kernel&, const CompileOptions&);
  const KernelForm& form() const;
  const Target& target() const;
  std::string emitted(Output, const std::string& prefix) const;
  kernel::Kernel source_;  // of loaded code and of code that may be replaced
  mutable std::once_flag form_made_, object_made_;
  mutable KernelForm form_;
  mutable std::string object_;
  std::optional<Target> target_;                  // none: this machine
  std::string prefix_;                            // of the names of the phases in the object
  std::unique_ptr<const VectorProgram> vectors_;  // where there is no code at first
  std::vector<Phase> phases_;
  std::size_t scratch_bytes_ = 0;
  int quick_wanted_ = 0;                           // CompileOptions::quick, for the first code
  std::uint64_t quick_runs_ = 0;                   // 0: not quick code
  mutable std::atomic<std::int64_t> wanting_ = 0;  // runs until it is to be replaced
  /// Whose code the phases run, the last one's, and that of threads that began earlier.
  mutable std::vector<detail::Ref<CompiledKernel>> better_;
  std::shared_ptr<const void> code_;  // keeps the code in memory
  std::unique_ptr<CodeNames> names_;  // after the code: they go before it
};

/// Compiles a kernel; may be called from several threads at once. Throws InternalError if LLVM
/// refuses.
detail::Ref<CompiledKernel> compile(const kernel::Kernel&, const CompileOptions& = {});
/// The code of earlier compilations of equal kernels, with the default options, by this build for
/// this machine. Calls nothing of LLVM. All in one block of memory, which lives as long as one of
/// them. Null where the system refuses executable memory.
struct KeptCode {
  const kernel::Kernel& kernel;
  const CodeImage& image;
};
std::vector<detail::Ref<CompiledKernel>> load(std::span<const KeptCode>);
detail::Ref<CompiledKernel> load(const kernel::Kernel&, const CodeImage&);
/// Runs all phases on the calling thread.
void run(const CompiledKernel&, void* const* buffers);

}  // namespace fluxion::codegen
