// What does a buffer cost: from the thread's cache, among several, large, fresh from the system;
// beside malloc?
#include "runtime/allocator.hpp"
#include "trace/buffer.hpp"

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <cstring>
#include <vector>

using fluxion::allocate;
using fluxion::Buffer;
using Ref = fluxion::detail::Ref<Buffer>;

namespace {

void allocate_and_drop(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const Ref buffer = allocate(bytes);
    benchmark::DoNotOptimize(buffer->data());
  }
}
BENCHMARK(allocate_and_drop)->Arg(4)->Arg(1000)->Arg(4096)->Arg(1 << 20)->Arg(8 << 20);
BENCHMARK(allocate_and_drop)->Arg(1000)->Threads(2);

void malloc_and_free(benchmark::State& state) {
  for (auto _ : state) {
    void* memory = std::malloc(static_cast<std::size_t>(state.range(0)));
    benchmark::DoNotOptimize(memory);
    std::free(memory);
  }
}
BENCHMARK(malloc_and_free)->Arg(4)->Arg(1000)->Arg(4096)->Arg(1 << 20)->Arg(8 << 20);

// As a program does it: many buffers alive, dropped in another order than made.
void hundred_at_once(benchmark::State& state) {
  std::vector<Ref> live(100);
  for (auto _ : state) {
    for (std::size_t i = 0; i < live.size(); ++i) live[i] = allocate(64 + i * 40);
    for (std::size_t i = 0; i < live.size(); ++i) live[(i * 37) % live.size()] = Ref();
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(hundred_at_once);

// Writing 64 MB: what page faults cost, with huge pages and without.
void write_reused(benchmark::State& state) {
  constexpr std::size_t bytes = std::size_t{64} << 20;
  for (auto _ : state) {
    const Ref buffer = allocate(bytes);
    std::memset(buffer->data(), 1, bytes);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}
BENCHMARK(write_reused)->Unit(benchmark::kMillisecond);

void write_fresh(benchmark::State& state) {
  constexpr std::size_t bytes = std::size_t{64} << 20;
  for (auto _ : state) {
    {
      const Ref buffer = allocate(bytes);
      std::memset(buffer->data(), 1, bytes);
    }
    fluxion::runtime::release_cached_memory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}
BENCHMARK(write_fresh)->Unit(benchmark::kMillisecond);

void write_malloc(benchmark::State& state) {
  constexpr std::size_t bytes = std::size_t{64} << 20;
  for (auto _ : state) {
    void* memory = std::malloc(bytes);
    std::memset(memory, 1, bytes);
    benchmark::DoNotOptimize(memory);
    std::free(memory);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}
BENCHMARK(write_malloc)->Unit(benchmark::kMillisecond);

}  // namespace
