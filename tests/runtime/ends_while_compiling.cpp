// A process that ends while a large kernel is compiled again: it has to end well. What LLVM keeps
// in statics is made during that compilation, later than all that is done at the end of a process.
#include "fluxion/fluxion.hpp"

#include <cstdlib>

namespace fx = fluxion;

int main() {
  const auto program = fx::jit([](fx::Array x) {
    const auto step = [](fx::Array h, fx::Array) {
      for (int k = 0; k < 3000; ++k) h = h * (1.0f - 1e-6f * static_cast<float>(k)) + 0.001f;
      return std::pair{h, h};
    };
    return fx::sum(fx::scan(step, x, fx::zeros({40})).second);
  });
  float sum = 0;
  for (int k = 0; k < 5; ++k) sum = program(fx::Array(1.0f)).item<float>();
  return sum > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
