// Elementwise functions: values against 50-digit arithmetic, dtypes, derivatives where formulas are
// delicate.
#include "tests/data/composed_vectors.hpp"
#include "tests/support/values.hpp"

#include <limits>
#include <numbers>

namespace fx = fluxion;
namespace exact = fluxion::test::exact;
using namespace fluxion::test;
using fx::Array;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();

using Unary = Array (*)(const fx::Operand&);
using Binary = Array (*)(const fx::Operand&, const fx::Operand&);

template <class T> double ulps(double got, double expected) {
  if (std::isnan(expected)) return std::isnan(got) ? 0 : INFINITY;
  const T rounded = static_cast<T>(expected);
  if (std::isinf(rounded)) return got == rounded ? 0 : INFINITY;
  const T unit = std::max(
      std::nextafter(std::abs(rounded), std::numeric_limits<T>::infinity()) - std::abs(rounded),
      std::numeric_limits<T>::min());
  return std::abs(got - expected) / unit;
}

template <class T> void check_value(const Array& got, double expected, double limit) {
  const double value = got.item<T>();
  INFO(value << ", expected " << expected);
  CHECK(ulps<T>(value, expected) <= limit);
}

/// Each row in float64 and, where the arguments are such, in float32.
template <std::size_t N>
void check_unary(const char* name, const double (&rows)[N][2], Unary f, double limit) {
  for (const auto& [x, y] : rows) {
    INFO(name << "(" << x << ")");
    check_value<double>(f(x), y, limit);
    const auto narrow = static_cast<float>(x);
    if (narrow == x) check_value<float>(f(narrow), y, limit);
  }
}
template <std::size_t N>
void check_binary(const char* name, const double (&rows)[N][3], Binary f, double limit) {
  for (const auto& [x, y, z] : rows) {
    INFO(name << "(" << x << ", " << y << ")");
    check_value<double>(f(Array(x), Array(y)), z, limit);
    const auto a = static_cast<float>(x), b = static_cast<float>(y);
    if (a == x && b == y) check_value<float>(f(Array(a), Array(b)), z, limit);
  }
}

double derivative(Unary f, double x) { return fx::grad(f)(x).item<double>(); }
double second_derivative(Unary f, double x) { return fx::grad(fx::grad(f))(x).item<double>(); }

}  // namespace

TEST_CASE("powers, logarithms and roots have the right digits") {
  check_unary("exp2", exact::exp2, fx::exp2, 4);
  check_unary("log2", exact::log2, fx::log2, 4);
  check_unary("log10", exact::log10, fx::log10, 4);
  check_unary("cbrt", exact::cbrt, fx::cbrt, 3);
}

TEST_CASE("inverse trigonometric functions have the right digits") {
  check_unary("asin", exact::asin, fx::asin, 4);
  check_unary("acos", exact::acos, fx::acos, 4);
  check_unary("atan", exact::atan, fx::atan, 4);
}

TEST_CASE("hyperbolic functions and their inverses have the right digits") {
  check_unary("sinh", exact::sinh, fx::sinh, 6);
  check_unary("cosh", exact::cosh, fx::cosh, 6);
  check_unary("asinh", exact::asinh, fx::asinh, 6);
  check_unary("acosh", exact::acosh, fx::acosh, 6);
  check_unary("atanh", exact::atanh, fx::atanh, 6);
}

TEST_CASE("special functions have the right digits") {
  check_unary("sinc", exact::sinc, fx::sinc, 16);
  check_unary("erf_inv", exact::erf_inv, fx::erf_inv, 8);
  check_unary("radians", exact::radians, fx::radians, 2);
  check_unary("degrees", exact::degrees, fx::degrees, 2);
  for (const auto& [x, y] : exact::logit)
    CHECK(std::abs(fx::logit(x).item<double>() - y) <= 1e-14 * (1 + std::abs(y)));
}

TEST_CASE("activations have the right digits") {
  check_unary("softplus", exact::softplus, fx::softplus, 4);
  check_unary("log_sigmoid", exact::log_sigmoid, fx::log_sigmoid, 4);
  check_unary("silu", exact::silu, fx::silu, 4);
  check_unary("soft_sign", exact::soft_sign, fx::soft_sign, 3);
  check_unary("mish", exact::mish, fx::mish, 8);
  check_unary("selu", exact::selu, fx::selu, 5);
  for (const auto& [x, y] : exact::elu)
    CHECK(ulps<double>(fx::elu(Array(x)).item<double>(), y) <= 3);
  // where x Phi(x) is all but 0 its digits are lost with those of 1 + tanh
  for (const auto& [x, y] : exact::gelu)
    CHECK(std::abs(fx::gelu(x).item<double>() - y) <= 1e-15 * (1 + std::abs(y)));
  for (const auto& [x, y] : exact::gelu_exact)
    CHECK(std::abs(fx::gelu_exact(x).item<double>() - y) <= 1e-15 * (1 + std::abs(y)));
}

TEST_CASE("functions of two numbers have the right digits") {
  check_binary("hypot", exact::hypot, fx::hypot, 3);
  check_binary("logaddexp", exact::logaddexp, fx::logaddexp, 4);
  check_binary("logaddexp2", exact::logaddexp2, fx::logaddexp2, 6);
  check_binary("remainder", exact::remainder, fx::remainder, 0);
  check_binary("floor_divide", exact::floor_divide, fx::floor_divide, 0);
  check_binary("fmod", exact::fmod, fx::fmod, 0);
  check_binary("atan2", exact::atan2, fx::atan2, 3);
  check_binary("xlogy", exact::xlogy, fx::xlogy, 4);
  check_binary("xlog1py", exact::xlog1py, fx::xlog1py, 4);
}

TEST_CASE("at the ends of their ranges functions give infinities and NaN") {
  check_array(fx::sinh(fx::array({inf, -inf, 800.})), {3}, {inf, -inf, inf});
  check_array(fx::cosh(fx::array({inf, -inf, -800.})), {3}, {inf, inf, inf});
  check_array(fx::asinh(fx::array({inf, -inf})), {2}, {inf, -inf});
  check_array(fx::acosh(fx::array({0.5, -3., inf})), {3}, {not_a_number, not_a_number, inf});
  check_array(fx::atanh(fx::array({1., -1., 1.5})), {3}, {inf, -inf, not_a_number});
  check_array(fx::asin(fx::array({1.5})), {1}, {not_a_number});
  check_array(fx::cbrt(fx::array({inf, -inf, 0., -0.})), {4}, {inf, -inf, 0, 0});
  check_array(fx::erf_inv(fx::array({1., -1., 1.5})), {3}, {inf, -inf, not_a_number});
  check_array(
      fx::logaddexp(fx::array({inf, -inf, -inf}), fx::array({inf, -inf, 1.})), {3}, {inf, -inf, 1});
  check_array(fx::hypot(fx::array({inf, 3.}), fx::array({not_a_number, not_a_number})),
              {2},
              {inf, not_a_number});
  check_array(fx::log2(fx::array({0., -1.})), {2}, {-inf, not_a_number});
}

TEST_CASE("rounding goes where it says, and integers stay") {
  const Array x = fx::array({-2.5, -0.5, 0.5, 1.5, 2.5, 2.6});
  check_array(fx::floor(x), {6}, {-3, -1, 0, 1, 2, 2});
  check_array(fx::ceil(x), {6}, {-2, 0, 1, 2, 3, 3});
  check_array(fx::trunc(x), {6}, {-2, 0, 0, 1, 2, 2});
  check_array(fx::round(x), {6}, {-2, 0, 0, 2, 2, 3});
  CHECK(fx::round(fx::array({3, 4})).dtype() == fx::int32);
}

TEST_CASE("division comes in four kinds") {
  const Array x = fx::array({7, -7, 7, -7}), y = fx::array({2, 2, -2, -2});
  check_array(x / y, {4}, {3, -3, -3, 3});
  check_array(x % y, {4}, {1, -1, 1, -1});
  check_array(fx::floor_divide(x, y), {4}, {3, -4, -4, 3});
  check_array(fx::remainder(x, y), {4}, {1, 1, -1, -1});
  check_array(fx::true_divide(x, y), {4}, {3.5, -3.5, -3.5, 3.5});
  CHECK(fx::true_divide(x, y).dtype() == fx::float32);
  check_array(fx::floor_divide(fx::array({-7.5}), 2), {1}, {-4});
  check_array(fx::array({-7.5f}) % 2, {1}, {-1.5});
}

TEST_CASE("bare whole exponents multiply") {
  const Array x = fx::array({-3., 0., 1.5});
  check_array(fx::power(x, 2), {3}, {9, 0, 2.25});
  check_array(fx::power(x, 5), {3}, {-243, 0, 7.59375});
  check_array(fx::power(x, 0), {3}, {1, 1, 1});
  check_array(fx::power(x, 3.0), {3}, {-27, 0, 3.375});
  check_array(fx::power(fx::array({-2., 4.}), -2), {2}, {0.25, 0.0625});
  check_array(fx::power(fx::array({-3, 2}), 3), {2}, {-27, 8});
  check_array(fx::power(2, fx::array({0, 1, 10})), {3}, {1, 2, 1024});
  check_array(fx::power(fx::array({4., 9.}), 0.5), {2}, {2, 3});
  CHECK(fx::grad([](Array v) { return fx::power(v, 2); })(-3.0).item<double>() == -6);
  CHECK(fx::grad([](Array v) { return fx::power(v, 3); })(0.0).item<double>() == 0);
  CHECK(refusal([] { fx::power(fx::array({2, 3}), -1); }) ==
        "error[dtype]: power: i32[2] to the power -1 is no integer\n  = hint: convert first: "
        "x.astype(fx::float32)");
}

TEST_CASE("NaN wins in minimum and maximum, loses in fmin and fmax") {
  const Array x = fx::array({1., not_a_number, not_a_number}),
              y = fx::array({2., 3., not_a_number});
  check_array(fx::maximum(x, y), {3}, {2, not_a_number, not_a_number});
  check_array(fx::minimum(x, y), {3}, {1, not_a_number, not_a_number});
  check_array(fx::fmax(x, y), {3}, {2, 3, not_a_number});
  check_array(fx::fmin(x, y), {3}, {1, 3, not_a_number});
}

TEST_CASE("questions about numbers are answered in bools") {
  const Array x = fx::array({not_a_number, inf, -inf, -0., 3.});
  check_array(fx::isnan(x), {5}, {1, 0, 0, 0, 0});
  check_array(fx::isinf(x), {5}, {0, 1, 1, 0, 0});
  check_array(fx::isfinite(x), {5}, {0, 0, 0, 1, 1});
  check_array(fx::isposinf(x), {5}, {0, 1, 0, 0, 0});
  check_array(fx::isneginf(x), {5}, {0, 0, 1, 0, 0});
  check_array(fx::signbit(x)[fx::slice(1, {})], {4}, {0, 1, 1, 0});
  check_array(fx::isnan(fx::array({1, 2})), {2}, {0, 0});
  check_array(fx::isfinite(fx::array({1, 2})), {2}, {1, 1});
  CHECK(fx::isnan(x).dtype() == fx::bool_);
  check_array(fx::nan_to_num(x.astype(fx::float32)),
              {5},
              {0, std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), 0, 3});
  check_array(fx::isclose(fx::array({1., inf, 1., not_a_number}),
                          fx::array({1. + 1e-9, inf, inf, not_a_number})),
              {4},
              {1, 1, 0, 0});
  CHECK(fx::allclose(fx::ones({3}), 1).item<bool>());
  CHECK_FALSE(fx::array_equal(fx::ones({3}), fx::ones({4})).item<bool>());
  CHECK(fx::array_equal(fx::ones({3}), fx::ones({3})).item<bool>());
}

TEST_CASE("logic asks for truth, bit operations for bits") {
  const Array a = fx::array({0., 2.}), b = fx::array({1, 1}), t = fx::array({true, false});
  check_array(fx::logical_and(a, b), {2}, {0, 1});
  check_array(fx::logical_or(a, t), {2}, {1, 1});
  check_array(fx::logical_xor(b, t), {2}, {0, 1});
  check_array(!a, {2}, {1, 0});
  check_array(~t, {2}, {0, 1});
  check_array(~b, {2}, {-2, -2});
  check_array((b << 3) | 1, {2}, {9, 9});
  check_array(fx::array({-8, 8}) >> 1, {2}, {-4, 4});
  check_array(fx::array({0xFFFFFFF0u}) >> 4, {1}, {0x0FFFFFFF});
  CHECK(fx::lax::shift_right_logical(fx::array({-1}), 28).item<int>() == 15);
  CHECK(refusal([&] { a & b; }) ==
        "error[dtype]: &: bits of f64 are asked for; it takes integers or bools\n  = hint: convert "
        "first: x.astype(fx::int32), or compare: x != 0");
  CHECK(refusal([&] { a << 1; }) ==
        "error[dtype]: <<: f64 has no bits to shift; it takes integers\n  = hint: convert first: "
        "x.astype(fx::int32)");
}

TEST_CASE("two arrays meet in the wider type, bare numbers follow") {
  using enum fx::DType;
  const auto met = [](fx::DType a, fx::DType b) {
    const fx::DType d = (fx::ones({2}, a) + fx::ones({2}, b)).dtype();
    CHECK((fx::ones({2}, b) + fx::ones({2}, a)).dtype() == d);
    return d;
  };
  CHECK(met(float32, float64) == float64);
  CHECK(met(float16, bfloat16) == float32);
  CHECK(met(float16, float32) == float32);
  CHECK(met(int64, float32) == float32);
  CHECK(met(int64, float16) == float16);
  CHECK(met(int32, int64) == int64);
  CHECK(met(int8, int16) == int16);
  CHECK(met(uint8, int8) == int32);
  CHECK(met(uint8, int16) == int16);
  CHECK(met(uint16, int8) == int32);
  CHECK(met(uint32, int32) == uint32);
  CHECK(met(uint32, int64) == int64);
  CHECK(met(uint64, int64) == uint64);
  CHECK(met(bool_, uint8) == uint8);
  CHECK(met(bool_, bool_) == int32);
  const Array f = fx::ones({2}), h = fx::ones({2}, float16), i = fx::ones({2}, int32),
              n = fx::ones({2}, int8), t = fx::array({true, false});
  CHECK((f + 1.0).dtype() == float32);
  CHECK((h * 2.5).dtype() == float16);
  CHECK((n + 100).dtype() == int8);
  CHECK((i * 0.5).dtype() == float32);
  CHECK((t + 1).dtype() == int32);
  CHECK((t + 1.5).dtype() == float32);
  CHECK((f + Array(1.0)).dtype() == float64);
  CHECK(fx::exp(i).dtype() == float32);
  CHECK(fx::exp(1.0).dtype() == float64);
  CHECK(fx::maximum(1, 2.5).dtype() == float64);
  CHECK((f > 0).dtype() == bool_);
  CHECK(fx::where(t, f, 0).dtype() == float32);
  CHECK(fx::sum(n).dtype() == int32);
  CHECK(fx::sum(t).dtype() == int32);
  CHECK(fx::mean(i).dtype() == float32);
  CHECK(refusal([&] { n + 300; }) ==
        "error[dtype]: add: the number 300 does not fit i8, the dtype of the array it meets\n  = "
        "hint: convert the array first: x.astype(fx::int64)");
  CHECK(refusal([&] {
          fx::ones({2}, uint8) - -1;
        }).find("error[dtype]: subtract: the number -1 does not fit u8") == 0);
  check_array(fx::ones({1}, uint64) * 18446744073709551615u, {1}, {18446744073709551615.0});
}

TEST_CASE("shapes broadcast as in NumPy, or are refused with both") {
  const Array a = fx::ones({2, 1, 3}), b = fx::ones({4, 1});
  CHECK((a + b).shape() == fx::Shape({2, 4, 3}));
  CHECK(fx::where(fx::array({true, false}), fx::ones({3, 1}), 0).shape() == fx::Shape({3, 2}));
  CHECK((fx::ones({0, 3}) + fx::ones({1, 3})).shape() == fx::Shape({0, 3}));
  CHECK(refusal([] { fx::ones({2, 3}) + fx::ones({4}); }) ==
        "error[broadcast]: add: the shapes [2,3] and [4] do not broadcast: axis -1 has 3 and 4\n  "
        "| x f32[2,3]\n  | y f32[4]\n"
        "  = hint: sizes are compared from the last axis, and must be equal or 1; fx::expand_dims "
        "puts in axes of size 1");
}

TEST_CASE("choice and bounds") {
  const Array x = fx::array({-2.f, 0.5f, static_cast<float>(not_a_number), 9.f});
  check_array(fx::clip(x, 0, 1), {4}, {0, 0.5, not_a_number, 1});
  check_array(fx::clip(x, fx::array({-3.f, 1.f, 0.f, 0.f}), 5), {4}, {-2, 1, not_a_number, 5});
  check_array(fx::where(x > 0, x, -x), {4}, {2, 0.5, not_a_number, 9});
  check_array(fx::where(fx::array({2, 0}), 1, 0), {2}, {1, 0});
  check_array(fx::copysign(fx::array({1., -2.}), fx::array({-0., 3.})), {2}, {-1, 2});
  check_array(fx::heaviside(fx::array({-1., 0., 2.}), 0.5), {3}, {0, 0.5, 1});
}

TEST_CASE("derivatives at delicate points are the right ones") {
  CHECK(derivative(fx::relu, 0.0) == 0);
  CHECK(derivative(fx::relu, 2.0) == 1);
  CHECK(derivative(fx::softplus, 0.0) == Approx(0.5));
  CHECK(derivative(fx::softplus, -800.0) == 0);
  CHECK(derivative(fx::abs, 0.0) == 0);
  CHECK(derivative(fx::sinh, 0.0) == 1);
  CHECK(derivative(fx::sinh, 709.5) == Approx(std::cosh(709.5)).epsilon(1e-12));
  CHECK(derivative(fx::cosh, 0.0) == 0);
  CHECK(derivative(fx::asinh, 0.0) == 1);
  CHECK(derivative(fx::asinh, 30000.0) == Approx(1 / std::sqrt(1 + 9e8)));
  CHECK(derivative(fx::acosh, 2.0) == Approx(1 / std::sqrt(3)));
  CHECK(derivative(fx::atanh, 0.0) == 1);
  CHECK(derivative(fx::atanh, -0.5) == Approx(1 / 0.75));
  CHECK(derivative(fx::asin, 0.5) == Approx(1 / std::sqrt(0.75)));
  CHECK(derivative(fx::acos, 0.5) == Approx(-1 / std::sqrt(0.75)));
  CHECK(derivative(fx::atan, 2.0) == Approx(0.2));
  CHECK(derivative(fx::exp2, 3.0) == Approx(8 * std::numbers::ln2));
  CHECK(derivative(fx::cbrt, -8.0) == Approx(1.0 / 12));
  CHECK(std::isinf(derivative(fx::cbrt, 0.0)));
  CHECK(derivative(fx::sinc, 0.0) == 0);
  CHECK(second_derivative(fx::sinc, 0.0) == Approx(-std::numbers::pi * std::numbers::pi / 3));
  CHECK(derivative(fx::erf_inv, 0.5) ==
        Approx(std::sqrt(std::numbers::pi) / 2 * std::exp(0.4769362762044699 * 0.4769362762044699))
            .epsilon(1e-10));
  CHECK(derivative(fx::gelu_exact, 0.0) == Approx(0.5));
  CHECK(derivative(fx::selu, -1.0) ==
        Approx(1.0507009873554805 * 1.6732632423543772 * std::exp(-1.0)));
  CHECK(fx::grad([](Array x) { return fx::xlogy(x, 3.0); })(0.0).item<double>() ==
        Approx(std::log(3.0)));
  CHECK(fx::grad([](Array x) { return fx::logaddexp(x, 2.0); })(2.0).item<double>() == Approx(0.5));
  CHECK(fx::grad([](Array x) { return fx::hypot(x, 4.0); })(3.0).item<double>() == Approx(0.6));
}
