// Types, library calls, batching and the arithmetic of derivatives that operations on matrices
// share.
#include "trace/ops/dense.hpp"

#include "fluxion/complex.hpp"
#include "fluxion/ops.hpp"

#include <fmt/format.h>

namespace fluxion::ops::dense {

void check_matrix(std::string_view who, const Type& type) {
  if (type.shape.size() < 2)
    fail("matrix",
         Site(),
         fmt::format("{}: it takes matrices, this is {}", who, to_string(type)),
         {},
         "matrices are the last two axes; a vector becomes one column with fx::expand_dims(x, -1)");
  if (real_of(type.dtype) == float32 || real_of(type.dtype) == float64) return;
  fail("dtype",
       Site(),
       fmt::format("{}: it computes in float32, float64 and complex numbers of these, not {}",
                   who,
                   to_string(type.dtype)),
       {},
       "convert the matrix with astype");
}

void check_square(std::string_view who, const Type& type) {
  check_matrix(who, type);
  const std::int64_t m = rows_of(type.shape), n = columns_of(type.shape);
  if (m == n) return;
  fail("matrix",
       Site(),
       fmt::format("{}: the matrices are not square, {} by {}", who, m, n),
       {fmt::format("a {}", to_string(type))});
}

Shape leading(const Shape& shape) {
  Shape out;
  for (std::size_t k = 0; k + 2 < shape.size(); ++k) out.push_back(shape[k]);
  return out;
}
Shape joined(Shape shape, std::int64_t size) {
  shape.push_back(size);
  return shape;
}
Shape joined(Shape shape, std::int64_t rows, std::int64_t columns) {
  return joined(joined(std::move(shape), rows), columns);
}

DType real_of(DType d) { return d == complex64 ? float32 : d == complex128 ? float64 : d; }

LeafSpec library_call(FactorizationSpec::Routine routine,
                      const Type& matrices,
                      bool full,
                      bool vectors) {
  FactorizationSpec spec;
  spec.routine = routine;
  spec.dtype = matrices.dtype;
  spec.batch = element_count(leading(matrices.shape));
  spec.rows = rows_of(matrices.shape);
  spec.columns = columns_of(matrices.shape);
  spec.full = full;
  spec.vectors = vectors;
  const bool small = spec.rows <= most_in_kernel && spec.columns <= most_in_kernel;
  const bool empty = spec.batch * spec.rows * spec.columns == 0;
  if (small || empty) return {};
  return spec;
}

Batched batch_leading(const Op& op, Arrays x, BatchAxes axes, std::int64_t size) {
  ArrayList operands;
  for (std::size_t k = 0; k < x.size(); ++k) operands.push_back(batch_first(x[k], axes[k], size));
  ArrayList results = emit_all(op, operands, rule_site());
  std::vector<int> at(results.size(), 0);
  return {std::move(results), std::move(at)};
}

Array transposed(const Array& x) { return swapaxes(x, -1, -2); }
Array conjugate(const Array& x) { return conj(x); }
Array adjoint(const Array& x) { return conjugate(transposed(x)); }
Array mirrored(const Array& lower) {
  const Array below = tril(lower, -1);
  const std::int64_t n = columns_of(type_of(lower).shape);
  return below + adjoint(below) + identity_like(lower, n) * real(lower);
}
Array turned_to_positive(const Array& change, const Array& vectors) {
  if (!is_complex(type_of(vectors).dtype) || element_count(type_of(vectors).shape) == 0) return {};
  const Array size = abs(vectors), large = size * 3 >= max(size, -2, true);
  const Array first = expand_dims(argmax(large.astype(int32), -2), -2);
  const Array height = take_along_axis(real(vectors), first, -2);
  return squeeze(take_along_axis(imag(change), first, -2) / height, -2);
}
Array identity_like(const Array& x, std::int64_t size) {
  return eye(size, type_of(x).dtype, rule_site());
}

}  // namespace fluxion::ops::dense
