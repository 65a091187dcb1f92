// linear_solve: the solution of A x = b, whose derivatives are further solutions with the same A.
#include "trace/ops/axes.hpp"
#include "trace/ops/call.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/implicit.hpp"
#include "trace/ops/regions.hpp"

namespace fluxion::ops {
std::span<const Rules* const> linear_solve_rules();

namespace {

struct LinearSolve {
  static constexpr auto name = "linear_solve";
  GraphRef matvec, solve, transpose_solve;
  std::int64_t constants;
  bool symmetric, transposable;  // not transposable: transpose_solve stands for nothing

  std::size_t first() const { return static_cast<std::size_t>(constants); }

  Types types(TypeList in) const {
    check_inputs(name, *matvec, in);
    check_inputs(name, *solve, in);
    check_inputs(name, *transpose_solve, in);
    return solve->output_types();
  }
  std::vector<const Graph*> regions() const {
    return {matvec.raw(), solve.raw(), transpose_solve.raw()};
  }
  bool has_effects() const { return ops::has_effects(*solve); }
  ArrayList inlined(Arrays x) const { return inline_graph(*solve, x); }
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
    copy_results(run(*solve, in), out);
  }

  Both jvp_region(Arrays x, Arrays dx) const { return derivative(x, dx, false); }
  Both linearize_region(Arrays x, Arrays dx) const { return derivative(x, dx, true); }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    ArrayList operands;
    for (std::size_t k = 0; k < first(); ++k) {
      if (x.linear(k))
        fail("nonlinear-rule",
             rule_site(),
             "reverse mode: linear_solve is not linear in the matrix that its functions captured");
      operands.push_back(x.value(k));
    }
    if (!transposable)
      fail("linear-solve",
           rule_site(),
           "custom_linear_solve: reverse mode needs a solution with the transposed matrix",
           {},
           "give transpose_solve, or say that the matrix is symmetric");
    for (std::size_t k = 0; k < ct.size(); ++k)
      operands.push_back(or_zeros_of(ct[k], x.type(first() + k)));
    const LinearSolve swapped{symmetric ? matvec : transposed_program(matvec, first()),
                              transpose_solve,
                              solve,
                              constants,
                              symmetric,
                              true};
    const ArrayList cotangents = emit_all(swapped, operands, rule_site());
    for (std::size_t k = 0; k < ct.size(); ++k)
      if (x.linear(first() + k) && out.needed(first() + k)) out.add(first() + k, cotangents[k]);
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    std::vector<int> axes(at.begin(), at.begin() + constants);
    axes.resize(at.size(), 0);
    const std::vector<int> results(at.size() - first(), 0);
    const auto batched = [&](const GraphRef& graph) {
      return with_result_axes(batch_graph(graph, axes, size), results, size);
    };
    ArrayList operands(x.begin(), x.begin() + constants);
    for (std::size_t k = first(); k < x.size(); ++k)
      operands.push_back(batch_first(x[k], at[k], size));
    return {emit_all(LinearSolve{batched(matvec),
                                 batched(solve),
                                 batched(transpose_solve),
                                 constants,
                                 symmetric,
                                 transposable},
                     operands,
                     rule_site()),
            results};
  }

 private:
  /// From A x = b: A dx = db - dA x.
  Both derivative(Arrays x, Arrays dx, bool linearize) const {
    ArrayList results = emit_all(*this, x, rule_site());
    const std::size_t n = results.size();
    ArrayList at(x.begin(), x.begin() + constants), along(dx.begin(), dx.begin() + constants);
    ArrayList right(dx.begin() + constants, dx.end());
    if (const std::vector<bool> moving = given_of(along);
        std::find(moving.begin(), moving.end(), true) != moving.end()) {
      at.insert(at.end(), results.begin(), results.end());
      along.resize(x.size());
      const Call a{matvec, "linear_solve"};
      const Both both = linearize ? a.linearize_region(at, along) : a.jvp_region(at, along);
      for (std::size_t k = 0; k < n; ++k) {
        if (!defined(both.tangents[k])) continue;
        const Array& change = both.tangents[k];
        right[k] = defined(right[k]) ? binary("sub", right[k], change, rule_site())
                                     : unary("neg", change, rule_site());
      }
    }
    ArrayList tangents(n);
    const std::vector<bool> moving = given_of(right);
    if (std::find(moving.begin(), moving.end(), true) != moving.end()) {
      ArrayList operands(x.begin(), x.begin() + constants);
      for (std::size_t k = 0; k < n; ++k)
        operands.push_back(or_zeros_of(right[k], type_of(results[k])));
      tangents = emit_all(*this, operands, rule_site());
    }
    return {std::move(results), std::move(tangents)};
  }
};

}  // namespace

GraphRef transposed_program(const GraphRef& graph, std::size_t constants) {
  const std::size_t n = graph->outputs().size();
  std::vector<bool> linear(constants, false);
  linear.resize(static_cast<std::size_t>(graph->input_count()), true);
  const TransposedGraph transposed = transpose_graph(graph, linear, std::vector<bool>(n, true));
  return record_graph(transposed.graph->input_types(), [&](Arrays in) {
    ArrayList out = spread(inline_graph(*transposed.graph, in), transposed.nonzero);
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = or_zeros_of(out[k], graph->input_types()[constants + k]);
    return out;
  });
}

std::span<const Rules* const> linear_solve_rules() {
  static constexpr const Rules* rules[] = {rules_of<LinearSolve>()};
  return rules;
}

ArrayList linear_solve(GraphRef matvec,
                       GraphRef solve,
                       GraphRef transpose_solve,
                       bool symmetric,
                       Arrays constants,
                       Arrays b,
                       const Site& site) {
  ArrayList operands(constants.begin(), constants.end());
  operands.insert(operands.end(), b.begin(), b.end());
  const bool transposable = static_cast<bool>(transpose_solve);
  const GraphRef other = transposable ? transpose_solve : solve;
  return emit_all(LinearSolve{std::move(matvec),
                              std::move(solve),
                              other,
                              static_cast<std::int64_t>(constants.size()),
                              symmetric,
                              transposable},
                  operands,
                  site);
}

}  // namespace fluxion::ops
