// Looking inside compiled programs: printing, checking, calling C++ functions, finding the first
// NaN.
#include <cmath>
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

int main() {
  auto step = [](Array x, Array target) {
    const Array error = x - target;
    fx::debug::print("x = {}, error = {}", x, error);
    return fx::sum(error * error);
  };
  std::cout << "compiled, with its gradient:\n";
  std::cout
      << fx::jit(fx::value_and_grad(step))(fx::array({1.f, 2.f}), fx::array({0.f, 4.f})).second
      << "\n";
  std::cout << "its steps, and whose its temporary memory is:\n";
  const fx::Spec many{{512, 512}, fx::float32};
  auto product =
      fx::lower(
          fx::value_and_grad([](Array x, Array w) { return fx::sum(fx::tanh(fx::matmul(x, w))); }),
          many,
          many)
          .compile();
  std::cout << fx::explain(product) << product.memory();

  std::cout << "once for each example of a batch:\n";
  fx::eval(fx::jit(fx::vmap(step))(fx::arange(6, fx::float32).reshape({3, 2}), fx::zeros({3, 2})));

  auto logarithm = fx::jit([](Array x) {
    fx::check(x > 0, "the logarithm of {}", x);
    return fx::log(x);
  });
  std::cout << "log " << logarithm(fx::array({1.f, 10.f})) << "\n";
  try {
    logarithm(fx::array({1.f, -10.f}));
  } catch (const fx::Error& e) {
    std::cout << e.what() << "\n";
  }

  // A function of the C++ library, with a derivative.
  auto bessel = fx::custom_jvp(
      [](Array x) {
        return fx::pure_callback(
            [](Array x) { return Array(std::cyl_bessel_j(0.0, x.item<double>())); },
            fx::Spec{{}, fx::float64},
            x);
      },
      [](auto primals, auto tangents) {
        auto [x] = primals;
        auto [dx] = tangents;
        auto value = [&](double order) {
          return fx::pure_callback(
              [order](Array x) { return Array(std::cyl_bessel_j(order, x.item<double>())); },
              fx::Spec{{}, fx::float64},
              x);
        };
        return std::pair{value(0), -value(1) * dx};  // J0' = -J1
      });
  std::cout << "J0 " << fx::vmap(bessel)(fx::array({0.5, 1.0, 2.0})) << "\n";
  std::cout << "its derivative " << fx::jit(fx::vmap(fx::grad(bessel)))(fx::array({0.5, 1.0, 2.0}))
            << "\n";

  fx::debug::check_nans(true);
  try {
    auto norm = [](Array x) { return fx::sqrt(fx::sum(x * x)); };
    std::cout << fx::grad(norm)(fx::zeros({2})) << "\n";
  } catch (const fx::Error& e) {
    std::cout << e.what() << "\n";
  }
}
