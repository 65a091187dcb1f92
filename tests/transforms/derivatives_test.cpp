// grad, jvp, vjp, vmap, Jacobians: what they compute, how they nest, what they refuse.
#include "runtime/cut.hpp"
#include "tests/support/catch.hpp"

#include <fluxion/fluxion.hpp>

namespace fx = fluxion;
using fx::Array;

namespace {
double number(const Array& a) { return a.item<double>(); }
std::string refusal(auto f) {
  try {
    f();
  } catch (const fx::Error& e) {
    return e.what();
  }
  return "nothing was refused";
}
}  // namespace

TEST_CASE("derivatives of any order") {
  auto f = [](Array x) { return fx::sin(x) * fx::exp(x * x); };
  const double x = 0.4, e = std::exp(x * x), s = std::sin(x), c = std::cos(x);
  CHECK(number(fx::grad(f)(x)) == Approx((c + 2 * x * s) * e));
  CHECK(number(fx::grad(fx::grad(f))(x)) == Approx((s * (1 + 4 * x * x) + 4 * x * c) * e));
  auto third = fx::grad(fx::grad(fx::grad(f)));
  const double h = 1e-5;
  CHECK(number(third(x)) ==
        Approx((number(fx::grad(fx::grad(f))(x + h)) - number(fx::grad(fx::grad(f))(x - h))) /
               (2 * h))
            .epsilon(1e-7));
  auto forward = [&](Array x) { return fx::jvp(f, x, Array(1.0)).second; };
  auto over_reverse = [&](Array x) { return fx::jvp(fx::grad(f), x, Array(1.0)).second; };
  CHECK(number(fx::grad(forward)(x)) == Approx(number(fx::grad(fx::grad(f))(x))));
  CHECK(number(over_reverse(x)) == Approx(number(fx::grad(fx::grad(f))(x))));
}

TEST_CASE("perturbations of nested derivatives are not confused") {
  auto one =
      fx::grad([](Array x) { return x * fx::grad([&](Array y) { return x + y; })(Array(1.0)); });
  CHECK(number(one(Array(1.0))) == 1);
  auto two =
      fx::grad([](Array x) { return x * fx::grad([&](Array y) { return x * y; })(Array(2.0)); });
  CHECK(number(two(Array(3.0))) == 6);
  // Siskind and Pearlmutter (2008): d/dx (x d/dy (x y)) at x = y = 1 is 2, by forward mode too
  auto forward = [](Array x) {
    return fx::jvp(
               [](Array x) {
                 return x * fx::jvp([&](Array y) { return x * y; }, Array(1.0), Array(1.0)).second;
               },
               x,
               Array(1.0))
        .second;
  };
  CHECK(number(forward(Array(1.0))) == 2);
  // a closure that is differentiated outside the derivative that made it (Manzyuk et al. 2019)
  auto outer = [](Array x) {
    auto g = [x](Array y) { return x * y * y; };
    return fx::grad(g)(x);
  };
  CHECK(number(fx::grad(outer)(Array(3.0))) == Approx(12));
}

TEST_CASE("closures over the arrays of every outer frame") {
  const Array a = fx::array({1.0, 2.0, 3.0});
  auto f = fx::jit([a](Array x) {
    auto g = fx::vmap(
        [&](Array row) { return fx::grad([&](Array t) { return fx::sum(t * x * row + a); })(x); });
    return fx::sum(g(a) * x);
  });
  // d/dt sum(t x row + a) = x row; sum over rows and elements of x row x
  const Array x = fx::array({0.5, -1.0, 2.0});
  CHECK(number(f(x)) == Approx((0.25 + 1 + 4) * 6));
  const auto g = fx::grad(f)(x).to_vector<double>();
  CHECK(g[1] == Approx(2 * -1.0 * 6));
}

TEST_CASE("control flow by values works under grad, and costs what its steps cost") {
  auto root = [](Array a) {  // Newton's method for the square root, as long as it moves
    Array x = a * 0.5 + 0.5;
    for (int i = 0; i < 60; ++i) {
      const Array next = (x + a / x) * 0.5;
      const bool done = std::abs((next - x).item<double>()) < 1e-14;
      x = next;
      if (done) break;
    }
    return x;
  };
  CHECK(number(fx::grad(root)(Array(2.0))) == Approx(0.5 / std::sqrt(2.0)));
  auto steps = [](int n) {
    const auto before = fx::evaluated_operations();
    number(fx::grad([n](Array x) {
      for (int i = 0; i < n; ++i) {
        x = x * 0.75;
        if (x.item<double>() > 1e9) break;
      }
      return x;
    })(Array(1.5)));
    return static_cast<double>(fx::evaluated_operations() - before);
  };
  CHECK(steps(80) / steps(20) < 5);  // linear in the steps; quadratic would be 16
}

TEST_CASE("jvp and vjp of several arguments and trees") {
  struct Point {
    Array x, y;
  };
  auto f = [](Point p, Array k) { return std::pair{p.x * p.y * k, fx::sin(p.x)}; };
  const Point p{Array(2.0), Array(3.0)};
  auto [out, tangent] =
      fx::jvp(f, std::tuple{p, Array(5.0)}, std::tuple{Point{Array(1.0), Array(0.0)}, Array(0.0)});
  CHECK(number(out.first) == 30);
  CHECK(number(tangent.first) == 15);
  CHECK(number(tangent.second) == Approx(std::cos(2.0)));
  auto [value, pullback] = fx::vjp(f, p, Array(5.0));
  auto [dp, dk] = pullback(std::pair{Array(1.0), Array(10.0)});
  CHECK(number(dp.x) == Approx(15 + 10 * std::cos(2.0)));
  CHECK(number(dp.y) == 10);
  CHECK(number(dk) == 6);
  auto [same, push] = fx::linearize(f, p, Array(5.0));
  CHECK(number(push(Point{Array(0.0), Array(1.0)}, Array(1.0)).first) == 16);
}

TEST_CASE("auxiliary results, several arguments, and leaves without tangents") {
  struct Params {
    Array w;
    Array count;
  };
  auto loss = [](Params p, Array x) { return std::pair{fx::sum(p.w * x), p.count + 1}; };
  const Params p{fx::array({1.0, 2.0}), Array(7)};
  auto [value, grads] = fx::value_and_grad(loss, fx::has_aux)(p, fx::array({3.0, 4.0}));
  CHECK(number(value.first) == 11);
  CHECK(value.second.item<int>() == 8);
  CHECK(grads.w.to_vector<double>() == std::vector<double>{3, 4});
  const Params next = fx::tree_map([](Array a, Array g) { return a - 0.5 * g; }, p, grads);
  CHECK(next.w.to_vector<double>() == std::vector<double>{-0.5, 0});
  CHECK(next.count.item<int>() == 7);  // an integer leaf has no gradient: it stays
  auto [dx, dy] =
      fx::grad<0, 1>([](Array x, Array y) { return x * x * y; })(Array(3.0), Array(2.0));
  CHECK(number(dx) == 12);
  CHECK(number(dy) == 9);
}

TEST_CASE("Jacobians by both modes, Hessians") {
  auto f = [](Array x) { return fx::stack({x[0] * x[1], fx::sin(x[1]), x[0] + x[2] * x[2]}); };
  const Array x = fx::array({2.0, 0.5, 3.0});
  const std::vector<double> expected{0.5, 2, 0, 0, std::cos(0.5), 0, 1, 0, 6};
  const Array forward = fx::jacfwd(f)(x), reverse = fx::jacrev(f)(x);
  CHECK(forward.shape() == fx::Shape({3, 3}));
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(forward.to_vector<double>()[i] == Approx(expected[i]));
    CHECK(reverse.to_vector<double>()[i] == Approx(expected[i]));
  }
  auto g = [](Array x) { return fx::sum(x * x * x) * x[0]; };
  const auto h = fx::hessian(g)(fx::array({1.0, 2.0})).to_vector<double>();
  CHECK(h == std::vector<double>{12, 12, 12, 12});  // 12 x0^2, 3 x1^2; 3 x1^2, 6 x0 x1
}

TEST_CASE("vmap over any axes, nested, with unmapped arguments") {
  const Array m = fx::arange(6, fx::float64).reshape({2, 3});
  auto dot = [](Array a, Array b) { return fx::sum(a * b); };
  CHECK(fx::vmap(dot)(m, m).to_vector<double>() == std::vector<double>{5, 50});
  CHECK(fx::vmap(dot, {.in_axes = {1, 1}})(m, m).to_vector<double>() ==
        std::vector<double>{9, 17, 29});
  CHECK(fx::vmap(dot, {.in_axes = {0, fx::unmapped}})(m, fx::array({1.0, 0.0, 2.0}))
            .to_vector<double>() == std::vector<double>{4, 13});
  auto outer =
      fx::vmap(fx::vmap([](Array a, Array b) { return a * b; }, {.in_axes = {fx::unmapped, 0}}),
               {.in_axes = {0, fx::unmapped}});
  CHECK(outer(fx::array({1.0, 2.0}), fx::array({3.0, 4.0, 5.0})).to_vector<double>() ==
        std::vector<double>{3, 4, 5, 6, 8, 10});
  const Array t = fx::vmap([](Array row) { return row * 2.0; }, {.out_axes = 1})(m);
  CHECK(t.shape() == fx::Shape({3, 2}));
  CHECK(t.to_vector<double>() == std::vector<double>{0, 6, 2, 8, 4, 10});
  const Array same = fx::vmap([](Array) { return fx::ones({2}, fx::float64); })(m);
  CHECK(same.shape() == fx::Shape({2, 2}));
  CHECK(fx::vmap(fx::grad([](Array x) { return fx::sin(x) * x; }))(fx::array({1.0, 2.0}))
            .to_vector<double>()[1] == Approx(std::sin(2.0) + 2 * std::cos(2.0)));
  CHECK(fx::vmap([](Array row) { return fx::sum(row); })(fx::zeros({0, 3})).shape() ==
        fx::Shape{0});
}

TEST_CASE("what transforms refuse, in full") {
  const std::string file = __FILE__;
  auto here = [&](int at) { return "\n  --> " + file + ":" + std::to_string(at); };
  const Array v = fx::array({1.f, 2.f, 3.f});
  int line = 0;
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::grad([](Array x) { return x * 2; })(v); }) ==
        "error[grad-output]: grad: the function must return a real scalar, it returned f32[3]" +
            here(line) +
            "\n  = hint: reduce it, for example with fx::sum or fx::mean; for all derivatives use "
            "fx::jacrev");
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::grad([](Array x) { return fx::sum(x); })(fx::array({1, 2})); }) ==
        "error[grad-input]: grad: the argument to differentiate holds no array of floating dtype" +
            here(line) + "\n  | it holds i32[2]\n  = hint: convert it: x.astype(fx::float32)");
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::jvp([](Array x) { return x; }, v, fx::zeros({4})); }) ==
        "error[tangent-type]: jvp: a tangent has another type than its primal" + here(line) +
            "\n  | array 0 is f32[3]\n  | its tangent is f32[4]\n  = hint: tangents have the shape "
            "and dtype of the primals");
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::vmap([](Array a, Array b) { return a + b; })(v, fx::zeros({4})); }) ==
        "error[vmap-sizes]: vmap: the mapped axes differ in size, 3 and 4" + here(line) +
            "\n  | argument 0 is f32[3], mapped along axis 0 of size 3\n  | argument 1 is f32[4], "
            "mapped along axis 0 of size 4");
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::vmap([](Array a) { return a; })(Array(1.f)); }) ==
        "error[vmap-axis]: vmap: there is no axis 0 in argument 0" + here(line) +
            "\n  | its type is f32[]\n  = hint: a scalar has no axis: mark it fx::unmapped");
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::vmap([](Array a) { return a; }, {.in_axes = fx::unmapped})(v); }) ==
        "error[vmap-size]: vmap: no argument is mapped, so the size of the batch is not known" +
            here(line) +
            "\n  | in_axes = fx::unmapped\n  = hint: map an argument, or give .axis_size");
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::vmap([](Array a) { return Array(a.item<float>()); })(v); }) ==
        "error[value-in-trace]: a value was asked for inside vmap, where arrays have only shape "
        "and dtype" +
            here(line) + "\n  | the array is f32[], recorded at " + file + ":" +
            std::to_string(line) +
            "\n  = hint: use fx::where or fx::cond to choose by value, or return the array and "
            "look at it outside");
}
