// Rows of linear algebra: matrices made well-conditioned inside of each program, sizes on both
// sides of what kernels write out, loop over, and leave to a library.
#include "tests/matrix/samples.hpp"

#include <algorithm>

namespace fluxion::test {
namespace {

namespace fx = fluxion;
namespace linalg = fluxion::linalg;

const std::vector<DType>& linalg_dtypes() {
  static const std::vector<DType> all = {float32, float64, complex64, complex128};
  return all;
}

Sample row(std::string name, ProgramFunction f, std::vector<SampleCase> cases) {
  return {std::move(name), std::move(f), std::move(cases), linalg_dtypes()};
}

std::vector<SampleCase> squares() {
  return {{{{1, 1}, -1, 1}},
          {{{2, 2}, -1, 1}},
          {{{3, 3}, -1, 1}},
          {{{2, 3, 3}, -1, 1}},
          {{{4, 4}, -1, 1}},
          {{{5, 5}, -1, 1}},
          {{{9, 9}, -1, 1}},
          {{{3, 9, 9}, -1, 1}},
          {{{37, 2, 2}, -1, 1}},
          {{{0, 0}}},
          {{{0, 3, 3}}}};
}

std::vector<SampleCase> rectangles() {
  return {{{{1, 1}, -1, 1}},
          {{{3, 2}, -1, 1}},
          {{{2, 3}, -1, 1}},
          {{{2, 3, 2}, -1, 1}},
          {{{6, 4}, -1, 1}},
          {{{4, 5}, -1, 1}},
          {{{11, 9}, -1, 1}},
          {{{2, 9, 10}, -1, 1}},
          {{{0, 2}}},
          {{{2, 0}}}};
}

/// x + by times the identity.
Array shifted(const Array& x, double by) {
  return x + by * fx::eye(x.shape()[x.shape().size() - 1], x.dtype());
}

Array adjoint(const Array& x) { return fx::conj(fx::swapaxes(x, -1, -2)); }

/// Well-conditioned and Hermitian, with eigenvalues that keep apart.
Array spread_out(const Array& x) {
  const std::int64_t n = x.shape()[x.shape().size() - 1];
  const Array line = fx::arange(n).astype(x.dtype());
  return 0.3 * (x + adjoint(x)) + fx::diag(2 * line + 1);
}

Array positive(const Array& x) { return shifted(fx::matmul(x, adjoint(x)), 2); }

/// Singular values that keep apart and from 0.
Array steep(const Array& x) {
  const Shape& s = x.shape();
  const std::int64_t m = s[s.size() - 2], n = s[s.size() - 1];
  const Array line = fx::arange(n).astype(x.dtype());
  return 0.3 * x + fx::eye(m, n, 0, x.dtype()) * (2 * line + 2);
}

Samples factor_rows() {
  Samples rows = {
      row(
          "cholesky",
          [](const ArrayList& x) {
            const Array a = positive(x[0]);
            return ArrayList{linalg::cholesky(a),
                             linalg::cholesky(a, true),
                             linalg::cholesky(shifted(x[0], 7), false, false)};
          },
          squares()),
      row(
          "lu",
          [](const ArrayList& x) {
            const auto [p, l, u] = linalg::lu(steep(x[0]));
            return ArrayList{p, l, u};
          },
          rectangles()),
      row(
          "lax lu",
          [](const ArrayList& x) {
            const auto f = fx::lax::linalg::lu(x[0]);
            return ArrayList{f.lu, f.pivots, f.permutation};
          },
          rectangles()),
      row(
          "qr",
          [](const ArrayList& x) {
            const auto [q, r] = linalg::qr(steep(x[0]));
            return ArrayList{q, r};
          },
          rectangles()),
      row(
          "qr complete",
          [](const ArrayList& x) {
            const auto [q, r] = linalg::qr(fx::stop_gradient(x[0]), "complete");
            return ArrayList{q, r};
          },
          rectangles()),
      row(
          "eigh",
          [](const ArrayList& x) {
            const auto [w, v] = linalg::eigh(spread_out(x[0]));
            const auto other = linalg::eigh(spread_out(x[0]), "U", false);
            return ArrayList{w, v, other.eigenvalues};
          },
          squares()),
      row("eigvalsh",
          one([](const ArrayList& x) { return linalg::eigvalsh(spread_out(x[0])); }),
          squares()),
      row(
          "svd",
          [](const ArrayList& x) {
            const auto [u, s, vh] = linalg::svd(steep(x[0]), false);
            return ArrayList{u, s, vh};
          },
          rectangles()),
      row(
          "svd full",
          [](const ArrayList& x) {
            const auto [u, s, vh] = linalg::svd(fx::stop_gradient(steep(x[0])));
            return ArrayList{s, fx::matmul(adjoint(u), u), fx::matmul(vh, adjoint(vh))};
          },
          rectangles()),
      row("svdvals",
          one([](const ArrayList& x) { return linalg::svdvals(steep(x[0])); }),
          rectangles()),
  };
  for (Sample& r : rows)
    if (r.name == "qr complete" || r.name == "svd full")
      r.exceptions = {
          {SampleLaw::differences, "square factors of a matrix that is not have no derivative"}};
  return rows;
}

std::vector<SampleCase> systems() {
  return {{{{1, 1}, -1, 1}, {{1}}},
          {{{2, 2}, -1, 1}, {{2, 3}}},
          {{{3, 3}, -1, 1}, {{3}}},
          {{{2, 3, 3}, -1, 1}, {{3, 1}}},
          {{{5, 5}, -1, 1}, {{2, 5, 2}}},
          {{{9, 9}, -1, 1}, {{9, 2}}},
          {{{2, 10, 10}, -1, 1}, {{2, 10, 1}}},
          {{{37, 2, 2}, -1, 1}, {{37, 2, 1}}},
          {{{0, 0}}, {{0}}},
          {{{3, 3}}, {{3, 0}}}};
}

Samples system_rows() {
  const auto well = [](const Array& x) { return shifted(x, 3); };
  return {
      row("solve",
          one([well](const ArrayList& x) { return linalg::solve(well(x[0]), x[1]); }),
          systems()),
      row(
          "lu_solve",
          [well](const ArrayList& x) {
            const auto f = linalg::lu_factor(well(x[0]));
            return ArrayList{f.lu,
                             f.piv,
                             linalg::lu_solve(f, x[1]),
                             linalg::lu_solve(f, x[1], 1),
                             linalg::lu_solve(f, x[1], 2)};
          },
          systems()),
      row(
          "cho_solve",
          [](const ArrayList& x) {
            const Array a = positive(x[0]);
            return ArrayList{linalg::cho_solve(linalg::cho_factor(a), x[1]),
                             linalg::cho_solve(linalg::cho_factor(a, true), x[1])};
          },
          systems()),
      row(
          "solve_triangular",
          [well](const ArrayList& x) {
            return ArrayList{linalg::solve_triangular(well(x[0]), x[1]),
                             linalg::solve_triangular(well(x[0]), x[1], 1, true),
                             linalg::solve_triangular(x[0], x[1], 0, true, true)};
          },
          systems()),
      // Both triangles of the matrix, its transpose and its adjoint, from either side.
      row("triangular_solve",
          [well](const ArrayList& x) {
            const Array a = well(x[0]), turned = fx::swapaxes(x[1], -1, -2);
            ArrayList out;
            for (bool left : {false, true})
              for (bool lower : {false, true})
                for (int form : {0, 1, 2})
                  out.push_back(fx::lax::linalg::triangular_solve(a,
                                                                  left ? turned : x[1],
                                                                  {.left_side = left,
                                                                   .lower = lower,
                                                                   .transpose_a = form > 0,
                                                                   .conjugate_a = form > 1}));
            out.push_back(fx::lax::linalg::triangular_solve(a, x[1], {.unit_diagonal = true}));
            return out;
          },
          {{{{1, 1}, -1, 1}, {{1, 1}}},
           {{{3, 3}, -1, 1}, {{2, 3}}},
           {{{2, 5, 5}, -1, 1}, {{2, 1, 5}}},
           {{{9, 9}, -1, 1}, {{3, 9}}}}),
      row("tridiagonal_solve",
          one([](const ArrayList& x) {
            return fx::lax::linalg::tridiagonal_solve(x[0], x[1] + 4, x[2], x[3]);
          }),
          {{{{1}, -1, 1}, {{1}, -1, 1}, {{1}, -1, 1}, {{1, 2}}},
           {{{3}, -1, 1}, {{3}, -1, 1}, {{3}, -1, 1}, {{3, 1}}},
           {{{2, 5}, -1, 1}, {{2, 5}, -1, 1}, {{2, 5}, -1, 1}, {{2, 5, 2}}},
           {{{67}, -1, 1}, {{67}, -1, 1}, {{67}, -1, 1}, {{67, 3}}},
           {{{0}}, {{0}}, {{0}}, {{0, 2}}}}),
      row("lstsq",
          [](const ArrayList& x) {
            const auto f = linalg::lstsq(steep(x[0]), x[1]);
            return ArrayList{f.x, f.residuals, f.rank, f.singular_values};
          },
          {{{{1, 1}, -1, 1}, {{1}}},
           {{{4, 2}, -1, 1}, {{4, 2}}},
           {{{2, 3}, -1, 1}, {{2}}},
           {{{11, 9}, -1, 1}, {{11, 2}}}}),
  };
}

Samples function_rows() {
  const auto well = [](const Array& x) { return shifted(x, 3); };
  return {
      row("inv", one([well](const ArrayList& x) { return linalg::inv(well(x[0])); }), squares()),
      row("det", one([](const ArrayList& x) { return linalg::det(shifted(x[0], 1)); }), squares()),
      row(
          "slogdet",
          [well](const ArrayList& x) {
            const auto [sign, log] = linalg::slogdet(well(x[0]));
            return ArrayList{sign, log};
          },
          squares()),
      row("pinv", one([](const ArrayList& x) { return linalg::pinv(steep(x[0])); }), rectangles()),
      row("matrix_rank",
          one([](const ArrayList& x) { return linalg::matrix_rank(steep(x[0])); }),
          rectangles()),
      row("cond",
          [](const ArrayList& x) {
            const Array a = steep(x[0]);
            return ArrayList{
                linalg::cond(a), linalg::cond(a, 1), linalg::cond(a, "fro"), linalg::cond(a, -2)};
          },
          {{{{1, 1}, -1, 1}}, {{{3, 3}, -1, 1}}, {{{2, 5, 5}, -1, 1}}, {{{9, 9}, -1, 1}}}),
      row("matrix_power",
          [well](const ArrayList& x) {
            return ArrayList{linalg::matrix_power(x[0], 0),
                             linalg::matrix_power(x[0], 5),
                             linalg::matrix_power(well(x[0]), -3)};
          },
          {{{{1, 1}, -1, 1}}, {{{3, 3}, -1, 1}}, {{{2, 5, 5}, -1, 1}}, {{{0, 0}}}}),
      row("expm",
          [](const ArrayList& x) {
            return ArrayList{linalg::expm(x[0]), linalg::expm(9 * x[0], 4)};
          },
          {{{{1, 1}, -1, 1}},
           {{{3, 3}, -1, 1}},
           {{{2, 5, 5}, -0.5, 0.5}},
           {{{9, 9}, -0.2, 0.2}},
           {{{0, 0}}}}),
      row("multi_dot",
          one([](const ArrayList& x) { return linalg::multi_dot({x[0], x[1], x[2], x[3]}); }),
          {{{{2, 3}}, {{3, 1}}, {{1, 4}}, {{4, 2}}}, {{{3}}, {{3, 2}}, {{2, 2}}, {{2}}}}),
      row("linalg products",
          [](const ArrayList& x) {
            return ArrayList{linalg::vecdot(x[0], x[1]),
                             linalg::vecdot(x[0], x[1], 0),
                             linalg::outer(x[0][0], x[1][0]),
                             linalg::cross(x[0], x[1]),
                             linalg::cross(x[0], x[1], 0),
                             linalg::diagonal(x[0], 1),
                             linalg::trace(x[0]),
                             linalg::matrix_transpose(x[0])};
          },
          {{{{3, 3}}, {{3, 3}}}}),
  };
}

Samples norm_rows() {
  return {
      row("vector norms",
          [](const ArrayList& x) {
            ArrayList out;
            for (double p : {1.0, 2.0, 3.5, -1.0, 0.0, HUGE_VAL, -HUGE_VAL}) {
              out.push_back(linalg::norm(x[0], p, -1, true));
              out.push_back(linalg::vector_norm(x[0], p));
            }
            return out;
          },
          {{{{1}, 0.5, 1.5}}, {{{5}, -1.5, -0.5}}, {{{2, 3}, 0.5, 2}}, {{{5, 37}, 0.5, 2}}}),
      row("matrix norms",
          [](const ArrayList& x) {
            const Array a = steep(x[0]);
            ArrayList out = {linalg::norm(a, "fro", {-2, -1}),
                             linalg::norm(a, "nuc", {-2, -1}, true),
                             linalg::matrix_norm(a)};
            for (double p : {1.0, -1.0, 2.0, -2.0, HUGE_VAL, -HUGE_VAL})
              out.push_back(linalg::norm(a, p, {-2, -1}));
            return out;
          },
          {{{{1, 1}, 0.5, 1.5}},
           {{{2, 3}, 0.5, 1.5}},
           {{{2, 4, 3}, 0.5, 1.5}},
           {{{9, 10}, 0.5, 1.5}}}),
  };
}

}  // namespace

Samples linalg_samples() {
  Samples rows = factor_rows();
  for (const Samples& more : {system_rows(), function_rows(), norm_rows()})
    rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

}  // namespace fluxion::test
