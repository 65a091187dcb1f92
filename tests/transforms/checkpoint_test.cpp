// checkpoint: the same values and derivatives from fewer kept values; what each policy keeps.
#include "tests/support/catch.hpp"
#include "tests/support/program.hpp"
#include "trace/graph_transforms.hpp"
#include "trace/ops/custom_rules.hpp"

namespace fx = fluxion;
using fx::Array;

namespace {

double number(const Array& a) { return a.item<double>(); }

/// How many values the derivative of a program of one f64[4,4] input keeps.
std::size_t residuals(const std::function<Array(Array)>& f) {
  using namespace fluxion;
  const GraphRef graph =
      test::program({{{4, 4}, float64}}, [&](const ArrayList& x) { return ArrayList{f(x[0])}; });
  return linearize_graph(graph, {true}).residual_count;
}

Array block(Array x) { return fx::sin(fx::sin(fx::sin(fx::matmul(fx::cos(x), fx::cos(x))))); }

/// tanh(W_n ... tanh(W_0 x)), its layers through `wrap`.
auto deep(auto wrap, int layers) {
  return [=](Array w, Array x) {
    auto layer = wrap([](Array w, Array x) {
      const Array h = fx::tanh(fx::matmul(x, w));
      return h * fx::sigmoid(h) + fx::sin(h);
    });
    for (int i = 0; i < layers; ++i) x = layer(w[i], x);
    return fx::sum(x * x);
  };
}

}  // namespace

TEST_CASE("checkpoint changes no value and no derivative") {
  const Array x = fx::reshape(fx::linspace(-1.0, 1.0, 16), {4, 4});
  auto loss = [](auto f) { return [f](Array x) { return fx::sum(f(x) * x); }; };
  const auto plain = fx::grad(loss(block))(x).to_vector<double>();
  for (const fx::Policy& policy :
       {fx::save_nothing, fx::save_everything, fx::save_dots, fx::save_names({"a"})}) {
    auto f = fx::checkpoint(block, policy);
    CHECK(f(x).to_vector<double>() == block(x).to_vector<double>());
    const auto one = fx::grad(loss(f))(x).to_vector<double>();
    const auto compiled = fx::jit(fx::grad(loss(f)))(x).to_vector<double>();
    const auto nested =
        fx::grad(loss(fx::checkpoint([&](Array x) { return f(x); })))(x).to_vector<double>();
    for (std::size_t k = 0; k < plain.size(); ++k) {
      CHECK(one[k] == Approx(plain[k]).epsilon(1e-12));
      CHECK(compiled[k] == Approx(plain[k]).epsilon(1e-12));
      CHECK(nested[k] == Approx(plain[k]).epsilon(1e-12));
    }
    const auto [value, tangent] = fx::jvp(f, x, fx::ones_like(x));
    const auto expected = fx::jvp(block, x, fx::ones_like(x)).second;
    CHECK(number(fx::max(fx::abs(tangent - expected))) < 1e-12);
    const Array xs = fx::stack({x, x * 2, x - 1});
    const Array batched = fx::vmap(fx::grad(loss(f)))(xs);
    const Array other = fx::grad([&](Array xs) { return fx::sum(fx::vmap(loss(f))(xs)); })(xs);
    CHECK(number(fx::max(fx::abs(batched[0] - fx::grad(loss(block))(x)))) < 1e-12);
    CHECK(number(fx::max(fx::abs(batched - other))) < 1e-12);
  }
  // what the function captured is differentiated like its arguments
  auto capturing = [&](Array w) {
    return fx::sum(fx::checkpoint([&](Array x) { return fx::tanh(fx::matmul(x, w)); })(x));
  };
  auto open = [&](Array w) { return fx::sum(fx::tanh(fx::matmul(x, w))); };
  CHECK(number(fx::max(fx::abs(fx::grad(capturing)(x) - fx::grad(open)(x)))) < 1e-14);
  auto scalar = [](Array x) { return fx::sin(fx::exp(x)); };
  auto second = fx::grad(fx::grad(fx::checkpoint(scalar)));
  CHECK(number(second(Array(0.3))) == Approx(number(fx::grad(fx::grad(scalar))(Array(0.3)))));
}

TEST_CASE("each policy keeps what it says") {
  auto block = [](Array x) { return ::block(x); };
  CHECK(residuals(block) > 3);
  CHECK(residuals(fx::checkpoint(block)) == 1);  // the input
  // the input and the product
  CHECK(residuals(fx::checkpoint(block, fx::save_dots)) == 2);
  CHECK(residuals(fx::checkpoint(block, fx::save_everything)) >= residuals(block));
  auto named = [](Array x) {
    return fx::sin(fx::exp(fx::name(fx::matmul(fx::exp(x), x), "attn"))) * fx::name(x + 1, "other");
  };
  CHECK(residuals(fx::checkpoint(named)) == 1);
  CHECK(residuals(fx::checkpoint(named, fx::save_names({"attn"}))) == 2);
  CHECK(residuals(fx::checkpoint(named, fx::save_names({"attn", "other"}))) == 3);
  CHECK(residuals(fx::checkpoint(named, fx::save_names({"nobody"}))) == 1);
  // a dot inside a jitted function is seen too
  auto jitted = fx::jit(block);
  CHECK(residuals(fx::checkpoint([&](Array x) { return jitted(x); }, fx::save_dots)) == 2);
  // a block inside a block: the outer one keeps its input alone
  auto two = [&](Array x) { return fx::checkpoint(block)(fx::checkpoint(block)(x)); };
  CHECK(residuals(two) == 2);
  CHECK(residuals(fx::checkpoint(two)) == 1);
}

TEST_CASE("the passes do not undo it: the gradient of a deep network needs less memory") {
  const int layers = 24;
  const fx::Spec w{{layers, 64, 64}, fx::float32}, x{{256, 64}, fx::float32};
  auto plain = fx::lower(fx::grad(deep([](auto f) { return f; }, layers)), w, x).compile();
  auto saving =
      fx::lower(fx::grad(deep([](auto f) { return fx::checkpoint(f); }, layers)), w, x).compile();
  auto dots =
      fx::lower(
          fx::grad(deep([](auto f) { return fx::checkpoint(f, fx::save_dots); }, layers)), w, x)
          .compile();
  const auto most = plain.memory().temporaries, least = saving.memory().temporaries;
  WARN("temporaries of the gradient of " << layers << " layers: " << most << " bytes plain, "
                                         << least << " checkpointed, " << dots.memory().temporaries
                                         << " with save_dots");
#ifdef FLUXION_LLVM  // interpreted, every value is kept until the end
  CHECK(2 * least < most);
  CHECK(dots.memory().temporaries < most);
  CHECK(saving.cost().flops > plain.cost().flops);
#endif
  const Array weights = fx::random::normal(fx::random::key(0), {layers, 64, 64}) * 0.1f,
              data = fx::random::normal(fx::random::key(1), {256, 64});
  const Array a = plain(weights, data), b = saving(weights, data);
  CHECK(fx::max(fx::abs(a - b)).item<float>() <= 1e-4f * fx::max(fx::abs(a)).item<float>());
}

TEST_CASE("an optimization barrier hides what is behind it, and costs nothing") {
  using namespace fluxion;
  const GraphRef graph = test::program({{{8}, float32}}, [](const ArrayList& x) {
    const Array y = fx::exp(x[0]);
    const Array again = fx::exp(ops::optimization_barrier(x[0], Site::current()));
    return ArrayList{y, again};
  });
  const GraphRef best = optimize(graph);
  std::size_t count = 0;
  for (const Operation& o : best->operations()) count += o.op.name() == "exp";
  CHECK(count == 2);
  const test::HostArrays inputs = test::random_arrays(graph->input_types(), 3);
  CHECK(test::difference(test::compiled(graph, inputs), test::interpreted(*graph, inputs)) == "");
  // without the barrier they are one
  const GraphRef shared = optimize(test::program({{{8}, float32}}, [](const ArrayList& x) {
    return ArrayList{fx::exp(x[0]), fx::exp(fx::name(x[0], "x"))};
  }));
  count = 0;
  for (const Operation& o : shared->operations()) count += o.op.name() == "exp";
  CHECK(count == 1);
  CHECK(number(fx::grad([](Array x) {
          return fx::sin(ops::optimization_barrier(x, Site::current()));
        })(Array(0.5))) == Approx(std::cos(0.5)));
}
