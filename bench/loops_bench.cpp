// What does a step of a loop cost, beside the same loop in C++? Items are steps (or lanes).
#include "fluxion/fluxion.hpp"

#include <array>
#include <benchmark/benchmark.h>
#include <cmath>
#include <tuple>
#include <vector>

namespace fx = fluxion;
using fx::Array;

namespace {

constexpr int steps = 1000000;

/// Ten operations that each need the one before.
template <class T> std::pair<T, T> ten_operations(T c, T x) {
  T a = c * 0.9f + x;
  T b = a * a - c;
  T d = b * 0.5f + a;
  T e = d * d * 0.1f + c * 0.3f;
  return {e * 0.5f, e};
}

std::vector<float> inputs() {
  std::vector<float> x(steps);
  for (int i = 0; i < steps; ++i)
    x[static_cast<std::size_t>(i)] = 0.1f * std::sin(static_cast<float>(i));
  return x;
}

void scan_of_ten_operations(benchmark::State& state) {
  const auto f = fx::jit([](Array c, Array xs) { return fx::scan(ten_operations<Array>, c, xs); });
  const Array c(0.1f), xs = fx::from_span(std::span<const float>(inputs()), {steps});
  f(c, xs);
  for (auto _ : state) {
    auto [last, ys] = f(c, xs);
    fx::eval(last, ys);
  }
  state.SetItemsProcessed(state.iterations() * steps);
}
BENCHMARK(scan_of_ten_operations)->UseRealTime();

void the_same_in_cpp(benchmark::State& state) {
  const std::vector<float> x = inputs();
  std::vector<float> y(x.size());
  for (auto _ : state) {
    float c = 0.1f;
    for (std::size_t i = 0; i < x.size(); ++i) std::tie(c, y[i]) = ten_operations(c, x[i]);
    benchmark::DoNotOptimize(c);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * steps);
}
BENCHMARK(the_same_in_cpp)->UseRealTime();

void gradient_of_that_scan(benchmark::State& state) {
  const auto f = fx::jit(fx::grad(
      [](Array c, Array xs) { return fx::sum(fx::scan(ten_operations<Array>, c, xs).second); }));
  const Array c(0.1f), xs = fx::from_span(std::span<const float>(inputs()), {steps});
  f(c, xs);
  for (auto _ : state) fx::eval(f(c, xs));
  state.SetItemsProcessed(state.iterations() * steps);
}
BENCHMARK(gradient_of_that_scan)->UseRealTime();

constexpr int carries = 60, rounds = 100, turns = 614;  // 18,000 operations a step

template <class T> void mix(std::array<T, carries>& c) {
  for (int r = 0; r < rounds; ++r)
    for (std::size_t k = 0; k < carries; ++k) c[k] = c[k] * 0.99f + c[(k + 7) % carries] * 0.01f;
}

template <class F> void fat_body(benchmark::State& state, const F& f) {
  std::array<Array, carries> c;
  for (std::size_t k = 0; k < carries; ++k) c[k] = Array(0.01f * static_cast<float>(k));
  f(c);
  for (auto _ : state) {
    const auto out = f(c);
    fx::eval(out[0]);
  }
  state.SetItemsProcessed(state.iterations() * turns);
}
const auto fat_scan = [](std::array<Array, carries> c) {
  return fx::scan(
             [](std::array<Array, carries> c) {
               mix(c);
               return std::pair{c, std::tuple<>()};
             },
             c,
             {.length = turns})
      .first;
};

void scan_of_sixty_carries(benchmark::State& state) { fat_body(state, fx::jit(fat_scan)); }
BENCHMARK(scan_of_sixty_carries)->UseRealTime();

void gradient_of_sixty_carries(benchmark::State& state) {
  fat_body(state, fx::jit(fx::grad([](std::array<Array, carries> c) {
             Array total(0.f);
             for (const Array& a : fat_scan(c)) total += fx::sin(a);
             return total;
           })));
}
BENCHMARK(gradient_of_sixty_carries)->UseRealTime();

void sixty_carries_in_cpp(benchmark::State& state) {
  std::array<float, carries> c;
  for (auto _ : state) {
    for (std::size_t k = 0; k < carries; ++k) c[k] = 0.01f * static_cast<float>(k);
    for (int i = 0; i < turns; ++i) mix(c);
    benchmark::DoNotOptimize(c);
  }
  state.SetItemsProcessed(state.iterations() * turns);
}
BENCHMARK(sixty_carries_in_cpp)->UseRealTime();

/// One element of a table of state.range elements is set in each step; the cost of a step should
/// not depend on it.
void element_set_in_a_loop(benchmark::State& state) {
  constexpr int times = 100000;
  const auto f = fx::jit([](Array t) {
    return fx::fori_loop(
        0,
        times,
        [](Array i, Array t) { return t.at({i % 1000}).set(fx::sin(i.astype(fx::float32))); },
        t);
  });
  Array table = fx::zeros({state.range(0)});
  for (auto _ : state) {
    table = f(std::move(table));
    fx::eval(table);
  }
  state.SetItemsProcessed(state.iterations() * times);
}
BENCHMARK(element_set_in_a_loop)->Arg(1000)->Arg(100000)->Arg(10000000)->UseRealTime();

/// Newton's method for a million square roots, each lane as long as it needs.
void while_of_a_million_lanes(benchmark::State& state) {
  struct State {
    Array x, change;
  };
  const auto f = fx::jit(fx::vmap([](Array a) {
    return fx::while_loop([](State s) { return s.change > 1e-6f; },
                          [&](State s) {
                            Array next = (s.x + a / s.x) * 0.5f;
                            return State{next, fx::abs(next - s.x) / next};
                          },
                          State{a, Array(1.f)})
        .x;
  }));
  const Array a = fx::arange(1, steps + 1, fx::float32);
  f(a);
  for (auto _ : state) fx::eval(f(a));
  state.SetItemsProcessed(state.iterations() * steps);
}
BENCHMARK(while_of_a_million_lanes)->UseRealTime();

}  // namespace
