// Floats rounded to fewer bits.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// x rounded to a float with so many bits of exponent and mantissa, in its own dtype.
Array reduce_precision(const Array& x, int exponent_bits, int mantissa_bits, const Site&);

}  // namespace fluxion::ops
