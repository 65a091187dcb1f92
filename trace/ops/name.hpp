// What a checkpoint policy asks about names.
#pragma once
#include "trace/op.hpp"

namespace fluxion::ops {

/// The name that an operation gives to its operand, or null if it is another operation.
const std::string* name_of(const Op&);

}  // namespace fluxion::ops
