// Section 4 of the tour: rules of one's own, memory for compute, prints.
#include "expect.hpp"

#include <fluxion/fluxion.hpp>
#include <string>
#include <vector>

namespace fx = fluxion;
using fx::Array;

static Array identity(Array x) { return x; }
static Array big_block(Array x) { return fx::sin(fx::sin(fx::matmul(fx::name(x, "attn"), x))); }

int main() {
  auto safe_log1pexp =
      fx::custom_jvp([](Array x) { return fx::log1p(fx::exp(x)); },
                     [](auto primals, auto tangents) {
                       auto [x] = primals;
                       auto [dx] = tangents;
                       return std::pair{fx::log1p(fx::exp(x)), fx::sigmoid(x) * dx};
                     });
  auto clip_grad = fx::custom_vjp(
      identity,
      /*fwd*/ [](Array x) { return std::pair{x, std::tuple{}}; },
      /*bwd*/ [](auto, Array ct) { return std::tuple{fx::clip(ct, -1, 1)}; });
  auto block = fx::checkpoint(big_block, fx::save_dots);
  EXPECT(fx::grad(safe_log1pexp)(Array(1000.0)).item<double>() == 1);
  EXPECT(near(safe_log1pexp(Array(0.5)).item<double>(), std::log1p(std::exp(0.5))));
  auto steep = [&](Array x) { return fx::sum(clip_grad(x) * fx::array({0.5, 7.0, -9.0})); };
  EXPECT(fx::grad(steep)(fx::ones({3}, fx::float64)).to_vector<double>() ==
         (std::vector<double>{0.5, 1, -1}));
  const Array x = fx::array({{0.1, 0.2}, {0.3, 0.4}});
  auto loss = [](auto f) { return [f](Array x) { return fx::sum(f(x)); }; };
  const Array plain = fx::grad(loss(big_block))(x);
  EXPECT(fx::max(fx::abs(fx::grad(loss(block))(x) - plain)).item<double>() < 1e-15);
  auto other = fx::checkpoint(big_block, fx::save_names({"attn"}));
  EXPECT(fx::max(fx::abs(fx::jit(fx::grad(loss(other)))(x) - plain)).item<double>() < 1e-15);
  Array k = fx::stop_gradient(x);
  EXPECT(
      fx::grad([](Array x) { return fx::sum(x * fx::stop_gradient(x)); })(k).to_vector<double>() ==
      x.to_vector<double>());

  std::vector<std::string> lines;
  fx::debug::print_to([&](std::string_view line) { lines.emplace_back(line); });
  fx::jit(fx::grad([](Array x) {
    Array loss = x * x;
    fx::debug::print("loss = {}", loss);
    return loss;
  }))(Array(3.0));
  fx::debug::print_to_stdout();
  EXPECT(lines == std::vector<std::string>{"loss = 9.0"});

  fx::debug::check_nans(true);
  std::string blamed;
  const std::string place = "rules.cpp:" + std::to_string(__LINE__ + 2);
  try {
    fx::eval(fx::log(Array(-1.0)) + 1);
  } catch (const fx::Error& e) {
    blamed = e.what();
  }
  fx::debug::check_nans(false);
  EXPECT(blamed.find("log made a NaN") != blamed.npos && blamed.find(place) != blamed.npos);
  return failures;
}
