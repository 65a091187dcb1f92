// A program that runs through the references of its operations: the oracle, and the only way
// without LLVM.
#include "codegen/interpret.hpp"
#include "codegen/report.hpp"
#include "runtime/program.hpp"
#include "runtime/recorder.hpp"
#include "trace/passes.hpp"

#include <algorithm>

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
    std::vector<detail::Ref<Buffer>> outputs;
    if (!recording())
      outputs = codegen::interpret(*graph_, inputs);
    else
      outputs = codegen::interpret(*graph_, inputs, record);
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
    memory.alive = memory.temporaries;
    return memory;
  }
  std::vector<MemoryOwner> owners(const GraphRef& traced) const override {
    std::vector<MemoryOwner> owners;
    for (const Operation& o : traced->operations()) {
      std::size_t bytes = 0;
      for (const Type& type : traced->result_types(o)) bytes += bytes_of(type);
      if (bytes > 0) owners.push_back({bytes, std::string(o.op.name()), o.site});
    }
    std::stable_sort(owners.begin(), owners.end(), [](const auto& a, const auto& b) {
      return a.bytes > b.bytes;
    });
    return owners;
  }
  std::string table(const GraphRef& traced) const override { return codegen::table_of(*traced); }
  std::string kernels() const override { return {}; }
  std::string llvm_ir() const override { return {}; }
  std::string assembly() const override { return {}; }
  std::size_t step_count() const override { return graph_->operations().size(); }

 private:
  static void record(const Graph& graph, const Operation& o, const std::function<void()>& run) {
    auto slice = std::make_shared<Slice>();
    slice->name = "reference " + std::string(o.op.name());
    slice->category = "reference";
    slice->operations = std::string(o.op.name());
    slice->site = o.site;
    for (const Type& type : graph.operand_types(o))
      slice->work.read += static_cast<double>(bytes_of(type));
    for (const Type& type : graph.result_types(o))
      slice->work.written += static_cast<double>(bytes_of(type));
    const Recorded here(std::move(slice));
    run();
  }

  GraphRef graph_;
};

}  // namespace

detail::Ref<const Executable> interpreted_program(const GraphRef& graph) {
  return detail::Ref<const Executable>(new InterpretedProgram(graph));
}

}  // namespace fluxion::runtime
