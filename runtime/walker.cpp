// Runs the steps of a schedule one after the other over the memory that was planned.
#include "runtime/walker.hpp"

#include "codegen/strips.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>

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

using codegen::Strip;

/// One block of a strip: `row` is its first, of all matrices' rows; `own` the thread's memory.
void run_block(const Strip& strip,
               const std::vector<Ref<CompiledKernel>>& kernels,
               void* const* buffers,
               std::byte* own,
               std::int64_t row,
               bool last) {
  for (const Strip::Part& part : strip.parts) {
    Scratch<void*, 64> places(part.places.size());
    for (std::size_t k = 0; k < part.places.size(); ++k) {
      const Strip::Place& place = part.places[k];
      std::byte* const base =
          place.local ? own + place.index : static_cast<std::byte*>(buffers[place.index]);
      places[k] = base + row / part.matrix_rows * place.matrix_bytes +
                  row % part.matrix_rows * place.row_bytes;
    }
    if (part.leaf) {
      const auto& leaf = last ? part.last : part.leaf;
      leaf->run(places.data(), places.data() + 2, own + part.scratch);
      continue;
    }
    const CompiledKernel& kernel = *kernels[static_cast<std::size_t>(part.kernel)];
    const Context context{thread_scratch(kernel.scratch_bytes())};
    const std::int64_t begin =
        row / strip.rows * part.matrix_units + row % strip.rows / strip.block * part.units;
    kernel.phases()[0].entry(
        &context, places.data(), begin, begin + (last ? part.last_units : part.units));
  }
}

void run_strip(const Strip& strip,
               const std::vector<Ref<CompiledKernel>>& kernels,
               void* const* buffers,
               void* memory) {
  const std::int64_t each = strip.blocks_of_matrix();
  parallel_for(
      strip.matrices * each,
      1,
      [&](std::int64_t begin, std::int64_t end) {
        std::byte* const own = static_cast<std::byte*>(memory) +
                               static_cast<std::size_t>(participant()) * strip.thread_bytes;
        for (std::int64_t b = begin; b < end; ++b)
          run_block(strip,
                    kernels,
                    buffers,
                    own,
                    b / each * strip.rows + b % each * strip.block,
                    b % each == each - 1);
      },
      strip.threads);
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
    if (step.strip)  // it counts units of the kernels as they are mapped
      for (const Strip::Part& part : step.strip->parts) {
        if (part.leaf) continue;
        const auto& phases = kernels_[static_cast<std::size_t>(part.kernel)]->phases();
        if (phases.size() != 1 || phases[0].units != step.strip->matrices * part.matrix_units)
          throw InternalError("a strip's kernel has other units than its schedule knows");
      }
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
    else if (run.step->strip)
      run_strip(*run.step->strip,
                kernels_,
                buffers.data(),
                memory[static_cast<std::size_t>(run.step->scratch)]);
    else
      run_step(schedule_, *run.step, run.programs, buffers.data(), memory);
  }
}

}  // namespace fluxion::runtime
