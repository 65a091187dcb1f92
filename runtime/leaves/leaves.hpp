// Which leaf serves which specification.
#pragma once
#include "codegen/leaf.hpp"

namespace fluxion::runtime {

/// Matrix products in float32 and bfloat16 (accumulated in float32), on any strides; null when the
/// library has no fast way for them, or there is nothing to compute.
detail::Ref<codegen::PreparedLeaf> prepare_matmul(const MatmulSpec& spec, codegen::Share);

/// Large ones of 16-bit floats, computed in float32.
detail::Ref<codegen::PreparedLeaf> prepare_converted_matmul(const MatmulSpec& spec, codegen::Share);

/// Products with an operand that is laid out once for many; null as above, and where that gains
/// nothing.
codegen::KeptOperand prepare_kept_matmul(const MatmulSpec& spec, int operand, codegen::Rows);

/// Convolutions and their derivatives in float32 and bfloat16; null as above.
detail::Ref<codegen::PreparedLeaf> prepare_convolution(const ConvolutionSpec& spec);

/// Large ones of 16-bit floats, computed in float32.
detail::Ref<codegen::PreparedLeaf> prepare_converted_convolution(const ConvolutionSpec& spec);

/// Factorizations in float32, float64, complex64 and complex128 by LAPACK, one thread for each
/// matrix; null where the library is not installed.
detail::Ref<codegen::PreparedLeaf> prepare_factorization(const FactorizationSpec& spec);

/// Sorted lines of less than 2^32 elements, one thread for each line.
detail::Ref<codegen::PreparedLeaf> prepare_sort(const SortSpec& spec);

/// Work of twice as many floating-point operations is worth a second thread: each has 5 to 10
/// microseconds then.
inline constexpr double serial_flops = 1e6;

inline constexpr std::size_t rounded_to_line(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace fluxion::runtime
