// How close do prepared convolutions, which arrive in NCHW, come to oneDNN's best layout by hand?
#include "bench/timing.hpp"
#include "codegen/leaf.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

namespace fx = fluxion;
using fx::ConvolutionSpec;
using Pass = ConvolutionSpec::Pass;

namespace {

struct Problem {
  std::int64_t batch, in_channels, out_channels, size, window, stride;
  std::int64_t pad() const { return window / 2; }
  std::int64_t out_size() const { return (size + 2 * pad() - window) / stride + 1; }
  double flops() const {
    return 2.0 * static_cast<double>(batch * in_channels * out_channels) *
           static_cast<double>(window * window) * static_cast<double>(out_size() * out_size());
  }
};
constexpr Problem problems[] = {{8, 64, 64, 56, 3, 1},
                                {8, 256, 256, 14, 3, 1},
                                {8, 3, 64, 224, 7, 2},
                                {64, 1, 32, 28, 5, 1},
                                {64, 32, 64, 14, 3, 1}};

/// The forward primitive on channels-last data that is already in place, weights in the library's
/// own format.
class ForwardByHand {
 public:
  explicit ForwardByHand(const Problem& p) {
    using Tag = dnnl::memory::format_tag;
    constexpr auto f32 = dnnl::memory::data_type::f32;
    const dnnl::memory::desc in({p.batch, p.in_channels, p.size, p.size}, f32, Tag::nhwc);
    const dnnl::memory::desc weights(
        {p.out_channels, p.in_channels, p.window, p.window}, f32, Tag::any);
    const dnnl::memory::desc out(
        {p.batch, p.out_channels, p.out_size(), p.out_size()}, f32, Tag::nhwc);
    const dnnl::memory::dims stride(2, p.stride), holes(2, 0), pad(2, p.pad());
    using Forward = dnnl::convolution_forward;
    constexpr auto kind = dnnl::prop_kind::forward_inference;
    constexpr auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
    const Forward::primitive_desc pd(
        engine_, kind, direct, in, weights, out, stride, holes, pad, pad);
#else
    const Forward::primitive_desc pd(
        Forward::desc(kind, direct, in, weights, out, stride, holes, pad, pad), engine_);
#endif
    primitive_ = Forward(pd);
    arguments_ = {{DNNL_ARG_SRC, dnnl::memory(pd.src_desc(), engine_)},
                  {DNNL_ARG_WEIGHTS, dnnl::memory(pd.weights_desc(), engine_)},
                  {DNNL_ARG_DST, dnnl::memory(pd.dst_desc(), engine_)}};
    for (auto& [name, memory] : arguments_) {
      auto* data = static_cast<std::byte*>(memory.get_data_handle());
      std::fill_n(data, memory.get_desc().get_size(), std::byte{0});
    }
  }
  void run() { primitive_.execute(stream_, arguments_); }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

ConvolutionSpec specification(const Problem& p, Pass pass, bool last) {
  ConvolutionSpec s;
  s.pass = pass;
  s.batch = p.batch, s.in_channels = p.in_channels, s.out_channels = p.out_channels;
  s.in_size = {p.size, p.size}, s.window = {p.window, p.window};
  s.out_size = {p.out_size(), p.out_size()};
  s.stride = {p.stride, p.stride}, s.dilation = {1, 1};
  s.pad_low = s.pad_high = {p.pad(), p.pad()};
  const auto strides = [&](std::int64_t channels, std::int64_t size) {
    return last ? std::vector<std::int64_t>{channels * size * size, 1, channels * size, channels}
                : std::vector<std::int64_t>{channels * size * size, size * size, size, 1};
  };
  s.in_strides = strides(p.in_channels, p.size);
  s.out_strides = strides(p.out_channels, p.out_size());
  s.weight_strides = {p.in_channels * p.window * p.window, p.window * p.window, p.window, 1};
  return s;
}

void convolution(benchmark::State& state, Pass pass, bool last) {
  const Problem& p = problems[state.range(0)];
  fx::runtime::set_num_threads(1);
  fx::bench::set_openmp_threads(1);
  const auto leaf = fx::codegen::prepare(specification(p, pass, last));
  if (!leaf) return state.SkipWithError("the library refuses");
  const auto count = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  std::vector<float> in(count(p.batch * p.in_channels * p.size * p.size));
  std::vector<float> out(count(p.batch * p.out_channels * p.out_size() * p.out_size()));
  std::vector<float> weights(count(p.in_channels * p.out_channels * p.window * p.window));
  std::vector<std::byte> scratch(leaf->scratch_bytes() + 64);
  const auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
  void* const aligned = scratch.data() + (64 - address % 64) % 64;
  const void* operands[] = {pass == Pass::backward_data ? out.data() : in.data(),
                            pass == Pass::backward_weights ? out.data() : weights.data()};
  void* results[] = {pass == Pass::forward         ? out.data()
                     : pass == Pass::backward_data ? in.data()
                                                   : weights.data()};
  ForwardByHand hand(p);
  double ours = 1e9, theirs = 1e9;
  for (auto _ : state) {
    ours = std::min(ours,
                    fx::bench::processor_seconds([&] { leaf->run(operands, results, aligned); }));
    if (pass == Pass::forward)
      theirs = std::min(theirs, fx::bench::processor_seconds([&] { hand.run(); }));
  }
  state.counters["gflops"] = p.flops() / ours / 1e9;
  if (pass == Pass::forward) {
    state.counters["gflops_by_hand"] = p.flops() / theirs / 1e9;
    state.counters["ratio_best"] = theirs / ours;
  }
  state.SetLabel(leaf->description());
}
BENCHMARK_CAPTURE(convolution, forward_nchw, Pass::forward, false)
    ->DenseRange(0, 4)
    ->Iterations(20);
BENCHMARK_CAPTURE(convolution, forward_nhwc, Pass::forward, true)->DenseRange(0, 4)->Iterations(20);
BENCHMARK_CAPTURE(convolution, data_nchw, Pass::backward_data, false)
    ->DenseRange(0, 4)
    ->Iterations(20);
BENCHMARK_CAPTURE(convolution, weights_nchw, Pass::backward_weights, false)
    ->DenseRange(0, 4)
    ->Iterations(20);

}  // namespace
