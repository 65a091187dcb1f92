// A process that ends while its only kernel, a large one, is compiled again: it has to end well.
// What LLVM keeps in statics for that is made during the compilation, later than all that is done
// at the end of a process. (A second kernel, compiled at once by all passes, would make it before.)
#include "fluxion/fluxion.hpp"

#include <cstdlib>

namespace fx = fluxion;

int main() {
  const auto program = fx::jit([](fx::Array x) {
    const auto step = [](fx::Array h, fx::Array) {
      for (int k = 0; k < 5000; ++k) h = h * (1.0f - 1e-6f * static_cast<float>(k)) + 0.001f;
      return std::pair{h, h};
    };
    return fx::scan(step, x, fx::zeros({1000})).second;
  });
  float last = 0;
  for (int k = 0; k < 8; ++k) last = program(fx::Array(1.0f)).to_vector<float>().back();
  return last > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
