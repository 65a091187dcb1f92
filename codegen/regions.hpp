// Loops and branches as steps of a schedule: their programs scheduled on their own, and where these
// find memory.
#pragma once
#include "codegen/schedule.hpp"

#include <memory>

namespace fluxion::codegen {

struct Region {
  Op op;
  std::vector<std::shared_ptr<const Schedule>> programs;  // in the order of the operation's
  // Offsets in the step's scratch memory:
  std::vector<std::size_t> arenas;  // of each program
  /// Of each carry: where it lies at every second step. A carry that its body changes where it
  /// lies, or leaves alone, needs no such place.
  std::vector<std::size_t> places;
  std::vector<bool> in_place;
  std::size_t flag = 0;  // of a while loop: what its condition gave
  std::size_t bytes = 0;
  std::size_t spare = 0;  // of these, what the programs' plans take beyond what is alive

  /// Which input of the program that is repeated is carry 0.
  std::size_t first_carry() const;
  /// Which operand is the initial value of carry 0.
  std::size_t first_initial() const;
  std::size_t operand_count() const;
  /// How often its programs run, of a while loop a guess.
  double expected_steps() const;
};

/// Makes a cut of one loop or branch what it is run as: a kernel, or a region whose programs are
/// optimised and scheduled here.
void place_region(const Graph&, Cut&, Libraries);

/// Of one run; a while loop counts as one step.
Work work_of(const Region&);
/// The steps of its programs, indented.
std::string to_string(const Region&);

}  // namespace fluxion::codegen
