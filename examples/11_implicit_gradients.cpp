// Implicit differentiation: derivatives of solutions of equations, whatever found the solution.
#include <cmath>
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

/// x with cos(a x) = x, by iterating as long as it moves. Its derivative is that of the equation x
/// - cos(a x) = 0.
Array fixed_point(Array a) {
  return fx::lax::custom_root([=](Array x) { return x - fx::cos(a * x); },
                              Array(0.5),
                              [](auto f, Array x) {
                                for (int i = 0; i < 60; ++i) x = x - 0.6 * f(x);
                                return x;
                              },
                              [](auto g, Array y) { return y / g(fx::ones_like(y)); });
}

/// Newton's method for x^3 + x = a, in as many steps as you like: none of them is differentiated.
Array cubic_root(Array a) {
  return fx::lax::custom_root([=](Array x) { return x * x * x + x - a; },
                              Array(1.0),
                              [](auto f, Array x) {
                                for (int i = 0; i < 20; ++i)
                                  x = x - f(x) / fx::grad([&](Array x) { return f(x); })(x);
                                return x;
                              },
                              [](auto g, Array y) { return y / g(fx::ones_like(y)); });
}

int main() {
  const double a = 1.2;
  auto f = [](Array a) { return fixed_point(a); };
  const double x = f(Array(a)).item<double>();
  std::cout << "x = cos(" << a << " x) at x = " << x << "\n";
  std::cout << "dx/da: " << fx::grad(f)(a) << ", by hand "
            << -x * std::sin(a * x) / (1 + a * std::sin(a * x)) << "\n";

  auto g = [](Array a) { return cubic_root(a); };
  const double r = g(Array(10.0)).item<double>(), slope = 1 / (3 * r * r + 1);
  std::cout << "x^3 + x = 10 at x = " << r << "\n";
  std::cout << "first derivative " << fx::grad(g)(10.0) << ", by hand " << slope << "\n";
  std::cout << "second derivative " << fx::grad(fx::grad(g))(10.0) << ", by hand "
            << -6 * r * slope * slope * slope << "\n";
  std::cout << "for a batch, compiled: "
            << fx::jit(fx::vmap(fx::grad(g)))(fx::array({2.0, 10.0, 30.0})) << "\n";

  // A linear equation solved by an iteration (Jacobi's). The gradient is one more solution, with
  // the transposed matrix.
  auto solve = [](Array matrix, Array b) {
    auto jacobi = [=](auto a, Array b) {
      const Array diagonal = fx::stack({matrix[{0, 0}], matrix[{1, 1}], matrix[{2, 2}]});
      Array x = b / diagonal;
      for (int i = 0; i < 50; ++i) x = x + (b - a(x)) / diagonal;
      return x;
    };
    return fx::lax::custom_linear_solve(
        [=](Array x) { return fx::matmul(matrix, x); }, b, jacobi, jacobi);
  };
  const Array matrix = fx::array({{4.0, 1.0, 0.0}, {0.5, 5.0, 1.0}, {0.0, -1.0, 3.0}}),
              b = fx::array({1.0, 2.0, 3.0});
  std::cout << "solution " << solve(matrix, b) << ", residual "
            << fx::max(fx::abs(fx::matmul(matrix, solve(matrix, b)) - b)) << "\n";
  auto [dm, db] =
      fx::jit(fx::grad<0, 1>([&](Array m, Array b) { return fx::sum(solve(m, b)); }))(matrix, b);
  std::cout << "gradient by the matrix\n" << dm << "\nby the right side " << db << "\n";
}
