// The accuracy of complex functions over the whole plane, each part measured against MPC.
#include "trace/kernel/math_complex.hpp"

#include "tests/codegen/math_host.hpp"
#include "tests/support/catch.hpp"
#include "trace/kernel/math_arc.hpp"

#ifdef FLUXION_LLVM
#include "tests/support/compiled_kernel.hpp"
#endif

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <limits>
#include <mpc.h>
#include <random>
#include <string>
#include <vector>

namespace {

namespace kernel = fluxion::kernel;
namespace formulas = fluxion::kernel::formulas;
using F64 = host::Number<double>;
using Z = kernel::Complex<F64>;

/// Sets a number of 200 bits to the true value.
using Exact = void (*)(mpc_ptr, mpc_srcptr);

struct ComplexFunction {
  std::string name;
  Z (*formula)(Z);
  kernel::ComplexScalar (*kernel)(kernel::ComplexScalar);
  Exact exact;
  /// Where the truth of the real part is smaller, a unit is one of this (a difference cancels).
  double least = 0;
};

struct Wide {
  mpfr_t value;
  explicit Wide(mpfr_prec_t bits = 400) { mpfr_init2(value, bits); }
  Wide(const Wide&) = delete;
  ~Wide() { mpfr_clear(value); }
  operator mpfr_ptr() { return value; }
};

/// log1p(2 x + x^2 + y^2) / 2 and the argument of 1 + z.
void exact_log1p(mpc_ptr w, mpc_srcptr z) {
  mpfr_srcptr x = mpc_realref(z), y = mpc_imagref(z);
  Wide sum(6000), square(6000), one(2300);
  mpfr_add_ui(one, x, 1, MPFR_RNDN);
  mpfr_atan2(mpc_imagref(w), y, one, MPFR_RNDN);
  mpfr_sqr(sum, x, MPFR_RNDN);
  mpfr_sqr(square, y, MPFR_RNDN);
  mpfr_add(sum, sum, square, MPFR_RNDN);
  mpfr_add(sum, sum, x, MPFR_RNDN);
  mpfr_add(sum, sum, x, MPFR_RNDN);
  if (mpfr_zero_p(x) && mpfr_zero_p(y)) {
    mpfr_set(mpc_realref(w), x, MPFR_RNDN);
    return;
  }
  mpfr_log1p(sum, sum, MPFR_RNDN);
  mpfr_div_2ui(mpc_realref(w), sum, 1, MPFR_RNDN);
}
void exact_expm1(mpc_ptr w, mpc_srcptr z) {
  mpc_t e;
  mpc_init2(e, 1400);
  mpc_exp(e, z, MPC_RNDNN);
  mpfr_sub_ui(mpc_realref(w), mpc_realref(e), 1, MPFR_RNDN);
  if (mpfr_zero_p(mpc_realref(z)) && mpfr_zero_p(mpc_imagref(z)))
    mpfr_set(mpc_realref(w), mpc_realref(z), MPFR_RNDN);
  mpfr_set(mpc_imagref(w), mpc_imagref(e), MPFR_RNDN);
  mpc_clear(e);
}
/// (sinh x cosh x + i sin y cos y) / (sinh(x)^2 + cos(y)^2), which MPC takes minutes for far out.
void exact_tanh(mpc_ptr w, mpc_srcptr z) {
  mpfr_srcptr x = mpc_realref(z), y = mpc_imagref(z);
  Wide sinh, cosh, sin, cos, below, above;
  mpfr_sin_cos(sin, cos, y, MPFR_RNDN);
  if (mpfr_cmpabs(x, y) >= 0 && mpfr_cmp_d(x, 2000) > 0) {
    mpfr_set_ui(mpc_realref(w), 1, MPFR_RNDN);
  } else if (mpfr_cmp_d(x, -2000) < 0) {
    mpfr_set_si(mpc_realref(w), -1, MPFR_RNDN);
  }
  const bool far = mpfr_cmp_d(x, 2000) > 0 || mpfr_cmp_d(x, -2000) < 0;
  mpfr_mul(above, sin, cos, MPFR_RNDN);
  if (far) {
    mpfr_set_si(mpc_realref(w), mpfr_signbit(x) ? -1 : 1, MPFR_RNDN);
    mpfr_mul_2si(mpc_imagref(w), above, -5000, MPFR_RNDN);
    return;
  }
  mpfr_sinh_cosh(sinh, cosh, x, MPFR_RNDN);
  mpfr_sqr(below, sinh, MPFR_RNDN);
  mpfr_sqr(cos, cos, MPFR_RNDN);
  mpfr_add(below, below, cos, MPFR_RNDN);
  mpfr_div(mpc_imagref(w), above, below, MPFR_RNDN);
  mpfr_mul(above, sinh, cosh, MPFR_RNDN);
  mpfr_div(mpc_realref(w), above, below, MPFR_RNDN);
}
void exact_tan(mpc_ptr w, mpc_srcptr z) {
  mpc_t turned;
  mpc_init2(turned, 53);
  mpfr_set(mpc_realref(turned), mpc_imagref(z), MPFR_RNDN);
  mpfr_set(mpc_imagref(turned), mpc_realref(z), MPFR_RNDN);
  exact_tanh(w, turned);
  mpfr_swap(mpc_realref(w), mpc_imagref(w));
  mpc_clear(turned);
}

#define BY_MPC(name)                                \
  {#name,                                           \
   [](Z z) { return formulas::complex_##name(z); }, \
   kernel::complex_##name,                          \
   [](mpc_ptr w, mpc_srcptr z) { mpc_##name(w, z, MPC_RNDNN); }}
#define BY_OWN(name, least)                         \
  {#name,                                           \
   [](Z z) { return formulas::complex_##name(z); }, \
   kernel::complex_##name,                          \
   exact_##name,                                    \
   least}

const std::vector<ComplexFunction>& functions() {
  static const std::vector<ComplexFunction> all = {
      BY_MPC(exp),
      BY_MPC(log),
      BY_MPC(sqrt),
      BY_MPC(sin),
      BY_MPC(cos),
      BY_MPC(sinh),
      BY_MPC(cosh),
      BY_MPC(asin),
      BY_MPC(acos),
      BY_MPC(atan),
      BY_MPC(asinh),
      BY_MPC(acosh),
      BY_MPC(atanh),
      BY_OWN(tan, 0),
      BY_OWN(tanh, 0),
      {"square",
       [](Z z) { return formulas::complex_square(z); },
       kernel::complex_square,
       [](mpc_ptr w, mpc_srcptr z) { mpc_sqr(w, z, MPC_RNDNN); }},
      BY_OWN(log1p, 0),
      // exp(x) cos(y) - 1 is known to 2^-104 where it cancels
      BY_OWN(expm1, 0x1p-50),
  };
  return all;
}

/// The distance from the truth in units of its last place.
double units_off(double got, mpfr_srcptr truth, double least) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  const double nearest = mpfr_get_d(truth, MPFR_RNDN);
  if (std::isnan(nearest) || std::isnan(got))
    return std::isnan(nearest) == std::isnan(got) ? 0 : wrong;
  if (std::isinf(nearest) || std::isinf(got)) return got == nearest ? 0 : wrong;
  if (mpfr_zero_p(truth))
    return got == 0 && std::signbit(got) == (mpfr_signbit(truth) != 0) ? 0 : wrong;
  const auto exponent_of = [](double v) { return v == 0 ? -2000 : std::ilogb(v) + 1; };
  const long exponent = std::max({mpfr_get_exp(truth),
                                  static_cast<mpfr_exp_t>(exponent_of(least)),
                                  static_cast<mpfr_exp_t>(-1021)});
  Wide off;
  mpfr_sub_d(off, truth, got, MPFR_RNDN);
  mpfr_mul_2si(off, off, 53 - exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(off, MPFR_RNDN));
}

/// Places in the plane: every magnitude, neighbourhoods of 1, -1, i and 0, the unit circle, both
/// axes, curves where results vanish.
struct Places {
  std::mt19937_64 random{7};
  double unit() { return static_cast<double>(random() >> 11) * 0x1p-53; }
  double part(std::uint64_t kind) {
    const auto power = [&](int low, int high) {
      return std::ldexp(1 + unit(),
                        low + static_cast<int>(random() % static_cast<unsigned>(high - low)));
    };
    double v = 0;
    switch (kind) {
      case 0:
        v = power(-1020, 1020);
        break;
      case 1:
        v = 4 * unit();
        break;
      case 2:
        v = power(-40, 20);
        break;
      case 3:
        v = 1 + std::ldexp(2 * unit() - 1, -static_cast<int>(random() % 53));
        break;
      case 4:
        v = 1500 * unit();
        break;
      case 5:
        v = power(-1074, 0);
        break;
      default:
        v = 0;
    }
    return random() % 2 ? v : -v;
  }
  std::pair<double, double> next(const std::string& name) {
    const std::uint64_t kind = random() % 8;
    if (kind < 7) return {part(random() % 7), part(random() % 7)};
    const double turn = 6.283185307179586 * unit();
    if (name == "expm1") return {-std::log(std::fabs(std::cos(turn / 4))), turn / 4};
    const double shift = name == "log1p" ? -1 : 0;
    return {std::cos(turn) + shift, std::sin(turn)};
  }
};

}  // namespace

TEST_CASE("each part of a complex function is within 3 units over the whole plane") {
  const auto index = GENERATE(range(std::size_t{0}, functions().size()));
  const ComplexFunction& f = functions()[index];
  Places places;
  mpc_t z, truth;
  mpc_init2(z, 53);
  mpc_init2(truth, 200);
  double worst[2] = {};
  std::string where[2];
  constexpr int count = 6000;
  for (int k = 0; k < count; ++k) {
    const auto [x, y] = places.next(f.name);
    mpc_set_d_d(z, x, y, MPC_RNDNN);
    f.exact(truth, z);
    const Z got = f.formula({{x}, {y}});
    const double off[] = {units_off(got.re.value, mpc_realref(truth), f.least),
                          units_off(got.im.value, mpc_imagref(truth), 0)};
    for (int part = 0; part < 2; ++part) {
      if (off[part] <= worst[part]) continue;
      worst[part] = off[part];
      where[part] = fmt::format("({:a}, {:a})", x, y);
    }
  }
  fmt::print("{:<7} complex128 {} arguments: at most {:.3f} and {:.3f} ulp\n",
             f.name,
             count,
             worst[0],
             worst[1]);
  std::fflush(stdout);
  INFO(f.name << " at " << where[0] << " and " << where[1]);
  CHECK(worst[0] <= 3);
  CHECK(worst[1] <= 3);
  mpc_clear(z);
  mpc_clear(truth);
}

TEST_CASE("complex functions of infinities give what C gives") {
  const double infinity = std::numeric_limits<double>::infinity();
  mpc_t z, truth;
  mpc_init2(z, 53);
  mpc_init2(truth, 200);
  for (const ComplexFunction& f : functions()) {
    if (f.name == "log1p" || f.name == "expm1" || f.name == "square") continue;
    for (double x : {-infinity, -2.0, -0.0, 0.0, 2.0, infinity}) {
      for (double y : {-infinity, -2.0, -0.0, 0.0, 2.0, infinity}) {
        if (std::isfinite(x) && std::isfinite(y)) continue;
        // left open by C, or what it says of one of the parts only
        if (f.name.starts_with("tan") && !(f.name == "tanh" ? std::isinf(x) : std::isinf(y)))
          continue;
        mpc_set_d_d(z, x, y, MPC_RNDNN);
        if (f.name == "tan")
          mpc_tan(truth, z, MPC_RNDNN);
        else if (f.name == "tanh")
          mpc_tanh(truth, z, MPC_RNDNN);
        else
          f.exact(truth, z);
        const Z got = f.formula({{x}, {y}});
        const double values[] = {got.re.value, got.im.value};
        for (int part = 0; part < 2; ++part) {
          const double wanted =
              mpfr_get_d(part ? mpc_imagref(truth) : mpc_realref(truth), MPFR_RNDN);
          INFO(f.name << " (" << x << ", " << y << ") part " << part << ": " << values[part]
                      << ", not " << wanted);
          // the signs of zeros and infinities beside an infinite argument are open
          if (std::isnan(wanted))
            CHECK(std::isnan(values[part]));
          else
            CHECK((std::fabs(values[part] - wanted) <= 1e-15 * std::fabs(wanted) ||
                   std::fabs(values[part]) == std::fabs(wanted)));
        }
      }
    }
  }
  mpc_clear(z);
  mpc_clear(truth);
}
