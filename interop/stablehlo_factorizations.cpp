// StableHLO's linear algebra.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/ops/linalg.hpp"
#include "trace/tensor.hpp"

namespace fluxion::stablehlo {
namespace {

/// Matrices of 16-bit floats are factored in float32.
bool is_half(DType d) { return d == float16 || d == bfloat16; }
Array widened(const Array& x, const Site& site) {
  return is_half(type_of(x).dtype) ? ops::convert(x, float32, site) : x;
}
Array narrowed(const Array& x, DType d, const Site& site) {
  return is_half(d) ? ops::convert(x, d, site) : x;
}

/// The conjugate transpose of matrices in the last two axes.
Array adjoint(const Array& x, const Site& site) {
  std::vector<int> order;
  const int rank = static_cast<int>(type_of(x).shape.size());
  for (int k = 0; k < rank; ++k) order.push_back(k);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  const Array turned = ops::transpose(x, order, site);
  return is_complex(type_of(x).dtype) ? ops::unary("conj", turned, site) : turned;
}

ArrayList cholesky(const Step& s) {
  if (s.type(0).shape.size() < 2) s.complain("stablehlo.cholesky takes matrices");
  const bool lower = s.flag("lower", false);
  const Array x = widened(s.x(0), s.site());
  const Array l = ops::cholesky(lower ? x : adjoint(x, s.site()), s.site());
  return {narrowed(lower ? l : adjoint(l, s.site()), s.type(0).dtype, s.site())};
}

ArrayList triangular_solve(const Step& s) {
  if (s.type(0).shape.size() < 2) s.complain("stablehlo.triangular_solve takes matrices");
  const std::string word = s.word("transpose_a");
  if (word != "NO_TRANSPOSE" && word != "TRANSPOSE" && word != "ADJOINT")
    s.complain("transpose_a is NO_TRANSPOSE, TRANSPOSE or ADJOINT");
  ops::TriangularSolve how;
  how.left = s.flag("left_side", true);
  how.lower = s.flag("lower", true);
  how.transposed = word == "TRANSPOSE" ? ops::Transposed::yes
                   : word == "ADJOINT" ? ops::Transposed::adjoint
                                       : ops::Transposed::no;
  how.unit_diagonal = s.flag("unit_diagonal", false);
  return {narrowed(
      ops::triangular_solve(widened(s.x(0), s.site()), widened(s.x(1), s.site()), how, s.site()),
      s.type(1).dtype,
      s.site())};
}

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.cholesky", 1, 1, 0, cholesky},
      {"stablehlo.triangular_solve", 2, 1, 0, triangular_solve},
  };
  return table;
}

}  // namespace

Rows factorization_rows() { return rows(); }

}  // namespace fluxion::stablehlo
