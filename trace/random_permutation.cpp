// Random counts, orders and choices, by the rules of jax.random.
#include "fluxion/control_flow.hpp"
#include "fluxion/random.hpp"
#include "fluxion/special.hpp"
#include "trace/composed/common.hpp"
#include "trace/ops/sort.hpp"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <tuple>

namespace fluxion::random {
namespace {

using namespace composed;

Shape shape_of_operand(const Operand& p) { return p.weak() ? Shape() : shape_of(array_of(p)); }

}  // namespace

namespace {

// Knuth: products of uniform numbers until they fall below exp(-lambda).
Array poisson_by_products(const Array& key, const Array& lambda, const Shape& shape, DType d) {
  using State = std::tuple<Array, Array, Array>;  // count, key, sum of logarithms
  const State end =
      while_loop([lambda](const State& s) { return any(std::get<2>(s) > -lambda); },
                 [lambda, shape](const State& s) {
                   const auto& [count, rest, logs] = s;
                   const std::array<Array, 2> keys = split<2>(rest);
                   const Array u = uniform(keys[1], shape, float32);
                   return State(where(logs > -lambda, count + 1, count), keys[0], logs + log(u));
                 },
                 State(zeros(shape, d), key, zeros(shape, float32)));
  return std::get<0>(end) - 1;
}

// Hoermann 1993, "The transformed rejection method for generating Poisson random variables".
Array poisson_by_rejection(const Array& key, const Array& lambda, const Shape& shape, DType d) {
  const DType real = type_of(lambda).dtype;
  const Array log_lambda = log(lambda), b = 0.931 + 2.53 * sqrt(lambda), a = -0.059 + 0.02483 * b;
  const Array inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), limit = 0.9277 - 3.6224 / (b - 2);
  using State = std::tuple<Array, Array, Array>;  // samples, accepted, key
  const State end = while_loop(
      [](const State& s) { return any(!std::get<1>(s)); },
      [=](const State& s) {
        const auto& [samples, accepted, rest] = s;
        const std::array<Array, 3> keys = split<3>(rest);
        const Array u = uniform(keys[1], shape, real) - 0.5, v = uniform(keys[2], shape, real);
        const Array side = 0.5 - abs(u);
        const Array k = floor((2 * a / side + b) * u + lambda + 0.43);
        const Array left = log(v * inverse_alpha / (a / (side * side) + b));
        const Array right = k * log_lambda - lambda - lax::lgamma(k + 1);
        const Array at_once = (side >= 0.07) & (v <= limit);
        const Array never = (k < 0) | ((side < 0.013) & (v > side));
        const Array now = at_once | (~never & (left <= right));
        return State(where(now, k, samples), accepted | now, keys[0]);
      },
      State(full(shape, literal(-1, real, Site())), zeros(shape, bool_), key));
  return std::get<0>(end).astype(d);
}

}  // namespace

Array poisson(const Operand& key, const Operand& lam) {
  return poisson(key, lam, shape_of_operand(lam));
}
Array poisson(const Operand& key, const Operand& lam, const Shape& shape, DType d) {
  SiteScope here(key.site());
  if (!is_integer(d))
    fail("dtype", key.site(), fmt::format("poisson: {} is no integer type", to_string(d)));
  const DType real = lam.weak() ? float32 : real_dtype(composed::dtype_of(lam));
  const Array lambda =
      stop_gradient(broadcast("poisson", as(lam, real, "poisson"), shape, lam.site()));
  const Array few = isnan(lambda) | (lambda < 10), k = array_of(key);
  const Array drawn = where(few,
                            poisson_by_products(k, where(few, lambda, 0).astype(real), shape, d),
                            poisson_by_rejection(k, where(few, 1e5, lambda), shape, d));
  return where(lambda == 0, 0, drawn);
}

namespace {

/// Sorted by random keys so often that two elements hardly ever had equal keys each time.
Array shuffled(const Array& key, const Array& x, int axis, const Site& site) {
  const auto count = static_cast<double>(std::max<std::int64_t>(1, element_count(shape_of(x))));
  const int rounds = static_cast<int>(
      std::ceil(3 * std::log(count) / std::log(std::numeric_limits<std::uint32_t>::max())));
  Array rest = key, result = x;
  for (int k = 0; k < rounds; ++k) {
    const std::array<Array, 2> keys = split<2>(rest);
    rest = keys[0];
    const Array operands[] = {bits(keys[1], shape_of(x)), result};
    result = ops::sort(operands, axis, 1, false, site)[1];
  }
  return result;
}

}  // namespace

Array permutation(const Operand& key, std::int64_t n) {
  SiteScope here(key.site());
  return shuffled(array_of(key), arange(n, int32), 0, key.site());
}

Array permutation(const Operand& key, const Array& x, int axis, bool independent) {
  SiteScope here(key.site());
  const int rank = x.ndim(key.site()), k = axis_of("permutation", axis, rank, key.site());
  if (independent || rank == 1) return shuffled(array_of(key), x, k, key.site());
  const Array order = shuffled(array_of(key), arange(size_at(x, k), int32), 0, key.site());
  return take(x, order, k);
}

Array shuffle(const Operand& key, const Array& x, int axis) {
  return permutation(key, x, axis, true);
}

namespace {

/// Positions below n, drawn as jax.random.choice draws them.
Array chosen(const Array& key,
             std::int64_t n,
             const Shape& shape,
             bool replace,
             const Array* p,
             const Site& site) {
  const std::int64_t draws = element_count(shape);
  if (n <= 0 && draws > 0) fail("choice", site, "choice: there is nothing to choose from");
  if (!replace && draws > n)
    fail("choice",
         site,
         fmt::format("choice: {} draws from {} without replacement", draws, n),
         {},
         "pass replace = true");
  if (!p)
    return replace ? randint(key, shape, 0, n)
                   : slice_axis(permutation(key, n), 0, 0, draws, 1, site).reshape(shape);
  const Array weights = real(Operand(*p, site), "choice");
  if (shape_of(weights) != Shape{n})
    fail("choice",
         site,
         fmt::format("choice: p has the type {}, and there are {} to choose from",
                     to_string(type_of(weights)),
                     n));
  const DType d = type_of(weights).dtype;
  if (replace) {
    const Array sums = cumsum(weights);
    const Array r = sums[n - 1] * (1 - uniform(key, shape, d));
    return sum(sums < expand_dims(r, -1), -1);
  }
  const Array noisy = gumbel(key, {n}, d) + log(weights);
  const Array operands[] = {noisy, arange(n, int32)};
  const Array order = ops::sort(operands, 0, 1, true, site)[1];
  return slice_axis(order, 0, 0, draws, 1, site).reshape(shape);
}

}  // namespace

Array choice(const Operand& key, std::int64_t n, const Shape& shape, bool replace) {
  SiteScope here(key.site());
  return chosen(array_of(key), n, shape, replace, nullptr, key.site());
}
Array choice(const Operand& key, std::int64_t n, const Shape& shape, bool replace, const Array& p) {
  SiteScope here(key.site());
  return chosen(array_of(key), n, shape, replace, &p, key.site());
}
Array choice(const Operand& key, const Array& a, const Shape& shape, bool replace, int axis) {
  SiteScope here(key.site());
  const int k = axis_of("choice", axis, a.ndim(key.site()), key.site());
  const std::int64_t n = size_at(a, k), draws = element_count(shape);
  if (!replace && draws <= n) {  // rows are permuted themselves
    Shape result = shape_of(a);
    const Array rows = slice_axis(permutation(key, a, k), k, 0, draws, 1, key.site());
    Shape full;
    for (int i = 0; i < rank_of(a); ++i) {
      if (i != k)
        full.push_back(size_at(a, i));
      else
        for (std::int64_t size : shape) full.push_back(size);
    }
    return rows.reshape(full);
  }
  return take(a, chosen(array_of(key), n, shape, replace, nullptr, key.site()), k);
}
Array choice(const Operand& key,
             const Array& a,
             const Shape& shape,
             bool replace,
             const Array& p,
             int axis) {
  SiteScope here(key.site());
  const int k = axis_of("choice", axis, a.ndim(key.site()), key.site());
  return take(a, chosen(array_of(key), size_at(a, k), shape, replace, &p, key.site()), k);
}

}  // namespace fluxion::random
