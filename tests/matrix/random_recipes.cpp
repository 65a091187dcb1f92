// How recipes are drawn, fed and shrunk.
#include "tests/matrix/random_programs.hpp"

#include <algorithm>
#include <cmath>

namespace fluxion::test {
namespace {

Shape random_shape(std::mt19937& random, bool smooth) {
  static const std::int64_t sizes[] = {1, 2, 3, 4, 5, 8, 17, 37};
  Shape shape;
  for (std::uint32_t k = random() % (smooth ? 3 : 4); k-- > 0;)
    shape.push_back(sizes[random() % (smooth ? 3 : 8)]);
  if (!smooth && shape.size() == 3) shape = {2, 3, shape[2]};
  if (!smooth && shape.size() > 0 && random() % 24 == 0) shape = {0, 3};
  return shape;
}

}  // namespace

Recipe random_recipe(std::uint32_t seed) {
  std::mt19937 random(seed);
  Recipe recipe;
  recipe.smooth = seed % 4 == 0;
  static const DType dtypes[] = {float32,
                                 float64,
                                 float32,
                                 float64,
                                 int32,
                                 int64,
                                 uint8,
                                 uint32,
                                 bool_,
                                 float16,
                                 bfloat16,
                                 int16,
                                 float32};
  for (std::uint32_t k = 1 + random() % 4; k-- > 0;) {
    const DType dtype =
        recipe.smooth ? (k == 0 || random() % 4 ? float64 : int32) : dtypes[random() % 13];
    recipe.inputs.push_back({random_shape(random, recipe.smooth), dtype});
  }
  for (std::uint32_t k = 5 + random() % (recipe.smooth ? 12 : 36); k-- > 0;) {
    RecipeStep step;
    for (std::uint32_t& word : step) word = static_cast<std::uint32_t>(random());
    recipe.steps.push_back(step);
  }
  return recipe;
}

HostArrays recipe_operands(const Recipe& recipe, std::uint32_t seed) {
  HostArrays operands = random_arrays(recipe.inputs, seed);
  if (recipe.smooth) return operands;
  std::mt19937 random(seed);
  const double special[] = {0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 1e30};
  for (HostArray& a : operands) {
    for (std::size_t i = 0; i < a.count(); ++i) {
      if (random() % 16) continue;
      const double x = special[random() % (seed % 3 ? 4 : 8)];
      if (a.type.dtype == float32) a.element<float>(i) = static_cast<float>(x);
      if (a.type.dtype == float64) a.element<double>(i) = x;
      if (a.type.dtype == int32) a.element<std::int32_t>(i) = random() % 2 ? -3 : 2000000000;
    }
  }
  return operands;
}

std::string verdict(const Law& law, const Recipe& recipe) {
  try {
    return law(recipe);
  } catch (const std::exception& error) {
    return std::string("threw ") + error.what();
  }
}

Recipe shrunk(const Law& law, Recipe recipe) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    const auto keep = [&](const Recipe& candidate) {
      if (verdict(law, candidate).empty()) return false;
      recipe = candidate;
      return smaller = true;
    };
    for (std::size_t length = std::max<std::size_t>(recipe.steps.size() / 2, 1);; length /= 2) {
      for (std::size_t k = recipe.steps.size(); k-- > 0;) {
        if (k + length > recipe.steps.size() || recipe.steps.size() <= length) continue;
        Recipe candidate = recipe;
        const auto from = candidate.steps.begin() + static_cast<std::ptrdiff_t>(k);
        candidate.steps.erase(from, from + static_cast<std::ptrdiff_t>(length));
        keep(candidate);
      }
      if (length <= 1) break;
    }
    for (std::size_t k = 0; k < recipe.inputs.size(); ++k) {
      const Shape shape = recipe.inputs[k].shape;
      for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] <= 1) continue;
        Recipe candidate = recipe;
        Shape halved;
        for (std::size_t i = 0; i < shape.size(); ++i)
          halved.push_back(i == axis ? shape[i] / 2 : recipe.inputs[k].shape[i]);
        candidate.inputs[k].shape = halved;
        keep(candidate);
      }
    }
  }
  return recipe;
}

}  // namespace fluxion::test
