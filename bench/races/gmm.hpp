// The mixture of Gaussians: the logarithm of its posterior, with a Wishart prior, and the gradient
// by all parameters.
#pragma once
#include "bench/races/numbers.hpp"

#include <utility>

namespace fluxion::races {

/// Components are Gaussians whose inverse covariances have lower triangular factors: `factors` has,
/// for each component, the logarithms of the diagonal, then what is below it column by column.
struct GmmData {
  std::int64_t points, dimensions, components;
  std::vector<double> alphas, means, factors;  // [k], [k, d], [k, d (d + 1) / 2]
  std::vector<double> x;                       // [points, d]
  double wishart_gamma, wishart_m;
};

inline GmmData gmm_data(std::int64_t points, std::int64_t dimensions, std::int64_t components) {
  Numbers numbers(11);
  const std::int64_t factor = dimensions * (dimensions + 1) / 2;
  const double reach = 1 / std::sqrt(static_cast<double>(dimensions));
  return {points,
          dimensions,
          components,
          numbers.many(components, -1, 1),
          numbers.many(components * dimensions, -1, 1),
          numbers.many(components * factor, -reach, reach),
          numbers.many(points * dimensions, -2, 2),
          0.7,
          2};
}

struct GmmParameters {
  Array alphas, means, factors;
};

inline GmmParameters gmm_parameters(const GmmData& data) {
  const std::int64_t k = data.components, d = data.dimensions;
  return {array_of(data.alphas, {k}),
          array_of(data.means, {k, d}),
          array_of(data.factors, {k, d * (d + 1) / 2})};
}

/// The points, a column for each.
inline Array gmm_points(const GmmData& data) {
  return transpose(array_of(data.x, {data.points, data.dimensions}));
}

/// Triangular matrices [k, d, d] of diagonals [k, d] and of what is below them, column by column.
inline Array lower_triangular(const Array& diagonal, const Array& below) {
  const std::int64_t d = diagonal.shape()[1];
  std::vector<std::int32_t> place;  // of an element in `diagonal`, then `below`
  for (std::int64_t row = 0; row < d; ++row)
    for (std::int64_t column = 0; column < d; ++column) {
      const std::int64_t before = column * (d - 1) - column * (column - 1) / 2;
      place.push_back(
          static_cast<std::int32_t>(row > column ? d + before + row - column - 1 : row));
    }
  const Array all = take(concatenate({diagonal, below}, 1), array_of(place, {d, d}), 1);
  return tril(all);
}

/// The posterior's logarithm, but for what depends on sizes and the prior alone.
inline Array gmm_log_posterior(const GmmParameters& parameters,
                               const Array& points,
                               const Array& wishart_gamma,
                               const Array& wishart_m) {
  const std::int64_t d = points.shape()[0], n = points.shape()[1];
  const Array log_diagonal = parameters.factors[{all, slice(0, d)}];
  const Array below = parameters.factors[{all, slice(d, {})}];
  const Array diagonal = exp(log_diagonal), log_volumes = sum(log_diagonal, 1);
  const Array factors = lower_triangular(diagonal, below);
  // factor (point - mean) for every component and point: [k, d, n].
  const Array scaled =
      tensordot(factors, points, 1) - matmul(factors, expand_dims(parameters.means, 2));
  const Array terms =
      expand_dims(parameters.alphas + log_volumes, 1) - 0.5 * sum(square(scaled), 1);
  const Array likelihood =
      sum(logsumexp(terms, 0)) - static_cast<double>(n) * logsumexp(parameters.alphas);
  const Array prior =
      0.5 * wishart_gamma * wishart_gamma * (sum(square(diagonal)) + sum(square(below))) -
      wishart_m * sum(log_volumes);
  return likelihood + prior;
}

/// The same and its gradient by hand, as loops over numbers.
class GmmByHand {
 public:
  explicit GmmByHand(GmmData data);
  double operator()();
  std::vector<double> alphas_gradient, means_gradient, factors_gradient;

 private:
  void point(const double* x);
  GmmData data_;
  std::vector<double> diagonals_, log_volumes_, centered_, scaled_, terms_;
  double value_ = 0;
};

}  // namespace fluxion::races
