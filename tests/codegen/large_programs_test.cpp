// Programs of very many operations: one asks the next for its element, and no stack holds all.
#include "codegen/schedule.hpp"
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

namespace fx = fluxion;
using fx::Array;

namespace {

constexpr int operations = 15000;  // two for each factor

float factor(int k) { return 1.0f - 1e-6f * static_cast<float>(k % 50); }
float shift(int k) { return 1e-3f * static_cast<float>(k % 7); }

Array chain(Array h) {
  for (int k = 0; k < operations / 2; ++k) h = h * factor(k) + shift(k);
  return h;
}
float chain_of(float h) {
  for (int k = 0; k < operations / 2; ++k) {
    const float product = h * factor(k);
    h = product + shift(k);
  }
  return h;
}

}  // namespace

TEST_CASE("a loop whose step has fifteen thousand operations, and its derivative") {
  const auto program = [](Array x) {
    const auto step = [](Array h, Array) {
      const Array next = chain(h);
      return std::pair{next, next};
    };
    return fx::scan(step, x, fx::zeros({100})).first;
  };
  float h = 1;
  double derivative = 1;
  for (int k = 0; k < 100; ++k) h = chain_of(h);
  for (int k = 0; k < 100 * (operations / 2); ++k) derivative *= factor(k % (operations / 2));
  CHECK(fx::jit(program)(Array(1.0f)).item<float>() == Approx(h).epsilon(1e-5));
  CHECK(fx::jit(fx::grad(program))(Array(1.0f)).item<float>() == Approx(derivative).epsilon(1e-3));
}

TEST_CASE("a short loop is written out only where its step is small") {
  const auto kernel = [](int steps) {
    const fx::GraphRef graph =
        fx::optimize(fx::test::program({{{}, fx::float32}}, [&](const fx::ArrayList& x) {
          const auto step = [&](Array h, Array) {
            for (int k = 0; k < steps; ++k) h = h * factor(k) + shift(k);
            return std::pair{h, h};
          };
          return fx::ArrayList{fx::scan(step, x[0], fx::zeros({20})).first};
        }));
    const fx::codegen::Schedule schedule =
        fx::codegen::schedule(graph, fx::codegen::Libraries::none);
    REQUIRE(schedule.kernels.size() == 1);
    return schedule.kernels[0];
  };
  const auto small = kernel(3), large = kernel(1000);
  CHECK(small.instructions.size() > 20 * 3);
  CHECK(large.instructions.size() < 20 * 1000);
}

TEST_CASE("a loop of very many operations on small arrays") {
  const auto program = fx::jit([](Array x) {
    const auto step = [](Array h, Array) {
      const Array next = chain(h);
      return std::pair{next, fx::sum(next)};
    };
    return fx::scan(step, x, fx::zeros({3})).second;
  });
  const std::vector<float> got = program(fx::ones({3})).to_vector<float>();
  float h = 1;
  for (float sum : got) {
    h = chain_of(h);
    CHECK(sum == Approx(3 * h).epsilon(1e-5));
  }
}

TEST_CASE("very many operations one after the other, and their derivatives") {
  const auto program = [](Array x) { return fx::sum(chain(x)); };
  const Array x = fx::ones({100});
  CHECK(fx::jit(program)(x).item<float>() == Approx(100 * chain_of(1)).epsilon(1e-4));
  double derivative = 1;
  for (int k = 0; k < operations / 2; ++k) derivative *= factor(k);
  const std::vector<float> got = fx::jit(fx::grad(program))(x).to_vector<float>();
  for (float d : got) CHECK(d == Approx(derivative).epsilon(1e-3));
}
