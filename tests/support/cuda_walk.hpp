// Whole programs as CUDA C++: fused and scheduled without any library, printed, and run step by
// step on planned memory by the emulation; every kernel against its definition bit for bit.
#pragma once
#include "runtime/run_step.hpp"
#include "tests/support/cuda_check.hpp"
#include "tests/support/program.hpp"

#include <stdexcept>
#include <unordered_map>

namespace fluxion::test {

/// Kernels of many programs, each different one once, that go through the compilers together.
class EmulatedKernels {
 public:
  explicit EmulatedKernels(const codegen::CudaTarget& target) : batch_(target) {}
  std::size_t add(const kernel::Kernel& kernel) {
    const auto [from, to] = numbers_.equal_range(kernel.hash());
    for (auto e = from; e != to; ++e)
      if (same_structure(batch_.kernel(e->second), kernel)) return e->second;
    const std::size_t number = batch_.add(kernel);
    numbers_.emplace(kernel.hash(), number);
    return number;
  }
  CudaBatch& batch() { return batch_; }

  /// Throws std::runtime_error where a kernel is not what it is defined to be.
  void run(std::size_t number, void* const* given, ThreadOrder order) const {
    const kernel::Kernel& kernel = batch_.kernel(number);
    // The definition runs on memory of its own, where nothing overlaps.
    const CudaArrays expected = CudaBatch::arrays(kernel, {});
    const CudaArrays actual = CudaBatch::arrays(kernel, {});
    const std::vector<void*> buffers(given, given + expected.size());
    for (std::size_t b = 0; b < expected.size(); ++b)
      if (expected[b].size()) std::memcpy(expected[b].at(0), buffers[b], expected[b].size());
    interpret(kernel, CudaBatch::memory(expected));
    std::string wrong = batch_.run(number, buffers, order);
    for (std::size_t b = 0; b < actual.size(); ++b) {
      // An input may have become an output's memory.
      const bool input = kernel.buffers[b].role == kernel::Role::input;
      const void* from = input ? static_cast<const void*>(expected[b].memory->data()) : buffers[b];
      if (actual[b].size()) std::memcpy(actual[b].at(0), from, actual[b].size());
    }
    if (wrong.empty()) wrong = first_difference(actual, expected);
    if (!wrong.empty())
      throw std::runtime_error("order " + std::to_string(static_cast<int>(order)) + ", " + wrong +
                               "\n" + kernel::to_string(kernel) + batch_.source(number).text);
  }

 private:
  CudaBatch batch_;
  std::unordered_multimap<std::uint64_t, std::size_t> numbers_;
};

/// A schedule whose kernels the emulation runs.
class EmulatedSchedule final : public runtime::ScheduledProgram {
 public:
  /// Both must live as long.
  EmulatedSchedule(const codegen::Schedule& schedule, EmulatedKernels& kernels, ThreadOrder& order)
      : schedule_(schedule), kernels_(kernels), order_(order) {
    for (const kernel::Kernel& kernel : schedule.kernels) numbers_.push_back(kernels.add(kernel));
    for (const codegen::Step& step : schedule.steps) {
      programs_.emplace_back();
      if (!step.region) continue;
      for (const auto& program : step.region->programs)
        programs_.back().push_back(std::make_unique<EmulatedSchedule>(*program, kernels, order));
    }
  }
  const codegen::Schedule& schedule() const override { return schedule_; }
  void run(void* const* memory) const override {
    for (std::size_t s = 0; s < schedule_.steps.size(); ++s) {
      const codegen::Step& step = schedule_.steps[s];
      std::vector<void*> buffers;
      for (const auto* slots : {&step.inputs, &step.outputs})
        for (std::int32_t slot : *slots) buffers.push_back(memory[static_cast<std::size_t>(slot)]);
      if (step.kernel >= 0)
        kernels_.run(numbers_[static_cast<std::size_t>(step.kernel)], buffers.data(), order_);
      else
        runtime::run_step(schedule_, step, programs_[s], buffers.data(), memory);
    }
  }
  /// The operations of all steps that run their reference on the host, by name.
  void add_references(std::vector<std::string>& names) const {
    for (std::size_t s = 0; s < schedule_.steps.size(); ++s) {
      const codegen::Step& step = schedule_.steps[s];
      if (step.kind == codegen::Cut::Kind::reference)
        names.emplace_back(
            schedule_.graph->operations()[static_cast<std::size_t>(step.operation)].op.name());
      for (const auto& program : programs_[s])
        static_cast<const EmulatedSchedule&>(*program).add_references(names);
    }
  }

 private:
  const codegen::Schedule& schedule_;
  EmulatedKernels& kernels_;
  const ThreadOrder& order_;
  std::vector<std::size_t> numbers_;
  std::vector<runtime::ScheduledPrograms> programs_;  // of each step
};

/// The memory of a schedule, and a walk over its steps.
class EmulatedWalk {
 public:
  EmulatedWalk(const GraphRef& graph, EmulatedKernels& kernels)
      : schedule_(codegen::schedule(optimize(graph), codegen::Libraries::none)),
        program_(schedule_, kernels, order_) {}
  EmulatedWalk(const EmulatedWalk&) = delete;

  std::vector<std::string> references() const {
    std::vector<std::string> names;
    program_.add_references(names);
    return names;
  }

  /// The program's results; the kernels must have been compiled.
  HostArrays run(const HostArrays& inputs, ThreadOrder order) {
    order_ = order;
    std::vector<std::vector<unsigned char>> arguments, results;
    for (const HostArray& a : inputs) {
      arguments.emplace_back(a.bytes.size() + 64);
      std::memcpy(aligned(arguments.back()), a.bytes.data(), bytes_of(a.type));
    }
    for (const auto& result : schedule_.results) results.emplace_back(result.bytes + 64);
    std::vector<unsigned char> arena(schedule_.arena_bytes + 64);
    std::vector<void*> memory;
    for (const codegen::Slot& slot : schedule_.slots) {
      const auto index = static_cast<std::size_t>(slot.index);
      memory.push_back(slot.where == codegen::Slot::Where::argument ? aligned(arguments[index])
                       : slot.where == codegen::Slot::Where::result ? aligned(results[index])
                                                                    : aligned(arena) + slot.offset);
    }
    program_.run(memory.data());
    HostArrays out;
    for (std::size_t k = 0; k < results.size(); ++k) {
      const codegen::Result& result = schedule_.results[k];
      const auto index = static_cast<std::size_t>(result.index);
      const unsigned char* from =
          result.from == codegen::Result::From::computed ? aligned(results[k])
          : result.from == codegen::Result::From::result ? aligned(results[index])
                                                         : aligned(arguments[index]);
      out.emplace_back(schedule_.graph->type(schedule_.graph->outputs()[k]));
      std::memcpy(out.back().bytes.data(), from, bytes_of(out.back().type));
    }
    return out;
  }

 private:
  static unsigned char* aligned(std::vector<unsigned char>& bytes) {
    return bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64;
  }
  codegen::Schedule schedule_;
  ThreadOrder order_ = ThreadOrder::forward;
  EmulatedSchedule program_;
};

}  // namespace fluxion::test
