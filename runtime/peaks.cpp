// Short measurements: multiply-adds that depend on nothing but themselves, and a large copy.
#include "runtime/peaks.hpp"

#include "runtime/run_step.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <unistd.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace fluxion::runtime {
namespace {

constexpr int chains = 10;  // more than latency times throughput of any processor's multiply-adds

/// So many fused multiply-adds in each of `chains` registers; the operations done.
#if !defined(__aarch64__)
double multiply_adds_one(std::int64_t times, float& sum) {
  float x[chains];
  for (auto& v : x) v = 0.001F;
  for (std::int64_t i = 0; i < times; ++i)
    for (auto& v : x) v = v * 0.999F + 0.001F;
  for (auto& v : x) sum += v;
  return static_cast<double>(times) * chains * 2;
}
#endif
#if defined(__x86_64__)
__attribute__((target("avx512f"))) double multiply_adds_512(std::int64_t times, float& sum) {
  __m512 x[chains];
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
  for (auto& v : x) v = b;
  for (std::int64_t i = 0; i < times; ++i)
    for (auto& v : x) v = _mm512_fmadd_ps(v, a, b);
  for (auto& v : x) sum += _mm512_cvtss_f32(v);
  return static_cast<double>(times) * chains * 16 * 2;
}
__attribute__((target("avx2,fma"))) double multiply_adds_256(std::int64_t times, float& sum) {
  __m256 x[chains];
  const __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
  for (auto& v : x) v = b;
  for (std::int64_t i = 0; i < times; ++i)
    for (auto& v : x) v = _mm256_fmadd_ps(v, a, b);
  for (auto& v : x) sum += _mm256_cvtss_f32(v);
  return static_cast<double>(times) * chains * 8 * 2;
}
double multiply_adds(std::int64_t times, float& sum) {
  if (__builtin_cpu_supports("avx512f")) return multiply_adds_512(times, sum);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return multiply_adds_256(times, sum);
  return multiply_adds_one(times, sum);
}
#elif defined(__aarch64__)
double multiply_adds(std::int64_t times, float& sum) {
  float32x4_t x[chains];
  const float32x4_t a = vdupq_n_f32(0.999F), b = vdupq_n_f32(0.001F);
  for (auto& v : x) v = b;
  for (std::int64_t i = 0; i < times; ++i)
    for (auto& v : x) v = vfmaq_f32(b, v, a);
  for (auto& v : x) sum += vgetq_lane_f32(v, 0);
  return static_cast<double>(times) * chains * 4 * 2;
}
#else
double multiply_adds(std::int64_t times, float& sum) { return multiply_adds_one(times, sum); }
#endif

/// The best of several rounds of work(): what it does, for each second.
template <class F> double best_rate(int rounds, F work) {
  double best = 0;
  for (int k = 0; k < rounds; ++k) {
    const auto begin = std::chrono::steady_clock::now();
    const double done = work();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    best = std::max(best, done / time.count());
  }
  return best;
}

double measure_flops() {
  volatile float kept = 0;
  return best_rate(8, [&] {
    float sum = 0;
    const double done = multiply_adds(200'000, sum);
    kept = sum;
    return done;
  });
}

double measure_bytes() {
  constexpr std::size_t least = std::size_t{32} << 20, most = std::size_t{256} << 20;
  const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  const std::size_t bytes = std::clamp(static_cast<std::size_t>(std::max(cache, 0L)), least, most);
  const std::unique_ptr<char[]> from(new char[bytes]), to(new char[bytes]);
  std::memset(from.get(), 1, bytes);
  return best_rate(6, [&] {
    copy(from.get(), to.get(), bytes);
    return 2 * static_cast<double>(bytes);
  });
}

}  // namespace

Peaks machine_peaks() {
  static const double flops = measure_flops(), bytes = measure_bytes();
  const double all = flops * num_threads();
  return {all, all / 2, bytes};
}

}  // namespace fluxion::runtime
