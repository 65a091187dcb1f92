// jit records a function once for each signature and compiles it; later calls only run it.
#include <chrono>
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

int main() {
  auto wave = [](Array x, Array t) {
    return fx::exp(-fx::square(x - t)) * fx::sin(5 * x) + fx::tanh(x) / 2;
  };
  auto slope = fx::jit(fx::vmap(fx::grad(wave), {.in_axes = {0, fx::unmapped}}));
  const Array x = fx::linspace(-3, 3, 1'000'000, fx::float32);

  auto seconds = [&](float t) {
    const auto start = std::chrono::steady_clock::now();
    fx::eval(slope(x, t));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double first = seconds(0.f), second = seconds(0.5f);
  std::cout << "a million slopes: " << first * 1e3 << " ms at first (recorded and compiled), then "
            << second * 1e3 << " ms\n";

  std::cout << "the program:\n" << fx::trace(wave, Array(1.f), Array(0.f));
  const auto program =
      fx::lower(wave, fx::Spec{{1000}, fx::float32}, fx::Spec{{}, fx::float32}).compile();
  std::cout << program.cost().flops << " floating-point operations, " << program.memory().peak
            << " bytes at most\n";
}
