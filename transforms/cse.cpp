// Equal operations become one: a builder that shares does it.
#include "trace/passes.hpp"

namespace fluxion {

GraphRef share_equal_operations(const GraphRef& graph) {
  GraphBuilder builder;
  std::vector<ValueId> values;
  for (const Type& type : graph->input_types()) values.push_back(builder.input(type));
  for (const Operation& o : graph->operations()) {
    std::vector<ValueId> operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    const ValueId first = builder.add(o.op, std::move(operands), graph->result_types(o), o.site);
    for (std::int32_t k = 0; k < o.result_count; ++k) values.push_back(first + k);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : graph->outputs()) outputs.push_back(values[static_cast<std::size_t>(v)]);
  return builder.finish(std::move(outputs), false);
}

}  // namespace fluxion
