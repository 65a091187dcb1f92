// The mixture of Gaussians, its gradient written by hand.
#include "bench/races/gmm.hpp"

#include <algorithm>

namespace fluxion::races {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// log(sum(exp(x))); x becomes its gradient.
double log_sum_exp(double* x, std::size_t n) {
  const double most = *std::max_element(x, x + n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - most);
  for (std::size_t i = 0; i < n; ++i) x[i] /= sum;
  return most + std::log(sum);
}

}  // namespace

GmmByHand::GmmByHand(GmmData data)
    : alphas_gradient(data.alphas.size()),
      means_gradient(data.means.size()),
      factors_gradient(data.factors.size()),
      data_(std::move(data)),
      diagonals_(data_.means.size()),
      log_volumes_(data_.alphas.size()),
      centered_(data_.means.size()),
      scaled_(data_.means.size()),
      terms_(data_.alphas.size()) {}

/// Adds a point's term and its gradient.
void GmmByHand::point(const double* x) {
  const std::size_t d = size(data_.dimensions), k = size(data_.components), f = d * (d + 1) / 2;
  for (std::size_t c = 0; c < k; ++c) {
    const double *mean = &data_.means[c * d], *diagonal = &diagonals_[c * d],
                 *below = &data_.factors[c * f + d];
    double *centered = &centered_[c * d], *scaled = &scaled_[c * d];
    for (std::size_t i = 0; i < d; ++i) {
      centered[i] = x[i] - mean[i];
      scaled[i] = diagonal[i] * centered[i];
    }
    for (std::size_t j = 0; j < d; ++j)
      for (std::size_t i = j + 1; i < d; ++i) scaled[i] += *below++ * centered[j];
    double square = 0;
    for (std::size_t i = 0; i < d; ++i) square += scaled[i] * scaled[i];
    terms_[c] = data_.alphas[c] + log_volumes_[c] - 0.5 * square;
  }
  value_ += log_sum_exp(terms_.data(), k);
  for (std::size_t c = 0; c < k; ++c) {
    const double weight = terms_[c], *centered = &centered_[c * d], *diagonal = &diagonals_[c * d],
                 *below = &data_.factors[c * f + d];
    double *scaled = &scaled_[c * d], *means = &means_gradient[c * d],
           *factors = &factors_gradient[c * f];
    alphas_gradient[c] += weight;
    for (std::size_t i = 0; i < d; ++i) {
      scaled[i] *= weight;
      factors[i] += weight - diagonal[i] * centered[i] * scaled[i];
    }
    double* factors_below = factors + d;
    for (std::size_t j = 0; j < d; ++j) {
      double sum = diagonal[j] * scaled[j];
      for (std::size_t i = j + 1; i < d; ++i) {
        sum += *below++ * scaled[i];
        *factors_below++ -= centered[j] * scaled[i];
      }
      means[j] += sum;
    }
  }
}

double GmmByHand::operator()() {
  const std::size_t d = size(data_.dimensions), k = size(data_.components), f = d * (d + 1) / 2;
  const double square = data_.wishart_gamma * data_.wishart_gamma, m = data_.wishart_m;
  value_ = 0;
  std::fill(means_gradient.begin(), means_gradient.end(), 0.0);
  for (std::size_t c = 0; c < k; ++c) {
    const double* factors = &data_.factors[c * f];
    double *gradient = &factors_gradient[c * f], norm = 0;
    log_volumes_[c] = 0;
    for (std::size_t i = 0; i < d; ++i) {
      const double q = diagonals_[c * d + i] = std::exp(factors[i]);
      log_volumes_[c] += factors[i];
      norm += q * q;
      gradient[i] = square * q * q - m;
    }
    for (std::size_t i = d; i < f; ++i) {
      norm += factors[i] * factors[i];
      gradient[i] = square * factors[i];
    }
    value_ += 0.5 * square * norm - m * log_volumes_[c];
  }
  const auto n = static_cast<double>(data_.points);
  terms_ = data_.alphas;
  value_ -= n * log_sum_exp(terms_.data(), k);
  for (std::size_t c = 0; c < k; ++c) alphas_gradient[c] = -n * terms_[c];
  for (std::size_t p = 0; p < size(data_.points); ++p) point(&data_.x[p * d]);
  return value_;
}

}  // namespace fluxion::races
