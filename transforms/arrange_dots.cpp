// Contractions whose axes lie in the way of each other, as matrix products of transposed operands,
// so that a library can compute them.
#include "trace/frame.hpp"
#include "trace/ops/dot_general.hpp"
#include "trace/passes.hpp"

#include <algorithm>

namespace fluxion {
namespace {

std::optional<ops::DotArrangement> arrangement(const Graph& graph, const Operation& o) {
  const Types operands = graph.operand_types(o);
  return ops::dot_arrangement(o.op, operands);
}

}  // namespace

GraphRef arrange_dots(const GraphRef& graph) {
  const auto& operations = graph->operations();
  if (std::none_of(operations.begin(), operations.end(), [&](const Operation& o) {
        return arrangement(*graph, o).has_value();
      })) {
    return graph;
  }
  FrameScope scope(Frame::Kind::unbound, "a pass", Site::current());
  const Site& site = scope.frame().site;
  ArrayList values;
  for (const Type& type : graph->input_types()) values.push_back(scope.input(type, site));
  for (const Operation& o : operations) {
    const RuleSite line(o.site);
    ArrayList operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    if (const auto a = arrangement(*graph, o)) {
      operands[0] = ops::transpose(operands[0], a->lhs_permutation, o.site);
      operands[1] = ops::transpose(operands[1], a->rhs_permutation, o.site);
      values.push_back(emit(a->dot, operands, o.site));
      continue;
    }
    for (Array& result : emit_all(o.op, operands, o.site)) values.push_back(std::move(result));
  }
  std::vector<ValueId> outputs;
  for (ValueId v : graph->outputs()) {
    outputs.push_back(scope.frame().value_of(values[static_cast<std::size_t>(v)], site));
  }
  scope.pop();
  return scope.frame().builder.finish(std::move(outputs));
}

}  // namespace fluxion
