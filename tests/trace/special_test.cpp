// Special functions against values by mpmath, and their behaviour at the ends.
#include "tests/data/special_vectors.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <fluxion/fluxion.hpp>
#include <functional>
#include <limits>
#include <map>
#include <string>

namespace fx = fluxion;
namespace special = fluxion::special;
using fx::Array;

namespace {

using Function = std::function<Array(const Array&, const Array&, const Array&)>;

template <class F> Function of_one(F f) {
  return [f](const Array& x, const Array&, const Array&) { return f(x); };
}
template <class F> Function of_two(F f) {
  return [f](const Array& x, const Array& y, const Array&) { return f(x, y); };
}

/// Each function, and the relative error that its values may have (absolute below 1).
struct Measured {
  Function function;
  double bar;
};
const std::map<std::string, Measured>& functions() {
  static const std::map<std::string, Measured> all = {
      {"gammaln", {of_one(special::gammaln), 1e-14}},
      {"gamma", {of_one(special::gamma), 1e-13}},
      {"digamma", {of_one(special::digamma), 1e-14}},
      {"polygamma", {of_two(special::polygamma), 1e-13}},
      {"zeta", {of_two([](const Array& x, const Array& q) { return special::zeta(x, q); }), 1e-13}},
      {"betaln", {of_two(special::betaln), 1e-13}},
      {"multigammaln",
       {[](const Array& a, const Array& d, const Array&) {
          return special::multigammaln(a, static_cast<int>(d.item<double>()));
        },
        1e-14}},
      {"gammainc", {of_two(special::gammainc), 1e-13}},
      {"gammaincc", {of_two(special::gammaincc), 1e-13}},
      {"gammainc_grad_a",
       {of_two([](const Array& a, const Array& x) {
          return fx::grad([&](Array t) { return special::gammainc(t, x); })(a);
        }),
        1e-12}},
      {"betainc", {special::betainc, 1e-12}},
      {"betainc_grad_a",
       {[](const Array& a, const Array& b, const Array& x) {
          return fx::grad([&](Array t) { return special::betainc(t, b, x); })(a);
        },
        1e-12}},
      {"betainc_grad_b",
       {[](const Array& a, const Array& b, const Array& x) {
          return fx::grad([&](Array t) { return special::betainc(a, t, x); })(b);
        },
        1e-12}},
      {"i0", {of_one(special::i0), 1e-14}},
      {"i0e", {of_one(special::i0e), 1e-14}},
      {"i1", {of_one(special::i1), 1e-14}},
      {"i1e", {of_one(special::i1e), 1e-14}},
      {"ndtr", {of_one(special::ndtr), 1e-14}},
      {"log_ndtr", {of_one(special::log_ndtr), 1e-13}},
      {"ndtri", {of_one(special::ndtri), 1e-14}},
      {"entr", {of_one(special::entr), 1e-14}},
  };
  return all;
}

double number(const Array& a) { return a.item<double>(); }

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("special functions have the published values") {
  for (const auto& v : fluxion::test::special_vectors) {
    const Measured& m = functions().at(v.name);
    const double got = number(m.function(v.x[0], v.x[1], v.x[2]));
    // Small values of functions that are differences from 1 are as exact as others.
    const bool near_root = std::string(v.name) == "gammaln" || std::string(v.name) == "digamma";
    const double size = near_root ? std::max(1.0, std::abs(v.value)) : std::abs(v.value);
    INFO(v.name << "(" << v.x[0] << ", " << v.x[1] << ", " << v.x[2] << ") = " << v.value
                << ", not " << got);
    CHECK(std::abs(got - v.value) <= m.bar * size);
    if (std::string(v.name) == "multigammaln" || v.x[0] != static_cast<float>(v.x[0])) continue;
    if (std::abs(v.value) < 1e-37 || std::abs(v.value) > 1e38 ||
        v.x[2] != static_cast<float>(v.x[2]))
      continue;
    const Array single = m.function(
        static_cast<float>(v.x[0]), static_cast<float>(v.x[1]), static_cast<float>(v.x[2]));
    INFO("float32: " << single.item<float>());
    CHECK(std::abs(single.item<float>() - v.value) <= 4e-6 * size);
  }
}

TEST_CASE("known numbers appear to ten digits") {
  const double pi = 3.141592653589793, catalan = 0.915965594177219;
  CHECK(number(special::gamma(0.5)) == Approx(std::sqrt(pi)).epsilon(1e-13));
  CHECK(number(special::digamma(1.0)) == Approx(-0.5772156649015329).epsilon(1e-14));
  CHECK(number(special::polygamma(1, 1.0)) == Approx(pi * pi / 6).epsilon(1e-14));
  CHECK(number(special::polygamma(1, 0.25)) == Approx(pi * pi + 8 * catalan).epsilon(1e-13));
  CHECK(number(special::zeta(3.0)) == Approx(1.2020569031595942).epsilon(1e-14));
  CHECK(number(special::gammainc(0.5, 1.0)) == Approx(0.8427007929497149).epsilon(1e-14));
  CHECK(number(special::betainc(2.0, 3.0, 0.5)) == Approx(0.6875).epsilon(1e-14));
  CHECK(number(special::factorial(20.0)) == Approx(2432902008176640000.0).epsilon(1e-12));
  CHECK(number(special::ndtri(0.975)) == Approx(1.959963984540054).epsilon(1e-13));
}

TEST_CASE("derivatives of the gamma family are each other") {
  auto slope = [](auto f, double x) { return number(fx::grad(f)(Array(x))); };
  CHECK(slope(special::gammaln, 2.5) == Approx(number(special::digamma(2.5))).epsilon(1e-14));
  CHECK(slope(special::digamma, 2.5) == Approx(number(special::polygamma(1, 2.5))).epsilon(1e-14));
  auto trigamma = [](Array x) { return special::polygamma(1, x); };
  CHECK(slope(trigamma, 2.5) == Approx(number(special::polygamma(2, 2.5))).epsilon(1e-13));
  CHECK(slope(special::i0, 1.5) == Approx(number(special::i1(1.5))).epsilon(1e-13));
  CHECK(slope(special::ndtr, 0.5) == Approx(0.3520653267642995).epsilon(1e-13));
  CHECK(slope(special::ndtri, 0.975) == Approx(1 / 0.05844506980530155).epsilon(1e-8));
}

TEST_CASE("special functions at the ends of their domains") {
  CHECK(number(special::gammaln(0.0)) == infinity);
  CHECK(number(special::gammaln(-3.0)) == infinity);
  CHECK(std::isnan(number(special::gamma(-3.0))));
  CHECK(std::isnan(number(special::digamma(-3.0))));
  CHECK(number(special::factorial(-1.0)) == 0);
  CHECK(number(special::zeta(1.0)) == infinity);
  CHECK(std::isnan(number(special::zeta(0.5))));
  CHECK(number(special::gammainc(2.0, 0.0)) == 0);
  CHECK(number(special::gammaincc(2.0, 0.0)) == 1);
  CHECK(number(special::gammainc(2.0, infinity)) == 1);
  CHECK(std::isnan(number(special::gammainc(-1.0, 2.0))));
  CHECK(number(special::betainc(2.0, 3.0, 0.0)) == 0);
  CHECK(number(special::betainc(2.0, 3.0, 1.0)) == 1);
  CHECK(std::isnan(number(special::betainc(2.0, 3.0, 1.5))));
  CHECK(number(special::entr(0.0)) == 0);
  CHECK(number(special::entr(-1.0)) == -infinity);
  CHECK(number(special::ndtri(0.0)) == -infinity);
  CHECK(number(special::ndtri(1.0)) == infinity);
  CHECK(number(special::i0e(infinity)) == 0);
  CHECK(number(special::log_ndtr(-infinity)) == -infinity);
}

TEST_CASE("a derivative that has no closed form is refused by name") {
  auto f = [](Array a) { return special::gammainc(a, 2.0); };
  std::string text;
  try {
    number(fx::grad(fx::grad(f))(Array(1.5)));
  } catch (const fx::Error& e) {
    text = e.what();
  }
  CHECK(text.find("error[no-derivative]: igamma_grad_a: its derivative with respect to argument 0 "
                  "is not known in closed form") == 0);
}
