// Sums of products of complex numbers in kernels.
#pragma once
#include "trace/ops/elementwise.hpp"

namespace fluxion::ops {

/// The part that is asked for of the sum of a * b over all indices below `extents`, where
/// factors(index) gives a and b. Each part is two sums of products in `type`, with fused
/// multiply-adds.
template <class Factors>
kernel::Scalar complex_sum(kernel::Nest& nest,
                           const Shape& extents,
                           kernel::Tree tree,
                           DType type,
                           const Factors& factors) {
  using kernel::Combiner, kernel::Scalar;
  const bool imaginary = nest.part() == 1;
  const auto terms = [&](const kernel::Index& j) {
    const auto [a, b] = factors(j);
    const auto part = [&](Scalar x) { return kernel::convert(x, type); };
    using Element = kernel::Builder::Element;
    return std::vector<Element>{{part(a.re), part(imaginary ? b.im : b.re)},
                                {part(a.im), part(imaginary ? b.re : b.im)}};
  };
  std::vector<Scalar> sums;
  if (extents.empty()) {
    for (const auto& term : terms({})) sums.push_back(term.value * term.factor);
  } else {
    const Scalar zero = nest.builder().constant(type, 0);
    sums =
        nest.builder().reduce(extents, tree, {Combiner::add, Combiner::add}, {zero, zero}, terms);
  }
  return imaginary ? sums[0] + sums[1] : sums[0] - sums[1];
}

}  // namespace fluxion::ops
