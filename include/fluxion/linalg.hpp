// Linear algebra: the names and meanings of jax.numpy.linalg, jax.scipy.linalg and jax.lax.linalg.
//
// Matrices are the last two axes; all axes before them are a batch. Everything computes in float32,
// float64, complex64 or complex128 (integers become float32; 16-bit floats are refused, error
// `dtype`); other shapes are refused with the error `matrix`. Matrices above 8 by 8 go to LAPACK
// where it is installed; smaller ones are computed many at a time in vector registers. Results do
// not depend on which.
#pragma once
#include "ops.hpp"

#include <string_view>

namespace fluxion::linalg {

/// Which norm: a number, infinite ones included, "fro" (Frobenius) or "nuc" (the sum of singular
/// values).
class Order {
 public:
  enum class Kind { none, number, frobenius, nuclear, unknown };
  Order() = default;
  template <Number T> constexpr Order(T p) : kind_(Kind::number), number_(static_cast<double>(p)) {}
  constexpr Order(const char* word)
      : kind_(std::string_view(word) == "fro"   ? Kind::frobenius
              : std::string_view(word) == "nuc" ? Kind::nuclear
                                                : Kind::unknown) {}
  Kind kind() const { return kind_; }
  double number() const { return number_; }

 private:
  Kind kind_ = Kind::none;
  double number_ = 0;
};

/// The lower L with L L^H = a (`upper`: U with U^H U = a) of the symmetric part of a; without
/// `symmetrize_input` one triangle is read. Where a is not positive definite, the triangle is NaN.
Array cholesky(const Operand& a, bool upper = false, bool symmetrize_input = true);

struct Qr {
  Array Q, R;
};
/// a = Q R. `mode`: "reduced" (Q is m by min(m, n)), "complete" (Q is square), "r" (Q is empty).
/// The signs are LAPACK's: R's diagonal has the opposite sign of what the reflections met. Error
/// `no-derivative` when a complete Q of a tall matrix is differentiated.
Qr qr(const Operand& a, std::string_view mode = "reduced");

struct Eigh {
  Array eigenvalues, eigenvectors;
};
/// Eigenvalues, ascending, and orthonormal eigenvectors (columns) of the symmetric part of a;
/// without `symmetrize_input` of the triangle UPLO ("L" or "U"). In every vector the first element
/// of at least a third of the largest is positive. NaN for a matrix with elements that are not
/// finite. Derivatives of vectors are infinite or NaN where eigenvalues meet.
Eigh eigh(const Operand& a, std::string_view uplo = "L", bool symmetrize_input = true);
/// The eigenvalues alone; their derivative is defined everywhere.
Array eigvalsh(const Operand& a, std::string_view uplo = "L", bool symmetrize_input = true);

struct Svd {
  Array U, S, Vh;
};
/// a = U diag(S) Vh with S descending; in every column of U the first element of at least a third
/// of the largest is positive. Without `full_matrices` the factors are reduced. NaN as eigh. The
/// derivatives are JAX's: those of vectors count gaps of 0 between singular values as infinite;
/// error `no-derivative` for full factors of a matrix that is not square.
Svd svd(const Operand& a, bool full_matrices = true);
/// The singular values alone, descending.
Array svdvals(const Operand& a);

/// x with a x = b, by LU factors. b is a vector, or has columns: [..., n, k]. Where a is singular
/// the result is infinite or NaN.
Array solve(const Operand& a, const Operand& b);
/// The inverse, by elimination with partial pivoting; NaN where a pivot is 0.
Array inv(const Operand& a);
/// The determinant: in closed form up to 3 by 3, else by LU factors (whose derivative is NaN where
/// a is singular).
Array det(const Operand& a);
struct SlogDet {
  Array sign, logabsdet;
};
/// The sign (0 if singular) and the logarithm of the absolute value of the determinant.
SlogDet slogdet(const Operand& a);
/// The Moore-Penrose inverse; singular values up to rtol times the largest count as 0 (default: 10
/// max(m, n) epsilon).
Array pinv(const Operand& a, std::optional<double> rtol = {});
struct LeastSquares {
  Array x, residuals, rank, singular_values;
};
/// The x of least norm that minimizes |a x - b|; a is [m, n], b [m] or [m, k]. Singular values up
/// to rcond times the largest count as 0 (default: max(m, n) epsilon). `residuals` are the sums of
/// squares of a x - b, one for each column of b.
LeastSquares lstsq(const Operand& a, const Operand& b, std::optional<double> rcond = {});
/// How many singular values exceed rtol times the largest (default: max(m, n) epsilon): int32.
Array matrix_rank(const Operand& a, std::optional<double> rtol = {});
/// norm(a, p) norm(inv(a), p); by default, and for 2 and -2, a quotient of singular values.
Array cond(const Operand& a, Order p = {});

/// Of a vector (one axis): the p-norm, 2 by default; 0 counts nonzeros, infinities give the extreme
/// absolute values. Of a matrix (two axes): "fro" (the default), "nuc", 1 and -1 (column sums), inf
/// and -inf (row sums), 2 and -2 (singular values). Without an order (ops.hpp): the root of the sum
/// of squares. The derivative at 0 is NaN. Error `norm` for other orders and numbers of axes.
Array norm_of(const Operand& x, Order ord, const Axes& axes, bool keepdims);
template <Number T>
Array norm(const Operand& x, T ord, const Axes& axes = {}, bool keepdims = false) {
  return linalg::norm_of(x, ord, axes, keepdims);
}
inline Array norm(const Operand& x, const char* ord, const Axes& axes = {}, bool keepdims = false) {
  return linalg::norm_of(x, ord, axes, keepdims);
}
/// The norm of vectors along axes (default: of all elements as one vector).
Array vector_norm(const Operand& x, Order ord = 2, const Axes& axes = {}, bool keepdims = false);
/// The norm of matrices in the last two axes.
Array matrix_norm(const Operand& x, Order ord = "fro", bool keepdims = false);

/// a to an integer power, by repeated squaring; negative ones of the inverse.
Array matrix_power(const Operand& a, int n);
/// The matrix exponential, by Pade approximation of degree 13 (float32: 7) with scaling and
/// squaring (Higham 2005). NaN where more than `max_squarings` are needed.
Array expm(const Operand& a, int max_squarings = 16);
/// The product of matrices in the order that costs least; the first and last may be vectors.
Array multi_dot(const std::vector<Array>& arrays, Site = Site::current());

/// The sum over products along an axis.
Array vecdot(const Operand& x, const Operand& y, int axis = -1);
/// All products of two vectors: [n, m].
Array outer(const Operand& x, const Operand& y);
/// The cross product of vectors of 3 along an axis.
Array cross(const Operand& x, const Operand& y, int axis = -1);
/// The k-th diagonal of the last two axes, and its sum.
Array diagonal(const Operand& x, int offset = 0);
Array trace(const Operand& x, int offset = 0);
/// The last two axes exchanged.
Array matrix_transpose(const Operand& x);

// jax.scipy.linalg.

struct Lu {
  Array P, L, U;
};
/// a = P L U with partial pivoting: a permutation matrix, a unit lower and an upper triangle.
Lu lu(const Operand& a);
struct LuFactor {
  Array lu, piv;
};
/// Both triangles in one matrix, and the rows (int32) that each was exchanged with.
LuFactor lu_factor(const Operand& a);
/// x with op(a) x = b from lu_factor(a); `trans`: 0 a, 1 its transpose, 2 its adjoint.
Array lu_solve(const LuFactor& factor, const Operand& b, int trans = 0);
struct ChoFactor {
  Array c;
  bool lower;
};
/// The Cholesky factor, to be used by cho_solve.
ChoFactor cho_factor(const Operand& a, bool lower = false);
/// x with a x = b from cho_factor(a).
Array cho_solve(const ChoFactor& factor, const Operand& b);
/// x with op(a) x = b for a triangular a; `trans` as in lu_solve.
Array solve_triangular(const Operand& a,
                       const Operand& b,
                       int trans = 0,
                       bool lower = false,
                       bool unit_diagonal = false);

}  // namespace fluxion::linalg

namespace fluxion::lax::linalg {

struct Lu {
  Array lu, pivots, permutation;
};
/// Both triangles of P a = L U in one matrix; row k was exchanged with row pivots[k], which leaves
/// the rows permutation[0], permutation[1], ... of a (int32).
Lu lu(const Operand& a);

struct TriangularSolve {
  bool left_side = false, lower = false, transpose_a = false, conjugate_a = false,
       unit_diagonal = false;
};
/// x with op(a) x = b (left_side) or x op(a) = b; a is [..., n, n], b [..., n, k] or [..., k, n],
/// with the same leading axes. One triangle of a is read.
Array triangular_solve(const Operand& a, const Operand& b, const TriangularSolve& = {});
/// x of a tridiagonal system without pivoting: the diagonals below, on and above are [..., n]
/// (dl[0] and du[n - 1] do not count), b is [..., n, k].
Array tridiagonal_solve(const Operand& dl, const Operand& d, const Operand& du, const Operand& b);

}  // namespace fluxion::lax::linalg
