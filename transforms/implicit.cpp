// custom_linear_solve and custom_root called with arrays: equation and solvers traced to programs
// of the same constants.
#include "fluxion/implicit.hpp"

#include "trace/graph_transforms.hpp"
#include "trace/ops/implicit.hpp"
#include "trace/ops/regions.hpp"
#include "transforms/captures.hpp"

namespace fluxion::detail {
namespace {

/// constants, x -> y, as a solver calls it.
class ProgramMap final : public LinearMap {
 public:
  ProgramMap(GraphRef graph, ArrayList constants)
      : graph_(std::move(graph)), constants_(std::move(constants)) {}
  Flat apply(Flat x, Site site) const override {
    const TypeList types = graph_->input_types().subspan(constants_.size());
    check_like(x, types, "the operand of a linear operator", site);
    ArrayList operands = constants_;
    operands.insert(operands.end(), x.begin(), x.end());
    return inline_graph(*graph_, operands);
  }
  static void check_like(Arrays x, TypeList types, std::string_view what, const Site& site) {
    if (x.size() != types.size())
      fail("linear-solve", site, std::string(what) + " has another number of arrays than b");
    for (std::size_t k = 0; k < x.size(); ++k)
      if (!defined(x[k]) || !(type_of(x[k]) == types[k]))
        fail("linear-solve",
             site,
             std::string(what) + " is not like the unknown",
             {"array " + std::to_string(k) + " of the unknown is " + to_string(types[k]),
              "here it is " + (defined(x[k]) ? to_string(type_of(x[k])) : "an empty Array")});
  }

 private:
  GraphRef graph_;
  ArrayList constants_;
};

/// The user's function itself.
class PlainMap final : public LinearMap {
 public:
  explicit PlainMap(FlatFunction f) : f_(f) {}
  Flat apply(Flat x, Site) const override { return f_.call(f_.self, std::move(x)); }

 private:
  FlatFunction f_;
};

Ref<const LinearMap> program_map(GraphRef graph, ArrayList constants) {
  return Ref<const LinearMap>(new ProgramMap(std::move(graph), std::move(constants)));
}

void check_floating(const Types& types, std::string_view what, const Site& site) {
  for (std::size_t k = 0; k < types.size(); ++k)
    if (!is_differentiable(types[k].dtype))
      fail("linear-solve",
           site,
           std::string(what) + ": the unknown is of floating dtype",
           {"array " + std::to_string(k) + " is " + to_string(types[k])},
           "convert it: x.astype(fx::float32)");
}

Traced trace_solver(FlatSolver solver,
                    Ref<const LinearMap> map,
                    const Types& types,
                    std::string_view what,
                    const Site& site) {
  FrameScope scope(Frame::Kind::unbound, what, site);
  Flat b;
  for (const Type& type : types) b.push_back(scope.input(type, site));
  const Flat x = solver.call(solver.self, std::move(map), std::move(b));
  ProgramMap::check_like(x, types, "what the solver of " + std::string(what) + " gives", site);
  return scope.close(x);
}

ArrayList joined(ArrayList a, Arrays b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

Flat run_linear_solve(FlatFunction matvec,
                      Flat b,
                      FlatSolver solve,
                      const FlatSolver* transpose_solve,
                      bool symmetric) {
  const std::string_view what = "custom_linear_solve";
  const Site& site = matvec.site;
  const Types types = checked_types(b, what, site);
  check_floating(types, what, site);
  if (!current_frame()) {
    Flat x = solve.call(solve.self, Ref<const LinearMap>(new PlainMap(matvec)), std::move(b));
    ProgramMap::check_like(x, types, "what the solver of custom_linear_solve gives", site);
    return x;
  }
  const Traced a = trace_function(matvec, types, what, site);
  if (!(a.graph->output_types() == types))
    fail("linear-solve",
         site,
         "custom_linear_solve: the result of matvec is not like b",
         {"b is " + (types.empty() ? "empty" : to_string(types[0])),
          "matvec gives " +
              (a.graph->outputs().empty() ? "nothing" : to_string(a.graph->output_types()[0]))});
  Captures of_matvec;
  of_matvec.add(a);
  const GraphRef program = of_matvec.closed(a, 0);
  const Traced forward =
      trace_solver(solve, program_map(program, of_matvec.arrays()), types, what, site);
  Captures all;
  all.add(a);
  all.add(forward);
  GraphRef backward;
  if (symmetric) {
    backward = all.closed(forward, 0);
  } else if (transpose_solve) {
    const GraphRef transposed = ops::transposed_program(program, of_matvec.arrays().size());
    const Traced other = trace_solver(
        *transpose_solve, program_map(transposed, of_matvec.arrays()), types, what, site);
    all.add(other);
    backward = all.closed(other, 0);
  }
  return ops::linear_solve(
      all.closed(a, 0), all.closed(forward, 0), backward, symmetric, all.arrays(), b, site);
}

Flat run_root(FlatFunction f, Flat guess, FlatFunction solve, FlatSolver tangent_solve) {
  const std::string_view what = "custom_root";
  const Site& site = f.site;
  const Types types = checked_types(guess, what, site);
  check_floating(types, what, site);
  if (!current_frame()) return solve.call(solve.self, std::move(guess));
  const std::size_t n = types.size();
  const Traced function = trace_function(f, types, what, site);
  if (!(function.graph->output_types() == types))
    fail("linear-solve",
         site,
         "custom_root: the result of f is not like x",
         {"x is " + (types.empty() ? "empty" : to_string(types[0])),
          "f gives " + (function.graph->outputs().empty()
                            ? "nothing"
                            : to_string(function.graph->output_types()[0]))});
  const Traced search = trace_function(solve, types, what, site);
  if (!(search.graph->output_types() == types))
    fail("linear-solve", site, "custom_root: what solve gives is not like the first guess");
  // x, the captures of f, v -> the derivative of f at x along v
  std::vector<bool> active(n, true);
  active.resize(static_cast<std::size_t>(function.graph->input_count()), false);
  const JvpGraph jvp = jvp_graph(function.graph, active);
  const GraphRef matvec = ops::record_graph(jvp.graph->input_types(), [&](Arrays in) {
    const ArrayList out = inline_graph(*jvp.graph, in);
    ArrayList tangents = ops::spread(Arrays(out).subspan(n), jvp.nonzero);
    for (std::size_t k = 0; k < n; ++k) tangents[k] = ops::or_zeros_of(tangents[k], types[k]);
    return tangents;
  });
  const std::size_t constants = n + function.captures.size();
  const GraphRef transposed = ops::transposed_program(matvec, constants);
  // Each with x among its inputs.
  const auto at_solution =
      [&](const std::function<ArrayList(const ArrayList& constants, Flat v)>& body) {
        FrameScope scope(Frame::Kind::unbound, what, site);
        ArrayList x, v;
        for (const Type& type : types) x.push_back(scope.input(type, site));
        for (const Type& type : types) v.push_back(scope.input(type, site));
        const ArrayList out = body(joined(x, function.captures), v);
        ProgramMap::check_like(out, types, "what tangent_solve gives", site);
        return scope.close(out);
      };
  const auto solver = [&](const GraphRef& program) {
    return at_solution([&](const ArrayList& known, Flat y) {
      return tangent_solve.call(tangent_solve.self, program_map(program, known), std::move(y));
    });
  };
  const Traced derivative = at_solution([&](const ArrayList& known, const Flat& v) {
    return inline_graph(*matvec, joined(known, v));
  });
  const Traced forward = solver(matvec), backward = solver(transposed);
  Captures all;
  for (const Traced* traced : {&function, &search, &derivative, &forward, &backward})
    all.add(*traced);
  return ops::root({all.closed(function, 0),
                    all.closed(search, 0),
                    all.closed(derivative, 0),
                    all.closed(forward, 0),
                    all.closed(backward, 0)},
                   all.arrays(),
                   guess,
                   site);
}

}  // namespace fluxion::detail
