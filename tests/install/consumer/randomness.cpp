// Section 5 of the tour: randomness without state. The expected words were computed from the
// definition of Threefry-2x32 with the counters of JAX's partitionable generator, in a program that
// shares nothing with the library.
#include "expect.hpp"

#include <cstdint>
#include <fluxion/fluxion.hpp>
#include <vector>

namespace fx = fluxion;
using fx::Array;

int main() {
  auto key = fx::random::key(42);
  auto [k1, k2] = fx::random::split<2>(key);
  auto keys = fx::random::split(key, 8);
  auto kk = fx::random::fold_in(key, 7);
  using Words = std::vector<std::uint32_t>;
  EXPECT((k1.to_vector<std::uint32_t>() == Words{1832780943u, 270669613u}));
  EXPECT((k2.to_vector<std::uint32_t>() == Words{64467757u, 2916123636u}));
  EXPECT(keys.shape() == fx::Shape({8, 2}));
  EXPECT(keys[0].to_vector<std::uint32_t>() == k1.to_vector<std::uint32_t>());
  EXPECT((kk.to_vector<std::uint32_t>() == Words{2547012911u, 1371500959u}));
  EXPECT((fx::random::bits(k1, {4}).to_vector<std::uint32_t>() ==
          Words{2277453133u, 1345880512u, 3872043189u, 2999317162u}));
  const std::vector<float> drawn{0.45532846450805664f,
                                 0.5757350921630859f,
                                 -0.6366114616394043f,
                                 -0.47473955154418945f,
                                 -0.7785413265228271f};
  EXPECT(fx::random::uniform(k2, {5}, -1.f, 1.f).to_vector<float>() == drawn);
  EXPECT(near(fx::random::normal(key).item<float>(), -0.02830465, 1e-6));
  EXPECT(fx::random::normal(k1, {3, 4}).shape() == fx::Shape({3, 4}));
  return failures;
}
