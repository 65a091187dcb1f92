// Which operations become one kernel.
#pragma once
#include "codegen/leaves.hpp"
#include "codegen/lower.hpp"

#include <memory>
#include <string>

namespace fluxion::codegen {

struct Region;

/// One step of a program before memory is known.
struct Cut {
  enum class Kind {
    kernel,     // the group is lowered and compiled
    leaf,       // a library call
    alias,      // one operation whose result is its operand's memory
    region,     // one loop or branch
    reference,  // one operation that has no kernel: its reference runs
    copy,       // of steps only: input 0 becomes output 0, unless they are one memory
    strip,      // of steps only: several kernels and leaves over blocks of the same rows
  };
  Kind kind = Kind::kernel;
  std::int32_t call = -1;  // of a leaf: its number
  Group group;
  std::shared_ptr<const Region> region;  // of a region
  std::shared_ptr<const kernel::Kernel>
      kernel;  // of a loop that is one kernel; null: the group is lowered
};

/// Whether an operation is a loop or a branch, whose programs are scheduled.
bool is_region(const Op&);

/// Cuts a program into kernels, library calls and aliases, in an order that can be run. An
/// expensive value is computed once; a cheap one may be computed again where that moves less
/// memory.
std::vector<Cut> fuse(const Graph&, const Leaves&);

/// One line for each cut, for dumps and tests: "kernel reduce multiply: %0 %1 -> %5".
std::string to_string(const Graph&, const std::vector<Cut>&);

}  // namespace fluxion::codegen
