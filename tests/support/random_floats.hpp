// Plain numbers for tests below arrays.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace fluxion::test {

/// In [-1, 1); the same for the same seed.
inline std::vector<float> random_floats(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& v : values) v = uniform(random);
  return values;
}

}  // namespace fluxion::test
