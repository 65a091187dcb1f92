// A scalar repeated, as an operation to put into a program.
#pragma once
#include "trace/op.hpp"

namespace fluxion::ops {

/// broadcast_in_dim of a scalar to a shape.
Op repeated_scalar(const Shape&);

}  // namespace fluxion::ops
