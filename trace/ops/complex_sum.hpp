// Sums of products of complex numbers in kernels.
#pragma once
#include "trace/ops/elementwise.hpp"

namespace fluxion::ops {

/// The part that is asked for of the sum of a * b over all indices below `extents`, where
/// factors(index) gives a and b: products as they are defined, none of them fused with the sum,
/// which is what XLA gives.
template <class Factors>
kernel::Scalar complex_sum(kernel::Nest& nest,
                           const Shape& extents,
                           kernel::Tree tree,
                           DType type,
                           const Factors& factors) {
  using kernel::Scalar;
  const bool imaginary = nest.part() == 1;
  const auto term = [&](const kernel::Index& j) {
    const auto [a, b] = factors(j);
    const auto part = [&](Scalar x) { return kernel::convert(x, type); };
    const auto product = kernel::naive_product({part(a.re), part(a.im)}, {part(b.re), part(b.im)});
    return imaginary ? product.im : product.re;
  };
  if (extents.empty()) return term({});
  const Scalar zero = nest.builder().constant(type, 0);
  const auto sum = nest.builder().reduce(
      extents, tree, {kernel::Combiner::add}, {zero}, [&](const kernel::Index& j) {
        return std::vector<kernel::Builder::Element>{{term(j)}};
      });
  return sum[0];
}

}  // namespace fluxion::ops
