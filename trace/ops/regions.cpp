// Closed programs made of closed programs: rewired, cut down, asked what depends on what.
#include "trace/ops/regions.hpp"

#include "trace/frame.hpp"
#include "trace/ops/axes.hpp"

namespace fluxion::ops {
namespace {

std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }

}  // namespace

GraphRef record_graph(TypeList inputs, const std::function<ArrayList(Arrays)>& body) {
  FrameScope scope(Frame::Kind::unbound, "a program", Site::current());
  const Site& site = scope.frame().site;
  ArrayList arguments;
  for (const Type& type : inputs) arguments.push_back(scope.input(type, site));
  std::vector<ValueId> outputs;
  for (const Array& a : body(arguments)) outputs.push_back(scope.frame().value_of(a, site));
  scope.pop();
  if (!scope.frame().captures.empty()) throw InternalError("a closed program captured an array");
  return scope.frame().builder.finish(std::move(outputs));
}

GraphRef reordered(const GraphRef& graph, const std::vector<std::size_t>& order) {
  Types types;
  for (std::size_t k : order) types.push_back(graph->type(static_cast<ValueId>(k)));
  return record_graph(types, [&](Arrays in) {
    ArrayList all(at(graph->input_count()));
    for (std::size_t k = 0; k < order.size(); ++k) all[order[k]] = in[k];
    for (std::size_t k = 0; k < all.size(); ++k)
      if (!defined(all[k])) all[k] = zeros_of(graph->type(static_cast<ValueId>(k)));
    return inline_graph(*graph, all);
  });
}

std::vector<bool> needed_inputs(const Graph& graph, const std::vector<bool>& outputs) {
  std::vector<bool> needed(at(graph.value_count()));
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (outputs[k]) needed[at(graph.outputs()[k])] = true;
  for (std::size_t i = graph.operations().size(); i-- > 0;) {
    const Operation& o = graph.operations()[i];
    bool any = o.op.effects();
    for (std::int32_t k = 0; k < o.result_count; ++k) any = any || needed[at(o.first_result + k)];
    if (!any) continue;
    for (ValueId v : o.operands) needed[at(v)] = true;
  }
  needed.resize(at(graph.input_count()));
  return needed;
}

std::vector<bool> reached_outputs(const Graph& graph, const std::vector<bool>& inputs) {
  std::vector<bool> reached = inputs;
  reached.resize(at(graph.value_count()));
  for (const Operation& o : graph.operations()) {
    bool any = false;
    for (ValueId v : o.operands) any = any || reached[at(v)];
    for (std::int32_t k = 0; k < o.result_count; ++k) reached[at(o.first_result + k)] = any;
  }
  std::vector<bool> outputs;
  for (ValueId v : graph.outputs()) outputs.push_back(reached[at(v)]);
  return outputs;
}

GraphRef with_marked_outputs(const GraphRef& graph, const std::vector<bool>& keep) {
  const GraphRef fewer = graph->with_outputs(marked(graph->outputs(), keep));
  return record_graph(fewer->input_types(), [&](Arrays in) { return inline_graph(*fewer, in); });
}

Type row_type(const Type& type) { return {without_axis(type.shape, 0), type.dtype}; }
Type rows_type(const Type& type, std::int64_t length) {
  return {with_axis(type.shape, 0, length), type.dtype};
}
Array or_zeros_of(const Array& a, const Type& type) { return defined(a) ? a : zeros_of(type); }

}  // namespace fluxion::ops
