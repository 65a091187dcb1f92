// When lazy arrays are evaluated, as which programs, and how often.
#include "runtime/allocator.hpp"
#include "runtime/cut.hpp"
#include "runtime/executable.hpp"
#include "tests/support/catch.hpp"
#include "trace/lazy.hpp"

#include <fluxion/fluxion.hpp>
#include <thread>

namespace fx = fluxion;
using fx::Array;

TEST_CASE("nothing runs until a value is asked for") {
  const auto before = fx::evaluated_operations();
  const Array x = fx::array({1.f, 2.f, 3.f});
  const Array y = fx::sin(x) * x + 1;
  CHECK(y.shape() == fx::Shape{3});
  CHECK(fx::evaluated_operations() == before);
  CHECK(y.to_vector<float>()[1] == Approx(std::sin(2.f) * 2 + 1));
  CHECK(fx::evaluated_operations() > before);
}

TEST_CASE("a value is computed once, however often it is read") {
  const Array y = fx::exp(fx::array({1.f, 2.f}));
  fx::eval(y);
  const auto after = fx::evaluated_operations();
  CHECK(y.to_vector<float>()[0] == Approx(std::exp(1.f)));
  CHECK(y.to_vector<float>()[1] == Approx(std::exp(2.f)));
  CHECK(fx::evaluated_operations() == after);
}

TEST_CASE("reading the loss and then the gradient runs the forward pass once") {
  const Array w = fx::array({0.5f, -1.f, 2.f});
  auto loss = [](Array w) { return fx::sum(fx::exp(fx::sin(w) * w)); };
  auto [value, gradient] = fx::value_and_grad(loss)(w);
  const float l = value.item<float>();
  const auto after = fx::evaluated_operations();
  const std::vector<float> g = gradient.to_vector<float>();
  CHECK(fx::evaluated_operations() == after);  // the gradient came with the loss
  float expected = 0;
  for (float v : {0.5f, -1.f, 2.f}) expected += std::exp(std::sin(v) * v);
  CHECK(l == Approx(expected));
  CHECK(g[0] == Approx(std::exp(std::sin(.5f) * .5f) * (std::cos(.5f) * .5f + std::sin(.5f))));
}

TEST_CASE("the same shape of program compiles once, whatever its numbers") {
  auto step = [](float rate, float start) {
    const Array w = fx::full({7}, start);
    return (w - rate * fx::tanh(w)).to_vector<float>()[3];
  };
  step(0.1f, 1.5f);
  const auto before = fx::compiled_programs();
  CHECK(step(0.25f, 3.f) == Approx(3 - 0.25f * std::tanh(3.f)));
  CHECK(step(0.125f, -3.f) == Approx(-3 - 0.125f * std::tanh(-3.f)));
  CHECK(fx::compiled_programs() == before);
}

TEST_CASE("a chain of a million pending operations evaluates and is destroyed") {
  Array x(1.0);
  for (int i = 0; i < 500000; ++i) x = x * 0.75 + 0.25;
  CHECK(x.item<double>() == 1.0);
  Array dropped(1.0);
  for (int i = 0; i < 500000; ++i) dropped = dropped * 0.75 + 0.25;
}

TEST_CASE("a deep chain inside one program is destroyed without recursion") {
  auto deep = [](Array x) {
    for (int i = 0; i < 100000; ++i) x = -x;
    return x;
  };
  const fx::Function f = fx::trace(deep, Array(1.f));
  CHECK(f.text().size() > 1000000);
}

TEST_CASE("a loop that never asks keeps bounded memory") {
  Array x = fx::zeros({1000});
  fx::eval(x);
  std::size_t most = 0;
  for (int i = 0; i < 20000; ++i) {
    x = x * 0.5f + 1.f;
    most = std::max(most, fx::pending_count());
  }
  CHECK(most <= fx::most_pending + 8);
  CHECK(x.to_vector<float>()[999] == Approx(2.f));
}

TEST_CASE("a repeating program that is flushed compiles a bounded number of programs") {
  Array x = fx::full({3}, 1.f), y = fx::full({3}, 2.f);
  auto body = [&] {
    const Array t = fx::sin(x) + y;
    y = y * 0.5f + t;
    x = fx::cos(t);
  };
  for (int i = 0; i < 2000; ++i) body();
  const auto before = fx::compiled_programs();
  for (int i = 0; i < 8000; ++i) body();
  CHECK(fx::compiled_programs() - before <= 2);
  fx::eval(x, y);
}

TEST_CASE("many threads read and record at once") {
  const Array shared =
      fx::exp(fx::arange(64, fx::float32) * 0.01f);  // pending when the threads start
  std::vector<std::thread> threads;
  std::vector<float> results(8);
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      Array mine = shared;
      for (int i = 0; i < 50; ++i) mine = mine * 1.f + static_cast<float>(t);
      results[static_cast<std::size_t>(t)] = fx::sum(mine).item<float>();
    });
  for (auto& t : threads) t.join();
  float base = 0;
  for (int i = 0; i < 64; ++i) base += std::exp(static_cast<float>(i) * 0.01f);
  for (int t = 0; t < 8; ++t)
    CHECK(results[static_cast<std::size_t>(t)] ==
          Approx(base + 64.f * 50.f * static_cast<float>(t)));
}

TEST_CASE("borrowed memory is read in place and given back when its last user is gone") {
  std::vector<float> data{1, 2, 3, 4};
  bool freed = false;
  {
    const Array a = fx::borrow(data.data(), {2, 2}, fx::float32, [&](float*) { freed = true; });
    CHECK(a.span<float>().data() == data.data());
    const Array s = fx::sum(a * 2.f);
    CHECK(s.item<float>() == 20);
    CHECK_FALSE(freed);
  }
  CHECK(freed);
  CHECK(data == std::vector<float>{1, 2, 3, 4});
}
