// Derivatives of C++ functions: of any order, of functions with loops and branches on values.
#include <cmath>
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

/// The square root by Newton's method: how many steps it takes depends on the value.
Array root(Array a) {
  Array x = a;
  for (int step = 0; step < 100; ++step) {
    const Array next = (x + a / x) / 2;
    const bool done = std::abs((next - x).item<double>()) < 1e-12;
    x = next;
    if (done) break;
  }
  return x;
}

int main() {
  auto f = [](Array x) { return fx::sin(x) * x; };
  std::cout << "f(1) = " << f(Array(1.0)) << ", f'(1) = " << fx::grad(f)(1.0)
            << ", f''(1) = " << fx::grad(fx::grad(f))(1.0) << "\n";
  std::cout << "d sqrt(a) / da at 2, through the loop: " << fx::grad(root)(2.0) << " (exactly "
            << 0.5 / std::sqrt(2.0) << ")\n";

  auto rosenbrock = [](Array x) {
    return fx::sum(100 * fx::square(x[{fx::slice(1, {})}] - fx::square(x[{fx::slice({}, -1)}])) +
                   fx::square(1 - x[{fx::slice({}, -1)}]));
  };
  const Array x = fx::array({0.5, 0.25, 0.75});
  std::cout << "gradient " << fx::grad(rosenbrock)(x) << "\nHessian\n"
            << fx::hessian(rosenbrock)(x) << "\n";

  auto [value, pullback] =
      fx::vjp([](Array x, Array y) { return x * y + fx::cos(x); }, Array(2.0), Array(3.0));
  auto [dx, dy] = pullback(Array(1.0));
  std::cout << "value " << value << ", cotangents " << dx << " and " << dy << "\n";
}
