// Steps over planned memory: reuse, donation, results, programs and kernels that are compiled once.
#include "codegen/schedule.hpp"

#include "codegen/group_key.hpp"
#include "codegen/plan.hpp"
#include "runtime/kernel_cache.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "tests/support/random_program.hpp"

#include <cmath>
#include <random>
#include <set>
#include <thread>

using namespace fluxion;
using namespace fluxion::test;

namespace fx = fluxion;

namespace {

const Type vector{{1000}, float32}, matrix{{64, 64}, float32};

detail::Ref<Buffer> filled(std::size_t count, float value) {
  const detail::Ref<Buffer> buffer = allocate(count * sizeof(float));
  std::fill_n(static_cast<float*>(buffer->data()), count, value);
  return buffer;
}
float first(const detail::Ref<Buffer>& buffer) {
  return *static_cast<const float*>(buffer->data());
}

/// Runs a program of vectors of 1000 floats that are given away, or not.
std::vector<detail::Ref<Buffer>> run_on(const GraphRef& graph,
                                        const std::vector<detail::Ref<Buffer>>& inputs,
                                        bool donated) {
  std::vector<Argument> arguments;
  for (const auto& buffer : inputs) arguments.push_back({buffer->data(), buffer.raw(), donated});
  std::vector<detail::Ref<Buffer>> results(graph->outputs().size());
  compile(graph)->run(arguments, results);
  return results;
}

}  // namespace

TEST_CASE("values that live at the same time never overlap in a plan, others share memory") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<codegen::Lifetime> lives;
    std::size_t all = 0;
    for (int k = 0; k < 40; ++k) {
      const auto a = static_cast<std::int32_t>(random() % 60),
                 length = static_cast<std::int32_t>(random() % 8);
      lives.push_back({random() % 5000, a, a + length});
      all += lives.back().bytes;
    }
    const codegen::MemoryPlan plan = codegen::plan_memory(lives);
    for (std::size_t i = 0; i < lives.size(); ++i) {
      REQUIRE(plan.offsets[i] % codegen::plan_alignment == 0);
      REQUIRE(plan.offsets[i] + lives[i].bytes <= plan.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
        const bool apart = plan.offsets[i] + lives[i].bytes <= plan.offsets[j] ||
                           plan.offsets[j] + lives[j].bytes <= plan.offsets[i];
        REQUIRE((!together || apart || lives[i].bytes == 0 || lives[j].bytes == 0));
      }
    }
    CHECK(plan.bytes < all);
    CHECK(plan.bytes >= codegen::most_alive(lives));
  }
}

TEST_CASE("a chain of values needs the memory of two of them") {
  std::vector<codegen::Lifetime> lives;
  for (std::int32_t k = 0; k < 20; ++k) lives.push_back({1024, k, k + 1});
  CHECK(codegen::plan_memory(lives).bytes == 2048);
  CHECK(codegen::most_alive(lives) == 2048);
}

TEST_CASE("values are placed in the order that needs the least memory") {
  // The largest first would take seven: its second and third share no step with the first.
  const std::vector<codegen::Lifetime> lives{
      {2048, 1, 4}, {3072, 2, 5}, {2048, 0, 1}, {3072, 0, 0}};
  CHECK(codegen::most_alive(lives) == 5120);
  CHECK(codegen::plan_memory(lives).bytes == 5120);
}

TEST_CASE("what frees memory runs before what takes more") {
  // Six large products are recorded before the first of them is read.
  const std::int64_t n = 256;
  Types inputs(7, {{n, n}, float32});
  inputs.push_back({{n, 1}, float32});
  const GraphRef graph = program(inputs, [](const ArrayList& x) {
    ArrayList large, small;
    for (int k = 0; k < 6; ++k) large.push_back(fx::matmul(x[0], x[k + 1]));
    for (const Array& a : large) small.push_back(fx::matmul(a, x[7]));
    return small;
  });
  const std::size_t one = 4 * n * n;
  CHECK(compile(graph)->memory().alive < 3 * one);
  HostArrays arrays = random_arrays(graph->input_types(), 1);
  for (HostArray& array : arrays)  // whole numbers: every order of summation is exact
    for (std::size_t i = 0; i < array.count(); ++i)
      array.element<float>(i) = std::round(2 * array.element<float>(i));
  CHECK(difference(compiled(graph, arrays), interpreted(*graph, arrays)) == "");
}

TEST_CASE("branches of which one runs share their memory") {
  const std::int64_t n = 128;
  const auto branch = [](Array x) { return fx::matmul(fx::matmul(fx::matmul(x, x), x), x); };
  const auto temporaries = [&](auto f) {
    const GraphRef graph = program({{{n, n}, float32}, {{}, int32}}, [&](const ArrayList& x) {
      return ArrayList{f(x[0] * 0.05f, x[1])};
    });
    const HostArrays inputs = random_arrays(graph->input_types(), 1);
    CHECK(difference(compiled(graph, inputs), interpreted(*graph, inputs)) == "");
    return compile(graph)->memory().temporaries;
  };
  const std::size_t two = temporaries([&](Array x, Array k) {
    return fx::switch_case(k, std::tuple{branch, [](Array x) { return fx::tanh(x); }}, x);
  });
  const std::size_t four = temporaries([&](Array x, Array k) {
    return fx::switch_case(k, std::tuple{branch, branch, branch, branch}, x);
  });
  CHECK(two >= 4 * n * n);
  CHECK(four < two + 4 * n * n);
}

TEST_CASE("a value that dies where it is read at its own place gives its memory to the result") {
  // Three products with an elementwise kernel between each two: it works in place.
  const GraphRef graph = program({matrix}, [](const ArrayList& x) {
    Array y = x[0];
    for (int k = 0; k < 3; ++k) y = fx::tanh(fx::matmul(y, x[0]));
    return ArrayList{fx::matmul(y, x[0])};
  });
  const codegen::Schedule s = codegen::schedule(optimize(graph));
  std::size_t in_place = 0;
  for (const codegen::Step& step : s.steps) {
    if (step.kind != codegen::Cut::Kind::kernel || step.inputs.size() != 1) continue;
    in_place += s.slots[static_cast<std::size_t>(step.inputs[0])].offset ==
                s.slots[static_cast<std::size_t>(step.outputs[0])].offset;
  }
  CHECK(in_place == 3);
  const HostArrays inputs = random_arrays(graph->input_types(), 1);
  CHECK(difference(compiled(graph, inputs), interpreted(*graph, inputs)) == "");
}

TEST_CASE("a donated argument becomes the result that is computed from it element by element") {
  const GraphRef graph =
      program({vector, vector}, [](const ArrayList& x) { return ArrayList{x[0] - 0.5f * x[1]}; });
  const auto w = filled(1000, 3), g = filled(1000, 2);
  const auto results = run_on(graph, {w, g}, true);
  CHECK(results[0].raw() == w.raw());
  CHECK(first(results[0]) == 2);
  const auto kept = run_on(graph, {w, g}, false);
  CHECK(kept[0].raw() != w.raw());
  CHECK(kept[0].raw() != g.raw());
  CHECK(first(kept[0]) == 1);
  CHECK(first(w) == 2);
}

TEST_CASE("a donated argument that is read elsewhere, or later, keeps its values") {
  const GraphRef moved =
      program({vector}, [](const ArrayList& x) { return ArrayList{fx::flip(x[0], 0)}; });
  const auto x = filled(1000, 1);
  static_cast<float*>(x->data())[0] = 5;
  const auto flipped = run_on(moved, {x}, true);
  CHECK(flipped[0].raw() != x.raw());
  CHECK(static_cast<float*>(flipped[0]->data())[999] == 5);

  const GraphRef later = program({vector}, [](const ArrayList& x) {
    const Array y = x[0] * 2;
    return ArrayList{y, fx::sum(y * fx::flip(x[0], 0))};
  });
  const auto results = run_on(later, {filled(1000, 1)}, true);
  CHECK(first(results[0]) == 2);
  CHECK(first(results[1]) == 2000);
}

TEST_CASE("results that are arguments or other results share their memory") {
  const GraphRef graph = program({vector}, [](const ArrayList& x) {
    const Array y = x[0] + 1;
    return ArrayList{x[0], y, fx::reshape(y, {10, 100}), fx::reshape(x[0], {1000, 1})};
  });
  const auto x = filled(1000, 4);
  const auto results = run_on(graph, {x}, false);
  CHECK(results[0].raw() == x.raw());
  CHECK(results[3].raw() == x.raw());
  CHECK(results[1].raw() == results[2].raw());
  CHECK(first(results[2]) == 5);
}

TEST_CASE("equal programs are compiled once, also when many threads ask at the same time") {
  const auto make = [] {
    return program({{{77}, float32}},
                   [](const ArrayList& x) { return ArrayList{fx::sin(x[0]) * 3 - 7}; });
  };
  const GraphRef graphs[] = {make(), make(), make(), make()};
  const std::uint64_t before = compiled_programs();
  detail::Ref<const Executable> programs[4];
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k) threads.emplace_back([&, k] { programs[k] = compile(graphs[k]); });
  for (std::thread& thread : threads) thread.join();
  CHECK(compiled_programs() == before + 1);
  for (const auto& p : programs) CHECK(p.raw() == programs[0].raw());
}

TEST_CASE("kernels of the same structure are compiled once, in whatever program they are") {
  const Type odd{{123}, float32};
  compile(program({odd}, [](const ArrayList& x) { return ArrayList{fx::cos(x[0]) * 11}; }));
  const std::uint64_t before = runtime::compiled_kernels();
  // The same kernel between two reductions, and on another shape with as many elements.
  compile(program({{{3, 41}, float32}},
                  [](const ArrayList& x) { return ArrayList{fx::cos(x[0]) * 11}; }));
  CHECK(runtime::compiled_kernels() == before);
}

TEST_CASE("groups with equal keys have the same kernel") {
  const auto kernels = [](const GraphRef& graph) {
    std::vector<codegen::Group> groups;
    const codegen::Schedule schedule = codegen::schedule(graph, codegen::Libraries::none);
    for (const codegen::Cut& cut : schedule.cuts)
      if (cut.kind == codegen::Cut::Kind::kernel && !cut.kernel && !cut.group.outputs.empty())
        groups.push_back(cut.group);
    return groups;
  };
  std::size_t equal = 0;
  const auto check = [&](const GraphRef& graph) {
    const std::vector<codegen::Group> groups = kernels(graph);
    for (std::size_t i = 0; i < groups.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) {
        if (!(codegen::GroupKey(*graph, groups[i]) == codegen::GroupKey(*graph, groups[j])))
          continue;
        ++equal;
        CHECK(codegen::GroupKey(*graph, groups[i]).hash() ==
              codegen::GroupKey(*graph, groups[j]).hash());
        CHECK(same_structure(codegen::lower(*graph, groups[i]), codegen::lower(*graph, groups[j])));
      }
  };
  // Layers whose products are kernels of their own: two kernels each, equal but for the last.
  const GraphRef layers = optimize(program({matrix}, [](const ArrayList& x) {
    Array y = x[0];
    for (int k = 0; k < 6; ++k) y = fx::tanh(fx::matmul(y, y)) * (k < 5 ? 0.5f : 0.25f);
    return ArrayList{y};
  }));
  check(layers);
  CHECK(equal >= 3 + 2 + 1);
  CHECK(codegen::schedule(layers, codegen::Libraries::none).kernels.size() <= 4);
  for (std::uint32_t seed = 0; seed < 60; ++seed) check(optimize(RandomProgram(seed).make(60)));
}

TEST_CASE(
    "zeros that many kernels compare with are never in memory, and equal products are one call") {
  const GraphRef graph = optimize(program({matrix, matrix}, [](const ArrayList& x) {
    Array y = x[0];
    for (int k = 0; k < 7; ++k) y = fx::relu(fx::matmul(y, x[1]));
    return ArrayList{fx::exp(y)};
  }));
  const codegen::Schedule schedule = codegen::schedule(graph);
  std::set<const codegen::PreparedLeaf*> calls;
  std::size_t products = 0;
  for (const codegen::Step& step : schedule.steps) {
    if (step.kind == codegen::Cut::Kind::kernel) CHECK(!step.inputs.empty());
    if (!step.leaf) continue;
    ++products;
    calls.insert(step.leaf.raw());
  }
  CHECK(products == 7);
  CHECK(calls.size() == 1);
}

TEST_CASE("one program runs on several threads at once") {
  const GraphRef graph = program({matrix, matrix}, [](const ArrayList& x) {
    return ArrayList{fx::sum(fx::exp(fx::matmul(x[0], x[1])), 1), fx::softmax(x[0], 0)};
  });
  const auto executable = compile(graph);
  std::vector<std::string> differences(4);
  std::vector<std::thread> threads;
  for (std::uint32_t k = 0; k < 4; ++k) {
    threads.emplace_back([&, k] {
      const HostArrays inputs = random_arrays(graph->input_types(), k);
      std::vector<Argument> arguments;
      for (const HostArray& a : inputs) arguments.push_back({a.bytes.data(), {}, false});
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<detail::Ref<Buffer>> results(2);
        executable->run(arguments, results);
        differences[k] += difference(copied(*graph, results), interpreted(*graph, inputs));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& d : differences) CHECK(d == "");
}

TEST_CASE("a compiled program reports its cost, memory, kernels and code") {
  const GraphRef graph =
      program({vector, vector}, [](const ArrayList& x) { return ArrayList{fx::exp(x[0]) * x[1]}; });
  const auto executable = compile(graph);
  CHECK(executable->cost().transcendentals == 1000);
  CHECK(executable->cost().flops >= 1000);
  CHECK(executable->cost().bytes == 3 * 4000);
  CHECK(executable->memory().arguments == 8000);
  CHECK(executable->memory().results == 4000);
  CHECK(executable->memory().temporaries == 0);
  CHECK(executable->step_count() == 1);
  CHECK(executable->kernels().find("parallel") != std::string::npos);
  CHECK(executable->llvm_ir().find("define") != std::string::npos);
  CHECK(executable->assembly().find("ret") != std::string::npos);
}
