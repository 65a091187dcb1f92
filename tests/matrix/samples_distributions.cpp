// Rows of distributions with parameters: samples of fixed keys.
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

namespace fx = fluxion;
namespace random = fluxion::random;

/// Samples with two parameters, and with one that broadcasts.
Sample drawn(std::string name, std::function<Array(const Array&, const Array&, const Array&)> f) {
  Sample sample{std::move(name),
                one([f](const ArrayList& x) { return f(x[0], x[1], x[2]); }),
                {},
                {float32, float64}};
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{5}, Shape{2, 3}, Shape{0}})
    sample.cases.push_back({{{2}, 0, 100, uint32}, {shape, 0.4, 3}, {{}, 0.6, 2}});
  sample.exceptions = {
      {SampleLaw::differences,
       "what a rejection sampler draws jumps: the derivative is that of the "
       "distribution, by implicit differentiation"},
      {SampleLaw::orders, "samples of the gamma distribution have one derivative"}};
  return sample;
}

}  // namespace

Samples distribution_samples() {
  Samples rows = {
      drawn("gamma",
            [](const Array& k, const Array& a, const Array& b) {
              return random::gamma(k, a, a.shape(), a.dtype()) * b;
            }),
      drawn("loggamma",
            [](const Array& k, const Array& a, const Array& b) {
              return random::loggamma(k, a, a.shape(), a.dtype()) * b;
            }),
      drawn("beta",
            [](const Array& k, const Array& a, const Array& b) {
              return random::beta(k, a, b, a.shape(), a.dtype());
            }),
      drawn("chisquare, f and t",
            [](const Array& k, const Array& a, const Array& b) {
              return random::chisquare(k, a, a.shape(), a.dtype()) +
                     random::t(k, b, a.shape(), a.dtype()) +
                     random::f(k, a, b + 4, a.shape(), a.dtype());
            }),
      drawn("closed forms",
            [](const Array& k, const Array& a, const Array& b) {
              const Shape& s = a.shape();
              const DType d = a.dtype();
              return random::pareto(k, a, s, d) + random::weibull_min(k, b, a, s, d) +
                     random::lognormal(k, b, s, d) + random::rayleigh(k, a, s, d) +
                     random::maxwell(k, s, d) + random::triangular(k, -a, 0, b, s, d) +
                     random::geometric(k, a / 4, s).astype(d);
            }),
      drawn("random_gamma_grad",
            [](const Array&, const Array& a, const Array& b) {
              return random::random_gamma_grad(fx::stop_gradient(a), fx::stop_gradient(b));
            }),
      {"dirichlet",
       one([](const ArrayList& x) { return random::dirichlet(x[0], x[1], {2}, x[1].dtype()); }),
       {{{{2}, 0, 100, uint32}, {{3}, 0.5, 3}}},
       {float32, float64}},
      {"multivariate_normal",
       one([](const ArrayList& x) {
         const Array cov =
             fx::matmul(x[2], fx::swapaxes(x[2], -1, -2)) + 2 * fx::eye(3, x[2].dtype());
         return random::multivariate_normal(x[0], x[1], cov, {2}, x[1].dtype());
       }),
       {{{{2}, 0, 100, uint32}, {{3}}, {{3, 3}}}},
       {float32, float64}},
      {"counts, orders and choices",
       [](const ArrayList& x) {
         return ArrayList{random::poisson(x[0], x[1]),
                          random::permutation(x[0], 7),
                          random::permutation(x[0], x[2]),
                          random::shuffle(x[0], x[2], 1),
                          random::choice(x[0], 5, {2, 3}),
                          random::choice(x[0], x[2], {2}, false),
                          random::choice(x[0], 3, {2}, false, x[1])};
       },
       {{{{2}, 0, 100, uint32}, {{3}, 0.5, 20}, {{5, 2}}}},
       {float32}},
      {"without parameters",
       [](const ArrayList& x) {
         const DType d = x[1].dtype();
         return ArrayList{random::exponential(x[0], {5}, d),
                          random::laplace(x[0], {5}, d),
                          random::gumbel(x[0], {2, 3}, d),
                          random::logistic(x[0], {5}, d),
                          random::cauchy(x[0], {5}, d) * x[1],
                          random::truncated_normal(x[0], -1, 2, {5}, d),
                          random::rademacher(x[0], {7})};
       },
       {{{{2}, 0, 100, uint32}, {{5}}}},
       {float32, float64}},
      {"categorical",
       [](const ArrayList& x) {
         return ArrayList{random::categorical(x[0], x[1]),
                          random::categorical(x[0], x[1], 0, {4, 3})};
       },
       {{{{2}, 0, 100, uint32}, {{5, 3}}}},
       {float32}},
      {"orthogonal",
       [](const ArrayList& x) {
         return ArrayList{random::orthogonal(x[0], 3),
                          random::orthogonal(x[0], 2, {2}, float64, 3)};
       },
       {{{{2}, 0, 100, uint32}}},
       {float32}},
  };
  for (Sample& row : rows) {
    if (row.name == "closed forms") row.exceptions.clear();
    if (row.name == "dirichlet") row.exceptions = rows[0].exceptions;
    if (row.name == "random_gamma_grad")
      row.exceptions = {
          {SampleLaw::differences, "it has no derivative: its operands are constants"}};
  }
  return rows;
}

}  // namespace fluxion::test
