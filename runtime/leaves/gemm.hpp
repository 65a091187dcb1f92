// Matrix products in blocks of our own, where the library has none (float64), or writes 20 ms of
// code at its first one (float32 without vectors of 512 bits).
#pragma once
#include "fluxion/core.hpp"
#include "runtime/leaves/gemm_kernels.hpp"

namespace fluxion::runtime::gemm {

/// Null where the library is to be asked: other dtypes and processors. (For large float32 products
/// it is asked as well.)
const Kernel* kernel(DType);

}  // namespace fluxion::runtime::gemm
