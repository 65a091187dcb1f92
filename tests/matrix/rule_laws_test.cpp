// On every row: a checkpoint is the identity in value and derivative, and a custom rule that
// restates the operation's own changes nothing.
#include "tests/matrix/samples.hpp"
#include "tests/support/catch.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/regions.hpp"

#include <algorithm>

using namespace fluxion;
using namespace fluxion::test;

namespace {

GraphRef wrapped(const GraphRef& graph, const std::function<ArrayList(Arrays)>& operation) {
  return ops::record_graph(graph->input_types(), operation);
}

GraphRef checkpointed(const GraphRef& graph, const Policy& policy) {
  return wrapped(graph,
                 [&](Arrays x) { return ops::checkpoint(graph, policy, x, Site::current()); });
}

std::vector<bool> differentiable_inputs(const Graph& graph) {
  std::vector<bool> mask;
  for (const Type& type : graph.input_types()) mask.push_back(is_differentiable(type.dtype));
  return mask;
}

/// The tangents that a graph gives for some results, for all that can have one.
ArrayList all_tangents(const Types& results, Arrays some, const std::vector<bool>& given) {
  const ArrayList spread = ops::spread(some, given);
  ArrayList out;
  for (std::size_t k = 0; k < results.size(); ++k)
    if (is_differentiable(results[k].dtype)) out.push_back(ops::or_zeros_of(spread[k], results[k]));
  return out;
}

/// custom_jvp whose rule is the function's own derivative.
GraphRef restated_forward(const GraphRef& graph) {
  const JvpGraph both = jvp_graph(graph, differentiable_inputs(*graph));
  const Types results = graph->output_types();
  const GraphRef rule = ops::record_graph(both.graph->input_types(), [&](Arrays in) {
    ArrayList out = inline_graph(*both.graph, in);
    const ArrayList tangents =
        all_tangents(results, Arrays(out).subspan(results.size()), both.nonzero);
    out.resize(results.size());
    out.insert(out.end(), tangents.begin(), tangents.end());
    return out;
  });
  const auto arguments = static_cast<std::int64_t>(graph->input_count());
  return wrapped(
      graph, [&](Arrays x) { return ops::custom_jvp(graph, rule, arguments, x, Site::current()); });
}

/// custom_vjp whose rules are the function linearized, and that transposed.
GraphRef restated_backward(const GraphRef& graph) {
  const std::vector<bool> active = differentiable_inputs(*graph);
  const LinearizedGraph parts = linearize_graph(graph, active);
  const Types results = graph->output_types();
  Types inputs(
      parts.linear->input_types().begin(),
      parts.linear->input_types().begin() + static_cast<std::ptrdiff_t>(parts.residual_count));
  std::vector<bool> linear(parts.residual_count, false);
  linear.resize(static_cast<std::size_t>(parts.linear->input_count()), true);
  for (const Type& type : results)
    if (is_differentiable(type.dtype)) inputs.push_back(type);
  const TransposedGraph transposed = transpose_graph(
      parts.linear, linear, std::vector<bool>(parts.linear->outputs().size(), true));
  const GraphRef backward = ops::record_graph(inputs, [&](Arrays in) {
    ArrayList operands(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(parts.residual_count));
    std::size_t next = parts.residual_count;
    for (std::size_t k = 0; k < results.size(); ++k) {
      if (!is_differentiable(results[k].dtype)) continue;
      if (parts.nonzero[k]) operands.push_back(in[next]);
      ++next;
    }
    ArrayList out = ops::spread(inline_graph(*transposed.graph, operands), transposed.nonzero);
    const TypeList tangents = parts.linear->input_types().subspan(parts.residual_count);
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = ops::or_zeros_of(out[k], tangents[k]);
    return out;
  });
  const auto arguments = static_cast<std::int64_t>(graph->input_count());
  return wrapped(graph, [&](Arrays x) {
    return ops::custom_vjp(graph, parts.forward, backward, arguments, x, Site::current());
  });
}

/// The first way in which two programs differ on the same operands, batched or not.
std::string disagreement(const GraphRef& got,
                         const GraphRef& expected,
                         const SampleCase& operands,
                         unsigned seed) {
  const HostArrays inputs = sample_operands(operands, float64, seed);
  std::string found = difference(interpreted(*got, inputs), interpreted(*expected, inputs));
  if (!found.empty()) return "values: " + found;
  const GraphRef slope = gradient_program(got), wanted = gradient_program(expected);
  HostArrays with_weights = inputs;
  for (HostArray& w : random_arrays(slope->input_types().subspan(inputs.size()), seed))
    with_weights.push_back(std::move(w));
  found = difference(interpreted(*slope, with_weights), interpreted(*wanted, with_weights));
  if (!found.empty()) return "gradient: " + found;
  // Three examples along the first axis of every operand.
  const std::vector<int> at(with_weights.size(), 0);
  const BatchedGraph many = batch_graph(slope, at, 3), plain = batch_graph(wanted, at, 3);
  const HostArrays batch = random_arrays(many.graph->input_types(), seed + 1);
  const std::vector<int> first(many.axes.size(), 0);
  const GraphRef a = ops::with_result_axes(many, first, 3),
                 b = ops::with_result_axes(plain, first, 3);
  found = difference(interpreted(*a, batch), interpreted(*b, batch));
  return found.empty() ? "" : "gradients of a batch: " + found;
}

void check_rows(const std::function<GraphRef(const GraphRef&)>& rewritten) {
  int programs = 0;
  for (const Samples& rows : {unary_samples(),
                              activation_samples(),
                              binary_samples(),
                              reduction_samples(),
                              shape_samples(),
                              index_samples(),
                              contraction_samples(),
                              lax_samples(),
                              linalg_samples(),
                              sorting_samples(),
                              special_samples()}) {
    for (const Sample& row : rows) {
      if (std::find(row.dtypes.begin(), row.dtypes.end(), float64) == row.dtypes.end()) continue;
      for (const SampleCase& operands : row.cases) {
        std::int64_t elements = 0;
        for (const SampleOperand& o : operands) elements += element_count(o.shape);
        if (elements > 64) continue;
        const GraphRef graph = sample_program(row, operands, float64);
        const std::vector<bool> active = differentiated_inputs(*graph);
        if (std::find(active.begin(), active.end(), true) == active.end()) continue;
        ++programs;
        std::string broken;
        try {
          broken = disagreement(rewritten(graph), graph, operands, 3);
        } catch (const std::exception& error) {
          broken = std::string("threw ") + error.what();
        }
        INFO(row.name << ": " << broken << "\n" << to_string(*graph).substr(0, 1000));
        CHECK(broken.empty());
      }
    }
  }
  CHECK(programs > 200);
}

}  // namespace

TEST_CASE("a checkpoint of any operation changes no value and no derivative") {
  check_rows([](const GraphRef& graph) { return checkpointed(graph, save_nothing); });
}

TEST_CASE("a checkpoint that keeps everything, and one around another, change nothing either") {
  check_rows([](const GraphRef& graph) {
    return checkpointed(checkpointed(graph, save_everything), save_dots);
  });
}

TEST_CASE("a custom_jvp rule that restates the derivative of any operation changes nothing") {
  check_rows(restated_forward);
}

TEST_CASE("a custom_vjp rule that restates the derivative of any operation changes nothing") {
  check_rows(restated_backward);
}
