// The laws themselves: an operation with one rule wrong breaks the law that is about this rule.
#include "tests/matrix/random_programs.hpp"
#include "tests/support/catch.hpp"

using namespace fluxion;
using namespace fluxion::test;

namespace {

enum class Mistake { none, kernel, jvp, transpose, batch };

/// 3 x for float64, where no rule is mistaken.
template <Mistake mistake> struct Tripled {
  static constexpr auto name = "tripled";
  Types types(TypeList in) const { return {in[0]}; }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    if (mistake == Mistake::jvp) return {dx[0]};
    return {emit(*this, {dx[0]}, rule_site())};
  }
  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    out.add(0, mistake == Mistake::transpose ? ct[0] : emit(*this, {ct[0]}, rule_site()));
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    const Array from = mistake == Mistake::batch ? ops::rev(x[0], {at[0]}, rule_site()) : x[0];
    return {{emit(*this, {from}, rule_site())}, {at[0]}};
  }
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    const kernel::Scalar element = x.read(0, index);
    return mistake == Mistake::kernel ? element + element : element + element + element;
  }
  void reference(ConstTensors in, Tensors out) const {
    for (std::int64_t i = 0; i < element_count(in[0].type.shape); ++i)
      out[0].as<double>()[i] = 3 * in[0].as<double>()[i];
  }
};

const Types vector = {{{4}, float64}};

template <Mistake mistake> GraphRef tripled() {
  return program(vector, [](const ArrayList& x) {
    return ArrayList{fluxion::sin(emit(Tripled<mistake>(), {x[0]}, Site::current()))};
  });
}

OperandSampler samples() {
  return [](unsigned seed) { return random_arrays(vector, seed); };
}

/// Which laws hold: compilation, differences, adjoints, orders, batches, nested batches.
std::vector<bool> holding(const GraphRef& graph) {
  const HostArrays operands = samples()(3);
  return {law_of_compilation(graph, operands).empty(),
          law_of_differences(graph, operands).empty(),
          law_of_adjoints(graph, operands).empty(),
          law_of_orders(graph, operands).empty(),
          law_of_batches(graph, samples()).empty(),
          law_of_nested_batches(graph, samples()).empty()};
}

}  // namespace

TEST_CASE("an operation with a wrong rule breaks the law about it") {
  using Which = std::vector<bool>;
  CHECK(holding(tripled<Mistake::none>()) == Which{true, true, true, true, true, true});
#ifdef FLUXION_LLVM  // without it nothing runs the kernel
  CHECK(holding(tripled<Mistake::kernel>()) == Which{false, true, true, true, true, true});
#endif
  CHECK_FALSE(holding(tripled<Mistake::jvp>())[1]);
  CHECK(holding(tripled<Mistake::transpose>()) == Which{true, true, false, false, true, true});
  CHECK(holding(tripled<Mistake::batch>()) == Which{true, true, true, true, false, false});
}

TEST_CASE("a function that changes from call to call breaks the law of calls") {
  int calls = 0;
  const auto changing = [&calls](const ArrayList& x) {
    return ArrayList{x[0] * static_cast<double>(++calls)};
  };
  CHECK_FALSE(law_of_calls(changing, samples()(1)).empty());
  const auto steady = [](const ArrayList& x) { return ArrayList{x[0] * 2.0}; };
  CHECK(law_of_calls(steady, samples()(1)).empty());
}

TEST_CASE("text that does not read back breaks the law of text") {
  const Law law = [](const Recipe&) { return law_of_text(tripled<Mistake::none>()); };
  CHECK(verdict(law, Recipe()).find("threw error[graph-syntax]") == 0);
}

TEST_CASE("a program that breaks a law shrinks to the step that does") {
  const Law no_sine = [](const Recipe& recipe) {
    const GraphRef graph = cook(recipe);
    for (const Operation& operation : graph->operations())
      if (operation.op.name() == "sin") return std::string("a sine");
    return std::string();
  };
  int found = 0;
  for (std::uint32_t seed = 4; seed < 400 && found < 3; seed += 4) {
    const Recipe recipe = random_recipe(seed);
    if (verdict(no_sine, recipe).empty()) continue;
    ++found;
    const Recipe small = shrunk(no_sine, recipe);
    CHECK(verdict(no_sine, small) == "a sine");
    CHECK(small.steps.size() <= 3);
    for (const Type& type : small.inputs) CHECK(element_count(type.shape) <= 1);
  }
  CHECK(found == 3);
}
