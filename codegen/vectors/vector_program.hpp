// Kernels that run before they have machine code: their own instructions, each over many lanes at a
// time. A first call waits for no compiler, and few instructions are as fast as compiled ones.
#pragma once
#include "codegen/kernel_mapping.hpp"
#include "codegen/vectors/lane_functions.hpp"
#include "trace/kernel/kernel.hpp"

#include <memory>
#include <vector>

namespace fluxion::codegen {

/// A kernel made ready to run so: the same units, and the same bits as its machine code (but those
/// of NaN). Safe to run on several threads at once. Refers to the kernel and the mapping.
class VectorProgram {
 public:
  /// Null where a run would take longer than `most_nanoseconds`, roughly; where a loop ends by a
  /// condition; where the processor lacks AVX2.
  static std::unique_ptr<const VectorProgram> make(const kernel::Kernel&,
                                                   const Mapping&,
                                                   double most_nanoseconds);
  /// The units [begin, end) of a phase. `buffers`: inputs, then outputs.
  void run(std::size_t phase, void* const* buffers, std::int64_t begin, std::int64_t end) const;
  /// What a run takes, roughly.
  double nanoseconds() const { return nanoseconds_; }

 private:
  friend class VectorAnalysis;
  friend class VectorRun;
  friend class VectorPlaces;
  VectorProgram(const kernel::Kernel& kernel, const Mapping& mapping)
      : kernel_(kernel), mapping_(mapping) {}

  /// One instruction. Its lanes, and those of its operands, lie at fixed places of a thread's
  /// memory.
  struct Code {
    LaneFunction function = nullptr;  // null: a verb of memory or loops
    std::size_t place = 0, a = 0, b = 0, c = 0;
    std::int32_t bytes = 1;  // of a lane
    bool in_lanes = false;   // it has as many values as there are lanes; otherwise one
  };
  /// A loop whose iterations are lanes.
  struct LaneLoop {
    std::int32_t variable = -1;            // -1: units of a phase are lanes, one each
    std::vector<std::int32_t> variables;   // that differ among lanes: `variable`; of a phase, all
    std::vector<kernel::Id> from_outside;  // values of outer loops that are used inside
    std::vector<std::int32_t> accesses;    // inside
    bool one_unit = false;                 // of a phase: lanes are of one unit only
  };
  /// How a loop's carries are combined and where they are kept.
  struct Carried {
    std::size_t place = 0;  // of the states of all carries, each `states` times
    std::int64_t states = 1;
    std::vector<LaneFunction> combine;          // by the combiner; of a factor, fma
    std::vector<LaneFunction> combine_partial;  // partial results: never fma
    std::vector<ArgumentFunction> replace;      // of pairs, at their first
    std::vector<std::uint64_t> identity;
    std::vector<std::pair<kernel::Id, std::int32_t>> instructions;  // and positions, of the carries
  };

  /// The last step of make().
  static void place_values(VectorProgram&);

  const kernel::Kernel& kernel_;
  const Mapping& mapping_;
  std::vector<Code> code_;               // of each instruction
  std::vector<std::int32_t> lane_loop_;  // of each loop; -1: none
  std::vector<LaneLoop> lane_loops_;
  std::vector<Carried> carried_;             // of each loop
  std::vector<LaneFunction> updates_;        // of each instruction; null: sets
  std::vector<std::size_t> scratch_places_;  // of each buffer
  std::int64_t lanes_ = 64;                  // at most, at a time
  std::size_t bytes_ = 0, bases_place_ = 0, offsets_place_ = 0, values_place_ = 0;
  double nanoseconds_ = 0;
};

}  // namespace fluxion::codegen
