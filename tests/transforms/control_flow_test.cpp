// Loops and branches against the same program written out: values, derivatives of both modes and
// higher orders, batches, compiled and eager.
#include "tests/support/catch.hpp"

#include <cmath>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;
using fx::Array;

namespace {

double number(const Array& a) { return a.item<double>(); }

void same(const Array& a, const Array& b, double tolerance = 1e-12) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.dtype() == b.dtype());
  const auto x = a.astype(fx::float64).to_vector<double>(),
             y = b.astype(fx::float64).to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    INFO("element " << i);
    if (std::isnan(y[i]))
      CHECK(std::isnan(x[i]));
    else
      CHECK(x[i] == Approx(y[i]).epsilon(tolerance).margin(tolerance));
  }
}

/// f and g are the same function of a float64 vector; f with a loop, g without. `reverse`: whether
/// f has reverse mode.
template <class F, class G>
void same_under_every_transform(const F& f, const G& g, const Array& x, bool reverse = true) {
  const Array dx = fx::cos(fx::arange(x.size(), fx::float64)).reshape(x.shape());
  const Array batch = fx::stack({x, x * 0.5, x * -1.25 + 0.1});
  const auto total = [](const auto& h) {
    return [h](Array x) { return fx::sum(fx::sin(h(x)) * h(x)); };
  };
  const auto tangent = [](const auto& h) {
    return [h](Array x, Array dx) { return fx::jvp(h, x, dx).second; };
  };
  SECTION("value") {
    same(f(x), g(x));
    same(fx::jit(f)(x), g(x));
  }
  SECTION("forward mode") {
    same(tangent(f)(x, dx), tangent(g)(x, dx));
    same(fx::jit(tangent(f))(x, dx), tangent(g)(x, dx));
    same(fx::jacfwd(f)(x), fx::jacfwd(g)(x));
  }
  SECTION("batches") {
    same(fx::vmap(f)(batch), fx::vmap(g)(batch));
    same(fx::jit(fx::vmap(f))(batch), fx::vmap(g)(batch));
    same(fx::vmap(f, {.in_axes = 1})(fx::transpose(batch)), fx::vmap(g)(batch));
    same(fx::vmap(fx::jacfwd(f))(batch), fx::vmap(fx::jacfwd(g))(batch));
  }
  if (!reverse) return;
  SECTION("reverse mode") {
    same(fx::grad(total(f))(x), fx::grad(total(g))(x));
    same(fx::jit(fx::grad(total(f)))(x), fx::grad(total(g))(x));
    same(fx::grad(fx::jit(total(f)))(x), fx::grad(total(g))(x));
    same(fx::jacrev(f)(x), fx::jacfwd(g)(x));
  }
  SECTION("batches of gradients, gradients of batches") {
    same(fx::vmap(fx::grad(total(f)))(batch), fx::vmap(fx::grad(total(g)))(batch));
    const auto all = [&](const auto& h) {
      return [h](Array b) { return fx::sum(fx::square(fx::vmap(h)(b))); };
    };
    same(fx::grad(all(f))(batch), fx::grad(all(g))(batch));
  }
  SECTION("second and third derivatives") {
    same(fx::hessian(total(f))(x), fx::hessian(total(g))(x), 1e-10);
    same(fx::jit(fx::hessian(total(f)))(x), fx::hessian(total(g))(x), 1e-10);
    const auto slope = [&](const auto& h) {
      return [h, dx, total](Array x) {
        return fx::sum(fx::jvp(fx::grad(total(h)), x, dx).second * dx);
      };
    };
    same(fx::grad(slope(f))(x), fx::grad(slope(g))(x), 1e-9);
  }
}

const Array x3 = fx::array({0.3, -0.7, 1.1});

}  // namespace

TEST_CASE("scan is the loop written out") {
  const auto step = [](Array c, Array x) { return std::pair{fx::sin(c) * x + c * 0.5, c * x}; };
  const auto looped = [&](Array x) {
    auto [c, ys] = fx::scan(step, x[0], fx::concatenate({x, x * x}));
    return fx::concatenate({fx::reshape(c, {1}), ys});
  };
  const auto written = [&](Array x) {
    const Array xs = fx::concatenate({x, x * x});
    Array c = x[0];
    std::vector<Array> ys;
    for (int i = 0; i < 6; ++i) {
      auto [next, y] = step(c, xs[i]);
      c = next;
      ys.push_back(y);
    }
    return fx::concatenate({fx::reshape(c, {1}), fx::stack(ys)});
  };
  same_under_every_transform(looped, written, x3);
}

TEST_CASE("scan backwards, with captured arrays and vectors for state") {
  const Array w = fx::array({{0.2, -0.4, 0.1}, {0.7, 0.3, -0.2}, {-0.5, 0.6, 0.4}});
  const auto looped = [&](Array x) {
    const Array bias = fx::tanh(x);
    auto [c, ys] = fx::scan(
        [&](Array c, Array row) {
          Array h = fx::tanh(fx::matmul(w, c) + bias * row);
          return std::pair{h, fx::sum(h * x)};
        },
        x,
        w * 2.0,
        {.reverse = true});
    return fx::concatenate({c, ys});
  };
  const auto written = [&](Array x) {
    const Array bias = fx::tanh(x);
    Array c = x;
    std::vector<Array> ys(3);
    for (int i = 2; i >= 0; --i) {
      c = fx::tanh(fx::matmul(w, c) + bias * (w[i] * 2.0));
      ys[static_cast<std::size_t>(i)] = fx::sum(c * x);
    }
    return fx::concatenate({c, fx::stack(ys)});
  };
  same_under_every_transform(looped, written, x3);
}

TEST_CASE("scan several steps in a turn") {
  const auto loop = [](int unroll, bool reverse) {
    return [=](Array x) {
      auto [c, ys] =
          fx::scan([](Array c, Array x) { return std::pair{c * x + fx::cos(c), fx::exp(c * 0.1)}; },
                   x[1],
                   fx::concatenate({x, x}),
                   {.reverse = reverse, .unroll = unroll});
      return fx::concatenate({fx::reshape(c, {1}), ys});
    };
  };
  SECTION("forwards") { same_under_every_transform(loop(3, false), loop(1, false), x3); }
  SECTION("backwards") { same_under_every_transform(loop(2, true), loop(1, true), x3); }
  SECTION("a length that is no multiple") { same(loop(4, false)(x3), loop(1, false)(x3)); }
}

TEST_CASE("a scan in a scan") {
  const auto looped = [](Array x) {
    return fx::scan(
               [&](Array c, Array row) {
                 Array inner =
                     fx::scan(
                         [&](Array d, Array e) { return std::pair{d * fx::sin(e) + c, d}; }, row, x)
                         .first;
                 return std::pair{inner * 0.5, Array(0.0)};
               },
               x[0],
               x)
               .first *
           x;
  };
  const auto written = [](Array x) {
    Array c = x[0];
    for (int i = 0; i < 3; ++i) {
      Array d = x[i];
      for (int j = 0; j < 3; ++j) d = d * fx::sin(x[j]) + c;
      c = d * 0.5;
    }
    return c * x;
  };
  same_under_every_transform(looped, written, x3);
}

TEST_CASE("structs, integers and no rows in a scan") {
  struct State {
    Array position, speed, steps;
  };
  const auto looped = [](Array x) {
    const State s =
        fx::scan(
            [](State s) {
              return std::pair{
                  State{s.position + s.speed * 0.1, s.speed - s.position * 0.1, s.steps + 1},
                  std::tuple{}};
            },
            State{x, fx::zeros_like(x), Array(0)},
            {.length = 5})
            .first;
    return s.position * s.steps.astype(fx::float64) + s.speed;
  };
  const auto written = [](Array x) {
    Array p = x, v = fx::zeros_like(x);
    for (int i = 0; i < 5; ++i) {
      Array q = p + v * 0.1;
      v = v - p * 0.1;
      p = q;
    }
    return p * 5.0 + v;
  };
  same_under_every_transform(looped, written, x3);
}

TEST_CASE("scans of no steps and of one") {
  const auto loop = [](Array x, int n) {
    return fx::scan(
        [](Array c, Array x) { return std::pair{c * x, c + x}; }, Array(2.0), x[{fx::slice(0, n)}]);
  };
  auto [c0, y0] = loop(x3, 0);
  CHECK(number(c0) == 2);
  CHECK(y0.shape() == fx::Shape{0});
  auto [c1, y1] = loop(x3, 1);
  CHECK(number(c1) == Approx(0.6));
  CHECK(number(y1[0]) == Approx(2.3));
  CHECK(number(fx::grad([&](Array x) { return loop(x, 0).first; })(x3)[0]) == 0);
}

TEST_CASE("fori_loop with bounds that are known, and with bounds that are not") {
  const auto looped = [](Array x) {
    return fx::fori_loop(
        2, 6, [&](Array i, Array c) { return c * fx::sin(x) + i.astype(fx::float64); }, x);
  };
  const auto written = [](Array x) {
    Array c = x;
    for (int i = 2; i < 6; ++i) c = c * fx::sin(x) + double(i);
    return c;
  };
  SECTION("known") { same_under_every_transform(looped, written, x3); }
  SECTION("not known") {
    const auto to = fx::jit([](Array n, Array x) {
      return fx::fori_loop(
          2, n, [&](Array i, Array c) { return c * fx::sin(x) + i.astype(fx::float64); }, x);
    });
    same(to(Array(6), x3), written(x3));
    same(to(Array(1), x3), x3);
  }
  SECTION("different bounds in every lane") {
    const auto count = [](Array n) {
      return fx::fori_loop(0, n, [](Array i, Array c) { return c + i; }, Array(0));
    };
    CHECK(fx::vmap(count)(fx::array({0, 1, 4, 10})).to_vector<int>() ==
          std::vector<int>{0, 0, 6, 45});
  }
}

TEST_CASE("while_loop goes on as long as the condition holds") {
  const auto root = [](Array a) {  // Newton's method for square roots
    struct State {
      Array x, error;
    };
    const State s = fx::while_loop([](State s) { return s.error > 1e-13; },
                                   [&](State s) {
                                     Array next = (s.x + a / s.x) * 0.5;
                                     return State{next, fx::abs(next - s.x)};
                                   },
                                   State{a, Array(1.0)});
    return s.x;
  };
  CHECK(number(root(Array(2.0))) == Approx(std::sqrt(2.0)));
  CHECK(number(fx::jit(root)(Array(2.0))) == Approx(std::sqrt(2.0)));
  CHECK(number(fx::jvp(root, Array(2.0), Array(1.0)).second) == Approx(0.5 / std::sqrt(2.0)));
  const Array many = fx::array({1e-4, 2.0, 3e6, 9.0});
  same(fx::vmap(root)(many), fx::sqrt(many));
  same(fx::jit(fx::vmap(root))(many), fx::sqrt(many));
  same(fx::jit(fx::vmap([&](Array a) { return fx::jvp(root, a, Array(1.0)).second; }))(many),
       0.5 / fx::sqrt(many));
}

TEST_CASE("bounded_while_loop has reverse mode") {
  const auto looped = [](Array x) {
    return fx::bounded_while_loop([](Array c) { return fx::sum(c * c) < 50.0; },
                                  [&](Array c) { return c * 1.5 + fx::sin(c) * x; },
                                  x,
                                  20);
  };
  const auto written = [](Array x) {  // as many steps as it takes for these arguments
    Array c = x;
    for (int i = 0; i < 20; ++i) c = fx::where(fx::sum(c * c) < 50.0, c * 1.5 + fx::sin(c) * x, c);
    return c;
  };
  same_under_every_transform(looped, written, x3);
}

TEST_CASE("a bounded loop that reaches its bound") {
  const auto loop = [](Array x) {
    return fx::bounded_while_loop(
        [](Array) { return Array(true); }, [](Array c) { return c * c; }, x, 3);
  };
  CHECK(number(loop(Array(1.1))) == Approx(std::pow(1.1, 8)));
  CHECK(number(fx::grad(loop)(Array(1.1))) == Approx(8 * std::pow(1.1, 7)));
}

TEST_CASE("cond takes one of two branches") {
  const auto choose = [](bool up) {
    return [up](Array x) {
      return fx::cond(
          fx::sum(x) > (up ? -10.0 : 10.0),
          [](Array x) { return fx::sin(x) * x; },
          [](Array x) { return x * x * x - 1.0; },
          x);
    };
  };
  SECTION("the first") {
    same_under_every_transform(choose(true), [](Array x) { return fx::sin(x) * x; }, x3);
  }
  SECTION("the second") {
    same_under_every_transform(choose(false), [](Array x) { return x * x * x - 1.0; }, x3);
  }
  SECTION("different ones in different lanes") {
    const auto f = [](Array x) {
      return fx::cond(
          fx::sum(x) > 0.5,
          [&](Array y) { return y * fx::sum(x); },
          [](Array y) { return fx::exp(y); },
          x);
    };
    const auto g = [](Array x) { return fx::where(fx::sum(x) > 0.5, x * fx::sum(x), fx::exp(x)); };
    same_under_every_transform(f, g, x3);
  }
}

TEST_CASE("lanes that do not take a branch get nothing back from it") {
  const auto safe = [](Array x) {
    return fx::cond(
        x > 0.0, [](Array x) { return fx::sqrt(x); }, [](Array x) { return x * 2.0; }, x);
  };
  same(fx::vmap(fx::grad(safe))(fx::array({4.0, 0.0, -1.0})), fx::array({0.25, 2.0, 2.0}));
  same(fx::grad([&](Array xs) { return fx::sum(fx::vmap(safe)(xs)); })(fx::array({4.0, 0.0, -1.0})),
       fx::array({0.25, 2.0, 2.0}));
}

TEST_CASE("switch_case clamps its index") {
  const std::tuple branches{
      [](Array x) { return x; }, [](Array x) { return x * x; }, [](Array) { return 7.0; }};
  const auto f = [&](Array i, Array x) { return fx::switch_case(i, branches, x); };
  CHECK(number(f(Array(-3), Array(3.0))) == 3);
  CHECK(number(f(Array(1), Array(3.0))) == 9);
  CHECK(number(f(Array(5), Array(3.0))) == 7);
  same(fx::vmap(f)(fx::array({0, 1, 2, 9}), fx::array({2.0, 3.0, 4.0, 5.0})),
       fx::array({2.0, 9.0, 7.0, 7.0}));
  same(fx::jit(fx::vmap(f, {.in_axes = {0, fx::unmapped}}))(fx::array({0, 1, 2}), Array(3.0)),
       fx::array({3.0, 9.0, 7.0}));
}

TEST_CASE("a branch in a loop, a loop in a branch") {
  const auto f = [](Array x) {
    return fx::scan(
               [&](Array c, Array e) {
                 Array next = fx::cond(
                     e > 0.0,
                     [&](Array c) {
                       return fx::fori_loop(
                           0, 3, [&](Array, Array d) { return fx::sin(d) + e; }, c);
                     },
                     [](Array c) { return c * 0.5; },
                     c);
                 return std::pair{next, next};
               },
               x * 0.1,
               x)
        .first;
  };
  const auto g = [](Array x) {
    Array c = x * 0.1;
    for (int i = 0; i < 3; ++i) {
      Array d = c;
      for (int k = 0; k < 3; ++k) d = fx::sin(d) + x[i];
      c = fx::where(x[i] > 0.0, d, c * 0.5);
    }
    return c;
  };
  same_under_every_transform(f, g, x3);
}

TEST_CASE("map runs row by row") {
  const auto f = [](Array x) {
    return fx::map([&](Array e) { return fx::sum(fx::sin(x * e)); }, x);
  };
  const auto g = [](Array x) {
    return fx::vmap([&](Array e) { return fx::sum(fx::sin(x * e)); })(x);
  };
  same_under_every_transform(f, g, x3);
}

TEST_CASE("associative_scan gives all prefixes") {
  const auto prefixes = [](int n, bool reverse) {
    return [=](Array x) {
      const Array xs = fx::concatenate({x, x * 0.5, x + 0.2})[{fx::slice(0, n)}];
      return fx::associative_scan(fx::multiply, xs, {.reverse = reverse});
    };
  };
  const auto written = [](int n, bool reverse) {
    return [=](Array x) {
      const Array xs = fx::concatenate({x, x * 0.5, x + 0.2})[{fx::slice(0, n)}];
      std::vector<Array> out(static_cast<std::size_t>(n));
      Array c = Array(1.0);
      for (int k = 0; k < n; ++k) {
        const int i = reverse ? n - 1 - k : k;
        c = c * xs[i];
        out[static_cast<std::size_t>(i)] = c;
      }
      return fx::stack(out);
    };
  };
  for (int n : {1, 2, 3, 5, 8}) {
    DYNAMIC_SECTION(n << " elements") {
      same(prefixes(n, false)(x3), written(n, false)(x3));
      same(prefixes(n, true)(x3), written(n, true)(x3));
    }
  }
  SECTION("transforms") { same_under_every_transform(prefixes(7, false), written(7, false), x3); }
}

TEST_CASE("an array that a loop changes element by element") {
  const auto f = [](Array x) {
    const Array start = fx::zeros({40}, fx::float64);
    const Array table = fx::fori_loop(
        0,
        40,
        [&](Array i, Array t) {
          return t.at({i}).set(fx::sin(i.astype(fx::float64)) * fx::sum(x));
        },
        start);
    return fx::sum(table * table) * x;
  };
  const auto g = [](Array x) {
    const Array table = fx::sin(fx::arange(40, fx::float64)) * fx::sum(x);
    return fx::sum(table * table) * x;
  };
  same_under_every_transform(f, g, x3);
}

TEST_CASE("Fibonacci numbers in a table that the loop reads and writes") {
  const auto table = fx::jit([](Array start) {
    return fx::fori_loop(
        2, 60, [](Array i, Array t) { return t.at({i}).set(t[i - 1] + t[i - 2]); }, start);
  });
  Array start = fx::zeros({60}, fx::int64).at({1}).set(1);
  const auto values = table(start).to_vector<std::int64_t>();
  CHECK(values[10] == 55);
  CHECK(values[59] == 956722026041);
  CHECK(start.to_vector<std::int64_t>()[2] == 0);  // arrays are values: the loop had its own
}

TEST_CASE("an error in the body of a loop or a branch names the body's own line") {
  const int line = __LINE__ + 1;
  const auto wrong = [](const Array& x) { return x.reshape({7}); };
  const auto fails_there = [&](const auto& program) {
    try {
      program(Array(1.0));
    } catch (const fx::Error& e) {
      return std::string(e.what()).find("control_flow_test.cpp:" + std::to_string(line)) !=
             std::string::npos;
    }
    return false;
  };
  const auto again = [](Array x) { return fx::sum(x) < 3.0; };
  const auto pair = [&](Array c, Array) { return std::pair{wrong(c), c}; };
  const auto indexed = [&](Array, Array c) { return wrong(c); };
  CHECK(fails_there([&](Array x) { return fx::scan(pair, x, fx::zeros({4})).first; }));
  CHECK(fails_there([&](Array x) { return fx::while_loop(again, wrong, x); }));
  CHECK(fails_there([&](Array x) { return fx::bounded_while_loop(again, wrong, x, 5); }));
  CHECK(fails_there([&](Array x) { return fx::fori_loop(0, 3, indexed, x); }));
  CHECK(fails_there([&](Array x) { return fx::fori_loop(0, fx::argmax(x), indexed, x); }));
  CHECK(fails_there([&](Array x) { return fx::cond(x > 0.0, wrong, wrong, x); }));
  CHECK(fails_there(
      [&](Array x) { return fx::switch_case(fx::argmax(x), std::tuple(wrong, wrong), x); }));
  CHECK(fails_there([&](Array x) {
    const auto combine = [&](Array a, Array) { return wrong(a); };
    return fx::associative_scan(combine, fx::stack({x, x, x}));
  }));
}
