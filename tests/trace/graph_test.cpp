// Programs as values: recorded, shared, printed, parsed, verified, made stable.
#include "trace/graph.hpp"

#include "tests/support/catch.hpp"
#include "trace/frame.hpp"
#include "trace/ops.hpp"

#include <fluxion/fluxion.hpp>
#include <thread>

namespace fx = fluxion;
using fx::Array;

namespace {
std::string text_of(auto f, auto... x) { return fx::trace(f, x...).text(); }
}  // namespace

TEST_CASE("a program prints one typed line per operation, with the user's line") {
  const std::string text = text_of([](Array x) { return fx::sin(x) * x; }, Array(1.f));
  const std::string line = ":" + std::to_string(__LINE__ - 1);
  CHECK(text == "graph(%0: f32[]) {\n  %1 = sin %0 : f32[]  // graph_test.cpp" + line +
                    "\n  %2 = mul %1, %0 : f32[]  // graph_test.cpp" + line + "\n  return %2\n}\n");
}

TEST_CASE("equal pure operations of a program are one") {
  const std::string text = text_of([](Array x) { return fx::exp(x) + fx::exp(x); }, Array(1.f));
  CHECK(text.find("exp") == text.rfind("exp"));
}

TEST_CASE("what does not reach an output is not in the program") {
  const std::string text = text_of(
      [](Array x) {
        (void)fx::exp(x);
        return x;
      },
      Array(1.f));
  CHECK(text == "graph(%0: f32[]) {\n  return %0\n}\n");
}

TEST_CASE("the printed text parses back to the same program") {
  auto f = [](Array x, Array w) {
    auto inner = fx::jit([](Array a) { return fx::tanh(a) + 0.1f; });
    return std::pair{fx::sum(inner(fx::matmul(x, w)), {0}),
                     fx::max(x[{fx::all, fx::slice(0, 2)}]) > 0.5f};
  };
  const fx::Traced traced = [&] {
    fx::FrameScope scope(fx::Frame::Kind::unbound, "test", fx::Site::current());
    const Array x = scope.input({{3, 4}, fx::float32}, fx::Site::current()),
                w = scope.input({{4, 2}, fx::float32}, fx::Site::current());
    auto [a, b] = f(x, w);
    const Array outputs[] = {a, b};
    return scope.close(outputs);
  }();
  const std::string text = fx::to_string(*traced.graph);
  CHECK(text.find("call[body=graph(") != text.npos);
  const fx::GraphRef again = fx::parse_graph(text);
  CHECK(fx::to_string(*again) == text);
  CHECK(fx::same_program(*again, *traced.graph));
  CHECK_NOTHROW(fx::verify(*again));
}

TEST_CASE("a broken program text is refused with line and column") {
  auto refusal = [](const char* text) {
    try {
      fx::parse_graph(text);
    } catch (const fx::Error& e) {
      return std::string(e.what()).substr(0, std::string(e.what()).find('\n'));
    }
    return std::string("nothing was refused");
  };
  CHECK(refusal("graph(%0: f32[2]) {\n  %1 = sine %0 : f32[2]\n  return %1\n}") ==
        "error[graph-syntax]: parse_graph: line 2, column 12: there is no operation 'sine', or its "
        "attributes are wrong");
  CHECK(refusal("graph(%0: f32[2]) {\n  %1 = sin %3 : f32[2]\n  return %1\n}") ==
        "error[graph-syntax]: parse_graph: line 2, column 14: %3 is not defined");
  CHECK(refusal("graph(%0: f32[2]) {\n  %1 = sin %0 : f32[3]\n  return %1\n}") ==
        "error[graph-syntax]: parse_graph: line 2, column 17: sin gives f32[2], not f32[3]");
  CHECK(refusal("graph(%0: f33[2]) {\n  return %0\n}") ==
        "error[graph-syntax]: parse_graph: line 1, column 14: expected a dtype");
  CHECK(refusal("") == "error[graph-syntax]: parse_graph: line 1, column 1: expected 'graph'");
}

TEST_CASE("numbers of a program are bitwise: -0 and NaN are themselves") {
  const std::string text =
      text_of([](Array x) { return std::tuple{x + 0.f, x + -0.f, x * std::nanf("")}; }, Array(1.f));
  CHECK(text.find("value=0]") != text.npos);
  CHECK(text.find("value=-0]") != text.npos);
  CHECK(text.find("value=nan]") != text.npos);
}

TEST_CASE("stable forms replace what overflows") {
  const Array big = fx::array({-200.f, -5.f, 0.f, 5.f, 200.f});
  const auto softplus =
      fx::jit([](Array x) { return fx::log(1 + fx::exp(x)); })(big).to_vector<float>();
  CHECK(softplus[4] == 200.f);
  CHECK(softplus[0] == Approx(0).margin(1e-30));
  CHECK(softplus[3] == Approx(std::log1p(std::exp(5.0))));
  const auto slope =
      fx::grad([](Array x) { return fx::sum(fx::log(1 + fx::exp(x))); })(big).to_vector<float>();
  CHECK(slope[4] == 1.f);
  CHECK(slope[3] == Approx(1 / (1 + std::exp(-5.0))));
  auto log_of_softmax = [](Array x) { return fx::log(fx::exp(x) / fx::sum(fx::exp(x))); };
  CHECK(fx::jit(log_of_softmax)(fx::array({-80.f, 0.f, 5.f})).to_vector<float>()[0] ==
        Approx(-80 - std::log(std::exp(-80.0) + 1 + std::exp(5.0))));
  CHECK(fx::log(fx::exp(fx::array({500.f}))).to_vector<float>()[0] == 500.f);
}

TEST_CASE("arrays of another thread's program are refused") {
  std::string text;
  fx::jit([&text](Array x) {
    std::thread other([&] {
      try {
        (void)(x + 1.f);
      } catch (const fx::Error& e) {
        text = e.what();
      }
    });
    other.join();
    return x;
  })(Array(1.f));
  CHECK(
      text.find(
          "error[other-thread]: an operand belongs to a program that another thread is tracing") ==
      0);
}
