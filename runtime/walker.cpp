// Runs the steps of a schedule one after the other over the memory that was planned.
#include "runtime/walker.hpp"

#include "codegen/interpret.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <cstring>

namespace fluxion::runtime {
namespace {

using codegen::CompiledKernel;
using codegen::Context;
using codegen::Cut;
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

void copy(const void* from, void* to, std::size_t bytes) {
  constexpr std::int64_t chunk = 1 << 18;
  if (from == to || bytes == 0) return;
  if (bytes <= 4 * chunk) {
    std::memcpy(to, from, bytes);
    return;
  }
  const auto chunks = (static_cast<std::int64_t>(bytes) + chunk - 1) / chunk;
  parallel_for(chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto first = static_cast<std::size_t>(begin * chunk);
    const auto last = std::min(bytes, static_cast<std::size_t>(end * chunk));
    std::memcpy(
        static_cast<char*>(to) + first, static_cast<const char*>(from) + first, last - first);
  });
}

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
      for (const CompiledKernel* kernel : program->kernels()) all.push_back(kernel);
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
      run_other(run, buffers.data(), memory);
  }
}

void Walker::run_other(const Run& run, void* const* buffers, void* const* memory) const {
  const Step& step = *run.step;
  void* const* outputs = buffers + step.inputs.size();
  void* scratch = step.scratch < 0 ? nullptr : memory[static_cast<std::size_t>(step.scratch)];
  if (step.kind == Cut::Kind::copy)
    return copy(
        buffers[0], outputs[0], schedule_.slots[static_cast<std::size_t>(step.outputs[0])].bytes);
  if (step.leaf) return step.leaf->run(buffers, outputs, scratch);
  if (step.region)
    return run_region(*step.region, run.programs, buffers, outputs, static_cast<char*>(scratch));
  const Graph& graph = *schedule_.graph;
  const Operation& o = graph.operations()[static_cast<std::size_t>(step.operation)];
  std::vector<ConstTensor> in;
  std::vector<Tensor> out;
  for (std::size_t k = 0; k < o.operands.size(); ++k)
    in.push_back({graph.type(o.operands[k]), buffers[k]});
  for (std::int32_t k = 0; k < o.result_count; ++k)
    out.push_back({graph.type(o.first_result + k), outputs[k]});
  codegen::interpret(o.op, in, out);
}

}  // namespace fluxion::runtime
