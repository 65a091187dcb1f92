// Operations that nothing needs are dropped.
#include "trace/passes.hpp"

namespace fluxion {

GraphRef drop_unused_operations(const GraphRef& graph) {
  GraphBuilder builder;
  for (const Type& type : graph->input_types()) builder.input(type);
  for (const Operation& o : graph->operations())
    builder.add(o.op, o.operands, graph->result_types(o), o.site, false);
  return builder.finish(graph->outputs(), true);
}

}  // namespace fluxion
