// custom_jvp: a function whose derivative is what its user says.
#include "trace/ops/call.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/regions.hpp"

namespace fluxion::ops {
std::span<const Rules* const> custom_jvp_rules();

namespace {

struct CustomJvp {
  static constexpr auto name = "custom_jvp";
  GraphRef body, rule;
  std::int64_t arguments;  // the operands behind them were captured

  Types types(TypeList in) const {
    check_inputs(name, *body, in);
    Types all(in.begin(), in.end());
    const Types tangents = differentiable(in.first(static_cast<std::size_t>(arguments)));
    all.insert(all.end(), tangents.begin(), tangents.end());
    check_inputs("the rule of custom_jvp", *rule, all);
    return body->output_types();
  }
  std::vector<const Graph*> regions() const { return {body.raw(), rule.raw()}; }
  bool has_effects() const { return ops::has_effects(*body); }
  ArrayList inlined(Arrays x) const { return inline_graph(*body, x); }
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
    copy_results(run(*body, in), out);
  }

  Both jvp_region(Arrays x, Arrays dx) const {
    return results_of(call(rule, "custom_jvp", operands_of(x, dx), rule_site()));
  }
  /// The rule's own operations, so that each goes to the program that its operands are of.
  Both linearize_region(Arrays x, Arrays dx) const {
    return results_of(inline_graph(*rule, operands_of(x, dx)));
  }
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    Call{body, "custom_jvp"}.transpose(ct, x, out);
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    std::vector<int> axes(at.begin(), at.end());
    const BatchedGraph function = batch_graph(body, axes, size);
    for (std::size_t k = 0; k < static_cast<std::size_t>(arguments); ++k)
      if (is_differentiable(body->input_types()[k].dtype)) axes.push_back(at[k]);
    const BatchedGraph derivative = batch_graph(rule, axes, size);
    const Types results = body->output_types();
    std::vector<int> tangents(results.size(), unbatched);
    for (std::size_t k = 0, next = results.size(); k < results.size(); ++k)
      if (is_differentiable(results[k].dtype)) tangents[k] = derivative.axes[next++];
    const std::vector<int> wanted =
        first_axis_of({function.axes, derivative.axes, tangents}, results.size());
    std::vector<int> all = wanted;
    for (std::size_t k = 0; k < results.size(); ++k)
      if (is_differentiable(results[k].dtype)) all.push_back(wanted[k]);
    const CustomJvp batched{with_result_axes(function, wanted, size),
                            with_result_axes(derivative, all, size),
                            arguments};
    return {emit_all(batched, x, rule_site()), wanted};
  }

 private:
  ArrayList operands_of(Arrays x, Arrays dx) const {
    refuse_captured_tangents("custom_jvp", x, dx, arguments);
    ArrayList operands(x.begin(), x.end());
    for (std::size_t k = 0; k < static_cast<std::size_t>(arguments); ++k)
      if (is_differentiable(type_of(x[k]).dtype))
        operands.push_back(or_zeros_of(dx[k], type_of(x[k])));
    return operands;
  }
  Both results_of(ArrayList results) const {
    const std::size_t n = body->outputs().size();
    ArrayList tangents(n);
    for (std::size_t k = 0, next = n; k < n; ++k)
      if (is_differentiable(type_of(results[k]).dtype)) tangents[k] = std::move(results[next++]);
    results.resize(n);
    return {std::move(results), std::move(tangents)};
  }
};

}  // namespace

std::span<const Rules* const> custom_jvp_rules() {
  static constexpr const Rules* rules[] = {rules_of<CustomJvp>()};
  return rules;
}

ArrayList custom_jvp(
    GraphRef body, GraphRef rule, std::int64_t arguments, Arrays operands, const Site& site) {
  return emit_all(CustomJvp{std::move(body), std::move(rule), arguments}, operands, site);
}

}  // namespace fluxion::ops
