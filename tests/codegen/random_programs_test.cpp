// Programs made of random operations: compiled, they give what the interpreter gives.
#include "codegen/plan.hpp"
#include "codegen/schedule.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "tests/support/random_program.hpp"

#include <cstdlib>

using namespace fluxion;
using namespace fluxion::test;
using codegen::Slot;

namespace {

std::uint32_t first_seed() {
  const char* given = std::getenv("FLUXION_SEED");
  return given ? static_cast<std::uint32_t>(std::atoi(given)) : 1;
}

/// Every operation as a program of its own, as an eager evaluation would do.
HostArrays one_by_one(const Graph& graph, const HostArrays& inputs) {
  HostArrays values = inputs;
  for (const Operation& o : graph.operations()) {
    GraphBuilder builder;
    std::vector<ValueId> operands;
    HostArrays arguments;
    for (ValueId v : o.operands) {
      operands.push_back(builder.input(graph.type(v)));
      arguments.push_back(values[static_cast<std::size_t>(v)]);
    }
    const ValueId first = builder.add(o.op, operands, o.site);
    std::vector<ValueId> outputs;
    for (std::int32_t k = 0; k < o.result_count; ++k) outputs.push_back(first + k);
    for (HostArray& result : compiled(builder.finish(outputs, false), arguments))
      values.push_back(std::move(result));
  }
  HostArrays results;
  for (ValueId v : graph.outputs()) results.push_back(values[static_cast<std::size_t>(v)]);
  return results;
}

bool calls_a_library(const GraphRef& graph) {
  for (const codegen::Step& step : codegen::schedule(optimize(graph)).steps)
    if (step.leaf) return true;
  return false;
}

}  // namespace

TEST_CASE("a fused program gives the bits of its operations run one by one") {
  int compared = 0;
  for (std::uint32_t seed = first_seed(); seed < first_seed() + 40; ++seed) {
    const GraphRef graph = random_program(seed, 14);
    if (calls_a_library(graph)) continue;  // libraries sum in their own order
    ++compared;
    const HostArrays inputs = random_arrays(graph->input_types(), seed);
    INFO("FLUXION_SEED=" << seed << "\n" << to_string(*graph));
    const HostArrays fused = compiled(graph, inputs), single = one_by_one(*graph, inputs);
    for (std::size_t k = 0; k < fused.size(); ++k) CHECK(fused[k].bytes == single[k].bytes);
  }
  CHECK(compared > 20);
}

TEST_CASE("random programs compile to what the interpreter computes") {
  for (std::uint32_t seed = first_seed(); seed < first_seed() + 120; ++seed) {
    const GraphRef graph = random_program(seed, 18);
    const HostArrays inputs = random_arrays(graph->input_types(), seed);
    INFO("FLUXION_SEED=" << seed << "\n" << to_string(*graph));
    CHECK(difference(compiled(graph, inputs), interpreted(*graph, inputs)) == "");
  }
}

TEST_CASE("the passes keep every bit of a random program") {
  for (std::uint32_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    const GraphRef graph = random_program(seed, 30);
    const HostArrays inputs = random_arrays(graph->input_types(), seed);
    const GraphRef passed =
        drop_unused_operations(share_equal_operations(simplify(inline_calls(graph))));
    INFO("FLUXION_SEED=" << seed << "\n" << to_string(*graph));
    verify(*passed);
    const HostArrays got = interpreted(*passed, inputs), expected = interpreted(*graph, inputs);
    for (std::size_t k = 0; k < got.size(); ++k) CHECK(got[k].bytes == expected[k].bytes);
  }
}

TEST_CASE("the plan of a random program never writes over a value that is still needed") {
  for (std::uint32_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    const GraphRef graph = random_program(seed, 40);
    const codegen::Schedule s = codegen::schedule(optimize(graph));
    INFO("FLUXION_SEED=" << seed << "\n" << to_string(s));
    // Bytes of the arena, and the slot that wrote each last.
    std::vector<std::int32_t> owner(s.arena_bytes, -1);
    for (const codegen::Step& step : s.steps) {
      for (std::int32_t in : step.inputs) {
        const Slot& slot = s.slots[static_cast<std::size_t>(in)];
        if (slot.where != Slot::Where::arena) continue;
        for (std::size_t b = 0; b < slot.bytes; ++b) REQUIRE(owner[slot.offset + b] == in);
      }
      for (std::int32_t out : step.outputs) {
        const Slot& slot = s.slots[static_cast<std::size_t>(out)];
        if (slot.where != Slot::Where::arena) continue;
        REQUIRE(slot.offset + slot.bytes <= s.arena_bytes);
        for (std::size_t b = 0; b < slot.bytes; ++b) owner[slot.offset + b] = out;
      }
    }
  }
}
