// What of a loop in order need not be done step by step: accesses along rows that its lanes are,
// and all that comes before updates.
#include "codegen/kernel_mapping.hpp"

#include <algorithm>

namespace fluxion::codegen {

namespace {

using kernel::Access;
using kernel::Affine;
using kernel::Block;
using kernel::Instruction;
using kernel::Item;
using kernel::Kernel;
using kernel::Loop;
using kernel::LoopKind;
using kernel::Role;
using kernel::Verb;

constexpr std::int64_t least_steps = 8;  // to be worth lanes
constexpr std::size_t most_rows = 16;    // whose pieces lie on the stack together

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

/// Whether every step has an element of its own right behind (or before) the last one's, and every
/// lane one that is not next to it.
bool is_row(const Access& access, std::int32_t step, std::int32_t lane) {
  if (access.predicate >= 0 || !access.offset.opaque.empty()) return false;
  const std::int64_t along = stride(access.offset, step), across = stride(access.offset, lane);
  return (along == 1 || along == -1) && across != 0 && across != 1 && across != -1;
}

}  // namespace

std::int64_t stride(const Affine& offset, std::int32_t variable) {
  for (const Affine::Term& term : offset.variables)
    if (term.of == variable) return term.scale;
  return 0;
}

std::vector<RowAccess> row_accesses(const Kernel& kernel, std::int32_t number, std::int32_t lane) {
  const Loop& loop = kernel.loops[at(number)];
  if (loop.kind != LoopKind::serial || loop.trip_count >= 0 || loop.variables.size() != 1)
    return {};
  const std::int32_t step = loop.variables[0];
  std::vector<RowAccess> found;
  std::vector<int> touched(kernel.buffers.size());  // how often, anywhere in the loop
  const auto look = [&](const auto& self, const Block& block, bool own) -> void {
    for (const Item& item : block) {
      if (item.is_loop) {
        const Loop& inner = kernel.loops[at(item.index)];
        self(self, inner.condition_block, false);
        self(self, inner.body, false);
        continue;
      }
      const Instruction& i = kernel.instructions[at(item.index)];
      if (i.verb != Verb::load && i.verb != Verb::store && i.verb != Verb::update) continue;
      const Access& access = kernel.accesses[i.bits];
      ++touched[at(access.buffer)];
      const Role role = kernel.buffers[at(access.buffer)].role;
      const bool moves = (i.verb == Verb::load && role == Role::input) ||
                         (i.verb == Verb::store && role == Role::output);
      if (own && moves && is_row(access, step, lane))
        found.push_back({item.index, stride(access.offset, step) < 0});
    }
  };
  look(look, loop.body, true);
  // A store may wait only if nothing else of the loop touches what it writes.
  std::erase_if(found, [&](const RowAccess& row) {
    const Instruction& i = kernel.instructions[at(row.instruction)];
    return i.verb == Verb::store && touched[at(kernel.accesses[i.bits].buffer)] > 1;
  });
  if (found.size() > most_rows) found.resize(most_rows);
  return found;
}

bool lists_updates(const Kernel& kernel, std::int32_t number) {
  const Loop& loop = kernel.loops[at(number)];
  if (loop.kind != LoopKind::serial || loop.trip_count >= 0 || !loop.carries.empty()) return false;
  if (loop.variables.empty() || kernel.variables[at(loop.variables.back())].extent < least_steps)
    return false;
  std::vector<int> updated(kernel.buffers.size());
  for (const Item& item : loop.body) {
    if (item.is_loop) return false;
    const Instruction& i = kernel.instructions[at(item.index)];
    const bool loads = i.verb == Verb::load;
    if (i.verb == Verb::store) return false;
    if (!loads && i.verb != Verb::update) continue;
    const std::int32_t buffer = kernel.accesses[i.bits].buffer;
    if (loads && kernel.buffers[at(buffer)].role != Role::input) return false;
    if (!loads && ++updated[at(buffer)] > 1) return false;
  }
  return true;
}

}  // namespace fluxion::codegen
