// Derivatives of one's own: a stable one, a gradient that is clipped on its way back, and memory
// saved by computing twice.
#include <fluxion/fluxion.hpp>
#include <iostream>

namespace fx = fluxion;
using fx::Array;

int main() {
  // log(1 + exp x) written so that nobody can see it: its derivative is inf / inf for large x.
  auto hidden = [](Array x) { return fx::log(fx::exp(x) + fx::exp(x * 0)); };
  auto safe = fx::custom_jvp(hidden, [=](auto primals, auto tangents) {
    auto [x] = primals;
    auto [dx] = tangents;
    return std::pair{fx::softplus(x), fx::sigmoid(x) * dx};
  });
  std::cout << "d log(1 + exp x) at 100: " << fx::grad(hidden)(100.f) << " without a rule, "
            << fx::grad(safe)(100.f) << " with one\n";
  std::cout << "second derivative at 1: " << fx::grad(fx::grad(safe))(1.f) << "\n";

  // The identity, whose cotangent is clipped.
  auto clip_gradient =
      fx::custom_vjp([](Array x) { return x; },
                     [](Array x) { return std::pair{x, std::tuple{}}; },
                     [](auto, Array ct) { return std::tuple{fx::clip(ct, -1, 1)}; });
  auto loss = [&](Array x) { return fx::sum(clip_gradient(x) * fx::array({0.5f, 20.f, -30.f})); };
  std::cout << "clipped: " << fx::grad(loss)(fx::ones({3})) << "\n";

  // A deep network: what its gradient needs in memory, plain and with checkpoints around its
  // layers.
  constexpr int layers = 16;
  auto layer = [](Array w, Array x) {
    const Array h = fx::tanh(fx::matmul(x, w));
    return h * fx::sigmoid(h) + fx::sin(h);
  };
  auto network = [=](auto layer) {
    return [=](Array w, Array x) {
      for (int i = 0; i < layers; ++i) x = layer(w[i], x);
      return fx::mean(x * x);
    };
  };
  const fx::Spec w{{layers, 64, 64}, fx::float32}, x{{512, 64}, fx::float32};
  auto plain = fx::lower(fx::grad(network(layer)), w, x).compile();
  auto saving = fx::lower(fx::grad(network(fx::checkpoint(layer))), w, x).compile();
  auto dots = fx::lower(fx::grad(network(fx::checkpoint(layer, fx::save_dots))), w, x).compile();
  std::cout << "temporaries of the gradient: " << plain.memory().temporaries / 1024
            << " KiB plain, " << dots.memory().temporaries / 1024 << " KiB with save_dots, "
            << saving.memory().temporaries / 1024 << " KiB with checkpoints\n";
}
