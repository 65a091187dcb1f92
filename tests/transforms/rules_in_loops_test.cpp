// Rules of one's own, checkpoints and effects inside loops and branches.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "trace/graph_transforms.hpp"

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
using Lines = std::vector<std::string>;
class Printed {
 public:
  Printed() {
    fx::debug::print_to([this](std::string_view line) { lines.emplace_back(line); });
  }
  ~Printed() { fx::debug::print_to_stdout(); }
  Lines take() { return std::exchange(lines, {}); }

 private:
  Lines lines;
};

}  // namespace

TEST_CASE("custom rules inside loops and branches are the derivatives there") {
  auto twice = fx::custom_jvp([](Array x) { return fx::sin(x); },
                              [](auto p, auto t) {
                                auto [x] = p;
                                auto [dx] = t;
                                return std::pair{fx::sin(x), 2 * fx::cos(x) * dx};
                              });
  auto back = fx::custom_vjp([](Array x, Array k) { return x * k; },
                             [](Array x, Array k) { return std::pair{x * k, std::pair{x, k}}; },
                             [](std::pair<Array, Array> saved, Array ct) {
                               return std::tuple{2 * saved.second * ct, 2 * saved.first * ct};
                             });
  const Array x0(0.3), k(1.1);
  auto loop = [&](auto f) {
    return [f](Array x, Array k) {
      return fx::scan([&](Array c, Array) { return std::pair{f(c, k), c}; },
                      x,
                      fx::zeros({5}, fx::float64))
          .first;
    };
  };
  auto unrolled = [&](auto f) {
    return [f](Array x, Array k) {
      for (int i = 0; i < 5; ++i) x = f(x, k);
      return x;
    };
  };
  auto body = [&](Array c, Array k) { return twice(back(c, k)); };
  auto [dx, dk] = fx::grad<0, 1>(loop(body))(x0, k);
  auto [ex, ek] = fx::grad<0, 1>(unrolled(body))(x0, k);
  CHECK(number(dx) == Approx(number(ex)));
  CHECK(number(dk) == Approx(number(ek)));
  auto [jx, jk] = fx::jit(fx::grad<0, 1>(loop(body)))(x0, k);
  CHECK(number(jx) == Approx(number(ex)));
  CHECK(number(jk) == Approx(number(ek)));
  auto branch = [&](Array x, Array k) {
    return fx::cond(x > 0, [&](Array x) { return body(x, x); }, [](Array x) { return x; }, x) * k;
  };
  CHECK(number(fx::jit(fx::grad(branch))(x0, k)) == Approx(1.1 * 2 * std::cos(0.09) * 2 * 2 * 0.3));
  // under vmap, too
  const Array xs = fx::array({0.1, 0.3, -0.2});
  const Array each = fx::vmap(fx::grad(loop(body)), {.in_axes = {0, fx::unmapped}})(xs, k);
  CHECK(each.to_vector<double>()[1] == Approx(number(ex)));
}

TEST_CASE("a checkpointed body keeps one carry for each step of a scan") {
  auto body = [](Array c) { return fx::sin(fx::sin(fx::sin(fx::matmul(c, c)))); };
  auto loss = [](auto body) {
    return [body](Array x) {
      return fx::sum(fx::scan([&](Array c, Array) { return std::pair{body(c), std::tuple{}}; },
                              x,
                              fx::zeros({32}))
                         .first);
    };
  };
  const Array x = fx::reshape(fx::linspace(-0.5f, 0.5f, 4096), {64, 64});
  auto plain = fx::lower(fx::grad(loss(body)), x).compile();
  auto saving = fx::lower(fx::grad(loss(fx::checkpoint(body))), x).compile();
  WARN("temporaries of the gradient of a scan of 32 steps: "
       << plain.memory().temporaries << " bytes plain, " << saving.memory().temporaries
       << " checkpointed");
  CHECK(2 * saving.memory().temporaries < plain.memory().temporaries);
  const Array a = plain(x), b = saving(x);
  CHECK(fx::max(fx::abs(a - b)).item<float>() <= 1e-5f * fx::max(fx::abs(a)).item<float>());
}

TEST_CASE(
    "prints inside loops and branches: in order, once each, for the examples that take part") {
  Printed out;
  auto loop = [](Array x) {
    return fx::scan(
               [](Array c, Array i) {
                 fx::debug::print("{}: {}", i, c);
                 return std::pair{c * 2.0, std::tuple{}};
               },
               x,
               fx::arange(3))
        .first;
  };
  const Lines three{"0: 1.0", "1: 2.0", "2: 4.0"};
  CHECK(number(loop(Array(1.0))) == 8);
  CHECK(out.take() == three);
  CHECK(number(fx::jit(loop)(Array(1.0))) == 8);
  CHECK(out.take() == three);
  CHECK(number(fx::jit(fx::grad(loop))(Array(1.0))) == 8);
  CHECK(out.take() == three);
  CHECK(number(fx::grad(loop)(Array(1.0))) == 8);
  CHECK(out.take() == three);
  auto branch = [](Array x) {
    return fx::cond(
        x > 0,
        [](Array x) {
          fx::debug::print("positive {}", x);
          return x;
        },
        [](Array x) {
          fx::debug::print("other {}", x);
          return -x;
        },
        x);
  };
  fx::eval(fx::jit(branch)(Array(2.0)));
  CHECK(out.take() == Lines{"positive 2.0"});
  fx::eval(fx::vmap(branch)(fx::array({2.0, -3.0, 4.0})));
  Lines seen = out.take();
  std::sort(seen.begin(), seen.end());
  CHECK(seen == Lines{"other -3.0", "positive 2.0", "positive 4.0"});
  auto halve = [](Array x) {
    return fx::while_loop([](Array x) { return x > 1.0; },
                          [](Array x) {
                            fx::debug::print("x {}", x);
                            return x / 2.0;
                          },
                          x);
  };
  fx::eval(fx::jit(halve)(Array(4.0)));
  CHECK(out.take() == Lines{"x 4.0", "x 2.0"});
  CHECK(fx::vmap(halve)(fx::array({4.0, 0.5, 2.0})).to_vector<double>() ==
        std::vector<double>{1, 0.5, 1});
  CHECK(out.take() == Lines{"x 4.0", "x 2.0", "x 2.0"});
  // forward mode runs the loop with its tangents; reverse mode refuses it anyway
  fx::eval(fx::jvp(halve, Array(4.0), Array(1.0)).second);
  CHECK(out.take() == Lines{"x 4.0", "x 2.0"});
  auto bounded = [](Array x) {
    return fx::bounded_while_loop([](Array x) { return x > 1.0; },
                                  [](Array x) {
                                    fx::debug::print("x {}", x);
                                    return x / 2.0;
                                  },
                                  x,
                                  5);
  };
  CHECK(number(fx::jit(fx::grad(bounded))(Array(4.0))) == 0.25);
  CHECK(out.take() == Lines{"x 4.0", "x 2.0"});
}

TEST_CASE("checks inside a batched branch look only at the examples that are there") {
  auto f = [](Array x) {
    return fx::cond(
        x > 0,
        [](Array x) {
          fx::check(x > 0, "negative: {}", x);
          return fx::sqrt(x);
        },
        [](Array x) { return x; },
        x);
  };
  CHECK(fx::vmap(f)(fx::array({4.0, -1.0})).to_vector<double>() == std::vector<double>{2, -1});
  auto wrong = [](Array x) {
    return fx::cond(
        x > 0,
        [](Array x) {
          fx::check(x < 3, "large: {}", x);
          return x;
        },
        [](Array x) { return x; },
        x);
  };
  CHECK(refusal([&] {
          fx::eval(fx::jit(fx::vmap(wrong))(fx::array({1.0, -7.0, 5.0})));
        }).find("error[check]: large: 5.0") == 0);
}

TEST_CASE("callbacks and implicit equations inside loops") {
  int calls = 0;
  auto f = fx::jit([&](Array x) {
    return fx::fori_loop(
        0,
        4,
        [&](Array i, Array acc) {
          return acc + fx::pure_callback(
                           [&](Array i) {
                             ++calls;
                             return i.astype(fx::float64) * 10.0;
                           },
                           fx::Spec{{}, fx::float64},
                           i);
        },
        x);
  });
  CHECK(number(f(Array(1.0))) == 61);
  CHECK(calls == 4);
  auto root = [](Array a) {
    return fx::lax::custom_root([=](Array x) { return x * x - a; },
                                Array(1.0),
                                [](auto f, Array x) {
                                  return fx::while_loop(
                                      [&](Array x) { return fx::abs(f(x)) > 1e-14; },
                                      [&](Array x) { return x - f(x) / (2 * x); },
                                      x);
                                },
                                [](const auto& g, Array y) { return y / g(Array(1.0)); });
  };
  // reverse mode of a while loop: nobody differentiates how the root was found
  CHECK(number(fx::jit(fx::grad(root))(Array(2.0))) == Approx(0.5 / std::sqrt(2.0)));
  const Array as = fx::array({1.0, 4.0, 9.0});
  CHECK(fx::jit(fx::vmap(fx::grad(root)))(as).to_vector<double>()[2] == Approx(1.0 / 6));
}

TEST_CASE("conjugate gradients solve, and are differentiated by the equation") {
  const Array m = fx::array({{4.0, 1.0, 0.0}, {1.0, 3.0, -1.0}, {0.0, -1.0, 5.0}}),
              b = fx::array({1.0, 2.0, 3.0});
  const fx::scipy::sparse::linalg::IterativeOptions exact{.tol = 1e-14};
  auto solve = [=](Array m, Array b) { return fx::scipy::sparse::linalg::cg(m, b, exact); };
  CHECK(number(fx::max(fx::abs(fx::matmul(m, solve(m, b)) - b))) < 1e-12);
  const Array w = fx::array({1.0, -2.0, 0.5});
  auto loss = [=](Array m, Array b) { return fx::sum(w * solve(m, b)); };
  auto [dm, db] = fx::jit(fx::grad<0, 1>(loss))(m, b);
  const Array y = solve(m, w), x = solve(m, b);  // db = inverse(m) w, dm = -y x'
  CHECK(number(fx::max(fx::abs(db - y))) < 1e-12);
  CHECK(number(fx::max(fx::abs(dm + fx::outer(y, x)))) < 1e-12);
  // a function of a tree, a first guess, a preconditioner, a batch of right sides
  struct Pair {
    Array u, v;
  };
  auto a = [](Pair p) { return Pair{2.0 * p.u + p.v, p.u + 3.0 * p.v}; };
  const Pair right{fx::array({3.0, 0.0}), fx::array({4.0, 5.0})};
  const Pair p = fx::scipy::sparse::linalg::cg(
      a, right, right, [](const Pair& r) { return Pair{r.u / 2.0, r.v / 3.0}; }, exact);
  CHECK(number(fx::max(fx::abs(p.u - fx::array({1.0, -1.0})))) < 1e-12);
  CHECK(number(fx::max(fx::abs(p.v - fx::array({1.0, 2.0})))) < 1e-12);
  const Array many = fx::vmap(solve, {.in_axes = {fx::unmapped, 0}})(m, fx::stack({b, w, b * 0.0}));
  CHECK(number(fx::max(fx::abs(many[0] - x))) < 1e-12);
  CHECK(number(fx::max(fx::abs(many[2]))) == 0);
  // the Poisson matrix on a grid, never written down: 400 unknowns
  auto laplace = [](Array u) {
    const Array z = fx::pad(u, {{1, 1}, {1, 1}});
    return 4.0 * u - z[{fx::slice(0, 20), fx::slice(1, 21)}] -
           z[{fx::slice(2, 22), fx::slice(1, 21)}] - z[{fx::slice(1, 21), fx::slice(0, 20)}] -
           z[{fx::slice(1, 21), fx::slice(2, 22)}];
  };
  const Array load = fx::ones({20, 20}, fx::float64);
  const Array u = fx::jit(
      [&](Array f) { return fx::scipy::sparse::linalg::cg(laplace, f, {.tol = 1e-12}); })(load);
  CHECK(number(fx::max(fx::abs(laplace(u) - load))) < 1e-10);
}
