// Distributions with parameters: gamma samples by rejection and what is made of them, and those in
// closed form, by the rules of jax.random.
#include "fluxion/control_flow.hpp"
#include "fluxion/linalg.hpp"
#include "fluxion/random.hpp"
#include "fluxion/rules.hpp"
#include "trace/composed/common.hpp"
#include "trace/ops/distributions.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace fluxion::random {
namespace {

using namespace composed;

void check_float(std::string_view who, DType d, const Site& site) {
  if (d == float32 || d == float64) return;
  fail("dtype",
       site,
       fmt::format("{}: it computes in float32 or float64, not {}", who, to_string(d)));
}

/// A parameter in the dtype of the samples, repeated to their shape.
Array parameter(std::string_view who, const Operand& p, const Shape& shape, DType d) {
  check_float(who, d, p.site());
  return broadcast(who, as(p, d, who), shape, p.site());
}

Shape shape_of_operand(const Operand& p) { return p.weak() ? Shape() : shape_of(array_of(p)); }

Shape common_shape(std::string_view who, const Operand& a, const Operand& b) {
  return broadcast_shapes(who, shape_of_operand(a), shape_of_operand(b), {}, a.site());
}

// Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; below 1 the parameter
// is raised by 1, and a power of a uniform number makes up for it.
Array gamma_of_one(const Array& key, const Array& alpha, bool logarithm) {
  const DType d = type_of(alpha).dtype;
  const auto number = [&](double x) { return literal(x, d, current_site(Site())); };
  const Array large = alpha >= 1, raised = where(large, alpha, alpha + 1);
  const Array shifted = raised - 1.0 / 3, scale = 1.0 / 3 / sqrt(shifted);
  using State = std::tuple<Array, Array, Array, Array>;  // key, x^2, v^3, u
  const auto rejected = [shifted](const State& s) {
    const auto& [key, x, v, u] = s;
    return (u >= 1 - 0.0331 * (x * x)) & (log(u) >= x * 0.5 + shifted * (1 - v + log(v)));
  };
  const auto draw = [scale, d, number](const State& s) {
    const std::array<Array, 3> keys = split<3>(std::get<0>(s));
    using Inner = std::tuple<Array, Array, Array>;  // key, x, v
    const auto [unused, x, v] = while_loop([](const Inner& s) { return std::get<2>(s) <= 0; },
                                           [scale, d](const Inner& s) {
                                             const std::array<Array, 2> keys =
                                                 split<2>(std::get<0>(s));
                                             const Array x = normal(keys[1], {}, d);
                                             return Inner(keys[0], x, 1 + x * scale);
                                           },
                                           Inner(keys[1], number(0), number(-1)));
    return State(keys[0], x * x, v * v * v, uniform(keys[2], {}, d));
  };
  const std::array<Array, 2> keys = split<2>(key);
  const State end = while_loop(rejected, draw, State(keys[0], number(0), number(1), number(2)));
  const Array& v = std::get<2>(end);
  if (!logarithm) {
    const Array boost = power(1 - uniform(keys[1], {}, d), 1 / alpha);
    return shifted * v * where(large, 1, boost);
  }
  const Array exponent = -exponential(keys[1], {}, d);
  const Array boost = where(large | (exponent == 0), 0, exponent * (1 / alpha));
  return log(shifted) + log(v) + boost;
}

/// One key for each element.
Array gamma_of_all(const Array& key, const Array& alpha, bool logarithm) {
  const std::int64_t count = element_count(shape_of(alpha));
  if (count == 0) return alpha;
  const Array keys = split(key, count);
  const auto one = [logarithm](Array k, Array a) { return gamma_of_one(k, a, logarithm); };
  return vmap(one)(keys, alpha.flatten()).reshape(shape_of(alpha));
}

Array gamma_samples(const Array& key, const Array& alpha, bool logarithm) {
  const auto sample =
      custom_jvp([logarithm](Array k, Array a) { return gamma_of_all(k, a, logarithm); },
                 [logarithm](auto primals, auto tangents) {
                   const auto& [k, a] = primals;
                   const Array y = gamma_of_all(k, a, logarithm);
                   const double tiny = type_of(a).dtype == float64 ? 0x1p-1022 : 0x1p-126;
                   const Array x = logarithm ? where(exp(y) == 0, tiny, exp(y)) : y;
                   const Array slope = random_gamma_grad(a, x);
                   return std::pair{y, (logarithm ? slope / x : slope) * std::get<1>(tangents)};
                 });
  return sample(key, alpha);
}

}  // namespace

Array random_gamma_grad(const Operand& a, const Operand& x) {
  SiteScope here(a.site());
  const Pair p = meet("random_gamma_grad", a, x, real_dtype(common_dtype({&a, &x})));
  return ops::random_gamma_grad(p.x, p.y, a.site());
}

Array gamma(const Operand& key, const Operand& a) { return gamma(key, a, shape_of_operand(a)); }
Array gamma(const Operand& key, const Operand& a, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return gamma_samples(array_of(key), parameter("gamma", a, shape, d), false);
}

Array loggamma(const Operand& key, const Operand& a) {
  return loggamma(key, a, shape_of_operand(a));
}
Array loggamma(const Operand& key, const Operand& a, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return gamma_samples(array_of(key), parameter("loggamma", a, shape, d), true);
}

Array beta(const Operand& key, const Operand& a, const Operand& b) {
  return beta(key, a, b, common_shape("beta", a, b));
}
Array beta(const Operand& key, const Operand& a, const Operand& b, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const std::array<Array, 2> keys = split<2>(key);
  const Array x = gamma_samples(keys[0], parameter("beta", a, shape, d), true),
              y = gamma_samples(keys[1], parameter("beta", b, shape, d), true);
  const Array largest = maximum(x, y), p = exp(x - largest), q = exp(y - largest);
  return p / (p + q);
}

Array dirichlet(const Operand& key, const Operand& alpha) {
  const Array a = array_of(alpha);
  if (rank_of(a) == 0) return dirichlet(key, alpha, Shape());
  return dirichlet(key, alpha, without_axes(shape_of(a), {rank_of(a) - 1}));
}
Array dirichlet(const Operand& key, const Operand& alpha, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const Array a = array_of(alpha);
  if (rank_of(a) == 0)
    fail("shape", alpha.site(), "dirichlet: alpha has an axis with one number for each class");
  Shape full = shape;
  full.push_back(size_at(a, rank_of(a) - 1));
  return softmax(gamma_samples(array_of(key), parameter("dirichlet", alpha, full, d), true), -1);
}

Array chisquare(const Operand& key, const Operand& df) {
  return chisquare(key, df, shape_of_operand(df));
}
Array chisquare(const Operand& key, const Operand& df, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const Array half = parameter("chisquare", df, shape, d) / 2;
  return exp(gamma_samples(array_of(key), half, true)) * 2;
}

Array t(const Operand& key, const Operand& df) { return t(key, df, shape_of_operand(df)); }
Array t(const Operand& key, const Operand& df, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const std::array<Array, 2> keys = split<2>(key);
  const Array half = parameter("t", df, shape, d) / 2;
  return normal(keys[0], shape, d) * sqrt(half / gamma_samples(keys[1], half, false));
}

Array f(const Operand& key, const Operand& dfnum, const Operand& dfden) {
  return f(key, dfnum, dfden, common_shape("f", dfnum, dfden));
}
Array f(
    const Operand& key, const Operand& dfnum, const Operand& dfden, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const std::array<Array, 2> keys = split<2>(key);  // the denominator's first
  const Array n = parameter("f", dfnum, shape, d), m = parameter("f", dfden, shape, d);
  const Array above = chisquare(keys[1], n, shape, d), below = chisquare(keys[0], m, shape, d);
  return above / n / (below / m);
}

Array pareto(const Operand& key, const Operand& b) { return pareto(key, b, shape_of_operand(b)); }
Array pareto(const Operand& key, const Operand& b, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return exp(exponential(key, shape, d) / parameter("pareto", b, shape, d));
}

Array weibull_min(const Operand& key,
                  const Operand& scale,
                  const Operand& concentration,
                  const Shape& shape,
                  DType d) {
  SiteScope here(key.site());
  const Array power_of = 1 / parameter("weibull_min", concentration, shape, d);
  return power(-log1p(-uniform(key, shape, d)), power_of) *
         parameter("weibull_min", scale, shape, d);
}

Array maxwell(const Operand& key, const Shape& shape, DType d) {
  SiteScope here(key.site());
  Shape vectors = shape;
  vectors.push_back(3);
  return sqrt(sum(square(normal(key, vectors, d)), -1));
}

Array lognormal(const Operand& key, const Operand& sigma, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return exp(normal(key, shape, d) * parameter("lognormal", sigma, shape, d));
}

Array rayleigh(const Operand& key, const Operand& scale, const Shape& shape, DType d) {
  SiteScope here(key.site());
  return parameter("rayleigh", scale, shape, d) * sqrt(log(uniform(key, shape, d)) * -2);
}

Array geometric(const Operand& key, const Operand& p, const Shape& shape, DType d) {
  SiteScope here(key.site());
  const DType real = p.weak() ? float32 : real_dtype(composed::dtype_of(p));
  const Array u = uniform(key, shape, real), inside = where(u == 0, 1, u);
  return (floor(log(inside) / log1p(-parameter("geometric", p, shape, real))) + 1).astype(d);
}

Array triangular(const Operand& key,
                 const Operand& left,
                 const Operand& mode,
                 const Operand& right,
                 const Shape& shape,
                 DType d) {
  SiteScope here(key.site());
  const Array a = parameter("triangular", left, shape, d),
              b = parameter("triangular", mode, shape, d),
              c = parameter("triangular", right, shape, d), u = uniform(key, shape, d);
  return where(u < (b - a) / (c - a),
               a + sqrt(u * (c - a) * (b - a)),
               c - sqrt((1 - u) * (c - a) * (c - b)));
}

Array multivariate_normal(const Operand& key, const Operand& mean, const Operand& cov) {
  const Array m = array_of(mean), c = array_of(cov);
  if (rank_of(m) < 1 || rank_of(c) < 2) return multivariate_normal(key, mean, cov, Shape());
  return multivariate_normal(
      key,
      mean,
      cov,
      broadcast_shapes("multivariate_normal",
                       without_axes(shape_of(m), {rank_of(m) - 1}),
                       without_axes(shape_of(c), {rank_of(c) - 2, rank_of(c) - 1}),
                       {},
                       mean.site()));
}

Array multivariate_normal(
    const Operand& key, const Operand& mean, const Operand& cov, const Shape& shape, DType d) {
  SiteScope here(key.site());
  check_float("multivariate_normal", d, key.site());
  const Array m = as(mean, d, "multivariate_normal"), c = as(cov, d, "multivariate_normal");
  const int rank = rank_of(c);
  if (rank_of(m) < 1 || rank < 2 || size_at(c, rank - 1) != size_at(m, rank_of(m) - 1) ||
      size_at(c, rank - 2) != size_at(c, rank - 1))
    fail("matrix",
         mean.site(),
         "multivariate_normal: the mean is [..., n], the covariance [..., n, n]",
         {fmt::format("mean {}", to_string(type_of(m))),
          fmt::format("cov {}", to_string(type_of(c)))});
  Shape full = shape;
  full.push_back(size_at(m, rank_of(m) - 1));
  const Array z = normal(key, full, d), factor = linalg::cholesky(c);
  return m + squeeze(matmul(factor, expand_dims(z, -1)), -1);
}

Array orthogonal(const Operand& key,
                 std::int64_t n,
                 const Shape& shape,
                 DType d,
                 std::optional<std::int64_t> m) {
  SiteScope here(key.site());
  check_float("orthogonal", d, key.site());
  const std::int64_t columns = m.value_or(n);
  Shape full = shape;
  full.push_back(std::max(n, columns));
  full.push_back(std::min(n, columns));
  const auto [q, r] = linalg::qr(normal(key, full, d));
  const Array x = q * expand_dims(sign(linalg::diagonal(r)), -2);
  return n < columns ? swapaxes(x, -1, -2) : x;
}

}  // namespace fluxion::random
