// custom_vmap: whose rule runs on a batch, with which batch axes, and how derivatives go on.
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

/// x * y; on a batch plus 100, so that one sees which ran.
auto marked() {
  return fx::custom_vmap([](Array x, Array y) { return x * y; },
                         [](fx::BatchInfo info, Array x, Array y) {
                           Array z = x * y + 100.0;
                           if (!info.batched[0] && !info.batched[1])
                             throw std::logic_error("no batch");
                           return fx::broadcast_to(z, {info.size});
                         });
}

}  // namespace

TEST_CASE("the rule of a custom_vmap function runs on batches, with the batch axis first") {
  auto f = marked();
  const Array v = fx::array({1.0, 2.0, 3.0});
  CHECK(number(f(Array(2.0), Array(3.0))) == 6);
  CHECK(number(fx::jit(f)(Array(2.0), Array(3.0))) == 6);
  CHECK(fx::vmap(f)(v, v).to_vector<double>() == std::vector<double>{101, 104, 109});
  CHECK(fx::vmap(f, {.in_axes = {0, fx::unmapped}})(v, Array(2.0)).to_vector<double>() ==
        std::vector<double>{102, 104, 106});
  CHECK(fx::jit(fx::vmap(f, {.in_axes = {fx::unmapped, 0}}))(Array(2.0), v).to_vector<double>() ==
        std::vector<double>{102, 104, 106});
  std::vector<std::string> seen;
  auto g = fx::custom_vmap(
      [](Array m, std::pair<Array, Array> p) { return m * p.first + p.second; },
      [&](fx::BatchInfo info, Array m, std::pair<Array, Array> p) {
        seen.push_back(std::to_string(info.size) + (info.batched[0] ? " batched " : " single ") +
                       fluxion::to_string(m.shape()) + fluxion::to_string(p.first.shape()) +
                       fluxion::to_string(p.second.shape()));
        return fx::expand_dims(m, 0) * p.first + p.second;
      });
  const Array m = fx::ones({2, 3}, fx::float64);
  auto map = [&](Array x, Array y) { return g(m, std::pair{x, y}); };
  const Array out =
      fx::vmap(map, {.in_axes = {1, fx::unmapped}})(fx::ones({2, 4, 3}, fx::float64), m);
  CHECK(out.shape() == fx::Shape({4, 2, 3}));
  // one array of the pair has the batch axis, so both have
  CHECK(seen == std::vector<std::string>{"4 single [2,3][4,2,3][4,2,3]"});
  CHECK(out.to_vector<double>()[0] == 2);
}

TEST_CASE(
    "derivatives of a batched custom_vmap function are those of its rule; nested batches use the "
    "rule once") {
  auto f = marked();
  const Array v = fx::array({1.0, 2.0, 3.0});
  auto total = [&](Array x) { return fx::sum(fx::vmap(f)(x, x)); };
  CHECK(fx::grad(total)(v).to_vector<double>() == std::vector<double>{2, 4, 6});
  CHECK(fx::vmap(fx::grad([&](Array x) { return f(x, x); }))(v).to_vector<double>() ==
        std::vector<double>{2, 4, 6});
  // forward mode under vmap goes through the rule's derivative
  auto along = [&](Array x) {
    const auto [y, dy] = fx::jvp([&](Array x) { return f(x, x); }, x, Array(1.0));
    return std::pair{y, dy};
  };
  const auto [y, dy] = fx::vmap(along)(v);
  CHECK(y.to_vector<double>() == std::vector<double>{101, 104, 109});
  CHECK(dy.to_vector<double>() == std::vector<double>{2, 4, 6});
  auto nested =
      fx::vmap(fx::vmap(f, {.in_axes = {fx::unmapped, 0}}), {.in_axes = {0, fx::unmapped}});
  CHECK(nested(fx::array({1.0, 2.0}), v).to_vector<double>() ==
        std::vector<double>{101, 102, 103, 102, 104, 106});
}

TEST_CASE("what custom_vmap refuses") {
  auto wrong =
      fx::custom_vmap([](Array x) { return x; }, [](fx::BatchInfo, Array x) { return fx::sum(x); });
  CHECK(refusal([&] { fx::vmap([&](Array x) { return wrong(x); })(fx::ones({3})); }) ==
        "error[custom-rule]: custom_vmap: the rule gives another result than the function for each "
        "example\n  --> " +
            std::string(__FILE__) + ":" + std::to_string(__LINE__ - 3) +
            "\n  | array 0 of the batch's result is f32[3]\n  | the rule gives f32[]\n  = hint: "
            "every "
            "array of the result has the batch as its first axis");
  const Array k = fx::ones({3});
  auto capturing = [&](Array s) {
    auto f =
        fx::custom_vmap([=](Array x) { return x * s; }, [](fx::BatchInfo, Array x) { return x; });
    return f(Array(1.f));
  };
  CHECK(refusal([&] { fx::vmap(capturing)(k); })
            .find("error[captured-tangent]: custom_vmap: the function captured an array that has a "
                  "batch axis") == 0);
}
