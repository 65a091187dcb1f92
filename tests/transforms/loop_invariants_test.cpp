// What a loop's body computes from captures alone is computed before the loop; nothing else is.
#include "transforms/loop_invariants.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

#include <set>

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

const Type table{{4, 3}, float64}, carry{{3}, float64};

/// The body that hoisting leaves of one with a captured table, after their values were compared.
LoopBody hoisted(const ProgramFunction& body) {
  const LoopBody before{program({table, carry}, body),
                        {fx::sin(fx::arange(12, fx::float64)).reshape({4, 3})}};
  const LoopBody after = hoist_invariants(before);
  const auto run = [](const LoopBody& b) {
    ArrayList inputs = b.captures;
    inputs.push_back(fx::array({0.25, -1.5, 3.0}));
    return inline_graph(*b.graph, inputs)[0].to_vector<double>();
  };
  CHECK(run(before) == run(after));
  return after;
}

std::multiset<std::string> operations(const LoopBody& body) {
  std::multiset<std::string> names;
  for (const Operation& o : body.graph->operations()) names.insert(std::string(o.op.name()));
  return names;
}

}  // namespace

TEST_CASE("a part of a captured array is taken before the loop") {
  const LoopBody body = hoisted(
      [](const ArrayList& x) { return ArrayList{x[1] * x[0][1] + fx::exp(x[0][2]) * x[1]}; });
  CHECK(operations(body) == std::multiset<std::string>{"mul", "mul", "add"});
  REQUIRE(body.captures.size() == 2);
  for (const Array& a : body.captures) CHECK(a.shape() == fx::Shape{3});
}

TEST_CASE("an array that the body reads too stays captured") {
  const LoopBody body = hoisted(
      [](const ArrayList& x) { return ArrayList{x[1] * x[0][1] + fx::sum(x[0] * x[1], 0)}; });
  REQUIRE(body.captures.size() == 2);
  CHECK(body.captures[0].shape() == fx::Shape{4, 3});
  CHECK(body.captures[1].shape() == fx::Shape{3});
}

TEST_CASE("a value that is a result of the body comes from before the loop") {
  const LoopBody body = hoisted([](const ArrayList& x) { return ArrayList{x[0][3] * 2, x[1]}; });
  CHECK(operations(body).empty());
}

TEST_CASE("what would be larger than what it is made of, and what is seen, stays in the loop") {
  const LoopBody spread = hoisted([](const ArrayList& x) {
    return ArrayList{x[1] + fx::sum(fx::outer(x[0][0], x[0][1]) * x[1], 0)};
  });
  for (const Array& a : spread.captures) CHECK(a.size() <= 3);
  std::vector<std::string> lines;
  fx::debug::print_to([&](std::string_view line) { lines.emplace_back(line); });
  const Array w = fx::array({1.0, 2.0});
  const auto step = [&](Array c) {
    fx::debug::print("{}", w[1]);
    return std::pair{c * w[1], std::tuple<>()};
  };
  CHECK(fx::jit([&](Array c) { return fx::scan(step, c, {.length = 3}).first; })(Array(1.0))
            .item<double>() == 8);
  fx::debug::print_to_stdout();
  CHECK(lines.size() == 3);
}

TEST_CASE("the gradient by an array of which each step reads parts adds no whole arrays") {
  // A row of eight for each of 14 lanes: in registers, if only the rows that are read are summed.
  const Type weights{{8, 14}, float64}, start{{14}, float64};
  const GraphRef graph = program({weights, start}, [](const ArrayList& x) {
    const auto loss = [&](Array w) {
      const auto step = [&](Array c) {
        return std::pair{fx::tanh(c * w[1] + w[5]), std::tuple<>()};
      };
      return fx::sum(fx::scan(step, x[1], {.length = 20}).first);
    };
    return ArrayList{fx::grad(loss)(x[0])};
  });
  for (const Operation& o : graph->operations())
    for (const Graph* body : o.op.regions())
      for (const Type& type : body->input_types()) CHECK(type.shape != fx::Shape{8, 14});
}
