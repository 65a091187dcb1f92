// A mapping as text.
#include "codegen/kernel_mapping.hpp"

#include <fmt/format.h>
#include <iterator>

namespace fluxion::codegen {
namespace {
std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
}  // namespace

std::string to_string(const Mapping& mapping, const kernel::Kernel& kernel) {
  std::string text;
  for (const PhaseMapping& p : mapping.phases) {
    fmt::format_to(
        std::back_inserter(text), "phase of loop {}: {} units, grain {}", p.loop, p.units, p.grain);
    std::string order;
    for (std::int32_t v : p.order)
      order += fmt::format(" v{}<{}", v, kernel.variables[at(v)].extent);
    if (!order.empty()) text += "; outer" + order;
    if (p.tiled >= 0) text += fmt::format("; {} of v{} at once", p.tile, p.tiled);
    if (mapping.loops[at(p.loop)].variable >= 0) {
      fmt::format_to(std::back_inserter(text),
                     "; {} chunks of {}{}",
                     p.chunks,
                     p.chunk,
                     p.chunks_first ? ", slowest" : "");
    }
    text += '\n';
  }
  for (std::size_t k = 0; k < mapping.loops.size(); ++k) {
    const LoopMapping& m = mapping.loops[k];
    if (m.unroll) text += fmt::format("loop {}: unrolled\n", k);
    if (m.pieces) text += fmt::format("loop {}: rows in pieces\n", k);
    if (m.variable < 0) continue;
    fmt::format_to(std::back_inserter(text),
                   "loop {}: lanes v{} x {}{}\n",
                   k,
                   m.variable,
                   m.width,
                   m.rotate ? ", in turn" : "");
  }
  return text;
}

}  // namespace fluxion::codegen
