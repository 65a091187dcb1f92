// A program written as StableHLO and read again is the same program.
#include "fluxion/fluxion.hpp"
#include "fluxion/lax.hpp"
#include "fluxion/stablehlo.hpp"
#include "tests/support/catch.hpp"
#include "trace/graph.hpp"

using namespace fluxion;

namespace {

std::string without_lines(const Function& f) { return to_string(*parse_graph(f.text())); }

/// Writes, reads, and compares the programs; the text, for a look.
template <class F, class... A> std::string round_trip(const F& f, const A&... a) {
  const Function program = fluxion::trace(f, a...);
  const std::string text = stablehlo::write(program);
  INFO(text);
  CHECK(without_lines(stablehlo::read(text).function()) == without_lines(program));
  CHECK(stablehlo::write(stablehlo::read(text).function()) == text);
  return text;
}

}  // namespace

TEST_CASE("elementwise operations are written in their short forms") {
  const std::string text =
      round_trip([](Array x, Array y) { return fluxion::tanh(x) * y + 1; }, ones({3}), ones({3}));
  CHECK(text ==
        "module @fluxion {\n"
        "  func.func public @main(%0: tensor<3xf32>, %1: tensor<3xf32>) -> (tensor<3xf32>) {\n"
        "    %2 = stablehlo.tanh %0 : tensor<3xf32>\n"
        "    %3 = stablehlo.multiply %2, %1 : tensor<3xf32>\n"
        "    %4 = stablehlo.constant dense<1.0e+00> : tensor<f32>\n"
        "    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<3xf32>\n"
        "    %6 = stablehlo.add %3, %5 : tensor<3xf32>\n"
        "    return %6 : tensor<3xf32>\n"
        "  }\n"
        "}\n");
}

TEST_CASE("shapes, reductions, products, gather and scatter come back as they were") {
  round_trip([](Array x) { return fluxion::transpose(x.reshape({3, 2})) + fluxion::flip(x); },
             ones({2, 3}));
  round_trip([](Array x) { return fluxion::softmax(x); }, ones({4, 5}));
  round_trip([](Array x) { return fluxion::sum(x, 0) + fluxion::prod(x, 0); },
             ones({4, 5}, float16));
  round_trip([](Array x) { return fluxion::any(x > 0) | fluxion::all(x > 1); }, ones({4}));
  round_trip([](Array x) { return std::pair{fluxion::argmax(x, 1), fluxion::argmin(x, 0)}; },
             ones({4, 5}));
  round_trip([](Array x, Array y) { return fluxion::matmul(x, y); }, ones({2, 4, 5}), ones({5, 3}));
  round_trip([](Array x, Array y) { return fluxion::matmul(x, y); },
             ones({4, 5}, bfloat16),
             ones({5, 3}, bfloat16));
  round_trip(
      [](Array x, Array k) {
        return lax::conv_general_dilated(x, k, {.strides = {2, 1}, .padding = lax::same});
      },
      ones({1, 3, 8, 8}),
      ones({4, 3, 3, 3}));
  round_trip([](Array x) { return fluxion::max_pool(x, {2, 2}); }, ones({1, 1, 4, 4}));
  round_trip([](Array x, Array i) { return fluxion::take(x, i, 0) + x[{0}]; },
             ones({4, 5}),
             zeros({3}, int32));
  round_trip([](Array x) { return x.at({slice(1, 3)}).add(2.f).at({0}).set(1.f); }, ones({4, 5}));
  round_trip(
      [](Array x) {
        return std::pair{fluxion::pad(x, {{1, 2}}), fluxion::concatenate({x, x, x[slice(0, 3)]})};
      },
      ones({5}));
}

TEST_CASE("numbers that have no decimal form are written as their bits") {
  const std::string text = round_trip(
      [](Array x) { return fluxion::where(x > 0, x, -std::numeric_limits<float>::infinity()); },
      ones({2}));
  CHECK(text.find("dense<0xFF800000>") != std::string::npos);
}

TEST_CASE("programs inside programs are functions") {
  const auto f = jit([](Array x) { return fluxion::sin(x); });
  const std::string text = round_trip([&](Array x) { return f(x) + f(x * 2); }, ones({3}));
  CHECK(text.find("call @jit_1(%0)") != std::string::npos);
  CHECK(text.find("func.func private @jit_1(%0: tensor<3xf32>) -> (tensor<3xf32>) {") !=
        std::string::npos);
}

TEST_CASE("loops and branches are StableHLO's, around calls of their programs") {
  const std::string loop = round_trip(
      [](Array x, Array limit) {
        return while_loop(
            [=](Array s) { return fluxion::sum(s) < limit; }, [=](Array s) { return s * x; }, x);
      },
      full({3}, 2),
      Array(100.f));
  CHECK(loop.find("\"stablehlo.while\"(%0) ({") != std::string::npos);
  const auto twice = [](Array x) { return x * 2; };
  const auto negative = [](Array x) { return -x; };
  const std::string branches = round_trip(
      [&](Array i, Array x) { return cond(i > 0, twice, negative, x); }, Array(1), ones({3}));
  CHECK(branches.find("\"stablehlo.case\"(") != std::string::npos);
  round_trip(
      [](Array xs) {
        return scan([](Array c, Array x) { return std::pair{c * 0.9f + x, c}; }, Array(0.f), xs);
      },
      ones({5}));
  round_trip(
      [](Array xs) {
        return grad([&](Array c) {
          return scan([](Array s, Array x) { return std::pair{s * x, s}; }, c, xs).first;
        })(Array(1.f));
      },
      ones({5}));
}

TEST_CASE("what StableHLO does not have is a custom call that keeps its attributes") {
  const std::string text = round_trip([](Array k) { return random::bits(k, {3}); }, random::key(1));
  CHECK(text.find("stablehlo.custom_call @fluxion.threefry2x32(") != std::string::npos);
  round_trip([](Array x) { return fluxion::stop_gradient(x) * x; }, ones({3}));
}

TEST_CASE("derivatives and batches of programs come back as they were") {
  const auto loss = [](Array w, Array x) {
    return fluxion::sum(fluxion::square(fluxion::relu(fluxion::matmul(x, w))));
  };
  round_trip([&](Array w, Array x) { return grad(loss)(w, x); }, ones({3, 2}), ones({4, 3}));
  round_trip([&](Array w, Array x) { return vmap(loss, {.in_axes = {unmapped, 0}})(w, x); },
             ones({3, 2}),
             ones({5, 4, 3}));
}
