// Runs the steps of a schedule one after the other over the memory that was planned.
#include "runtime/walker.hpp"

#include "runtime/thread_pool.hpp"

namespace fluxion::runtime {
namespace {

using codegen::CompiledKernel;
using codegen::Context;
using codegen::Step;
using detail::Ref;

/// Memory of a thread for the scratch rows of kernels; grows.
void* thread_scratch(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  // Made with its first memory, so that it goes before what the allocator keeps for the thread.
  thread_local Ref<Buffer> memory = allocate(bytes);
  if (memory->bytes() < bytes) memory = allocate(bytes);
  return memory->data();
}

void run_kernel(const CompiledKernel& kernel, void* const* buffers) {
  const std::size_t scratch = kernel.scratch_bytes();
  for (const CompiledKernel::Phase& phase : kernel.phases()) {
    if (phase.units <= phase.grain) {
      const Context context{thread_scratch(scratch)};
      phase.entry(&context, buffers, 0, phase.units);
      continue;
    }
    parallel_for(phase.units, phase.grain, [&](std::int64_t begin, std::int64_t end) {
      const Context context{thread_scratch(scratch)};
      phase.entry(&context, buffers, begin, end);
    });
  }
}

}  // namespace

Walker::Walker(const codegen::Schedule& schedule)
    : schedule_(schedule), kernels_(compiled(schedule.kernels)) {
  for (const Step& step : schedule_.steps) {
    Run run{&step,
            step.kernel < 0 ? nullptr : kernels_[static_cast<std::size_t>(step.kernel)].raw(),
            slots_.size(),
            step.inputs.size() + step.outputs.size(),
            {}};
    slots_.insert(slots_.end(), step.inputs.begin(), step.inputs.end());
    slots_.insert(slots_.end(), step.outputs.begin(), step.outputs.end());
    if (step.region)
      for (const auto& program : step.region->programs)
        run.programs.push_back(std::make_unique<Walker>(*program));
    runs_.push_back(std::move(run));
  }
}

std::vector<const CompiledKernel*> Walker::kernels() const {
  std::vector<const CompiledKernel*> all;
  for (const auto& kernel : kernels_) all.push_back(kernel.raw());
  for (const Run& run : runs_)
    for (const auto& program : run.programs)
      for (const CompiledKernel* kernel : static_cast<const Walker&>(*program).kernels())
        all.push_back(kernel);
  return all;
}

void Walker::run(void* const* memory) const {
  for (const Run& run : runs_) {
    Scratch<void*, 64> buffers(run.count);
    for (std::size_t k = 0; k < run.count; ++k)
      buffers[k] = memory[static_cast<std::size_t>(slots_[run.begin + k])];
    if (run.kernel)
      run_kernel(*run.kernel, buffers.data());
    else
      run_step(schedule_, *run.step, run.programs, buffers.data(), memory);
  }
}

}  // namespace fluxion::runtime
