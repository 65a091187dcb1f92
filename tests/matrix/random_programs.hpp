// Random well-typed programs: recipes from which any step can be taken away, so that a program that
// breaks a law can be shrunk.
#pragma once
#include "tests/matrix/laws.hpp"

#include <array>

namespace fluxion::test {

/// Numbers that decide what a step does with the values before it; every choice is well typed
/// whatever those values are.
using RecipeStep = std::array<std::uint32_t, 8>;

struct Recipe {
  Types inputs;
  std::vector<RecipeStep> steps;
  bool smooth = false;  // only functions that have all derivatives, of moderate size
};

/// The recipe of a seed: 5 to 40 steps on one to four inputs.
Recipe random_recipe(std::uint32_t seed);

/// The program that a recipe describes. Its outputs are the last value and some others.
GraphRef cook(const Recipe&);

/// Operands of its inputs; floats include infinities and NaN now and then unless it is smooth.
HostArrays recipe_operands(const Recipe&, std::uint32_t seed);

/// What a law says of a program; an error while recording or running is a broken law, too.
using Law = std::function<std::string(const Recipe&)>;
std::string verdict(const Law&, const Recipe&);

/// The smallest recipe found for which the law is still broken.
Recipe shrunk(const Law&, Recipe);

}  // namespace fluxion::test
