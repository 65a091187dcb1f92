// What fusion wants to know of one operation, found by writing its kernel alone and looking at it.
#pragma once
#include "trace/graph.hpp"
#include "trace/kernel/kernel.hpp"

#include <vector>

namespace fluxion::codegen {

/// How an operation reads one operand.
struct OperandUse {
  /// Every element of the result reads the operand's element with the same row-major number, and
  /// nothing else of it.
  bool same_place = false;
  /// The operand has one element: its index does not matter.
  bool single = false;
  /// Elements read when all results are computed once.
  double loads = 0;
};

struct OperationFacts {
  int instructions = 0;
  /// Computes something that is not to be computed twice: transcendentals, divisions, loops.
  bool expensive = false;
  /// Pointwise, and an element is known from its row-major number alone: no index is looked at.
  bool flat = false;
  /// Structured with one phase over the results' shape that writes each result once, at its index.
  bool whole = false;
  /// Reduces along vector lanes (kernel::Tree::lanes).
  bool lanes = false;
  /// Structured and whole: element r of each result reads of every operand only the elements
  /// r * row .. r * row + row - 1. 0: it is not like that.
  std::int64_t row = 0;
  /// Pointwise on one operand, and each element is the operand's element at sum of stride * index:
  /// the strides, one for each axis of the result (0 for axes of size one). Empty otherwise.
  std::vector<std::int64_t> view;
  /// Joins its operands along an axis: their sizes there. A kernel over one operand's part of the
  /// result at a time reads nothing of the others, `part_loads` elements in all of each.
  int parts_axis = -1;
  std::vector<std::int64_t> parts;
  std::vector<double> part_loads;
  std::vector<OperandUse> operands;
};

/// Facts of an operation with `at` or `body`; remembered by structure. Thread-safe.
const OperationFacts& facts_of(const Op&, TypeList operands, TypeList results);

/// Calls body(index) for every index of `domain`, in one loop for each of `parts` along an axis.
void parallel_parts(kernel::Builder&,
                    const Shape& domain,
                    int axis,
                    const std::vector<std::int64_t>& parts,
                    const kernel::Builder::Body& body);

/// So many times an instruction of each block is run: calls visit(instruction, count).
void visit_instructions(const kernel::Kernel&,
                        const std::function<void(const kernel::Instruction&, double)>& visit);

}  // namespace fluxion::codegen
