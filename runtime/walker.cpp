// Runs the steps of a schedule one after the other over the memory that was planned.
#include "runtime/walker.hpp"

#include "codegen/report.hpp"
#include "runtime/run_kernel.hpp"

namespace fluxion::runtime {
namespace {

using codegen::CompiledKernel;
using codegen::Step;
using detail::Ref;

std::vector<Ref<CompiledKernel>> compile_kernels(const codegen::Schedule& schedule, double runs) {
  if (schedule.kernels.empty()) return {};
  const Recorded phase("compile kernels");
  return compiled(schedule.kernels, runs);
}

SliceRef slice_of(codegen::StepReport report) {
  Slice slice;
  slice.category = report.kind;
  slice.name = std::string(report.kind) + ' ' + codegen::short_list(report.operations, 60);
  slice.operations = codegen::short_list(report.operations, 1000);
  for (const Type& type : report.writes) {
    if (!slice.writes.empty()) slice.writes += ' ';
    slice.writes += to_string(type);
  }
  slice.dtype = report.writes.empty() ? float32 : report.writes[0].dtype;
  slice.site = report.site;
  slice.implementation = std::move(report.implementation);
  slice.work = report.work;
  return std::make_shared<const Slice>(std::move(slice));
}

}  // namespace

Walker::Walker(const codegen::Schedule& schedule, double runs)
    : schedule_(schedule), kernels_(compile_kernels(schedule, runs)) {
  for (const Step& step : schedule_.steps) {
    Run run{&step,
            step.kernel < 0 ? nullptr : kernels_[static_cast<std::size_t>(step.kernel)].raw(),
            slots_.size(),
            step.inputs.size() + step.outputs.size(),
            {}};
    slots_.insert(slots_.end(), step.inputs.begin(), step.inputs.end());
    slots_.insert(slots_.end(), step.outputs.begin(), step.outputs.end());
    if (step.strip)  // it counts units of the kernels as they are mapped
      for (const codegen::Strip::Part& part : step.strip->parts) {
        if (part.leaf) continue;
        const auto& phases = kernels_[static_cast<std::size_t>(part.kernel)]->phases();
        if (phases.size() != 1 || phases[0].units != step.strip->matrices * part.matrix_units)
          throw InternalError("a strip's kernel has other units than its schedule knows");
      }
    if (step.region)
      for (const auto& program : step.region->programs)
        run.programs.push_back(
            std::make_unique<Walker>(*program, runs * step.region->expected_steps()));
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

[[gnu::always_inline]] inline void Walker::run_one(const Run& run, void* const* memory) const {
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

void Walker::run(void* const* memory) const {
  if (recording()) return run_recorded(memory);
  for (const Run& run : runs_) run_one(run, memory);
}

void Walker::run_recorded(void* const* memory) const {
  std::call_once(described_, [&] {
    Slice whole;
    for (std::size_t k = 0; k < schedule_.steps.size(); ++k) {
      slices_.push_back(slice_of(report_of(schedule_, k)));
      whole.site = slices_.back()->site;
      if (k == 0 || slices_.back()->dtype != float32) whole.dtype = slices_.back()->dtype;
    }
    whole.name = whole.category = "run";
    whole.work = work_of(schedule_);
    slices_.push_back(std::make_shared<const Slice>(std::move(whole)));
  });
  const Recorded whole(Recorded::inside() ? nullptr : slices_.back());
  for (std::size_t k = 0; k < runs_.size(); ++k) {
    const Recorded step(slices_[k]);
    run_one(runs_[k], memory);
  }
}

}  // namespace fluxion::runtime
