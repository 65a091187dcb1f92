// What does it cost to share a loop among threads: with workers spinning, with workers asleep,
// without any?
#include "runtime/thread_pool.hpp"

#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

using fluxion::runtime::parallel_for;
using fluxion::runtime::set_num_threads;

namespace {

void hot(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    parallel_for(state.range(0), 1, [](std::int64_t begin, std::int64_t) {
      benchmark::DoNotOptimize(begin);
    });
  }
}
BENCHMARK(hot)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

void parked(benchmark::State& state) {
  set_num_threads(2);
  for (auto _ : state) {
    std::this_thread::sleep_for(std::chrono::microseconds(400));
    const auto begin = std::chrono::steady_clock::now();
    parallel_for(2, 1, [](std::int64_t first, std::int64_t) { benchmark::DoNotOptimize(first); });
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(time.count());
  }
}
BENCHMARK(parked)->UseManualTime()->Iterations(2000);

// The loop of a kernel on cached data: how many elements make sharing worth its cost?
void scaled_sum(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(1)));
  std::vector<float> values(static_cast<std::size_t>(state.range(0)), 1.5F);
  for (auto _ : state) {
    parallel_for(state.range(0), 1024, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) values[static_cast<std::size_t>(i)] *= 1.0000001F;
    });
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(scaled_sum)
    ->ArgNames({"elements", "threads"})
    ->ArgsProduct({{1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20}, {1, 2}})
    ->UseRealTime();

}  // namespace
