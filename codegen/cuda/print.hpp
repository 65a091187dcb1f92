// Kernels as CUDA C++: the text, and how to launch it.
#pragma once
#include "codegen/cuda/mapping.hpp"

#include <span>
#include <string>
#include <vector>

namespace fluxion::codegen {

/// One entry of the text, launched on a grid and blocks of one dimension. Its parameters are
/// pointers to the kernel's inputs and outputs in the kernel's order (const for inputs, aligned to
/// 16 bytes), then, unless `scratch_bytes` is 0, a pointer to so much global memory.
struct CudaLaunch {
  std::string entry;
  std::int64_t blocks = 1;
  int threads = 32;
  std::int64_t shared_bytes = 0;  // dynamic; a driver wants to be asked for more than 48 KB
  std::int64_t scratch_bytes = 0;
  bool barriers = false;  // whether threads of a block or warp wait for each other
};

/// The functions of one kernel, without what they call; its launches follow one another.
struct CudaSource {
  std::string text;
  std::vector<CudaLaunch> launches;
};

/// The options that the meaning of the text depends on.
inline constexpr const char* cuda_options[] = {
    "-arch=sm_90", "--std=c++17", "-fmad=false", "-ftz=false", "-prec-div=true", "-prec-sqrt=true"};

/// Prints a (collapsed) kernel; `name` begins the names of all that it defines.
CudaSource print_cuda(const kernel::Kernel&, const CudaMapping&, const std::string& name);
/// Collapses, chooses the mapping and prints.
CudaSource cuda_source(const kernel::Kernel&, const std::string& name, const CudaTarget& = {});
/// A text that compiles by itself, without any header: the kernels after what they call.
std::string cuda_program(std::span<const CudaSource>);

}  // namespace fluxion::codegen
