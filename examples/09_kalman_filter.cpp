// A Kalman filter by scan; its noise is learnt by maximum likelihood, through the loop; and a
// Hamiltonian Monte Carlo sampler of the same noise.
#include <cmath>
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

namespace {

/// A particle that is pushed at random; its position is seen with an error. State (position,
/// speed).
const double dt = 0.1;
Array motion() { return fx::array({{1.0, dt}, {0.0, 1.0}}); }
Array push() { return fx::array({{dt * dt * dt / 3, dt * dt / 2}, {dt * dt / 2, dt}}); }

/// log likelihood of what was seen, given the logarithms of the push's and the error's variance.
Array log_likelihood(Array seen, Array logs) {
  const Array f = motion(), q = push() * fx::exp(logs[0]), r = fx::exp(logs[1]);
  struct Belief {
    Array mean, covariance, total;
  };
  return fx::scan(
             [&](Belief b, Array z) {
               Array mean = fx::matmul(f, b.mean),
                     p = fx::matmul(fx::matmul(f, b.covariance), fx::transpose(f)) + q;  // predict
               Array surprise = z - mean[0], s = p[0][0] + r,
                     gain = p[{fx::all, 0}] / s;  // correct
               Array total =
                   b.total - 0.5 * (fx::square(surprise) / s + fx::log(2 * 3.141592653589793 * s));
               return std::pair{Belief{mean + gain * surprise, p - fx::outer(gain, p[0]), total},
                                std::tuple<>()};
             },
             Belief{fx::zeros({2}, fx::float64), fx::eye(2, fx::float64), Array(0.0)},
             seen)
      .first.total;
}

}  // namespace

int main() {
  auto [k1, k2] = fx::random::split<2>(fx::random::key(3));
  // The truth: variances 0.5 and 0.04.
  const Array pushes = fx::random::normal(k1, {300}, fx::float64) * std::sqrt(0.5 * dt),
              errors = fx::random::normal(k2, {300}, fx::float64) * 0.2;
  const Array positions = fx::scan(
                              [](Array s, Array a) {
                                Array next = fx::matmul(motion(), s) + fx::stack({a * dt * 0.5, a});
                                return std::pair{next, next[0]};
                              },
                              fx::zeros({2}, fx::float64),
                              pushes)
                              .second;
  const Array seen = positions + errors;

  auto loss = [&](Array logs) { return -log_likelihood(seen, logs); };
  auto newton = fx::jit([&](Array logs) {
    return logs - fx::linalg::solve(fx::hessian(loss)(logs), fx::grad(loss)(logs));
  });
  Array logs = fx::log(fx::array({0.3, 0.06}));
  for (int i = 0; i < 8; ++i) logs = newton(logs);
  std::cout << "most likely variances " << fx::exp(logs) << ", the truth [0.5 0.04]\n";

  // Hamiltonian Monte Carlo: leapfrog steps along the gradient, then accept or refuse. The whole
  // chain is one compiled program.
  auto chain = fx::jit([&](Array key, Array start) {
    auto slope = fx::grad(loss);
    return fx::scan(
               [&](Array at, Array key) {
                 auto [a, b] = fx::random::split<2>(key);
                 const double h = 0.06;
                 struct Phase {
                   Array x, v;
                 };
                 Phase begin{at, fx::random::normal(a, {2}, fx::float64)};
                 Phase end = fx::fori_loop(
                     0,
                     12,
                     [&](Array, Phase s) {
                       Array v = s.v - slope(s.x) * (h / 2), x = s.x + v * h;
                       return Phase{x, v - slope(x) * (h / 2)};
                     },
                     begin);
                 auto energy = [&](Phase s) { return loss(s.x) + 0.5 * fx::sum(s.v * s.v); };
                 Array accept =
                     fx::log(fx::random::uniform(b, {}, 0.0, 1.0)) < energy(begin) - energy(end);
                 Array next = fx::where(accept, end.x, at);
                 return std::pair{next, next};
               },
               start,
               fx::random::split(key, 400))
        .second;
  });
  const Array samples = fx::exp(chain(fx::random::key(7), logs))[{fx::slice(100, 400)}];
  std::cout << "posterior mean " << fx::mean(samples, 0) << " and deviation " << fx::std(samples, 0)
            << '\n';
}
