// The tour of the library, statement by statement: read this test first.
#include "fluxion/nn.hpp"
#include "tests/support/values.hpp"

#include <array>
#include <filesystem>
#include <map>
#include <numeric>
#include <sstream>

namespace fx = fluxion;
namespace nn = fluxion::nn;
using namespace fluxion::test;
using fx::Array;

TEST_CASE("arrays are lazy values with the dtypes of C++ numbers") {
  Array a = fx::array({{1.f, 2.f}, {3.f, 4.f}});
  Array b = fx::arange(6, fx::float32).reshape({2, 3});
  Array c = fx::matmul(a, b) + 1;  // a bare number takes the array's dtype
  CHECK(a.dtype() == fx::float32);
  CHECK(c.dtype() == fx::float32);
  std::ostringstream out;
  out << c << '\n';  // evaluates, prints NumPy-style
  CHECK(out.str() == "[[ 7. 10. 13.]\n [13. 20. 27.]]\n");

  float s = fx::sum(c).item<float>();
  CHECK(s == 90);
  std::vector<float> v = c.to_vector<float>();
  CHECK(v == std::vector<float>{7, 10, 13, 13, 20, 27});
  std::span<const float> view = c.span<float>();
  CHECK(view[5] == 27);
  bool taken = false;
  if (c[{0, 0}] > 2.f) taken = float(fx::sum(c)) == 90.f;  // explicit conversions ask for the value
  CHECK(taken);
  CHECK(int(fx::mean(c)) == 15);
}

TEST_CASE("arrays come from memory, copied or borrowed") {
  std::vector<double> x(12);
  std::iota(x.begin(), x.end(), 0.0);
  Array d = fx::from_span(std::span<const double>(x), {3, 4});
  x[0] = 99;
  CHECK(d[{0, 0}].item<double>() == 0);
  bool given_back = false;
  {
    Array borrowed = fx::borrow(x.data(), {12}, fx::float64, [&](double*) { given_back = true; });
    CHECK(borrowed.span<double>().data() == x.data());
    CHECK(fx::max(borrowed).item<double>() == 99);
  }
  CHECK(given_back);
}

TEST_CASE("shapes are known without evaluating; parts are read and updated") {
  Array c = fx::array({{7.f, 10.f, 13.f}, {13.f, 20.f, 27.f}}), index_array = fx::array({1, 0});
  CHECK(c.shape() == fx::Shape({2, 3}));
  CHECK(c.ndim() == 2);
  CHECK(c.size() == 6);
  check_array(c[0], {3}, {7, 10, 13});
  check_array(c[{fx::all, fx::slice(0, 2)}], {2, 2}, {7, 10, 13, 20});
  CHECK(c[{fx::ellipsis, fx::newaxis}].shape() == fx::Shape({2, 3, 1}));
  check_array(c[index_array], {2, 3}, {13, 20, 27, 7, 10, 13});
  Array e = c.at({0, fx::slice(0, 2)}).set(7.f);
  fx::eval(c, e);
  check_array(e, {2, 3}, {7, 7, 13, 13, 20, 27});
  check_array(c, {2, 3}, {7, 10, 13, 13, 20, 27});
  CHECK(fx::all(c > 0).item<bool>());      // fx::all is a reduction when called,
  CHECK(c[fx::all].shape() == c.shape());  // an index when indexing
  CHECK(fx::trace(fx::eye(3)).item<float>() == 3);
  CHECK((fx::array({7}) / 2).item<int>() == 3);
}

TEST_CASE("derivatives in both modes") {
  auto f = [](Array x) { return fx::sum(fx::sin(x) * x); };
  auto loss = [](Array w, Array b, Array data) { return fx::sum(w * b + data); };
  const Array x = fx::array({0.5, 1.5}), dx = fx::array({1., -1.});
  const double slope[] = {std::cos(0.5) * 0.5 + std::sin(0.5), std::cos(1.5) * 1.5 + std::sin(1.5)};
  const double value = std::sin(0.5) * 0.5 + std::sin(1.5) * 1.5;

  check_near(fx::grad(f)(x), {2}, {slope[0], slope[1]}, 1e-14);
  auto [y, dy] = fx::value_and_grad(f)(x);
  check_near(y, {}, {value}, 1e-14);
  check_near(dy, {2}, {slope[0], slope[1]}, 1e-14);
  auto [out, tangent] = fx::jvp(f, std::tuple{x}, std::tuple{dx});
  check_near(out, {}, {value}, 1e-14);
  check_near(tangent, {}, {slope[0] - slope[1]}, 1e-14);
  auto [out1, tangent1] = fx::jvp(f, x, dx);
  check_near(tangent1, {}, {slope[0] - slope[1]}, 1e-14);
  auto [out2, pullback] = fx::vjp(f, x);
  auto [cotangent] = pullback(Array(2.0));
  check_near(cotangent, {2}, {2 * slope[0], 2 * slope[1]}, 1e-14);
  auto [out3, f_lin] = fx::linearize(f, x);
  check_near(f_lin(dx), {}, {slope[0] - slope[1]}, 1e-14);

  auto h = [](Array v) { return v * v; };
  check_near(fx::jacfwd(h)(x), {2, 2}, {1, 0, 0, 3}, 1e-15);
  check_near(fx::jacrev(h)(x), {2, 2}, {1, 0, 0, 3}, 1e-15);
  check_near(
      fx::hessian(f)(x),
      {2, 2},
      {2 * std::cos(0.5) - 0.5 * std::sin(0.5), 0, 0, 2 * std::cos(1.5) - 1.5 * std::sin(1.5)},
      1e-14);
  auto [gw, gb] = fx::grad<0, 1>(loss)(Array(2.0), Array(3.0), Array(4.0));
  CHECK(gw.item<double>() == 3);
  CHECK(gb.item<double>() == 2);
  CHECK(fx::grad([](Array v) { return v * v; })(3.0).item<double>() == 6);
}

TEST_CASE("transforms nest in any order") {
  auto f = [](Array x) { return fx::sin(x) * x; };
  auto fast = fx::jit(fx::vmap(fx::grad(f)));
  const Array x = fx::array({0.5, 1.5});
  check_near(fast(x),
             {2},
             {std::cos(0.5) * 0.5 + std::sin(0.5), std::cos(1.5) * 1.5 + std::sin(1.5)},
             1e-14);
  check_near(fx::grad(fx::jit(fx::grad(fx::grad([](Array v) { return v * v * v * v; }))))(2.0),
             {},
             {48},
             1e-14);
  auto f2 = [](Array a, Array b, Array c) { return a * b + c; };
  auto batched = fx::vmap(f2, {.in_axes = {0, fx::unmapped, 1}, .out_axes = 0});
  check_array(batched(fx::array({1., 2.}), Array(10.), fx::array({{1., 2.}, {3., 4.}})),
              {2, 2},
              {11, 13, 22, 24});
}

TEST_CASE("under grad values may be asked for, under jit they may not") {
  auto f = [](Array x) { return x.item<double>() > 0 ? x * 2 : x * 3; };
  CHECK(fx::grad(f)(1.0).item<double>() == 2);
  CHECK(fx::grad(f)(-1.0).item<double>() == 3);
  const unsigned line = __LINE__ + 1;
  auto ask = [](Array x) { return x.item<double>() > 0 ? x * 2 : x * 3; };
  CHECK(line_of([&] { fx::jit(ask)(Array(1.0)); }) == line);
  CHECK(refusal([&] { fx::vmap(ask)(fx::array({1.0})); }).find("error[value-in-trace]: ") == 0);
}

namespace {

struct Params {
  Array w, b;
};
struct Model {
  std::vector<Params> layers;
  nn::Activation act = fx::tanh;  // a tree with a static member
};
Array mse(const Model& m, Array x, Array y) {
  for (auto& l : m.layers) x = m.act(fx::matmul(x, l.w) + l.b);
  return fx::mean(fx::square(x - y));
}

}  // namespace

TEST_CASE("a struct of arrays is differentiated, compiled and updated as one") {
  auto model_loss = [](Params p, Array batch) {
    return std::pair{fx::sum(p.w * batch + p.b), std::tuple{p.w, 3}};
  };
  auto [loss_aux, grads] =
      fx::value_and_grad(model_loss, fx::has_aux)(Params{Array(2.), Array(1.)}, Array(5.));
  CHECK(loss_aux.first.item<double>() == 11);
  CHECK(std::get<1>(loss_aux.second) == 3);
  CHECK(grads.w.item<double>() == 5);
  CHECK(grads.b.item<double>() == 1);

  Array keys = fx::random::split(fx::random::key(0), 3);
  Model model{{{fx::random::normal(keys[0], {3, 8}), fx::zeros({8})},
               {fx::random::normal(keys[1], {8, 1}), fx::zeros({1})}}};
  Array x = fx::random::normal(keys[2], {16, 3}), y = fx::tanh(fx::sum(x, 1, true)), loss;
  const float before = mse(model, x, y).item<float>();
  auto step = fx::jit([](Model m, Array x, Array y) {
    auto [loss, g] = fx::value_and_grad([&](Model m) { return mse(m, x, y); })(m);
    return std::pair{fx::tree_map([](Array p, Array g) { return p - 0.1f * g; }, m, g), loss};
  });
  for (int i = 0; i < 50; ++i) std::tie(model, loss) = step(std::move(model), x, y);
  CHECK(loss.item<float>() < before / 4);
  CHECK(model.act == nn::Activation(fx::tanh));
  CHECK(fx::tree_paths(model) ==
        std::vector<std::string>{"layers.0.w", "layers.0.b", "layers.1.w", "layers.1.b"});
}

TEST_CASE("programs can be looked at before they run") {
  auto f = [](Array x) { return fx::sum(x * 2); };
  const Array x = fx::ones({8, 3});
  fx::Function ir = fx::trace(f, x);
  std::ostringstream out;
  out << ir;
  CHECK(out.str().find("f32[8,3]") != std::string::npos);
  CHECK(out.str().find("tour_test.cpp") != std::string::npos);
  auto spec = fx::eval_shape(f, fx::Spec{{8, 3}, fx::float32});
  CHECK(spec.shape() == fx::Shape({}));
  CHECK(spec.dtype() == fx::float32);
  auto exe = fx::lower(f, fx::Spec{{8, 3}, fx::float32}).compile();
  CHECK(exe(x).item<float>() == 48);
  CHECK(exe.cost().bytes >= 96);
  CHECK(exe.memory().arguments == 96);
  CHECK(fx::grad([](Array v) { return fx::sum(fx::stop_gradient(v) * v); })(x)[{0, 0}]
            .item<float>() == 1);
}

TEST_CASE("random numbers come from keys, not from state") {
  auto key = fx::random::key(42);
  auto [k1, k2] = fx::random::split<2>(key);
  auto keys = fx::random::split(key, 8);
  CHECK(keys.shape() == fx::Shape({8, 2}));
  CHECK(
      fx::array_equal(fx::random::normal(k1, {3, 4}), fx::random::normal(k1, {3, 4})).item<bool>());
  CHECK_FALSE(
      fx::array_equal(fx::random::normal(k1, {3, 4}), fx::random::normal(k2, {3, 4})).item<bool>());
  const Array u = fx::random::uniform(k2, {500}, -1.f, 1.f);
  CHECK(fx::min(u).item<float>() >= -1);
  CHECK(fx::max(u).item<float>() < 1);
  check_array(fx::random::bits(key, {2}),
              {2},
              {2098992034.0, 2919706841.0});  // JAX: jax.random.bits(PRNGKey(42), (4,))[:2]
}

namespace {

struct Mlp {
  nn::Linear in, out;
  static Mlp init(Array key) {
    auto [a, b] = fx::random::split<2>(key);
    return {nn::Linear::init(a, 4, 8), nn::Linear::init(b, 8, 2)};
  }
  Array operator()(Array x) const { return out(fx::relu(in(x))); }  // one example or a batch
};

}  // namespace

TEST_CASE("layers are plain structs") {
  auto model = Mlp::init(fx::random::key(0));
  CHECK(model(fx::ones({4})).shape() == fx::Shape({2}));
  CHECK(model(fx::ones({5, 4})).shape() == fx::Shape({5, 2}));
  CHECK(fx::vmap(model)(fx::ones({5, 4})).shape() == fx::Shape({5, 2}));
  auto grads = fx::grad([](Mlp m, Array x) { return fx::sum(m(x)); })(model, fx::ones({5, 4}));
  auto opt = nn::adam({.learning_rate = 1e-3f});
  auto state = opt.init(model);
  auto [updates, next] = opt.update(grads, state, model);
  model = nn::apply_updates(model, updates);
  const std::string path =
      (std::filesystem::temp_directory_path() / "fluxion_tour_model.safetensors").string();
  nn::save(path, model);
  auto again = Mlp::init(fx::random::key(1));
  nn::load(path, again);
  std::filesystem::remove(path);
  CHECK(fx::array_equal(again.in.weight, model.in.weight).item<bool>());
  CHECK(fx::tree_paths(model) ==
        std::vector<std::string>{"in.weight", "in.bias", "out.weight", "out.bias"});
}

TEST_CASE("every mistake is an error at the user's own line, with what differs") {
  const Array lhs = fx::ones({32, 784}), rhs = fx::ones({785, 128});
  const unsigned line = __LINE__ + 2;
  try {
    fx::dot(lhs, rhs);
    FAIL("nothing was thrown");
  } catch (const fx::Error& e) {
    CHECK(e.code() == "dot-sizes");
    CHECK(e.site().line() == line);
    const std::string where = std::string(__FILE__) + ":" + std::to_string(line);
    CHECK(std::string(e.what()) ==
          "error[dot-sizes]: dot: the contracted sizes differ, 784 and 785\n  --> " + where +
              "\n  | lhs f32[32,784]   contracts axis 1 (784)"
              "\n  | rhs f32[785,128]  contracts axis 0 (785)"
              "\n  = hint: did the input layer forget its bias column?");
  }
}
