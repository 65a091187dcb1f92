// Which neighbouring loop variables are one: those that every index walks in steps that continue
// each other.
#include "codegen/kernel_mapping.hpp"

#include <algorithm>

namespace fluxion::codegen {

namespace {

using kernel::Affine;
using kernel::Kernel;
using kernel::Loop;
using kernel::LoopKind;

/// Whether `outer` (the variable before `inner` in one band) only ever appears as outer *
/// extent(inner) + inner.
bool continues(const Kernel& kernel, std::int32_t outer, std::int32_t inner) {
  std::int64_t extent = kernel.variables[static_cast<std::size_t>(inner)].extent;
  for (const kernel::Instruction& i : kernel.instructions) {
    if (i.verb != kernel::Verb::loop_index) continue;
    auto variable = static_cast<std::int32_t>(i.bits);
    if (variable == outer || variable == inner) return false;
  }
  return std::all_of(kernel.accesses.begin(), kernel.accesses.end(), [&](const kernel::Access& a) {
    return stride(a.offset, outer) == stride(a.offset, inner) * extent;
  });
}

bool may_collapse(const Kernel& kernel, const Loop& loop, std::size_t outer) {
  switch (loop.kind) {
    case LoopKind::parallel:
      return true;
    case LoopKind::repeat_while:
      return false;
    default:
      break;
  }
  if (loop.trip_count >= 0 && outer == 0) return false;
  bool innermost = outer + 2 == loop.variables.size();
  // An element's accumulator is its number modulo 64, which survives only if whole rows are
  // multiples of 64.
  return loop.kind == LoopKind::serial || loop.tree == kernel::Tree::sequential || !innermost ||
         kernel.variables[static_cast<std::size_t>(loop.variables[outer + 1])].extent % 64 == 0;
}

}  // namespace

Kernel collapse(const Kernel& given) {
  Kernel kernel = given;
  for (Loop& loop : kernel.loops) {
    for (std::size_t k = loop.variables.size(); k-- > 1;) {
      std::int32_t outer = loop.variables[k - 1], inner = loop.variables[k];
      if (!may_collapse(kernel, loop, k - 1) || !continues(kernel, outer, inner)) continue;
      kernel.variables[static_cast<std::size_t>(inner)].extent *=
          kernel.variables[static_cast<std::size_t>(outer)].extent;
      loop.variables.erase(loop.variables.begin() + static_cast<std::ptrdiff_t>(k) - 1);
      for (kernel::Access& access : kernel.accesses) {
        access.offset.variables.erase_if(
            [&](const Affine::Term& term) { return term.of == outer; });
      }
    }
  }
  return kernel;
}

}  // namespace fluxion::codegen
