// Whole programs as CUDA C++: fused, scheduled, printed; every step run by the emulation in every
// order of threads on planned memory, against the step's definition and the program's.
#include "codegen/schedule.hpp"
#include "tests/support/cuda_check.hpp"
#include "tests/support/program.hpp"
#include "tests/support/random_program.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

/// The memory of a schedule, and a walk over its steps.
class EmulatedWalk {
 public:
  explicit EmulatedWalk(const GraphRef& graph, const codegen::CudaTarget& target)
      : schedule_(codegen::schedule(optimize(graph))), batch_(target) {
    for (const kernel::Kernel& kernel : schedule_.kernels) batch_.add(kernel);
    usable_ = batch_.size() == 0 || batch_.compile();
  }
  bool usable() const { return usable_; }
  const CudaBatch& batch() const { return batch_; }

  /// The program's results, with every kernel's outputs checked on the way.
  HostArrays run(const HostArrays& inputs, ThreadOrder order) {
    std::vector<std::vector<unsigned char>> arguments, results;
    for (const HostArray& a : inputs) {
      arguments.emplace_back(a.bytes.size() + 64);
      std::memcpy(aligned(arguments.back()), a.bytes.data(), bytes_of(a.type));
    }
    for (const auto& result : schedule_.results) results.emplace_back(result.bytes + 64);
    std::vector<unsigned char> arena(schedule_.arena_bytes + 64);
    std::vector<unsigned char*> memory;
    for (const codegen::Slot& slot : schedule_.slots) {
      const auto index = static_cast<std::size_t>(slot.index);
      memory.push_back(slot.where == codegen::Slot::Where::argument ? aligned(arguments[index])
                       : slot.where == codegen::Slot::Where::result ? aligned(results[index])
                                                                    : aligned(arena) + slot.offset);
    }
    for (const codegen::Step& step : schedule_.steps) run_step(step, memory, order);
    HostArrays out;
    for (std::size_t k = 0; k < results.size(); ++k) {
      const codegen::Result& result = schedule_.results[k];
      const auto index = static_cast<std::size_t>(result.index);
      const unsigned char* from =
          result.from == codegen::Result::From::computed ? aligned(results[k])
          : result.from == codegen::Result::From::result ? aligned(results[index])
                                                         : aligned(arguments[index]);
      out.emplace_back(schedule_.graph->type(schedule_.graph->outputs()[k]));
      std::memcpy(out.back().bytes.data(), from, bytes_of(out.back().type));
    }
    return out;
  }

 private:
  static unsigned char* aligned(std::vector<unsigned char>& bytes) {
    return bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64;
  }
  void run_step(const codegen::Step& step,
                const std::vector<unsigned char*>& memory,
                ThreadOrder order) {
    std::vector<void*> buffers;
    for (const auto* slots : {&step.inputs, &step.outputs})
      for (std::int32_t slot : *slots) buffers.push_back(memory[static_cast<std::size_t>(slot)]);
    if (step.kernel >= 0) return run_kernel(static_cast<std::size_t>(step.kernel), buffers, order);
    void* const* outputs = buffers.data() + step.inputs.size();
    if (step.kind == codegen::Cut::Kind::copy) {
      const auto to = static_cast<std::size_t>(step.outputs[0]);
      std::memmove(outputs[0], buffers[0], schedule_.slots[to].bytes);
      return;
    }
    if (step.leaf) {
      void* scratch = step.scratch < 0 ? nullptr : memory[static_cast<std::size_t>(step.scratch)];
      return step.leaf->run(buffers.data(), outputs, scratch);
    }
    const Graph& graph = *schedule_.graph;
    const Operation& o = graph.operations()[static_cast<std::size_t>(step.operation)];
    std::vector<ConstTensor> in;
    std::vector<Tensor> out;
    for (std::size_t k = 0; k < o.operands.size(); ++k)
      in.push_back({graph.type(o.operands[k]), buffers[k]});
    for (std::int32_t k = 0; k < o.result_count; ++k)
      out.push_back({graph.type(o.first_result + k), outputs[k]});
    codegen::interpret(o.op, in, out);
  }
  void run_kernel(std::size_t k, const std::vector<void*>& buffers, ThreadOrder order) {
    const kernel::Kernel& kernel = batch_.kernel(k);
    // The definition runs on memory of its own, where nothing overlaps.
    const CudaArrays expected = CudaBatch::arrays(kernel, {});
    CudaArrays actual = CudaBatch::arrays(kernel, {});
    for (std::size_t b = 0; b < expected.size(); ++b)
      if (expected[b].size()) std::memcpy(expected[b].at(0), buffers[b], expected[b].size());
    interpret(kernel, CudaBatch::memory(expected));
    const std::string error = batch_.run(k, buffers, order);
    INFO(kernel::to_string(kernel) << batch_.source(k).text);
    REQUIRE(error == "");
    for (std::size_t b = 0; b < actual.size(); ++b) {
      // An input may have become an output's memory.
      const bool input = kernel.buffers[b].role == kernel::Role::input;
      const void* from = input ? static_cast<const void*>(expected[b].memory->data()) : buffers[b];
      if (actual[b].size()) std::memcpy(actual[b].at(0), from, actual[b].size());
    }
    REQUIRE(first_difference(actual, expected) == "");
  }

  codegen::Schedule schedule_;
  CudaBatch batch_;
  bool usable_ = false;
};

void check_program(const Types& inputs, const ProgramFunction& function) {
  const GraphRef graph = program(inputs, function);
  const HostArrays arrays = random_arrays(inputs, 11);
  EmulatedWalk walk(graph, small_target);
  if (!walk.usable()) return;
  REQUIRE(walk.batch().size() > 0);
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
    EmulatedWalk walk(graph, seed % 2 ? small_target : codegen::CudaTarget{});
    if (!walk.usable()) return;
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
    WARN(kernel.name << ": " << first.milliseconds << " ms, " << first.bytes << " bytes");
  }
}
