// Which rules, matrices and complex numbers a random program may have.
#include "tests/matrix/random_functions.hpp"

#include "tests/matrix/random_loops.hpp"

namespace fluxion::test {
namespace {

Array summary(const Array& x) { return x.size() ? fluxion::mean(x) : fluxion::sum(x); }

/// custom_jvp with the function's own derivative. What is differentiated must be an argument.
Array with_forward_rule(std::uint32_t word, const Array& x, const Array& outside) {
  const auto f = [word](Array y, Array o) { return smooth_function(word, y) * summary(o); };
  return fluxion::custom_jvp(f, [f](auto primals, auto tangents) {
    return fluxion::jvp(f, primals, tangents);
  })(x, outside);
}

/// The gradient of a custom_vjp function: what its backward rule computes is differentiated on.
Array with_backward_rule(std::uint32_t word, const Array& x) {
  const auto f = [word](Array y) { return smooth_function(word, y); };
  const auto forward = [f](Array y) { return std::pair{f(y), std::tuple{y}}; };
  const auto backward = [f](auto saved, Array ct) {
    const auto sum = [f, ct](Array y) { return fluxion::sum(f(y) * ct); };
    return std::tuple{fluxion::grad(sum)(std::get<0>(saved))};
  };
  const auto ruled = fluxion::custom_vjp(f, forward, backward);
  return fluxion::grad([ruled](Array y) { return fluxion::sum(ruled(y) * y); })(x);
}

Array checkpointed(std::uint32_t word, const Array& x, const Array& outside) {
  return fluxion::checkpoint([word, outside](Array y) {
    return smooth_function(word + 1, smooth_function(word, y) - 0.25 * summary(outside));
  })(x);
}

/// y (2 + x^2) = b, solved by division, differentiated implicitly.
Array implicit(const Array& x, const Array& outside) {
  const Array scale = 2 + x * x;
  return lax::custom_linear_solve([scale](Array v) { return v * scale; },
                                  x + summary(outside),
                                  [scale](const auto&, Array b) { return b / scale; },
                                  lax::symmetric);
}

/// [n, n] of the first elements, with a diagonal of about 2.
Array dominant(const Array& x) {
  const std::int64_t n = x.size() >= 9 ? 3 : x.size() >= 4 ? 2 : 1;
  const Array some = fluxion::tanh(x.flatten()[fluxion::slice(0, n * n)]).reshape({n, n});
  return 0.25 * some + 2.0 * fluxion::eye(n, x.dtype());
}
/// Symmetric, its eigenvalues more than 0.4 apart.
Array apart(const Array& a) {
  const std::int64_t n = a.shape()[0];
  const Array ladder = fluxion::diag(1.5 * fluxion::arange(n, a.dtype()));
  return 0.5 * (a + linalg::matrix_transpose(a)) + ladder;
}

Array of_matrices(std::uint32_t choice, const Array& x, const Array& outside) {
  const Array a = dominant(x);
  const std::int64_t n = a.shape()[0];
  const Array b = a[{fluxion::all, fluxion::slice(0, 1)}] * summary(outside) + 0.5;
  switch (choice % 10) {
    case 0:
      return linalg::solve(a, b);
    case 1:
      return linalg::inv(a);
    case 2:
      return 0.125 * linalg::det(a);
    case 3:
      return linalg::cholesky(fluxion::matmul(a, linalg::matrix_transpose(a)));
    case 4:
      return lax::linalg::triangular_solve(
          a, b, {.left_side = true, .lower = n == 3, .transpose_a = n == 2});
    case 5: {
      const linalg::Qr parts = linalg::qr(a);
      return parts.Q - 0.25 * parts.R;
    }
    case 6:
      return 0.25 * linalg::eigvalsh(apart(a));
    case 7: {
      const linalg::Eigh parts = linalg::eigh(apart(a));
      return fluxion::matmul(parts.eigenvectors * fluxion::log(parts.eigenvalues),
                             linalg::matrix_transpose(parts.eigenvectors));
    }
    case 8:
      return 0.25 * linalg::svdvals(apart(a));
    default:
      return 0.25 * linalg::slogdet(a).logabsdet * fluxion::matmul(a, b);
  }
}

/// Through complex numbers and back.
Array of_complex(std::uint32_t word, const Array& x, const Array& outside) {
  const Array z = fluxion::complex(x, smooth_function(word, x) + summary(outside));
  const Array line = z.flatten();
  switch (word / 8 % 5) {
    case 0:
      return fluxion::real(fluxion::exp(0.25 * z)) - fluxion::imag(z * z) * 0.25;
    case 1:
      return fluxion::abs(z + 8);
    case 2:
      return fluxion::imag(fluxion::log(z + 8) * fluxion::conj(z)) * 0.125;
    case 3:
      return line.size() ? 0.25 * fluxion::real(fft::fft(line)) : fluxion::real(line);
    default:
      return line.size() ? fluxion::imag(fft::ifft(line * line)) : fluxion::imag(line);
  }
}

}  // namespace

Array random_function(std::uint32_t choice,
                      std::uint32_t word,
                      const Array& x,
                      const Array& outside) {
  switch (choice % 10) {
    case 0:
      return with_forward_rule(word, x, outside);
    case 1:
      return with_backward_rule(word, x);
    case 2:
      return checkpointed(word, x, outside);
    case 3:
      return implicit(x, outside);
    case 4:
    case 5:
      return of_complex(word, x, outside);
    default:
      return x.size() ? of_matrices(word, x, outside) : smooth_function(word, x);
  }
}

}  // namespace fluxion::test
