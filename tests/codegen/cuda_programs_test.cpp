// Whole programs as CUDA C++: fused, scheduled, printed; every step run by the emulation in every
// order of threads on planned memory, against the step's definition and the program's.
#include "tests/support/cuda_walk.hpp"
#include "tests/support/random_program.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

void check_program(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 11);
  EmulatedKernels kernels(small_target);
  EmulatedWalk walk(graph, kernels);
  REQUIRE(kernels.batch().size() > 0);
  if (!kernels.batch().compile()) return;
  const HostArrays expected = interpreted(*graph, arrays);
  for (const ThreadOrder order : orders(true))
    CHECK(difference(walk.run(arrays, order), expected) == "");
}

Type f32(const Shape& shape) { return {shape, float32}; }

}  // namespace

TEST_CASE("softmax and layer normalisation run as CUDA kernels, by warps and blocks") {
  for (std::int64_t columns : {10, 100, 1500}) {
    check_program({f32({6, columns}), f32({columns})}, [](const ArrayList& x) {
      const Array mean = fx::mean(x[0], 1, true);
      const Array centred = x[0] - mean;
      const Array variance = fx::mean(centred * centred, 1, true);
      return ArrayList{fx::softmax(x[0], 1), centred / fx::sqrt(variance + 1e-5f) * x[1]};
    });
  }
}

TEST_CASE("a step of training runs as CUDA kernels") {
  check_program({f32({20, 12}), f32({12, 30}), f32({30}), f32({30, 5}), f32({20, 5})},
                [](const ArrayList& x) {
                  const auto loss = [&](const Array& w, const Array& b, const Array& v) {
                    const Array h = fx::tanh(fx::matmul(x[0], w) + b);
                    const Array logits = fx::matmul(h, v);
                    return -fx::mean(fx::sum(fx::log_softmax(logits, 1) * x[4], 1));
                  };
                  const auto [w, b, v] = fx::grad<0, 1, 2>(loss)(x[1], x[2], x[3]);
                  return ArrayList{
                      loss(x[1], x[2], x[3]), x[1] - 0.1f * w, x[2] - 0.1f * b, x[3] - 0.1f * v};
                });
}

TEST_CASE("moves, strides and reductions of columns run as CUDA kernels") {
  check_program({f32({17, 40}), f32({40})}, [](const ArrayList& x) {
    return ArrayList{fx::transpose(x[0]) * 2.0f,
                     fx::flip(x[0], 1) + x[1],
                     fx::sum(x[0], 0),
                     fx::max(fx::exp(x[0]), 0),
                     fx::argmax(x[0], 1),
                     fx::cumsum(x[0], 1)};
  });
}

TEST_CASE("random numbers, gathers, scatters and windows run as CUDA kernels") {
  check_program({{{2}, uint32}}, [](const ArrayList& x) {
    return ArrayList{fx::random::bits(x[0], {333}), fx::random::normal(x[0], {40, 7})};
  });
  check_program({f32({9, 20}), {{30}, int32}, f32({30, 20})}, [](const ArrayList& x) {
    return ArrayList{fx::take(x[0], x[1], 0),
                     x[0].at({x[1]}).add(x[2]),
                     x[0].at({x[1]}).set(x[2]),
                     x[0].at({x[1]}).max(x[2])};
  });
  check_program(
      {f32({2, 9, 9, 3}), {{2, 3, 8, 8}, int32}, {{4, 3, 3, 3}, int32}}, [](const ArrayList& x) {
        return ArrayList{fx::max_pool(x[0], {2, 2}), fx::lax::conv_general_dilated(x[1], x[2])};
      });
}

TEST_CASE("random programs run as CUDA kernels") {
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    const GraphRef graph = RandomProgram(seed).make(14);
    const HostArrays arrays = random_arrays(graph->input_types(), seed);
    INFO(to_string(*graph));
    EmulatedKernels kernels(seed % 2 ? small_target : codegen::CudaTarget{});
    EmulatedWalk walk(graph, kernels);
    if (kernels.batch().size() > 0 && !kernels.batch().compile()) return;
    const HostArrays expected = interpreted(*graph, arrays);
    for (const ThreadOrder order : {ThreadOrder::reverse, ThreadOrder::greedy})
      CHECK(difference(walk.run(arrays, order), expected) == "");
  }
}

TEST_CASE("how long NVRTC takes for a kernel", "[.measure]") {
  const GraphRef graph = program({f32({64, 1000}), f32({1000})}, [](const ArrayList& x) {
    return ArrayList{fx::softmax(x[0], 1), fx::tanh(x[0] * x[1]), fx::sum(x[0], 0)};
  });
  for (const kernel::Kernel& kernel : codegen::schedule(optimize(graph)).kernels) {
    const codegen::CudaSource source = codegen::cuda_source(kernel, "k");
    const NvrtcResult first = compile_nvrtc(codegen::cuda_program({&source, 1}));
    WARN(kernel.name << ": " << first.milliseconds << " ms, " << first.machine_code.size()
                     << " bytes");
  }
}
