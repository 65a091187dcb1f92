// What jit traces, keeps, gives away and refuses.
#include "runtime/executable.hpp"
#include "tests/support/catch.hpp"
#include "trace/error.hpp"

#include <fluxion/nn.hpp>
#include <thread>

namespace fx = fluxion;
using fx::Array;

TEST_CASE("a jitted function runs its C++ body once per signature") {
  int traces = 0;
  auto f = fx::jit([&traces](Array x) {
    ++traces;
    return fx::sin(x) * 2;
  });
  CHECK(f(Array(0.5)).item<double>() == Approx(2 * std::sin(0.5)));
  const auto compiled = fx::compiled_programs();
  CHECK(f(Array(0.25)).item<double>() == Approx(2 * std::sin(0.25)));
  CHECK(traces == 1);
  CHECK(fx::compiled_programs() == compiled);
  CHECK(f(Array(0.25f)).dtype() == fx::float32);
  CHECK(f(fx::zeros({3})).shape() == fx::Shape{3});
  CHECK(traces == 3);
}

TEST_CASE(
    "types of parameters decide what is traced: a number for an Array parameter is an input") {
  int traces = 0;
  auto f = fx::jit([&traces](Array x, Array rate) {
    ++traces;
    return x * rate;
  });
  CHECK(f(Array(2.0), 0.5).item<double>() == 1.0);
  CHECK(f(Array(2.0), 0.25).item<double>() == 0.5);
  CHECK(traces == 1);
}

namespace {
struct Layer {
  Array w;
  int power = 1;
  fx::nn::Activation act = fx::tanh;
};
}  // namespace

TEST_CASE("static members are part of the signature") {
  int traces = 0;
  auto f = fx::jit([&traces](Layer l, Array x) {
    ++traces;
    Array y = l.w * x;
    for (int i = 1; i < l.power; ++i) y = y * l.w;
    return l.act(y);
  });
  CHECK(f(Layer{Array(2.0), 1}, Array(0.1)).item<double>() == Approx(std::tanh(0.2)));
  CHECK(f(Layer{Array(2.0), 2}, Array(0.1)).item<double>() == Approx(std::tanh(0.4)));
  CHECK(f(Layer{Array(3.0), 2}, Array(0.1)).item<double>() == Approx(std::tanh(0.9)));
  CHECK(f(Layer{Array(3.0), 2, fx::exp}, Array(0.1)).item<double>() == Approx(std::exp(0.9)));
  CHECK(traces == 3);
}

TEST_CASE("captured arrays are hidden inputs, as they were at the first trace") {
  Array scale = Array(3.0) * 1.0;
  auto f = fx::jit([scale](Array x) { return x * scale; });
  CHECK(f(Array(2.0)).item<double>() == 6);
  scale = Array(100.0);
  CHECK(f(Array(2.0)).item<double>() == 6);
}

TEST_CASE("check_jit finds a capture by reference that was assigned") {
  Array scale(3.0);
  Array* where = &scale;
  auto f = fx::jit([where](Array x) { return x * fx::exp(*where); });
  f(Array(2.0));
  scale = fx::array({1.0, 2.0});
  fx::debug::check_jit(true);
  std::string text;
  try {
    f(Array(2.0));
  } catch (const fx::Error& e) {
    text = e.what();
  }
  fx::debug::check_jit(false);
  CHECK(text.find("error[stale-capture]: jit: the function records another program than at its "
                  "first call with these types") == 0);
  CHECK(text.find("= hint: pass what changes as an argument; jit copies the function and its "
                  "captures once") != text.npos);
}

TEST_CASE("an rvalue argument gives its memory to the result") {
  auto step = fx::jit([](Array p) { return p * 0.5f + 1.f; });
  Array p = fx::full({4096}, 4.f);
  fx::eval(p);
  [[maybe_unused]] const void* memory = p.span<float>().data();
  p = step(std::move(p));
#ifdef FLUXION_LLVM  // the interpreter gives every value memory of its own
  CHECK(p.span<float>().data() == memory);
#endif
  CHECK(p.to_vector<float>()[17] == 3.f);
}

TEST_CASE("donation never takes memory that somebody else still reads") {
  auto add = fx::jit([](Array a, Array b) { return a + b * 2.f; });
  Array a = fx::full({4096}, 3.f);
  fx::eval(a);
  const Array alias = a;
  CHECK(add(std::move(a), alias).to_vector<float>()[5] == 9.f);
  CHECK(alias.to_vector<float>()[5] == 3.f);
  Array b = fx::full({4096}, 2.f);
  fx::eval(b);
  CHECK(add(std::move(b), b).to_vector<float>()[0] ==
        6.f);  // all arguments are read before any is given away
}

TEST_CASE("a refused call takes nothing from its rvalue arguments") {
  auto f = fx::jit([](Array a, Array b) { return fx::matmul(a, b); });
  Array a = fx::zeros({2, 3});
  CHECK_THROWS_AS(f(std::move(a), fx::zeros({4, 5})), fx::Error);
  CHECK(a.shape() == fx::Shape({2, 3}));
}

TEST_CASE("jit composes with every transform, inside and outside") {
  auto f = [](Array x) { return fx::sin(x) * x; };
  auto j = fx::jit(f);
  const double x = 0.7, s = std::sin(x), c = std::cos(x);
  CHECK(fx::grad(j)(Array(x)).item<double>() == Approx(s + x * c));
  CHECK(fx::jit(fx::grad(j))(Array(x)).item<double>() == Approx(s + x * c));
  CHECK(fx::grad(fx::jit(fx::grad(j)))(Array(x)).item<double>() == Approx(2 * c - x * s));
  const auto rows = fx::jit(fx::vmap(fx::grad(j)))(fx::array({x, 2 * x})).to_vector<double>();
  CHECK(rows[0] == Approx(s + x * c));
  CHECK(rows[1] == Approx(std::sin(2 * x) + 2 * x * std::cos(2 * x)));
}

TEST_CASE("a jitted function may be called by many threads") {
  auto f = fx::jit([](Array x, Array y) { return fx::sum(x * y); });
  std::vector<std::thread> threads;
  std::vector<int> wrong(8);
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 1; i < 200; ++i) {
        const int n = 1 + (i + t) % 5;
        const Array x = fx::full({n}, static_cast<float>(t)), y = fx::full({n}, 2.f);
        wrong[static_cast<std::size_t>(t)] +=
            f(x, y).item<float>() != static_cast<float>(2 * t * n);
      }
    });
  for (auto& t : threads) t.join();
  for (int w : wrong) CHECK(w == 0);
}

TEST_CASE("a value asked for inside jit names the user's line and the remedy") {
  std::string text;
  const int line = __LINE__ + 2;
  try {
    fx::jit([](Array x) { return x.item<float>() > 0 ? x : -x; })(Array(1.f));
  } catch (const fx::Error& e) {
    text = e.what();
  }
  CHECK(text ==
        "error[value-in-trace]: a value was asked for inside jit, where arrays have only shape and "
        "dtype\n  --> " +
            std::string(__FILE__) + ":" + std::to_string(line) +
            "\n  | the array is f32[], recorded at " + __FILE__ + ":" + std::to_string(line) +
            "\n  = hint: use fx::where or fx::cond to choose by value, or return the array and "
            "look at it outside");
}

TEST_CASE("a value that escapes from its trace is refused with both lines") {
  Array leaked;
  const int traced = __LINE__ + 4;
  fx::jit([&leaked](Array x) {
    leaked = x;
    return x;
  })(Array(1.f));
  std::string text;
  const int used = __LINE__ + 2;
  try {
    (void)(leaked + 1.f);
  } catch (const fx::Error& e) {
    text = e.what();
  }
  const std::string file = __FILE__;
  CHECK(text ==
        "error[leaked-value]: an operand was recorded inside jit, which has finished\n  --> " +
            file + ":" + std::to_string(used) + "\n  | recorded at " + file + ":" +
            std::to_string(traced) + "\n  | jit was called at " + file + ":" +
            std::to_string(traced) +
            "\n  = hint: return the value from the traced function instead of storing it in a "
            "variable outside");
}
