// custom_linear_solve, custom_root: derivatives from the equation, in every mode and order.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

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

/// The inverse of a 2 by 2 matrix, by Cramer's rule.
Array inverse(const Array& a) {
  const Array determinant = a[{0, 0}] * a[{1, 1}] - a[{0, 1}] * a[{1, 0}];
  return fx::stack({fx::stack({a[{1, 1}], -a[{0, 1}]}), fx::stack({-a[{1, 0}], a[{0, 0}]})}) /
         determinant;
}
/// The matrix of a linear operator on two numbers, from its columns.
Array matrix_of(const fx::LinearOperator<Array>& a, const Array& like) {
  const Array e = fx::eye(2, 2, 0, like.dtype());
  return fx::stack({a(e[0]), a(e[1])}, 1);
}
/// What a library of the user's would do: nothing that may be differentiated (stop_gradient).
auto direct = [](const fx::LinearOperator<Array>& a, const Array& b) {
  return fx::stop_gradient(fx::matmul(inverse(matrix_of(a, b)), b));
};
Array solve(const Array& a, const Array& b) {
  return fx::lax::custom_linear_solve([=](Array x) { return fx::matmul(a, x); }, b, direct, direct);
}
Array plain_solve(const Array& a, const Array& b) { return fx::matmul(inverse(a), b); }

/// sqrt by bisection-free Newton steps: no derivative of the steps is wanted.
Array square_root(const Array& a) {
  return fx::lax::custom_root(
      [=](Array x) { return x * x - a; },
      fx::ones_like(a),
      [](auto f, Array x) {
        for (int i = 0; i < 40; ++i) x = x - fx::stop_gradient(f(x) / (2 * x));
        return fx::stop_gradient(x);
      },
      [](const auto& g, const Array& y) { return y / g(fx::ones_like(y)); });
}

}  // namespace

TEST_CASE(
    "a linear solve is differentiated by its equation, with respect to matrix and right side") {
  const Array a = fx::array({{3.0, 1.0}, {-2.0, 4.0}}), b = fx::array({5.0, -1.0});
  const Array w = fx::array({0.3, -0.7});
  auto loss = [&](auto f) {
    return [&w, f](Array a, Array b) { return fx::sum(fx::sin(f(a, b)) * w); };
  };
  CHECK(number(fx::max(fx::abs(fx::matmul(a, solve(a, b)) - b))) < 1e-14);
  auto [da, db] = fx::grad<0, 1>(loss(solve))(a, b);
  auto [ea, eb] = fx::grad<0, 1>(loss(plain_solve))(a, b);
  CHECK(number(fx::max(fx::abs(da - ea))) < 1e-14);
  CHECK(number(fx::max(fx::abs(db - eb))) < 1e-14);
  auto [ja, jb] = fx::jit(fx::grad<0, 1>(loss(solve)))(a, b);
  CHECK(number(fx::max(fx::abs(ja - ea))) < 1e-14);
  CHECK(number(fx::max(fx::abs(jb - eb))) < 1e-14);
  const Array along = fx::array({{0.1, 0.4}, {-0.2, 0.7}});
  const Array tangent = fx::jvp(loss(solve), std::tuple{a, b}, std::tuple{along, b}).second;
  const Array expected = fx::jvp(loss(plain_solve), std::tuple{a, b}, std::tuple{along, b}).second;
  CHECK(number(tangent) == Approx(number(expected)).epsilon(1e-13));
  // second order, both modes over both modes
  auto of_a = [&](auto f) { return [&, f](Array a) { return loss(f)(a, a[0]); }; };
  auto sharp = [&](auto f) { return fx::jacfwd(fx::grad(of_a(f)))(a); };
  auto round = [&](auto f) { return fx::jacrev(fx::grad(of_a(f)))(a); };
  CHECK(number(fx::max(fx::abs(sharp(solve) - sharp(plain_solve)))) < 1e-13);
  CHECK(number(fx::max(fx::abs(round(solve) - sharp(plain_solve)))) < 1e-13);
}

TEST_CASE("a linear solve under vmap: of matrices, of right sides, of both; and its gradient") {
  const Array as =
      fx::array({{{3.0, 1.0}, {-2.0, 4.0}}, {{1.0, 0.5}, {0.25, -2.0}}, {{2.0, 0.0}, {0.0, 2.0}}});
  const Array bs = fx::array({{5.0, -1.0}, {1.0, 2.0}, {0.0, 3.0}});
  const auto check = [&](fx::VmapOptions options, const Array& a, const Array& b) {
    const Array x = fx::vmap(solve, options)(a, b), y = fx::vmap(plain_solve, options)(a, b);
    CHECK(number(fx::max(fx::abs(x - y))) < 1e-13);
    auto total = [&](auto f) {
      return [&, f](Array a, Array b) { return fx::sum(fx::cos(fx::vmap(f, options)(a, b))); };
    };
    auto [da, db] = fx::jit(fx::grad<0, 1>(total(solve)))(a, b);
    auto [ea, eb] = fx::grad<0, 1>(total(plain_solve))(a, b);
    CHECK(number(fx::max(fx::abs(da - ea))) < 1e-12);
    CHECK(number(fx::max(fx::abs(db - eb))) < 1e-12);
  };
  check({}, as, bs);
  check({.in_axes = {0, fx::unmapped}}, as, bs[0]);
  check({.in_axes = {fx::unmapped, 0}}, as[0], bs);
}

TEST_CASE("a symmetric solve needs no second solver; trees of unknowns; what is refused") {
  struct Pair {
    Array x, y;
  };
  // 2x + y, x + 3y
  auto f = [](Array scale, Pair b) {
    return fx::lax::custom_linear_solve(
        [=](Pair p) { return Pair{scale * (2.0 * p.x + p.y), scale * (p.x + 3.0 * p.y)}; },
        b,
        [=](const auto&, Pair b) {
          const Array s = fx::stop_gradient(scale);
          return Pair{(3.0 * b.x - b.y) / (5.0 * s), (2.0 * b.y - b.x) / (5.0 * s)};
        },
        fx::lax::symmetric);
  };
  auto loss = [&](Array scale, Pair b) {
    const Pair p = f(scale, b);
    return p.x * p.x + p.y;
  };
  const Pair b{Array(1.0), Array(4.0)};
  // x = (3 - 4) / 5s, y = (8 - 1) / 5s
  auto [ds, db] = fx::grad<0, 1>(loss)(Array(2.0), b);
  CHECK(number(ds) == Approx(-2 * 0.04 / 8 - 1.4 / 4));
  CHECK(number(db.x) == Approx(2 * -0.1 * 0.3 - 0.1));
  CHECK(number(db.y) == Approx(2 * -0.1 * -0.1 + 0.2));
  auto one_way = [](Array b) {
    return fx::sum(fx::lax::custom_linear_solve(
        [](Array x) { return x * 2.0; }, b, [](const auto&, Array b) { return b / 2.0; }));
  };
  const int line = __LINE__ - 3;
  const std::string place = "\n  --> " + std::string(__FILE__) + ":";
  CHECK(number(one_way(fx::ones({2}, fx::float64))) == 1);
  CHECK(number(fx::jvp(one_way, fx::ones({2}, fx::float64), fx::ones({2}, fx::float64)).second) ==
        1);
  CHECK(
      refusal([&] { fx::grad(one_way)(fx::ones({2}, fx::float64)); }) ==
      "error[linear-solve]: custom_linear_solve: reverse mode needs a solution with the transposed "
      "matrix" +
          place + std::to_string(line) +
          "\n  = hint: give transpose_solve, or say that the matrix is symmetric");
  const int called = __LINE__ + 1;
  CHECK(refusal([&] {
          fx::jit([](Array b) {
            return fx::lax::custom_linear_solve(
                [](Array x) { return fx::sum(x); }, b, [](const auto&, Array b) { return b; });
          })(fx::ones({2}));
        }) == "error[linear-solve]: custom_linear_solve: the result of matvec is not like b" +
                  place + std::to_string(called) + "\n  | b is f32[2]\n  | matvec gives f32[]");
}

TEST_CASE("a root is differentiated by the implicit function theorem") {
  CHECK(number(square_root(Array(2.0))) == Approx(std::sqrt(2.0)));
  auto f = [](Array a) { return square_root(a); };
  CHECK(number(fx::grad(f)(Array(2.0))) == Approx(0.5 / std::sqrt(2.0)));
  CHECK(number(fx::jit(fx::grad(f))(Array(2.0))) == Approx(0.5 / std::sqrt(2.0)));
  CHECK(number(fx::jvp(f, Array(2.0), Array(3.0)).second) == Approx(1.5 / std::sqrt(2.0)));
  CHECK(number(fx::grad(fx::grad(f))(Array(2.0))) == Approx(-0.25 / std::pow(2.0, 1.5)));
  CHECK(number(fx::hessian(f)(Array(2.0))) == Approx(-0.25 / std::pow(2.0, 1.5)));
  CHECK(number(fx::grad(fx::grad(fx::grad(f)))(Array(2.0))) == Approx(0.375 / std::pow(2.0, 2.5)));
  const Array xs = fx::array({1.0, 4.0, 9.0});
  CHECK(fx::vmap(fx::grad(f))(xs).to_vector<double>()[2] == Approx(1.0 / 6));
  const Array g = fx::grad([&](Array xs) { return fx::sum(fx::vmap(f)(xs)); })(xs);
  CHECK(g.to_vector<double>()[1] == Approx(0.25));
}

TEST_CASE(
    "a system's root: several unknowns, parameters in a tree, the first guess without influence") {
  struct Parameters {
    Array radius, slope;
  };
  // x^2 + y^2 = r^2, y = s x
  auto meet = [](Parameters p, Array guess) {
    return fx::lax::custom_root(
        [=](Array v) {
          return fx::stack(
              {v[0] * v[0] + v[1] * v[1] - p.radius * p.radius, v[1] - p.slope * v[0]});
        },
        guess,
        [](auto f, Array v) {
          for (int i = 0; i < 30; ++i)
            v = v - fx::matmul(inverse(fx::jacfwd([&](Array v) { return f(v); })(v)), f(v));
          return v;
        },
        direct);
  };
  auto first = [&](Parameters p, Array guess) { return meet(p, guess)[0]; };
  const Parameters p{Array(2.0), Array(0.5)};
  const Array guess = fx::array({1.0, 1.0});
  const double x = 2 / std::sqrt(1.25);
  CHECK(number(first(p, guess)) == Approx(x));
  auto [dp, dguess] = fx::grad<0, 1>(first)(p, guess);
  CHECK(number(dp.radius) == Approx(1 / std::sqrt(1.25)));
  CHECK(number(dp.slope) == Approx(-2 * 0.5 / std::pow(1.25, 1.5)));
  CHECK(dguess.to_vector<double>() == std::vector<double>{0, 0});
}

TEST_CASE("programs with implicit operations parse back and run interpreted as compiled") {
  using namespace fluxion;
  using namespace fluxion::test;
  const GraphRef graph = program({{{2, 2}, float64}, {{2}, float64}}, [](const ArrayList& x) {
    const Array a = x[0] * 0.2 + fx::eye(2, 2, 0, float64) * 2.0;
    return ArrayList{solve(a, x[1]),
                     square_root(fx::sum(x[1] * x[1]) + 1.0),
                     fx::grad([&](Array a) { return fx::sum(solve(a, x[1])); })(a)};
  });
  CHECK(to_string(*parse_graph(to_string(*graph))) == to_string(*graph));
  verify(*graph);
  const HostArrays inputs = random_arrays(graph->input_types(), 9);
  CHECK(difference(compiled(graph, inputs), interpreted(*graph, inputs)) == "");
}
