// The special functions in terms of the primitives that are tables or loops in the kernel language.
#include "fluxion/special.hpp"

#include "trace/composed/common.hpp"
#include "trace/ops/special.hpp"

#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numbers>

namespace fluxion::special {
namespace {

using namespace composed;
namespace fx = fluxion;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Array unary(std::string_view row, const Operand& x, std::string_view who) {
  return ops::unary(row, real(x, who), x.site());
}

/// The operands as real numbers of one dtype and shape.
ArrayList meet_real(std::string_view who, std::initializer_list<const Operand*> operands) {
  const Site& site = (*operands.begin())->site();
  const DType d = real_dtype(common_dtype(operands));
  ArrayList arrays;
  for (const Operand* o : operands) arrays.push_back(as(*o, d, who));
  const Shape shape = broadcast_shapes(who, arrays, site);
  for (Array& a : arrays) a = broadcast(who, a, shape, site);
  return arrays;
}

Array of_table(std::string_view row,
               std::string_view who,
               std::initializer_list<const Operand*> operands) {
  return ops::special(row, meet_real(who, operands), (*operands.begin())->site());
}

/// Computed in a wider dtype where there is one and digits would be lost.
template <class F> Array in_wide(const Array& x, const F& f) {
  return f(x.astype(float64)).astype(type_of(x).dtype);
}

}  // namespace

Array gammaln(const Operand& x) { return unary("lgamma", x, "gammaln"); }
Array digamma(const Operand& x) { return unary("digamma", x, "digamma"); }

Array gammasgn(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "gammasgn");
  const Array below = floor(a), odd = remainder(below, 2) != 0;
  const Array negative = where(below == a, 0, where(odd, -1, 1));
  const Array at_zero = copysign(1, a);
  const Array sign = where(a > 0, 1, where(a == 0, at_zero, negative)).astype(type_of(a).dtype);
  return where(isnan(a) | (a == -infinity), nan, sign);
}

Array gamma(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "gamma");
  return in_wide(a, [](const Array& w) {
    const Array value = gammasgn(w) * exp(gammaln(w));
    const Array pole = (w < 0) & (floor(w) == w);
    return where(pole, nan, value);
  });
}

Array factorial(const Operand& n) {
  SiteScope here(n.site());
  const Array a = real(n, "factorial");
  return where(a < 0, 0, gamma(where(a < 0, 0, a) + 1));
}

Array polygamma(const Operand& n, const Operand& x) {
  return of_table("polygamma", "polygamma", {&n, &x});
}
Array zeta(const Operand& x, const Operand& q) { return of_table("zeta", "zeta", {&x, &q}); }

Array betaln(const Operand& a, const Operand& b) {
  SiteScope here(a.site());
  const ArrayList both = meet_real("betaln", {&a, &b});
  const DType d = type_of(both[0]).dtype;
  const Array p = both[0].astype(float64), q = both[1].astype(float64);
  return (gammaln(p) + gammaln(q) - gammaln(p + q)).astype(d);
}
Array beta(const Operand& a, const Operand& b) {
  SiteScope here(a.site());
  const ArrayList both = meet_real("beta", {&a, &b});
  const DType d = type_of(both[0]).dtype;
  return exp(betaln(both[0].astype(float64), both[1].astype(float64))).astype(d);
}

Array multigammaln(const Operand& a, int d) {
  SiteScope here(a.site());
  if (d < 1)
    fail("dtype",
         a.site(),
         fmt::format("multigammaln: there is no gamma function of dimension {}", d),
         {},
         "dimensions count from 1");
  const Array x = real(a, "multigammaln");
  Array sum = full_like(x, 0.25 * d * (d - 1) * std::log(std::numbers::pi));
  for (int k = 0; k < d; ++k) sum = sum + gammaln(x - 0.5 * k);
  return sum;
}

Array gammainc(const Operand& a, const Operand& x) {
  return of_table("igamma", "gammainc", {&a, &x});
}
Array gammaincc(const Operand& a, const Operand& x) {
  return of_table("igammac", "gammaincc", {&a, &x});
}
Array betainc(const Operand& a, const Operand& b, const Operand& x) {
  return of_table("betainc", "betainc", {&a, &b, &x});
}

Array erf(const Operand& x) { return unary("erf", x, "erf"); }
Array erfc(const Operand& x) { return unary("erfc", x, "erfc"); }
Array erfinv(const Operand& x) { return fx::erf_inv(x); }

Array ndtr(const Operand& x) {
  SiteScope here(x.site());
  return special::erfc(real(x, "ndtr") * -std::numbers::sqrt2 / 2) * 0.5;
}

/// Below -5 by the continued fraction of Mills' ratio, whose terms are n / (x + ...); above, by
/// the distribution function or its complement, whichever is small.
Array log_ndtr(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "log_ndtr");
  return in_wide(a, [](const Array& w) {
    const Array far = w < -5, middle = where(far, 0, w);
    const Array upper = middle > 0;
    const Array positive = where(upper, middle, 1), negative = where(upper, -1, middle);
    const Array near = where(upper, log1p(-ndtr(-positive)), log(ndtr(negative)));
    const Array y = where(far, -w, 6);
    Array rest = zeros_like(y);
    for (int n = 40; n >= 1; --n) rest = n / (y + rest);
    const Array tail = -0.5 * y * y - 0.5 * std::log(2 * std::numbers::pi) - log(y + rest);
    return where(far, where(w == -infinity, -infinity, tail), near);
  });
}

Array ndtri(const Operand& p) {
  SiteScope here(p.site());
  const Array a = real(p, "ndtri");
  return in_wide(a, [](const Array& w) {
    const Array inside = (w > 0) & (w < 1);
    const Array safe = where(inside, w, 0.5);
    // From the inverse error function, which loses digits near the ends, one step of Newton's
    // method on the logarithm brings them back.
    const Array small = minimum(safe, 1 - safe);
    const Array turned = 2 * small - 1, edge = turned <= -1;
    Array z = where(
        edge, -sqrt(-2 * log(small)), std::numbers::sqrt2 * fx::erf_inv(where(edge, -0.5, turned)));
    for (int step = 0; step < 3; ++step) {
      const Array value = log_ndtr(z);
      const Array slope = exp(-0.5 * z * z - 0.5 * std::log(2 * std::numbers::pi) - value);
      z = z - (value - log(small)) / slope;
    }
    const Array value = where(safe < 0.5, z, -z);
    return where(inside, value, where(w == 0, -infinity, where(w == 1, infinity, nan)));
  });
}

Array xlogy(const Operand& x, const Operand& y) { return fx::xlogy(x, y); }
Array xlog1py(const Operand& x, const Operand& y) { return fx::xlog1py(x, y); }

Array entr(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "entr");
  const Array positive = a > 0, safe = where(positive, a, 1);
  return where(a < 0, -infinity, where(positive | isnan(a), -a * log(safe), 0));
}

Array rel_entr(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const ArrayList both = meet_real("rel_entr", {&x, &y});
  const Array &a = both[0], &b = both[1];
  const Array inside = (a > 0) & (b > 0), zero = (a == 0) & (b >= 0);
  const Array p = where(inside, a, 1), q = where(inside, b, 1);
  const Array value = where(inside, p * log(p / q), where(zero, zeros_like(a), infinity));
  return where(isnan(a) | isnan(b), nan, value);
}

Array kl_div(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const ArrayList both = meet_real("kl_div", {&x, &y});
  return rel_entr(both[0], both[1]) - both[0] + both[1];
}

Array logit(const Operand& x) { return fx::logit(x); }
Array expit(const Operand& x) { return unary("logistic", x, "expit"); }

Array i0e(const Operand& x) { return of_table("bessel_i0e", "i0e", {&x}); }
Array i1e(const Operand& x) { return of_table("bessel_i1e", "i1e", {&x}); }
Array i0(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "i0");
  return in_wide(a, [](const Array& w) { return exp(abs(w)) * i0e(w); });
}
Array i1(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "i1");
  return in_wide(a, [](const Array& w) { return exp(abs(w)) * i1e(w); });
}

}  // namespace fluxion::special

namespace fluxion::lax {

Array lgamma(const Operand& x) { return special::gammaln(x); }
Array digamma(const Operand& x) { return special::digamma(x); }

}  // namespace fluxion::lax
