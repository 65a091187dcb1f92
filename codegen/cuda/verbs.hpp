// What every verb, type and constant is in CUDA C++.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <string>

namespace fluxion::codegen {

/// The type of values; 16-bit floats are the bits of one.
const char* cuda_type(DType);
/// The type in memory: a bool is a byte.
const char* cuda_memory_type(DType);
std::string cuda_constant(DType, std::uint64_t bits);
/// `operand`: the type of a (of select: of b and c). Operands are names or constants.
std::string cuda_verb(kernel::Verb,
                      DType result,
                      DType operand,
                      const std::string& a,
                      const std::string& b,
                      const std::string& c);
/// Two partial results as one; not for arguments of minima and maxima.
std::string cuda_combine(kernel::Combiner, DType, const std::string& a, const std::string& b);
/// The functions that a text calls and those that they call, in an order that compiles.
std::string cuda_prelude(const std::string& text);

}  // namespace fluxion::codegen
