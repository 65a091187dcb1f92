// The laws on random programs. FLUXION_SEED repeats one seed; FLUXION_NIGHTLY=1 runs ten times as
// many.
#include "tests/matrix/random_programs.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

using namespace fluxion;
using namespace fluxion::test;

namespace {

std::vector<std::uint32_t> seeds_of(std::uint32_t part) {
  if (const char* given = std::getenv("FLUXION_SEED"))
    return {static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10))};
  const char* nightly = std::getenv("FLUXION_NIGHTLY");
  const std::uint32_t count = nightly && *nightly == '1' ? 1250 : 125;
  std::vector<std::uint32_t> seeds;
  for (std::uint32_t k = 0; k < count; ++k) seeds.push_back(4 * k + part + 1);
  return seeds;
}

OperandSampler samples_of(const Recipe& recipe) {
  return [recipe](unsigned seed) { return recipe_operands(recipe, seed); };
}

/// Random elements without special values, so that derivatives are numbers.
HostArrays moderate_operands(const Recipe& recipe, std::uint32_t seed) {
  return random_arrays(recipe.inputs, seed);
}

void check(const std::string& name, std::uint32_t seed, const Recipe& recipe, const Law& law) {
  const std::string broken = verdict(law, recipe);
  if (broken.empty()) return;
  const Recipe small = shrunk(law, recipe);
  std::string text;
  try {
    text = to_string(*cook(small));
  } catch (const std::exception& error) {
    text = error.what();
  }
  INFO("FLUXION_SEED=" << seed << ": the law of " << name << " is broken: " << broken);
  INFO("smallest program: " << verdict(law, small) << "\n" << text);
  FAIL_CHECK();
}

/// Small programs are differentiated three times, the others once.
int highest_order(const Recipe& recipe) {
  std::int64_t elements = 0;
  for (const Type& type : recipe.inputs) elements += element_count(type.shape);
  return recipe.steps.size() <= 9 && elements <= 12 ? 3 : 1;
}

/// Whether a program gets the row numbers of a factorization as an input: random ones are none.
bool reads_permutation(const Graph& graph) {
  const std::int32_t inputs = static_cast<std::int32_t>(graph.input_count());
  return std::any_of(graph.operations().begin(), graph.operations().end(), [&](const Operation& o) {
    return o.op.name() == "lu_solve" && o.operands[2] < inputs;
  });
}

void check_seed(std::uint32_t seed) {
  const Recipe recipe = random_recipe(seed);
  check("compilation", seed, recipe, [seed](const Recipe& r) {
    return law_of_compilation(cook(r), recipe_operands(r, seed));
  });
  check("batches", seed, recipe, [](const Recipe& r) {
    return law_of_batches(cook(r), samples_of(r), 4);
  });
  check("adjoints", seed, recipe, [seed](const Recipe& r) {
    return law_of_adjoints(cook(r), moderate_operands(r, seed));
  });
  check("text", seed, recipe, [](const Recipe& r) { return law_of_text(cook(r)); });
  check("StableHLO", seed, recipe, [](const Recipe& r) { return law_of_stablehlo(cook(r)); });
  if (recipe.smooth) {
    check("differences", seed, recipe, [seed](const Recipe& r) {
      return law_of_differences(cook(r), moderate_operands(r, seed));
    });
    check("orders", seed, recipe, [seed](const Recipe& r) {
      return law_of_orders(cook(r), moderate_operands(r, seed), highest_order(r));
    });
  }
  if (seed % 8 == 1)
    check("repeated calls", seed, recipe, [seed](const Recipe& r) {
      const GraphRef graph = cook(r);
      const auto f = [&](const ArrayList& x) { return inline_graph(*graph, x); };
      return law_of_calls(f, recipe_operands(r, seed));
    });
  if (seed % 16 == 4)
    check("compiled derivatives and batches", seed, recipe, [seed](const Recipe& r) {
      for (const GraphRef& g : transformed_programs(cook(r))) {
        if (reads_permutation(*g)) continue;
        if (std::string d = law_of_compilation(g, random_arrays(g->input_types(), seed));
            !d.empty())
          return d + "\n" + to_string(*g);
      }
      return std::string();
    });
}

void check_part(std::uint32_t part) {
  for (std::uint32_t seed : seeds_of(part)) check_seed(seed);
  SUCCEED();
}

}  // namespace

TEST_CASE("random programs obey the laws, first quarter") { check_part(0); }
TEST_CASE("random programs obey the laws, second quarter") { check_part(1); }
TEST_CASE("random programs obey the laws, third quarter") { check_part(2); }
TEST_CASE("random programs obey the laws, last quarter") { check_part(3); }

TEST_CASE("random programs have every kind of loop, branch, rule and matrix") {
  std::map<std::string, int> programs;
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    const std::string text = to_string(*cook(random_recipe(seed)));
    for (const char* word : {" scan[",
                             " cond[",
                             " bounded_while[",
                             " dynamic_update_slice[",
                             " scatter[",
                             " custom_jvp[",
                             " checkpoint[",
                             " linear_solve[",
                             " cholesky",
                             " triangular_solve[",
                             " qr",
                             " eigh",
                             " complex "})
      programs[word] += text.find(word) != std::string::npos;
  }
  for (const auto& [word, count] : programs) {
    INFO(word);
    CHECK(count >= 6);
  }
}
