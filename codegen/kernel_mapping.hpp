// How the loops of a kernel are laid onto a CPU: which variable becomes vector lanes, how a phase
// is cut into units.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fluxion::codegen {

/// What the choice of a mapping knows of a CPU.
struct VectorTarget {
  int vector_bytes = 64;
  bool masks = true;  // AVX-512: any instruction on vectors can leave lanes out
};

struct LoopMapping {
  /// What runs over the lanes (of a loop in order: one after the other where they update); -1: the
  /// loop is a scalar loop, or lies inside lanes.
  std::int32_t variable = -1;
  int width = 1;
  /// A lanes reduction of a large body: 16 lanes at a time, four vectors of accumulators in turn.
  bool rotate = false;
  /// A short loop in order: its iterations follow each other without a branch.
  bool unroll = false;
  /// A loop in order along rows that are lanes of a loop around it: rows are read and written in
  /// pieces.
  bool pieces = false;
  /// So many vectors are the width, so that one computes while another waits.
  int in_flight = 1;
};

/// A phase runs over units: the outer variables of its band, in `order`, times chunks of the
/// variable that is vectorised.
struct PhaseMapping {
  std::int32_t loop = -1;
  std::vector<std::int32_t> order;  // outer variables, slowest first
  std::int64_t chunk = 1;           // elements of the vector variable in one unit
  std::int64_t chunks = 1;
  bool chunks_first = false;  // the number of the chunk is the slowest of all, for transposed reads
  /// So many values of the outer variable `tiled` are one unit: what their reductions read alike is
  /// read once. The last unit along it may have fewer.
  std::int32_t tiled = -1;
  std::int64_t tile = 1;
  std::int64_t iterations = 1;  // products of the above
  std::int64_t units = 1;  // what the caller may split: `iterations`, or 1 where updates may meet
  std::int64_t grain = 1;  // so many units are worth a thread
  double unit_nanoseconds = 0;  // a rough estimate
};

struct Mapping {
  std::vector<LoopMapping> loops;  // of every loop of the kernel
  std::vector<PhaseMapping> phases;
};

/// A load of an input or a store of an output, by its instruction: its row's next element each step
/// (or the one before).
struct RowAccess {
  kernel::Id instruction;
  bool reversed;
};
/// What a loop in order reads and writes along rows, where `lane` numbers the rows, and what may as
/// well be read or written many steps at a time.
std::vector<RowAccess> row_accesses(const kernel::Kernel&, std::int32_t loop, std::int32_t lane);
/// Whether a loop in order does nothing but update elements of buffers by values that do not depend
/// on these: then all but the updates may be done for many steps at once.
bool lists_updates(const kernel::Kernel&, std::int32_t loop);
/// Whether a verb is no instruction, or none that takes time.
inline bool free_of_cost(kernel::Verb verb) {
  using enum kernel::Verb;
  return verb == constant || verb == loop_index || verb == carry || verb == result ||
         verb == bitcast;
}
/// Whether a body without loops is so long a chain that a processor has nothing to do while its
/// instructions wait for each other: those of the next iteration are too far away.
bool waits_for_itself(const kernel::Kernel&, const kernel::Block& body);
/// By how many elements an offset moves with a variable.
std::int64_t stride(const kernel::Affine& offset, std::int32_t variable);

/// The same kernel with fewer variables: neighbours that every index walks as one become one.
kernel::Kernel collapse(const kernel::Kernel&);
/// The same results with the loop over rows outside, where columns of far-apart rows are reduced;
/// nothing for other kernels.
std::optional<kernel::Kernel> interchange(const kernel::Kernel&);
/// The choice for a (collapsed) kernel.
Mapping choose_mapping(const kernel::Kernel&, const VectorTarget&);
/// A kernel in the form in which it is compiled.
struct MappedKernel {
  kernel::Kernel kernel;
  Mapping mapping;
};
MappedKernel map_kernel(const kernel::Kernel&, const VectorTarget&);
/// The scratch rows that a thread needs for the lanes it runs at once.
struct ScratchRows {
  std::vector<std::size_t> places;  // of each buffer; of others than scratch without meaning
  std::size_t bytes = 0;
  bool lent = false;  // by the caller, in Context::scratch; otherwise they live on the stack
};
ScratchRows scratch_rows(const kernel::Kernel&, const Mapping&);
/// What one run on one thread takes, roughly: arithmetic at two operations a cycle, memory at cache
/// speed.
double estimated_nanoseconds(const Mapping&);
std::string to_string(const Mapping&, const kernel::Kernel&);

}  // namespace fluxion::codegen
