// Which kernel computes a matrix product on this processor.
#include "runtime/leaves/gemm.hpp"

#include "codegen/host.hpp"

#include <memory>
#include <new>

namespace fluxion::runtime::gemm {

std::byte* workspace() {
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t(64)); }
  };
  thread_local const std::unique_ptr<std::byte, Free> memory(
      static_cast<std::byte*>(::operator new(workspace_bytes, std::align_val_t(64))));
  return memory.get();
}

const Kernel* kernel(DType dtype) {
#ifdef __x86_64__
  const bool wide = codegen::host_vector().vector_bytes == 64;
  if (!codegen::host_supported()) return nullptr;
  if (dtype == float64) return wide ? &avx512_doubles : &avx_doubles;
  if (dtype == float32 && !wide) return &avx_floats;
#else
  (void)dtype;
#endif
  return nullptr;
}

}  // namespace fluxion::runtime::gemm
