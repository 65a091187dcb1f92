// What passes ask about reductions.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

struct ReduceAttributes {
  Reduction op;
  std::vector<int> axes;  // ascending
  /// 16-bit sums and products are rounded at every step; floating-point ones are made in order.
  bool in_element_type;
};
/// The attributes, if the operation is a reduce.
std::optional<ReduceAttributes> reduce_attributes(const Op&);
/// The scalar that a reduction of nothing gives.
Array reduction_identity(Reduction, DType, const Site&);

}  // namespace fluxion::ops
