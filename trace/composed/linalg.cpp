// Factorizations and solutions of linear systems, made of the primitives.
#include "fluxion/linalg.hpp"

#include "fluxion/complex.hpp"
#include "fluxion/rules.hpp"
#include "trace/composed/common.hpp"
#include "trace/ops/linalg.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace fluxion::linalg {
namespace {

using namespace composed;

std::int64_t rows_of(const Array& a) { return size_at(a, rank_of(a) - 2); }
std::int64_t columns_of(const Array& a) { return size_at(a, rank_of(a) - 1); }

/// The operand as an array of matrices (error `matrix`), in a dtype of real numbers.
Array matrix(const Operand& a, std::string_view who, bool square = false) {
  const Array m = real(a, who);
  if (rank_of(m) < 2)
    fail("matrix",
         a.site(),
         fmt::format("{}: it takes matrices, this is {}", who, to_string(type_of(m))),
         {},
         "matrices are the last two axes");
  if (square && rows_of(m) != columns_of(m))
    fail("matrix",
         a.site(),
         fmt::format("{}: the matrices are not square, {} by {}", who, rows_of(m), columns_of(m)),
         {fmt::format("a {}", to_string(type_of(m)))});
  return m;
}

/// The adjoint: of real matrices the transpose.
Array turned(const Array& a) { return conj(swapaxes(a, -1, -2)); }

Array symmetrized(const Array& a) { return (a + turned(a)) / 2; }

/// The distance from 1 to the next number.
double epsilon_of(const Array& a) {
  const DType d = type_of(a).dtype;
  return d == float64 || d == complex128 ? 0x1p-52 : 0x1p-23;
}

bool lower_of(std::string_view uplo, const Site& site) {
  if (uplo == "L" || uplo == "l") return true;
  if (uplo == "U" || uplo == "u") return false;
  fail("mode", site, fmt::format("eigh: UPLO is \"L\" or \"U\", not \"{}\"", uplo));
}

Shape batch_of(const Array& a) {
  return without_axes(shape_of(a), {rank_of(a) - 2, rank_of(a) - 1});
}

Array with_batch(const Array& a, const Shape& batch, const Site& site) {
  Shape full = batch;
  full.push_back(rows_of(a));
  full.push_back(columns_of(a));
  return broadcast("solve", a, full, site);
}

/// A system: matrices and right sides with the same leading axes; b was one vector or many.
struct System {
  Array a, b;
  bool vector;
  Array result(const Array& x) const { return vector ? squeeze(x, -1) : x; }
};

System system_of(std::string_view who, const Operand& a, const Operand& b, bool square = true) {
  const DType d = real_dtype(common_dtype({&a, &b}));
  System s{as(a, d, who), as(b, d, who), false};
  s.a = matrix(s.a, who, false);
  if (square) (void)matrix(Operand(s.a, a.site()), who, true);
  if (rank_of(s.b) == 0)
    fail("matrix", b.site(), fmt::format("{}: the right side is a scalar", who));
  s.vector = rank_of(s.b) == 1;
  if (s.vector) s.b = expand_dims(s.b, -1);
  if (rows_of(s.b) != rows_of(s.a))
    fail("matrix",
         a.site(),
         fmt::format(
             "{}: the matrix has {} rows, the right side {}", who, rows_of(s.a), rows_of(s.b)),
         {fmt::format("a {}", to_string(type_of(s.a))),
          fmt::format("b {}", to_string(type_of(s.b)))});
  const Shape batch =
      broadcast_shapes(who,
                       batch_of(s.a),
                       batch_of(s.b),
                       {"a " + to_string(type_of(s.a)), "b " + to_string(type_of(s.b))},
                       a.site());
  s.a = with_batch(s.a, batch, a.site());
  s.b = with_batch(s.b, batch, a.site());
  return s;
}

ops::Transposed transposed_of(std::string_view who, int trans, const Site& site) {
  if (trans == 0) return ops::Transposed::no;
  if (trans == 1) return ops::Transposed::yes;
  if (trans == 2) return ops::Transposed::adjoint;
  fail("mode",
       site,
       fmt::format(
           "{}: trans is 0 (the matrix), 1 (transposed) or 2 (adjoint), not {}", who, trans));
}

/// The rows of b in another order: [..., m] of [..., m, k].
Array reordered(const Array& b, const Array& rows) {
  if (element_count(shape_of(b)) == 0) return b;
  return take_along_axis(b, expand_dims(rows, -1), -2);
}

/// The permutation that exchanges of rows amount to.
Array permutation_of(const Array& pivots, std::int64_t m) {
  const int rank = rank_of(pivots);
  const Array places = positions(with_size(shape_of(pivots), rank - 1, m), rank - 1, Site());
  Array order = places.astype(int32);
  for (std::int64_t k = 0; k < size_at(pivots, rank - 1); ++k) {
    const Array pivot = slice_axis(pivots, rank - 1, k, k + 1, 1, Site());
    const Array here = slice_axis(order, rank - 1, k, k + 1, 1, Site());
    const Array there = take_along_axis(order, pivot, -1);
    order = where(places == pivot, here, where(places == k, there, order));
  }
  return order;
}

/// Where each position went.
Array inverse_of(const Array& order) {
  const std::int64_t n = size_at(order, rank_of(order) - 1);
  if (n == 0) return order;
  return argmax(one_hot(order, n), -2);
}

}  // namespace

Array cholesky(const Operand& a, bool upper, bool symmetrize_input) {
  SiteScope here(a.site());
  Array m = matrix(a, "cholesky", true);
  if (symmetrize_input)
    m = symmetrized(m);
  else if (upper)
    m = turned(m);
  const Array l = ops::cholesky(m, a.site());
  return upper ? turned(l) : l;
}

Qr qr(const Operand& a, std::string_view mode) {
  SiteScope here(a.site());
  const Array m = matrix(a, "qr");
  if (mode != "reduced" && mode != "complete" && mode != "r" && mode != "full")
    fail("mode",
         a.site(),
         fmt::format("qr: the mode is \"reduced\", \"complete\" or \"r\", not \"{}\"", mode));
  const auto [q, r] = ops::qr(m, mode == "complete" || mode == "full", a.site());
  return {mode == "r" ? Array() : q, r};
}

namespace {

ops::Eigenpairs eigenpairs(std::string_view who,
                           const Operand& a,
                           std::string_view uplo,
                           bool symmetrize_input,
                           bool vectors) {
  Array m = matrix(a, who, true);
  const bool lower = lower_of(uplo, a.site());
  if (symmetrize_input)
    m = symmetrized(m);
  else if (!lower)
    m = turned(m);
  return ops::eigh(m, vectors, a.site());
}

}  // namespace

Eigh eigh(const Operand& a, std::string_view uplo, bool symmetrize_input) {
  SiteScope here(a.site());
  const auto [values, vectors] = eigenpairs("eigh", a, uplo, symmetrize_input, true);
  return {values, vectors};
}

Array eigvalsh(const Operand& a, std::string_view uplo, bool symmetrize_input) {
  SiteScope here(a.site());
  return eigenpairs("eigvalsh", a, uplo, symmetrize_input, false).values;
}

Svd svd(const Operand& a, bool full_matrices) {
  SiteScope here(a.site());
  const auto [values, u, vh] = ops::svd(matrix(a, "svd"), full_matrices, true, a.site());
  return {u, values, vh};
}

Array svdvals(const Operand& a) {
  SiteScope here(a.site());
  return ops::svd(matrix(a, "svdvals"), false, false, a.site()).values;
}

Array solve(const Operand& a, const Operand& b) {
  SiteScope here(a.site());
  const System s = system_of("solve", a, b);
  const ops::LuFactors factors = ops::lu(s.a, a.site());
  return s.result(ops::lu_solve(s.a, factors, s.b, ops::Transposed::no, a.site()));
}

Array inv(const Operand& a) {
  SiteScope here(a.site());
  return ops::inverse(matrix(a, "inv", true), a.site());
}

Lu lu(const Operand& a) {
  SiteScope here(a.site());
  const Array m = matrix(a, "lu");
  const std::int64_t rows = rows_of(m), k = std::min(rows, columns_of(m));
  const ops::LuFactors f = ops::lu(m, a.site());
  const Array left = f.lu[{ellipsis, fluxion::slice(0, k)}],
              right = f.lu[{ellipsis, fluxion::slice(0, k), fluxion::all}];
  const Array p = swapaxes(one_hot(f.permutation, rows, type_of(m).dtype), -1, -2);
  return {p, tril(left, -1) + eye(rows, k, 0, type_of(m).dtype), triu(right)};
}

LuFactor lu_factor(const Operand& a) {
  SiteScope here(a.site());
  const ops::LuFactors f = ops::lu(matrix(a, "lu_factor"), a.site());
  return {f.lu, f.pivots};
}

Array lu_solve(const LuFactor& factor, const Operand& b, int trans) {
  SiteScope here(b.site());
  const System s = system_of("lu_solve", Operand(factor.lu, b.site()), b);
  const ops::Transposed how = transposed_of("lu_solve", trans, b.site());
  const Array order = broadcast("lu_solve",
                                permutation_of(factor.piv, rows_of(s.a)),
                                without_axes(shape_of(s.b), {rank_of(s.b) - 1}),
                                b.site());
  const auto triangle = [&](const Array& x, bool lower) {
    return ops::triangular_solve(
        s.a, x, {.lower = lower, .transposed = how, .unit_diagonal = lower}, b.site());
  };
  if (trans == 0) return s.result(triangle(triangle(reordered(s.b, order), true), false));
  return s.result(reordered(triangle(triangle(s.b, false), true), inverse_of(order)));
}

ChoFactor cho_factor(const Operand& a, bool lower) {
  SiteScope here(a.site());
  return {cholesky(a, !lower), lower};
}

Array cho_solve(const ChoFactor& factor, const Operand& b) {
  SiteScope here(b.site());
  const System s = system_of("cho_solve", Operand(factor.c, b.site()), b);
  const auto triangle = [&](const Array& x, bool adjoint) {
    return ops::triangular_solve(
        s.a,
        x,
        {.lower = factor.lower,
         .transposed = adjoint ? ops::Transposed::adjoint : ops::Transposed::no},
        b.site());
  };
  return s.result(triangle(triangle(s.b, !factor.lower), factor.lower));
}

Array solve_triangular(
    const Operand& a, const Operand& b, int trans, bool lower, bool unit_diagonal) {
  SiteScope here(a.site());
  const System s = system_of("solve_triangular", a, b);
  return s.result(
      ops::triangular_solve(s.a,
                            s.b,
                            {.lower = lower,
                             .transposed = transposed_of("solve_triangular", trans, a.site()),
                             .unit_diagonal = unit_diagonal},
                            a.site()));
}

namespace {

/// a = U diag(s) Vh: the inverse of the singular values above `cutoff` times the largest.
Array pseudoinverse(const Array& m, double cutoff) {
  const auto [values, u, vh] = ops::svd(m, false, true, current_site(Site()));
  const Array counts = values > cutoff * max(stop_gradient(values), -1, true);
  const Array inverses = where(counts, 1 / where(counts, values, 1), 0);
  return matmul(turned(vh), expand_dims(inverses, -1) * turned(u));
}

}  // namespace

// Golub and Pereyra 1973, "The differentiation of pseudo-inverses": exact where the rank stays.
Array pinv(const Operand& a, std::optional<double> rtol) {
  SiteScope here(a.site());
  const Array m = matrix(a, "pinv");
  const std::int64_t rows = rows_of(m), columns = columns_of(m);
  const double epsilon = epsilon_of(m);
  const double cutoff = rtol ? *rtol : 10 * static_cast<double>(std::max(rows, columns)) * epsilon;
  if (rows == 0 || columns == 0) return zeros_like(turned(m));
  const auto rule = [cutoff, rows, columns](auto primals, auto tangents) {
    const Array &x = std::get<0>(primals), &dx = std::get<0>(tangents);
    const Array p = pseudoinverse(x, cutoff), pt = turned(p), dxt = turned(dx);
    const DType d = type_of(x).dtype;
    const Array left = eye(rows, d) - matmul(x, p), right = eye(columns, d) - matmul(p, x);
    const Array inside = matmul(matmul(p, dx), p);
    const Array above = matmul(matmul(matmul(p, pt), dxt), left);
    const Array below = matmul(matmul(right, dxt), matmul(pt, p));
    return std::pair{p, above + below - inside};
  };
  return custom_jvp([cutoff](Array x) { return pseudoinverse(x, cutoff); }, rule)(m);
}

LeastSquares lstsq(const Operand& a, const Operand& b, std::optional<double> rcond) {
  SiteScope here(a.site());
  const System s = system_of("lstsq", a, b, false);
  if (rank_of(s.a) != 2)
    fail("matrix",
         a.site(),
         fmt::format("lstsq: it takes one matrix, this is {}", to_string(type_of(s.a))),
         {},
         "for a batch use fx::vmap");
  const std::int64_t m = rows_of(s.a), n = columns_of(s.a);
  const double epsilon = epsilon_of(s.a);
  const double cutoff = rcond ? *rcond : epsilon * static_cast<double>(std::max(m, n));
  const auto [values, u, vh] = ops::svd(s.a, false, true, a.site());
  const Array counts =
      m && n ? values > cutoff * slice_axis(values, 0, 0, 1, 1, a.site()) : values > 0;
  const Array inverses = where(counts, 1 / where(counts, values, 1), 0);
  const Array rank = sum(counts);
  const Array x = matmul(turned(vh), expand_dims(inverses, -1) * matmul(turned(u), s.b));
  const Array residuals = sum(square(abs(s.b - matmul(s.a, x))), 0);
  return {s.result(x), residuals, rank, values};
}

Array matrix_rank(const Operand& a, std::optional<double> rtol) {
  SiteScope here(a.site());
  const Array m = matrix(a, "matrix_rank");
  const std::int64_t size = std::max(rows_of(m), columns_of(m));
  const double epsilon = epsilon_of(m);
  const double cutoff = rtol ? *rtol : epsilon * static_cast<double>(size);
  const Array values = svdvals(Operand(m, a.site()));
  if (columns_of(m) == 0 || rows_of(m) == 0) return sum(values > 0, -1);
  return sum(values > cutoff * max(values, -1, true), -1);
}

}  // namespace fluxion::linalg

namespace fluxion::lax::linalg {

Lu lu(const Operand& a) {
  SiteScope here(a.site());
  const ops::LuFactors f = ops::lu(composed::real(a, "lu"), a.site());
  return {f.lu, f.pivots, f.permutation};
}

Array triangular_solve(const Operand& a, const Operand& b, const TriangularSolve& how) {
  SiteScope here(a.site());
  const DType d = composed::real_dtype(composed::common_dtype({&a, &b}));
  const ops::Transposed transposed = !how.transpose_a  ? ops::Transposed::no
                                     : how.conjugate_a ? ops::Transposed::adjoint
                                                       : ops::Transposed::yes;
  return ops::triangular_solve(composed::as(a, d, "triangular_solve"),
                               composed::as(b, d, "triangular_solve"),
                               {how.left_side, how.lower, transposed, how.unit_diagonal},
                               a.site());
}

Array tridiagonal_solve(const Operand& dl, const Operand& d, const Operand& du, const Operand& b) {
  SiteScope here(dl.site());
  const DType t = composed::real_dtype(composed::common_dtype({&dl, &d, &du, &b}));
  const auto given = [&](const Operand& x) { return composed::as(x, t, "tridiagonal_solve"); };
  return ops::tridiagonal_solve(given(dl), given(d), given(du), given(b), dl.site());
}

}  // namespace fluxion::lax::linalg
