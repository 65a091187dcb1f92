// What an operation asks of a library: a matrix product, a convolution or a factorization, as sizes
// and strides. Made by operations, prepared by the runtime.
#pragma once
#include "fluxion/core.hpp"

#include <variant>
#include <vector>

namespace fluxion {

/// c[b, m, n] = sum over k of a[b, m, k] * b[b, k, n]; strides in elements, in the order batch,
/// row, column. A stride of 0 repeats.
struct MatmulSpec {
  DType dtype = float32;  // of a and b
  DType result = float32;
  std::int64_t batch = 1, m = 0, n = 0, k = 0;
  std::int64_t a_strides[3] = {}, b_strides[3] = {}, c_strides[3] = {};
  friend bool operator==(const MatmulSpec&, const MatmulSpec&) = default;
};

/// A convolution (correlation) in channel terms; every array is described by its strides in
/// elements, so that any layout fits. out[n, o, y] = sum over i in the group of o, and window
/// position w, of in[n, i, y * stride + w * dilation - pad_low] * weights[o, i, w].
struct ConvolutionSpec {
  enum class Pass {
    forward,
    backward_data,
    backward_weights
  };  // the operands are (in, weights), (out cotangent, weights), (in, out cotangent)
  Pass pass = Pass::forward;
  DType dtype = float32;
  std::int64_t batch = 1, in_channels = 0, out_channels = 0,
               groups = 1;  // weights are [out_channels, in_channels / groups, window...]
  std::vector<std::int64_t> in_size, window, out_size;  // spatial, 1 to 3 axes
  std::vector<std::int64_t> stride, pad_low, pad_high, dilation;
  std::vector<std::int64_t> in_strides, weight_strides,
      out_strides;  // batch, channel, spatial...; out channel, in channel, window...
  friend bool operator==(const ConvolutionSpec&, const ConvolutionSpec&) = default;
};

/// Floating-point operations: two for each product that is summed.
inline double flops(const MatmulSpec& s) {
  return 2.0 * static_cast<double>(s.batch) * static_cast<double>(s.m) * static_cast<double>(s.n) *
         static_cast<double>(s.k);
}
inline double flops(const ConvolutionSpec& s) {
  double count = 2.0 * static_cast<double>(s.batch) * static_cast<double>(s.out_channels) *
                 static_cast<double>(s.in_channels) / static_cast<double>(s.groups);
  for (std::int64_t n : s.window) count *= static_cast<double>(n);
  for (std::int64_t n : s.out_size) count *= static_cast<double>(n);
  return count;
}

/// A factorization, or solution of a system, of `batch` matrices of `rows` by `columns`, dense and
/// row-major, one after the other. Operands and results are those of the operation that asks.
struct FactorizationSpec {
  enum class Routine { cholesky, triangular_solve, lu, inverse, qr, eigh, svd };
  Routine routine = Routine::cholesky;
  DType dtype = float32;
  std::int64_t batch = 1, rows = 0, columns = 0;
  std::int64_t right_sides = 0;                           // triangular_solve
  bool left = true, lower = true, unit_diagonal = false;  // triangular_solve
  char transposed = 'N';                                  // triangular_solve: 'N', 'T' or 'C'
  bool full = false, vectors = true;  // qr, svd: square factors; eigh, svd: more than values
  friend bool operator==(const FactorizationSpec&, const FactorizationSpec&) = default;
};

/// Lines of several dense arrays of one shape, sorted together along an axis: `outer` times `inner`
/// lines of `length` elements, which lie `inner` apart. The first `keys` operands are compared, one
/// after the other; equal elements keep their order, -0 equals 0, NaN is the greatest.
struct SortSpec {
  std::vector<DType> dtypes;
  std::int64_t outer = 1, length = 0, inner = 1;
  int keys = 1;
  bool descending = false;
  friend bool operator==(const SortSpec&, const SortSpec&) = default;
};

/// No leaf (monostate): the operation's own body is compiled.
using LeafSpec =
    std::variant<std::monostate, MatmulSpec, ConvolutionSpec, FactorizationSpec, SortSpec>;

}  // namespace fluxion
