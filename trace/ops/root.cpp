// root: x with f(x) = 0; by the implicit function theorem its derivative is that of a linear
// equation.
#include "trace/ops/axes.hpp"
#include "trace/ops/call.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/implicit.hpp"
#include "trace/ops/regions.hpp"

namespace fluxion::ops {
std::span<const Rules* const> root_rules();

namespace {

struct Root {
  static constexpr auto name = "root";
  GraphRef function, solve, matvec, tangent_solve, transpose_solve;
  std::int64_t constants;

  Types types(TypeList in) const {
    check_inputs(name, *function, in);
    check_inputs(name, *solve, in);
    return solve->output_types();
  }
  std::vector<const Graph*> regions() const {
    return {function.raw(), solve.raw(), matvec.raw(), tangent_solve.raw(), transpose_solve.raw()};
  }
  bool has_effects() const { return ops::has_effects(*solve); }
  ArrayList inlined(Arrays x) const { return inline_graph(*solve, x); }
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
    copy_results(run(*solve, in), out);
  }

  Both jvp_region(Arrays x, Arrays dx) const { return derivative(x, dx, false); }
  Both linearize_region(Arrays x, Arrays dx) const { return derivative(x, dx, true); }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    const std::vector<int> results(x.size() - static_cast<std::size_t>(constants), 0);
    const auto batched = [&](const GraphRef& graph) {
      std::vector<int> axes(at.begin(), at.begin() + constants);
      axes.resize(static_cast<std::size_t>(graph->input_count()), 0);
      return with_result_axes(batch_graph(graph, axes, size), results, size);
    };
    ArrayList operands(x.begin(), x.begin() + constants);
    for (std::size_t k = operands.size(); k < x.size(); ++k)
      operands.push_back(batch_first(x[k], at[k], size));
    return {emit_all(Root{batched(function),
                          batched(solve),
                          batched(matvec),
                          batched(tangent_solve),
                          batched(transpose_solve),
                          constants},
                     operands,
                     rule_site()),
            results};
  }

 private:
  /// From f(x; c) = 0: f_x dx = -f_c dc. The first guess has no influence.
  Both derivative(Arrays x, Arrays dx, bool linearize) const {
    ArrayList results = emit_all(*this, x, rule_site());
    const std::size_t n = results.size();
    ArrayList at(x.begin(), x.begin() + constants), along(dx.begin(), dx.begin() + constants);
    const std::vector<bool> given = given_of(along);
    at.insert(at.end(), results.begin(), results.end());
    along.resize(x.size());
    ArrayList tangents(n);
    if (std::find(given.begin(), given.end(), true) == given.end())
      return {std::move(results), std::move(tangents)};
    const Call f{function, "root"};
    const Both both = linearize ? f.linearize_region(at, along) : f.jvp_region(at, along);
    const std::vector<bool> moving = given_of(both.tangents);
    if (std::find(moving.begin(), moving.end(), true) != moving.end()) {
      ArrayList right;
      for (std::size_t k = 0; k < n; ++k)
        right.push_back(defined(both.tangents[k]) ? unary("neg", both.tangents[k], rule_site())
                                                  : zeros_of(type_of(results[k])));
      tangents =
          linear_solve(matvec, tangent_solve, transpose_solve, false, at, right, rule_site());
    }
    return {std::move(results), std::move(tangents)};
  }
};

}  // namespace

std::span<const Rules* const> root_rules() {
  static constexpr const Rules* rules[] = {rules_of<Root>()};
  return rules;
}

ArrayList root(const RootPrograms& p, Arrays constants, Arrays guess, const Site& site) {
  ArrayList operands(constants.begin(), constants.end());
  operands.insert(operands.end(), guess.begin(), guess.end());
  return emit_all(Root{p.function,
                       p.solve,
                       p.matvec,
                       p.tangent_solve,
                       p.transpose_solve,
                       static_cast<std::int64_t>(constants.size())},
                  operands,
                  site);
}

}  // namespace fluxion::ops
