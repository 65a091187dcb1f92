// Compiled kernels on one thread beside a plain copy: chains, sums, rows, columns, transposes, and
// what compiling them costs.
#include "codegen/llvm/compile.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/math.hpp"

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

namespace {

using namespace fluxion;
using kernel::Builder;
using kernel::Combiner;
using kernel::Index;
using kernel::Kernel;
using kernel::Role;
using kernel::Tree;
using KernelScalar = kernel::Scalar;
using Elements = std::vector<Builder::Element>;
using Memory = std::unique_ptr<float, decltype(&std::free)>;

Memory memory(std::int64_t count) {
  const auto bytes = (static_cast<std::size_t>(count) * 4 + 511) / 512 * 512;
  auto* data = static_cast<float*>(std::aligned_alloc(512, bytes));
  for (std::int64_t k = 0; k < count; ++k) data[k] = static_cast<float>(k % 13) * 0.3f;
  return {data, &std::free};
}

/// Ten (or more) additions and products by constants.
Kernel chain(std::int64_t n, int operations) {
  Builder b("chain");
  auto in = b.buffer(float32, Role::input, n), out = b.buffer(float32, Role::output, n);
  b.parallel({n}, [&](const Index& i) {
    KernelScalar x = b.load(in, i[0]);
    for (int k = 0; k < operations; ++k) x = k % 2 ? x * (1.0 + k) : x + (0.5 + k);
    b.store(out, i[0], x);
  });
  return b.finish();
}

Kernel sum(std::int64_t n, std::int64_t parts) {
  Builder b("sum");
  auto in = b.buffer(float32, Role::input, n), out = b.buffer(float32, Role::output, parts);
  const std::int64_t count = n / parts;
  b.parallel({parts}, [&](const Index& p) {
    auto s = b.reduce(
        {count}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& i) {
          return Elements{{b.load(in, p[0] * count + i[0])}};
        });
    b.store(out, p[0], s[0]);
  });
  return b.finish();
}

Kernel softmax(std::int64_t rows, std::int64_t n) {
  Builder b("softmax");
  auto in = b.buffer(float32, Role::input, rows * n),
       out = b.buffer(float32, Role::output, rows * n), row = b.buffer(float32, Role::scratch, n);
  b.parallel({rows}, [&](const Index& r) {
    auto most = b.reduce(
        {n}, Tree::lanes, {Combiner::max}, {b.constant(float32, -1e30)}, [&](const Index& c) {
          return Elements{{b.load(in, r[0] * n + c[0])}};
        });
    auto total =
        b.reduce({n}, Tree::lanes, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& c) {
          KernelScalar e = exp(b.load(in, r[0] * n + c[0]) - most[0]);
          b.store(row, c[0], e);
          return Elements{{e}};
        });
    KernelScalar scale = 1.0 / total[0];
    b.parallel({n},
               [&](const Index& c) { b.store(out, r[0] * n + c[0], b.load(row, c[0]) * scale); });
  });
  return b.finish();
}

Kernel columns(std::int64_t rows, std::int64_t n) {
  Builder b("columns");
  auto in = b.buffer(float32, Role::input, rows * n), out = b.buffer(float32, Role::output, n);
  b.parallel({n}, [&](const Index& c) {
    auto s = b.reduce(
        {rows}, Tree::sequential, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& r) {
          return Elements{{b.load(in, r[0] * n + c[0])}};
        });
    b.store(out, c[0], s[0]);
  });
  return b.finish();
}

Kernel transpose(std::int64_t n) {
  Builder b("transpose");
  auto in = b.buffer(float32, Role::input, n * n), out = b.buffer(float32, Role::output, n * n);
  b.parallel({n, n},
             [&](const Index& i) { b.store(out, i[0] * n + i[1], b.load(in, i[1] * n + i[0])); });
  return b.finish();
}

Kernel product(std::int64_t n) {
  Builder b("product");
  auto x = b.buffer(float32, Role::input, n * n), y = b.buffer(float32, Role::input, n * n),
       out = b.buffer(float32, Role::output, n * n);
  b.parallel({n, n}, [&](const Index& i) {
    auto s = b.reduce(
        {n}, Tree::sequential, {Combiner::add}, {b.constant(float32, 0)}, [&](const Index& k) {
          return Elements{{b.load(x, i[0] * n + k[0]), b.load(y, k[0] * n + i[1])}};
        });
    b.store(out, i[0] * n + i[1], s[0]);
  });
  return b.finish();
}

void copy(benchmark::State& state) {
  Memory from = memory(state.range(0)), to = memory(state.range(0));
  for (auto _ : state) {
    std::memcpy(to.get(), from.get(), static_cast<std::size_t>(state.range(0)) * 4);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 8);
}
BENCHMARK(copy)->Arg(1 << 12)->Arg(1 << 24);

/// Runs a kernel of inputs and one output; `bytes` is the traffic of one run.
void run(benchmark::State& state, const Kernel& kernel, double bytes) {
  std::vector<Memory> held;
  std::vector<void*> buffers;
  for (const auto& buffer : kernel.buffers) {
    if (buffer.role == Role::scratch) break;
    held.push_back(memory(buffer.count));
    buffers.push_back(held.back().get());
  }
  auto compiled = codegen::compile(kernel);
  for (auto _ : state) codegen::run(*compiled, buffers.data());
  state.SetBytesProcessed(
      static_cast<std::int64_t>(static_cast<double>(state.iterations()) * bytes));
}

void compile(benchmark::State& state, const Kernel& kernel, int level) {
  codegen::CompileOptions options;
  options.level = level;
  for (auto _ : state) benchmark::DoNotOptimize(codegen::compile(kernel, options));
}

const double large = 1 << 24;

BENCHMARK_CAPTURE(run, chain_of_10_on_16_KB, chain(1 << 12, 10), 8.0 * 4096);
BENCHMARK_CAPTURE(run, chain_of_10_on_64_MB, chain(1 << 24, 10), 8 * large)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, sum_of_16_KB, sum(1 << 12, 1), 4.0 * 4096);
BENCHMARK_CAPTURE(run, sum_of_256_MB, sum(1 << 26, 256), 16 * large)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, softmax_16384_rows_of_1024, softmax(16384, 1024), 8 * large)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, softmax_128_rows_of_10, softmax(128, 10), 8.0 * 1280);
BENCHMARK_CAPTURE(run, columns_of_16384_by_1024, columns(16384, 1024), 4 * large)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, transpose_512, transpose(512), 8.0 * 512 * 512);
BENCHMARK_CAPTURE(run, transpose_4096, transpose(4096), 8 * large)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, product_256, product(256), 0)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile, chain_of_20, chain(1 << 20, 20), 1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile, chain_of_20_at_once, chain(1 << 20, 20), 0)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile, chain_of_20_with_tail, chain(1000003, 20), 1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(compile, softmax, softmax(1000, 1000), 1)->Unit(benchmark::kMillisecond);

}  // namespace
