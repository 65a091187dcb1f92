// What does an element of each transcendental function cost, beside glibc's vectors and scalars?
#include "bench/timing.hpp"
#include "codegen/llvm/compile.hpp"
#include "trace/kernel/math.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cmath>
#include <random>
#include <string>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fx = fluxion;
namespace kernel = fluxion::kernel;

namespace {

constexpr std::int64_t count = 16384;

struct Function {
  const char* name;
  kernel::Scalar (*formula)(kernel::Scalar, kernel::Scalar);
  double (*scalar)(double, double);
  double low, high;
  int arguments = 1;
  float (*scalar_single)(float, float) = nullptr;
};

#define UNARY(function, low, high)                                                   \
  Function {                                                                         \
    #function, [](kernel::Scalar x, kernel::Scalar) { return kernel::function(x); }, \
        [](double x, double) -> double { return std::function(x); }, low, high, 1,   \
        [](float x, float) -> float { return std::function(x); }                     \
  }
#define BINARY(function, low, high)                                                       \
  Function {                                                                              \
    #function, [](kernel::Scalar x, kernel::Scalar y) { return kernel::function(x, y); }, \
        [](double x, double y) -> double { return std::function(x, y); }, low, high, 2,   \
        [](float x, float y) -> float { return std::function(x, y); }                     \
  }

const Function functions[] = {
    UNARY(exp, -20, 20),
    UNARY(expm1, -5, 5),
    UNARY(log, 0.01, 100),
    UNARY(log1p, -0.9, 10),
    UNARY(sin, -10, 10),
    UNARY(cos, -10, 10),
    UNARY(tan, -10, 10),
    UNARY(tanh, -4, 4),
    UNARY(erf, -4, 4),
    UNARY(erfc, -4, 9),
    BINARY(pow, 0.1, 8),
    BINARY(atan2, -4, 4),
    {"remainder",
     [](kernel::Scalar x, kernel::Scalar y) { return kernel::remainder(x, y); },
     [](double x, double y) { return std::fmod(x, y); },
     -100,
     100,
     2,
     [](float x, float y) { return std::fmod(x, y); }},
    {"logistic",
     [](kernel::Scalar x, kernel::Scalar) { return kernel::logistic(x); },
     nullptr,
     -10,
     10},
    {"rsqrt", [](kernel::Scalar x, kernel::Scalar) { return kernel::rsqrt(x); }, nullptr, 0.1, 10}};

#if defined(__x86_64__)
// glibc's vector functions of 512 bits, by their names in libmvec.
void* vector_function(const std::string& name, bool single, int arguments) {
  static void* const library = dlopen("libmvec.so.1", RTLD_LAZY);
  if (!library || !__builtin_cpu_supports("avx512dq")) return nullptr;
  std::string symbol = std::string("_ZGVeN") + (single ? "16" : "8") +
                       (arguments == 2 ? "vv_" : "v_") + name + (single ? "f" : "");
  return dlsym(library, symbol.c_str());
}
[[gnu::target("avx512f")]] void run_vectors(
    void* f, int arguments, const float* x, const float* y, float* z) {
  for (std::int64_t k = 0; k < count; k += 16) {
    __m512 a = _mm512_loadu_ps(x + k);
    _mm512_storeu_ps(
        z + k,
        arguments == 2 ? reinterpret_cast<__m512 (*)(__m512, __m512)>(f)(a, _mm512_loadu_ps(y + k))
                       : reinterpret_cast<__m512 (*)(__m512)>(f)(a));
  }
}
[[gnu::target("avx512f")]] void run_vectors(
    void* f, int arguments, const double* x, const double* y, double* z) {
  for (std::int64_t k = 0; k < count; k += 8) {
    __m512d a = _mm512_loadu_pd(x + k);
    _mm512_storeu_pd(z + k,
                     arguments == 2 ? reinterpret_cast<__m512d (*)(__m512d, __m512d)>(f)(
                                          a, _mm512_loadu_pd(y + k))
                                    : reinterpret_cast<__m512d (*)(__m512d)>(f)(a));
  }
}
#else
void* vector_function(const std::string&, bool, int) { return nullptr; }
template <class T> void run_vectors(void*, int, const T*, const T*, T*) {}
#endif

auto compiled(const Function& f, fx::DType type) {
  kernel::Builder b(f.name);
  auto x = b.buffer(type, kernel::Role::input, count),
       y = b.buffer(type, kernel::Role::input, count);
  auto z = b.buffer(type, kernel::Role::output, count);
  b.parallel({count}, [&](const kernel::Index& i) {
    b.store(
        z, i[0], f.formula(b.load(x, i[0]), f.arguments == 2 ? b.load(y, i[0]) : b.load(x, i[0])));
  });
  return fx::codegen::compile(b.finish());
}

template <class T> void element(benchmark::State& state) {
  const Function& f = functions[state.range(0)];
  constexpr bool single = sizeof(T) == 4;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> draw(f.low, f.high);
  std::vector<T> x(count), y(count), z(count);
  for (T& v : x) v = static_cast<T>(draw(random));
  for (T& v : y) v = static_cast<T>(draw(random));
  double compile_seconds = 1e9, ours = 1e9, vectors = 1e9, scalars = 1e9;
  for (int k = 0; k < 3; ++k) {
    compile_seconds = std::min(compile_seconds, fx::bench::processor_seconds([&] {
                                 compiled(f, single ? fx::float32 : fx::float64);
                               }));
  }
  auto code = compiled(f, single ? fx::float32 : fx::float64);
  void* buffers[] = {x.data(), y.data(), z.data()};
  void* theirs = vector_function(f.name, single, f.arguments);
  auto scalar = [&] {
    for (std::size_t k = 0; k < count; ++k) {
      if constexpr (single) {
        z[k] = f.scalar_single(x[k], y[k]);
      } else {
        z[k] = f.scalar(x[k], y[k]);
      }
    }
  };
  for (auto _ : state) {
    ours = std::min(ours, fx::bench::processor_seconds([&] { fx::codegen::run(*code, buffers); }));
    if (theirs) {
      vectors = std::min(vectors, fx::bench::processor_seconds([&] {
                           run_vectors(theirs, f.arguments, x.data(), y.data(), z.data());
                         }));
    }
    if (f.scalar) scalars = std::min(scalars, fx::bench::processor_seconds(scalar));
    benchmark::ClobberMemory();
  }
  state.SetLabel(f.name);
  state.counters["ns"] = ours / count * 1e9;
  state.counters["compile_ms"] = compile_seconds * 1e3;
  if (theirs) state.counters["libmvec_ns"] = vectors / count * 1e9;
  if (f.scalar) state.counters["scalar_ns"] = scalars / count * 1e9;
}
BENCHMARK(element<float>)->DenseRange(0, std::size(functions) - 1)->Iterations(50);
BENCHMARK(element<double>)->DenseRange(0, std::size(functions) - 1)->Iterations(50);

}  // namespace
