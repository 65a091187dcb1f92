// Walks a graph on host data, keeping every value until the end.
#include "codegen/interpret.hpp"

#include <cstring>

namespace fluxion::codegen {

void interpret(const Op& op, ConstTensors operands, Tensors results) {
  static const RegionRunner run = [](const Graph& graph, ConstTensors inputs) {
    return interpret(graph, inputs);
  };
  op.reference(operands, results, run);
}

std::vector<detail::Ref<Buffer>> interpret(const Graph& graph,
                                           ConstTensors inputs,
                                           const Around& around) {
  if (static_cast<std::int32_t>(inputs.size()) != graph.input_count())
    throw InternalError("interpret: the graph has another number of inputs");
  std::vector<ConstTensor> values(inputs.begin(), inputs.end());
  std::vector<detail::Ref<Buffer>> owners(inputs.size());
  for (const Operation& o : graph.operations()) {
    std::vector<ConstTensor> operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    std::vector<Tensor> results;
    for (const Type& type : graph.result_types(o)) {
      owners.push_back(allocate(bytes_of(type)));
      results.push_back({type, owners.back()->data()});
    }
    if (around)
      around(graph, o, [&] { interpret(o.op, operands, results); });
    else
      interpret(o.op, operands, results);
    values.insert(values.end(), results.begin(), results.end());
  }
  std::vector<detail::Ref<Buffer>> outputs;
  for (ValueId v : graph.outputs()) {
    auto at = static_cast<std::size_t>(v);
    if (!owners[at]) {  // an input: a result is never the caller's memory
      std::size_t bytes = bytes_of(values[at].type);
      owners[at] = allocate(bytes);
      if (bytes) std::memcpy(owners[at]->data(), values[at].data, bytes);
    }
    outputs.push_back(owners[at]);
  }
  return outputs;
}

}  // namespace fluxion::codegen
