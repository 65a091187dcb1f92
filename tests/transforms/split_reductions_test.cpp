// Large reductions become two: the same values, parts of whole chunks, small ones left alone.
#include "tests/support/catch.hpp"
#include "tests/support/run_operation.hpp"
#include "trace/frame.hpp"
#include "trace/ops.hpp"
#include "trace/passes.hpp"

#include <cmath>

using namespace fluxion;
using fluxion::test::HostArray;

namespace {

const Site here = Site::current();

GraphRef reduction(ops::Reduction op,
                   const Type& type,
                   const std::vector<int>& axes,
                   bool in_element_type = false) {
  FrameScope scope(Frame::Kind::unbound, "program", here);
  const Array x = scope.input(type, here);
  const Array result = ops::reduce(op, x, axes, here, in_element_type);
  return scope.close({&result, 1}).graph;
}

int count(const Graph& graph, std::string_view name) {
  int n = 0;
  for (const Operation& o : graph.operations()) n += o.op.name() == name;
  return n;
}

/// Elements that look random; those of products stay near 1.
HostArray elements(const Type& type, ops::Reduction op) {
  std::vector<double> numbers;
  std::uint32_t state = 12345;
  for (std::int64_t i = 0; i < element_count(type.shape); ++i) {
    state = state * 1664525 + 1013904223;
    const double u = state / 4294967296.0;
    const bool floating = is_floating(type.dtype);
    if (op == ops::Reduction::prod)
      numbers.push_back(floating ? 1 + (u - 0.5) * 1e-4 : 1 + 2 * std::floor(4 * u));
    else
      numbers.push_back(floating ? u - 0.25
                        : type.dtype == bool_
                            ? (u < 1e-5)
                            : std::floor(200 * u) - (is_unsigned(type.dtype) ? 0 : 100));
  }
  return {type, numbers};
}

void check_split(ops::Reduction op,
                 const Type& type,
                 const std::vector<int>& axes,
                 double tolerance,
                 bool padded) {
  const GraphRef graph = reduction(op, type, axes);
  const GraphRef split = split_large_reductions(graph);
  INFO(to_string(*split));
  verify(*split);
  CHECK(count(*split, "reduce") == 2);
  CHECK(count(*split, "pad") == padded);
  const test::HostArrays in = {elements(type, op)};
  const auto wanted = test::run_graph(*graph, in).at(0), found = test::run_graph(*split, in).at(0);
  REQUIRE(found.type == wanted.type);
  const auto a = found.numbers(), b = wanted.numbers();
  for (std::size_t i = 0; i < a.size(); ++i) {
    INFO("element " << i << ": " << a[i] << ", wanted " << b[i]);
    CHECK(std::fabs(a[i] - b[i]) <= tolerance * std::fabs(b[i]));
  }
}

}  // namespace

TEST_CASE("a large sum is a sum of sums over equal chunks") {
  check_split(ops::Reduction::sum, {{1048576}, float64}, {0}, 1e-12, false);
  check_split(ops::Reduction::sum, {{1000000}, float32}, {0}, 1e-6, false);
  check_split(ops::Reduction::sum, {{3, 200000}, float64}, {1}, 1e-12, false);
  check_split(ops::Reduction::sum, {{200000, 4}, float64}, {0}, 1e-12, false);
  check_split(ops::Reduction::sum, {{500, 600}, float64}, {0, 1}, 1e-12, false);
  check_split(ops::Reduction::sum, {{2, 300, 2, 500}, float64}, {1, 3}, 1e-12, false);
}

TEST_CASE("chunks lie side by side in memory where the outermost axis is long enough") {
  const auto parts = [](const Shape& shape, const std::vector<int>& axes) {
    const GraphRef split =
        split_large_reductions(reduction(ops::Reduction::sum, {shape, float32}, axes));
    for (const Operation& o : split->operations()) {
      if (o.op.name() == "reshape") return split->type(o.first_result).shape;
    }
    return Shape{};
  };
  CHECK(parts({300, 5000}, {0, 1}) == Shape{100, 3, 5000});
  CHECK(parts({2, 300000}, {0, 1}) == Shape{2, 40, 7500});
  CHECK(parts({2, 300, 3, 500}, {1, 3}) == Shape{2, 10, 30, 3, 500});
  CHECK(parts({1000000, 20000}, {0, 1}) == Shape{5000, 200, 20000});
}

TEST_CASE("what no number of chunks divides is padded with the identity") {
  check_split(ops::Reduction::sum, {{1000003}, float64}, {0}, 1e-12, true);
  check_split(ops::Reduction::prod, {{150001}, float64}, {0}, 1e-12, true);
  check_split(ops::Reduction::max, {{200003}, float32}, {0}, 0, true);
  check_split(ops::Reduction::min, {{200003}, int8}, {0}, 0, true);
  check_split(ops::Reduction::min, {{200003}, uint64}, {0}, 0, true);
  check_split(ops::Reduction::prod, {{200003}, int32}, {0}, 0, true);
  check_split(ops::Reduction::any, {{200003}, bool_}, {0}, 0, true);
  check_split(ops::Reduction::bit_and, {{200003, 1}, uint16}, {0}, 0, true);
  check_split(ops::Reduction::bit_xor, {{200003, 2}, int64}, {0}, 0, true);
}

TEST_CASE("partial sums of 16-bit floats are kept in float32") {
  check_split(ops::Reduction::sum, {{262144}, bfloat16}, {0}, 0.005, false);
  const GraphRef split =
      split_large_reductions(reduction(ops::Reduction::sum, {{262144}, float16}, {0}));
  CHECK(split->type(split->operations().back().operands[0]).dtype == float32);
  CHECK(split->operations().back().op.name() == "convert");
}

TEST_CASE("small reductions, many results and sums made in order are left alone") {
  const auto alone = [](const GraphRef& graph) {
    return split_large_reductions(graph).raw() == graph.raw();
  };
  CHECK(alone(reduction(ops::Reduction::sum, {{131072}, float32}, {0})));
  CHECK(alone(reduction(ops::Reduction::sum, {{200000, 1000}, float32}, {0})));
  CHECK(alone(reduction(ops::Reduction::sum, {{200000}, float32}, {0}, true)));
  CHECK(alone(reduction(ops::Reduction::sum, {{200000, 0}, float32}, {0})));
  CHECK(alone(reduction(ops::Reduction::sum, {{200000}, float32}, {})));
  CHECK_FALSE(alone(reduction(ops::Reduction::max, {{200000}, float32}, {0}, true)));
}
