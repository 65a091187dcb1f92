// Section 7 of the tour, first half: layers are plain structs.
#include "expect.hpp"

#include <fluxion/fluxion.hpp>
#include <fluxion/nn.hpp>
#include <string>
#include <vector>

namespace fx = fluxion;
namespace nn = fx::nn;
using fx::Array;

struct Mlp {
  nn::Linear in, out;
  static Mlp init(Array key) {
    auto [a, b] = fx::random::split<2>(key);
    return {nn::Linear::init(a, 64, 128), nn::Linear::init(b, 128, 10)};
  }
  Array operator()(Array x) const { return out(fx::relu(in(x))); }
};

int main() {
  auto model = Mlp::init(fx::random::key(0));
  const std::vector<std::string> names{"in.weight", "in.bias", "out.weight", "out.bias"};
  EXPECT(fx::tree_paths(model) == names);
  Array batch = fx::random::normal(fx::random::key(1), {4, 64});
  auto loss = [&](Mlp m) { return fx::mean(fx::square(m(batch) - 1)); };
  auto [first, grads] = fx::value_and_grad(loss)(model);

  auto opt = nn::adam({.learning_rate = 1e-3f});
  auto state = opt.init(model);
  const auto before = model.in.weight.to_vector<float>();
  const auto slope = grads.in.weight.to_vector<float>();
  auto [updates, next] = opt.update(grads, state, model);
  model = nn::apply_updates(model, updates);
  const auto after = model.in.weight.to_vector<float>();
  // Adam's first step is the learning rate against the sign of the gradient.
  int moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (std::fabs(slope[i]) < 1e-4) continue;
    ++moved;
    EXPECT(near(after[i] - before[i], slope[i] > 0 ? -1e-3 : 1e-3, 1e-5));
  }
  EXPECT(moved > 0);
  EXPECT(loss(model).item<float>() < first.item<float>());
  EXPECT(model(batch).shape() == fx::Shape({4, 10}) && model(batch[0]).shape() == fx::Shape({10}));

  nn::save("model.safetensors", model);
  auto other = Mlp::init(fx::random::key(9));
  EXPECT(other(batch).to_vector<float>() != model(batch).to_vector<float>());
  nn::load("model.safetensors", other);
  EXPECT(other(batch).to_vector<float>() == model(batch).to_vector<float>());
  return failures;
}
