// Where the scratch rows of a kernel lie in a thread's memory.
#include "codegen/abi.hpp"
#include "codegen/kernel_mapping.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::codegen {

ScratchRows scratch_rows(const kernel::Kernel& kernel, const Mapping& mapping) {
  // Lanes of a phase's own band have rows of their own.
  int rows = 1;
  for (const PhaseMapping& phase : mapping.phases)
    rows = std::max(rows, mapping.loops[static_cast<std::size_t>(phase.loop)].width);
  ScratchRows result;
  for (const kernel::BufferDecl& buffer : kernel.buffers) {
    result.places.push_back(result.bytes);
    if (buffer.role != kernel::Role::scratch) continue;
    const auto bytes =
        static_cast<std::size_t>(buffer.count * kernel::bytes_of(buffer.dtype) * rows);
    result.bytes += (bytes + 63) / 64 * 64;
  }
  result.lent = result.bytes > stack_scratch_bytes;
  return result;
}

}  // namespace fluxion::codegen
