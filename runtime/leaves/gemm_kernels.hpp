// The kernels of matrix products. Read by files that are compiled for one instruction set: no
// header of ours is included, for its inline functions would be compiled for that, too.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fluxion::runtime::gemm {

/// c[i, j] = sum over l of a[i, l] * b[l, j]. Strides in elements, any for a and b; c's columns lie
/// one after the other.
struct Product {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t a_row = 0, a_column = 0, b_row = 0, b_column = 0, c_row = 0;
};

/// How products of one dtype are computed on this processor, on the calling thread.
struct Kernel {
  /// The terms of an element are added in order, with one rounding each, in runs of 256 whose sums
  /// are added in order: its bits depend on nothing but its row and its column. `packed`: b comes
  /// as `pack` has laid it out.
  void (*multiply)(const Product&, const void* a, const void* b, bool packed, void* c);
  /// For at most most_few_rows, as fast as b is read; the sums are in another order.
  void (*multiply_few)(const Product&, const void* a, const void* b, void* c);
  /// Lays b out for any number of rows of a: packed_bytes() at `to`, aligned to 64. The parts
  /// [begin, end) of the work's, which do not meet.
  void (*pack)(const Product&,
               const void* b,
               void* to,
               std::int64_t begin,
               std::int64_t end,
               std::int64_t parts);
  std::size_t (*packed_bytes)(const Product&);
  const char* name;
};

inline constexpr std::int64_t most_few_rows = 3;

/// Memory that the calling thread keeps for its products: workspace_bytes, aligned to a cache line.
inline constexpr std::size_t workspace_bytes = std::size_t{5} << 18;
std::byte* workspace();

// avx: with FMA.
extern const Kernel avx_floats, avx_doubles, avx512_doubles;

}  // namespace fluxion::runtime::gemm
