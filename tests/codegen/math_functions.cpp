// The table of functions, and how results are measured.
#include "tests/codegen/math_functions.hpp"

#include "tests/codegen/math_host.hpp"
#include "trace/kernel/math_arc.hpp"
#include "trace/kernel/math_complex.hpp"
#include "trace/kernel/math_erf.hpp"
#include "trace/kernel/math_gamma.hpp"
#include "trace/kernel/math_log.hpp"
#include "trace/kernel/math_round.hpp"
#include "trace/kernel/math_trig.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

namespace {

namespace kernel = fluxion::kernel;
using namespace fluxion::kernel::formulas;
using kernel::Double;
using kernel::Scalar;
using kernel::Single;
using F32 = host::Number<float>;
using F64 = host::Number<double>;

double logistic_reference(double x) {
  return x > 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}
void logistic_exact(mpfr_t y, mpfr_srcptr x, mpfr_srcptr) {
  mpfr_t wide;
  mpfr_init2(wide, 400);
  mpfr_neg(wide, x, MPFR_RNDN);
  mpfr_exp(wide, wide, MPFR_RNDN);
  mpfr_add_ui(wide, wide, 1, MPFR_RNDN);
  mpfr_ui_div(y, 1, wide, MPFR_RNDN);
  mpfr_clear(wide);
}
/// MPFR gives +infinity at -0, where IEEE 754's rSqrt is -infinity.
void rsqrt_exact(mpfr_t y, mpfr_srcptr x, mpfr_srcptr) {
  mpfr_rec_sqrt(y, x, MPFR_RNDN);
  if (mpfr_zero_p(x) && mpfr_signbit(x)) mpfr_set_inf(y, -1);
}

#define UNARY(single_formula, double_formula, kernel_function, c_function, mpfr_function) \
  1, [](Scalar x, Scalar) { return kernel_function(x); },                                 \
      [](float x, float) { return single_formula(F32{x}).value; },                        \
      [](double x, double) { return double_formula(F64{x}).value; },                      \
      [](double x, double) -> double { return c_function(x); },                           \
      [](mpfr_t y, mpfr_srcptr x, mpfr_srcptr) { mpfr_function(y, x, MPFR_RNDN); }
#define BINARY(single_formula, double_formula, kernel_function, c_function, mpfr_function) \
  2, [](Scalar x, Scalar y) { return kernel_function(x, y); },                             \
      [](float x, float y) { return single_formula(F32{x}, F32{y}).value; },               \
      [](double x, double y) { return double_formula(F64{x}, F64{y}).value; },             \
      [](double x, double y) -> double { return c_function(x, y); },                       \
      [](mpfr_t z, mpfr_srcptr x, mpfr_srcptr y) { mpfr_function(z, x, y, MPFR_RNDN); }

F32 round_single(F32 x) { return round_away(Single{}, x); }
F64 round_double(F64 x) { return round_away(Double{}, x); }
F32 pow_single(F32 x, F32 y) { return pow(Single{}, x, y); }
F64 pow_double(F64 x, F64 y) { return pow(Double{}, x, y); }
F32 remainder_single(F32 x, F32 y) { return kernel::formulas::remainder(Single{}, x, y); }
F64 remainder_double(F64 x, F64 y) { return kernel::formulas::remainder(Double{}, x, y); }
F32 lgamma_single(F32 x) { return kernel::formulas::lgamma(Single{}, x); }
F64 lgamma_double(F64 x) { return kernel::formulas::lgamma(Double{}, x); }
F32 digamma_single(F32 x) { return kernel::formulas::digamma(Single{}, x); }
F64 digamma_double(F64 x) { return kernel::formulas::digamma(Double{}, x); }
/// float32 is computed in float64.
template <F64 (*formula)(F64)> F32 by_double(F32 x) { return narrowed(formula(widened(x))); }
F64 sinh_double(F64 x) { return kernel::formulas::sinh(x); }
F64 cosh_double(F64 x) { return kernel::formulas::cosh(x); }
F64 asin_double(F64 x) { return kernel::formulas::asin(x); }
F64 acos_double(F64 x) { return kernel::formulas::acos(x); }
F64 atan_double(F64 x) { return kernel::formulas::atan(x); }
F64 asinh_double(F64 x) { return kernel::formulas::asinh(x); }
F64 acosh_double(F64 x) { return kernel::formulas::acosh(x); }
F64 atanh_double(F64 x) { return kernel::formulas::atanh(x); }
double lgamma_reference(double x) {
  int sign;
  return lgamma_r(x, &sign);
}
int lgamma_rounded(mpfr_t y, mpfr_srcptr x, mpfr_rnd_t rounding) {
  int sign;
  return mpfr_lgamma(y, &sign, x, rounding);
}
double digamma_reference(double x) {
  mpfr_t value;
  mpfr_init2(value, 53);
  mpfr_set_d(value, x, MPFR_RNDN);
  mpfr_digamma(value, value, MPFR_RNDN);
  double result = mpfr_get_d(value, MPFR_RNDN);
  mpfr_clear(value);
  return result;
}
/// The sizes of what reflection takes a difference of, where the argument is negative.
double reflected_lgamma(double x) { return x < 0 ? 1 + std::fabs(lgamma_reference(1 - x)) : 0; }
double reflected_digamma(double x) { return x < 0 ? 1 + std::fabs(digamma_reference(1 - x)) : 0; }

double rsqrt_reference(double x) { return 1 / std::sqrt(x); }
int round_exact(mpfr_t y, mpfr_srcptr x, mpfr_rnd_t) { return mpfr_round(y, x); }
int logistic_rounded(mpfr_t y, mpfr_srcptr x, mpfr_rnd_t) { return logistic_exact(y, x, x), 0; }
int rsqrt_rounded(mpfr_t y, mpfr_srcptr x, mpfr_rnd_t) { return rsqrt_exact(y, x, x), 0; }

// Where exp overflows, and where its results become subnormal and zero, in both formats.
const std::vector<double> exp_landmarks = {
    88.7228391, -87.3365448, -103.972077, 709.782712893384, -708.3964185322641, -745.1332191019412};
// pi/2, pi, 2 pi; the float64 and the float32 that are nearest to multiples of pi/2 (J.-M. Muller,
// Elementary Functions, section 11.3); the largest numbers.
const std::vector<double> turn_landmarks = {1.5707963267948966,
                                            3.141592653589793,
                                            6.283185307179586,
                                            0x1.6ac5b262ca1ffp+849,
                                            16367173.0 * 0x1p72,
                                            0x1.fffffep127,
                                            std::numeric_limits<double>::max(),
                                            1e22};

std::vector<MathFunction> make_functions() {
  return {
      {"exp",
       UNARY(exp<SingleExp>, exp<DoubleExp>, kernel::exp, std::exp, mpfr_exp),
       2,
       2,
       -120,
       100,
       exp_landmarks},
      {"expm1",
       UNARY(expm1<SingleExp>, expm1<DoubleExp>, kernel::expm1, std::expm1, mpfr_expm1),
       2,
       2,
       -50,
       100,
       exp_landmarks},
      {"log",
       UNARY(kernel::formulas::log<Single>,
             kernel::formulas::log<Double>,
             kernel::log,
             std::log,
             mpfr_log),
       2,
       2,
       0,
       4,
       {1, 0.7071067811865476, 1.4142135623730951}},
      {"log1p",
       UNARY(kernel::formulas::log1p<Single>,
             kernel::formulas::log1p<Double>,
             kernel::log1p,
             std::log1p,
             mpfr_log1p),
       2,
       2,
       -1,
       4,
       {-1, 0.41421356237309515, -0.2928932188134524}},
      {"sin",
       UNARY(kernel::formulas::sin<Single>,
             kernel::formulas::sin<Double>,
             kernel::sin,
             std::sin,
             mpfr_sin),
       2,
       2,
       -10,
       10,
       turn_landmarks},
      {"cos",
       UNARY(kernel::formulas::cos<Single>,
             kernel::formulas::cos<Double>,
             kernel::cos,
             std::cos,
             mpfr_cos),
       2,
       2,
       -10,
       10,
       turn_landmarks},
      {"tan",
       UNARY(kernel::formulas::tan<Single>,
             kernel::formulas::tan<Double>,
             kernel::tan,
             std::tan,
             mpfr_tan),
       2,
       3,
       -10,
       10,
       turn_landmarks},
      {"tanh",
       UNARY(kernel::formulas::tanh<SingleExp>,
             kernel::formulas::tanh<DoubleExp>,
             kernel::tanh,
             std::tanh,
             mpfr_tanh),
       2,
       2,
       -4,
       4,
       {0.55, 9.01, 19.06}},
      {"logistic",
       UNARY(logistic<SingleExp>,
             logistic<DoubleExp>,
             kernel::logistic,
             logistic_reference,
             logistic_rounded),
       2,
       2,
       -120,
       40,
       exp_landmarks},
      {"erf",
       UNARY(kernel::formulas::erf<SingleErf>,
             kernel::formulas::erf<DoubleErf>,
             kernel::erf,
             std::erf,
             mpfr_erf),
       2,
       2,
       -6,
       6,
       {0.927, 3.92, 5.92}},
      {"erfc",
       UNARY(kernel::formulas::erfc<SingleErf>,
             kernel::formulas::erfc<DoubleErf>,
             kernel::erfc,
             std::erfc,
             mpfr_erfc),
       3,
       3,
       -6,
       28,
       {9.19, 10.05, 26.54, 27.22}},
      {"rsqrt",
       UNARY(rsqrt, rsqrt, kernel::rsqrt, rsqrt_reference, rsqrt_rounded),
       2,
       2,
       0,
       4,
       {1}},
      {"round_away",
       UNARY(round_single, round_double, kernel::round_away, std::round, round_exact),
       0,
       0,
       -9,
       9,
       {0.5, -0.5, 1.5, 8388607.5, 8388608, 4503599627370495.5, 4503599627370496}},
      {"lgamma",
       UNARY(lgamma_single, lgamma_double, kernel::lgamma, lgamma_reference, lgamma_rounded),
       2,
       3,
       -6,
       12,
       {1, 2, 0.5, 1.25, 7},
       reflected_lgamma},
      {"digamma",
       UNARY(digamma_single, digamma_double, kernel::digamma, digamma_reference, mpfr_digamma),
       2,
       3,
       -6,
       12,
       {1, 1.4616321449683623, 2.25, 6.25},
       reflected_digamma,
       true},
      {"sinh",
       UNARY(by_double<sinh_double>, sinh_double, kernel::sinh, std::sinh, mpfr_sinh),
       2,
       2,
       -3,
       3,
       {1, 89.4, 710.4758600739439}},
      {"cosh",
       UNARY(by_double<cosh_double>, cosh_double, kernel::cosh, std::cosh, mpfr_cosh),
       2,
       2,
       -3,
       3,
       {1, 89.4, 710.4758600739439}},
      {"asin",
       UNARY(by_double<asin_double>, asin_double, kernel::asin, std::asin, mpfr_asin),
       2,
       2.1,
       -1,
       1,
       {1, 0.5}},
      {"acos",
       UNARY(by_double<acos_double>, acos_double, kernel::acos, std::acos, mpfr_acos),
       2,
       2,
       -1,
       1,
       {1, 0.5}},
      {"atan",
       UNARY(by_double<atan_double>, atan_double, kernel::atan, std::atan, mpfr_atan),
       2,
       2,
       -4,
       4,
       {1}},
      {"asinh",
       UNARY(by_double<asinh_double>, asinh_double, kernel::asinh, std::asinh, mpfr_asinh),
       2,
       2,
       -4,
       4,
       {1, 0x1p100}},
      {"acosh",
       UNARY(by_double<acosh_double>, acosh_double, kernel::acosh, std::acosh, mpfr_acosh),
       2,
       2,
       1,
       4,
       {1, 0x1p100}},
      {"atanh",
       UNARY(by_double<atanh_double>, atanh_double, kernel::atanh, std::atanh, mpfr_atanh),
       2,
       2,
       -1,
       1,
       {1, 0.5}},
      {"pow", BINARY(pow_single, pow_double, kernel::pow, std::pow, mpfr_pow), 2, 2, 0, 8, {1}},
      {"atan2",
       BINARY(atan2<SingleArc>, atan2<DoubleArc>, kernel::atan2, std::atan2, mpfr_atan2),
       3,
       3,
       -4,
       4,
       {1}},
      {"remainder",
       BINARY(remainder_single, remainder_double, kernel::remainder, std::fmod, mpfr_fmod),
       0,
       0,
       -100,
       100,
       {1}},
  };
}

const std::vector<double> special = {
    0, 0.5, 1, 2, 3, 4, 5, 0.1, 10, 1e10, 8388609, 16777215, 9007199254740991, INFINITY, NAN};

template <class T> using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

/// One argument of the kind that `stratum` says.
template <class T>
T sample(const MathFunction& f, int stratum, double place, std::mt19937_64& random) {
  constexpr auto all = std::numeric_limits<Bits<T>>::max();
  double unit = static_cast<double>(random() >> 11) * 0x1p-53;
  switch (stratum) {
    case 0:  // of all bit patterns, those around `place`
      return std::bit_cast<T>(static_cast<Bits<T>>(static_cast<double>(all) * 0.999999 * place) +
                              static_cast<Bits<T>>(random() % (1 << 12)));
    case 1:
    case 2:
      return static_cast<T>(f.low + (f.high - f.low) * unit);
    case 3: {  // small and moderate magnitudes of either sign
      double magnitude = std::ldexp(1 + unit, static_cast<int>(random() % 48) - 40);
      return static_cast<T>(random() % 2 ? magnitude : -magnitude);
    }
    case 4: {  // a few steps beside a landmark
      T near = static_cast<T>(f.landmarks[random() % f.landmarks.size()]);
      if (random() % 2) near = -near;
      auto steps = static_cast<Bits<T>>(random() % 401) - 200;
      return std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(near) + steps));
    }
    case 5: {  // the format's edges
      using Limits = std::numeric_limits<T>;
      const T edges[] = {Limits::min(), Limits::denorm_min(), Limits::max(), Limits::epsilon()};
      T edge = edges[random() % 4];
      auto steps = static_cast<Bits<T>>(random() % 3);
      edge = std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(edge) - steps));
      return random() % 2 ? edge : -edge;
    }
    default: {
      T value = static_cast<T>(special[random() % special.size()]);
      return random() % 2 ? value : -value;
    }
  }
}

}  // namespace

std::span<const MathFunction> math_functions() {
  static const std::vector<MathFunction> functions = make_functions();
  return functions;
}
const MathFunction& math_function(const std::string& name) {
  for (const MathFunction& f : math_functions()) {
    if (f.name == name) return f;
  }
  throw std::invalid_argument(name);
}

template <class T> RandomBits<T> samples(const MathFunction& f, std::size_t count) {
  std::mt19937_64 random(std::hash<std::string>{}(f.name));
  RandomBits<T> result;
  for (std::size_t k = 0; k < count; ++k) {
    double place = static_cast<double>(k) / static_cast<double>(count);
    result.first.push_back(sample<T>(f, static_cast<int>(k % 7), place, random));
    result.second.push_back(sample<T>(
        f, static_cast<int>(k / 7 % 7), static_cast<double>(random() >> 11) * 0x1p-53, random));
  }
  return result;
}
template RandomBits<float> samples(const MathFunction&, std::size_t);
template RandomBits<double> samples(const MathFunction&, std::size_t);

double units_off(float got, double truth) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if (std::isnan(truth) || std::isnan(got)) return std::isnan(truth) == std::isnan(got) ? 0 : wrong;
  if (std::isinf(truth)) return static_cast<double>(got) == truth ? 0 : wrong;
  if (std::isinf(got)) {
    // Right where rounding goes there.
    return std::signbit(got) == std::signbit(truth) && std::fabs(truth) >= 0x1.ffffffp127 ? 0
                                                                                          : wrong;
  }
  if (truth == 0) return got == 0 && std::signbit(got) == std::signbit(truth) ? 0 : wrong;
  if (std::signbit(got) != std::signbit(truth)) return wrong;
  int exponent = std::clamp(std::ilogb(truth), -126, 127);
  return std::ldexp(std::fabs(static_cast<double>(got) - truth), 23 - exponent);
}

double units_off(double got, mpfr_srcptr truth, double least) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if (mpfr_nan_p(truth) || std::isnan(got)) return mpfr_nan_p(truth) && std::isnan(got) ? 0 : wrong;
  double rounded = mpfr_get_d(truth, MPFR_RNDN);
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : wrong;
  if (mpfr_zero_p(truth)) {
    return got == 0 && std::signbit(got) == (mpfr_signbit(truth) != 0) ? 0 : wrong;
  }
  bool small = std::fabs(rounded) < least;
  if (!small && std::signbit(got) != (mpfr_signbit(truth) != 0)) return wrong;
  auto exponent = small ? std::ilogb(least) : std::max<long>(mpfr_get_exp(truth) - 1, -1022);
  mpfr_t difference;
  mpfr_init2(difference, 200);
  mpfr_sub_d(difference, truth, got, MPFR_RNDN);
  mpfr_mul_2si(difference, difference, 52 - exponent, MPFR_RNDN);
  double units = std::fabs(mpfr_get_d(difference, MPFR_RNDN));
  mpfr_clear(difference);
  return units;
}

double units_off(const MathFunction& f, double got, double first, mpfr_srcptr truth) {
  return units_off(got, truth, f.least ? f.least(first) : 0);
}

Truth::Truth() {
  mpfr_init2(first_, 53);
  mpfr_init2(second_, 53);
  mpfr_init2(value_, 160);
}
Truth::~Truth() {
  mpfr_clear(first_);
  mpfr_clear(second_);
  mpfr_clear(value_);
}
mpfr_srcptr Truth::operator()(const MathFunction& f, double first, double second) {
  mpfr_set_d(first_, first, MPFR_RNDN);
  mpfr_set_d(second_, second, MPFR_RNDN);
  f.exact(value_, first_, second_);
  return value_;
}
