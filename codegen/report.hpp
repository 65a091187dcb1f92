// What a schedule says of itself: the steps in the user's words, and who owns its memory.
#pragma once
#include "codegen/schedule.hpp"

#include <string>
#include <vector>

namespace fluxion::codegen {

/// One step of a schedule.
struct StepReport {
  std::string_view kind;  // kernel, leaf, copy, strip, loop, branch, reference
  /// Names, in the program's order, without constants, broadcasts and reshapes unless there is
  /// nothing else.
  std::vector<std::string> operations;
  Site site;  // of the operation that says most about it
  Types writes;
  std::string implementation;  // of a leaf: the library's, its sizes
  Work work;
};
StepReport report_of(const Schedule&, std::size_t step);

/// "exp multiply_x2 reduce": at most so many characters, the rest counted ("exp +4").
std::string short_list(const std::vector<std::string>& operations, std::size_t most);
/// "train.cpp:12"; empty where nobody knows.
std::string short_line(const Site&);

/// The steps as a table of at most 120 columns, the programs of loops and branches indented, and
/// the sum.
std::string table_of(const Schedule&);
/// The same for a program that runs operation by operation.
std::string table_of(const Graph&);

/// Memory of one value, or of what an operation needs meanwhile.
struct Owner {
  std::size_t bytes = 0;
  std::string operation;
  Site site;
};
/// Whose the arena's bytes are when the most of them are in use, the largest first.
std::vector<Owner> owners_of(const Schedule&);

}  // namespace fluxion::codegen
