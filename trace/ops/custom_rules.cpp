// What operations with rules of the user's own share: refusals, and batch axes of several programs
// in agreement.
#include "trace/ops/custom_rules.hpp"

#include "trace/node.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/regions.hpp"

namespace fluxion::ops {

void refuse_captured_tangents(std::string_view what, Arrays x, Arrays dx, std::int64_t arguments) {
  for (std::size_t k = static_cast<std::size_t>(arguments); k < x.size(); ++k) {
    if (!defined(dx[k])) continue;
    const Site& origin = detail::Access::node(x[k])->site;
    fail("captured-tangent",
         rule_site(),
         std::string(what) + ": the function captured an array that is being differentiated",
         {"the array is " + to_string(type_of(x[k])) + ", recorded at " + origin.file_name() + ":" +
          std::to_string(origin.line())},
         "pass it as an argument, so that the rule knows of it; or capture "
         "fx::stop_gradient of it");
  }
}

Types differentiable(TypeList types) {
  Types out;
  for (const Type& type : types)
    if (is_differentiable(type.dtype)) out.push_back(type);
  return out;
}

GraphRef with_result_axes(const BatchedGraph& batched,
                          const std::vector<int>& wanted,
                          std::int64_t size) {
  if (batched.axes == wanted) return batched.graph;
  return record_graph(batched.graph->input_types(), [&](Arrays in) {
    ArrayList out = inline_graph(*batched.graph, in);
    for (std::size_t k = 0; k < out.size(); ++k)
      if (wanted[k] != unbatched)
        out[k] = move_axis(batch_first(out[k], batched.axes[k], size), 0, wanted[k]);
    return out;
  });
}

std::vector<int> first_axis_of(std::initializer_list<std::span<const int>> lists,
                               std::size_t count) {
  std::vector<int> wanted(count, unbatched);
  for (std::span<const int> list : lists)
    for (std::size_t k = 0; k < count; ++k)
      if (list[k] != unbatched) wanted[k] = 0;
  return wanted;
}

void check_inputs(std::string_view operation, const Graph& graph, TypeList operands) {
  const TypeList wanted = graph.input_types();
  if (!std::equal(operands.begin(), operands.end(), wanted.begin(), wanted.end()))
    throw InternalError(std::string(operation) + ": the operands are not the program's inputs");
}

}  // namespace fluxion::ops
