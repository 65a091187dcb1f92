// What every verb computes, bit for bit, on values known while a kernel is written.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <cstdint>
#include <span>

namespace fluxion::kernel {

/// Bytes of one element in a buffer; bool_ takes one.
int bytes_of(DType) noexcept;
bool is_float(DType) noexcept;         // 16-bit floats included
bool is_narrow_float(DType) noexcept;  // float16, bfloat16
bool is_integer(DType) noexcept;       // not bool_
bool is_signed(DType) noexcept;        // signed integers

/// The numeric conversion of Verb::convert, on zero-extended bit patterns.
std::uint64_t convert_bits(DType from, DType to, std::uint64_t bits);
/// `value` in a type, rounded as convert does.
std::uint64_t bits_of(DType, double value);

/// The result of a verb with no side effect on known operands of type `operand` (of select: the
/// type of b and c). Verbs of memory, loops and tables are not for it.
std::uint64_t fold(
    Verb, DType result, DType operand, std::uint64_t a, std::uint64_t b, std::uint64_t c);

}  // namespace fluxion::kernel
