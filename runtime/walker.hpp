// A schedule whose kernels are compiled, run step by step.
#pragma once
#include "runtime/kernel_cache.hpp"
#include "runtime/recorder.hpp"
#include "runtime/run_step.hpp"

#include <mutex>
#include <vector>

namespace fluxion::runtime {

class Walker final : public ScheduledProgram {
 public:
  /// The schedule must live as long.
  /// `runs`: of one call.
  explicit Walker(const codegen::Schedule&, double runs = 1);
  void run(void* const* memory) const override;

  const codegen::Schedule& schedule() const override { return schedule_; }
  /// Its own kernels, then those of the programs of its steps.
  std::vector<const codegen::CompiledKernel*> kernels() const;
  std::size_t step_count() const { return runs_.size(); }

 private:
  struct Run {
    const codegen::Step* step;
    const codegen::CompiledKernel* kernel;  // null: anything else
    std::size_t begin, count;               // of its buffers in slots_
    ScheduledPrograms programs;             // of a loop or a branch: walkers
  };

  void run_one(const Run&, void* const* memory) const;
  void run_recorded(void* const* memory) const;

  const codegen::Schedule& schedule_;
  std::vector<detail::Ref<codegen::CompiledKernel>> kernels_;
  std::vector<std::int32_t> slots_;
  std::vector<Run> runs_;
  mutable std::once_flag described_;
  mutable std::vector<SliceRef> slices_;  // of the steps, then of a whole run; made when recorded
};

}  // namespace fluxion::runtime
