// How the loops of a kernel are laid onto the grid, blocks and threads of a GPU.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <string>
#include <vector>

namespace fluxion::codegen {

/// What the choice of a mapping knows of a GPU. The defaults are those of compute capability 9.0.
struct CudaTarget {
  int processors = 132;
  int blocks_per_processor = 8;        // in flight; loops stride over the grid beyond that
  std::int64_t shared_bytes = 232448;  // that one block may ask for
};

enum class CudaWork {
  thread,   // a thread takes iterations of the phase, or several neighbours at once
  group,    // a warp or a block takes an iteration; its threads share the loops inside
  ordered,  // threads take the variables that keep updates apart; the others run in order
};

enum class CudaScratch { none, local, shared, global };

struct CudaPhase {
  std::int32_t loop = -1;
  CudaWork work = CudaWork::thread;
  int group = 1;      // threads that share an iteration: 32, or a block of 64 or 256
  int threads = 256;  // of a block
  int elements = 1;   // neighbours along the innermost variable that a thread takes at once
  std::vector<std::int32_t> across;  // variables that threads take, slowest first
  std::vector<std::int32_t> inside;  // variables that one thread runs over in order
  std::int64_t units = 1;            // iterations over `across`, in groups of `elements`
  std::int64_t blocks = 1;
  CudaScratch scratch = CudaScratch::none;
  bool atomics = false;            // updates that meet may come in any order
  std::int64_t shared_bytes = 0;   // that a launch asks for
  std::int64_t scratch_bytes = 0;  // of global memory, for all groups of a launch
};

struct CudaMapping {
  std::vector<CudaPhase> phases;
};

/// The choice for a (collapsed) kernel.
CudaMapping choose_cuda_mapping(const kernel::Kernel&, const CudaTarget& = {});
std::string to_string(const CudaMapping&, const kernel::Kernel&);

/// Bytes of the scratch rows of one iteration, each row aligned to 16.
std::int64_t scratch_row_bytes(const kernel::Kernel&);
/// Whether the threads of a group run the loop's iterations together, sharing what is inside,
/// rather than taking an iteration each.
bool shared_inside(const kernel::Kernel&, const kernel::Block&);
/// Whether updates with this combiner give the same bits in any order and have an atomic form.
bool commutes(kernel::Combiner, DType);

}  // namespace fluxion::codegen
