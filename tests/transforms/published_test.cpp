// Answers that others have published: the derivatives of the JAX documentation (its autodiff
// cookbook and advanced autodiff pages), and a stiff problem of the initial value test set.
#include "tests/support/catch.hpp"

#include <cmath>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;
using fx::Array;

namespace {
double number(const Array& a) { return a.astype(fx::float64).item<double>(); }
void near(const Array& a, const std::vector<double>& b, double relative = 1e-5) {
  const auto x = a.astype(fx::float64).to_vector<double>();
  REQUIRE(x.size() == b.size());
  for (std::size_t i = 0; i < b.size(); ++i) CHECK(x[i] == Approx(b[i]).epsilon(relative));
}
}  // namespace

TEST_CASE("JAX: derivatives of tanh and of a polynomial") {
  auto tanh = [](Array x) { return fx::tanh(x); };
  CHECK(number(fx::grad(tanh)(2.f)) == Approx(0.070650816));
  CHECK(number(fx::grad(fx::grad(tanh))(2.f)) == Approx(-0.13621868));
  CHECK(number(fx::grad(fx::grad(fx::grad(tanh)))(2.f)) == Approx(0.25265405));
  auto f = [](Array x) { return fx::power(x, 3) + 2.f * fx::square(x) - 3.f * x + 1.f; };
  auto d1 = fx::grad(f);
  auto d2 = fx::grad(d1);
  auto d3 = fx::grad(d2);
  CHECK(number(d1(1.f)) == 4);
  CHECK(number(d2(1.f)) == 10);
  CHECK(number(d3(1.f)) == 6);
  CHECK(number(fx::grad(d3)(1.f)) == 0);
}

TEST_CASE("JAX: the gradient of a logistic regression with its own random weights") {
  const Array inputs = fx::array({{0.52f, 1.12f, 0.77f},
                                  {0.88f, -1.08f, 0.15f},
                                  {0.52f, 0.06f, -1.30f},
                                  {0.74f, -2.49f, 1.39f}});
  const Array targets = fx::array({true, true, false, true});
  auto [key, w_key, b_key] = fx::random::split<3>(fx::random::key(0));
  const Array w = fx::random::normal(w_key, {3}), b = fx::random::normal(b_key, {});
  auto loss = [&](Array w, Array b) {
    const Array p = 0.5f * (fx::tanh((fx::matmul(inputs, w) + b) / 2.f) + 1.f);
    return -fx::sum(fx::log(p * targets + (1.f - p) * fx::logical_not(targets)));
  };
  auto [dw, db] = fx::grad<0, 1>(loss)(w, b);
  near(dw, {-0.433146, -0.7354605, -1.2598922});
  near(db, {-0.69001776});
  const Array j = fx::jacfwd([&](Array w) { return fx::sigmoid(fx::matmul(inputs, w) + b); })(w);
  near(j,
       fx::jacrev([&](Array w) { return fx::sigmoid(fx::matmul(inputs, w) + b); })(w)
           .astype(fx::float64)
           .to_vector<double>());
}

TEST_CASE("JAX: the temporal-difference update and the straight-through estimator") {
  auto value = [](Array theta, Array state) { return fx::dot(theta, state); };
  auto loss = [&](Array theta, Array before, Array reward, Array after) {
    return fx::square(fx::stop_gradient(reward + value(theta, after)) - value(theta, before));
  };
  const Array theta = fx::array({0.1f, -0.1f, 0.f}), before = fx::array({1.f, 2.f, -1.f}),
              after = fx::array({2.f, 1.f, 0.f});
  near(fx::grad(loss)(theta, before, Array(1.f), after), {-2.4, -4.8, 2.4});
  auto straight = [](Array x) {
    Array zero = x - fx::stop_gradient(x);
    return zero + fx::stop_gradient(fx::round(x));
  };
  CHECK(number(straight(Array(3.2f))) == 3);
  CHECK(number(fx::grad([](Array x) { return fx::round(x); })(3.2f)) == 0);
  CHECK(number(fx::grad(straight)(3.2f)) == 1);
}

TEST_CASE("JAX: custom rules for log(1 + exp x) and for a fixed point") {
  auto log1pexp = fx::custom_jvp([](Array x) { return fx::log(1.f + fx::exp(x)); },
                                 [](auto primals, auto tangents) {
                                   auto [x] = primals;
                                   auto [dx] = tangents;
                                   return std::pair{fx::log(1.f + fx::exp(x)),
                                                    (1.f - 1.f / (1.f + fx::exp(x))) * dx};
                                 });
  CHECK(number(fx::grad(log1pexp)(Array(100.f))) == 1);
  CHECK(number(fx::jit(fx::grad(log1pexp))(Array(100.f))) == 1);
  near(fx::vmap(fx::jit(fx::grad(log1pexp)))(fx::arange(3, fx::float32)),
       {0.5, 0.7310586, 0.8807971});
  // the square root by the Babylonian method, through the steps of a bounded loop
  auto root = [](Array a) {
    struct State {
      Array last, x;
    };
    return fx::bounded_while_loop([](State s) { return fx::abs(s.last - s.x) > 1e-6f; },
                                  [&](State s) { return State{s.x, 0.5f * (s.x + a / s.x)}; },
                                  State{a, 0.5f * (a + 1.f)},
                                  30)
        .x;
  };
  CHECK(number(root(Array(2.f))) == Approx(1.4142135));
  CHECK(number(fx::grad(root)(Array(2.f))) == Approx(0.35355338).epsilon(1e-5));
  CHECK(number(fx::grad(fx::grad(root))(Array(2.f))) == Approx(-0.088388346).epsilon(1e-4));
}

namespace {

/// Robertson's chemical reactions (1966).
Array robertson(Array y) {
  const Array a = 0.04 * y[0], b = 1e4 * y[1] * y[2], c = 3e7 * y[1] * y[1];
  return fx::stack({b - a, a - b - c, c});
}

/// One step of the three-stage Radau IIA method (Hairer and Wanner 1996, IV.5), by Newton's method
/// on all stages together.
Array radau_step(Array y, Array h) {
  const double r = std::sqrt(6.0);
  const Array a = fx::array({{(88 - 7 * r) / 360, (296 - 169 * r) / 1800, (-2 + 3 * r) / 225},
                             {(296 + 169 * r) / 1800, (88 + 7 * r) / 360, (-2 - 3 * r) / 225},
                             {(16 - r) / 36, (16 + r) / 36, 1.0 / 9}});
  auto residual = [&](Array z) {  // z: what is added to y at each stage
    const Array stages = z.reshape({3, 3});
    return z - (h * fx::matmul(a, fx::vmap(robertson)(stages + y))).reshape({9});
  };
  const Array z = fx::fori_loop(
      0,
      8,
      [&](Array, Array z) { return z - fx::linalg::solve(fx::jacfwd(residual)(z), residual(z)); },
      fx::zeros({9}, fx::float64));
  return y + z[{fx::slice(6, 9)}];
}

/// The solution at first * 10^(k / 24).
Array solve_robertson(double first, int steps) {
  auto times = [=](Array k) { return first * fx::power(Array(10.0), k / 24.0); };
  return fx::scan(
             [&](Array y, Array k) {
               const Array h = fx::where(k == 0.0, times(k), times(k) - times(k - 1.0));
               const Array next = radau_step(y, h);
               return std::pair{next, next};
             },
             fx::array({1.0, 0.0, 0.0}),
             fx::arange(steps + 1, fx::float64))
      .second;
}

}  // namespace

TEST_CASE("Robertson's stiff reactions reach their reference values") {
  const Array y = fx::jit([] { return solve_robertson(4e-7, 24 * 11); })();
  // the values that the manuals of LSODE and CVODE print
  near(y[24 * 6], {9.8517e-1, 3.3864e-5, 1.4794e-2}, 5e-5);
  near(y[24 * 7], {9.0552e-1, 2.2404e-5, 9.4458e-2}, 1e-4);
  near(y[24 * 8], {7.1583e-1, 9.1850e-6, 2.8416e-1}, 1e-4);
  near(y[24 * 9], {4.5051e-1, 3.2229e-6, 5.4949e-1}, 1e-4);
  near(y[24 * 10], {1.8320e-1, 8.9424e-7, 8.1680e-1}, 1e-4);
  near(y[24 * 11], {3.8984e-2, 1.6219e-7, 9.6102e-1}, 2e-4);
  // the test set for initial value problem solvers (Mazzia and Magherini 2008), at 1e11
  const Array end = fx::jit([] { return solve_robertson(1e-6, 24 * 17); })()[24 * 17];
  near(end, {0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050}, 1e-6);
  CHECK(number(fx::sum(end)) == Approx(1).epsilon(1e-12));
}
