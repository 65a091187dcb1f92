// The series and continued fractions of the special functions, on numbers and on numbers with a
// derivative.
#include "trace/kernel/special.hpp"

#include "trace/kernel/math.hpp"
#include "trace/kernel/math_verbs.hpp"
#include "trace/kernel/special_coefficients.hpp"

namespace fluxion::kernel {
namespace {

constexpr double epsilon = 0x1p-53;
constexpr double most_terms = 20000;  // of a loop that does not converge: for NaN and the like

/// A number and its derivative with respect to one variable.
struct Dual {
  Scalar v, d;
};
Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
Dual operator/(Dual a, Dual b) {
  const Scalar quotient = a.v / b.v;
  return {quotient, (a.d - quotient * b.d) / b.v};
}
Dual operator+(Dual a, double b) { return {a.v + b, a.d}; }
Dual operator-(double a, Dual b) { return {a - b.v, -b.d}; }
Dual operator*(Dual a, double b) { return {a.v * b, a.d * b}; }
Dual operator/(double a, Dual b) {
  const Scalar quotient = a / b.v;
  return {quotient, -(quotient * b.d) / b.v};
}
Dual operator-(Dual a) { return {-a.v, -a.d}; }
Dual exp(Dual a) {
  const Scalar e = exp(a.v);
  return {e, e * a.d};
}
Dual log(Dual a) { return {log(a.v), a.d / a.v}; }
Dual log1p(Dual a) { return {log1p(a.v), a.d / (a.v + 1.0)}; }
Dual lgamma(Dual a) { return {lgamma(a.v), digamma(a.v) * a.d}; }
Dual select(Scalar condition, Dual yes, Dual no) {
  return {select(condition, yes.v, no.v), select(condition, yes.d, no.d)};
}

Scalar value_of(Scalar x) { return x; }
Scalar value_of(Dual x) { return x.v; }
Scalar like(Scalar x, double value) { return x.like(value); }
Dual like(Dual x, double value) { return {x.v.like(value), x.v.like(0)}; }
/// A plain number beside numbers of this kind.
Scalar promoted(Scalar, Scalar n) { return n; }
Dual promoted(Dual, Scalar n) { return {n, n.like(0)}; }
/// Whether a change no longer counts.
Scalar settled(Scalar change, Scalar sum) { return abs(change) <= abs(sum) * epsilon; }
Scalar settled(Dual change, Dual sum) {
  // A derivative may be near zero: it counts beside the value.
  return settled(change.v, sum.v) &
         (abs(change.d) <= (abs(sum.d) + abs(sum.v) * epsilon) * epsilon);
}
void append(std::vector<Scalar>& to, Scalar x) { to.push_back(x); }
void append(std::vector<Scalar>& to, Dual x) {
  to.push_back(x.v);
  to.push_back(x.d);
}
void take(const std::vector<Scalar>& from, std::size_t& at, Scalar& x) { x = from[at++]; }
void take(const std::vector<Scalar>& from, std::size_t& at, Dual& x) {
  x.v = from[at++];
  x.d = from[at++];
}

/// Repeats step(n, state) -> (state, done), n = 1, 2, ..., until done; only where `wanted` holds.
template <class F, std::size_t N, class Step>
std::array<F, N> until_settled(std::array<F, N> state, Scalar wanted, const Step& step) {
  const Scalar one = value_of(state[0]).like(1), zero = value_of(state[0]).like(0);
  std::vector<Scalar> initial = {one, select(wanted, one, zero)};
  for (const F& x : state) append(initial, x);
  const auto last = one.builder().repeat_while(
      initial,
      [](std::vector<Scalar> now) { return (now[1] > 0.0) & (now[0] < most_terms); },
      [&](std::vector<Scalar> now) {
        std::array<F, N> at = state;
        std::size_t k = 2;
        for (F& x : at) take(now, k, x);
        auto [next, done] = step(now[0], at);
        std::vector<Scalar> out = {now[0] + 1.0, select(done, zero, one)};
        for (const F& x : next) append(out, x);
        return out;
      });
  std::size_t k = 2;
  for (F& x : state) take(last, k, x);
  return state;
}

Scalar nan_like(Scalar x) { return x.like(not_a_number); }

/// log(x^a e^-x / gamma(a)). For large a by Stirling's formula in (x - a) / a, which keeps the
/// digits that a log x - x - lgamma(a) would lose.
template <class F> F log_gamma_weight(F a, F x) {
  const F direct = a * log(x) - x - lgamma(a);
  const F excess = (x - a) / a;
  const F w = 1.0 / (a * a);
  // The tail of Stirling's series.
  F tail = like(a, 1.0 / 156);
  for (double c : {-691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12})
    tail = tail * w + c;
  const F stirling = -(a * (excess - log1p(excess))) + log(a) * 0.5 - tail / a +
                     -0.91893853320467274178;  // - log(2 pi) / 2
  const Scalar near = (value_of(a) > 20.0) & (abs(value_of(excess)) < 0.75);
  return select(near, stirling, direct);
}

/// P(a, x) by its power series, where x is not much above a.
template <class F> F igamma_series(F a, F x, F weight, Scalar wanted) {
  // sum of x^n / ((a + 1) ... (a + n))
  const auto sums = until_settled(
      std::array<F, 2>{like(a, 1), like(a, 1)}, wanted, [&](Scalar n, const std::array<F, 2>& s) {
        const F next = s[0] * (x / (a + promoted(a, n)));
        const F sum = s[1] + next;
        return std::pair{std::array<F, 2>{next, sum}, settled(next, sum)};
      });
  return weight * sums[1] / a;
}

/// Q(a, x) by Legendre's continued fraction (Lentz), where x is above a.
template <class F> F igammac_fraction(F a, F x, F weight, Scalar wanted) {
  const F b0 = x + 1.0 - a;
  const F c0 = like(a, 1e300), d0 = 1.0 / b0;
  const auto state = until_settled(
      std::array<F, 4>{b0, c0, d0, d0}, wanted, [&](Scalar n, const std::array<F, 4>& s) {
        const F number = promoted(a, n);
        const F factor = -(number * (number - a));
        const F b = s[0] + 2.0;
        const F d = 1.0 / (factor * s[2] + b), c = b + factor / s[1];
        const F change = c * d;
        const F h = s[3] * change;
        return std::pair{std::array<F, 4>{b, c, d, h}, settled(h - s[3], h)};
      });
  return weight * state[3];
}

/// The lower function, or the upper, in whichever form loses no digits.
template <class F> F incomplete_gamma(F a, F x, bool upper) {
  const Scalar av = value_of(a), xv = value_of(x);
  const Scalar valid = (av > 0.0) & (xv > 0.0) & (xv < infinity) & (av < infinity);
  const Scalar tail = (xv > 1.0) & (xv > av);
  const F safe_a = select(valid, a, like(a, 1)), safe_x = select(valid, x, like(x, 1));
  const F weight = exp(log_gamma_weight(safe_a, safe_x));
  const F below = igamma_series(safe_a, safe_x, weight, valid & ~tail);
  const F above = igammac_fraction(safe_a, safe_x, weight, valid & tail);
  F value = upper ? select(tail, above, 1.0 - below) : select(tail, 1.0 - above, below);
  const Scalar positive = (av > 0.0) & (av < infinity);
  const F at_zero = like(a, upper ? 1 : 0), at_infinity = like(a, upper ? 0 : 1);
  value = select(positive & (xv == 0.0), at_zero, value);
  value = select(positive & (xv == infinity), at_infinity, value);
  // a = 0 and a = infinity are limits: everything lies below, or above.
  value = select((av == 0.0) & (xv > 0.0), at_infinity, value);
  value = select((av == infinity) & (xv >= 0.0) & (xv < infinity), at_zero, value);
  const Scalar refused = ~((av >= 0.0) & (xv >= 0.0)) | ((av == 0.0) & (xv == 0.0)) |
                         ((av == infinity) & (xv == infinity));
  return select(refused, like(a, not_a_number), value);
}

/// The continued fraction of the incomplete beta function (Lentz), for x below its mean.
template <class F> F beta_fraction(F a, F b, F x, Scalar wanted) {
  const F d0 = 1.0 / (like(a, 1) - (a + b) * x / (a + 1.0));
  const auto state = until_settled(
      std::array<F, 3>{like(a, 1), d0, d0}, wanted, [&](Scalar n, const std::array<F, 3>& s) {
        const F m = promoted(a, n);
        const F twice = a + m * 2.0;
        F factor = m * (b - m) * x / ((twice + -1.0) * twice);
        F d = 1.0 / (factor * s[1] + 1.0), c = factor / s[0] + 1.0;
        F h = s[2] * (c * d);
        factor = -((a + m) * (a + b + m) * x / (twice * (twice + 1.0)));
        d = 1.0 / (factor * d + 1.0);
        c = factor / c + 1.0;
        const F change = c * d, next = h * change;
        return std::pair{std::array<F, 3>{c, d, next}, settled(next - h, next)};
      });
  return state[2];
}

template <class F> F incomplete_beta(F a, F b, F x) {
  const Scalar av = value_of(a), bv = value_of(b), xv = value_of(x);
  const Scalar valid =
      (av > 0.0) & (bv > 0.0) & (av < infinity) & (bv < infinity) & (xv > 0.0) & (xv < 1.0);
  const F one = like(a, 1), half = like(a, 0.5);
  const F p = select(valid, a, one), q = select(valid, b, one), y = select(valid, x, half);
  const Scalar mirrored = value_of(y) * (value_of(p) + value_of(q) + 2.0) > value_of(p) + 1.0;
  const F rest = 1.0 - y;
  const F front = exp(p * log(y) + q * log1p(-y) + lgamma(p + q) - lgamma(p) - lgamma(q));
  const F first = select(mirrored, q, p), second = select(mirrored, p, q),
          at = select(mirrored, rest, y);
  const F part = front * beta_fraction(first, second, at, valid) / first;
  F value = select(mirrored, 1.0 - part, part);
  const Scalar proper = (av > 0.0) & (bv > 0.0) & (av < infinity) & (bv < infinity);
  value = select(proper & (xv == 0.0), like(a, 0), value);
  value = select(proper & (xv == 1.0), one, value);
  const Scalar refused = ~(proper & (xv >= 0.0) & (xv <= 1.0));
  return select(refused, like(a, not_a_number), value);
}

/// c[0] + c[1] T1(t) + c[2] T2(t) + ..., by Clenshaw's recurrence.
template <std::size_t N> Scalar chebyshev(Scalar t, const std::array<double, N>& c) {
  const Scalar twice = t + t;
  Scalar now = t.like(c[N - 1]), before = t.like(0);
  for (std::size_t k = N - 1; k-- > 1;) {
    const Scalar next = fma(twice, now, t.like(c[k]) - before);
    before = now;
    now = next;
  }
  return fma(t, now, t.like(c[0]) - before);
}

}  // namespace

Scalar zeta(Scalar s, Scalar q) {
  Builder& b = s.builder();
  b.count_transcendental();
  const Scalar whole_q = floor(q) == q, whole_s = floor(s) == s;
  const Scalar pole = (q <= 0.0) & whole_q;
  const Scalar valid =
      (s > 1.0) & (s < infinity) & ((q > 0.0) | (whole_s & ~whole_q)) & (abs(q) < infinity);
  const Scalar far = q > 1e8;
  const Scalar safe_s = select(valid, s, s.like(2)), safe_q = select(valid, q, q.like(1));
  // The first terms, at least nine and until q + n is above 9.
  const auto sums = b.repeat_while(
      {s.like(0), safe_q, s.like(0)},
      [&](std::vector<Scalar> now) { return ((now[0] < 9.0) | (now[1] < 9.0)) & ~far; },
      [&](std::vector<Scalar> now) {
        return std::vector<Scalar>{now[0] + 1.0, now[1] + 1.0, now[2] + pow(now[1], -safe_s)};
      });
  // The rest by Euler and Maclaurin, from w = q + n on.
  const Scalar w = sums[1], first = pow(w, -safe_s);
  Scalar sum = sums[2] + first * w / (safe_s - 1.0) + first * 0.5;
  Scalar rising = safe_s, power = first / w;
  for (std::size_t k = 0; k < coefficients::euler_maclaurin.size(); ++k) {
    const Scalar term = rising * power / coefficients::euler_maclaurin[k];
    sum = sum + select(power == 0.0, term.like(0), term);
    const double n = 2 * static_cast<double>(k);
    rising = rising * ((safe_s + (n + 1)) * (safe_s + (n + 2)));
    power = power / (w * w);
  }
  const Scalar asymptotic =
      (1.0 / (safe_s - 1.0) + 0.5 / safe_q) * pow(safe_q, safe_s.like(1) - safe_s);
  Scalar value = select(far, asymptotic, sum);
  value = select((s == infinity) & (q == 1.0), s.like(1), value);
  value = select((s == 1.0) | ((s > 1.0) & pole), s.like(infinity), value);
  const Scalar known = valid | (s == 1.0) | ((s > 1.0) & pole) | ((s == infinity) & (q == 1.0));
  value = select((q == infinity) & (s > 1.0), s.like(0), value);
  return select(known | ((q == infinity) & (s > 1.0)), value, nan_like(s));
}

Scalar igamma(Scalar a, Scalar x) { return incomplete_gamma(a, x, false); }
Scalar igammac(Scalar a, Scalar x) { return incomplete_gamma(a, x, true); }
Scalar igamma_grad_a(Scalar a, Scalar x) {
  return incomplete_gamma(Dual{a, a.like(1)}, Dual{x, x.like(0)}, false).d;
}
Scalar betainc(Scalar a, Scalar b, Scalar x) { return incomplete_beta(a, b, x); }
Scalar betainc_grad_a(Scalar a, Scalar b, Scalar x) {
  return incomplete_beta(Dual{a, a.like(1)}, Dual{b, b.like(0)}, Dual{x, x.like(0)}).d;
}

Scalar bessel_i0e(Scalar x) {
  const Scalar y = abs(x), near = y <= 8.0;
  const Scalar small = chebyshev(select(near, y, y.like(0)) * 0.25 - 1.0, coefficients::i0_near);
  const Scalar large = select(near, y.like(8), y);
  const Scalar tail = chebyshev(16.0 / large - 1.0, coefficients::i0_far) / sqrt(large);
  return select(near, small, select(y == infinity, y.like(0), tail));
}
Scalar bessel_i1e(Scalar x) {
  const Scalar y = abs(x), near = y <= 8.0;
  const Scalar small =
      chebyshev(select(near, y, y.like(0)) * 0.25 - 1.0, coefficients::i1_near) * y;
  const Scalar large = select(near, y.like(8), y);
  const Scalar tail = chebyshev(16.0 / large - 1.0, coefficients::i1_far) / sqrt(large);
  const Scalar value = select(near, small, select(y == infinity, y.like(0), tail));
  return select(x < 0.0, -value, value);
}

}  // namespace fluxion::kernel
