// Strips in the steps of loops: products of few rows whose other operand is laid out before the
// loop, and the kernels before and after them.
#include "codegen/regions.hpp"
#include "codegen/strips.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "tests/support/threads.hpp"

using namespace fluxion;
using namespace fluxion::test;
using codegen::Schedule;
using codegen::Step;

namespace fx = fluxion;

namespace {

/// What the steps of a program's loops are.
struct Loops {
  struct Strip {
    std::size_t parts;
    std::int64_t block;
    bool begins_with_kernel;
  };
  std::vector<Strip> strips;
  std::size_t others = 0;    // steps
  std::size_t laid_out = 0;  // operands
};

/// Compared with the interpreter, on one thread and on three: the same bits.
Loops loops(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 1);
  HostArrays serial;
  {
    const Threads one(1);
    serial = compiled(graph, arrays);
  }
  const Threads three(3);
  const HostArrays parallel = compiled(graph, arrays);
  for (std::size_t k = 0; k < serial.size(); ++k) CHECK(same_bits(serial[k], parallel[k]));
  CHECK(difference(parallel, interpreted(*graph, arrays)) == "");
  Loops found;
  const Schedule schedule = codegen::schedule(optimize(graph));
  for (const Step& step : schedule.steps) {
    if (!step.region) continue;
    const Schedule& body = *step.region->programs.back();
    found.laid_out += body.kept.size();
    for (const Step& inner : body.steps) {
      if (!inner.strip)
        ++found.others;
      else
        found.strips.push_back({inner.strip->parts.size(),
                                inner.strip->block,
                                inner.strip->parts.front().kernel >= 0});
    }
  }
  return found;
}

Types recurrent(std::int64_t rows, std::int64_t width, std::int64_t gates = 1) {
  return {{{12, rows, gates * width}, float32}, {{width, gates * width}, float32}};
}

/// h' = tanh(x + h w / 8): all states.
Array states(const Array& xs, const Array& w) {
  const Array zero = fx::zeros({xs.shape()[1], w.shape()[0]});
  const auto step = [&](Array h, Array x) {
    const Array next = fx::tanh(x + fx::matmul(h, w) * 0.125f);
    return std::pair{next, next};
  };
  return fx::scan(step, zero, xs).second;
}

/// A cell with gates side by side in the rows of one product.
Array gated_states(const Array& xs, const Array& weights) {
  const Array zero = fx::zeros({xs.shape()[1], weights.shape()[0]}), w = weights * 0.125f;
  const auto step = [&](Array h, Array x) {
    const std::vector<Array> gates = fx::split(x + fx::matmul(h, w), 2, -1);
    const Array next = fx::sigmoid(gates[0]) * h + fx::tanh(gates[1]);
    return std::pair{next, next};
  };
  return fx::scan(step, zero, xs).second;
}

}  // namespace

TEST_CASE("a recurrent step is one strip") {
  const Loops f =
      loops(recurrent(32, 192), [](const ArrayList& a) { return ArrayList{states(a[0], a[1])}; });
  REQUIRE(f.strips.size() == 1);
  CHECK(f.strips[0].parts == 2);
  CHECK(f.strips[0].block == 16);
  CHECK(f.others == 0);
  CHECK(f.laid_out == 1);
}

TEST_CASE("on one thread a block is all rows") {
  const Threads one(1);
  const GraphRef graph =
      program(recurrent(48, 192), [](const ArrayList& a) { return ArrayList{states(a[0], a[1])}; });
  const Schedule schedule = codegen::schedule(optimize(graph));
  for (const Step& step : schedule.steps)
    if (step.region) {
      const Schedule& body = *step.region->programs.back();
      REQUIRE(body.steps.size() == 1);
      REQUIRE(body.steps[0].strip);
      CHECK(body.steps[0].strip->block == 48);
    }
}

TEST_CASE("gates that lie side by side, and their gradients put together again, stay in rows") {
  const Loops f = loops(recurrent(32, 128, 2), [](const ArrayList& a) {
    const auto loss = [](Array xs, Array w) { return fx::mean(fx::square(gated_states(xs, w))); };
    const auto [xs, w] = fx::grad<0, 1>(loss)(a[0], a[1]);
    return ArrayList{xs, w};
  });
  REQUIRE(f.strips.size() == 2);
  CHECK(!f.strips[0].begins_with_kernel);
  CHECK(f.strips[1].begins_with_kernel);
  CHECK(f.strips[1].parts >= 3);
  CHECK(f.others == 0);
}

TEST_CASE("rows that blocks do not divide") {
  for (std::int64_t rows : {33, 34, 40, 47, 50})
    loops(recurrent(rows, 192), [](const ArrayList& a) { return ArrayList{states(a[0], a[1])}; });
  const Loops f =
      loops(recurrent(40, 192), [](const ArrayList& a) { return ArrayList{states(a[0], a[1])}; });
  REQUIRE(f.strips.size() == 1);
  CHECK(f.strips[0].block < 40);
}

TEST_CASE("a step of two layers is one strip") {
  const Loops f = loops({{{12, 64, 96}, float32}, {{96, 128}, float32}, {{128, 96}, float32}},
                        [](const ArrayList& a) {
                          const auto step = [&](Array h, Array x) {
                            const Array y = fx::tanh(fx::matmul(h + x, a[1]) * 0.125f);
                            const Array next = fx::tanh(fx::matmul(y, a[2]) * 0.125f);
                            return std::pair{next, fx::sum(y, 1)};
                          };
                          auto [h, ys] = fx::scan(step, fx::zeros({64, 96}), a[0]);
                          return ArrayList{h, ys};
                        });
  REQUIRE(f.strips.size() == 1);
  CHECK(f.strips[0].begins_with_kernel);
  CHECK(f.laid_out == 2);
}

TEST_CASE("a step that needs other rows of a product is no strip with it") {
  const Loops f = loops(recurrent(32, 192), [](const ArrayList& a) {
    const auto step = [&](Array h, Array x) {
      const Array y = fx::matmul(h, a[1]) * 0.125f;
      // The row before, and beside it columns before.
      const Array next = fx::tanh(x + fx::roll(y, 1, 0) + fx::roll(y, 3, 1));
      return std::pair{next, next};
    };
    return ArrayList{fx::scan(step, fx::zeros({32, 192}), a[0]).second};
  });
  REQUIRE(f.strips.size() == 1);
  CHECK(f.strips[0].parts == 2);  // what is read of the own row
  CHECK(f.others == 1);
  // Elements before by their number: the first of a row are those at the end of the row before.
  const Loops before = loops(recurrent(32, 192), [](const ArrayList& a) {
    const auto step = [&](Array h, Array x) {
      const Array y = fx::matmul(h, a[1]) * 0.125f;
      const Array moved =
          fx::pad(y.reshape({32 * 192}), {{3, 0}}).at({fx::Slice{0, 32 * 192}}).get();
      const Array next = fx::tanh(x + moved.reshape({32, 192}));
      return std::pair{next, next};
    };
    return ArrayList{fx::scan(step, fx::zeros({32, 192}), a[0]).second};
  });
  CHECK(before.strips.empty());
}

TEST_CASE("small products, and those of what the loop changes, are steps of their own") {
  CHECK(loops(recurrent(32, 32), [](const ArrayList& a) {
          return ArrayList{states(a[0], a[1])};
        }).strips.empty());
  const Loops f = loops(recurrent(32, 192), [](const ArrayList& a) {
    struct State {
      Array h, w;
    };
    const auto step = [&](State s, Array x) {
      const Array next = fx::tanh(x + fx::matmul(s.h, s.w) * 0.125f);
      return std::pair{State{next, s.w * 0.99f}, next};
    };
    return ArrayList{fx::scan(step, State{fx::zeros({32, 192}), a[1]}, a[0]).second};
  });
  CHECK(f.strips.empty());
  CHECK(f.laid_out == 0);
}

TEST_CASE("networks side by side: one matrix of weights for all, or one for each") {
  const Types types = {{{3, 12, 32, 192}, float32}, {{3, 192, 192}, float32}};
  const auto each = [](const ArrayList& a) { return ArrayList{fx::vmap(states)(a[0], a[1])}; };
  CHECK(loops(types, each).laid_out == 0);
  const auto all = [](const ArrayList& a) {
    return ArrayList{fx::vmap([&](Array xs) { return states(xs, a[1]); })(a[0])};
  };
  CHECK(loops({types[0], {{192, 192}, float32}}, all).laid_out == 1);
}

TEST_CASE("a while loop's products are joined with what follows, too") {
  const Loops f = loops({{{32, 192}, float32}, {{192, 192}, float32}}, [](const ArrayList& a) {
    struct State {
      Array i, h;
    };
    const State last = fx::while_loop(
        [](State s) { return s.i < 9; },
        [&](State s) { return State{s.i + 1, fx::tanh(s.h + fx::matmul(s.h, a[1]) * 0.125f)}; },
        State{Array(0), a[0]});
    return ArrayList{last.h};
  });
  CHECK(f.strips.size() == 1);
}
