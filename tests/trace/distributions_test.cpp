// Distributions with parameters: samples and their gradients are those of JAX up to rounding.
#include "fluxion/fluxion.hpp"
#include "tests/data/distribution_vectors.hpp"
#include "tests/support/values.hpp"

#include <cmath>
#include <functional>

namespace fx = fluxion;
namespace jax = fluxion::test::jax_samples;
using namespace fluxion::test;
using fx::Array;

namespace {

/// Each seed's row against what we draw, within a tolerance relative to each number.
template <std::size_t seeds, std::size_t count>
void check_drawn(const double (&expected)[seeds][count],
                 double tolerance,
                 const std::function<Array(const Array&)>& draw) {
  for (std::size_t s = 0; s < seeds; ++s) {
    const Numbers got = numbers(draw(fx::random::key(jax::seeds[s])));
    REQUIRE(got.size() == count);
    for (std::size_t i = 0; i < count; ++i) {
      INFO("seed " << s << ", number " << i << ": " << got[i] << ", expected " << expected[s][i]);
      CHECK(std::abs(got[i] - expected[s][i]) <= tolerance * (1e-3 + std::abs(expected[s][i])));
    }
  }
}

const std::vector<double> alphas = {0.05, 0.3, 0.9, 1.0, 1.7, 4.0, 30.0, 1000.0};

Array rows() { return fx::arange(12, fx::float32).reshape({6, 2}); }
Array weights() { return fx::array({0.1f, 0.4f, 0.05f, 0.25f, 0.2f}); }

}  // namespace

TEST_CASE("gamma samples are those of JAX, in both precisions and in logarithms") {
  const Array a = fx::array(alphas), a32 = a.astype(fx::float32);
  check_drawn(jax::gamma32, 1e-4, [&](const Array& k) { return fx::random::gamma(k, a32); });
  check_drawn(jax::loggamma32, 1e-4, [&](const Array& k) { return fx::random::loggamma(k, a32); });
  check_drawn(jax::gamma64, 1e-11, [&](const Array& k) {
    return fx::random::gamma(k, a, {8}, fx::float64);
  });
}

TEST_CASE("gamma samples are differentiated by implicit differentiation, as in JAX") {
  const Array a = fx::array(alphas),
              some = fx::array(std::vector<double>(alphas.begin() + 1, alphas.end()))
                         .astype(fx::float32);
  check_drawn(jax::gamma_grad32, 2e-3, [&](const Array& k) {
    return fx::grad([&](Array x) { return fx::sum(fx::random::gamma(k, x)); })(some);
  });
  check_drawn(jax::gamma_grad64, 1e-9, [&](const Array& k) {
    return fx::grad([&](Array x) { return fx::sum(fx::random::gamma(k, x, {8}, fx::float64)); })(a);
  });
  check_drawn(jax::random_gamma_grad, 1e-9, [&](const Array&) {
    return fx::random::random_gamma_grad(fx::array({0.05, 0.5, 1.0, 2.5, 10.0, 10.0, 200.0, 200.0}),
                                         fx::array({1e-3, 0.3, 1.5, 2.0, 4.0, 25.0, 180.0, 230.0}));
  });
  const auto slope =
      fx::random::random_gamma_grad(fx::array({1., -1., 2.}), fx::array({0., 1., std::nan("")}));
  CHECK(slope[0].item<double>() == 0);
  CHECK(std::isnan(slope[1].item<double>()));
  CHECK(std::isnan(slope[2].item<double>()));
}

TEST_CASE("what is made of gamma samples is that of JAX") {
  const Array a = fx::array({0.5f, 1.f, 3.f}), b = fx::array({2.f, 0.3f, 4.f}),
              df = fx::array({1.f, 5.f});
  using namespace fx::random;
  check_drawn(jax::beta, 1e-4, [&](const Array& k) { return beta(k, a, b); });
  check_drawn(jax::beta_grad, 3e-3, [&](const Array& k) {
    return fx::grad([&](Array x) { return fx::sum(beta(k, x, b)); })(a);
  });
  check_drawn(jax::dirichlet, 1e-4, [&](const Array& k) { return dirichlet(k, a, {2}); });
  check_drawn(jax::chisquare, 1e-4, [&](const Array& k) { return chisquare(k, df); });
  check_drawn(jax::student, 1e-4, [&](const Array& k) { return t(k, df); });
  check_drawn(jax::fisher, 1e-4, [&](const Array& k) { return f(k, 3.f, 7.f, {4}); });
}

TEST_CASE("distributions in closed form are those of JAX") {
  using namespace fx::random;
  check_drawn(jax::pareto, 1e-5, [&](const Array& k) { return pareto(k, 1.5f, {4}); });
  check_drawn(jax::weibull, 1e-5, [&](const Array& k) { return weibull_min(k, 2.f, 1.5f, {4}); });
  check_drawn(jax::maxwell, 1e-5, [&](const Array& k) { return maxwell(k, {4}); });
  check_drawn(jax::lognormal, 1e-5, [&](const Array& k) { return lognormal(k, 0.7f, {4}); });
  check_drawn(jax::rayleigh, 1e-5, [&](const Array& k) { return rayleigh(k, 2.f, {4}); });
  check_drawn(jax::geometric, 0, [&](const Array& k) { return geometric(k, 0.2f, {8}); });
  check_drawn(
      jax::triangular, 1e-5, [&](const Array& k) { return triangular(k, -1.f, 0.5f, 2.f, {8}); });
  const Array cov = fx::array({{2.f, 0.6f, 0.1f}, {0.6f, 1.f, -0.2f}, {0.1f, -0.2f, 0.5f}});
  check_drawn(jax::multivariate, 1e-4, [&](const Array& k) {
    return multivariate_normal(k, fx::array({1.f, 2.f, 3.f}), cov, {2});
  });
  check_drawn(jax::orthogonal, 1e-4, [&](const Array& k) { return orthogonal(k, 3); });
  check_drawn(jax::orthogonal_wide, 1e-4, [&](const Array& k) {
    return orthogonal(k, 2, {}, fx::float32, 3);
  });
}

TEST_CASE("counts are those of JAX, by products and by rejection") {
  check_drawn(jax::poisson, 0, [&](const Array& k) {
    return fx::random::poisson(k, fx::array({0.f, 0.1f, 1.f, 5.f, 9.9f, 10.f, 50.f, 3000.f}));
  });
}

TEST_CASE("permutations and choices are those of JAX") {
  using namespace fx::random;
  check_drawn(jax::permutation, 0, [&](const Array& k) { return permutation(k, 20); });
  check_drawn(jax::permutation_rows, 0, [&](const Array& k) { return permutation(k, rows()); });
  check_drawn(jax::permutation_lines, 0, [&](const Array& k) { return shuffle(k, rows()); });
  check_drawn(jax::permutation_large, 0, [&](const Array& k) {
    return permutation(k, 3000)[fx::slice(0, 16)];
  });
  check_drawn(jax::choice, 0, [&](const Array& k) { return choice(k, 10, {6}); });
  check_drawn(jax::choice_once, 0, [&](const Array& k) { return choice(k, 10, {6}, false); });
  check_drawn(jax::choice_weighted, 0, [&](const Array& k) {
    return choice(k, 5, {2, 4}, true, weights());
  });
  check_drawn(jax::choice_weighted_once, 0, [&](const Array& k) {
    return choice(k, 5, {3}, false, weights());
  });
  check_drawn(jax::choice_rows, 0, [&](const Array& k) { return choice(k, rows(), {3}, false); });
  CHECK(refusal([&] {
          choice(fx::random::key(0), 3, {5}, false);
        }).find("error[choice]: choice: 5 draws from 3 without replacement") == 0);
}

TEST_CASE("samples batch as they are drawn one by one") {
  const Array keys = fx::random::split(fx::random::key(3), 4);
  const Array a = fx::array({0.5f, 2.f, 7.f});
  const Array together = fx::vmap([&](Array k) { return fx::random::gamma(k, a); })(keys);
  const Array compiled = fx::jit(fx::vmap([&](Array k) { return fx::random::gamma(k, a); }))(keys);
  for (std::int64_t i = 0; i < 4; ++i) {
    check_array(together[i], {3}, numbers(fx::random::gamma(keys[i], a)));
    check_array(compiled[i], {3}, numbers(fx::random::gamma(keys[i], a)));
  }
}
