// A physical law from noisy measurements: a damped pendulum's amplitude, decay, frequency and
// phase, found by Gauss-Newton with an exact Jacobian.
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

/// angle(t) = amplitude exp(-decay t) cos(frequency t + phase)
Array angle(Array law, Array t) {
  return law[0] * fx::exp(-law[1] * t) * fx::cos(law[2] * t + law[3]);
}

/// Solves a small symmetric positive system by conjugate gradients.
Array solve(Array a, Array b) {
  Array x = fx::zeros_like(b), r = b, p = b, rr = fx::sum(r * r);
  for (std::int64_t i = 0; i < b.size(); ++i) {
    const Array ap = fx::matmul(a, p), alpha = rr / fx::sum(p * ap);
    x += alpha * p;
    r -= alpha * ap;
    const Array next = fx::sum(r * r);
    p = r + next / rr * p;
    rr = next;
  }
  return x;
}

int main() {
  const Array truth = fx::array({0.8, 0.15, 2.4, 0.3});
  const Array t = fx::linspace(0, 10, 200, fx::float64);
  const Array noise = 0.01 * fx::random::normal(fx::random::key(7), {200}, fx::float64);
  const Array measured = angle(truth, t) + noise;

  auto residual = [&](Array law) { return angle(law, t) - measured; };
  auto step = fx::jit([=](Array law) {
    const Array r = residual(law), j = fx::jacfwd(residual)(law), jt = fx::transpose(j);
    const Array damped = fx::matmul(jt, j) + 1e-9 * fx::eye(4, fx::float64);
    return std::pair{law - solve(damped, fx::matmul(jt, r)), fx::sum(r * r)};
  });

  Array law = fx::array({1.0, 0.1, 2.3, 0.0});
  for (int i = 0; i < 8; ++i) {
    auto [next, error] = step(law);
    std::cout << "step " << i << ": sum of squares " << error << "\n";
    law = next;
  }
  std::cout << "found " << law << "\ntruth " << truth << "\n";
  return fx::max(fx::abs(law - truth)).item<double>() < 0.02 ? 0 : 1;
}
