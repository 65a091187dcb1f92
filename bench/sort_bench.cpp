// What does sorting cost, beside std::sort and std::stable_sort of the same numbers?
#include "fluxion/fluxion.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <numeric>
#include <random>
#include <vector>

namespace fx = fluxion;

namespace {

std::vector<float> numbers(std::int64_t n) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& v : values) v = normal(random);
  return values;
}

void sort(benchmark::State& state) {
  const fx::Array x = fx::array(numbers(state.range(0)));
  auto f = fx::jit([](fx::Array a) { return fx::sort(a); });
  fx::eval(f(x));
  for (auto _ : state) fx::eval(f(x));
}
BENCHMARK(sort)->Arg(1000)->Arg(100000)->Arg(1000000)->Unit(benchmark::kMicrosecond);

void argsort(benchmark::State& state) {
  const fx::Array x = fx::array(numbers(state.range(0)));
  auto f = fx::jit([](fx::Array a) { return fx::argsort(a); });
  fx::eval(f(x));
  for (auto _ : state) fx::eval(f(x));
}
BENCHMARK(argsort)->Arg(1000)->Arg(100000)->Arg(1000000)->Unit(benchmark::kMicrosecond);

void standard_sort(benchmark::State& state) {
  const std::vector<float> values = numbers(state.range(0));
  for (auto _ : state) {
    std::vector<float> copy = values;
    std::sort(copy.begin(), copy.end());
    benchmark::DoNotOptimize(copy.data());
  }
}
BENCHMARK(standard_sort)->Arg(1000)->Arg(100000)->Arg(1000000)->Unit(benchmark::kMicrosecond);

void standard_argsort(benchmark::State& state) {
  const std::vector<float> values = numbers(state.range(0));
  std::vector<std::int32_t> order(values.size());
  for (auto _ : state) {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return values[static_cast<std::size_t>(a)] < values[static_cast<std::size_t>(b)];
    });
    benchmark::DoNotOptimize(order.data());
  }
}
BENCHMARK(standard_argsort)->Arg(1000)->Arg(100000)->Arg(1000000)->Unit(benchmark::kMicrosecond);

void cumsum(benchmark::State& state) {
  const fx::Array x = fx::array(numbers(state.range(0)));
  auto f = fx::jit([](fx::Array a) { return fx::cumsum(a); });
  fx::eval(f(x));
  for (auto _ : state) fx::eval(f(x));
}
BENCHMARK(cumsum)->Arg(1000)->Arg(1000000)->Unit(benchmark::kMicrosecond);

}  // namespace
