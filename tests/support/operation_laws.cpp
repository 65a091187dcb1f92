// The laws of one program on host data: kernels against references, tangents against differences,
// cotangents against tangents, batches against examples.
#include "tests/support/operation_laws.hpp"

#include "tests/support/catch.hpp"
#include "trace/graph_transforms.hpp"

#include <cmath>
#include <random>

namespace fluxion::test {
namespace {

using Numbers = std::vector<double>;

void check_close(const Numbers& found,
                 const Numbers& wanted,
                 double tolerance,
                 const std::string& what) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool both_nan = std::isnan(found[i]) && std::isnan(wanted[i]);
    const double scale = std::max({1.0, std::fabs(found[i]), std::fabs(wanted[i])});
    if (both_nan || found[i] == wanted[i] || std::fabs(found[i] - wanted[i]) <= tolerance * scale)
      continue;
    INFO(what << ", element " << i << ": " << found[i] << ", wanted " << wanted[i]);
    FAIL_CHECK();
  }
}

double tolerance_of(DType dtype) {
  switch (dtype) {
    case float16:
      return 4e-3;
    case bfloat16:
      return 3e-2;
    case float32:
      return 2e-5;
    case float64:
      return 1e-12;
    default:
      return 0;
  }
}

void check_alike(const HostArrays& found, const HostArrays& wanted, const std::string& what) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    INFO(what << ", result " << k);
    REQUIRE(to_string(found[k].type) == to_string(wanted[k].type));
    check_close(found[k].numbers(), wanted[k].numbers(), tolerance_of(found[k].type.dtype), what);
  }
}

HostArrays of_kernels(const Graph& graph, const HostArrays& inputs) {
  HostArrays values = inputs;
  for (const Operation& operation : graph.operations()) {
    HostArrays operands;
    for (ValueId v : operation.operands) operands.push_back(values.at(static_cast<std::size_t>(v)));
    const bool compiled = operation.op.pointwise() || operation.op.structured();
    HostArrays results =
        compiled ? run_kernel(operation.op, operands) : run_reference(operation.op, operands);
    check_alike(results,
                run_reference(operation.op, operands),
                "kernel of " + std::string(operation.op.name()) + operation.op.attributes());
    for (HostArray& r : results) values.push_back(std::move(r));
  }
  return values;
}

HostArray moved(const HostArray& x, const HostArray& direction, double by) {
  HostArray out = x;
  for (std::size_t i = 0; i < x.count(); ++i) {
    out.element<double>(i) += by * direction.element<double>(i);
  }
  return out;
}

double dot(const HostArray& a, const HostArray& b) {
  double sum = 0;
  const Numbers x = a.numbers(), y = b.numbers();
  REQUIRE(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

HostArrays joined(HostArrays a, const HostArrays& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// The inputs that have tangents, and a direction for each.
struct Directions {
  std::vector<bool> active;
  HostArrays tangents;
  explicit Directions(const HostArrays& inputs) {
    unsigned seed = 1000;
    for (const HostArray& x : inputs) {
      active.push_back(x.type.dtype == float64);
      if (active.back()) tangents.push_back(random_array(x.type, seed++));
    }
  }
  HostArrays along(const HostArrays& inputs, double by) const {
    HostArrays out;
    std::size_t next = 0;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      out.push_back(active[k] ? moved(inputs[k], tangents[next++], by) : inputs[k]);
    }
    return out;
  }
};

/// (f(x + h v) - f(x - h v)) / 2h for every output that is float64; zeros elsewhere.
HostArrays differences(const Graph& graph, const HostArrays& inputs, const Directions& directions) {
  const double h = 1e-5;
  const HostArrays up = run_graph(graph, directions.along(inputs, h));
  const HostArrays down = run_graph(graph, directions.along(inputs, -h));
  HostArrays slopes;
  for (std::size_t k = 0; k < up.size(); ++k) {
    slopes.emplace_back(up[k].type);
    if (up[k].type.dtype != float64) continue;
    for (std::size_t i = 0; i < up[k].count(); ++i) {
      const double above = up[k].element<double>(i), below = down[k].element<double>(i);
      if (above == below) continue;  // infinities, too
      slopes[k].element<double>(i) = (above - below) / (2 * h);
    }
  }
  return slopes;
}

/// Linearized, the tangents are the same; transposed, <ct, J v> = <Jt ct, v>.
void check_adjoint(const GraphRef& graph,
                   const HostArrays& inputs,
                   const Directions& directions,
                   const HostArrays& tangents,
                   int order) {
  const LinearizedGraph l = linearize_graph(graph, directions.active);
  const HostArrays forward = run_graph(*l.forward, inputs);
  const HostArrays residuals(forward.end() - static_cast<std::ptrdiff_t>(l.residual_count),
                             forward.end());
  const HostArrays linear = run_graph(*l.linear, joined(residuals, directions.tangents));
  check_alike(linear, tangents, "linearized");
  std::vector<bool> is_linear(residuals.size(), false);
  is_linear.resize(residuals.size() + directions.tangents.size(), true);
  const TransposedGraph t =
      transpose_graph(l.linear, is_linear, std::vector<bool>(linear.size(), true));
  HostArrays cotangents;
  double forwards = 0, backwards = 0;
  for (std::size_t k = 0; k < linear.size(); ++k) {
    cotangents.push_back(random_array(linear[k].type, 2000 + static_cast<unsigned>(k)));
    forwards += dot(cotangents[k], linear[k]);
  }
  const HostArrays back = run_graph(*t.graph, joined(residuals, cotangents));
  of_kernels(*t.graph, joined(residuals, cotangents));
  std::size_t next = 0;
  for (std::size_t k = 0; k < directions.tangents.size(); ++k) {
    if (t.nonzero[k]) backwards += dot(back[next++], directions.tangents[k]);
  }
  check_close({backwards}, {forwards}, 1e-11, "adjoint");
  if (order > 1) check_derivatives(t.graph, joined(residuals, cotangents), order - 1);
}

HostArray stacked(const HostArrays& parts, const Type& type, int axis) {
  Shape shape;
  for (int k = 0; k <= static_cast<int>(type.shape.size()); ++k) {
    if (k == axis) shape.push_back(static_cast<std::int64_t>(parts.size()));
    if (k < static_cast<int>(type.shape.size()))
      shape.push_back(type.shape[static_cast<std::size_t>(k)]);
  }
  HostArray out(Type{shape, type.dtype});
  std::size_t inner = size_of(type.dtype), outer = 1;
  for (int k = 0; k < static_cast<int>(type.shape.size()); ++k) {
    (k < axis ? outer : inner) *= static_cast<std::size_t>(type.shape[static_cast<std::size_t>(k)]);
  }
  for (std::size_t n = 0; n < parts.size(); ++n) {
    for (std::size_t o = 0; o < outer; ++o) {
      std::copy_n(parts[n].bytes.data() + o * inner,
                  inner,
                  out.bytes.data() + (o * parts.size() + n) * inner);
    }
  }
  return out;
}

/// One combination of batch axes, of `size` examples.
void check_batch(const GraphRef& graph,
                 const std::vector<HostArrays>& examples,
                 const std::vector<int>& at) {
  const std::int64_t size = static_cast<std::int64_t>(examples.size()) - 1;
  const HostArrays& shared = examples.back();
  HostArrays batched;
  for (std::size_t k = 0; k < shared.size(); ++k) {
    HostArrays parts;
    for (std::int64_t n = 0; n < size; ++n)
      parts.push_back(examples[static_cast<std::size_t>(n)][k]);
    batched.push_back(at[k] == unbatched ? shared[k] : stacked(parts, shared[k].type, at[k]));
  }
  const BatchedGraph b = batch_graph(graph, at, size);
  const HostArrays found = run_graph(*b.graph, batched);
  of_kernels(*b.graph, batched);
  std::vector<HostArrays> wanted;
  for (std::int64_t n = 0; n < size; ++n) {
    HostArrays one;
    for (std::size_t k = 0; k < shared.size(); ++k) {
      one.push_back(at[k] == unbatched ? shared[k] : examples[static_cast<std::size_t>(n)][k]);
    }
    wanted.push_back(run_graph(*graph, one));
  }
  const Types types = graph->output_types();
  for (std::size_t k = 0; k < found.size(); ++k) {
    HostArrays parts;
    for (const HostArrays& w : wanted) parts.push_back(w[k]);
    if (b.axes[k] == unbatched) continue;
    check_alike({found[k]}, {stacked(parts, types[k], b.axes[k])}, "batched");
  }
}

}  // namespace

HostArray random_array(const Type& type, unsigned seed) {
  std::mt19937 random(seed);
  Numbers numbers;
  for (std::int64_t i = 0; i < element_count(type.shape); ++i) {
    const double u = static_cast<double>(random()) / 4294967296.0;
    const double number = type.dtype == bool_       ? std::floor(2 * u)
                          : is_unsigned(type.dtype) ? std::floor(9 * u)
                          : is_integer(type.dtype)  ? std::floor(9 * u) - 4
                                                    : 4 * u - 2;
    numbers.push_back(number);
  }
  return {type, numbers};
}

Sampler random_sampler(const Types& types) {
  return [types](unsigned seed) {
    HostArrays arrays;
    for (std::size_t k = 0; k < types.size(); ++k) {
      arrays.push_back(random_array(types[k], 100 * seed + static_cast<unsigned>(k)));
    }
    return arrays;
  };
}

void check_kernels(const Graph& graph, const HostArrays& inputs) { of_kernels(graph, inputs); }

void check_derivatives(const GraphRef& graph, const HostArrays& inputs, int order) {
  const Directions directions(inputs);
  if (directions.tangents.empty()) return;
  const JvpGraph j = jvp_graph(graph, directions.active);
  const HostArrays both = joined(inputs, directions.tangents);
  const HostArrays results = run_graph(*j.graph, both);
  of_kernels(*j.graph, both);
  const std::size_t count = graph->outputs().size();
  const HostArrays slopes = differences(*graph, inputs, directions);
  HostArrays tangents;
  for (std::size_t k = 0, next = count; k < count; ++k) {
    INFO("tangent of result " << k);
    HostArray tangent(slopes[k].type);
    if (j.nonzero[k]) tangents.push_back(tangent = results.at(next++));
    check_close(tangent.numbers(), slopes[k].numbers(), 2e-6, "jvp of " + to_string(*graph));
  }
  if (!tangents.empty()) check_adjoint(graph, inputs, directions, tangents, order);
  if (order > 1) check_derivatives(j.graph, both, order - 1);
}

void check_batches(const GraphRef& graph, const Sampler& samples) {
  const Types types(graph->input_types().begin(), graph->input_types().end());
  std::vector<int> at(types.size(), unbatched);
  for (std::size_t size : {std::size_t{3}, std::size_t{0}}) {
    std::vector<HostArrays> examples;
    for (std::size_t n = 0; n <= size; ++n)
      examples.push_back(samples(static_cast<unsigned>(n) + 1));
    for (;;) {
      std::size_t k = 0;  // the next combination of axes, unbatched first
      while (k < at.size() && ++at[k] > static_cast<int>(types[k].shape.size()))
        at[k++] = unbatched;
      if (k == at.size()) break;
      std::string axes;
      for (int axis : at) axes += std::to_string(axis) + " ";
      INFO("batch of " << size << " along axes " << axes);
      check_batch(graph, examples, at);
    }
  }
}

void check_text(const Graph& graph) {
  const GraphRef again = parse_graph(to_string(graph));
  REQUIRE(again->operations().size() == graph.operations().size());
  for (std::size_t k = 0; k < graph.operations().size(); ++k) {
    const Op& op = graph.operations()[k].op;
    INFO(std::string(op.name()) + op.attributes());
    CHECK(again->operations()[k].op == op);
  }
}

void check_laws(const GraphRef& graph, const Sampler& samples, int order) {
  INFO(to_string(*graph));
  const HostArrays inputs = samples(0);
  check_text(*graph);
  check_kernels(*graph, inputs);
  check_derivatives(graph, inputs, order);
  check_batches(graph, samples);
}

GraphRef program(const Types& inputs, const std::function<Array(const ArrayList&)>& function) {
  FrameScope scope(Frame::Kind::unbound, "program", Site::current());
  ArrayList arrays;
  for (const Type& type : inputs) arrays.push_back(scope.input(type, Site::current()));
  const Array result = function(arrays);
  return scope.close({&result, 1}).graph;
}

std::string refusal(const Types& inputs, const std::function<Array(const ArrayList&)>& function) {
  try {
    program(inputs, function);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace fluxion::test
