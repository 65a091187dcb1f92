// Section 2 of the tour: derivatives, batching, compilation.
#include "expect.hpp"

#include <fluxion/fluxion.hpp>
#include <fluxion/nn.hpp>
#include <tuple>
#include <utility>
#include <vector>

namespace fx = fluxion;
using fx::Array;

struct Params {
  Array w, b;
};
struct Model {
  std::vector<Params> layers;
  fx::nn::Activation act = fx::tanh;
};
Array mse(const Model& m, Array x, Array y) {
  for (const auto& layer : m.layers) x = m.act(fx::matmul(x, layer.w) + layer.b);
  return fx::mean(fx::square(x - y));
}

static double number(const Array& x) { return x.item<double>(); }

static void derivatives() {
  const double at = 0.7;
  Array x(at), dx(2.0);
  auto f = [](Array x) { return fx::sum(fx::sin(x) * x); };
  const double slope = std::cos(at) * at + std::sin(at);
  const double bend = -std::sin(at) * at + 2 * std::cos(at);
  EXPECT(near(number(fx::grad(f)(x)), slope));
  auto [y, dy] = fx::value_and_grad(f)(x);
  EXPECT(near(number(y), std::sin(at) * at) && near(number(dy), slope));
  auto fast = fx::jit(fx::vmap(fx::grad(f)));
  Array xs = fx::array({0.7, 0.0, 1.0});
  auto slopes = fast(xs).to_vector<double>();
  EXPECT(slopes.size() == 3 && near(slopes[0], slope) && near(slopes[1], 0) &&
         near(slopes[2], std::cos(1.0) + std::sin(1.0)));
  auto [out, tangent] = fx::jvp(f, std::tuple{x}, std::tuple{dx});
  EXPECT(near(number(out), std::sin(at) * at) && near(number(tangent), 2 * slope));
  auto [out2, pullback] = fx::vjp(f, x);
  auto [cotangent] = pullback(Array(3.0));
  EXPECT(near(number(out2), std::sin(at) * at) && near(number(cotangent), 3 * slope));
  auto [y1, t1] = fx::jvp(f, x, dx);
  EXPECT(near(number(y1), std::sin(at) * at) && near(number(t1), 2 * slope));
  EXPECT(near(number(fx::grad(f)(0.7)), slope));
  auto [out3, f_lin] = fx::linearize(f, x);
  EXPECT(near(number(out3), std::sin(at) * at) && near(number(f_lin(dx)), 2 * slope));
  EXPECT(near(number(fx::hessian(f)(x)), bend));
  EXPECT(near(number(fx::grad(fx::grad(f))(x)), bend));
}

static void jacobians_and_arguments() {
  auto h = [](Array x) { return x * x; };
  Array x = fx::array({1.0, 2.0});
  const std::vector<double> diagonal{2, 0, 0, 4};
  EXPECT(fx::jacfwd(h)(x).to_vector<double>() == diagonal);
  EXPECT(fx::jacrev(h)(x).to_vector<double>() == diagonal);

  auto loss = [](Array w, Array b, Array data) { return fx::sum(w * b + data); };
  auto [gw, gb] = fx::grad<0, 1>(loss)(Array(2.0), Array(3.0), Array(5.0));
  EXPECT(number(gw) == 3 && number(gb) == 2);

  auto model_loss = [](Params p, Array batch) {
    return std::pair{fx::sum(p.w * batch + p.b), std::tuple{p.w, 3}};
  };
  auto [loss_aux, grads] =
      fx::value_and_grad(model_loss, fx::has_aux)(Params{Array(2.0), Array(1.0)}, Array(4.0));
  EXPECT(number(loss_aux.first) == 9 && number(std::get<0>(loss_aux.second)) == 2);
  EXPECT(std::get<1>(loss_aux.second) == 3 && number(grads.w) == 4 && number(grads.b) == 1);

  auto f2 = [](Array a, Array b, Array c) { return a + b + c; };
  auto batched = fx::vmap(f2, {.in_axes = {0, fx::unmapped, 1}, .out_axes = 0, .axis_name = "i"});
  Array r = batched(fx::array({10.0, 20.0}), Array(1.0), fx::array({{0.1, 0.2}}));
  EXPECT(r.shape() == fx::Shape({2, 1}));
  EXPECT(near(r.to_vector<double>()[0], 11.1) && near(r.to_vector<double>()[1], 21.2));

  auto relu = [](Array x) { return x.item<double>() > 0 ? x * x : x * 0; };
  EXPECT(number(fx::grad(relu)(Array(3.0))) == 6 && number(fx::grad(relu)(Array(-3.0))) == 0);
}

static void training_step() {
  Model model{
      {{fx::full({2, 3}, 0.5f), fx::zeros({3})}, {fx::full({3, 1}, 0.25f), fx::zeros({1})}}};
  Array x = fx::array({{1.f, 0.f}, {0.f, 1.f}, {1.f, 1.f}}),
        y = fx::array({{0.5f}, {-0.5f}, {0.f}});
  std::vector<std::pair<Array, Array>> batches(40, {x, y});
  const float before = mse(model, x, y).item<float>();
  Array loss;
  auto step = fx::jit([](Model m, Array x, Array y) {
    auto [loss, g] = fx::value_and_grad([&](Model m) { return mse(m, x, y); })(m);
    return std::pair{fx::tree_map([](Array p, Array g) { return p - 0.1f * g; }, m, g), loss};
  });
  for (auto& [x, y] : batches) {
    std::tie(model, loss) = step(std::move(model), x, y);
  }
  EXPECT(model.layers.size() == 2 && model.act == fx::nn::Activation(fx::tanh));
  EXPECT(near(mse(model, x, y).item<float>(), loss.item<float>(), 0.05));
  EXPECT(loss.item<float>() < 0.9f * before);
  EXPECT((fx::tree_paths(model) ==
          std::vector<std::string>{"layers.0.w", "layers.0.b", "layers.1.w", "layers.1.b"}));
}

int main() {
  derivatives();
  jacobians_and_arguments();
  training_step();
  return failures;
}
