// The passes before kernels are cut: each rule by its name, and no program changes its values.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "trace/ops.hpp"
#include "trace/ops/constant.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

const Site here = Site::current();
const Type matrix{{3, 4}, float32};

std::size_t operations_after(GraphRef (*pass)(const GraphRef&),
                             const Type& input,
                             const std::function<Array(const Array&)>& function) {
  const GraphRef graph =
      program({input}, [&](const ArrayList& x) { return ArrayList{function(x[0])}; });
  const GraphRef result = drop_unused_operations(pass(graph));
  verify(*result);
  const HostArrays inputs = random_arrays(graph->input_types(), 1);
  CHECK(difference(interpreted(*result, inputs), interpreted(*graph, inputs)) == "");
  return result->operations().size();
}
std::size_t simplified(const Type& input, const std::function<Array(const Array&)>& function) {
  return operations_after(simplify, input, function);
}

Array number(double value) { return literal(value, float32, here); }
Array everywhere(double value) { return ops::broadcast_in_dim(number(value), {3, 4}, {}, here); }

}  // namespace

TEST_CASE("every rule of simplify has a test here") {
  CHECK(simplify_rules() ==
        std::vector<std::string_view>{"is-its-operand", "reshape-of-reshape", "constant-scalar"});
}

TEST_CASE("is-its-operand: what gives its operand's elements is its operand") {
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::transpose(ops::transpose(x, {1, 0}, here), {1, 0}, here);
        }) == 0);
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::rev(ops::rev(x, {0, 1}, here), {0, 1}, here);
        }) == 0);
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::unary("neg", ops::unary("neg", x, here), here);
        }) == 0);
  CHECK(simplified(matrix,
                   [](const Array& x) { return ops::binary("mul", x, everywhere(1), here); }) == 0);
  CHECK(simplified(matrix,
                   [](const Array& x) { return ops::binary("mul", everywhere(1), x, here); }) == 0);
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::slice(x, {0, 0}, {3, 4}, {1, 1}, here);
        }) == 0);
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::pad(x, number(7), {{0, 0, 0}, {0, 0, 0}}, here);
        }) == 0);
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::broadcast_in_dim(x, {3, 4}, {0, 1}, here);
        }) == 0);
}

TEST_CASE("is-its-operand: what changes an element or its place stays") {
  CHECK(simplified({{4, 4}, float32},
                   [](const Array& x) { return ops::transpose(x, {1, 0}, here); }) == 1);
  CHECK(simplified(matrix, [](const Array& x) { return ops::rev(x, {0}, here); }) == 1);
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::pad(x, number(7), {{1, -1, 0}, {0, 0, 0}}, here);
        }) == 2);
  // x + 0 makes +0 of -0.
  CHECK(simplified(matrix,
                   [](const Array& x) { return ops::binary("add", x, everywhere(0), here); }) == 3);
  CHECK(simplified({{4, 4}, float32}, [](const Array& x) {
          return ops::transpose(ops::rev(ops::transpose(x, {1, 0}, here), {0}, here), {1, 0}, here);
        }) == 3);
}

TEST_CASE("is-its-operand: what is found of an operation holds for none that differs") {
  const Type square{{4, 4}, float32};
  const auto turned = [](const Array& x) { return ops::transpose(x, {1, 0}, here); };
  const auto reversed = [](const Array& x) { return ops::rev(x, {0}, here); };
  const auto negative = [](const Array& x) { return ops::unary("neg", x, here); };
  const auto times = [](const Array& x, double factor) {
    return ops::binary("mul", x, ops::broadcast_in_dim(number(factor), {4, 4}, {}, here), here);
  };
  constexpr ValueId other = -1;
  std::vector<ValueId> expected;
  const GraphRef graph = program({square, square}, [&](const ArrayList& in) {
    ArrayList results;
    const auto expect = [&](ValueId value, const Array& result) {
      expected.push_back(value);
      results.push_back(result);
    };
    const Array &x = in[0], &y = in[1];
    const Array less = ops::compare(ops::Direction::lt, x, y, here);
    for (int round = 0; round < 2; ++round) {
      expect(0, times(x, 1));
      expect(other, times(x, 2 + round));
      expect(1, times(y, 1));
      expect(other, ops::binary("mul", x, y, here));
      expect(0, turned(turned(x)));
      expect(other, turned(reversed(x)));
      expect(other, reversed(turned(y)));
      expect(1, turned(turned(y)));
      expect(0, negative(negative(x)));
      expect(other, negative(turned(x)));
      expect(0, ops::select(less, x, x, here));
      expect(other, ops::select(less, x, y, here));
      expect(other, ops::select(less, y, x, here));
      expect(1, ops::select(less, y, y, here));
      expect(1, ops::select(less, negative(negative(y)), y, here));
      expect(other, ops::select(less, negative(negative(x)), y, here));
    }
    return results;
  });
  const GraphRef result = simplify(graph);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    INFO("result " << k);
    const ValueId v = result->outputs()[k];
    CHECK((v < 2 ? v : other) == expected[k]);
  }
  const HostArrays inputs = random_arrays(graph->input_types(), 1);
  CHECK(difference(interpreted(*result, inputs), interpreted(*graph, inputs)) == "");
}

TEST_CASE("reshape-of-reshape: only the last shape matters") {
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::reshape(ops::reshape(x, {12}, here), {2, 6}, here);
        }) == 1);
  CHECK(simplified(matrix, [](const Array& x) {
          return ops::reshape(ops::reshape(x, {12}, here), {3, 4}, here);
        }) == 0);
}

TEST_CASE("constant-scalar: scalars of constants are computed once, in their own type") {
  const GraphRef graph = program({}, [](const ArrayList&) {
    return ArrayList{ops::binary("add", number(0.1), number(0.2), here)};
  });
  const GraphRef result = drop_unused_operations(simplify(graph));
  REQUIRE(result->operations().size() == 1);
  const auto* constant = result->operations()[0].op.as<ops::Constant>();
  REQUIRE(constant);
  CHECK(constant->value() == double(0.1f + 0.2f));
}

TEST_CASE("cse: equal operations on equal operands become one") {
  const Op twice = Op(ops::Constant{float32, 0x40000000u, 0});
  GraphBuilder builder;
  const ValueId a = builder.add(twice, {}, here, false), b = builder.add(twice, {}, here, false);
  const GraphRef graph = builder.finish({a, b}, false);
  REQUIRE(graph->operations().size() == 2);
  const GraphRef shared = share_equal_operations(graph);
  CHECK(shared->operations().size() == 1);
  CHECK(shared->outputs()[0] == shared->outputs()[1]);
}

TEST_CASE("dce: what no output needs is dropped, inputs stay") {
  const GraphRef graph = program({matrix, matrix}, [](const ArrayList& x) {
    fx::exp(x[1]);
    return ArrayList{fx::sin(x[0])};
  });
  const GraphRef kept = drop_unused_operations(graph);
  CHECK(kept->operations().size() == 1);
  CHECK(kept->input_count() == 2);
}

TEST_CASE("inline: calls become their bodies, also calls in bodies") {
  const GraphRef inner =
      program({matrix}, [](const ArrayList& x) { return ArrayList{x[0] * x[0]}; });
  const GraphRef outer = program({matrix}, [&](const ArrayList& x) {
    return ArrayList{ops::call(inner, "inner", x, here)[0] - x[0]};
  });
  const GraphRef graph = program({matrix}, [&](const ArrayList& x) {
    return ArrayList{ops::call(outer, "outer", x, here)[0], x[0] * x[0]};
  });
  const GraphRef result = inline_calls(graph);
  verify(*result);
  for (const Operation& o : result->operations()) CHECK(o.op.name() != "call");
  CHECK(result->operations().size() == 2);  // x * x is shared
  const HostArrays inputs = random_arrays(graph->input_types(), 3);
  CHECK(difference(interpreted(*result, inputs), interpreted(*graph, inputs)) == "");
}

TEST_CASE("the passes run in the order that their table says") {
  std::vector<std::string_view> names;
  for (const Pass& pass : passes()) names.push_back(pass.name);
  CHECK(names == std::vector<std::string_view>{
                     "inline", "simplify", "sums", "arrange", "split", "parts", "cse", "dce"});
}
