// custom_jvp, custom_vjp: whose derivative is used, under which transforms, and what is refused.
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
std::string here(int line) {
  return "\n  --> " + std::string(__FILE__) + ":" + std::to_string(line);
}

/// sin, with three times its derivative: so that one sees whose derivative is used.
auto triple() {
  return fx::custom_jvp([](Array x) { return fx::sin(x); },
                        [](auto primals, auto tangents) {
                          auto [x] = primals;
                          auto [dx] = tangents;
                          return std::pair{fx::sin(x), 3 * fx::cos(x) * dx};
                        });
}
auto identity = [](Array x) { return x; };
auto clipped() {
  return fx::custom_vjp(
      identity,
      [](Array x) { return std::pair{x, std::tuple{}}; },
      [](auto, Array ct) { return std::tuple{fx::clip(ct, -1, 1)}; });
}
/// x^2 y whose backward rule doubles both cotangents.
auto doubled() {
  return fx::custom_vjp([](Array x, Array y) { return x * x * y; },
                        [](Array x, Array y) { return std::pair{x * x * y, std::pair{x, y}}; },
                        [](std::pair<Array, Array> saved, Array ct) {
                          auto [x, y] = saved;
                          return std::tuple{4 * x * y * ct, 2 * x * x * ct};
                        });
}

}  // namespace

TEST_CASE("a custom_jvp rule is the derivative in both modes, to any order, under jit and vmap") {
  auto f = triple();
  const Array x(0.4);
  CHECK(number(f(x)) == Approx(std::sin(0.4)));
  CHECK(number(fx::grad(f)(x)) == Approx(3 * std::cos(0.4)));
  CHECK(number(fx::jvp(f, x, Array(2.0)).second) == Approx(6 * std::cos(0.4)));
  // the rule itself is differentiated by the ordinary rules
  CHECK(number(fx::grad(fx::grad(f))(x)) == Approx(-3 * std::sin(0.4)));
  CHECK(number(fx::hessian(f)(x)) == Approx(-3 * std::sin(0.4)));
  CHECK(number(fx::jit(fx::grad(f))(x)) == Approx(3 * std::cos(0.4)));
  CHECK(number(fx::grad(fx::jit(f))(x)) == Approx(3 * std::cos(0.4)));
  CHECK(number(fx::jit(f)(x)) == Approx(std::sin(0.4)));
  const Array xs = fx::array({0.1, 0.2, 0.7});
  const auto one = fx::vmap(fx::grad(f))(xs).to_vector<double>();
  const auto other =
      fx::grad([&](Array xs) { return fx::sum(fx::vmap(f)(xs)); })(xs).to_vector<double>();
  const auto compiled = fx::jit(fx::vmap(fx::grad(f)))(xs).to_vector<double>();
  for (std::size_t k = 0; k < 3; ++k) {
    const double expected = 3 * std::cos(xs.to_vector<double>()[k]);
    CHECK(one[k] == Approx(expected));
    CHECK(other[k] == Approx(expected));
    CHECK(compiled[k] == Approx(expected));
  }
  const auto tangents =
      fx::jvp([&](Array xs) { return fx::vmap(f)(xs); }, xs, fx::ones_like(xs)).second;
  CHECK(tangents.to_vector<double>()[2] == Approx(3 * std::cos(0.7)));
}

TEST_CASE("the tour's log(1 + exp x) is stable where the plain derivative overflows") {
  auto safe = fx::custom_jvp([](Array x) { return fx::log1p(fx::exp(x)); },
                             [](auto primals, auto tangents) {
                               auto [x] = primals;
                               auto [dx] = tangents;
                               return std::pair{fx::log1p(fx::exp(x)), fx::sigmoid(x) * dx};
                             });
  CHECK(fx::grad(safe)(Array(200.f)).item<float>() == 1.f);
  CHECK(fx::jit(fx::vmap(fx::grad(safe)))(fx::array({0.f, 100.f})).to_vector<float>() ==
        std::vector<float>{0.5f, 1.f});
}

TEST_CASE("a custom_jvp rule gets several arguments, trees, and no tangent for integers") {
  struct Pair {
    Array a, b;
    int times = 2;
  };
  auto f = fx::custom_jvp([](Pair p, Array n) { return std::pair{p.a * p.b * p.times, n + 1}; },
                          [](auto primals, auto tangents) {
                            auto [p, n] = primals;
                            auto [dp, dn] = tangents;
                            (void)dn;  // an empty Array: an integer has no tangent
                            std::pair out{p.a * p.b * p.times, n + 1};
                            return std::pair{
                                out, std::pair{10 * (dp.a * p.b + p.a * dp.b) * p.times, Array()}};
                          });
  const Pair p{Array(3.0), Array(5.0)};
  CHECK(number(f(p, Array(7)).first) == 30);
  auto loss = [&](Pair p) { return f(p, Array(7)).first; };
  const Pair g = fx::grad(loss)(p);
  CHECK(number(g.a) == 100);
  CHECK(number(g.b) == 60);
  const auto [out, tangent] =
      fx::jvp(loss, std::tuple{p}, std::tuple{Pair{Array(1.0), Array(0.0)}});
  CHECK(number(tangent) == 100);
  CHECK(fx::jit([&](Pair p) { return f(p, Array(7)).second; })(p).item<int>() == 8);
  // no arrays at all
  auto nothing = fx::custom_jvp([](std::tuple<> x) { return x; },
                                [](auto, auto) { return std::pair{std::tuple{}, std::tuple{}}; });
  CHECK(number(fx::grad([&](Array x) {
          nothing(std::tuple{});
          return x * 2;
        })(Array(1.0))) == 2);
}

TEST_CASE("a custom_vjp rule is the reverse derivative, under every transform that has one") {
  auto f = clipped();
  auto loss = [&](Array x) { return fx::sum(f(x) * fx::array({0.5, 7.0, -9.0})); };
  const Array x = fx::array({1.0, 2.0, 3.0});
  const std::vector<double> expected{0.5, 1, -1};
  CHECK(fx::grad(loss)(x).to_vector<double>() == expected);
  CHECK(fx::jit(fx::grad(loss))(x).to_vector<double>() == expected);
  CHECK(fx::grad(fx::jit(loss))(x).to_vector<double>() == expected);
  CHECK(fx::jacrev([&](Array x) { return f(x) * 3.0; })(x).to_vector<double>() ==
        std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1});
  auto g = doubled();
  auto [dx, dy] = fx::grad<0, 1>(g)(Array(3.0), Array(5.0));
  CHECK(number(dx) == 60);
  CHECK(number(dy) == 18);
  // reverse over reverse differentiates the backward rule
  auto inner = [&](Array x, Array y) { return fx::grad(g)(x, y); };
  auto [xx, xy] = fx::grad<0, 1>(inner)(Array(3.0), Array(5.0));
  CHECK(number(xx) == 20);
  CHECK(number(xy) == 12);
  // forward over reverse as well: the pullback is an ordinary program
  CHECK(number(fx::jvp([&](Array x) { return fx::grad(g)(x, Array(5.0)); }, Array(3.0), Array(1.0))
                   .second) == 20);
}

TEST_CASE("custom_vjp under vmap: cotangents of unbatched arguments are summed over the batch") {
  auto g = doubled();
  const Array xs = fx::array({1.0, 2.0, 3.0}), y(5.0);
  auto total = [&](Array xs, Array y) {
    return fx::sum(fx::vmap(g, {.in_axes = {0, fx::unmapped}})(xs, y));
  };
  auto [dxs, dy] = fx::grad<0, 1>(total)(xs, y);
  CHECK(dxs.to_vector<double>() == std::vector<double>{20, 40, 60});
  CHECK(number(dy) == 28);  // 2 (1 + 4 + 9)
  const auto each = fx::vmap(fx::grad(g), {.in_axes = {0, fx::unmapped}})(xs, y);
  CHECK(each.to_vector<double>() == std::vector<double>{20, 40, 60});
  auto nested =
      fx::vmap(fx::vmap(g, {.in_axes = {fx::unmapped, 0}}), {.in_axes = {0, fx::unmapped}});
  auto sum_nested = [&](Array a, Array b) { return fx::sum(nested(a, b)); };
  auto [da, db] = fx::grad<0, 1>(sum_nested)(fx::array({1.0, 2.0}), fx::array({3.0, 4.0, 5.0}));
  CHECK(da.to_vector<double>() == std::vector<double>{48, 96});
  CHECK(db.to_vector<double>() == std::vector<double>{10, 10, 10});
  CHECK(fx::vmap(g)(fx::zeros({0}, fx::float64), fx::zeros({0}, fx::float64)).shape() ==
        fx::Shape{0});
}

TEST_CASE(
    "a backward rule that leaves a cotangent empty means zero; residuals have static members") {
  struct Saved {
    Array x;
    std::string text = "";
    std::vector<Array> more;
  };
  auto f = fx::custom_vjp(
      [](Array x, Array n, int k) { return x * n.astype(fx::float64) * k; },
      [](Array x, Array n, int k) {
        return std::pair{x * n.astype(fx::float64) * k,
                         Saved{x, "seen", std::vector<Array>(static_cast<std::size_t>(k), x)}};
      },
      [](Saved saved, Array ct) {
        if (saved.text != "seen" || saved.more.size() != 2) throw std::logic_error("lost");
        return std::tuple{100 * ct, Array(), 0};
      });
  CHECK(number(fx::grad(f)(Array(3.0), Array(2), 2)) == 100);
  auto zero = fx::custom_vjp([](Array x) { return x; },
                             [](Array x) { return std::pair{x, std::tuple{}}; },
                             [](auto, Array) { return std::tuple{Array()}; });
  CHECK(fx::grad([&](Array x) { return fx::sum(zero(x)); })(fx::array({1.0, 2.0}))
            .to_vector<double>() == std::vector<double>{0, 0});
}

TEST_CASE("captured arrays without a tangent are constants of function and rules") {
  const Array k(4.0);
  auto outer = [&](Array s) {
    auto f = fx::custom_vjp([&](Array x) { return x * s * k; },
                            [&](Array x) { return std::pair{x * s * k, x + k}; },
                            [&](Array saved, Array ct) { return std::tuple{ct * s * saved}; });
    return fx::grad(f)(Array(2.0));
  };
  CHECK(number(fx::jit(outer)(Array(3.0))) == 18);  // s (x + k)
  // an outer derivative goes through what the rule computed with s
  CHECK(number(fx::grad(outer)(Array(3.0))) == 6);
}

TEST_CASE("what custom rules refuse, in full") {
  const Array v = fx::array({1.0, 2.0});
  auto captured = [](Array s) {
    auto f = fx::custom_jvp(
        [&](Array x) { return x * s; },
        [&](auto p, auto t) { return std::pair{std::get<0>(p) * s, std::get<0>(t) * s}; });
    return f(Array(2.0));
  };
  int line = __LINE__ - 2;
  const int made = __LINE__ + 1;
  const Array two(2.0);
  CHECK(refusal([&] { fx::grad(captured)(two); }) ==
        "error[captured-tangent]: custom_jvp: the function captured an array that is being "
        "differentiated" +
            here(line) + "\n  | the array is f64[], recorded at " + __FILE__ + ":" +
            std::to_string(made) +
            "\n  = hint: pass it as an argument, so that the rule knows of it; or capture "
            "fx::stop_gradient of it");
  auto forward = clipped();
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::jvp([&](Array x) { return forward(x); }, v, v); }) ==
        "error[custom-vjp-forward]: custom_vjp: the function has a reverse-mode rule only; forward "
        "mode (jvp, jacfwd, hessian) asks for its tangent" +
            here(line) +
            "\n  = hint: give the function a custom_jvp rule, which serves both modes, or use "
            "fx::grad, vjp, jacrev");
  auto wrong = fx::custom_jvp(
      [](Array x) { return fx::sum(x); },
      [](auto p, auto t) { return std::pair{fx::sum(std::get<0>(p)), std::get<0>(t)}; });
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::grad([&](Array x) { return wrong(x); })(v); }) ==
        "error[custom-rule]: custom_jvp: the rule gives a tangent of another type than the result "
        "that it belongs to" +
            here(line) + "\n  | array 0 of the result is f64[]\n  | the rule gives f64[2]");
  auto other = fx::custom_vjp([](Array x) { return x; },
                              [](Array x) { return std::pair{fx::sum(x), x}; },
                              [](Array, Array ct) { return std::tuple{ct}; });
  line = __LINE__ + 1;
  CHECK(refusal([&] { fx::grad([&](Array x) { return fx::sum(other(x)); })(v); }) ==
        "error[custom-rule]: custom_vjp: the forward rule gives another result than the function" +
            here(line) +
            "\n  | array 0 of the function's result is f64[2]\n  | the rule gives f64[]");
  auto bent = fx::custom_jvp(
      [](Array x) { return x; },
      [](auto p, auto t) { return std::pair{std::get<0>(p), fx::exp(std::get<0>(t))}; });
  line = __LINE__ - 1;
  CHECK(refusal([&] { fx::grad([&](Array x) { return bent(x); })(Array(1.0)); }) ==
        "error[nonlinear-rule]: reverse mode: a rule of custom_jvp must be linear in the tangents; "
        "exp of a tangent is not" +
            here(line) +
            "\n  = hint: compute with tangents by sums, products with known values and linear "
            "functions only");
  auto squared = fx::custom_jvp(
      [](Array x) { return x; },
      [](auto p, auto t) { return std::pair{std::get<0>(p), std::get<0>(t) * std::get<0>(t)}; });
  CHECK(refusal([&] {
          fx::grad([&](Array x) { return squared(x); })(Array(1.0));
        }).find("mul of a tangent is not") != std::string::npos);
}

namespace {
/// exp, whose rule calls the function itself.
Array recursive(Array x) {
  return fx::custom_jvp([](Array x) { return fx::exp(x); },
                        [](auto p, auto t) {
                          auto [x] = p;
                          auto [dx] = t;
                          return std::pair{recursive(x), recursive(x) * dx};
                        })(x);
}
}  // namespace

TEST_CASE("a rule that calls its own function is followed for four derivatives") {
  auto f = [](Array x) { return recursive(x); };
  const Array x(0.5);
  CHECK(number(fx::grad(f)(x)) == Approx(std::exp(0.5)));
  CHECK(number(fx::grad(fx::grad(fx::grad(f)))(x)) == Approx(std::exp(0.5)));
  CHECK(number(fx::grad(fx::grad(fx::grad(fx::grad(f))))(x)) == Approx(std::exp(0.5)));
  CHECK(refusal([&] { fx::grad(fx::grad(fx::grad(fx::grad(fx::grad(f)))))(x); })
            .find("error[no-derivative]: custom_jvp: the rule calls its own function, which is "
                  "followed for 4 derivatives") == 0);
}

TEST_CASE("programs with custom rules parse back and run interpreted as compiled") {
  using namespace fluxion;
  using namespace fluxion::test;
  auto f = triple();
  auto g = doubled();
  const GraphRef graph = program({{{3}, float64}, {{3}, float64}}, [&](const ArrayList& x) {
    const Array k = fx::vmap(g)(x[0], f(x[1]));
    return ArrayList{k, fx::grad([&](Array a) { return fx::sum(fx::vmap(g)(f(a), a)); })(x[0])};
  });
  CHECK(to_string(*parse_graph(to_string(*graph))) == to_string(*graph));
  CHECK(to_string(*graph).find("custom_vjp[body=graph(") != std::string::npos);
  verify(*graph);
  const HostArrays inputs = random_arrays(graph->input_types(), 5);
  CHECK(difference(compiled(graph, inputs), interpreted(*graph, inputs)) == "");
}

TEST_CASE("softmax's own rule is the derivative of its definition, under every transform") {
  const auto own = [](Array x) { return fx::softmax(x); };
  const auto plain = [](Array x) {
    const Array e = fx::exp(x - fx::stop_gradient(fx::max(x, -1, true)));
    return e / fx::sum(e, -1, true);
  };
  const Array x = fx::array({0.3, -1.2, 2.0, 0.1}), w = fx::array({1.5, -0.5, 0.25, 3.0});
  const Array rows = fx::stack({x, w, x * w});
  const auto same = [](const Array& a, const Array& b) {
    REQUIRE(a.shape() == b.shape());
    CHECK(fx::max(fx::abs(a - b)).item<double>() < 1e-13);
  };
  const auto loss = [&](auto f) { return [=](Array x) { return fx::sum(w * f(x) * f(x)); }; };
  const auto third = [&](auto f) {
    const auto first = [=](Array x) { return fx::sum(w * fx::grad(loss(f))(x)); };
    return fx::grad([=](Array x) { return fx::sum(w * fx::grad(first)(x)); });
  };
  // The state goes through softmax in every step.
  const auto looped = [&](auto f) {
    return [=](Array x) {
      const auto step = [=](Array s, Array r) { return std::pair{f(s * 2 + r), fx::sum(s)}; };
      return fx::sum(w * fx::scan(step, x, rows).first);
    };
  };
  same(own(x), plain(x));
  same(fx::jvp(own, x, w).second, fx::jvp(plain, x, w).second);
  same(fx::grad(loss(own))(x), fx::grad(loss(plain))(x));
  same(fx::jacrev(own)(x), fx::jacfwd(plain)(x));
  same(fx::jacfwd(own)(x), fx::jacrev(plain)(x));
  same(fx::hessian(loss(own))(x), fx::hessian(loss(plain))(x));
  same(third(own)(x), third(plain)(x));
  same(fx::jit(fx::vmap(third(own)))(rows), fx::vmap(third(plain))(rows));
  same(fx::grad(fx::jit(loss(own)))(x), fx::grad(loss(plain))(x));
  same(fx::grad(fx::checkpoint(loss(own)))(x), fx::grad(loss(plain))(x));
  same(fx::grad(looped(own))(x), fx::grad(looped(plain))(x));
  same(fx::hessian(looped(own))(x), fx::hessian(looped(plain))(x));
  same(fx::jit(fx::vmap(fx::grad(looped(own))))(rows), fx::vmap(fx::grad(looped(plain)))(rows));
}
