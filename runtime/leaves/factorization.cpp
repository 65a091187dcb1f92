// How factorizations of row-major matrices are brought into LAPACK's terms: a row-major matrix is
// the transpose of the column-major one in the same memory.
#include "runtime/leaves/lapack.hpp"
#include "runtime/leaves/leaves.hpp"
#include "runtime/thread_pool.hpp"
#include "trace/error.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <fmt/format.h>
#include <limits>
#include <vector>

namespace fluxion::runtime {
namespace {

using lapack::Int;
using std::int64_t;
using enum FactorizationSpec::Routine;

using lapack::is_complex_number;
using lapack::Real;

template <class T> T conjugate(T x) {
  if constexpr (is_complex_number<T>)
    return std::conj(x);
  else
    return x;
}
template <class T> bool finite(const T* x, int64_t count) {
  Real<T> sum = 0;  // of zeros, or NaN
  const auto* parts = reinterpret_cast<const Real<T>*>(x);
  for (int64_t i = 0; i < count * int64_t{is_complex_number<T> ? 2 : 1}; ++i) sum += parts[i] * 0;
  return sum == 0;
}
template <class T> void fill_nan(T* x, int64_t count) {
  std::fill(x, x + count, T(std::numeric_limits<Real<T>>::quiet_NaN()));
}

/// What one matrix of the batch is factored with: memory of its own.
template <class T> struct Work {
  T* matrix;   // a copy that the library destroys
  T* vectors;  // a second one
  T* tau;      // as many numbers as rows and columns
  T* numbers;  // the library's
  Real<T>* reals;
  Int* integers;
};

template <class T> class Factorization final : public codegen::PreparedLeaf {
 public:
  Factorization(const FactorizationSpec& spec, const lapack::Routines& routines)
      : spec_(spec),
        routines_(routines),
        m_(static_cast<Int>(spec.rows)),
        n_(static_cast<Int>(spec.columns)),
        k_(std::min(m_, n_)) {
    matrix_bytes_ = rounded_to_line(sizeof(T) * size(m_) * size(n_));
    const auto other =
        static_cast<Int>(std::max(spec.right_sides, std::max(spec.rows, spec.columns)));
    vector_bytes_ = rounded_to_line(2 * sizeof(T) * size(std::max(m_, n_)) * size(other));
    tau_bytes_ = rounded_to_line(sizeof(T) * size(m_ + n_));
    ask_for_work();
    per_thread_ = matrix_bytes_ + vector_bytes_ + tau_bytes_ +
                  rounded_to_line(sizeof(T) * size(numbers_)) +
                  rounded_to_line(sizeof(Real<T>) * size(reals_)) +
                  rounded_to_line(sizeof(Int) * size(integers_));
    const double each = 1e-3 * static_cast<double>(m_) * static_cast<double>(n_) *
                        static_cast<double>(k_ + spec.right_sides);
    grain_ = static_cast<int64_t>(std::clamp(20 / (each + 0.2), 1.0, 1e6));  // 20 microseconds
    threads_ = spec.batch > grain_ ? num_threads() : 1;
    scratch_bytes_ = per_thread_ * static_cast<std::size_t>(threads_);
  }

  void run(const void* const* in, void* const* out, void* scratch) const override {
    parallel_for(
        spec_.batch,
        grain_,
        [&](int64_t begin, int64_t end) {
          const auto own = threads_ == 1 ? 0 : static_cast<std::size_t>(participant());
          const Work<T> work = work_at(static_cast<std::byte*>(scratch) + own * per_thread_);
          for (int64_t b = begin; b < end; ++b) one(b, in, out, work);
        },
        threads_);
  }

  std::string description() const override {
    static constexpr const char* names[] = {
        "cholesky", "triangular_solve", "lu", "inverse", "qr", "eigh", "svd"};
    return fmt::format("{} {}x{}x{} {} {}",
                       names[static_cast<int>(spec_.routine)],
                       spec_.batch,
                       m_,
                       n_,
                       to_string(spec_.dtype),
                       lapack::library());
  }

 private:
  static std::size_t size(Int n) { return static_cast<std::size_t>(n); }

  Work<T> work_at(std::byte* place) const {
    const auto take = [&](std::size_t bytes) {
      void* here = place;
      place += bytes;
      return here;
    };
    Work<T> work;
    work.matrix = static_cast<T*>(take(matrix_bytes_));
    work.vectors = static_cast<T*>(take(vector_bytes_));
    work.tau = static_cast<T*>(take(tau_bytes_));
    work.numbers = static_cast<T*>(take(rounded_to_line(sizeof(T) * size(numbers_))));
    work.reals = static_cast<Real<T>*>(take(rounded_to_line(sizeof(Real<T>) * size(reals_))));
    work.integers = static_cast<Int*>(take(rounded_to_line(sizeof(Int) * size(integers_))));
    return work;
  }

  /// The sizes of the library's own work, by its own answers.
  void ask_for_work() {
    T answer(1), tau(1);
    Real<T> real(1);
    Int integer = 1;
    Work<T> none{nullptr, nullptr, &tau, &answer, &real, &integer};
    const auto wanted = [&] { return static_cast<Int>(std::real(answer)); };
    numbers_ = reals_ = integers_ = 1;
    Int info = 0, query = -1;
    T unused(0);
    switch (spec_.routine) {
      case lu:
        integers_ = k_;
        break;
      case inverse:
        integers_ = n_;
        routines_.getri(&n_, &unused, &n_, &integer, &answer, &query, &info);
        numbers_ = wanted();
        break;
      case qr: {
        routines_.gelqf(&n_, &m_, &unused, &n_, &tau, &answer, &query, &info);
        numbers_ = wanted();
        const Int columns = spec_.full ? m_ : k_;
        routines_.orglq(&columns, &m_, &k_, &unused, &columns, &tau, &answer, &query, &info);
        numbers_ = std::max(numbers_, wanted());
        break;
      }
      case eigh:
        call_eigh(&unused, &real, none, query, query, query);
        numbers_ = wanted();
        reals_ = is_complex_number<T> ? static_cast<Int>(real) : n_;
        integers_ = integer;
        break;
      case svd: {
        call_svd(&unused, &real, &unused, &unused, none, query);
        numbers_ = wanted();
        const Int big = std::max(m_, n_);
        reals_ = std::max(5 * k_ * k_ + 7 * k_, 2 * big * k_ + 2 * k_ * k_ + k_) + k_;
        integers_ = 8 * k_;
        break;
      }
      default:
        break;
    }
  }

  Int call_eigh(T* a, Real<T>* values, const Work<T>& w, Int lwork, Int lreal, Int linteger) const {
    const char job = spec_.vectors ? 'V' : 'N';
    return lapack::eigh(
        routines_, job, n_, a, values, w.numbers, lwork, w.reals, lreal, w.integers, linteger);
  }

  // a: the transpose, n by m. Its left vectors are the right ones of the matrix, and the other way.
  Int call_svd(T* a, Real<T>* values, T* u, T* vh, const Work<T>& w, Int lwork) const {
    const char job = !spec_.vectors ? 'N' : spec_.full ? 'A' : 'S';
    const Int rows_of_u = spec_.full ? m_ : k_;
    return lapack::svd(routines_,
                       job,
                       n_,
                       m_,
                       a,
                       values,
                       vh,
                       n_,
                       u,
                       rows_of_u,
                       w.numbers,
                       lwork,
                       w.reals,
                       w.integers);
  }

  void one(int64_t b, const void* const* in, void* const* out, const Work<T>& work) const {
    const T* a = static_cast<const T*>(in[0]) + b * m_ * n_;
    switch (spec_.routine) {
      case cholesky:
        return factor_cholesky(a, static_cast<T*>(out[0]) + b * n_ * n_);
      case triangular_solve: {
        const int64_t count = int64_t{n_} * spec_.right_sides;
        return solve(
            a, static_cast<const T*>(in[1]) + b * count, static_cast<T*>(out[0]) + b * count);
      }
      case lu:
        if (spec_.right_sides > 0) return solve_factored(b, in, out, work);
        return factor_lu(a,
                         static_cast<T*>(out[0]) + b * m_ * n_,
                         static_cast<Int*>(out[1]) + b * k_,
                         static_cast<Int*>(out[2]) + b * m_,
                         work);
      case inverse:
        return invert(a, static_cast<T*>(out[0]) + b * n_ * n_, work);
      case qr: {
        const int64_t columns = spec_.full ? m_ : k_;
        return factor_qr(a,
                         static_cast<T*>(out[0]) + b * m_ * columns,
                         static_cast<T*>(out[1]) + b * columns * n_,
                         work);
      }
      case eigh:
        return factor_eigh(a,
                           spec_.vectors ? static_cast<T*>(out[1]) + b * n_ * n_ : nullptr,
                           static_cast<Real<T>*>(out[0]) + b * n_,
                           work);
      case svd:
        return factor_svd(a, b, out, work);
    }
  }

  // The lower triangle in rows is the upper one in columns: U^H U there is L L^H here.
  void factor_cholesky(const T* a, T* l) const {
    for (Int i = 0; i < n_; ++i) {
      for (Int j = 0; j < n_; ++j) l[i * n_ + j] = j <= i ? a[i * n_ + j] : T(0);
    }
    Int info = 0;
    routines_.potrf("U", &n_, l, &n_, &info, 1);
    if (info == 0) return;
    for (Int i = 0; i < n_; ++i) fill_nan(l + i * n_, i + 1);
  }

  // op(A) X = B is X' op(A)' = B' in columns.
  void solve(const T* a, const T* b, T* x) const {
    std::copy(b, b + int64_t{n_} * spec_.right_sides, x);
    substitute(a, x, spec_.left, spec_.lower, spec_.unit_diagonal);
  }

  void substitute(const T* a, T* x, bool left, bool lower, bool unit) const {
    const auto k = static_cast<Int>(spec_.right_sides);
    const T one(1);
    const char side = left ? 'R' : 'L', triangle = lower ? 'U' : 'L', diagonal = unit ? 'U' : 'N';
    const Int rows = left ? k : n_, columns = left ? n_ : k;
    routines_.trsm(&side,
                   &triangle,
                   &spec_.transposed,
                   &diagonal,
                   &rows,
                   &columns,
                   &one,
                   a,
                   &n_,
                   x,
                   &rows,
                   1,
                   1,
                   1,
                   1);
  }

  // P A = L U: either the rows of B are taken in P's order at first, or those of X at the end.
  // operands: the matrix itself, its factors, their permutation, the right sides.
  void solve_factored(int64_t at, const void* const* in, void* const* out, const Work<T>& w) const {
    const int64_t k = spec_.right_sides;
    const T* lu = static_cast<const T*>(in[1]) + at * n_ * n_;
    const Int* order = static_cast<const Int*>(in[2]) + at * n_;
    const T* b = static_cast<const T*>(in[3]) + at * n_ * k;
    T *x = static_cast<T*>(out[0]) + at * n_ * k, *moved = w.vectors;
    const bool plain = spec_.transposed == 'N';
    T* rows = plain ? x : moved;
    for (int64_t i = 0; i < n_; ++i) {
      const T* from = b + (plain ? order[i] : i) * k;
      std::copy(from, from + k, rows + i * k);
    }
    substitute(lu, rows, true, plain, plain);
    substitute(lu, rows, true, !plain, !plain);
    for (int64_t i = 0; !plain && i < n_; ++i)
      std::copy(rows + i * k, rows + (i + 1) * k, x + order[i] * k);
  }

  void factor_lu(const T* a, T* lu, Int* pivots, Int* permutation, const Work<T>& work) const {
    for (Int i = 0; i < m_; ++i)
      for (Int j = 0; j < n_; ++j) work.matrix[j * m_ + i] = a[i * n_ + j];
    Int info = 0;
    routines_.getrf(&m_, &n_, work.matrix, &m_, pivots, &info);
    for (Int i = 0; i < m_; ++i) {
      permutation[i] = i;
      for (Int j = 0; j < n_; ++j) lu[i * n_ + j] = work.matrix[j * m_ + i];
    }
    for (Int i = 0; i < k_; ++i) std::swap(permutation[i], permutation[--pivots[i]]);
  }

  // The inverse of the transpose is the transpose of the inverse.
  void invert(const T* a, T* x, const Work<T>& work) const {
    std::copy(a, a + int64_t{n_} * n_, x);
    Int info = 0;
    routines_.getrf(&n_, &n_, x, &n_, work.integers, &info);
    if (info == 0) routines_.getri(&n_, x, &n_, work.integers, work.numbers, &numbers_, &info);
    if (info != 0) fill_nan(x, int64_t{n_} * n_);
  }

  // A' = L Q in columns is A = Q' L' in rows.
  void factor_qr(const T* a, T* q, T* r, const Work<T>& work) const {
    const Int columns = spec_.full ? m_ : k_;
    std::copy(a, a + int64_t{m_} * n_, work.matrix);
    T* factor = work.vectors;  // OpenBLAS reads past the end of complex matrices
    Int info = 0;
    routines_.gelqf(&n_, &m_, work.matrix, &n_, work.tau, work.numbers, &numbers_, &info);
    for (Int i = 0; i < columns; ++i)
      for (Int j = 0; j < n_; ++j) r[i * n_ + j] = j >= i ? work.matrix[i * n_ + j] : T(0);
    for (Int i = 0; i < m_; ++i)  // reflector j lies in row j of the transpose
      for (Int j = 0; j < columns; ++j)
        factor[i * columns + j] = j < k_ ? work.matrix[i * n_ + j] : T(0);
    routines_.orglq(&columns, &m_, &k_, factor, &columns, work.tau, work.numbers, &numbers_, &info);
    std::copy(factor, factor + int64_t{m_} * columns, q);
  }

  /// The factor that makes a vector's first element of a third or more of the largest positive.
  static T sign_of(const T* v, int64_t count, int64_t stride) {
    Real<T> largest = 0;
    for (int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(v[i * stride]));
    for (int64_t i = 0; i < count; ++i) {
      const T x = v[i * stride];
      if (std::abs(x) * 3 < largest || largest == 0) continue;
      return conjugate(x) / std::abs(x);
    }
    return T(1);
  }

  void factor_eigh(const T* a, T* v, Real<T>* w, const Work<T>& work) const {
    std::copy(a, a + int64_t{n_} * n_, work.matrix);
    bool fine = true;
    for (Int i = 0; i < n_; ++i) fine = fine && finite(a + i * n_, i + 1);
    fine = fine && call_eigh(work.matrix, w, work, numbers_, reals_, integers_) == 0;
    if (!fine) fill_nan(w, n_);
    if (!v) return;
    if (!fine) return fill_nan(v, int64_t{n_} * n_);
    // In columns this was the conjugate of the matrix.
    for (Int j = 0; j < n_; ++j) {
      const T* from = work.matrix + j * n_;
      const T sign = sign_of(from, n_, 1);
      for (Int i = 0; i < n_; ++i) v[i * n_ + j] = conjugate(from[i] * sign);
    }
  }

  void factor_svd(const T* a, int64_t b, void* const* out, const Work<T>& work) const {
    auto* s = static_cast<Real<T>*>(out[0]) + b * k_;
    const int64_t columns = spec_.full ? m_ : k_, rows = spec_.full ? n_ : k_;
    T* u = spec_.vectors ? static_cast<T*>(out[1]) + b * m_ * columns : work.vectors;
    T* vh = spec_.vectors ? static_cast<T*>(out[2]) + b * rows * n_ : work.vectors;
    T *left = work.vectors, *right = left + size(std::max(m_, n_)) * size(std::max(m_, n_));
    std::copy(a, a + int64_t{m_} * n_, work.matrix);
    const bool fine =
        finite(a, int64_t{m_} * n_) && call_svd(work.matrix, s, left, right, work, numbers_) == 0;
    if (spec_.vectors) {
      std::copy(left, left + int64_t{m_} * (spec_.full ? m_ : k_), u);
      std::copy(right, right + int64_t{n_} * (spec_.full ? n_ : k_), vh);
    }
    if (!fine) fill_nan(s, k_);
    if (!spec_.vectors) return;
    if (!fine) {
      fill_nan(u, m_ * columns);
      return fill_nan(vh, rows * n_);
    }
    for (int64_t j = 0; j < columns; ++j) {
      const T sign = sign_of(u + j, m_, columns);
      for (int64_t i = 0; i < m_; ++i) u[i * columns + j] *= sign;
      if (j < rows)
        for (int64_t i = 0; i < n_; ++i) vh[j * n_ + i] *= conjugate(sign);
    }
    for (int64_t j = columns; j < rows; ++j) {
      const T sign = sign_of(vh + j * n_, n_, 1);
      for (int64_t i = 0; i < n_; ++i) vh[j * n_ + i] *= sign;
    }
  }

  FactorizationSpec spec_;
  const lapack::Routines& routines_;
  Int m_, n_, k_;
  Int numbers_ = 1, reals_ = 1, integers_ = 1;
  std::size_t matrix_bytes_ = 0, vector_bytes_ = 0, tau_bytes_ = 0, per_thread_ = 0;
  int64_t grain_ = 1;
  int threads_ = 1;
};

template <class T>
detail::Ref<codegen::PreparedLeaf> prepared(const FactorizationSpec& spec,
                                            const lapack::Routines& routines) {
  return detail::Ref<codegen::PreparedLeaf>(new Factorization<T>(spec, routines));
}

}  // namespace

detail::Ref<codegen::PreparedLeaf> prepare_factorization(const FactorizationSpec& spec) {
  constexpr int64_t most = 1 << 15;  // rows and columns: LAPACK counts elements in 32 bits
  if (spec.batch <= 0 || spec.rows <= 0 || spec.columns <= 0) return {};
  if (spec.rows > most || spec.columns > most || spec.right_sides > most) return {};
  const lapack::Routines* routines = lapack::routines(spec.dtype);
  if (!routines) return {};
  switch (spec.dtype) {
    case float32:
      return prepared<float>(spec, *routines);
    case float64:
      return prepared<double>(spec, *routines);
    case complex64:
      return prepared<std::complex<float>>(spec, *routines);
    default:
      return prepared<std::complex<double>>(spec, *routines);
  }
}

}  // namespace fluxion::runtime
