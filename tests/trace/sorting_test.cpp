// Order, running combinations, boxes at computed starts, rounding: values that NumPy and JAX give.
#include "tests/support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <fluxion/fluxion.hpp>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace fx = fluxion;
namespace lax = fluxion::lax;
using fx::Array;
using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;

namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

std::string refusal(auto f) {
  try {
    f();
  } catch (const fx::Error& e) {
    return e.what();
  }
  return "nothing was refused";
}

}  // namespace

TEST_CASE("sort puts NaN last and keeps the order of equal elements") {
  const Array x = fx::array({3.f, missing, -infinity, 0.f, -0.f, 1.f, infinity, -2.f});
  const Floats sorted = fx::sort(x).to_vector<float>();
  CHECK(Floats(sorted.begin(), sorted.begin() + 7) ==
        Floats{-infinity, -2, 0, -0.f, 1, 3, infinity});
  CHECK(std::isnan(sorted[7]));
  CHECK_FALSE(std::signbit(sorted[2]));
  CHECK(std::signbit(sorted[3]));
  CHECK(fx::argsort(x).to_vector<std::int32_t>() == Ints{2, 7, 3, 4, 5, 0, 6, 1});
  CHECK(fx::argsort(x, -1, true).to_vector<std::int32_t>() == Ints{1, 6, 0, 5, 3, 4, 7, 2});
}

TEST_CASE("long lines are sorted as short ones are") {
  std::mt19937 random(5);
  for (const std::size_t n : {17u, 1000u, 1025u, 50000u}) {
    Floats values(n);
    for (float& v : values) v = std::round(static_cast<float>(random() % 20001) - 10000) / 16;
    values[n / 2] = missing;
    values[n / 3] = -0.f;
    Ints expected(n);
    std::iota(expected.begin(), expected.end(), 0);
    const auto less = [&](std::int32_t a, std::int32_t b) {
      const float x = values[static_cast<std::size_t>(a)], y = values[static_cast<std::size_t>(b)];
      return std::isnan(y) ? !std::isnan(x) : x < y;
    };
    std::stable_sort(expected.begin(), expected.end(), less);
    CAPTURE(n);
    CHECK(fx::argsort(fx::array(values)).to_vector<std::int32_t>() == expected);
    values[n / 2] = 1;
    Floats sorted = values;
    std::sort(sorted.begin(), sorted.end());
    CHECK(fx::sort(fx::array(values)).to_vector<float>() == sorted);
    std::vector<double> wide(values.begin(), values.end());
    std::vector<double> wide_sorted = wide;
    std::sort(wide_sorted.begin(), wide_sorted.end(), std::greater<>());
    CHECK(fx::sort(fx::array(wide), -1, true).to_vector<double>() == wide_sorted);
    std::vector<std::int64_t> whole(n);
    for (auto& v : whole) v = static_cast<std::int64_t>(random()) * (random() % 2 ? 1 : -1) << 20;
    std::vector<std::int64_t> whole_sorted = whole;
    std::sort(whole_sorted.begin(), whole_sorted.end());
    CHECK(fx::sort(fx::array(whole)).to_vector<std::int64_t>() == whole_sorted);
  }
}

TEST_CASE("several operands are sorted together, along any axis") {
  const auto sorted = lax::sort(
      {fx::array({2, 1, 2, 1}), fx::array({5, 4, 3, 9}), fx::array({10.f, 20.f, 30.f, 40.f})},
      0,
      2);
  CHECK(sorted[0].to_vector<int>() == Ints{1, 1, 2, 2});
  CHECK(sorted[1].to_vector<int>() == Ints{4, 9, 3, 5});
  CHECK(sorted[2].to_vector<float>() == Floats{20, 40, 30, 10});
  const Array x = fx::array({{3.f, 1.f}, {2.f, 5.f}, {9.f, 0.f}});
  CHECK(fx::sort(x, 0).to_vector<float>() == Floats{2, 0, 3, 1, 9, 5});
  CHECK(fx::sort(x, {}).to_vector<float>() == Floats{0, 1, 2, 3, 5, 9});
  CHECK(fx::lexsort({fx::array({1, 5, 1, 4}), fx::array({9, 4, 0, 4})}).to_vector<std::int32_t>() ==
        Ints{2, 3, 1, 0});
  CHECK(refusal([] {
          lax::sort({fx::zeros({2}), fx::zeros({3})});
        }).find("error[sort]: sort: the operands' shapes differ, [2] and [3]") !=
        std::string::npos);
}

TEST_CASE("derivatives move as the elements do") {
  const Array x = fx::array({3.0, 1.0, 2.0}), w = fx::array({10.0, 20.0, 30.0});
  const Array g = fx::grad([&](Array v) { return fx::sum(fx::sort(v) * w); })(x);
  CHECK(g.to_vector<double>() == std::vector<double>{30, 10, 20});
  const auto top = lax::top_k(fx::array({{4.f, 9.f, 9.f, 1.f}}), 2);
  CHECK(top.values.to_vector<float>() == Floats{9, 9});
  CHECK(top.indices.to_vector<std::int32_t>() == Ints{1, 2});
}

TEST_CASE("searching and quantiles as in NumPy") {
  const Array sorted = fx::array({1.f, 2.f, 2.f, 3.f, missing});
  const Array values = fx::array({0.f, 2.f, 2.5f, 3.f, 9.f, missing});
  CHECK(fx::searchsorted(sorted, values).to_vector<std::int32_t>() == Ints{0, 1, 3, 3, 4, 4});
  CHECK(fx::searchsorted(sorted, values, fx::Side::right).to_vector<std::int32_t>() ==
        Ints{0, 3, 3, 4, 4, 5});
  const Array x = fx::array({{10.f, 7.f, 4.f}, {3.f, 2.f, 1.f}});
  CHECK(fx::median(x).item<float>() == 3.5f);
  CHECK(fx::median(x, 0).to_vector<float>() == Floats{6.5f, 4.5f, 2.5f});
  CHECK(fx::quantile(x, 0.25).item<float>() == 2.25f);
  CHECK(fx::percentile(x, 90, 1).to_vector<float>()[1] == Approx(2.8));
  CHECK(fx::quantile(x, fx::array({0.f, 1.f}), 1).to_vector<float>() == Floats{4, 1, 10, 3});
  CHECK(fx::quantile(x, 0.4, {}, fx::Interpolation::lower).item<float>() == 3);
  CHECK(fx::quantile(x, 0.5, {}, fx::Interpolation::higher).item<float>() == 4);
  CHECK(std::isnan(fx::median(fx::array({1.f, missing, 2.f})).item<float>()));
}

TEST_CASE("running combinations along an axis") {
  const Array x = fx::array({{1.f, 3.f, 2.f}, {4.f, 0.f, 5.f}});
  CHECK(fx::cumsum(x, 1).to_vector<float>() == Floats{1, 4, 6, 4, 4, 9});
  CHECK(fx::cumsum(x, 0, true).to_vector<float>() == Floats{5, 3, 7, 4, 0, 5});
  CHECK(fx::cumprod(x).to_vector<float>() == Floats{1, 3, 6, 24, 0, 0});
  CHECK(fx::cummax(x, 1).to_vector<float>() == Floats{1, 3, 3, 4, 4, 5});
  CHECK(fx::cummin(x, 1, true).to_vector<float>() == Floats{1, 2, 2, 0, 0, 5});
  // The derivative of a product with a zero in it.
  const Array g =
      fx::grad([](Array v) { return fx::sum(fx::cumprod(v)); })(fx::array({2.0, 0.0, 3.0}));
  CHECK(g.to_vector<double>() == std::vector<double>{1, 2 + 6, 0});
  const Array logs = fx::cumlogsumexp(fx::array({-infinity, 0.f, 0.f, -1000.f, infinity, 2.f}));
  const Floats got = logs.to_vector<float>();
  CHECK(got[0] == -infinity);
  CHECK(got[1] == 0);
  CHECK(got[2] == Approx(std::log(2)));
  CHECK(got[3] == Approx(std::log(2)));
  CHECK(got[4] == infinity);
  CHECK(got[5] == infinity);
}

TEST_CASE("reduce_precision rounds as IEEE 754 formats do") {
  const Floats x = {
      1.0f + 0x1p-11f, 1.0f + 3 * 0x1p-11f, 70000.f, 1e-8f, -1e-8f, infinity, missing};
  const Floats y = lax::reduce_precision(fx::array(x), 5, 10).to_vector<float>();
  CHECK(y[0] == 1);                    // a tie goes to the even mantissa
  CHECK(y[1] == 1.0f + 2 * 0x1p-10f);  // and so does this one, up
  CHECK(y[2] == infinity);             // beyond float16
  CHECK(y[3] == 0);
  CHECK((y[4] == 0 && std::signbit(y[4])));
  CHECK(y[5] == infinity);
  CHECK(std::isnan(y[6]));
  CHECK(lax::reduce_precision(fx::array({3.14159}), 8, 7).item<double>() == 3.140625);
}

TEST_CASE("derivatives of scatter-mul see zeros, up to the third") {
  // x u0 u1 u2 u3, all at one place.
  const lax::ScatterDimensions at{.inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}};
  const Array indices = fx::zeros({4, 1}, fx::int32);
  auto f = [&](Array u) { return fx::sum(lax::scatter_mul(fx::array({2.0}), indices, u, at)); };
  for (const std::vector<double>& u : {std::vector<double>{0, 3, 0.5, 7},
                                       {2, 3, 4, 5},
                                       {0, 0, 5, 3},
                                       {0, 0, 0, 3},
                                       {0, 0, 0, 0}}) {
    const auto rest = [&](std::set<std::size_t> chosen, std::size_t count) {
      double all = chosen.size() == count ? 2 : 0;
      for (std::size_t k = 0; k < u.size(); ++k)
        if (!chosen.contains(k)) all *= u[k];
      return all;
    };
    const std::vector<double> g = fx::grad(f)(fx::array(u)).to_vector<double>();
    const std::vector<double> h = fx::hessian(f)(fx::array(u)).to_vector<double>();
    const std::vector<double> third = fx::jacfwd(fx::hessian(f))(fx::array(u)).to_vector<double>();
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(g[i] == rest({i}, 1));
      for (std::size_t j = 0; j < 4; ++j) {
        CHECK(h[4 * i + j] == Approx(rest({i, j}, 2)).margin(1e-12));
        for (std::size_t k = 0; k < 4; ++k)
          CHECK(third[16 * i + 4 * j + k] == Approx(rest({i, j, k}, 3)).margin(1e-12));
      }
    }
  }
}
