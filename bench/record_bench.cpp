// What does recording one lazy operation cost, and dropping it again?
#include "fluxion/fluxion.hpp"

#include <benchmark/benchmark.h>

namespace fx = fluxion;

namespace {

template <class Operation> void record(benchmark::State& state, Operation operation) {
  const fx::Array x = fx::full({1000}, 1.5f), y = fx::full({1000}, 2.5f);
  fx::eval(x, y);
  for (auto _ : state) {
    const fx::Array z = operation(x, y);
    benchmark::DoNotOptimize(&z);
  }
}

void add_arrays(benchmark::State& state) {
  record(state, [](const fx::Array& x, const fx::Array& y) { return x + y; });
}
BENCHMARK(add_arrays);

void add_number(benchmark::State& state) {
  record(state, [](const fx::Array& x, const fx::Array&) { return x + 1; });
}
BENCHMARK(add_number);

void compare_number(benchmark::State& state) {
  record(state, [](const fx::Array& x, const fx::Array&) { return x < 0.5f; });
}
BENCHMARK(compare_number);

void tanh(benchmark::State& state) {
  record(state, [](const fx::Array& x, const fx::Array&) { return fx::tanh(x); });
}
BENCHMARK(tanh);

}  // namespace
