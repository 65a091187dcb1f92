// How a sample of the gamma distribution moves with its shape parameter: the derivative of the
// inverse of the regularized incomplete gamma function, by implicit differentiation.
#include "trace/kernel/math.hpp"
#include "trace/ops/distributions.hpp"
#include "trace/ops/elementwise.hpp"

#include <cmath>
#include <limits>

namespace fluxion::ops {
std::span<const Rules* const> random_gamma_grad_rules();

namespace {
using kernel::Builder;
using kernel::Scalar;

// With P(a, x) the distribution function and p its density, dx/da = -(dP/da) / p.
struct RandomGammaGrad {
  static constexpr auto name = "random_gamma_grad";  // operands: a, x

  Types types(TypeList in) const {
    check_operand_count(name, in, 2);
    check_alike(name, in);
    if (in[0].dtype != float32 && in[0].dtype != float64)
      fail("dtype",
           Site(),
           "random_gamma_grad: it computes in f32 or f64, not " + to_string(in[0].dtype),
           {},
           "convert with astype");
    return {in[0]};
  }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    if (!defined(dx[0]) && !defined(dx[1])) return {Array()};
    fail(
        "no-derivative",
        rule_site(),
        "random_gamma_grad: it has no derivative, so samples of the gamma distribution and what is "
        "made of them can be differentiated once");
  }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }

  void body(kernel::Nest& nest) const {
    nest.phase(nest.result().shape, [&nest](const kernel::Index& index) {
      nest.write(0, index, derivative(nest.builder(), nest.read(0, index), nest.read(1, index)));
    });
  }

  static Scalar derivative(Builder& b, Scalar a, Scalar x) {
    const Scalar zero = a.like(0), one = a.like(1);
    const Scalar wrong = ~((a > 0) & (x >= zero)), still = wrong | (x == 0.0);
    const Scalar upper = (x > one) & (x > a);
    // Where nothing is to be computed both loops get numbers that end them soon.
    const Scalar safe_a = select(still, one, a), safe_x = select(still, one, x);
    const Scalar low = series(b, safe_a, select(upper, zero, safe_x), safe_x),
                 high = fraction(b, safe_a, select(upper, safe_x, safe_a + 2), safe_x);
    const Scalar result = select(upper, high, low);
    return select(
        wrong, a.like(std::numeric_limits<double>::quiet_NaN()), select(x == 0.0, zero, result));
  }

  static double epsilon(Scalar a) { return a.type() == float64 ? 0x1p-52 : 0x1p-23; }

  // P = x^a e^-x / Gamma(a + 1) times the sum of c_k = x^k / (a + 1) ... (a + k).
  static Scalar series(Builder& b, Scalar a, Scalar x, Scalar logged) {
    const Scalar zero = a.like(0), one = a.like(1), small = a.like(epsilon(a));
    const auto end = b.repeat_while(
        {a, one, one, zero, zero, one},  // a + k, c, sum, dc/da, d sum/da, the last relative change
        [&](const std::vector<Scalar>& c) { return c[5] > small; },
        [&](const std::vector<Scalar>& c) {
          const Scalar r = c[0] + 1, ratio = x / r;
          const Scalar dc = c[3] * ratio - c[1] * x / (r * r), dsum = c[4] + dc;
          const Scalar term = c[1] * ratio;
          const Scalar change = select(dsum == 0.0, zero, abs(dc / dsum));
          return std::vector<Scalar>{r, term, c[2] + term, dc, dsum, change};
        });
    const Scalar of_power = kernel::log(logged) - kernel::digamma(a + 1);
    return -(end[4] + end[2] * of_power) * logged / a;
  }

  // 1 - P = x^a e^-x / Gamma(a) times a continued fraction p / q (Abramowitz and Stegun 6.5.31,
  // even part), whose numerators and denominators follow one recurrence.
  static Scalar fraction(Builder& b, Scalar a, Scalar x, Scalar logged) {
    const Scalar zero = a.like(0), one = a.like(1), small = a.like(epsilon(a));
    const Scalar y = one - a, z = x + y + 1, q = z * x, value = (x + 1) / q;
    const Scalar first = value * x / q;
    enum { P1, Q1, P2, Q2, DP1, DQ1, DP2, DQ2, K, Y, Z, Value, Slope, Change };
    const auto end = b.repeat_while(
        {x + 1, q, one, x, zero, -x, zero, zero, zero, y, z, value, first, one},
        [&](const std::vector<Scalar>& c) { return (c[Change] > small) & (c[K] < 2000); },
        [&](const std::vector<Scalar>& c) {
          const Scalar k = c[K] + 1, y = c[Y] + 1, z = c[Z] + 2, yk = y * k;
          const Scalar p = c[P1] * z - c[P2] * yk, q = c[Q1] * z - c[Q2] * yk;
          const Scalar dp = c[DP1] * z - c[P1] - c[DP2] * yk + c[P2] * k;
          const Scalar dq = c[DQ1] * z - c[Q1] - c[DQ2] * yk + c[Q2] * k;
          const Scalar none = q == 0.0;
          const Scalar value = select(none, c[Value], p / q);
          const Scalar slope = select(none, c[Slope], (dp - value * dq) / q);
          const Scalar change = select(none, one, abs(slope - c[Slope]));
          const Scalar scale = select(abs(p) > one / small, small, one);
          return std::vector<Scalar>{p * scale,
                                     q * scale,
                                     c[P1] * scale,
                                     c[Q1] * scale,
                                     dp * scale,
                                     dq * scale,
                                     c[DP1] * scale,
                                     c[DQ1] * scale,
                                     k,
                                     y,
                                     z,
                                     value,
                                     slope,
                                     change};
        });
    const Scalar of_power = kernel::log(logged) - kernel::digamma(a);
    return (end[Slope] + end[Value] * of_power) * logged;
  }

  // By differences of P in extended precision.
  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_floating_point_v<T>)
        for (std::int64_t i = 0; i < element_count(in[0].type.shape); ++i)
          out[0].as<T>()[i] = static_cast<T>(host_derivative(in[0].as<T>()[i], in[1].as<T>()[i]));
    });
  }

  using Long = long double;
  /// Of the smaller of P and 1 - P.
  static Long distribution(Long a, Long x, bool upper) {
    const Long scale = std::exp(a * std::log(x) - x - std::lgamma(a));
    if (!upper) {
      Long term = 1 / a, sum = term;
      for (int k = 1; term > sum * 1e-22L; ++k) sum += term *= x / (a + k);
      return sum * scale;
    }
    // Lentz's method.
    Long b = x + 1 - a, c = 1e300L, d = 1 / b, h = d;
    for (int k = 1; k < 5000; ++k) {
      const Long n = -k * (k - a);
      b += 2;
      d = 1 / (n * d + b);
      c = b + n / c;
      h *= d * c;
      if (std::abs(d * c - 1) < 1e-20L) break;
    }
    return h * scale;
  }
  static Long host_derivative(Long a, Long x) {
    if (!(a > 0 && x >= 0)) return std::numeric_limits<Long>::quiet_NaN();
    if (x == 0) return 0;
    const bool upper = x > 1 && x > a;
    const Long h = 0.01L * std::min<Long>(1, a);
    const auto both = [&](int k) {
      return distribution(a + k * h, x, upper) - distribution(a - k * h, x, upper);
    };
    const Long slope = (both(1) * 4 / 5 - both(2) / 5 + both(3) * 4 / 105 - both(4) / 280) / h;
    const Long density = std::exp((a - 1) * std::log(x) - x - std::lgamma(a));
    return (upper ? slope : -slope) / density;
  }
};

constexpr const Rules* rules[] = {rules_of<RandomGammaGrad>()};
}  // namespace

std::span<const Rules* const> random_gamma_grad_rules() { return rules; }

Array random_gamma_grad(const Array& a, const Array& x, const Site& site) {
  return emit(RandomGammaGrad(), {a, x}, site);
}

}  // namespace fluxion::ops
