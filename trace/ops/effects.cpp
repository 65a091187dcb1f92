// Effects under a condition, and effects left out: one walk over a program and the programs in it.
#include "trace/ops/effects.hpp"

#include "trace/frame.hpp"
#include "trace/ops.hpp"
#include "trace/ops/control_flow.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/regions.hpp"

namespace fluxion::ops {
namespace {

/// Records the program's operations; `effect` records one that has effects.
ArrayList walk(const Graph& graph,
               Arrays inputs,
               const std::function<ArrayList(const Operation&, ArrayList)>& effect) {
  ArrayList values(inputs.begin(), inputs.end());
  for (const Operation& o : graph.operations()) {
    const RuleSite line(o.site);
    ArrayList operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    ArrayList results =
        o.op.effects() ? effect(o, std::move(operands)) : emit_all(o.op, operands, o.site);
    for (Array& result : results) values.push_back(std::move(result));
  }
  ArrayList out;
  for (ValueId v : graph.outputs()) out.push_back(values[static_cast<std::size_t>(v)]);
  return out;
}

/// A program whose last input becomes input number `at`.
GraphRef with_last_input_at(const GraphRef& graph, std::size_t at) {
  std::vector<std::size_t> order;
  const auto last = static_cast<std::size_t>(graph->input_count()) - 1;
  for (std::size_t k = 0; k < last; ++k) {
    if (k == at) order.push_back(last);
    order.push_back(k);
  }
  if (at >= last) order.push_back(last);
  return reordered(graph, order);
}

void insert(ArrayList& operands, std::size_t at, const Array& active) {
  operands.insert(operands.begin() + static_cast<std::ptrdiff_t>(at), active);
}

template <class Loop> ArrayList guard_loop(Loop loop, ArrayList operands, const Array& active) {
  const auto body = static_cast<std::size_t>(loop.body_constants);
  loop.body = with_last_input_at(guarded(loop.body), body);
  insert(operands, static_cast<std::size_t>(loop.condition_constants) + body, active);
  ++loop.body_constants;
  if (has_effects(*loop.condition)) {
    const auto condition = static_cast<std::size_t>(loop.condition_constants);
    loop.condition = with_last_input_at(guarded(loop.condition), condition);
    insert(operands, condition, active);
    ++loop.condition_constants;
  }
  return emit_all(loop, operands, rule_site());
}

/// The program that an inlined operation stands for.
GraphRef program_of(const Op& op, Arrays operands) {
  Types types;
  for (const Array& x : operands) types.push_back(type_of(x));
  return record_graph(types, [&](Arrays in) { return op.inlined(in); });
}

ArrayList guard(const Operation& o, ArrayList operands, const Array& active) {
  if (o.op.regions().empty()) {
    const Type& type = type_of(operands[0]);
    const Array here = broadcast_in_dim(active, type.shape, {}, rule_site());
    operands[0] = binary("and", operands[0], here, rule_site());
    return emit_all(o.op, operands, o.site);
  }
  if (const auto* scan = o.op.as<Scan>()) {
    Scan inner = *scan;
    const auto at = static_cast<std::size_t>(scan->constants);
    inner.body = with_last_input_at(guarded(scan->body), at + 1);
    ++inner.constants;
    insert(operands, at + static_cast<std::size_t>(scan->count_operands()), active);
    return emit_all(inner, operands, o.site);
  }
  if (const auto* loop = o.op.as<While>()) return guard_loop(*loop, std::move(operands), active);
  if (const auto* loop = o.op.as<BoundedWhile>())
    return guard_loop(*loop, std::move(operands), active);
  if (const auto* cond = o.op.as<Cond>()) {
    Cond inner;
    for (const GraphRef& branch : cond->branches) inner.branches.push_back(guarded(branch));
    operands.push_back(active);
    return emit_all(inner, operands, o.site);
  }
  if (!o.op.inlines())
    throw InternalError("guarded: " + std::string(o.op.name()) + " has effects of unknown kind");
  const GraphRef inner = guarded(program_of(o.op, operands));
  operands.push_back(active);
  return inline_graph(*inner, operands);
}

ArrayList silence(const Operation& o, ArrayList operands) {
  if (o.op.regions().empty()) {
    if (o.result_count > 0)
      fail_without_derivative("io_callback: a while loop runs it once, and its derivative again");
    return {};
  }
  if (const auto* scan = o.op.as<Scan>()) {
    Scan inner = *scan;
    inner.body = without_effects(scan->body);
    return emit_all(inner, operands, o.site);
  }
  const auto loop = [&](auto inner) {
    inner.condition = without_effects(inner.condition);
    inner.body = without_effects(inner.body);
    return emit_all(inner, operands, o.site);
  };
  if (const auto* w = o.op.as<While>()) return loop(*w);
  if (const auto* w = o.op.as<BoundedWhile>()) return loop(*w);
  if (const auto* cond = o.op.as<Cond>()) {
    Cond inner;
    for (const GraphRef& branch : cond->branches) inner.branches.push_back(without_effects(branch));
    return emit_all(inner, operands, o.site);
  }
  if (!o.op.inlines())
    throw InternalError("without_effects: " + std::string(o.op.name()) +
                        " has effects of unknown kind");
  return inline_graph(*without_effects(program_of(o.op, operands)), operands);
}

}  // namespace

GraphRef guarded(const GraphRef& graph) {
  Types types(graph->input_types().begin(), graph->input_types().end());
  types.push_back({{}, bool_});
  return record_graph(types, [&](Arrays in) {
    const Array& active = in.back();
    return walk(*graph, in.first(in.size() - 1), [&](const Operation& o, ArrayList operands) {
      return guard(o, std::move(operands), active);
    });
  });
}

GraphRef without_effects(const GraphRef& graph) {
  if (!has_effects(*graph)) return graph;
  return record_graph(graph->input_types(), [&](Arrays in) {
    return walk(*graph, in, [](const Operation& o, ArrayList operands) {
      return silence(o, std::move(operands));
    });
  });
}

}  // namespace fluxion::ops
