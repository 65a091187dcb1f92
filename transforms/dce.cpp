// Operations that nothing needs are dropped; those that hold programs shrink to what gives the
// results that are needed.
#include "trace/passes.hpp"

namespace fluxion {
namespace {

std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }

/// What each operation becomes: nothing where nobody needs it, a smaller one where some results are
/// not needed.
struct Plan {
  std::vector<char> kept;
  std::vector<std::optional<Pruned>> pruned;
};

Plan plan_of(const Graph& graph) {
  const std::size_t n = graph.operations().size();
  Plan plan{std::vector<char>(n), std::vector<std::optional<Pruned>>(n)};
  std::vector<bool> used(at(graph.value_count()));
  for (ValueId v : graph.outputs()) used[at(v)] = true;
  for (std::size_t i = n; i-- > 0;) {
    const Operation& o = graph.operations()[i];
    std::vector<bool> results(used.begin() + o.first_result,
                              used.begin() + o.first_result + o.result_count);
    bool any = o.op.effects();
    for (bool r : results) any = any || r;
    plan.kept[i] = any;
    if (!any) continue;
    plan.pruned[i] = o.op.prune(results);
    if (plan.pruned[i]) {
      for (std::size_t k : plan.pruned[i]->operands) used[at(o.operands[k])] = true;
    } else {
      for (ValueId v : o.operands) used[at(v)] = true;
    }
  }
  return plan;
}

}  // namespace

GraphRef drop_unused_operations(const GraphRef& graph) {
  const Plan plan = plan_of(*graph);
  GraphBuilder builder;
  std::vector<ValueId> values;
  for (const Type& type : graph->input_types()) values.push_back(builder.input(type));
  for (std::size_t i = 0; i < plan.kept.size(); ++i) {
    const Operation& o = graph->operations()[i];
    values.resize(values.size() + at(o.result_count), -1);
    if (!plan.kept[i]) continue;
    std::vector<ValueId> operands;
    if (!plan.pruned[i]) {
      for (ValueId v : o.operands) operands.push_back(values[at(v)]);
      const ValueId first =
          builder.add(o.op, std::move(operands), graph->result_types(o), o.site, false);
      for (std::int32_t k = 0; k < o.result_count; ++k) values[at(o.first_result + k)] = first + k;
      continue;
    }
    const Pruned& smaller = *plan.pruned[i];
    for (std::size_t k : smaller.operands) operands.push_back(values[at(o.operands[k])]);
    const ValueId first = builder.add(smaller.op, std::move(operands), o.site, false);
    for (std::size_t k = 0; k < smaller.results.size(); ++k)
      values[at(o.first_result) + smaller.results[k]] = first + static_cast<ValueId>(k);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : graph->outputs()) outputs.push_back(values[at(v)]);
  return builder.finish(std::move(outputs), true);
}

}  // namespace fluxion
