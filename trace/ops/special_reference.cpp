// Special functions on the host: long series in long double, where kernels use fractions and short
// expansions.
#include "trace/ops/special_reference.hpp"

#include <cmath>
#include <limits>

namespace fluxion::ops::reference {
namespace {

using Long = long double;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Long pi = 3.14159265358979323846264338327950288L;

/// log |gamma(x)|, x > 0.
Long log_gamma(Long x) {
  int sign = 0;
  return lgammal_r(x, &sign);
}

/// By the recurrence up to 40, and the asymptotic series there.
Long digamma_of_positive(Long x) {
  Long sum = 0;
  for (; x < 40; x += 1) sum -= 1 / x;
  const Long w = 1 / (x * x);
  return sum + std::log(x) - 1 / (2 * x) -
         w * (1.0L / 12 - w * (1.0L / 120 - w * (1.0L / 252 - w * (1.0L / 240 - w / 132))));
}

struct WithDerivative {
  Long value, derivative;
};

/// P(a, x) and its derivative with respect to a: the sum of x^(a+n) e^-x / gamma(a+n+1), whose
/// terms are all positive.
WithDerivative lower_gamma(Long a, Long x) {
  Long term = std::exp(a * std::log(x) - x - log_gamma(a + 1));
  Long slope = std::log(x) - digamma_of_positive(a + 1);
  WithDerivative sum{0, 0};
  for (int n = 1; n < 200000; ++n) {
    sum.value += term;
    sum.derivative += term * slope;
    if (n > x && term * (1 + std::abs(slope)) < 1e-22L * std::abs(sum.derivative) &&
        term < 1e-22L * sum.value)
      break;
    term *= x / (a + n);
    slope -= 1 / (a + n);
    if (term == 0 && n > x) break;
  }
  return sum;
}

/// Q(a, x) by its continued fraction, from the far end.
Long upper_gamma(Long a, Long x) {
  Long fraction = 0;
  for (int n = 20000; n >= 1; --n) {
    const Long k = n;
    fraction = k * (k - a) / (x + 1 - a + 2 * k - fraction);
  }
  return std::exp(a * std::log(x) - x - log_gamma(a)) / (x + 1 - a - fraction);
}

/// I_x(a, b) and its derivative with respect to a: x^a (1-x)^b / (a B(a, b)) times the sum of
/// (a+b)_n / (a+1)_n x^n, whose terms are all positive.
WithDerivative lower_beta(Long a, Long b, Long x) {
  const Long front = std::exp(a * std::log(x) + b * std::log1p(-x) + log_gamma(a + b) -
                              log_gamma(a + 1) - log_gamma(b));
  const Long front_slope = std::log(x) + digamma_of_positive(a + b) - digamma_of_positive(a + 1);
  Long term = 1, slope = 0;
  WithDerivative sum{0, 0};
  for (int n = 0; n < 400000; ++n) {
    sum.value += term;
    sum.derivative += term * slope;
    if (term < 1e-22L * sum.value && n > 50) break;
    term *= (a + b + n) / (a + 1 + n) * x;
    slope += 1 / (a + b + n) - 1 / (a + 1 + n);
  }
  return {front * sum.value, front * (sum.derivative + front_slope * sum.value)};
}

bool proper(double a, double b) { return a > 0 && b > 0 && a < infinity && b < infinity; }

}  // namespace

double digamma(double x) {
  if (std::isnan(x) || x == -infinity) return nan;
  if (x == infinity) return infinity;
  if (x == 0) return std::signbit(x) ? infinity : -infinity;
  if (x > 0) return static_cast<double>(digamma_of_positive(x));
  if (x == std::floor(x)) return nan;
  const Long r = x - std::nearbyint(x);
  return static_cast<double>(digamma_of_positive(1 - static_cast<Long>(x)) - pi / std::tan(pi * r));
}

/// By Newton's method on erf, in the tails on erfc, from Winitzki's estimate.
double erf_inv(double x) {
  if (!(std::abs(x) <= 1)) return nan;
  if (std::abs(x) == 1) return x * infinity;
  if (x == 0) return x;
  const Long t = std::abs(static_cast<Long>(x));
  const Long log_part = std::log((1 - t) * (1 + t));
  const Long a = 0.147L, u = 2 / (pi * a) + log_part / 2;
  Long y = std::sqrt(std::sqrt(u * u - log_part / a) - u);
  for (int step = 0; step < 8; ++step) {
    const Long off = t < 0.5L ? std::erf(y) - t : (1 - t) - std::erfc(y);
    y -= off * std::sqrt(pi) / 2 * std::exp(y * y);
  }
  return static_cast<double>(x < 0 ? -y : y);
}

double zeta(double s, double q) {
  if (std::isnan(s) || std::isnan(q)) return nan;
  if (s == 1) return infinity;
  if (s < 1) return nan;
  if (q == infinity) return 0;
  if (q == -infinity) return nan;
  if (q <= 0 && q == std::floor(q)) return infinity;
  if (q <= 0 && s != std::floor(s)) return nan;
  if (s == infinity) return q == 1 ? 1 : nan;
  Long sum = 0, w = q;
  for (int n = 0; n < 60 || w < 40; ++n, w += 1) sum += std::pow(w, -static_cast<Long>(s));
  const Long first = std::pow(w, -static_cast<Long>(s)), z = s;
  sum += first * w / (z - 1) + first / 2;
  Long rising = z * first / w;
  sum += rising / 12;
  rising *= (z + 1) * (z + 2) / (w * w);
  sum -= rising / 720;
  rising *= (z + 3) * (z + 4) / (w * w);
  sum += rising / 30240;
  rising *= (z + 5) * (z + 6) / (w * w);
  sum -= rising / 1209600;
  rising *= (z + 7) * (z + 8) / (w * w);
  return static_cast<double>(sum + rising / 47900160);
}

double polygamma(double n, double x) {
  if (!(n >= 0) || n != std::floor(n)) return nan;
  if (n == 0) return digamma(x);
  const double size = std::tgamma(n + 1) * zeta(n + 1, x);
  return std::fmod(n, 2) == 1 ? size : -size;
}

double igamma(double a, double x) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0) || (a == infinity && x == infinity)) return nan;
  if (a == infinity) return 0;
  if (x == 0) return 0;
  if (a == 0 || x == infinity) return 1;
  if (x > 10 * a + 100) return static_cast<double>(1 - upper_gamma(a, x));
  return static_cast<double>(lower_gamma(a, x).value);
}

double igammac(double a, double x) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0) || (a == infinity && x == infinity)) return nan;
  if (a == infinity) return 1;
  if (x == 0) return 1;
  if (a == 0 || x == infinity) return 0;
  if (x > a + 1) return static_cast<double>(upper_gamma(a, x));
  return static_cast<double>(1 - lower_gamma(a, x).value);
}

double igamma_grad_a(double a, double x) {
  if (!(a >= 0 && x >= 0) || (a == 0 && x == 0) || (a == infinity && x == infinity)) return nan;
  if (a == infinity || x == 0 || a == 0 || x == infinity) return 0;
  return static_cast<double>(lower_gamma(a, x).derivative);
}

double betainc(double a, double b, double x) {
  if (!proper(a, b) || !(x >= 0 && x <= 1)) return nan;
  if (x == 0 || x == 1) return x;
  if (x <= 0.9) return static_cast<double>(lower_beta(a, b, x).value);
  return static_cast<double>(1 - lower_beta(b, a, 1 - static_cast<Long>(x)).value);
}

double betainc_grad_a(double a, double b, double x) {
  if (!proper(a, b) || !(x >= 0 && x <= 1)) return nan;
  if (x == 0 || x == 1) return 0;
  return static_cast<double>(lower_beta(a, b, x).derivative);
}

double bessel_ie(int n, double x) {
  if (std::isnan(x)) return nan;
  if (std::isinf(x)) return n == 1 && x < 0 ? -0.0 : 0.0;
  const Long y = std::abs(x);
  const double sign = n == 1 && std::signbit(x) ? -1 : 1;
  if (y > 300) {  // Hankel's expansion
    Long term = 1, sum = 0;
    for (int k = 1; k < 20; ++k) {
      sum += term;
      term *= -(4.0L * n * n - (2 * k - 1) * (2 * k - 1)) / (k * 8 * y);
    }
    return sign * static_cast<double>(sum / std::sqrt(2 * pi * y));
  }
  Long term = n == 0 ? 1 : y / 2, sum = 0;
  for (int k = 1; k < 2000; ++k) {
    sum += term;
    term *= y * y / (4.0L * k * (k + n));
  }
  return sign * static_cast<double>(sum * std::exp(-y));
}

}  // namespace fluxion::ops::reference
