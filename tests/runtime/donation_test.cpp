// Arguments given away: results in their memory are the results elsewhere.
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"

#include <tuple>
#include <vector>

namespace fx = fluxion;
using fx::Array;

namespace {

Array fresh(const std::vector<float>& values) {
  return fx::from_span(std::span<const float>(values), {values.size()});
}

}  // namespace

TEST_CASE("outputs that share a kernel may lie in each other's operands") {
  // The first result fits into the memory of p, which the last one reads.
  auto step = fx::jit([](Array p, Array m, Array g) {
    Array next = 0.5f * m + g;
    return std::tuple{next, p - next};
  });
  const std::vector<float> p(100, 8.f), m(100, 4.f), g(100, 1.f);
  Array mine = fresh(p), average = fresh(m);
  const auto [next, moved] = step(std::move(mine), std::move(average), fresh(g));
  CHECK(next.to_vector<float>() == std::vector<float>(100, 3.f));
  CHECK(moved.to_vector<float>() == std::vector<float>(100, 5.f));
}

TEST_CASE("a step that takes its state by move gives what it gives by copy") {
  auto step = fx::jit([](Array p, Array m, Array v, Array g) {
    Array mean = 0.9f * m + 0.1f * g, square = 0.99f * v + 0.01f * g * g;
    return std::tuple{p - 0.1f * mean / (fx::sqrt(square) + 1e-3f), mean, square};
  });
  const std::vector<float> start{1, -2, 3, -4, 5, 6, 7}, slope{1, 2, -3, 4, -5, 6, 0};
  const std::vector<float> zeros(start.size());
  Array p = fresh(start), m = fresh(zeros), v = fresh(zeros);
  Array p2 = fresh(start), m2 = fresh(zeros), v2 = fresh(zeros);
  const Array g = fresh(slope);
  for (int i = 0; i < 5; ++i) {
    std::tie(p, m, v) = step(p, m, v, g);
    std::tie(p2, m2, v2) = step(std::move(p2), std::move(m2), std::move(v2), g);
  }
  CHECK(p2.to_vector<float>() == p.to_vector<float>());
  CHECK(m2.to_vector<float>() == m.to_vector<float>());
  CHECK(v2.to_vector<float>() == v.to_vector<float>());
}
