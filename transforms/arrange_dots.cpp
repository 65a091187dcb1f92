// Contractions whose axes lie in the way of each other, as matrix products of transposed operands,
// and transposed convolutions as derivatives, so that a library can compute them.
#include "trace/ops/dot_general.hpp"
#include "trace/passes.hpp"
#include "transforms/walk.hpp"

#include <algorithm>

namespace fluxion {
namespace {

std::optional<ops::DotArrangement> arrangement(const Graph& graph, const Operation& o) {
  const Types operands = graph.operand_types(o);
  return ops::dot_arrangement(o.op, operands);
}
std::optional<ops::ConvolutionArrangement> turned(const Graph& graph, const Operation& o) {
  const Types operands = graph.operand_types(o);
  return ops::convolution_arrangement(o.op, operands);
}

}  // namespace

GraphRef arrange_dots(const GraphRef& graph) {
  const auto& operations = graph->operations();
  if (std::none_of(operations.begin(), operations.end(), [&](const Operation& o) {
        return arrangement(*graph, o).has_value() || turned(*graph, o).has_value();
      })) {
    return graph;
  }
  return rewritten(graph, [&](const Operation& o, Arrays operands) -> ArrayList {
    if (const auto c = turned(*graph, o)) {
      const Array reversed[] = {operands[0], ops::rev(operands[1], c->reversed_axes, o.site)};
      return {emit(c->convolution, reversed, o.site)};
    }
    const auto a = arrangement(*graph, o);
    if (!a) return emit_all(o.op, operands, o.site);
    const Array arranged[] = {ops::transpose(operands[0], a->lhs_permutation, o.site),
                              ops::transpose(operands[1], a->rhs_permutation, o.site)};
    return {emit(a->dot, arranged, o.site)};
  });
}

}  // namespace fluxion
