// The user's functions called by programs, lines printed by programs, conditions checked in them.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"

#include <atomic>
#include <fluxion/fluxion.hpp>

namespace fx = fluxion;
using fx::Array;

namespace {

double number(const Array& a) { return a.item<double>(); }
std::string refusal(auto f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was refused";
}
std::string here(int line) {
  return "\n  --> " + std::string(__FILE__) + ":" + std::to_string(line);
}

/// The lines that are printed while one lives.
class Printed {
 public:
  Printed() {
    fx::debug::print_to([this](std::string_view line) { lines.emplace_back(line); });
  }
  ~Printed() { fx::debug::print_to_stdout(); }
  std::vector<std::string> lines;
};
using Lines = std::vector<std::string>;

std::atomic<int> calls{0};
/// What a library of the user's computes on the host.
Array host_square(Array x) {
  ++calls;
  std::vector<double> out = x.to_vector<double>();
  for (double& v : out) v *= v;
  return fx::from_span(std::span<const double>(out), x.shape());
}

}  // namespace

TEST_CASE("a pure callback is called with values, inside jit, in the middle of a program") {
  const Array x = fx::array({1.0, 2.0, 3.0});
  auto f = [](Array x) {
    return fx::sum(fx::pure_callback(host_square, fx::Spec{x.shape(), x.dtype()}, x + 1.0) * 2.0);
  };
  CHECK(number(f(x)) == 58);
  CHECK(number(fx::jit(f)(x)) == 58);
  // several arguments and results, static members, captures
  struct Result {
    Array sum;
    std::vector<Array> parts;
  };
  const double shift = 10;
  auto g = [&](Array a, Array b, int times) {
    const Result like{Array(0.0), {Array(0.0), fx::zeros({2}, fx::int32)}};
    return fx::pure_callback(
        [shift](Array a, Array b, int times) {
          return Result{a + b + shift, {a * times, fx::array({times, times + 1})}};
        },
        like,
        a,
        b,
        times);
  };
  const Result r = fx::jit(g)(Array(1.0), Array(2.0), 4);
  CHECK(number(r.sum) == 13);
  CHECK(number(r.parts[0]) == 4);
  CHECK(r.parts[1].to_vector<int>() == std::vector<int>{4, 5});
}

TEST_CASE("a function without state is one program, however often it is recorded") {
  auto f = [](Array x) {
    return fx::pure_callback([](Array x) { return x * 2.0; }, fx::Spec{{}, fx::float64}, x);
  };
  CHECK(number(f(Array(1.5))) == 3);
  const auto before = fx::compiled_programs();
  for (int i = 0; i < 5; ++i) CHECK(number(f(Array(i + 10.5))) == 2 * i + 21);
  CHECK(fx::compiled_programs() == before);
}

TEST_CASE("a pure callback under vmap, by each method") {
  const Array m = fx::arange(6, fx::float64).reshape({2, 3}), v = fx::array({1.0, 10.0, 100.0});
  std::vector<std::string> shapes;
  auto run = [&](fx::VmapMethod method, int in_axis) {
    shapes.clear();
    auto f = [&](Array a, Array b) {
      return fx::pure_callback.with(method)(
          [&](Array a, Array b) {
            shapes.push_back(fluxion::to_string(a.shape()) + fluxion::to_string(b.shape()));
            return a * b;
          },
          fx::Spec{{3}, fx::float64},
          a,
          b);
    };
    const Array x = in_axis ? m.T() : m;
    return fx::vmap(f, {.in_axes = {in_axis, fx::unmapped}})(x, v).to_vector<double>();
  };
  const std::vector<double> expected{0, 10, 200, 3, 40, 500};
  for (int axis : {0, 1}) {
    CHECK(run(fx::VmapMethod::sequential, axis) == expected);
    CHECK(shapes == Lines{"[3][3]", "[3][3]"});
    CHECK(run(fx::VmapMethod::expand_dims, axis) == expected);
    CHECK(shapes == Lines{"[2,3][1,3]"});
    CHECK(run(fx::VmapMethod::broadcast_all, axis) == expected);
    CHECK(shapes == Lines{"[2,3][2,3]"});
  }
  auto one = [](Array a, Array b) {
    return fx::pure_callback(
        [](Array a, Array b) { return a - b; }, fx::Spec{{}, fx::float64}, a, b);
  };
  auto outer =
      fx::vmap(fx::vmap(one, {.in_axes = {fx::unmapped, 0}}), {.in_axes = {0, fx::unmapped}});
  CHECK(fx::jit(outer)(fx::array({1.0, 2.0}), v).to_vector<double>() ==
        std::vector<double>{0, -9, -99, 1, -8, -98});
  CHECK(fx::vmap(one)(fx::zeros({0}, fx::float64), fx::zeros({0}, fx::float64)).shape() ==
        fx::Shape{0});
}

TEST_CASE("a callback has no derivative of its own, and takes one from a custom rule") {
  auto f = [](Array x) {
    return fx::sum(fx::pure_callback(host_square, fx::Spec{{2}, fx::float64}, x));
  };
  const int line = __LINE__ - 2;
  const Array x = fx::array({3.0, 4.0});
  CHECK(refusal([&] { fx::grad(f)(x); }) ==
        "error[no-derivative]: pure_callback: nobody knows the derivative of the function" +
            here(line) +
            "\n  = hint: give it one with fx::custom_jvp or fx::custom_vjp, or stop the derivative "
            "before it with fx::stop_gradient");
  auto g = fx::custom_jvp(
      [](Array x) { return fx::pure_callback(host_square, fx::Spec{{2}, fx::float64}, x); },
      [](auto p, auto t) {
        auto [x] = p;
        auto [dx] = t;
        return std::pair{fx::pure_callback(host_square, fx::Spec{{2}, fx::float64}, x), 2 * x * dx};
      });
  CHECK(fx::jit(fx::grad([&](Array x) { return fx::sum(g(x)); }))(x).to_vector<double>() ==
        std::vector<double>{6, 8});
  CHECK(refusal([&] {
          fx::grad([](Array x) {
            return fx::io_callback([](Array x) { return x * 2.0; }, fx::Spec{{}, fx::float64}, x);
          })(Array(1.0));
        }).find("error[no-derivative]: io_callback") == 0);
  CHECK(number(fx::grad([](Array x) {
          return x * fx::io_callback([](Array x) { return x * 2.0; },
                                     fx::Spec{{}, fx::float64},
                                     fx::stop_gradient(x));
        })(Array(3.0))) == 6);
}

TEST_CASE("what a callback throws reaches whoever asked for the value") {
  struct Trouble : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  auto f = fx::jit([](Array x) {
    return fx::pure_callback(
               [](Array x) -> Array {
                 throw Trouble("no paper");
                 (void)x;
               },
               fx::Spec{{}, fx::float32},
               x) +
           1;
  });
  CHECK_THROWS_AS(f(Array(1.f)), Trouble);
  CHECK_THROWS_AS(f(Array(1.f)), Trouble);
  const Array lazy = fx::pure_callback(
      [](Array x) -> Array {
        throw Trouble("no paper");
        (void)x;
      },
      fx::Spec{{}, fx::float32},
      Array(1.f));
  CHECK_THROWS_AS(lazy.item<float>(), Trouble);
  CHECK_THROWS_AS(lazy.item<float>(), Trouble);
  const int line = __LINE__ + 2;
  const std::string text = refusal([&] {
    fx::pure_callback([](Array x) { return x * 2; }, fx::Spec{{3}, fx::float32}, Array(1.f))
        .to_vector<float>();
  });
  CHECK(text ==
        "error[callback-result]: the function of a callback returned another type than announced" +
            here(line) +
            "\n  | array 0 of the result is announced as f32[3]\n  | the function returned f32[]");
}

TEST_CASE("io callbacks happen once each, in order, whether or not their results are used") {
  std::string log;
  auto note = [&](const char* what) {
    return [&log, what](Array x) {
      log += what + std::to_string(x.item<int>());
      return x + 1;
    };
  };
  auto f = [&](Array x) {
    const Array a = fx::io_callback(note("a"), fx::Spec{{}, fx::int32}, x);
    fx::io_callback(note("b"), fx::Spec{{}, fx::int32}, x);  // not used, not dropped
    fx::io_callback(note("b"), fx::Spec{{}, fx::int32}, x);  // equal, not shared
    fx::debug::callback(note("c"), a);
    return a * 10;
  };
  CHECK(f(Array(1)).item<int>() == 20);
  CHECK(log == "a1b1b1c2");
  log.clear();
  auto compiled = fx::jit(f);
  CHECK(compiled(Array(5)).item<int>() == 60);
  CHECK(log == "a5b5b5c6");
  log.clear();
  compiled(Array(7));
  CHECK(log == "a7b7b7c8");
  log.clear();
  CHECK(fx::vmap(f)(fx::array({1, 2})).to_vector<int>() == std::vector<int>{20, 30});
  CHECK(log == "a1a2b1b2b1b2c2c3");
}

TEST_CASE("debug::print prints values when the program runs: under jit, vmap, grad, and nested") {
  Printed out;
  auto f = [](Array x) {
    fx::debug::print("x = {}", x);
    const Array y = x * x;
    fx::debug::print("y = {}, {{{}}} {} {}", y, "text {}", 7, std::pair{x, y});
    return fx::sum(y);
  };
  const Lines at3{"x = 3.0", "y = 9.0, {text {}} 7 (3.0, 9.0)"};
  f(Array(3.0));
  CHECK(out.lines == at3);
  out.lines.clear();
  auto compiled = fx::jit(f);
  CHECK(out.lines.empty());
  compiled(Array(3.0));
  CHECK(out.lines == at3);
  out.lines.clear();
  CHECK(number(fx::grad(f)(Array(3.0))) == 6);
  CHECK(out.lines == at3);  // once, in the forward pass
  out.lines.clear();
  CHECK(number(fx::jit(fx::grad(f))(Array(3.0))) == 6);
  CHECK(out.lines == at3);
  out.lines.clear();
  CHECK(number(fx::grad(fx::jit(f))(Array(3.0))) == 6);
  CHECK(out.lines == at3);
  out.lines.clear();
  CHECK(number(fx::grad(fx::grad(f))(Array(3.0))) == 2);
  CHECK(out.lines == at3);
  out.lines.clear();
  CHECK(number(fx::jvp(f, Array(3.0), Array(1.0)).second) == 6);
  CHECK(out.lines == at3);
  out.lines.clear();
  auto g = [](Array x, Array k) {
    fx::debug::print("{} of {}", x, k);
    return x * k;
  };
  const Lines each{"1.0 of 5", "2.0 of 5"};
  fx::vmap(g, {.in_axes = {0, fx::unmapped}})(fx::array({1.0, 2.0}), Array(5));
  CHECK(out.lines == each);
  out.lines.clear();
  fx::jit(fx::vmap(fx::grad(g), {.in_axes = {0, fx::unmapped}}))(fx::array({1.0, 2.0}), Array(5));
  CHECK(out.lines == each);
  out.lines.clear();
  fx::jit([](Array x) {
    fx::debug::print("array {}", x);
    fx::debug::print("no values");
    return x;
  })(fx::array({{1.f, 2.5f}, {3.f, 4.f}}));
  CHECK(out.lines == Lines{"array [[1.  2.5]\n [3.  4. ]]", "no values"});
}

TEST_CASE("prints inside rules, checkpoints and value-dependent control flow happen once") {
  Printed out;
  auto f = fx::checkpoint([](Array x) {
    fx::debug::print("in {}", x);
    return fx::sin(fx::sin(x));
  });
  fx::jit(fx::grad([&](Array x) { return f(x); }))(Array(0.5));
  CHECK(out.lines == Lines{"in 0.5"});
  out.lines.clear();
  fx::grad([](Array x) {
    const Array y = x * 2;
    fx::debug::print("y {}", y);
    if (y.item<double>() > 1) fx::debug::print("large");
    fx::debug::print("constant {}", 1);
    return y * y;
  })(Array(3.0));
  CHECK(out.lines == Lines{"y 6.0", "large", "constant 1"});
  out.lines.clear();
  auto rule = fx::custom_jvp([](Array x) { return x; },
                             [](auto p, auto t) {
                               fx::debug::print("at {}", std::get<0>(p));
                               fx::debug::print("along {}", std::get<0>(t));
                               return std::pair{std::get<0>(p), std::get<0>(t)};
                             });
  fx::jvp([&](Array x) { return rule(x); }, Array(1.0), Array(2.0));
  CHECK(out.lines == Lines{"at 1.0", "along 2.0"});
  CHECK(refusal([&] { fx::grad([&](Array x) { return rule(x); })(Array(1.0)); })
            .find("error[effect-on-tangent]: an effect in a derivative rule reads a tangent, which "
                  "has no value in reverse mode") == 0);
}

TEST_CASE("checks raise an error with the line and the values, in compiled code too") {
  auto f = [](Array x) {
    fx::check(x > 0, "x is {}, limit {}", x, 0);
    return fx::log(x);
  };
  const int line = __LINE__ - 3;
  CHECK(f(Array(1.f)).item<float>() == 0);
  const std::string scalar = "error[check]: x is -2.0, limit 0" + here(line);
  CHECK(refusal([&] { f(Array(-2.f)); }) == scalar);
  auto compiled = fx::jit(f);
  CHECK(compiled(Array(1.f)).item<float>() == 0);
  CHECK(refusal([&] { compiled(Array(-2.f)); }) == scalar);
  CHECK(refusal([&] { fx::grad(f)(Array(-2.f)); }) == scalar);
  CHECK(refusal([&] { fx::jit(fx::grad(f))(Array(-2.f)); }) == scalar);
  CHECK(refusal([&] { fx::vmap(f)(fx::array({1.f, 2.f, -2.f})); }) ==
        scalar + "\n  | in example [2] of the batch");
  CHECK(refusal([&] { compiled(fx::array({{1.f, 2.f}, {-3.f, 4.f}})); }) ==
        "error[check]: x is [[ 1.  2.]" + here(line) +
            "\n   [-3.  4.]], limit 0\n  | the condition, bool[2,2], is false at [1,0]");
  // the same condition at another line is another check
  auto other = fx::jit([](Array x) {
    fx::debug::check(x > 0, "x is {}, limit {}", x, 0);
    return fx::log(x);
  });
  const int line_of_other = __LINE__ - 3;
  CHECK(refusal([&] { other(Array(-2.f)); }) ==
        "error[check]: x is -2.0, limit 0" + here(line_of_other));
}

TEST_CASE("check_nans names the operation and the line that made the first NaN") {
  struct On {
    On() { fx::debug::check_nans(true); }
    ~On() { fx::debug::check_nans(false); }
  };
  auto f = [](Array x) {
    const Array y = fx::log(x - 1);
    return fx::sum(y * 2 + 1);
  };
  const int line = __LINE__ - 3;
  const Array x = fx::array({3.0, 0.5});
  auto compiled = fx::jit(f);
  CHECK(std::isnan(number(compiled(x))));
  CHECK(std::isnan(number(f(x))));
  const On on;
  const std::string expected =
      "error[nan]: log made a NaN of operands without one" + here(line) +
      "\n  | its result, f64[2], is NaN at [1]\n  | operand 0, f64[2], is -0.5 there";
  CHECK(refusal([&] { number(f(x)); }) == expected);
  CHECK(refusal([&] { compiled(x); }) == expected);
  CHECK(refusal([&] { fx::jit(fx::vmap(f))(x.reshape({1, 2})); }).find(here(line)) !=
        std::string::npos);
  CHECK(number(compiled(fx::array({3.0, 2.0}))) == Approx(2 * std::log(2.0) + 2));
  // a NaN that came in is nobody's mistake here
  CHECK(std::isnan(number(fx::sum(fx::array({1.0, double(NAN)}) * 2.0))));
  // inside a loop it is the loop's operation, at its own line
  const int in_loop = __LINE__ + 1;
  const auto step = [](Array c, Array) { return std::pair{fx::sqrt(c) - 2.0, c}; };
  auto loop = fx::jit([step](Array x) { return fx::scan(step, x, fx::zeros({4})).first; });
  CHECK(refusal([&] { loop(Array(4.0)); }) ==
        "error[nan]: sqrt made a NaN of operands without one" + here(in_loop) +
            "\n  | its result, f64[], is NaN\n  | operand 0, f64[], is -2.0");
  // the derivative of sqrt at 0 times 0: at the forward operation's line
  auto g = [](Array x) { return fx::sqrt(x * x); };
  const std::string back = refusal([&] { number(fx::grad(g)(Array(0.0))); });
  CHECK(back.find("error[nan]: ") == 0);
  CHECK(back.find(here(__LINE__ - 3)) != std::string::npos);
}

TEST_CASE("programs with effects parse back, and run interpreted as compiled") {
  using namespace fluxion;
  using namespace fluxion::test;
  Printed out;
  const GraphRef graph = program({{{2}, float32}}, [](const ArrayList& x) {
    fx::debug::print("a \"quoted\" 100% {}", x[0]);
    fx::check(x[0] < 10, "small");
    const Array y = fx::pure_callback([](Array x) { return x * 3; }, Spec{{2}, float32}, x[0]);
    return ArrayList{fx::vmap([](Array e) {
      fx::debug::print("one {}", e);
      return e + 1;
    })(y)};
  });
  CHECK(to_string(*parse_graph(to_string(*graph))) == to_string(*graph));
  verify(*graph);
  verify(*optimize(graph));
  const HostArray x({{2}, float32}, std::vector<double>{1, 2});
  CHECK(difference(run(*compile(graph), *graph, {x}), interpreted(*graph, {x})) == "");
  const Lines once{"a \"quoted\" 100% [1. 2.]", "one 3.0", "one 6.0"};
  Lines twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  CHECK(out.lines == twice);
}
