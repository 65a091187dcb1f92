// What the emulation is too slow for: programs of real sizes with the mappings of a whole GPU, and
// how fast their kernels are. Only where there is one.
#include "tests/support/cuda_walk.hpp"

#include <cstdio>
#include <numeric>

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

Type f32(const Shape& shape) { return {shape, float32}; }

bool no_gpu() {
  if (!GpuProgram::available()) WARN("no GPU: nothing is run");
  return !GpuProgram::available();
}

/// Kernels of whole-GPU mappings against their definition, and the program against the interpreter.
void check_program(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 11);
  EmulatedKernels kernels{codegen::CudaTarget{}};
  EmulatedWalk walk(graph, kernels);
  REQUIRE(kernels.batch().size() > 0);
  REQUIRE(kernels.batch().compile());
  CHECK(difference(walk.run(arrays, ThreadOrder::forward), interpreted(*graph, arrays)) == "");
}

struct Speed {
  const char* name;
  Types inputs;
  ProgramFunction function;
};

const std::vector<Speed>& speeds() {
  static const Type big = f32({1 << 26}), wide = f32({16384, 4096}), rows = f32({16384, 1024});
  static const std::vector<Speed> all{
      {"chain of 10, 256 MB",
       {big},
       [](const ArrayList& x) {
         Array y = x[0];
         for (int k = 0; k < 5; ++k) y = y * 1.01f + 0.5f;
         return ArrayList{y};
       }},
      {"sum, 256 MB", {big}, [](const ArrayList& x) { return ArrayList{fx::sum(x[0])}; }},
      {"row sums 16384x4096",
       {wide},
       [](const ArrayList& x) { return ArrayList{fx::sum(x[0], 1)}; }},
      {"column sums 16384x4096",
       {wide},
       [](const ArrayList& x) { return ArrayList{fx::sum(x[0], 0)}; }},
      {"softmax 16384x1024",
       {rows},
       [](const ArrayList& x) { return ArrayList{fx::softmax(x[0], -1)}; }},
      {"layernorm 16384x1024",
       {rows},
       [](const ArrayList& x) {
         const Array d = x[0] - fx::mean(x[0], -1, true);
         return ArrayList{d * fx::rsqrt(fx::mean(d * d, -1, true) + 1e-5f)};
       }},
      {"transpose 8192x8192",
       {f32({8192, 8192})},
       [](const ArrayList& x) { return ArrayList{fx::transpose(x[0]) * 2.f}; }},
      {"random bits, 256 MB", {{{2}, uint32}}, [](const ArrayList& x) {
         return ArrayList{fx::random::bits(x[0], {1 << 26})};
       }}};
  return all;
}

}  // namespace

TEST_CASE("elementwise programs of real sizes run on the GPU", "[gpu]") {
  if (no_gpu()) return;
  check_program({f32({300001}), f32({300001})}, [](const ArrayList& x) {
    return ArrayList{fx::tanh(x[0] * 2 + x[1]) / (1 + fx::exp(x[1])), fx::sin(x[0])};
  });
  check_program({{{70000}, bfloat16}, {{70000}, float64}}, [](const ArrayList& x) {
    return ArrayList{fx::gelu(x[0]), fx::logaddexp(x[1], x[1] * 3)};
  });
  check_program({f32({700, 500})}, [](const ArrayList& x) {
    return ArrayList{fx::transpose(x[0]) * 2, fx::flip(x[0], 1) + 1};
  });
}

TEST_CASE("reductions of real sizes run on the GPU", "[gpu]") {
  if (no_gpu()) return;
  check_program({f32({1000, 777})}, [](const ArrayList& x) {
    return ArrayList{fx::sum(x[0]), fx::sum(x[0], 0), fx::max(x[0], 1), fx::argmax(x[0], 0)};
  });
  check_program({f32({3000, 130})}, [](const ArrayList& x) {
    return ArrayList{fx::softmax(x[0], -1), fx::var(x[0], -1), fx::cumsum(x[0], 0)};
  });
  check_program({f32({260, 1024}), f32({1024}), f32({260, 1024})}, [](const ArrayList& x) {
    const auto f = [&](const Array& a, const Array& g) {
      const Array d = a - fx::mean(a, -1, true);
      return fx::sum(d * fx::rsqrt(fx::mean(d * d, -1, true) + 1e-5f) * g * x[2]);
    };
    const auto [da, dg] = fx::grad<0, 1>(f)(x[0], x[1]);
    return ArrayList{da, dg};
  });
}

TEST_CASE("indexing of real sizes runs on the GPU", "[gpu]") {
  if (no_gpu()) return;
  check_program({f32({2000, 64}), {{3000}, int32}, f32({3000, 64})}, [](const ArrayList& x) {
    return ArrayList{fx::take(x[0], x[1], 0), x[0].at({x[1]}).add(x[2])};
  });
}

TEST_CASE("sorts of real sizes run on the GPU", "[gpu]") {
  if (no_gpu()) return;
  check_program({f32({40, 700})}, [](const ArrayList& x) {
    return ArrayList{fx::sort(x[0], 1), fx::argsort(x[0], 1)};
  });
}

TEST_CASE("products of real sizes run on the GPU", "[gpu]") {
  if (no_gpu()) return;
  check_program({f32({130, 200}), f32({200, 170})},
                [](const ArrayList& x) { return ArrayList{fx::matmul(x[0], x[1])}; });
}

TEST_CASE("random numbers of real sizes run on the GPU", "[gpu]") {
  if (no_gpu()) return;
  check_program({{{2}, uint32}}, [](const ArrayList& x) {
    return ArrayList{fx::random::normal(x[0], {300, 700}), fx::random::uniform(x[0], {100001})};
  });
}

TEST_CASE("how fast kernels are on the GPU", "[.measure][gpu]") {
  if (no_gpu()) return;
  std::printf("%s\n", GpuProgram::device().c_str());
  for (const Speed& speed : speeds()) {
    const GraphRef graph = optimize(program(speed.inputs, speed.function));
    const codegen::Schedule schedule = codegen::schedule(graph, codegen::Libraries::none);
    CudaBatch batch;
    for (const kernel::Kernel& kernel : schedule.kernels) batch.add(kernel);
    REQUIRE(batch.compile());
    double microseconds = 0, bytes = 0;
    for (const Type& type : graph->input_types()) bytes += static_cast<double>(bytes_of(type));
    for (ValueId v : graph->outputs()) bytes += static_cast<double>(bytes_of(graph->type(v)));
    for (std::size_t k = 0; k < batch.size(); ++k) {
      const CudaArrays arrays = CudaBatch::arrays(batch.kernel(k), {});
      microseconds += batch.gpu_microseconds(k, CudaBatch::memory(arrays), 20);
    }
    std::printf("%-24s %zu kernels %10.1f us %8.1f GB/s, NVRTC %.1f ms\n",
                speed.name,
                batch.size(),
                microseconds,
                bytes / microseconds / 1e3,
                batch.nvrtc_milliseconds());
  }
}
