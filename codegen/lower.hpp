// A group of operations as one kernel: reads become the fused producers' expressions, writes become
// stores or what the fused consumers make of them.
#pragma once
#include "trace/graph.hpp"
#include "trace/kernel/kernel.hpp"

#include <vector>

namespace fluxion::codegen {

/// Operations that one kernel evaluates. Operands that no operation of the group makes are read
/// from memory.
struct Group {
  std::vector<std::int32_t> operations;  // in the graph's order
  std::vector<ValueId> inputs, outputs;  // read from and written to memory: the kernel's buffers
  /// Of each input: an element is read only to compute the outputs' elements with the same
  /// row-major number, so that an output may lie in its memory.
  std::vector<bool> own_place;
  /// Operands whose elements the kernel finds in the memory of these outputs, where it changes
  /// them; they are no inputs by that.
  struct Update {
    ValueId operand, output;
  };
  std::vector<Update> in_place;
  /// What the kernel runs over; every output has as many elements, in the same row-major order.
  /// (For one general structured operation: not used, its phases say.)
  Shape domain;
  /// Pointwise operations only, all of them known from row-major numbers: one variable runs over
  /// all elements.
  bool flat = false;
  /// One step of a row group, done for each row after the steps before it.
  struct Stage {
    std::vector<std::int32_t> operations;
    std::vector<ValueId> results;  // stored, or read by later stages
    std::vector<ValueId> kept;     // of them: whole rows that later stages read
    /// What it runs over; `rows` and then the axes of a row. Empty where it is done once for a row.
    Shape domain;
    bool along_row = false;  // for each element of the row
    bool flat = false;       // along a row whose elements are known by their numbers alone
  };
  /// A row group: an outer loop over `rows`, and in it the stages one after the other. What one
  /// stage gives for a row and another reads stays in registers or in the row's scratch memory.
  Shape rows;
  std::vector<Stage> stages;
  /// The domain is run over in parts along this axis, of these sizes. -1: as a whole.
  int parts_axis = -1;
  std::vector<std::int64_t> parts;
};

/// A row group reads of another row what only this row's stages compute.
struct NotOneRow {};

/// The kernel of a group; its buffers are the inputs, then the outputs, in the group's order.
/// Complex arrays are buffers of twice as many floats. Throws NotOneRow.
kernel::Kernel lower(const Graph&, const Group&);

}  // namespace fluxion::codegen
