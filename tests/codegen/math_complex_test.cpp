// The accuracy of complex functions over the whole plane, each part measured against MPC.
#include "trace/kernel/math_complex.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/kernel_interpreter.hpp"

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

/// Sets a number of 200 bits to the true value.
using Exact = void (*)(mpc_ptr, mpc_srcptr);

struct ComplexFunction {
  std::string name;
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
  if (!mpfr_number_p(x) || !mpfr_number_p(y)) {
    mpc_set_fr_fr(w, one, y, MPC_RNDNN);
    mpc_log(w, w, MPC_RNDNN);
    return;
  }
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
  if (!mpfr_number_p(x) || !mpfr_number_p(y)) {
    mpc_tanh(w, z, MPC_RNDNN);
    if (mpfr_zero_p(x)) mpfr_set(mpc_realref(w), x, MPFR_RNDN);  // C17; MPC's is C99's NaN
    return;
  }
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

void exact_acosh(mpc_ptr w, mpc_srcptr z) {
  mpc_acosh(w, z, MPC_RNDNN);
  if (!mpfr_zero_p(mpc_realref(z)) || !mpfr_nan_p(mpc_imagref(z))) return;
  mpfr_const_pi(mpc_imagref(w), MPFR_RNDN);  // C17; MPC's is C99's NaN
  mpfr_div_2ui(mpc_imagref(w), mpc_imagref(w), 1, MPFR_RNDN);
}

#define BY_MPC(name) \
  {#name, kernel::complex_##name, [](mpc_ptr w, mpc_srcptr z) { mpc_##name(w, z, MPC_RNDNN); }}
#define BY_OWN(name, least) {#name, kernel::complex_##name, exact_##name, least}

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
      BY_OWN(acosh, 0),
      BY_MPC(atanh),
      BY_OWN(tan, 0),
      BY_OWN(tanh, 0),
      {"square", kernel::complex_square, [](mpc_ptr w, mpc_srcptr z) { mpc_sqr(w, z, MPC_RNDNN); }},
      BY_OWN(log1p, 0),
      // exp(x) cos(y) - 1 is known to 2^-104 where it cancels
      BY_OWN(expm1, 0x1p-50),
  };
  return all;
}

template <class T> struct Point {
  T x, y;
};

/// f at these places, as kernels compute it.
template <class T>
std::vector<Point<T>> values(const ComplexFunction& f, const std::vector<Point<T>>& places) {
  const fluxion::DType type = std::is_same_v<T, float> ? fluxion::float32 : fluxion::float64;
  const auto count = static_cast<std::int64_t>(places.size());
  kernel::Builder b(f.name);
  const std::int32_t in = b.buffer(type, kernel::Role::input, 2 * count);
  const std::int32_t out = b.buffer(type, kernel::Role::output, 2 * count);
  b.parallel({count}, [&](const kernel::Index& i) {
    const auto w = f.kernel({b.load(in, i[0] * 2), b.load(in, i[0] * 2 + 1)});
    b.store(out, i[0] * 2, w.re);
    b.store(out, i[0] * 2 + 1, w.im);
  });
  std::vector<Point<T>> operands = places, results(places.size());
  fluxion::test::interpret(b.finish(), {operands.data(), results.data()});
  return results;
}

template <class T> T rounded(mpfr_srcptr truth) {
  if constexpr (std::is_same_v<T, float>)
    return mpfr_get_flt(truth, MPFR_RNDN);
  else
    return mpfr_get_d(truth, MPFR_RNDN);
}

/// The distance from the truth in units of its last place.
template <class T> double units_off(T got, mpfr_srcptr truth, double least) {
  using Limits = std::numeric_limits<T>;
  constexpr double wrong = std::numeric_limits<double>::infinity();
  const T nearest = rounded<T>(truth);
  if (std::isnan(nearest) || std::isnan(got))
    return std::isnan(nearest) == std::isnan(got) ? 0 : wrong;
  if (std::isinf(nearest) || std::isinf(got)) return got == nearest ? 0 : wrong;
  if (mpfr_zero_p(truth))
    return got == 0 && std::signbit(got) == (mpfr_signbit(truth) != 0) ? 0 : wrong;
  const auto exponent_of = [](double v) { return v == 0 ? -2000 : std::ilogb(v) + 1; };
  const long exponent = std::max({mpfr_get_exp(truth),
                                  static_cast<mpfr_exp_t>(exponent_of(least)),
                                  static_cast<mpfr_exp_t>(Limits::min_exponent)});
  Wide off;
  mpfr_sub_d(off, truth, static_cast<double>(got), MPFR_RNDN);
  mpfr_mul_2si(off, off, Limits::digits - exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(off, MPFR_RNDN));
}

/// Places in the plane: every magnitude, neighbourhoods of 1, -1, i and 0, the unit circle, both
/// axes, curves where results vanish.
template <class T> struct Places {
  static constexpr bool wide = sizeof(T) == 8;
  std::mt19937_64 random{7};
  double unit() { return static_cast<double>(random() >> 11) * 0x1p-53; }
  T part(std::uint64_t kind) {
    const auto power = [&](int low, int high) {
      return std::ldexp(1 + unit(),
                        low + static_cast<int>(random() % static_cast<unsigned>(high - low)));
    };
    double v = 0;
    switch (kind) {
      case 0:
        v = wide ? power(-1020, 1020) : power(-124, 124);
        break;
      case 1:
        v = 4 * unit();
        break;
      case 2:
        v = power(-40, 20);
        break;
      case 3:
        v = 1 + std::ldexp(2 * unit() - 1, -static_cast<int>(random() % (wide ? 53 : 24)));
        break;
      case 4:
        v = (wide ? 1500 : 200) * unit();
        break;
      case 5:
        v = power(wide ? -1074 : -149, 0);
        break;
      default:
        v = 0;
    }
    return static_cast<T>(random() % 2 ? v : -v);
  }
  Point<T> next(const std::string& name) {
    const std::uint64_t kind = random() % 8;
    if (kind < 7) return {part(random() % 7), part(random() % 7)};
    const double turn = 6.283185307179586 * unit();
    if (name == "expm1") return vanishing_expm1(turn / 4);
    const double shift = name == "log1p" ? -1 : 0;
    return {static_cast<T>(std::cos(turn) + shift), static_cast<T>(std::sin(turn))};
  }
  /// Where the real part of expm1 vanishes for this imaginary part.
  static Point<T> vanishing_expm1(double y) {
    const T im = static_cast<T>(y);
    return {static_cast<T>(-std::log(std::fabs(std::cos(static_cast<double>(im))))), im};
  }
};

/// Numbers of 53 and 200 bits.
struct Numbers {
  mpc_t z, truth;
  Numbers() {
    mpc_init2(z, 53);
    mpc_init2(truth, 200);
  }
  Numbers(const Numbers&) = delete;
  ~Numbers() {
    mpc_clear(z);
    mpc_clear(truth);
  }
};

/// The largest distances of both parts from the truth, and where they are.
struct Worst {
  double off[2] = {};
  std::string where[2];
};
template <class T>
Worst worst_of(const ComplexFunction& f, const std::vector<Point<T>>& places, double least) {
  Numbers n;
  Worst worst;
  const std::vector<Point<T>> got = values(f, places);
  for (std::size_t k = 0; k < places.size(); ++k) {
    mpc_set_d_d(n.z, places[k].x, places[k].y, MPC_RNDNN);
    f.exact(n.truth, n.z);
    const double off[] = {units_off(got[k].x, mpc_realref(n.truth), least),
                          units_off(got[k].y, mpc_imagref(n.truth), 0)};
    for (int part = 0; part < 2; ++part) {
      if (off[part] <= worst.off[part]) continue;
      worst.off[part] = off[part];
      worst.where[part] = fmt::format("({:a}, {:a})", places[k].x, places[k].y);
    }
  }
  return worst;
}

template <class T> void check_units(const ComplexFunction& f, double least) {
  Places<T> source;
  std::vector<Point<T>> places;
  for (int k = 0; k < 6000; ++k) places.push_back(source.next(f.name));
  const Worst worst = worst_of(f, places, least);
  fmt::print("{:<7} complex{} {} arguments: at most {:.3f} and {:.3f} ulp\n",
             f.name,
             16 * sizeof(T),
             places.size(),
             worst.off[0],
             worst.off[1]);
  std::fflush(stdout);
  INFO(f.name << " at " << worst.where[0] << " and " << worst.where[1]);
  CHECK(worst.off[0] <= 3);
  CHECK(worst.off[1] <= 3);
}

/// Both signs of zero, of the smallest and largest numbers, of 1 and its neighbours, of halves: on
/// both sides of every branch cut, and at every branch point.
template <class T> std::vector<Point<T>> extremes() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> parts;
  for (T v : {T(0),
              Limits::denorm_min(),
              Limits::min(),
              Limits::epsilon(),
              T(0.5),
              T(1) - Limits::epsilon() / 2,
              T(1),
              T(1) + Limits::epsilon(),
              T(3),
              T(1) / Limits::epsilon(),
              Limits::max()})
    parts.insert(parts.end(), {v, -v});
  std::vector<Point<T>> all;
  for (T x : parts)
    for (T y : parts) all.push_back({x, y});
  return all;
}

template <class T> void check_extremes(const ComplexFunction& f, double least) {
  const Worst worst = worst_of(f, extremes<T>(), least);
  INFO(f.name << ", complex" << 16 * sizeof(T) << " at " << worst.where[0] << " and "
              << worst.where[1]);
  CHECK(worst.off[0] <= 3);
  CHECK(worst.off[1] <= 3);
}

/// What C says of infinities and NaN. It leaves open the signs of zeros and infinities beside them.
template <class T> void check_endless(const ComplexFunction& f) {
  const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  std::vector<Point<T>> places;
  for (T x : {-infinity, T(-2), T(-0.0), T(0), T(2), infinity, nan})
    for (T y : {-infinity, T(-2), T(-0.0), T(0), T(2), infinity, nan})
      if (!std::isfinite(x) || !std::isfinite(y)) places.push_back({x, y});
  const std::vector<Point<T>> got = values(f, places);
  Numbers n;
  for (std::size_t k = 0; k < places.size(); ++k) {
    const auto [x, y] = places[k];
    mpc_set_d_d(n.z, x, y, MPC_RNDNN);
    f.exact(n.truth, n.z);
    for (int part = 0; part < 2; ++part) {
      const T value = part ? got[k].y : got[k].x;
      const T wanted = rounded<T>(part ? mpc_imagref(n.truth) : mpc_realref(n.truth));
      INFO(f.name << " (" << x << ", " << y << ") part " << part << ": " << value << ", not "
                  << wanted);
      if (std::isnan(wanted))
        CHECK(std::isnan(value));
      else
        CHECK((std::fabs(value - wanted) <=
                   4 * std::numeric_limits<T>::epsilon() * std::fabs(wanted) ||
               std::fabs(value) == std::fabs(wanted)));
    }
  }
}

}  // namespace

TEST_CASE("each part of a complex function is within 3 units over the whole plane") {
  for (const ComplexFunction& f : functions()) check_units<double>(f, f.least);
}
TEST_CASE("each part of a complex64 function is within 3 units over the whole plane") {
  for (const ComplexFunction& f : functions()) check_units<float>(f, 0);
}

TEST_CASE("complex functions of extreme numbers are within 3 units, on every side of their cuts") {
  for (const ComplexFunction& f : functions()) {
    check_extremes<double>(f, f.least);
    check_extremes<float>(f, 0);
  }
}

TEST_CASE("complex functions of infinities and NaN give what C gives") {
  for (const ComplexFunction& f : functions()) {
    check_endless<double>(f);
    check_endless<float>(f);
  }
}

namespace {

/// The distance from the truth over the modulus of the truth, where exp(x) cos(y) is near 1.
template <class T> double worst_vanishing_expm1() {
  Places<T> source;
  std::vector<Point<T>> places;
  for (int k = 0; k < 6000; ++k) {
    const double turns = std::ldexp(source.unit() - 0.5, -static_cast<int>(source.random() % 60));
    Point<T> place = Places<T>::vanishing_expm1(3.141592653589793 * turns);
    // beside the curve, a turn away, or both
    if (k % 2) place.x += std::ldexp(place.x, -static_cast<int>(source.random() % 50));
    if (k % 4 > 1) place.y += static_cast<T>(6.283185307179586 * static_cast<double>(k % 1000));
    places.push_back(place);
  }
  const std::vector<Point<T>> got =
      values({"expm1", kernel::complex_expm1, exact_expm1, 0}, places);
  Numbers n;
  Wide modulus;
  double worst = 0;
  for (std::size_t k = 0; k < places.size(); ++k) {
    mpc_set_d_d(n.z, places[k].x, places[k].y, MPC_RNDNN);
    exact_expm1(n.truth, n.z);
    mpc_abs(modulus, n.truth, MPFR_RNDN);
    if (mpfr_zero_p(static_cast<mpfr_ptr>(modulus))) continue;
    mpfr_sub_d(mpc_realref(n.truth), mpc_realref(n.truth), got[k].x, MPFR_RNDN);
    mpfr_sub_d(mpc_imagref(n.truth), mpc_imagref(n.truth), got[k].y, MPFR_RNDN);
    Wide off;
    mpc_abs(off, n.truth, MPFR_RNDN);
    mpfr_div(off, off, modulus, MPFR_RNDN);
    worst = std::max(worst, mpfr_get_d(off, MPFR_RNDN));
  }
  fmt::print("expm1   complex{} where its real part vanishes: {:.3g} of the modulus\n",
             16 * sizeof(T),
             worst);
  std::fflush(stdout);
  return worst;
}

}  // namespace

TEST_CASE("expm1 keeps its digits where its real part vanishes") {
  CHECK(worst_vanishing_expm1<double>() <= 1e-14);
  CHECK(worst_vanishing_expm1<float>() <= 1e-6);
}
