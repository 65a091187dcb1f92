// What operations on matrices share: kernels whose small matrices are scalars and whose larger ones
// are scratch rows, arithmetic for their derivatives, and matrices of their references.
#pragma once
#include "trace/ops/axes.hpp"
#include "trace/ops/linalg.hpp"

#include <complex>
#include <functional>

namespace fluxion::ops::dense {

// ---- types

/// Refuses what is no matrix (error `matrix`) or has no fitting dtype (error `dtype`).
void check_matrix(std::string_view who, const Type&);
void check_square(std::string_view who, const Type&);
inline std::int64_t rows_of(const Shape& s) { return s[s.size() - 2]; }
inline std::int64_t columns_of(const Shape& s) { return s[s.size() - 1]; }
/// All axes but the last two.
Shape leading(const Shape&);
Shape joined(Shape leading, std::int64_t rows, std::int64_t columns);
Shape joined(Shape leading, std::int64_t size);
/// The dtype of absolute values.
DType real_of(DType);
/// The specification of a library call, unless the matrices are so small that the operation's own
/// kernel is faster.
LeafSpec library_call(FactorizationSpec::Routine, const Type& matrices, bool full, bool vectors);
/// The rule of all operations here: the batch axis becomes the first of the leading ones.
Batched batch_leading(const Op&, Arrays x, BatchAxes at, std::int64_t size);

// ---- derivatives (of the user's line: open a SiteScope(rule_site()) around them)

Array transposed(const Array&);
Array conjugate(const Array&);
Array adjoint(const Array&);
/// The matrix whose lower triangle was read, whole.
Array mirrored(const Array& lower);
/// By what rate a column's phase has to turn back so that its positive element (see eigh) stays
/// real while the columns change: [..., columns]; empty for real ones.
Array turned_to_positive(const Array& change, const Array& vectors);
/// The identity, of the dtype of x.
Array identity_like(const Array& x, std::int64_t size);

// ---- kernels

using kernel::Affine;
using kernel::Scalar;

inline Affine at(std::int64_t n) { return Affine{n, {}, {}}; }

/// A number of a kernel; real ones have no `im`.
struct Value {
  Scalar re = {}, im = {};
  bool is_complex() const { return im.defined(); }
};
Value operator+(Value, Value);
Value operator-(Value, Value);
Value operator-(Value);
Value operator*(Value, Value);
Value operator/(Value, Value);
Value operator*(Value, Scalar);
Value operator/(Value, Scalar);
Value conjugate(Value);
/// a - b * c, fused.
Value minus_product(Value a, Value b, Value c);
Value select(Scalar condition, Value yes, Value no);
/// |x|^2, |x|, and |re| + |im| (by which LAPACK chooses pivots).
Scalar squared(Value);
Scalar magnitude(Value);
Scalar pivot_size(Value);

/// Numbers of one dtype that change while a kernel runs: scalars if all positions are constants,
/// else a scratch row.
class Cells {
 public:
  Cells(kernel::Builder&, DType, std::int64_t count, bool unrolled);
  Scalar get(const Affine& position) const;
  void set(const Affine& position, Scalar);

 private:
  kernel::Builder* builder_;
  std::int32_t row_ = -1;
  std::vector<Scalar> held_;  // unrolled
};

/// A matrix of such numbers.
class Matrix {
 public:
  Matrix(kernel::Builder&, DType, std::int64_t rows, std::int64_t columns, bool unrolled);
  Value operator()(const Affine& i, const Affine& j) const;
  void set(const Affine& i, const Affine& j, Value);
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }

 private:
  std::int64_t rows_, columns_;
  Cells re_;
  std::optional<Cells> im_;
};

/// One matrix's part of a kernel. `unrolled`: loops are written out and matrices are scalars.
class Kernel {
 public:
  Kernel(kernel::Nest& nest, const kernel::Index& leading, bool unrolled)
      : nest_(nest), leading_(leading), unrolled_(unrolled) {}

  kernel::Builder& builder() const { return nest_.builder(); }
  DType dtype() const { return nest_.operand(0).dtype; }
  DType real() const { return real_of(dtype()); }
  Scalar number(double x) const { return builder().constant(real(), x); }
  Value value(double x) const {
    return {number(x), fluxion::is_complex(dtype()) ? number(0) : Scalar()};
  }
  Scalar integer(const Affine& x) const { return builder().value(x); }
  /// The number of a row or column as it is compared and kept: narrow where nothing is addressed by
  /// it, so that as many lanes fit as of float32.
  DType place_type() const { return unrolled_ ? int32 : int64; }
  Scalar place(const Affine& x) const { return kernel::convert(integer(x), place_type()); }
  Scalar not_a_number() const;
  bool unrolled() const { return unrolled_; }
  Matrix matrix(std::int64_t rows, std::int64_t columns) const {
    return {builder(), dtype(), rows, columns, unrolled_};
  }
  Cells cells(DType d, std::int64_t count) const { return {builder(), d, count, unrolled_}; }

  Value read(int k, const Affine& i, const Affine& j) const;
  Value read(int k, const Affine& i) const;
  void write(int k, const Affine& i, const Affine& j, Value) const;
  void write(int k, const Affine& i, Scalar) const;
  Matrix load(int k, std::int64_t rows, std::int64_t columns) const;

  using Body = std::function<void(const Affine&)>;
  /// body(i) for i from `from` to below `to`, of which there are never more than `most`.
  void loop(const Affine& from, const Affine& to, std::int64_t most, const Body&) const;
  void loop(std::int64_t count, const Body& body) const { loop(at(0), at(count), count, body); }
  /// The same from the end.
  void reversed(std::int64_t count, const Body&) const;
  using Step = std::function<std::vector<Scalar>(const Affine&, std::vector<Scalar>)>;
  /// Values that every iteration replaces.
  std::vector<Scalar> fold(const Affine& from,
                           const Affine& to,
                           std::int64_t most,
                           std::vector<Scalar> initial,
                           const Step&) const;
  Scalar fold(const Affine& from,
              const Affine& to,
              std::int64_t most,
              Scalar initial,
              const std::function<Scalar(const Affine&, Scalar)>&) const;
  /// initial - sum of left(i) * right(i).
  Value minus_products(const Affine& from,
                       const Affine& to,
                       std::int64_t most,
                       Value initial,
                       const std::function<std::pair<Value, Value>(const Affine&)>&) const;
  /// The row from i on in which column j has the element of the largest pivot_size: a place.
  Scalar pivot_row(const Matrix&, const Affine& i, const Affine& j) const;
  /// Exchanges rows i and p >= i.
  void exchange_rows(Matrix&, const Affine& i, Scalar p) const;
  void exchange(Cells&, std::int64_t count, const Affine& i, Scalar p) const;

 private:
  Value read_at(int k, const kernel::Index&) const;
  kernel::Index index(const Affine& i) const;
  kernel::Index index(const Affine& i, const Affine& j) const;

  kernel::Nest& nest_;
  const kernel::Index& leading_;
  bool unrolled_;
};

/// Rotates columns p and q of m: p becomes c p - conj(s) q, q becomes s p + c q.
struct Rotation {
  Scalar c;
  Value s;
};
void rotate_columns(const Kernel&, Matrix& m, const Affine& p, const Affine& q, const Rotation&);
/// The rotation that makes the Hermitian [[p, x], [conj(x), q]] diagonal; none where x is 0.
Rotation diagonalizing(const Kernel&, Scalar p, Scalar q, Value x);
/// The places of numbers in ascending (descending) order, equal ones as they are: int64.
Cells sorted_places(const Kernel&, const Cells& numbers, std::int64_t count, bool descending);
/// The unit factor that makes the first element of a third or more of a column's largest positive.
Value sign_of_column(const Kernel&, const Matrix&, const Affine& j);
void set_identity(const Kernel&, Matrix&);
/// 0, or NaN where an element of the matrix is not finite.
Scalar poison_of(const Kernel&, const Matrix&);

/// Matrices up to this size are scalars of their kernel.
inline constexpr std::int64_t most_unrolled = 4;
/// Larger ones than this go to a library.
inline constexpr std::int64_t most_in_kernel = 8;

// ---- references: complex double, whatever the dtype

using Number = std::complex<double>;
struct HostMatrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<Number> elements = {};
  HostMatrix(std::int64_t m, std::int64_t n)
      : rows(m), columns(n), elements(static_cast<std::size_t>(m * n)) {}
  Number& operator()(std::int64_t i, std::int64_t j) {
    return elements[static_cast<std::size_t>(i * columns + j)];
  }
  const Number& operator()(std::int64_t i, std::int64_t j) const {
    return elements[static_cast<std::size_t>(i * columns + j)];
  }
  /// column j scaled.
  void scale_column(std::int64_t j, Number by) {
    for (std::int64_t i = 0; i < rows; ++i) (*this)(i, j) *= by;
  }
};
/// Elements of an array from a position on.
HostMatrix load(const ConstTensor&, std::int64_t from, std::int64_t rows, std::int64_t columns);
void store(const Tensor&, std::int64_t from, const HostMatrix&);
void store_integer(const Tensor&, std::int64_t at, std::int64_t value);
/// How many matrices an array of matrices has.
std::int64_t matrices_in(const Type&);
HostMatrix product(const HostMatrix&, const HostMatrix&);
HostMatrix adjoint(const HostMatrix&);
HostMatrix identity(std::int64_t);
HostMatrix not_a_number(std::int64_t rows, std::int64_t columns);
bool finite(const HostMatrix&);
/// The unit factor that makes the first element of a third or more of a column's largest positive.
Number sign_of_column(const HostMatrix&, std::int64_t j);
/// Eigenvalues, ascending, and vectors of a Hermitian matrix: Jacobi's rotations.
std::pair<std::vector<double>, HostMatrix> jacobi(HostMatrix);

}  // namespace fluxion::ops::dense
