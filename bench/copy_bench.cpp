// How fast is memory: copies and sums of cached and of large arrays, on one thread and on all?
#include "runtime/thread_pool.hpp"
#include "trace/buffer.hpp"

#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstring>

namespace fx = fluxion;

namespace {

constexpr std::int64_t slab = 64 * 1024;

void copy(benchmark::State& state) {
  const std::int64_t bytes = state.range(0);
  fx::runtime::set_num_threads(static_cast<int>(state.range(1)));
  const auto from = fx::allocate(static_cast<std::size_t>(bytes));
  const auto to = fx::allocate(static_cast<std::size_t>(bytes));
  auto* const source = static_cast<char*>(from->data());
  auto* const target = static_cast<char*>(to->data());
  std::memset(source, 1, static_cast<std::size_t>(bytes));
  for (auto _ : state) {
    fx::runtime::parallel_for(bytes, slab, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(target + begin, source + begin, static_cast<std::size_t>(end - begin));
    });
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(2 * bytes * state.iterations());
}

void read(benchmark::State& state) {
  const std::int64_t bytes = state.range(0);
  fx::runtime::set_num_threads(static_cast<int>(state.range(1)));
  const auto from = fx::allocate(static_cast<std::size_t>(bytes));
  auto* const source = static_cast<std::uint64_t*>(from->data());
  std::memset(source, 1, static_cast<std::size_t>(bytes));
  for (auto _ : state) {
    fx::runtime::parallel_for(bytes / 8, slab / 8, [&](std::int64_t begin, std::int64_t end) {
      std::uint64_t sums[8] = {};
      for (std::int64_t i = begin; i + 8 <= end; i += 8) {
        for (int j = 0; j < 8; ++j) sums[j] += source[i + j];
      }
      benchmark::DoNotOptimize(sums);
    });
  }
  state.SetBytesProcessed(bytes * state.iterations());
}

const std::vector<std::vector<std::int64_t>> sizes = {{256 << 10, 4 << 20, 64 << 20, 256 << 20},
                                                      {1, 2}};
BENCHMARK(copy)->ArgNames({"bytes", "threads"})->ArgsProduct(sizes)->UseRealTime();
BENCHMARK(read)->ArgNames({"bytes", "threads"})->ArgsProduct(sizes)->UseRealTime();

}  // namespace
