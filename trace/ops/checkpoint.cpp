// checkpoint: a program whose derivative keeps few of its values and computes the others again.
#include "trace/frame.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/call.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/name.hpp"
#include "trace/ops/regions.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> checkpoint_rules();

namespace {

std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }

/// Calls inlined, so that a policy sees the operations in them.
GraphRef without_calls(const GraphRef& graph) {
  const auto& operations = graph->operations();
  const bool any = std::any_of(operations.begin(), operations.end(), [](const Operation& o) {
    return o.op.as<Call>() != nullptr;
  });
  if (!any) return graph;
  return record_graph(graph->input_types(), [&](Arrays in) {
    ArrayList values(in.begin(), in.end());
    for (const Operation& o : operations) {
      ArrayList operands;
      for (ValueId v : o.operands) operands.push_back(values[at(v)]);
      const RuleSite line(o.site);
      const auto* called = o.op.as<Call>();
      ArrayList results = called ? inline_graph(*without_calls(called->body), operands)
                                 : emit_all(o.op, operands, o.site);
      for (Array& result : results) values.push_back(std::move(result));
    }
    ArrayList out;
    for (ValueId v : graph->outputs()) out.push_back(values[at(v)]);
    return out;
  });
}

/// What the backward pass keeps of a forward program (results, then residuals), and what it
/// computes again.
class Plan {
 public:
  Plan(const Graph& forward, std::size_t results, const Policy& policy)
      : graph_(forward), policy_(policy), makers_(at(forward.value_count()), -1) {
    for (std::size_t i = 0; i < graph_.operations().size(); ++i) {
      const Operation& o = graph_.operations()[i];
      for (std::int32_t k = 0; k < o.result_count; ++k)
        makers_[at(o.first_result + k)] = static_cast<std::int32_t>(i);
    }
    mark_saveable();
    again_.assign(graph_.operations().size(), false);
    wanted_.assign(makers_.size(), false);
    for (std::size_t k = results; k < graph_.outputs().size(); ++k) want(graph_.outputs()[k]);
    for (std::size_t i = again_.size(); i-- > 0;)
      if (again_[i])
        for (ValueId v : graph_.operations()[i].operands) want(v);
  }

  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& saved() const { return saved_; }

  /// Records what is computed again; `values` holds the inputs and the saved values.
  void compute(ArrayList& values) const {
    for (std::size_t i = 0; i < again_.size(); ++i) {
      if (!again_[i]) continue;
      const Operation& o = graph_.operations()[i];
      ArrayList operands;
      for (ValueId v : o.operands) operands.push_back(values[at(v)]);
      const RuleSite line(o.site);
      ArrayList results = emit_all(o.op, operands, o.site);
      for (std::int32_t k = 0; k < o.result_count; ++k) {
        Array& slot = values[at(o.first_result + k)];
        if (!defined(slot)) slot = std::move(results[at(k)]);
      }
    }
  }

 private:
  void mark_saveable() {
    saveable_.assign(makers_.size(), false);
    for (const Operation& o : graph_.operations()) {
      // What can be seen from outside happens once; its results are kept under every policy.
      bool keep = o.op.effects() || policy_.keep == Policy::Keep::everything ||
                  (policy_.keep == Policy::Keep::dots && o.op.name() == "dot_general");
      if (const std::string* name = name_of(o.op); name && policy_.keep == Policy::Keep::names) {
        keep = std::find(policy_.names.begin(), policy_.names.end(), *name) != policy_.names.end();
        // A value and the same value under its name are one.
        if (keep && makers_[at(o.operands[0])] >= 0) saveable_[at(o.operands[0])] = true;
      }
      if (!keep || (o.operands.empty() && !o.op.effects())) continue;
      for (std::int32_t k = 0; k < o.result_count; ++k) saveable_[at(o.first_result + k)] = true;
    }
  }

  void want(ValueId v) {
    if (wanted_[at(v)]) return;
    wanted_[at(v)] = true;
    const std::int32_t maker = makers_[at(v)];
    if (maker < 0)
      inputs_.push_back(v);
    else if (saveable_[at(v)])
      saved_.push_back(v);
    else
      again_[at(maker)] = true;
  }

  const Graph& graph_;
  const Policy& policy_;
  std::vector<std::int32_t> makers_;
  std::vector<bool> saveable_, wanted_, again_;
  std::vector<ValueId> inputs_, saved_;
};

struct Checkpoint {
  static constexpr auto name = "checkpoint";
  GraphRef body;
  Policy::Keep keep;
  std::vector<std::string> names;

  Types types(TypeList in) const {
    check_inputs(name, *body, in);
    return body->output_types();
  }
  std::vector<const Graph*> regions() const { return {body.raw()}; }
  bool has_effects() const { return ops::has_effects(*body); }
  ArrayList inlined(Arrays x) const { return inline_graph(*body, x); }
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
    copy_results(run(*body, in), out);
  }

  Both jvp_region(Arrays x, Arrays dx) const {
    const JvpGraph both = jvp_graph(body, given_of(dx));
    ArrayList operands(x.begin(), x.end());
    append_defined(operands, dx);
    ArrayList results = emit_all(Checkpoint{both.graph, keep, names}, operands, rule_site());
    const std::size_t n = body->outputs().size();
    ArrayList tangents = spread(Arrays(results).subspan(n), both.nonzero);
    results.resize(n);
    return {std::move(results), std::move(tangents)};
  }

  Both linearize_region(Arrays x, Arrays dx) const {
    const std::vector<bool> active = given_of(dx);
    const Policy policy(keep, names);
    const LinearizedGraph parts = linearize_graph(without_calls(body), active);
    const std::size_t n = body->outputs().size();
    const Plan plan(*parts.forward, n, policy);
    // Forward: the results and what is kept.
    std::vector<ValueId> outputs(parts.forward->outputs().begin(),
                                 parts.forward->outputs().begin() + static_cast<std::ptrdiff_t>(n));
    outputs.insert(outputs.end(), plan.saved().begin(), plan.saved().end());
    ArrayList results = inline_graph(*parts.forward->with_outputs(outputs), x);
    ArrayList tangents(n);
    if (!parts.linear->outputs().empty()) {
      ArrayList operands;
      for (ValueId v : plan.inputs()) operands.push_back(x[at(v)]);
      operands.insert(
          operands.end(), results.begin() + static_cast<std::ptrdiff_t>(n), results.end());
      append_defined(operands, dx);
      const Call linear{linear_program(parts, plan, n), "checkpoint"};
      tangents = spread(emit_all(linear, operands, rule_site()), parts.nonzero);
    }
    results.resize(n);
    return {std::move(results), std::move(tangents)};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    Call{body, "checkpoint"}.transpose(ct, x, out);
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    const BatchedGraph batched = batch_graph(body, std::vector<int>(at.begin(), at.end()), size);
    return {emit_all(Checkpoint{batched.graph, keep, names}, x, rule_site()), batched.axes};
  }

 private:
  /// needed inputs, saved values, tangents -> tangents. Behind barriers, so that what is computed
  /// again is not found to be what the forward program computes.
  static GraphRef linear_program(const LinearizedGraph& parts, const Plan& plan, std::size_t n) {
    const Graph& forward = *parts.forward;
    std::vector<ValueId> known = plan.inputs();
    known.insert(known.end(), plan.saved().begin(), plan.saved().end());
    Types types;
    for (ValueId v : known) types.push_back(forward.type(v));
    const TypeList tangents = parts.linear->input_types().subspan(parts.residual_count);
    types.insert(types.end(), tangents.begin(), tangents.end());
    return record_graph(types, [&](Arrays in) {
      ArrayList values(at(forward.value_count())), operands;
      for (std::size_t k = 0; k < known.size(); ++k)
        values[at(known[k])] = optimization_barrier(in[k], rule_site());
      plan.compute(values);
      for (std::size_t k = n; k < forward.outputs().size(); ++k)
        operands.push_back(values[at(forward.outputs()[k])]);
      operands.insert(
          operands.end(), in.begin() + static_cast<std::ptrdiff_t>(known.size()), in.end());
      return inline_graph(*parts.linear, operands);
    });
  }
};

}  // namespace

std::span<const Rules* const> checkpoint_rules() {
  static constexpr const Rules* rules[] = {rules_of<Checkpoint>()};
  return rules;
}

ArrayList checkpoint(GraphRef body, const Policy& policy, Arrays operands, const Site& site) {
  return emit_all(Checkpoint{std::move(body), policy.keep, policy.names}, operands, site);
}

}  // namespace fluxion::ops
