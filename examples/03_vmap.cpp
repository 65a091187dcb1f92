// Write a function of one example; vmap makes it a function of a batch.
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

int main() {
  const Array points = fx::random::normal(fx::random::key(0), {5, 3});
  auto energy = [](Array p, Array centre) {
    return fx::exp(-fx::sum(fx::square(p - centre)));
  };  // p and centre are float32[3]

  auto energies = fx::vmap(energy, {.in_axes = {0, fx::unmapped}});
  std::cout << "one centre: " << energies(points, fx::zeros({3})) << "\n";

  auto all_pairs = fx::vmap(energies, {.in_axes = {fx::unmapped, 0}});
  std::cout << "every pair:\n" << all_pairs(points, points) << "\n";

  auto forces =
      fx::vmap(fx::grad(energy), {.in_axes = {0, fx::unmapped}});  // a gradient for each example
  std::cout << "forces:\n" << forces(points, fx::zeros({3})) << "\n";
}
