// Matrix products with the vectors of AVX-512.
#include "runtime/leaves/gemm_blocks.hpp"

namespace fluxion::runtime::gemm {
namespace {

struct Doubles {
  using T = double;
  using Register = __m512d;
  static constexpr std::int64_t lanes = 8, rows = 8, across = 3;
  static Register zero() { return _mm512_setzero_pd(); }
  static Register load(const T* p) { return _mm512_loadu_pd(p); }
  static Register spread(const T* p) { return _mm512_set1_pd(*p); }
  static Register add(Register a, Register b) { return _mm512_add_pd(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm512_fmadd_pd(a, b, c);
  }
  static void store(T* p, Register v) { _mm512_storeu_pd(p, v); }
  /// The first `count` lanes, zeros in the others; any count.
  static Register load_some(const T* p, std::int64_t count) {
    return _mm512_maskz_loadu_pd(mask(count), p);
  }
  static void store_some(T* p, std::int64_t count, Register v) {
    _mm512_mask_storeu_pd(p, mask(count), v);
  }
  static __mmask8 mask(std::int64_t count) {
    return static_cast<__mmask8>((1u << least<std::int64_t>(lanes, count < 0 ? 0 : count)) - 1);
  }
};

}  // namespace

const Kernel avx512_doubles = Blocks<Doubles>::kernel("avx512");

}  // namespace fluxion::runtime::gemm
