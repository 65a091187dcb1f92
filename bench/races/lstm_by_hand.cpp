// The recurrent network, its gradient written by hand: forward with a tape, then backward.
#include "bench/races/lstm.hpp"

#include <algorithm>

namespace fluxion::races {
namespace {
std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }
}  // namespace

LstmByHand::LstmByHand(LstmData data)
    : weights_gradient(data.weights.size()),
      ends_gradient(data.ends.size()),
      data_(std::move(data)),
      tape_(size((data_.characters - 1) * data_.layers * saved_rows * data_.bits)),
      last_(size((data_.characters - 1) * data_.bits)),
      probabilities_(last_.size()),
      hidden_(size(data_.layers * data_.bits)),
      cell_(hidden_.size()) {}

double* LstmByHand::saved(std::int64_t time, std::int64_t layer, Saved row) {
  return &tape_[size(((time * data_.layers + layer) * saved_rows + row) * data_.bits)];
}

/// The sum of all terms.
double LstmByHand::forward() {
  const std::size_t b = size(data_.bits);
  const double *in_weight = data_.ends.data(), *out_weight = in_weight + b,
               *out_bias = out_weight + b;
  double total = 0;
  state_ = data_.state;
  for (std::int64_t t = 0; t + 1 < data_.characters; ++t) {
    double* y = &last_[size(t) * b];
    for (std::size_t i = 0; i < b; ++i) y[i] = data_.sequence[size(t) * b + i] * in_weight[i];
    for (std::int64_t l = 0; l < data_.layers; ++l) {
      const double* w = &data_.weights[size(l) * 8 * b];
      double *h = &state_[size(l) * 2 * b], *c = h + b, *tape = saved(t, l, input);
      for (std::size_t i = 0; i < b; ++i) {
        const double f = logistic(y[i] * w[i] + w[4 * b + i]);
        const double g = logistic(h[i] * w[b + i] + w[5 * b + i]);
        const double o = logistic(y[i] * w[2 * b + i] + w[6 * b + i]);
        const double u = std::tanh(h[i] * w[3 * b + i] + w[7 * b + i]);
        tape[input * b + i] = y[i];
        tape[hidden * b + i] = h[i];
        tape[cell * b + i] = c[i];
        c[i] = c[i] * f + g * u;
        const double s = std::tanh(c[i]);
        h[i] = y[i] = o * s;
        tape[forget * b + i] = f;
        tape[in * b + i] = g;
        tape[out * b + i] = o;
        tape[change * b + i] = u;
        tape[squashed * b + i] = s;
      }
    }
    double* p = &probabilities_[size(t) * b];
    double sum = 2, all = 0;
    const double* wanted = &data_.sequence[(size(t) + 1) * b];
    for (std::size_t i = 0; i < b; ++i) {
      const double predicted = y[i] * out_weight[i] + out_bias[i];
      sum += p[i] = std::exp(predicted);
      total += wanted[i] * predicted;
      all += wanted[i];
    }
    total -= all * std::log(sum);
    for (std::size_t i = 0; i < b; ++i)
      p[i] = wanted[i] - all * p[i] / sum;  // d total / d predicted
  }
  return total;
}

void LstmByHand::backward() {
  const std::size_t b = size(data_.bits);
  const double* out_weight = &data_.ends[b];
  double *in_gradient = ends_gradient.data(), *out_gradient = in_gradient + b,
         *bias_gradient = out_gradient + b;
  for (std::vector<double>* v : {&weights_gradient, &ends_gradient, &hidden_, &cell_})
    std::fill(v->begin(), v->end(), 0.0);
  std::vector<double> dy(b);
  for (std::int64_t t = data_.characters - 1; t-- > 0;) {
    const double *p = &probabilities_[size(t) * b], *y = &last_[size(t) * b];
    for (std::size_t i = 0; i < b; ++i) {
      dy[i] = p[i] * out_weight[i];
      out_gradient[i] += p[i] * y[i];
      bias_gradient[i] += p[i];
    }
    for (std::int64_t l = data_.layers; l-- > 0;) {
      const double *w = &data_.weights[size(l) * 8 * b], *tape = saved(t, l, input);
      double *g = &weights_gradient[size(l) * 8 * b], *dh = &hidden_[size(l) * b],
             *dc = &cell_[size(l) * b];
      for (std::size_t i = 0; i < b; ++i) {
        const double f = tape[forget * b + i], n = tape[in * b + i], o = tape[out * b + i],
                     u = tape[change * b + i], s = tape[squashed * b + i], x = tape[input * b + i],
                     h = tape[hidden * b + i], c = tape[cell * b + i];
        const double d_hidden = dh[i] + dy[i];
        const double d_cell = dc[i] + d_hidden * o * (1 - s * s);
        const double d_f = d_cell * c * f * (1 - f), d_n = d_cell * u * n * (1 - n),
                     d_o = d_hidden * s * o * (1 - o), d_u = d_cell * n * (1 - u * u);
        g[i] += d_f * x;
        g[b + i] += d_n * h;
        g[2 * b + i] += d_o * x;
        g[3 * b + i] += d_u * h;
        g[4 * b + i] += d_f;
        g[5 * b + i] += d_n;
        g[6 * b + i] += d_o;
        g[7 * b + i] += d_u;
        dc[i] = d_cell * f;
        dh[i] = d_n * w[b + i] + d_u * w[3 * b + i];
        dy[i] = d_f * w[i] + d_o * w[2 * b + i];
      }
    }
    for (std::size_t i = 0; i < b; ++i) in_gradient[i] += dy[i] * data_.sequence[size(t) * b + i];
  }
}

double LstmByHand::operator()() {
  const double scale = -1 / static_cast<double>((data_.characters - 1) * data_.bits);
  const double total = forward();
  backward();
  for (std::vector<double>* v : {&weights_gradient, &ends_gradient})
    for (double& g : *v) g *= scale;
  return total * scale;
}

}  // namespace fluxion::races
