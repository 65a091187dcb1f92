// The accuracy of the vector math, measured against MPFR and the C library.
#include "tests/codegen/math_functions.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <cstdio>
#include <fmt/format.h>

namespace {

/// Prints a row of the table and holds it against the bar.
void report(
    const MathFunction& f, const char* type, const Worst& worst, double bar, std::size_t count) {
  std::string place = fmt::format("{:a}", worst.first);
  if (f.arguments == 2) place += fmt::format(", {:a}", worst.second);
  fmt::print("{:<10} {} {:9} arguments: at most {:.3f} ulp, at {}\n",
             f.name,
             type,
             count,
             worst.units,
             place);
  std::fflush(stdout);
  INFO(f.name << " " << type << " at " << place);
  CHECK(worst.units <= bar);
}

constexpr std::size_t single_count = 1'100'000, double_count = 210'000;

}  // namespace

TEST_CASE("every formula is within its bar in float32") {
  auto index = GENERATE(range(std::size_t{0}, math_functions().size()));
  const MathFunction& f = math_functions()[index];
  const std::size_t count = f.costly_reference ? single_count / 20 : single_count;
  auto arguments = samples<float>(f, count);
  Worst worst;
  for (std::size_t k = 0; k < count; ++k) {
    float x = arguments.first[k], y = arguments.second[k];
    worst.look(units_off(f.single(x, y), f.reference(x, y)), x, y);
  }
  report(f, "float32", worst, f.single_bar, count);
}

TEST_CASE("the C library's float64 functions are a reference for float32") {
  auto index = GENERATE(range(std::size_t{0}, math_functions().size()));
  const MathFunction& f = math_functions()[index];
  auto arguments = samples<float>(f, 20'000);
  Truth truth;
  double worst = 0;
  for (std::size_t k = 0; k < arguments.first.size(); ++k) {
    double x = arguments.first[k], y = arguments.second[k];
    worst = std::max(worst, units_off(f, f.reference(x, y), x, truth(f, x, y)));
  }
  INFO(f.name);
  CHECK(worst < 1000);  // units of float64: two millionths of one of float32
}

TEST_CASE("every formula is within its bar in float64") {
  auto index = GENERATE(range(std::size_t{0}, math_functions().size()));
  const MathFunction& f = math_functions()[index];
  const std::size_t count = f.costly_reference ? double_count / 4 : double_count;
  auto arguments = samples<double>(f, count);
  Truth truth;
  Worst worst;
  for (std::size_t k = 0; k < count; ++k) {
    double x = arguments.first[k], y = arguments.second[k];
    worst.look(units_off(f, f.real(x, y), x, truth(f, x, y)), x, y);
  }
  report(f, "float64", worst, f.double_bar, count);
}

TEST_CASE("special arguments give what C's <math.h> gives") {
  const double values[] = {0.0,       -0.0, 1,     -1,     2,    -2,    3,
                           -3,        0.5,  -0.5,  2.5,    1e30, -1e30, INFINITY,
                           -INFINITY, NAN,  1e-40, -1e-40, 100,  -100,  1e-300};
  auto same = [](double got, double wanted) {
    if (std::isnan(wanted)) return std::isnan(got);
    bool special = wanted == 0 || std::isinf(wanted);
    return special ? got == wanted && std::signbit(got) == std::signbit(wanted)
                   : std::fabs(got - wanted) <= 1e-6 * std::fabs(wanted);
  };
  for (const MathFunction& f : math_functions()) {
    for (double x : values) {
      for (double y : values) {
        INFO(f.name << " " << x << " " << y);
        double wanted = f.reference(x, y);
        CHECK(same(f.real(x, y), wanted));
        auto x32 = static_cast<float>(x), y32 = static_cast<float>(y);
        CHECK(units_off(f.single(x32, y32), f.reference(x32, y32)) <= f.single_bar);
      }
    }
  }
}

TEST_CASE("a measure of units in the last place measures them") {
  CHECK(units_off(1.0f, 1.0) == 0);
  CHECK(units_off(1.0f, 1.0 + 0x1p-23) == 1);
  CHECK(units_off(0.0f, 0x1p-149) == 1);
  CHECK(std::isinf(units_off(0.0f, -0.0)));
  CHECK(std::isinf(units_off(INFINITY, 1e30)));
  CHECK(units_off(INFINITY, 0x1p128) == 0);
  CHECK(std::isinf(units_off(1.0f, NAN)));
  mpfr_t one;
  mpfr_init2(one, 160);
  mpfr_set_d(one, 1, MPFR_RNDN);
  CHECK(units_off(1.0, one) == 0);
  CHECK(units_off(1.0 + 0x1p-52, one) == 1);
  CHECK(std::isinf(units_off(-0.0, one)));
  mpfr_clear(one);
}
