// A compiled program: gives results their memory, and walks its schedule.
#include "codegen/report.hpp"
#include "runtime/program.hpp"
#include "runtime/recorder.hpp"
#include "runtime/walker.hpp"
#include "trace/passes.hpp"

#include <cstring>

namespace fluxion::runtime {
namespace {

using codegen::Result;
using codegen::Slot;
using detail::Ref;

codegen::Schedule make_schedule(const GraphRef& graph) {
  const Recorded phase("schedule");
  return codegen::schedule(graph);
}

class NativeProgram final : public Executable {
 public:
  NativeProgram(const GraphRef& optimised, const GraphRef& traced)
      : traced_(traced), schedule_(make_schedule(optimised)), walker_(schedule_) {}

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
    walker_.run(memory.data());
  }

  ProgramCost cost() const override {
    const codegen::Work work = work_of(schedule_);
    return {work.flops, work.bytes(), work.transcendentals};
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
    memory.alive = schedule_.alive_bytes;
    memory.peak = memory.arguments + memory.results + memory.temporaries - saved;
    return memory;
  }
  std::vector<MemoryOwner> owners(const GraphRef& traced) const override {
    std::vector<MemoryOwner> owners;
    with_lines_of(traced, [&](const codegen::Schedule& schedule) {
      for (codegen::Owner& owner : codegen::owners_of(schedule))
        owners.push_back({owner.bytes, std::move(owner.operation), owner.site});
    });
    return owners;
  }
  std::string table(const GraphRef& traced) const override {
    std::string text;
    with_lines_of(traced, [&](const codegen::Schedule& s) { text = codegen::table_of(s); });
    return text;
  }
  std::string kernels() const override { return to_string(schedule_) + kernel_text(); }
  std::vector<Stage> stages() const override {
    return {{"cuts.txt", to_string(*schedule_.graph, schedule_.cuts)},
            {"schedule.txt", codegen::table_of(schedule_) + '\n' + to_string(schedule_)},
            {"kernels.txt", kernel_text()},
            {"llvm.ll", llvm_ir()},
            {"assembly.s", assembly()}};
  }
  std::string llvm_ir() const override {
    std::string text;
    for (const auto* kernel : walker_.kernels()) text += kernel->llvm_ir() + '\n';
    return text;
  }
  std::string assembly() const override {
    std::string text;
    for (const auto* kernel : walker_.kernels()) text += kernel->assembly() + '\n';
    return text;
  }
  std::size_t step_count() const override { return walker_.step_count(); }

 private:
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
          results[k] = Ref<Buffer>(argument.buffer);
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
          results[k] = Ref<Buffer>(donor.buffer);
          continue;
        }
      }
      results[k] = allocate(result.bytes);
    }
  }

  std::string kernel_text() const {
    std::string text;
    for (const auto* kernel : walker_.kernels()) text += '\n' + to_string(kernel->kernel());
    return text;
  }
  template <class F> void with_lines_of(const GraphRef& traced, F f) const {
    if (traced.raw() == traced_.raw()) return f(schedule_);
    f(codegen::schedule(optimize(traced)));
  }

  GraphRef traced_;
  codegen::Schedule schedule_;
  Walker walker_;
};

}  // namespace

Ref<const Executable> native_program(const GraphRef& optimised, const GraphRef& traced) {
  return Ref<const Executable>(new NativeProgram(optimised, traced));
}

}  // namespace fluxion::runtime
