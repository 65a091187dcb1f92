// What passes ask about contractions.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// A contraction whose operands have their axes in another order.
struct DotArrangement {
  std::vector<int> lhs_permutation, rhs_permutation;
  Op dot;  // of the permuted operands; the result is the same
};
/// The arrangement in which a library can compute a dot_general that it cannot compute as it
/// stands, or in which a kernel computes one faster that no library knows (float64). Nothing for
/// other operations, and where the product is too small to be worth a copy.
std::optional<DotArrangement> dot_arrangement(const Op&, TypeList operands);

/// The sum of a dot_general's results over the rows of two arrays that its operands are rows of: it
/// contracts their leading axes, too. Nothing for other operations.
std::optional<Op> dot_over_rows(const Op&);

/// A convolution whose window is turned round before.
struct ConvolutionArrangement {
  std::vector<int> reversed_axes;  // of rhs
  Op convolution;                  // of lhs and the reversed rhs; the result is the same
};
/// A transposed convolution (lhs is dilated) as the derivative of a convolution by its image, which
/// reads the window backwards: that is what libraries know. Nothing for others, and where none is.
std::optional<ConvolutionArrangement> convolution_arrangement(const Op&, TypeList operands);

}  // namespace fluxion::ops
