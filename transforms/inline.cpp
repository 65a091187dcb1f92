// Calls replaced by what they call.
#include "trace/ops/call.hpp"
#include "trace/passes.hpp"

namespace fluxion {
namespace {

std::vector<ValueId> inline_into(GraphBuilder& builder,
                                 const Graph& graph,
                                 std::vector<ValueId> values) {
  for (const Operation& o : graph.operations()) {
    std::vector<ValueId> operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    if (const auto* call = o.op.as<ops::Call>()) {
      for (ValueId v : inline_into(builder, *call->body, std::move(operands))) values.push_back(v);
      continue;
    }
    const ValueId first = builder.add(o.op, std::move(operands), graph.result_types(o), o.site);
    for (std::int32_t k = 0; k < o.result_count; ++k) values.push_back(first + k);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : graph.outputs()) outputs.push_back(values[static_cast<std::size_t>(v)]);
  return outputs;
}

}  // namespace

GraphRef inline_calls(const GraphRef& graph) {
  bool any = false;
  for (const Operation& o : graph->operations()) any = any || o.op.as<ops::Call>();
  if (!any) return graph;
  GraphBuilder builder;
  std::vector<ValueId> inputs;
  for (const Type& type : graph->input_types()) inputs.push_back(builder.input(type));
  return builder.finish(inline_into(builder, *graph, std::move(inputs)), false);
}

}  // namespace fluxion
