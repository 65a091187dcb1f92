// Contractions are given transposed operands where that lets a library compute them: the same
// values, in matrix products.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "tests/support/run_operation.hpp"
#include "trace/frame.hpp"
#include "trace/ops.hpp"
#include "trace/passes.hpp"

#include <algorithm>
#include <cmath>

using namespace fluxion;
using fluxion::test::HostArray;
using fluxion::test::HostArrays;

namespace {

const Site here = Site::current();

GraphRef dot(const Types& types, const ops::DotDimensions& dimensions) {
  FrameScope scope(Frame::Kind::unbound, "program", here);
  const Array lhs = scope.input(types[0], here), rhs = scope.input(types[1], here);
  const Array result = ops::dot_general(lhs, rhs, dimensions, here);
  return scope.close({&result, 1}).graph;
}

HostArray elements(const Type& type) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < element_count(type.shape); ++i) {
    numbers.push_back(static_cast<double>(i * 7919 % 31) - 15);
  }
  return {type, numbers};
}

int count(const Graph& graph, std::string_view name) {
  int n = 0;
  for (const Operation& o : graph.operations()) n += o.op.name() == name;
  return n;
}

/// The matrix product that a leaf asks for, by its defining formula.
std::vector<double> run_leaf(const MatmulSpec& s, const HostArray& lhs, const HostArray& rhs) {
  const std::vector<double> a = lhs.numbers(), b = rhs.numbers();
  std::vector<double> c(static_cast<std::size_t>(s.batch * s.m * s.n));
  const auto at =
      [](const std::int64_t(&strides)[3], std::int64_t x, std::int64_t y, std::int64_t z) {
        return static_cast<std::size_t>(x * strides[0] + y * strides[1] + z * strides[2]);
      };
  for (std::int64_t i = 0; i < s.batch; ++i) {
    for (std::int64_t m = 0; m < s.m; ++m) {
      for (std::int64_t n = 0; n < s.n; ++n) {
        double sum = 0;
        for (std::int64_t k = 0; k < s.k; ++k)
          sum += a[at(s.a_strides, i, m, k)] * b[at(s.b_strides, i, k, n)];
        c[at(s.c_strides, i, m, n)] = sum;
      }
    }
  }
  return c;
}

/// Sizes of the axes batch, head, rows (or columns), two contracted ones.
const std::vector<std::int64_t> lhs_sizes{2, 3, 17, 8, 5}, rhs_sizes{2, 3, 19, 8, 5};

/// The axes in the given orders; the arranged program is one product of at most two transposes.
void check_orders(const std::vector<int>& left, const std::vector<int>& right) {
  Types types(2);
  ops::DotDimensions d;
  const auto where = [](int axis, const std::vector<int>& order) {
    return static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
  };
  for (int axis : left) types[0].shape.push_back(lhs_sizes[static_cast<std::size_t>(axis)]);
  for (int axis : right) types[1].shape.push_back(rhs_sizes[static_cast<std::size_t>(axis)]);
  d.lhs_batch = {where(0, left), where(1, left)};
  d.rhs_batch = {where(0, right), where(1, right)};
  d.lhs_contract = {where(3, left), where(4, left)};
  d.rhs_contract = {where(3, right), where(4, right)};
  const GraphRef graph = dot(types, d), arranged = arrange_dots(graph);
  INFO(to_string(*arranged));
  verify(*arranged);
  CHECK(count(*arranged, "dot_general") == 1);
  CHECK(count(*arranged, "transpose") <= 2);
  HostArrays values{elements(types[0]), elements(types[1])};
  const std::vector<double> wanted = test::run_graph(*graph, values)[0].numbers();
  for (const Operation& o : arranged->operations()) {
    HostArrays operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    if (o.op.name() == "dot_general") {
      const LeafSpec leaf = o.op.leaf(arranged->operand_types(o), arranged->result_types(o));
      REQUIRE(std::holds_alternative<MatmulSpec>(leaf));
      CHECK(run_leaf(std::get<MatmulSpec>(leaf), operands[0], operands[1]) == wanted);
    }
    values.push_back(test::run_reference(o.op, operands)[0]);
  }
  CHECK(values.back().numbers() == wanted);
}

}  // namespace

TEST_CASE("every order of a contraction's axes becomes one matrix product") {
  const std::vector<std::vector<int>> others{{0, 1, 2, 3, 4}, {0, 2, 1, 4, 3}, {3, 1, 4, 2, 0}};
  std::vector<int> order{0, 1, 2, 3, 4};
  int number = 0;
  do {
    check_orders(order, others[static_cast<std::size_t>(number++ % 3)]);
  } while (std::next_permutation(order.begin(), order.end()));
  order = {0, 1, 2, 3, 4};
  do {
    if (number++ % 5 == 0) check_orders(others[static_cast<std::size_t>(number % 3)], order);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("what a library can compute, would not gain, or cannot compute is left alone") {
  const auto unchanged = [](const Types& types, const ops::DotDimensions& d) {
    const GraphRef graph = dot(types, d);
    return arrange_dots(graph).raw() == graph.raw();
  };
  const ops::DotDimensions heads{{3}, {3}, {0, 2}, {0, 2}};
  const Shape large{2, 20, 3, 40}, small{2, 4, 3, 5};
  CHECK(unchanged({{{64, 64}, float32}, {{64, 64}, float32}}, {{1}, {1}, {}, {}}));
  CHECK(unchanged({{small, float32}, {small, float32}}, heads));
  CHECK(unchanged({{large, int32}, {large, int32}}, heads));
  CHECK(unchanged({{large, float64}, {large, float64}}, heads));
  CHECK_FALSE(unchanged({{large, float32}, {large, float32}}, heads));
}

TEST_CASE("a product of float64 reads its right operand by columns where both have many rows") {
  const ops::DotDimensions rows_by_rows{{1}, {1}, {}, {}};
  const auto arranged = [&](Shape left, Shape right) {
    const Types types{{left, float64}, {right, float64}};
    const GraphRef graph = dot(types, rows_by_rows), result = arrange_dots(graph);
    const HostArrays operands{elements(types[0]), elements(types[1])};
    CHECK(test::interpreted(*graph, operands)[0].numbers() ==
          test::interpreted(*result, operands)[0].numbers());
    return count(*result, "transpose") == 1;
  };
  CHECK(arranged({64, 100}, {48, 100}));
  CHECK_FALSE(arranged({1, 1000}, {100, 1000}));
  CHECK_FALSE(arranged({1000, 100}, {2, 100}));
  CHECK_FALSE(arranged({64, 20}, {64, 20}));
}

TEST_CASE("a transposed convolution turns its window round and is a derivative by the image") {
  const Types types{{{2, 5, 6, 4}, float32}, {{3, 2, 4, 3}, float32}};
  for (const std::int64_t dilation : {1, 2}) {
    FrameScope scope(Frame::Kind::unbound, "program", here);
    const Array lhs = scope.input(types[0], here), rhs = scope.input(types[1], here);
    const Array result = ops::conv_general_dilated(lhs,
                                                   rhs,
                                                   {.stride = {1, 1},
                                                    .padding = {{1, 2}, {1, 1}},
                                                    .lhs_dilation = {dilation, 1},
                                                    .rhs_dilation = {1, 1}},
                                                   {0, 3, {1, 2}, 3, 2, {0, 1}, 0, 3, {1, 2}},
                                                   here);
    const GraphRef graph = scope.close({&result, 1}).graph, arranged = arrange_dots(graph);
    INFO(to_string(*arranged));
    verify(*arranged);
    const HostArrays values{elements(types[0]), elements(types[1])};
    CHECK(test::run_graph(*arranged, values)[0].numbers() ==
          test::run_graph(*graph, values)[0].numbers());
    CHECK(count(*arranged, "rev") == (dilation == 1 ? 0 : 1));
    const Operation& last = arranged->operations().back();
    const LeafSpec leaf = last.op.leaf(arranged->operand_types(last), arranged->result_types(last));
    REQUIRE(std::holds_alternative<ConvolutionSpec>(leaf));
    CHECK(std::get<ConvolutionSpec>(leaf).pass ==
          (dilation == 1 ? ConvolutionSpec::Pass::forward : ConvolutionSpec::Pass::backward_data));
  }
}
