// The primitives of linear algebra, batched over leading axes, as functions that record one
// operation each; what is made of them is in fluxion/linalg.hpp.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

// Operands are float32 or float64 (complex where a rule says so), with matrices in the last two
// axes. Every function refuses other shapes with the error `matrix`.

/// The lower L with L L^H = a; reads the lower triangle. NaN in the lower triangle where a is not
/// positive definite.
Array cholesky(const Array& a, const Site&);

enum class Transposed { no, yes, adjoint };
struct TriangularSolve {
  bool left = true, lower = true;
  Transposed transposed = Transposed::no;
  bool unit_diagonal = false;
};
/// x with op(a) x = b, or (not `left`) x op(a) = b; reads one triangle of a.
Array triangular_solve(const Array& a, const Array& b, const TriangularSolve&, const Site&);

struct LuFactors {
  Array lu, pivots, permutation;  // int32
};
/// P a = L U with partial pivoting, as LAPACK packs it: row k was exchanged with row pivots[k],
/// which makes rows permutation[0], permutation[1], ... of a.
LuFactors lu(const Array& a, const Site&);

/// x with op(a) x = b, from the factors of a, through which nothing is differentiated: a is.
Array lu_solve(const Array& a, const LuFactors&, const Array& b, Transposed, const Site&);

/// By elimination with partial pivoting. NaN where a pivot is 0.
Array inverse(const Array& a, const Site&);

struct QrFactors {
  Array q, r;
};
/// Householder's factors, with LAPACK's signs. `full`: q is square.
QrFactors qr(const Array& a, bool full, const Site&);

struct Eigenpairs {
  Array values, vectors;
};
/// Eigenvalues, ascending, and vectors of a Hermitian matrix, of which the lower triangle is read.
/// In every vector the first element of at least a third of the largest is positive. NaN for a
/// matrix with an element that is not finite. Without `vectors` these are empty.
Eigenpairs eigh(const Array& a, bool vectors, const Site&);

struct SvdFactors {
  Array values, u, vh;
};
/// a = u diag(values) vh, values descending; in every column of u the first element of at least a
/// third of the largest is positive. NaN as eigh. `full`: u and vh are square. Without `vectors`
/// these are empty.
SvdFactors svd(const Array& a, bool full, bool vectors, const Site&);

/// x of a tridiagonal system by Thomas' algorithm (no pivoting): lower[0] and upper[n - 1] do not
/// count. Diagonals are [..., n], the right sides [..., n, k].
Array tridiagonal_solve(
    const Array& lower, const Array& diagonal, const Array& upper, const Array& b, const Site&);

}  // namespace fluxion::ops

namespace fluxion {
template <> struct EnumWords<ops::Transposed> {
  static constexpr bool given = true;
  static constexpr std::string_view words[] = {"no", "yes", "adjoint"};
};
}  // namespace fluxion
