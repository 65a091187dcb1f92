// Layers, losses and optimizers against their published formulas.
#include "tests/support/catch.hpp"

#include <cmath>
#include <fluxion/nn.hpp>

namespace fx = fluxion;
namespace nn = fluxion::nn;
using fx::Array;

namespace {
std::vector<float> floats(const Array& a) { return a.to_vector<float>(); }
struct Mlp {
  nn::Linear in, out;
  nn::Activation act = fx::tanh;
  Array operator()(Array x) const { return out(act(in(x))); }
};
Mlp small_mlp(std::uint64_t seed, std::int64_t in, std::int64_t hidden, std::int64_t out) {
  auto [a, b] = fx::random::split<2>(fx::random::key(seed));
  return {nn::Linear::init(a, in, hidden), nn::Linear::init(b, hidden, out)};
}
}  // namespace

TEST_CASE("a linear layer is x weight + bias, for one example and for a batch") {
  const nn::Linear l{fx::array({{1.f, 2.f}, {3.f, 4.f}, {5.f, 6.f}}), fx::array({10.f, 20.f})};
  CHECK(floats(l(fx::array({1.f, 0.f, 2.f}))) == std::vector<float>{21, 34});
  CHECK(floats(l(fx::array({{1.f, 0.f, 2.f}, {0.f, 1.f, 0.f}}))) ==
        std::vector<float>{21, 34, 13, 24});
  CHECK(floats(fx::vmap(l)(fx::array({{1.f, 0.f, 2.f}}))) == std::vector<float>{21, 34});
}

TEST_CASE("a layer that does not fit names the user's line") {
  const nn::Linear l = nn::Linear::init(fx::random::key(0), 3, 2);
  const int line = __LINE__ + 2;
  try {
    (void)l(fx::zeros({5, 4}));
    FAIL("nothing was refused");
  } catch (const fx::Error& e) {
    CHECK(e.code() == "dot-sizes");
    CHECK(static_cast<int>(e.site().line()) == line);
  }
}

TEST_CASE("a convolution with a known kernel, with strides, groups and without padding") {
  const Array image = fx::arange(16, fx::float32).reshape({4, 4, 1});
  nn::Conv2d c{fx::ones({3, 3, 1, 1}), fx::array({0.5f}), {.same = false}};
  CHECK(floats(c(image)) == std::vector<float>{45.5f, 54.5f, 81.5f, 90.5f});
  c.options.same = true;
  CHECK(c(image).shape() == fx::Shape({4, 4, 1}));
  CHECK(floats(c(image))[0] == 0 + 1 + 4 + 5 + 0.5f);
  c.options.stride = 2;
  CHECK(c(image).shape() == fx::Shape({2, 2, 1}));
  const nn::Conv2d depthwise{
      fx::array({2.f, 3.f}).reshape({1, 1, 1, 2}), fx::zeros({2}), {.groups = 2}};
  CHECK(floats(depthwise(fx::array({1.f, 10.f}).reshape({1, 1, 2}))) == std::vector<float>{2, 30});
  CHECK_THROWS_AS(c(fx::zeros({4, 4})), fx::Error);
}

TEST_CASE("pooling takes the largest or the mean of each window, and sends gradients back") {
  const Array image = fx::array({{1.f, 5.f, 2.f, 0.f}, {3.f, 4.f, 8.f, 1.f}}).reshape({2, 4, 1});
  CHECK(floats(nn::MaxPool2d{}(image)) == std::vector<float>{5, 8});
  CHECK(floats(nn::AvgPool2d{}(image)) == std::vector<float>{3.25f, 2.75f});
  const Array g = fx::grad([](Array x) {
    return fx::sum(nn::MaxPool2d{}(x)*fx::array({10.f, 20.f}).reshape({1, 2, 1}));
  })(image);
  CHECK(floats(g) == std::vector<float>{0, 10, 0, 0, 0, 0, 20, 0});
  const Array h = fx::grad([](Array x) { return fx::sum(nn::AvgPool2d{}(x)); })(image);
  CHECK(floats(h) == std::vector<float>(8, 0.25f));
}

TEST_CASE("dropout keeps the mean, and is the identity without a key") {
  const Array x = fx::ones({10000});
  const nn::Dropout d{0.25};
  CHECK(floats(d(x)) == floats(x));
  const std::vector<float> y = floats(d(x, fx::random::key(3)));
  double mean = 0;
  for (float v : y) {
    CHECK((v == 0 || v == Approx(1 / 0.75f)));
    mean += v / 1e4;
  }
  CHECK(mean == Approx(1).margin(0.03));
  CHECK(floats(d(x, fx::random::key(3))) == y);
}

TEST_CASE("layer norm has mean 0 and variance 1, then scale and shift; embedding takes rows") {
  const nn::LayerNorm n{fx::array({2.f, 2.f, 2.f, 2.f}), fx::array({1.f, 1.f, 1.f, 1.f}), 0};
  const std::vector<float> y = floats(n(fx::array({1.f, 2.f, 3.f, 4.f})));
  const double deviation = std::sqrt(1.25);
  for (int i = 0; i < 4; ++i)
    CHECK(y[static_cast<std::size_t>(i)] == Approx(1 + 2 * (i + 1 - 2.5) / deviation));
  const nn::Embedding e{fx::arange(6, fx::float32).reshape({3, 2})};
  CHECK(floats(e(fx::array({2, 0}))) == std::vector<float>{4, 5, 0, 1});
}

TEST_CASE("initializers have the variance of their formula, orthogonal columns are orthonormal") {
  auto variance = [](const Array& a) { return fx::var(a).item<float>(); };
  const auto k = fx::random::key(5);
  CHECK(variance(nn::glorot_normal(k, {300, 500})) == Approx(2.0 / 800).epsilon(0.03));
  CHECK(variance(nn::glorot_uniform(k, {300, 500})) == Approx(2.0 / 800).epsilon(0.03));
  CHECK(variance(nn::he_normal(k, {300, 500})) == Approx(2.0 / 300).epsilon(0.03));
  CHECK(variance(nn::he_uniform(k, {3, 3, 20, 500})) == Approx(2.0 / 180).epsilon(0.03));
  CHECK(variance(nn::lecun_normal(k, {300, 500})) == Approx(1.0 / 300).epsilon(0.03));
  const Array q = nn::orthogonal(k, {12, 7});
  CHECK(fx::max(fx::abs(fx::matmul(fx::transpose(q), q) - fx::eye(7))).item<float>() < 1e-5f);
  const Array r = nn::orthogonal(k, {3, 8}, 2);
  CHECK(fx::max(fx::abs(fx::matmul(r, fx::transpose(r)) - 4 * fx::eye(3))).item<float>() < 1e-5f);
  CHECK_THROWS_AS(nn::he_normal(k, {5}), fx::Error);
}

TEST_CASE("losses are their formulas") {
  const Array p = fx::array({1.f, -2.f, 0.5f}), t = fx::array({0.f, 1.f, 0.5f});
  CHECK(nn::mse(p, t).item<float>() == Approx(10.0 / 3));
  CHECK(nn::mae(p, t).item<float>() == Approx(4.0 / 3));
  CHECK(nn::huber(p, t).item<float>() == Approx((0.5 + 2.5 + 0) / 3));
  const Array logits = fx::array({{2.f, 1.f, -1.f}, {0.f, 0.f, 0.f}});
  const double expected =
      (-std::log(std::exp(1.0) / (std::exp(2.0) + std::exp(1.0) + std::exp(-1.0))) +
       std::log(3.0)) /
      2;
  CHECK(nn::softmax_cross_entropy(logits, fx::array({1, 2})).item<float>() == Approx(expected));
  CHECK(nn::softmax_cross_entropy_with_probabilities(logits, fx::one_hot(fx::array({1, 2}), 3))
            .item<float>() == Approx(expected));
  CHECK(nn::sigmoid_cross_entropy(fx::array({100.f, -3.f}), fx::array({1.f, 0.f})).item<float>() ==
        Approx(std::log1p(std::exp(-3.0)) / 2));
  CHECK(nn::accuracy(logits, fx::array({0, 1})).item<float>() == 0.5f);
  const Array g =
      fx::grad([](Array x) { return nn::softmax_cross_entropy(x, fx::array({1, 2})); })(logits);
  CHECK(floats(g)[3] == Approx(1.0 / 6));
  CHECK(floats(g)[5] == Approx(-1.0 / 3));
  CHECK_THROWS_AS(nn::softmax_cross_entropy(logits, fx::array({1.f, 2.f})), fx::Error);
}

TEST_CASE("optimizers follow their published updates") {
  struct P {
    Array w;
  };
  const P p{Array(1.0)}, g1{Array(0.5)}, g2{Array(-0.25)};
  {
    const auto o = nn::sgd({.learning_rate = 0.1, .momentum = 0.9});
    auto [u1, s1] = o.update(g1, o.init(p), p);
    CHECK(u1.w.item<double>() == Approx(-0.05));
    auto [u2, s2] = o.update(g2, s1, p);
    CHECK(u2.w.item<double>() == Approx(-0.1 * (0.9 * 0.5 - 0.25)));
    const auto n = nn::sgd({.learning_rate = 0.1, .momentum = 0.9, .nesterov = true});
    CHECK(n.update(g1, n.init(p), p).first.w.item<double>() == Approx(-0.1 * (0.5 + 0.9 * 0.5)));
  }
  {
    const auto o = nn::adam({.learning_rate = 0.01});
    auto [u1, s1] = o.update(g1, o.init(p), p);
    CHECK(u1.w.item<double>() ==
          Approx(-0.01).epsilon(1e-6));  // the first step has the size of the rate
    auto [u2, s2] = o.update(g2, s1, p);
    const double m = (0.9 * 0.1 * 0.5 + 0.1 * -0.25) / (1 - 0.81),
                 v = (0.999 * 0.001 * 0.25 + 0.001 * 0.0625) / (1 - 0.999 * 0.999);
    CHECK(u2.w.item<double>() == Approx(-0.01 * m / (std::sqrt(v) + 1e-8)).epsilon(1e-5));
    CHECK(s2.count.item<int>() == 2);
    const auto w = nn::adamw({.learning_rate = 0.01, .weight_decay = 0.1});
    CHECK(w.update(g1, w.init(p), p).first.w.item<double>() ==
          Approx(-0.01 - 0.01 * 0.1).epsilon(1e-6));
  }
  const auto s = nn::Schedule::warmup_cosine(1, 10, 110, 0.1);
  CHECK(s(5).item<float>() == Approx(0.5));
  CHECK(s(10).item<float>() == Approx(1));
  CHECK(s(60).item<float>() == Approx(0.55));
  CHECK(s(500).item<float>() == Approx(0.1));
  const P clipped = nn::clip_by_global_norm(P{fx::array({3.0, 4.0})}, 1);
  CHECK(clipped.w.to_vector<double>()[0] == Approx(0.6));
}

TEST_CASE("a small network learns exclusive or, and jit changes nothing but the speed") {
  const Array x = fx::array({{0.f, 0.f}, {0.f, 1.f}, {1.f, 0.f}, {1.f, 1.f}}),
              y = fx::array({0.f, 1.f, 1.f, 0.f}).reshape({4, 1});
  const auto optimizer = nn::adam({.learning_rate = 0.05});
  auto step = [&](Mlp m, nn::AdamState<Mlp> s) {
    auto [loss, grads] =
        fx::value_and_grad([&](Mlp m) { return nn::sigmoid_cross_entropy(m(x), y); })(m);
    auto [updates, next] = optimizer.update(grads, s, m);
    return std::tuple{nn::apply_updates(m, updates), next, loss};
  };
  auto fast = fx::jit(step);
  Mlp model = small_mlp(1, 2, 8, 1);
  auto state = optimizer.init(model);
  auto [m1, s1, l1] = step(model, state);
  auto [m2, s2, l2] = fast(model, state);
  CHECK(l1.item<float>() == Approx(l2.item<float>()));
  for (std::size_t i = 0; i < fx::tree_leaves(m1).size(); ++i)
    CHECK(fx::max(fx::abs(fx::tree_leaves(m1)[i] - fx::tree_leaves(m2)[i])).item<float>() < 1e-6f);
  Array loss;
  for (int i = 0; i < 300; ++i)
    std::tie(model, state, loss) = fast(std::move(model), std::move(state));
  CHECK(loss.item<float>() < 0.02f);
  CHECK(fx::all((model(x) > 0.f) == (y > 0.5f)).item<bool>());
  CHECK(state.count.item<int>() == 300);
}

TEST_CASE("a model counts and lists its parameters by the names of its members") {
  const Mlp m = small_mlp(0, 4, 3, 2);
  CHECK(nn::parameter_count(m) == 4 * 3 + 3 + 3 * 2 + 2);
  CHECK(nn::summary(m) ==
        "name        type      count\n"
        "in.weight   f32[4,3]     12\n"
        "in.bias     f32[3]        3\n"
        "out.weight  f32[3,2]      6\n"
        "out.bias    f32[2]        2\n"
        "total                    23\n");
}

TEST_CASE("donated parameters and state are trained as others are") {
  const Mlp model = small_mlp(0, 64, 256, 10);
  const Array x = fx::random::normal(fx::random::key(1), {128, 64});
  const Array y = fx::random::randint(fx::random::key(2), {128}, 0, 10);
  const auto adam = nn::adam({.learning_rate = 1e-2f});
  const auto step = fx::jit([=](Mlp m, nn::AdamState<Mlp> s) {
    const auto g = fx::grad([&](Mlp m) { return nn::softmax_cross_entropy(m(x), y); })(m);
    auto [updates, next] = adam.update(g, s, m);
    return std::pair{nn::apply_updates(m, updates), next};
  });
  std::pair kept{model, adam.init(model)};
  std::pair donated = kept;
  for (int k = 0; k < 4; ++k) {
    kept = step(kept.first, kept.second);
    donated = step(std::move(donated.first), std::move(donated.second));
    fx::eval(kept, donated);
  }
  const auto a = fx::tree_leaves(kept), b = fx::tree_leaves(donated);
  for (std::size_t k = 0; k < a.size(); ++k) CHECK(fx::all(a[k] == b[k]).item<bool>());
}
