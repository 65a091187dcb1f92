// Any plain struct of arrays is a tree: it goes through grad, vmap and jit, nested as you like,
// with no registration.
#include <fluxion/nn.hpp>
#include <iostream>
#include <map>

namespace fx = fluxion;
namespace nn = fluxion::nn;
using fx::Array;

struct Oscillator {
  Array stiffness, damping;
  std::string name = "spring";  // not an array: a static member, handed through
};
struct State {
  Array position, velocity;
};
struct World {
  std::vector<Oscillator> springs;
  std::map<std::string, Array> constants;
};

State advance(const Oscillator& o, State s, Array dt) {
  const Array acceleration = -o.stiffness * s.position - o.damping * s.velocity;
  return {s.position + dt * s.velocity, s.velocity + dt * acceleration};
}

int main() {
  World world{{{Array(4.0), Array(0.1)}, {Array(9.0), Array(0.3), "stiff spring"}},
              {{"dt", Array(0.01)}}};
  auto energy_after = [](World w) {
    Array total = 0.0;
    for (const Oscillator& o : w.springs) {
      State s{Array(1.0), Array(0.0)};
      for (int i = 0; i < 50; ++i) s = advance(o, s, w.constants.at("dt"));
      total += 0.5 * (o.stiffness * s.position * s.position + s.velocity * s.velocity);
    }
    return total;
  };
  auto [energy, gradient] = fx::jit(fx::value_and_grad(energy_after))(world);
  std::cout << "energy " << energy << "\n";
  const auto names = fx::tree_paths(gradient);
  const auto leaves = fx::tree_leaves(gradient);
  for (std::size_t i = 0; i < names.size(); ++i)
    std::cout << "d energy / d " << names[i] << " = " << leaves[i] << "\n";
  std::cout << "still called: " << gradient.springs[1].name << "\n\n" << nn::summary(world);
}
