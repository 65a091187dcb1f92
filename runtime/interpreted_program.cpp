// A program that runs through the references of its operations: the oracle, and the only way
// without LLVM.
#include "codegen/interpret.hpp"
#include "codegen/schedule.hpp"
#include "runtime/program.hpp"
#include "trace/passes.hpp"

namespace fluxion::runtime {
namespace {

class InterpretedProgram final : public Executable {
 public:
  explicit InterpretedProgram(const GraphRef& graph) : graph_(graph) {}

  void run(std::span<const Argument> arguments,
           std::span<detail::Ref<Buffer>> results) const override {
    std::vector<ConstTensor> inputs;
    for (std::size_t i = 0; i < arguments.size(); ++i)
      inputs.push_back({graph_->type(static_cast<ValueId>(i)), arguments[i].data});
    std::vector<detail::Ref<Buffer>> outputs = codegen::interpret(*graph_, inputs);
    for (std::size_t k = 0; k < results.size(); ++k) results[k] = std::move(outputs[k]);
  }
  ProgramCost cost() const override {
    ProgramCost cost;
    const codegen::Work work = codegen::work_of(codegen::schedule(optimize(graph_)));
    cost.flops = work.flops;
    cost.transcendentals = work.transcendentals;
    for (ValueId v = 0; v < graph_->value_count(); ++v)
      cost.bytes += static_cast<double>(bytes_of(graph_->type(v)));
    return cost;
  }
  ProgramMemory memory() const override {
    ProgramMemory memory;
    for (const Type& type : graph_->input_types()) memory.arguments += bytes_of(type);
    for (const Type& type : graph_->output_types()) memory.results += bytes_of(type);
    for (ValueId v = graph_->input_count(); v < graph_->value_count(); ++v)
      memory.temporaries += bytes_of(graph_->type(v));
    memory.peak = memory.arguments + memory.temporaries;
    return memory;
  }
  std::string kernels() const override { return {}; }
  std::string llvm_ir() const override { return {}; }
  std::string assembly() const override { return {}; }
  std::size_t step_count() const override { return graph_->operations().size(); }

 private:
  GraphRef graph_;
};

}  // namespace

detail::Ref<const Executable> interpreted_program(const GraphRef& graph) {
  return detail::Ref<const Executable>(new InterpretedProgram(graph));
}

}  // namespace fluxion::runtime
