// Operations that only random distributions need.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// dx/da of a sample x of the gamma distribution with shape a, both float32 or float64 of one
/// shape; NaN unless a > 0 and x >= 0.
Array random_gamma_grad(const Array& a, const Array& x, const Site&);

}  // namespace fluxion::ops
