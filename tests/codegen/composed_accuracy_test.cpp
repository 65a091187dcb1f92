// The accuracy of composed functions of one real number, as users call them.
#include "fluxion/fluxion.hpp"
#include "tests/codegen/math_functions.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <random>

namespace fx = fluxion;
using fx::Array;

namespace {

struct Composed {
  std::string name;
  Array (*function)(const fx::Operand&);
  int (*exact)(mpfr_t, mpfr_srcptr, mpfr_rnd_t);
  double low, high;
  double bar = 3;  // in units in the last place
};

int exp2_rounded(mpfr_t y, mpfr_srcptr x, mpfr_rnd_t r) { return mpfr_exp2(y, x, r); }

const Composed functions[] = {
    {"exp2", fx::exp2, exp2_rounded, -100, 100},
    {"log2", fx::log2, mpfr_log2, 0, 10},
    {"log10", fx::log10, mpfr_log10, 0, 10},
    {"cbrt", fx::cbrt, mpfr_cbrt, -10, 10},
    {"sinh", fx::sinh, mpfr_sinh, -5, 5},
    {"cosh", fx::cosh, mpfr_cosh, -5, 5},
    {"asinh", fx::asinh, mpfr_asinh, -10, 10},
    {"acosh", fx::acosh, mpfr_acosh, 1, 10},
    {"atanh", fx::atanh, mpfr_atanh, -1, 1},
    {"asin", fx::asin, mpfr_asin, -1, 1},
    {"acos", fx::acos, mpfr_acos, -1, 1},
    {"atan", fx::atan, mpfr_atan, -10, 10},
    {"tan", fx::tan, mpfr_tan, -10, 10},
};

template <class T> std::vector<T> arguments(const Composed& f, std::size_t count) {
  std::mt19937_64 random(11);
  std::vector<T> x;
  for (std::size_t k = 0; k < count; ++k) {
    const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
    const double wide = std::ldexp(1 + unit, static_cast<int>(random() % 120) - 60);
    const double v = k % 3 ? f.low + (f.high - f.low) * unit : random() % 2 ? wide : -wide;
    x.push_back(static_cast<T>(v));
  }
  return x;
}

template <class T> double worst(const Composed& f) {
  const std::vector<T> x = arguments<T>(f, 20'000);
  const std::vector<T> y = f.function(fx::array(x)).template to_vector<T>();
  mpfr_t argument, value;
  mpfr_init2(argument, 53);
  mpfr_init2(value, 160);
  double most = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    mpfr_set_d(argument, static_cast<double>(x[k]), MPFR_RNDN);
    f.exact(value, argument, MPFR_RNDN);
    if constexpr (sizeof(T) == 4)
      most = std::max(most, units_off(y[k], mpfr_get_d(value, MPFR_RNDN)));
    else
      most = std::max(most, units_off(y[k], value));
  }
  mpfr_clear(argument);
  mpfr_clear(value);
  return most;
}

}  // namespace

TEST_CASE("composed functions of real numbers are within 3 units in the last place") {
  for (const Composed& f : functions) {
    const double narrow = worst<float>(f), wide = worst<double>(f);
    fmt::print("{:<6} at most {:.3f} ulp in float32, {:.3f} in float64\n", f.name, narrow, wide);
    std::fflush(stdout);
    INFO(f.name);
    CHECK(narrow <= f.bar);
    CHECK(wide <= f.bar);
  }
}

TEST_CASE("16-bit floats are computed in float32 and rounded once") {
  for (const Composed& f : functions) {
    for (fx::DType dtype : {fx::float16, fx::bfloat16}) {
      const Array x = fx::array(arguments<float>(f, 2000)).astype(dtype);
      const Array wide = f.function(x.astype(fx::float32)).astype(dtype), narrow = f.function(x);
      const Array same = (narrow == wide) | (fx::isnan(narrow) & fx::isnan(wide));
      INFO(f.name);
      CHECK(fx::all(same).item<bool>());
    }
  }
}
