// The walker: runs the steps of a schedule one after the other over the memory that was planned.
#include "codegen/interpret.hpp"
#include "codegen/schedule.hpp"
#include "runtime/kernel_cache.hpp"
#include "runtime/program.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <cstring>

namespace fluxion::runtime {
namespace {

using codegen::CompiledKernel;
using codegen::Context;
using codegen::Cut;
using codegen::Result;
using codegen::Slot;
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

/// Up to a fixed number of elements live on the stack.
template <class T, std::size_t few> class Scratch {
 public:
  explicit Scratch(std::size_t n) : data_(n > few ? (many_.resize(n), many_.data()) : few_) {}
  T* data() { return data_; }
  T& operator[](std::size_t i) { return data_[i]; }

 private:
  T few_[few];
  std::vector<T> many_;
  T* data_;
};

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

/// Large copies are shared between the threads.
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
    std::memcpy(static_cast<char*>(to) + first, static_cast<const char*>(from) + first, last - first);
  });
}

class NativeProgram final : public Executable {
 public:
  explicit NativeProgram(const GraphRef& graph)
      : schedule_(codegen::schedule(graph)), kernels_(compiled(schedule_.kernels)) {
    for (const Step& step : schedule_.steps) {
      Run run{&step,
              step.kernel < 0 ? nullptr : kernels_[static_cast<std::size_t>(step.kernel)].raw(),
              slots_.size(),
              step.inputs.size() + step.outputs.size()};
      slots_.insert(slots_.end(), step.inputs.begin(), step.inputs.end());
      slots_.insert(slots_.end(), step.outputs.begin(), step.outputs.end());
      runs_.push_back(run);
    }
  }

  void run(std::span<const Argument> arguments, std::span<Ref<Buffer>> results) const override {
    give_results(arguments, results);
    Ref<Buffer> arena;
    if (schedule_.arena_bytes > 0) arena = allocate(schedule_.arena_bytes);
    Scratch<void*, 64> memory(schedule_.slots.size());
    for (std::size_t i = 0; i < schedule_.slots.size(); ++i) {
      const Slot& slot = schedule_.slots[i];
      const auto index = static_cast<std::size_t>(slot.index);
      switch (slot.where) {
        case Slot::Where::argument:
          memory[i] = const_cast<void*>(arguments[index].data);
          break;
        case Slot::Where::result:
          memory[i] = results[index]->data();
          break;
        case Slot::Where::arena:
          // without an arena, what would lie there has no elements
          memory[i] = arena ? static_cast<char*>(arena->data()) + slot.offset : nullptr;
          break;
      }
    }
    for (const Run& run : runs_) {
      Scratch<void*, 64> buffers(run.count);
      for (std::size_t k = 0; k < run.count; ++k)
        buffers[k] = memory[static_cast<std::size_t>(slots_[run.begin + k])];
      if (run.kernel)
        run_kernel(*run.kernel, buffers.data());
      else
        run_other(*run.step, buffers.data(), memory.data());
    }
  }

  ProgramCost cost() const override {
    const codegen::Work work = work_of(schedule_);
    return {work.flops, work.bytes, work.transcendentals};
  }
  ProgramMemory memory() const override {
    ProgramMemory memory;
    std::size_t saved = 0;
    for (const Type& type : schedule_.graph->input_types()) memory.arguments += bytes_of(type);
    for (const Result& result : schedule_.results) {
      if (result.from == Result::From::computed) memory.results += result.bytes;
      if (result.donor >= 0) saved += result.bytes;
    }
    memory.temporaries = schedule_.arena_bytes;
    memory.peak = memory.arguments + memory.results + memory.temporaries - saved;
    return memory;
  }
  std::string kernels() const override {
    std::string text = to_string(schedule_);
    for (const kernel::Kernel& kernel : schedule_.kernels) text += '\n' + to_string(kernel);
    return text;
  }
  std::string llvm_ir() const override {
    std::string text;
    for (const auto& kernel : kernels_) text += kernel->llvm_ir() + '\n';
    return text;
  }
  std::string assembly() const override {
    std::string text;
    for (const auto& kernel : kernels_) text += kernel->assembly() + '\n';
    return text;
  }
  std::size_t step_count() const override { return runs_.size(); }

 private:
  struct Run {
    const Step* step;
    const CompiledKernel* kernel;  // null: a leaf or a reference
    std::size_t begin, count;      // of its buffers in slots_
  };

  void give_results(std::span<const Argument> arguments, std::span<Ref<Buffer>> results) const {
    for (std::size_t k = 0; k < results.size(); ++k) {
      const Result& result = schedule_.results[k];
      const auto index = static_cast<std::size_t>(result.index);
      if (result.from == Result::From::result) {
        results[k] = results[index];
        continue;
      }
      if (result.from == Result::From::argument) {
        const Argument& argument = arguments[index];
        if (argument.buffer && !argument.buffer->borrowed() &&
            argument.buffer->data() == argument.data) {
          results[k] = argument.buffer;
          continue;
        }
        results[k] = allocate(result.bytes);
        if (result.bytes > 0) std::memcpy(results[k]->data(), argument.data, result.bytes);
        continue;
      }
      if (result.donor >= 0) {
        const Argument& donor = arguments[static_cast<std::size_t>(result.donor)];
        if (donor.donated && donor.buffer && !donor.buffer->borrowed() &&
            donor.buffer->data() == donor.data) {
          results[k] = donor.buffer;
          continue;
        }
      }
      results[k] = allocate(result.bytes);
    }
  }

  void run_other(const Step& step, void* const* buffers, void* const* memory) const {
    void* const* outputs = buffers + step.inputs.size();
    if (step.kind == Cut::Kind::copy)
      return copy(buffers[0],
                  outputs[0],
                  schedule_.slots[static_cast<std::size_t>(step.outputs[0])].bytes);
    if (step.leaf) {
      void* scratch = step.scratch < 0 ? nullptr : memory[static_cast<std::size_t>(step.scratch)];
      return step.leaf->run(buffers, outputs, scratch);
    }
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

  codegen::Schedule schedule_;
  std::vector<Ref<CompiledKernel>> kernels_;
  std::vector<std::int32_t> slots_;
  std::vector<Run> runs_;
};

}  // namespace

Ref<const Executable> native_program(const GraphRef& graph) {
  return Ref<const Executable>(new NativeProgram(graph));
}

}  // namespace fluxion::runtime
