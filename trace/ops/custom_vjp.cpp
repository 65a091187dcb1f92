// custom_vjp: a function whose reverse-mode derivative is what its user says; in a linear program,
// its opaque derivative.
#include "trace/ops/axes.hpp"
#include "trace/ops/call.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/regions.hpp"

namespace fluxion::ops {
std::span<const Rules* const> custom_vjp_rules();

namespace {

[[noreturn]] void fail_forward() {
  fail(
      "custom-vjp-forward",
      rule_site(),
      "custom_vjp: the function has a reverse-mode rule only; forward mode (jvp, jacfwd, hessian) "
      "asks for its tangent",
      {},
      "give the function a custom_jvp rule, which serves both modes, or use fx::grad, vjp, jacrev");
}

/// The backward program on batches: cotangents of unbatched arguments are summed over the batch.
GraphRef batched_backward(const GraphRef& backward,
                          const std::vector<int>& inputs,
                          const std::vector<int>& arguments,
                          std::int64_t size) {
  const BatchedGraph batched = batch_graph(backward, inputs, size);
  return record_graph(batched.graph->input_types(), [&](Arrays in) {
    ArrayList out = inline_graph(*batched.graph, in);
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (arguments[k] != unbatched)
        out[k] = move_axis(batch_first(out[k], batched.axes[k], size), 0, arguments[k]);
      else if (batched.axes[k] != unbatched)
        out[k] = reduce(Reduction::sum, out[k], {batched.axes[k]}, rule_site());
    }
    return out;
  });
}

/// residuals, then the tangents of the arguments in `active` -> tangents of the results. It can
/// only be transposed.
struct CustomVjpLinear {
  static constexpr auto name = "custom_vjp_linear";
  GraphRef backward;
  std::int64_t residuals;
  std::vector<std::int64_t> active;  // among the arguments that can have a tangent

  Types types(TypeList) const {
    const TypeList in = backward->input_types();
    return {in.begin() + residuals, in.end()};
  }
  std::vector<const Graph*> regions() const { return {backward.raw()}; }
  Both jvp_region(Arrays, Arrays) const { fail_forward(); }
  Both linearize_region(Arrays, Arrays) const { fail_forward(); }
  void reference(ConstTensors, Tensors, const RegionRunner&) const { fail_forward(); }
  ArrayList inlined(Arrays) const { fail_forward(); }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    ArrayList operands;
    for (std::size_t k = 0; k < static_cast<std::size_t>(residuals); ++k)
      operands.push_back(x.value(k));
    const Types results = types({});
    for (std::size_t k = 0; k < ct.size(); ++k) operands.push_back(or_zeros_of(ct[k], results[k]));
    const ArrayList cotangents = inline_graph(*backward, operands);
    for (std::size_t k = 0; k < active.size(); ++k) {
      const std::size_t operand = static_cast<std::size_t>(residuals) + k;
      if (out.needed(operand)) out.add(operand, cotangents[static_cast<std::size_t>(active[k])]);
    }
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    std::vector<int> inputs(at.begin(), at.begin() + residuals);
    const std::vector<int> results(types({}).size(), 0);
    inputs.insert(inputs.end(), results.begin(), results.end());
    std::vector<int> arguments(backward->outputs().size(), unbatched);
    for (std::size_t k = 0; k < active.size(); ++k)
      arguments[static_cast<std::size_t>(active[k])] = at[static_cast<std::size_t>(residuals) + k];
    return {
        emit_all(
            CustomVjpLinear{batched_backward(backward, inputs, arguments, size), residuals, active},
            x,
            rule_site()),
        results};
  }
};

struct CustomVjp {
  static constexpr auto name = "custom_vjp";
  GraphRef body, forward, backward;
  std::int64_t arguments;  // the operands behind them were captured

  Types types(TypeList in) const {
    check_inputs(name, *body, in);
    check_inputs("the forward rule of custom_vjp", *forward, in);
    const Types saved = forward->output_types(), results = body->output_types();
    Types inputs(saved.begin() + static_cast<std::ptrdiff_t>(results.size()), saved.end());
    for (const Type& type : differentiable(results)) inputs.push_back(type);
    check_inputs("the backward rule of custom_vjp", *backward, inputs);
    return results;
  }
  std::vector<const Graph*> regions() const { return {body.raw(), forward.raw(), backward.raw()}; }
  bool has_effects() const { return ops::has_effects(*body); }
  ArrayList inlined(Arrays x) const { return inline_graph(*body, x); }
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
    copy_results(run(*body, in), out);
  }

  Both jvp_region(Arrays, Arrays) const { fail_forward(); }
  Both linearize_region(Arrays x, Arrays dx) const {
    refuse_captured_tangents("custom_vjp", x, dx, arguments);
    ArrayList results = call(forward, "custom_vjp", x, rule_site());
    const std::size_t n = body->outputs().size();
    ArrayList operands(results.begin() + static_cast<std::ptrdiff_t>(n), results.end());
    CustomVjpLinear linear{backward, static_cast<std::int64_t>(operands.size()), {}};
    std::int64_t number = 0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(arguments); ++k) {
      if (!is_differentiable(type_of(x[k]).dtype)) continue;
      if (defined(dx[k])) {
        linear.active.push_back(number);
        operands.push_back(dx[k]);
      }
      ++number;
    }
    results.resize(n);
    ArrayList some = emit_all(linear, operands, rule_site()), tangents(n);
    for (std::size_t k = 0, next = 0; k < n; ++k)
      if (is_differentiable(type_of(results[k]).dtype)) tangents[k] = std::move(some[next++]);
    return {std::move(results), std::move(tangents)};
  }
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    Call{body, "custom_vjp"}.transpose(ct, x, out);
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    const std::vector<int> axes(at.begin(), at.end());
    const BatchedGraph function = batch_graph(body, axes, size);
    const BatchedGraph saving = batch_graph(forward, axes, size);
    const Types results = body->output_types();
    const std::vector<int> wanted = first_axis_of({function.axes, saving.axes}, results.size());
    std::vector<int> saved = wanted;
    saved.insert(saved.end(),
                 saving.axes.begin() + static_cast<std::ptrdiff_t>(results.size()),
                 saving.axes.end());
    std::vector<int> inputs(saved.begin() + static_cast<std::ptrdiff_t>(results.size()),
                            saved.end()),
        cotangents;
    for (std::size_t k = 0; k < results.size(); ++k)
      if (is_differentiable(results[k].dtype)) inputs.push_back(wanted[k]);
    for (std::size_t k = 0; k < static_cast<std::size_t>(arguments); ++k)
      if (is_differentiable(body->input_types()[k].dtype)) cotangents.push_back(at[k]);
    const CustomVjp batched{with_result_axes(function, wanted, size),
                            with_result_axes(saving, saved, size),
                            batched_backward(backward, inputs, cotangents, size),
                            arguments};
    return {emit_all(batched, x, rule_site()), wanted};
  }
};

}  // namespace

std::span<const Rules* const> custom_vjp_rules() {
  static constexpr const Rules* rules[] = {rules_of<CustomVjp>(), rules_of<CustomVjpLinear>()};
  return rules;
}

ArrayList custom_vjp(GraphRef body,
                     GraphRef forward,
                     GraphRef backward,
                     std::int64_t arguments,
                     Arrays operands,
                     const Site& site) {
  return emit_all(CustomVjp{std::move(body), std::move(forward), std::move(backward), arguments},
                  operands,
                  site);
}

}  // namespace fluxion::ops
