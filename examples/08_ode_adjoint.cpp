// An ordinary differential equation whose gradient is another one: the adjoint method (Pontryagin
// 1962) as a rule of one's own.
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

namespace {

/// The pendulum with friction: state (angle, speed), parameters (gravity / length, friction).
Array pendulum(Array y, Array p) { return fx::stack({y[1], -p[0] * fx::sin(y[0]) - p[1] * y[1]}); }

/// Classical Runge-Kutta steps of size h: y' = f(y, p).
template <class F> Array integrate(F f, Array y, Array p, double h, int steps) {
  return fx::fori_loop(
      0,
      steps,
      [=](Array, Array y) {
        Array k1 = f(y, p), k2 = f(y + k1 * (h / 2), p), k3 = f(y + k2 * (h / 2), p),
              k4 = f(y + k3 * h, p);
        return y + (k1 + k2 * 2.0 + k3 * 2.0 + k4) * (h / 6);
      },
      y);
}

constexpr double h = 0.005;
constexpr int steps = 400;

Array solve(Array y, Array p) { return integrate(pendulum, y, p, h, steps); }

}  // namespace

int main() {
  // Backwards in time: the state again, its cotangent a' = -a df/dy, and the parameters' g' = -a
  // df/dp. No step is stored.
  auto adjoint = fx::custom_vjp(
      solve,
      [](Array y, Array p) {
        Array end = solve(y, p);
        return std::pair{end, std::tuple{end, p}};
      },
      [](auto saved, Array ct) {
        auto [end, p] = saved;
        auto backwards = [](Array z, Array p) {
          Array y = z[{fx::slice(0, 2)}], a = z[{fx::slice(2, 4)}];
          auto [value, pull] = fx::vjp(pendulum, y, p);
          auto [dy, dp] = pull(a);
          return fx::concatenate({-value, dy, dp});
        };
        Array z = integrate(backwards, fx::concatenate({end, ct, fx::zeros_like(p)}), p, h, steps);
        return std::tuple{z[{fx::slice(2, 4)}], z[{fx::slice(4, 6)}]};
      });

  const Array start = fx::array({1.0, 0.0}), p = fx::array({9.81, 0.3});
  auto height = [](auto solver) {
    return [=](Array y, Array p) { return -fx::cos(solver(y, p)[0]); };
  };
  auto [dy, dp] = fx::jit(fx::grad<0, 1>(height(adjoint)))(start, p);
  auto [ey, ep] =
      fx::jit(fx::grad<0, 1>(height([](Array y, Array p) { return solve(y, p); })))(start, p);
  std::cout << "after two seconds: " << solve(start, p) << '\n'
            << "gradient by the adjoint equation: " << dy << ' ' << dp << '\n'
            << "gradient through every step:      " << ey << ' ' << ep << '\n';
}
