// Places in one block of memory for values that live at different times.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fluxion::codegen {

/// So many bytes, from the step that writes them first to the step that reads them last.
struct Lifetime {
  std::size_t bytes = 0;
  std::int32_t first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  // multiples of plan_alignment
  std::size_t bytes = 0;
};
inline constexpr std::size_t plan_alignment = 64;

/// The most bytes that live at one step: no plan takes less.
std::size_t most_alive(std::span<const Lifetime> values);

/// No two values whose lifetimes share a step overlap. Values are placed one after the other, each
/// in the smallest gap that holds it, in several orders; the one that needs the least memory
/// counts.
MemoryPlan plan_memory(std::span<const Lifetime> values);

}  // namespace fluxion::codegen
