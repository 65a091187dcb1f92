// Linear algebra of complex matrices: factors multiply to the matrix, derivatives are differences,
// gradients pair with them, batches are their examples.
#include "fluxion/fluxion.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <functional>

namespace fx = fluxion;
namespace linalg = fluxion::linalg;
using fx::Array;

namespace {

Array adjoint(const Array& x) { return fx::conj(fx::swapaxes(x, -1, -2)); }

double difference(const Array& a, const Array& b) { return fx::max(fx::abs(a - b)).item<double>(); }

/// Two random matrices.
Array drawn(std::uint64_t seed, std::int64_t m, std::int64_t n) {
  const auto [a, b] = fx::random::split<2>(fx::random::key(seed));
  return fx::complex(fx::random::normal(a, {2, m, n}, fx::float64),
                     fx::random::normal(b, {2, m, n}, fx::float64));
}

Array one(std::int64_t n) { return fx::eye(n, fx::complex128); }

using Function = std::function<Array(Array)>;
const std::pair<const char*, Function> functions[] = {
    {"cholesky",
     [](Array z) {
       return linalg::cholesky(fx::matmul(z, adjoint(z)) + one(z.shape()[z.shape().size() - 1]));
     }},
    {"inv", [](Array z) { return linalg::inv(z); }},
    {"solve", [](Array z) { return linalg::solve(z, z + 1.); }},
    {"triangular_solve", [](Array z) { return fx::lax::linalg::triangular_solve(z, z * 2.); }},
    {"triangular_solve, adjoint",
     [](Array z) {
       return fx::lax::linalg::triangular_solve(
           z, z * 2., {.left_side = true, .transpose_a = true, .conjugate_a = true});
     }},
    {"eigenvectors", [](Array z) { return linalg::eigh(z + adjoint(z)).eigenvectors; }},
    {"q", [](Array z) { return linalg::qr(z).Q; }},
    {"r", [](Array z) { return linalg::qr(z).R; }},
    {"left singular vectors", [](Array z) { return linalg::svd(z).U; }},
    {"right singular vectors", [](Array z) { return linalg::svd(z).Vh; }},
    {"lu", [](Array z) { return fx::lax::linalg::lu(z).lu; }},
    {"det", [](Array z) { return linalg::det(z); }},
    {"sign", [](Array z) { return linalg::slogdet(z).sign; }},
    {"pinv", [](Array z) { return linalg::pinv(z); }},
    {"expm", [](Array z) { return linalg::expm(0.3 * z); }}};

}  // namespace

TEST_CASE("complex factors multiply to the matrix") {
  for (std::int64_t n : {1, 2, 3, 4, 6, 9, 12}) {
    INFO("size " << n);
    const Array a = drawn(1, n, n), p = fx::matmul(a, adjoint(a)) + one(n);
    const Array l = linalg::cholesky(p);
    CHECK(difference(fx::matmul(l, adjoint(l)), p) < 1e-12);
    CHECK(difference(fx::matmul(linalg::inv(p), p), one(n)) < 1e-11);
    CHECK(difference(fx::matmul(p, linalg::solve(p, a)), a) < 1e-11);
    const auto f = linalg::lu(a);
    CHECK(difference(fx::matmul(f.P, fx::matmul(f.L, f.U)), a) < 1e-12);
    const auto [w, v] = linalg::eigh(p);
    CHECK(w.dtype() == fx::float64);
    CHECK(difference(fx::matmul(p, v), v * fx::expand_dims(w, -2)) < 1e-11);
    for (std::int64_t m : {n, n + 2}) {
      const Array tall = drawn(2, m, n);
      const auto [q, r] = linalg::qr(tall);
      CHECK(difference(fx::matmul(q, r), tall) < 1e-12);
      CHECK(difference(fx::matmul(adjoint(q), q), one(n)) < 1e-12);
      for (const Array& x : {tall, adjoint(tall)}) {
        const auto [u, s, vh] = linalg::svd(x, false);
        CHECK(difference(fx::matmul(u * fx::expand_dims(s, -2), vh), x) < 1e-12);
      }
    }
  }
}

TEST_CASE("derivatives of complex factors are differences") {
  for (std::int64_t n : {2, 3, 6, 9}) {
    const Array a = drawn(1, n, n), da = drawn(3, n, n);
    const double h = 1e-5;
    for (const auto& [name, f] : functions) {
      INFO(name << ", size " << n);
      const Array tangent = std::get<1>(fx::jvp(f, a, da));
      const Array slope =
          (8. * (f(a + h * da) - f(a - h * da)) - (f(a + 2 * h * da) - f(a - 2 * h * da))) /
          (12 * h);
      CHECK(difference(tangent, slope) < 1e-6 * (1 + fx::max(fx::abs(slope)).item<double>()));
    }
  }
}

TEST_CASE("gradients of complex factors pair with their derivatives, and batch") {
  for (std::int64_t n : {2, 3, 5, 10}) {
    const Array a = drawn(1, n, n), da = drawn(3, n, n);
    for (const auto& [name, f] : functions) {
      INFO(name << ", size " << n);
      const auto size = [&f = f](Array z) { return fx::sum(fx::real(f(z)) + 2. * fx::imag(f(z))); };
      const double change = std::get<1>(fx::jvp(size, a, da)).item<double>();
      const double paired = fx::sum(fx::real(fx::grad(size)(a) * da)).item<double>();
      CHECK(std::abs(change - paired) < 1e-9 * (1 + std::abs(change)));
      CHECK(difference(fx::vmap(f)(a), f(a)) < 1e-12);
    }
  }
}
