// Linear algebra: results of NumPy and SciPy, defining equations, what is refused, degenerate
// inputs and their derivatives.
#include "tests/data/linalg_vectors.hpp"
#include "tests/support/values.hpp"

#include <cmath>

namespace fx = fluxion;
namespace linalg = fluxion::linalg;
namespace data = fluxion::test::scipy_numbers;
using namespace fluxion::test;
using fx::Array;

namespace {

/// The matrices of make_linalg_vectors.py.
Array matrix(std::int64_t m, std::int64_t n, double shift = 0) {
  std::vector<double> elements;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      elements.push_back(std::sin(1.0 + static_cast<double>(3 * i + 7 * j + i * j)) +
                         (i == j ? shift : 0));
  return fx::array(elements).reshape({m, n});
}

template <std::size_t N> Numbers list(const double (&values)[N]) {
  return Numbers(values, values + N);
}

Array transposed(const Array& x) { return fx::swapaxes(x, -1, -2); }

double largest_difference(const Array& a, const Array& b) {
  return fx::max(fx::abs(a - b)).item<double>();
}

#define FOR_SQUARES(check) check(2) check(3) check(4) check(7) check(12)
#define FOR_RECTANGLES(check) \
  check(3, 2) check(2, 3) check(6, 4) check(4, 7) check(12, 9) check(9, 12)

}  // namespace

TEST_CASE("square matrices are inverted, solved and factored as NumPy and SciPy do"){
#define CHECK_SQUARE(n)                                                                            \
  {                                                                                                \
    INFO("size " << n);                                                                            \
    const Array a = matrix(n, n, 3), plain = matrix(n, n);                                         \
    const Array spd = fx::matmul(plain, transposed(plain)) + 2. * fx::eye(n, fx::float64);         \
    check_near(linalg::inv(a), {n, n}, list(data::inverse_##n), 1e-12);                            \
    check_near(linalg::solve(a, matrix(n, 2)), {n, 2}, list(data::solve_##n), 1e-12);              \
    check_near(linalg::det(a), {}, list(data::det_##n), 1e-12);                                    \
    const auto [sign, log] = linalg::slogdet(-a);                                                  \
    check_near(fx::stack({sign, log}), {2}, list(data::slogdet_##n), 1e-12);                       \
    check_near(linalg::cholesky(spd), {n, n}, list(data::cholesky_##n), 1e-12);                    \
    check_near(linalg::eigvalsh(plain + transposed(plain)), {n}, list(data::eigvalsh_##n), 1e-12); \
    const auto factor = linalg::lu_factor(plain);                                                  \
    check_near(factor.lu, {n, n}, list(data::lu_##n), 1e-11);                                      \
    check_near(factor.piv, {n}, list(data::pivots_##n), 0);                                        \
    check_near(linalg::expm(plain), {n, n}, list(data::expm_##n), 1e-12);                          \
    check_near(linalg::expm(4. * plain), {n, n}, list(data::expm_large_##n), 1e-10);               \
    check_near(linalg::matrix_power(a, -3), {n, n}, list(data::power_##n), 1e-12);                 \
  }
    FOR_SQUARES(CHECK_SQUARE)}

TEST_CASE("rectangular matrices are factored and measured as NumPy does") {
#define CHECK_RECTANGLE(m, n)                                                                     \
  {                                                                                               \
    INFO(m << " by " << n);                                                                       \
    const Array a = matrix(m, n, 2);                                                              \
    const std::int64_t k = std::min(m, n);                                                        \
    const auto [q, r] = linalg::qr(a);                                                            \
    check_near(q, {m, k}, list(data::q_##m##_##n), 1e-12);                                        \
    check_near(r, {k, n}, list(data::r_##m##_##n), 1e-12);                                        \
    check_near(linalg::svdvals(a), {k}, list(data::svdvals_##m##_##n), 1e-12);                    \
    check_near(linalg::pinv(a), {n, m}, list(data::pinv_##m##_##n), 1e-11);                       \
    check_near(linalg::lstsq(a, matrix(m, 1)).x, {n, 1}, list(data::lstsq_##m##_##n), 1e-11);     \
    std::vector<Array> norms = {linalg::norm(a, "fro"), linalg::norm(a, "nuc")};                  \
    for (double p : {1., -1., 2., -2., HUGE_VAL, -HUGE_VAL}) norms.push_back(linalg::norm(a, p)); \
    check_near(fx::stack(norms), {8}, list(data::norms_##m##_##n), 1e-12);                        \
    const Array rank = linalg::matrix_rank(a).astype(fx::float64);                                \
    check_near(fx::stack({linalg::cond(a), rank}), {2}, list(data::conds_##m##_##n), 1e-10);      \
  }
  FOR_RECTANGLES(CHECK_RECTANGLE)
  const Array one = linalg::outer(fx::array({1., 2., 3., 4.}), fx::array({1., -1., 2.}));
  check_near(linalg::pinv(one), {3, 4}, list(data::rank_one_pinv), 1e-12);
  CHECK(linalg::matrix_rank(one).item<int>() == 1);
  std::vector<Array> norms;
  for (double p : {0., 1., 2., 3.5, -1., HUGE_VAL, -HUGE_VAL})
    norms.push_back(linalg::norm(matrix(5, 1).flatten(), p));
  check_near(fx::stack(norms), {7}, list(data::vector_norms), 1e-13);
}

TEST_CASE("factors multiply to the matrix, in every size and batch") {
  for (std::int64_t m : {1, 2, 3, 4, 5, 8, 9, 20})
    for (std::int64_t n : {1, 3, 4, 8, 10}) {
      INFO(m << " by " << n);
      const Array a = fx::stack({matrix(m, n), matrix(m, n, 1)});
      const auto [p, l, u] = linalg::lu(a);
      CHECK(largest_difference(fx::matmul(p, fx::matmul(l, u)), a) < 1e-13);
      for (const char* mode : {"reduced", "complete"}) {
        const auto [q, r] = linalg::qr(a, mode);
        CHECK(largest_difference(fx::matmul(q, r), a) < 1e-13);
        const Array one = fx::eye(q.shape()[2], fx::float64);
        CHECK(largest_difference(fx::matmul(transposed(q), q), one) < 1e-13);
      }
      for (bool full : {false, true}) {
        const auto [left, s, right] = linalg::svd(a, full);
        const std::int64_t k = std::min(m, n);
        const Array scaled = left[{fx::ellipsis, fx::slice(0, k)}] * fx::expand_dims(s, -2);
        CHECK(largest_difference(
                  fx::matmul(scaled, right[{fx::ellipsis, fx::slice(0, k), fx::all}]), a) < 1e-13);
        const Array one = fx::eye(left.shape()[2], fx::float64);
        CHECK(largest_difference(fx::matmul(transposed(left), left), one) < 1e-13);
        const Array other = fx::eye(right.shape()[1], fx::float64);
        CHECK(largest_difference(fx::matmul(right, transposed(right)), other) < 1e-13);
      }
      if (m != n) continue;
      const Array symmetric = a + transposed(a);
      const auto [w, v] = linalg::eigh(symmetric);
      CHECK(largest_difference(fx::matmul(symmetric, v), v * fx::expand_dims(w, -2)) < 1e-13);
    }
}

TEST_CASE("singular and indefinite matrices give NaN or zeros, never garbage") {
  for (std::int64_t n : {2, 3, 6, 12}) {
    INFO("size " << n);
    const Array ones = fx::ones({n, n}, fx::float64);
    CHECK(fx::all(fx::isnan(linalg::inv(fx::zeros({n, n}, fx::float64)))).item<bool>());
    CHECK_FALSE(
        fx::any(fx::isfinite(linalg::solve(0. * ones, fx::ones({n}, fx::float64)))).item<bool>());
    const Array l = linalg::cholesky(-ones);
    CHECK(fx::all(fx::isnan(l) == (fx::tril(ones) == 1)).item<bool>());
    CHECK(linalg::det(ones).item<double>() == 0);
    const auto [sign, log] = linalg::slogdet(0. * ones);
    CHECK(sign.item<double>() == 0);
    CHECK(log.item<double>() == -HUGE_VAL);
    CHECK(linalg::matrix_rank(ones).item<int>() == 1);
    // Vectors of a singular value 0 complete the others.
    const auto [u, s, vh] = linalg::svd(ones);
    CHECK(largest_difference(fx::matmul(transposed(u), u), fx::eye(n, fx::float64)) < 1e-14);
    CHECK(std::abs(s[0].item<double>() - static_cast<double>(n)) < 1e-13);
    const Array spoiled = ones.at({0, 0}).set(NAN);
    CHECK(fx::all(fx::isnan(linalg::eigvalsh(spoiled))).item<bool>());
    CHECK(fx::all(fx::isnan(linalg::svd(spoiled).U)).item<bool>());
  }
}

TEST_CASE("signs of vectors are fixed: the first large element is positive") {
  for (std::int64_t n : {3, 12}) {
    const Array a = matrix(n, n);
    const Array v = linalg::eigh(a + transposed(a)).eigenvectors, u = linalg::svd(a).U;
    for (const Array& vectors : {v, u}) {
      const Numbers x = numbers(vectors);
      for (std::int64_t j = 0; j < n; ++j) {
        double most = 0, first = 0;
        for (std::int64_t i = 0; i < n; ++i)
          most = std::max(most, std::abs(x[static_cast<std::size_t>(i * n + j)]));
        for (std::int64_t i = n - 1; i >= 0; --i)
          if (std::abs(x[static_cast<std::size_t>(i * n + j)]) * 3 >= most)
            first = x[static_cast<std::size_t>(i * n + j)];
        CHECK(first > 0);
      }
    }
  }
}

TEST_CASE("degenerate derivatives are those of JAX") {
  const Array one = fx::eye(3, fx::float64);
  // The sum of eigenvalues is the trace, also where they meet.
  check_near(fx::grad([](Array x) { return fx::sum(linalg::eigvalsh(x)); })(one),
             {3, 3},
             numbers(one),
             1e-14);
  const Array of_vectors =
      fx::grad([](Array x) { return fx::sum(linalg::eigh(x).eigenvectors); })(one);
  CHECK(fx::any(fx::isnan(of_vectors)).item<bool>());
  // Equal singular values are passed over.
  const Array of_svd = fx::grad([](Array x) { return fx::sum(linalg::svd(x).U); })(one);
  CHECK(fx::all(fx::isfinite(of_svd)).item<bool>());
  check_near(fx::grad([](Array x) { return fx::sum(linalg::svdvals(x)); })(one),
             {3, 3},
             numbers(one),
             1e-14);
  CHECK(fx::any(fx::isnan(fx::grad([](Array x) { return linalg::norm(x); })(fx::zeros({3}))))
            .item<bool>());
  // Equal singular values do not matter to the pseudoinverse: d inv(x) = -inv(x) dx inv(x).
  check_near(fx::grad([](Array x) { return fx::sum(linalg::pinv(x)); })(2. * one),
             {3, 3},
             Numbers(9, -0.25),
             1e-14);
  // By cofactors, where the matrix is singular.
  check_near(fx::grad([](Array x) { return linalg::det(x); })(fx::array({{1., 2.}, {2., 4.}})),
             {2, 2},
             {4, -2, -2, 1},
             0);
}

TEST_CASE("what is no matrix is refused at the user's line") {
  const Array vector = fx::ones({3}), wide = fx::ones({2, 3});
  const auto starts = [](const std::string& text, const std::string& with) {
    INFO(text);
    CHECK(text.rfind(with, 0) == 0);
  };
  starts(refusal([&] { linalg::inv(vector); }),
         "error[matrix]: inv: it takes matrices, this is f32[3]");
  starts(refusal([&] { linalg::inv(wide); }),
         "error[matrix]: inv: the matrices are not square, 2 by 3");
  starts(refusal([&] { linalg::solve(fx::eye(3), fx::ones({2})); }),
         "error[matrix]: solve: the matrix has 3 rows, the right side 2");
  starts(refusal([&] { linalg::qr(wide, "raw"); }), "error[mode]: qr: the mode is");
  starts(refusal([&] { linalg::cholesky(fx::ones({2, 2}, fx::bfloat16)); }),
         "error[dtype]: cholesky");
  starts(refusal([&] { linalg::norm(wide, 3); }),
         "error[norm]: norm: matrices have no norm of order 3");
  starts(refusal([&] { linalg::norm(vector, "nuc"); }), "error[norm]");
  starts(refusal([&] { linalg::det(wide); }), "error[matrix]: det");
  starts(refusal([&] {
           fx::grad([](Array x) { return fx::sum(linalg::qr(x, "complete").Q); })(fx::ones({3, 2}));
         }),
         "error[no-derivative]: qr");
  starts(refusal([&] { linalg::multi_dot({wide, wide}); }), "error[dot-sizes]: multi_dot");
}

TEST_CASE("integers are factored as float32, and batches broadcast") {
  CHECK(linalg::inv(fx::array({{2, 0}, {0, 4}})).dtype() == fx::float32);
  check_near(
      linalg::solve(matrix(3, 3, 3), fx::stack({matrix(3, 2), matrix(3, 2)})),
      {2, 3, 2},
      [] {
        Numbers twice = list(data::solve_3);
        const Numbers once = twice;
        twice.insert(twice.end(), once.begin(), once.end());
        return twice;
      }(),
      1e-13);
}
