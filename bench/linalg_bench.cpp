// What do many small factorizations cost beside the loops that one would write by hand, and large
// ones beside the library?
#include "fluxion/fluxion.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cmath>
#include <random>
#include <vector>

namespace fx = fluxion;
namespace linalg = fluxion::linalg;
using fx::Array;

namespace {

constexpr std::int64_t count = 10000;

std::vector<float> numbers(std::int64_t matrices, std::int64_t n) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> all(static_cast<std::size_t>(matrices * n * n));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto within = static_cast<std::int64_t>(i) % (n * n);
    all[i] = uniform(random) + (within / n == within % n ? 3.f : 0.f);
  }
  return all;
}

Array matrices(std::int64_t how_many, std::int64_t n) {
  return fx::array(numbers(how_many, n)).reshape({how_many, n, n});
}

/// A jitted function on a batch that is there.
template <class F> void run(benchmark::State& state, const F& f, const Array& x) {
  const auto fast = fx::jit(f);
  fx::eval(x);
  fx::eval(fast(x));
  for (auto _ : state) {
    const Array y = fast(x);
    fx::eval(y);
    benchmark::DoNotOptimize(y.span<float>().data());
  }
  state.SetItemsProcessed(state.iterations() * x.shape()[0]);
}

void inverse_3x3(benchmark::State& state) {
  run(state, [](Array x) { return linalg::inv(x); }, matrices(count, 3));
}
BENCHMARK(inverse_3x3)->UseRealTime();

// By cofactors: no pivots, no branches.
void inverse_3x3_by_hand(benchmark::State& state) {
  const std::vector<float> in = numbers(count, 3);
  std::vector<float> out(in.size());
  for (auto _ : state) {
    for (std::size_t k = 0; k < in.size(); k += 9) {
      const float *a = &in[k], c00 = a[4] * a[8] - a[5] * a[7], c01 = a[5] * a[6] - a[3] * a[8],
                  c02 = a[3] * a[7] - a[4] * a[6];
      const float s = 1 / (a[0] * c00 + a[1] * c01 + a[2] * c02);
      float* x = &out[k];
      x[0] = c00 * s;
      x[1] = (a[2] * a[7] - a[1] * a[8]) * s;
      x[2] = (a[1] * a[5] - a[2] * a[4]) * s;
      x[3] = c01 * s;
      x[4] = (a[0] * a[8] - a[2] * a[6]) * s;
      x[5] = (a[2] * a[3] - a[0] * a[5]) * s;
      x[6] = c02 * s;
      x[7] = (a[1] * a[6] - a[0] * a[7]) * s;
      x[8] = (a[0] * a[4] - a[1] * a[3]) * s;
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(inverse_3x3_by_hand)->UseRealTime();

// With the pivots that make it as accurate as ours.
template <int n> void inverse_by_elimination(benchmark::State& state) {
  const std::vector<float> in = numbers(count, n);
  std::vector<float> out(in.size());
  for (auto _ : state) {
    for (std::size_t k = 0; k < in.size(); k += n * n) {
      float a[n][2 * n];
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
          a[i][j] = in[k + static_cast<std::size_t>(i * n + j)];
          a[i][n + j] = i == j ? 1.f : 0.f;
        }
      for (int j = 0; j < n; ++j) {
        int p = j;
        for (int i = j + 1; i < n; ++i)
          if (std::abs(a[i][j]) > std::abs(a[p][j])) p = i;
        if (p != j) std::swap_ranges(a[p], a[p] + 2 * n, a[j]);
        const float f = 1 / a[j][j];
        for (float& x : a[j]) x *= f;
        for (int i = 0; i < n; ++i) {
          if (i == j) continue;
          const float g = a[i][j];
          for (int c = 0; c < 2 * n; ++c) a[i][c] -= g * a[j][c];
        }
      }
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) out[k + static_cast<std::size_t>(i * n + j)] = a[i][n + j];
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(inverse_by_elimination<3>)->UseRealTime();
BENCHMARK(inverse_by_elimination<6>)->UseRealTime();

void inverse_6x6(benchmark::State& state) {
  run(state, [](Array x) { return linalg::inv(x); }, matrices(count, 6));
}
BENCHMARK(inverse_6x6)->UseRealTime();

void cholesky_4x4(benchmark::State& state) {
  run(state, [](Array x) { return linalg::cholesky(x); }, matrices(count, 4));
}
BENCHMARK(cholesky_4x4)->UseRealTime();

void cholesky_4x4_by_hand(benchmark::State& state) {
  constexpr int n = 4;
  const std::vector<float> in = numbers(count, n);
  std::vector<float> out(in.size());
  for (auto _ : state) {
    for (std::size_t k = 0; k < in.size(); k += n * n) {
      const float* a = &in[k];
      float* l = &out[k];
      for (int j = 0; j < n; ++j) {
        float d = a[j * n + j];
        for (int p = 0; p < j; ++p) d -= l[j * n + p] * l[j * n + p];
        l[j * n + j] = std::sqrt(d);
        for (int i = j + 1; i < n; ++i) {
          float s = (a[i * n + j] + a[j * n + i]) / 2;
          for (int p = 0; p < j; ++p) s -= l[i * n + p] * l[j * n + p];
          l[i * n + j] = s / l[j * n + j];
          l[j * n + i] = 0;
        }
      }
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(cholesky_4x4_by_hand)->UseRealTime();

void eigenvalues_3x3(benchmark::State& state) {
  run(state, [](Array x) { return linalg::eigvalsh(x); }, matrices(count, 3));
}
BENCHMARK(eigenvalues_3x3)->UseRealTime();

void solve_large(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  run(state, [](Array x) { return linalg::solve(x, x); }, matrices(1, n));
}
BENCHMARK(solve_large)->Arg(64)->Arg(512)->UseRealTime();

}  // namespace
