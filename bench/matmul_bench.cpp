// How close does a prepared matrix product come to oneDNN called by hand, on one thread and on all?
#include "bench/timing.hpp"
#include "codegen/leaf.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdint>
#include <dnnl.hpp>
#include <thread>
#include <vector>

namespace fx = fluxion;

namespace {

/// The library's own primitive under OpenMP, with everything made before.
class ByHand {
 public:
  ByHand(std::int64_t n, fx::DType dtype, void* a, void* b, void* c) {
    const auto type =
        dtype == fx::float32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
    const dnnl::memory::desc desc({n, n}, type, dnnl::memory::format_tag::ab);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc pd(engine_, desc, desc, desc, attributes);
#else
    const dnnl::matmul::primitive_desc pd(
        dnnl::matmul::desc(desc, desc, desc), attributes, engine_);
#endif
    primitive_ = dnnl::matmul(pd);
    for (void* data : {a, b, c}) memories_.emplace_back(desc, engine_, data);
    memories_.emplace_back(pd.scratchpad_desc(), engine_);
    const int names[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};
    for (std::size_t i = 0; i < 4; ++i) arguments_.push_back({names[i], memories_[i].get()});
  }
  void run() { dnnl_primitive_execute(primitive_.get(), stream_.get(), 4, arguments_.data()); }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

double median(std::vector<double> times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}
double least(const std::vector<double>& times) {
  return *std::min_element(times.begin(), times.end());
}

/// Both take turns in one loop, so that a noisy machine disturbs both; ratios above 1 mean faster
/// than by hand.
void matmul(benchmark::State& state, fx::DType dtype) {
  const std::int64_t n = state.range(0);
  const int threads = static_cast<int>(state.range(1));
  fx::runtime::set_num_threads(threads);
  fx::bench::set_openmp_threads(threads);
  const auto elements = static_cast<std::size_t>(n * n);
  std::vector<float> a(elements), b(elements), c(elements), d(elements);
  fx::MatmulSpec spec;
  spec.dtype = spec.result = dtype;
  spec.m = spec.n = spec.k = n;
  for (auto* strides : {&spec.a_strides, &spec.b_strides, &spec.c_strides}) {
    (*strides)[1] = n;
    (*strides)[2] = 1;
  }
  const auto leaf = fx::codegen::prepare(spec);
  if (!leaf) return state.SkipWithError("this processor has no such products");
  ByHand hand(n, dtype, a.data(), b.data(), d.data());
  std::vector<std::byte> scratch(leaf->scratch_bytes() + 64);
  const auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
  void* const aligned = scratch.data() + (64 - address % 64) % 64;
  const void* in[] = {a.data(), b.data()};
  void* out[] = {c.data()};
  const int repeats = n < 1024 ? 20 : 2;
  std::vector<double> ours, theirs;
  for (auto _ : state) {
    const auto turn = [&](std::vector<double>& times, auto&& call) {
      if (threads > 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        // Until the system has spread the woken threads over the processors.
        for (double spent = 0; spent < 0.02;) spent += fx::bench::seconds(call);
      }
      for (int i = 0; i < repeats; ++i)
        times.push_back(threads > 1 ? fx::bench::seconds(call)
                                    : fx::bench::processor_seconds(call));
    };
    turn(ours, [&] { leaf->run(in, out, aligned); });
    turn(theirs, [&] { hand.run(); });
    state.SetIterationTime(repeats * ours.back());
  }
  const double flops =
      2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
  state.counters["ratio_median"] = median(theirs) / median(ours);
  state.counters["ratio_best"] = least(theirs) / least(ours);
  state.counters["gflops"] = flops / median(ours) / 1e9;
  state.counters["gflops_by_hand"] = flops / median(theirs) / 1e9;
}
const std::vector<std::vector<std::int64_t>> sizes = {{4, 16, 64, 128, 256, 512, 1024, 2048},
                                                      {1, 2}};
BENCHMARK_CAPTURE(matmul, f32, fx::float32)
    ->ArgNames({"n", "threads"})
    ->ArgsProduct(sizes)
    ->UseManualTime()
    ->Iterations(10);
BENCHMARK_CAPTURE(matmul, bf16, fx::bfloat16)
    ->ArgNames({"n", "threads"})
    ->ArgsProduct(sizes)
    ->UseManualTime()
    ->Iterations(10);

}  // namespace
