// Matrix products with the vectors of AVX and FMA.
#include "runtime/leaves/gemm_blocks.hpp"

namespace fluxion::runtime::gemm {
namespace {

/// All ones in the first `count` lanes of 8 or 4.
constexpr std::int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

struct Floats {
  using T = float;
  using Register = __m256;
  static constexpr std::int64_t lanes = 8, rows = 6, across = 2;
  static Register zero() { return _mm256_setzero_ps(); }
  static Register load(const T* p) { return _mm256_loadu_ps(p); }
  static Register spread(const T* p) { return _mm256_broadcast_ss(p); }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  static void store(T* p, Register v) { _mm256_storeu_ps(p, v); }
  static __m256i mask(std::int64_t count) {
    count = least<std::int64_t>(lanes, count < 0 ? 0 : count);
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ones + 8 - count));
  }
  /// The first `count` lanes, zeros in the others; any count.
  static Register load_some(const T* p, std::int64_t count) {
    return _mm256_maskload_ps(p, mask(count));
  }
  static void store_some(T* p, std::int64_t count, Register v) {
    _mm256_maskstore_ps(p, mask(count), v);
  }
};

struct Doubles {
  using T = double;
  using Register = __m256d;
  static constexpr std::int64_t lanes = 4, rows = 6, across = 2;
  static Register zero() { return _mm256_setzero_pd(); }
  static Register load(const T* p) { return _mm256_loadu_pd(p); }
  static Register spread(const T* p) { return _mm256_broadcast_sd(p); }
  static Register add(Register a, Register b) { return _mm256_add_pd(a, b); }
  static Register multiply_add(Register a, Register b, Register c) {
    return _mm256_fmadd_pd(a, b, c);
  }
  static void store(T* p, Register v) { _mm256_storeu_pd(p, v); }
  static __m256i mask(std::int64_t count) {
    count = least<std::int64_t>(lanes, count < 0 ? 0 : count);
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ones + 8 - 2 * count));
  }
  /// The first `count` lanes, zeros in the others; any count.
  static Register load_some(const T* p, std::int64_t count) {
    return _mm256_maskload_pd(p, mask(count));
  }
  static void store_some(T* p, std::int64_t count, Register v) {
    _mm256_maskstore_pd(p, mask(count), v);
  }
};

}  // namespace

const Kernel avx_floats = Blocks<Floats>::kernel("avx");
const Kernel avx_doubles = Blocks<Doubles>::kernel("avx");

}  // namespace fluxion::runtime::gemm
