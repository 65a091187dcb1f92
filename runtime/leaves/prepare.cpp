// What code generation asks of the runtime: library calls, and how many threads share a step.
#include "runtime/leaves/leaves.hpp"
#include "runtime/thread_pool.hpp"

namespace fluxion::codegen {

detail::Ref<PreparedLeaf> prepare(const LeafSpec& spec, Share share) {
  if (const auto* matmul = std::get_if<MatmulSpec>(&spec)) {
    if (auto leaf = runtime::prepare_matmul(*matmul, share)) return leaf;
    return runtime::prepare_converted_matmul(*matmul, share);
  }
  if (const auto* convolution = std::get_if<ConvolutionSpec>(&spec)) {
    if (auto leaf = runtime::prepare_convolution(*convolution)) return leaf;
    return runtime::prepare_converted_convolution(*convolution);
  }
  if (const auto* factorization = std::get_if<FactorizationSpec>(&spec)) {
    return runtime::prepare_factorization(*factorization);
  }
  if (const auto* sort = std::get_if<SortSpec>(&spec)) return runtime::prepare_sort(*sort);
  return {};
}

KeptOperand prepare_kept(const MatmulSpec& spec, int operand, Rows rows) {
  return runtime::prepare_kept_matmul(spec, operand, rows);
}

int most_threads() noexcept { return runtime::num_threads(); }

}  // namespace fluxion::codegen
