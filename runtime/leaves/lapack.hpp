// LAPACK without its headers: the routines of one number type, found in the library at run time.
#pragma once
#include "fluxion/core.hpp"

#include <complex>
#include <cstddef>
#include <string>
#include <type_traits>

namespace fluxion::runtime::lapack {

/// Matrices are column-major; numbers, strings' lengths and all else as Fortran passes them.
/// Elements are float, double, or pairs of these; `real` are the parts' type.
using Int = int;
struct Routines {
  void (*potrf)(
      const char* triangle, const Int* n, void* a, const Int* lda, Int* info, std::size_t);
  void (*trsm)(const char* side,
               const char* triangle,
               const char* transposed,
               const char* diagonal,
               const Int* m,
               const Int* n,
               const void* alpha,
               const void* a,
               const Int* lda,
               void* b,
               const Int* ldb,
               std::size_t,
               std::size_t,
               std::size_t,
               std::size_t);
  void (*getrf)(const Int* m, const Int* n, void* a, const Int* lda, Int* pivots, Int* info);
  void (*getri)(const Int* n,
                void* a,
                const Int* lda,
                const Int* pivots,
                void* work,
                const Int* work_size,
                Int* info);
  void (*gelqf)(const Int* m,
                const Int* n,
                void* a,
                const Int* lda,
                void* tau,
                void* work,
                const Int* work_size,
                Int* info);
  void (*orglq)(const Int* m,
                const Int* n,
                const Int* k,
                void* a,
                const Int* lda,
                const void* tau,
                void* work,
                const Int* work_size,
                Int* info);
  // Of complex numbers these two have one more argument: real work.
  void* eigh;  // syevd, heevd
  void* svd;   // gesdd
};

template <class T> struct RealOf {
  using type = T;
};
template <class T> struct RealOf<std::complex<T>> {
  using type = T;
};
template <class T> using Real = typename RealOf<T>::type;
template <class T> inline constexpr bool is_complex_number = !std::is_same_v<T, Real<T>>;

/// Eigenvalues and (job 'V') vectors of a Hermitian matrix, of which the upper triangle is read.
template <class T>
Int eigh(const Routines& routines,
         char job,
         Int n,
         T* a,
         Real<T>* values,
         T* work,
         Int work_size,
         [[maybe_unused]] Real<T>* reals,
         [[maybe_unused]] Int reals_size,
         Int* integers,
         Int integers_size) {
  const char triangle = 'U';
  Int info = 0;
  if constexpr (is_complex_number<T>) {
    using Routine = void(const char*,
                         const char*,
                         const Int*,
                         T*,
                         const Int*,
                         Real<T>*,
                         T*,
                         const Int*,
                         Real<T>*,
                         const Int*,
                         Int*,
                         const Int*,
                         Int*,
                         std::size_t,
                         std::size_t);
    reinterpret_cast<Routine*>(routines.eigh)(&job,
                                              &triangle,
                                              &n,
                                              a,
                                              &n,
                                              values,
                                              work,
                                              &work_size,
                                              reals,
                                              &reals_size,
                                              integers,
                                              &integers_size,
                                              &info,
                                              1,
                                              1);
  } else {
    using Routine = void(const char*,
                         const char*,
                         const Int*,
                         T*,
                         const Int*,
                         T*,
                         T*,
                         const Int*,
                         Int*,
                         const Int*,
                         Int*,
                         std::size_t,
                         std::size_t);
    reinterpret_cast<Routine*>(routines.eigh)(&job,
                                              &triangle,
                                              &n,
                                              a,
                                              &n,
                                              values,
                                              work,
                                              &work_size,
                                              integers,
                                              &integers_size,
                                              &info,
                                              1,
                                              1);
  }
  return info;
}

/// Singular values of an m by n matrix and, unless job is 'N', vectors.
template <class T>
Int svd(const Routines& routines,
        char job,
        Int m,
        Int n,
        T* a,
        Real<T>* values,
        T* u,
        Int ldu,
        T* vh,
        Int ldvh,
        T* work,
        Int work_size,
        [[maybe_unused]] Real<T>* reals,
        Int* integers) {
  Int info = 0;
  if constexpr (is_complex_number<T>) {
    using Routine = void(const char*,
                         const Int*,
                         const Int*,
                         T*,
                         const Int*,
                         Real<T>*,
                         T*,
                         const Int*,
                         T*,
                         const Int*,
                         T*,
                         const Int*,
                         Real<T>*,
                         Int*,
                         Int*,
                         std::size_t);
    reinterpret_cast<Routine*>(routines.svd)(&job,
                                             &m,
                                             &n,
                                             a,
                                             &m,
                                             values,
                                             u,
                                             &ldu,
                                             vh,
                                             &ldvh,
                                             work,
                                             &work_size,
                                             reals,
                                             integers,
                                             &info,
                                             1);
  } else {
    using Routine = void(const char*,
                         const Int*,
                         const Int*,
                         T*,
                         const Int*,
                         T*,
                         T*,
                         const Int*,
                         T*,
                         const Int*,
                         T*,
                         const Int*,
                         Int*,
                         Int*,
                         std::size_t);
    reinterpret_cast<Routine*>(routines.svd)(
        &job, &m, &n, a, &m, values, u, &ldu, vh, &ldvh, work, &work_size, integers, &info, 1);
  }
  return info;
}

/// The routines for a dtype (float32, float64, complex64, complex128); null where no library is
/// installed. Calls run on the calling thread alone.
const Routines* routines(DType dtype);
/// The file that the library was loaded from.
std::string library();

}  // namespace fluxion::runtime::lapack
