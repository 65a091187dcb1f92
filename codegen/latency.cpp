// How long the instructions of a vector wait for each other, against how long they take: the model
// of an x86 core with two units for floats.
#include "codegen/kernel_mapping.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::codegen {
namespace {

using kernel::Instruction;
using kernel::Verb;

struct Cycles {
  int latency = 0;
  double throughput = 0;
};

Cycles cycles_of(const Instruction& i) {
  if (free_of_cost(i.verb)) return {};
  switch (i.verb) {
    case Verb::div:
    case Verb::rem:
    case Verb::sqrt:
      return {13, 1.6};
    case Verb::add:
    case Verb::sub:
    case Verb::mul:
    case Verb::fma:
    case Verb::convert:
      return {kernel::is_float(i.type) ? 4 : 1, 0.4};
    case Verb::load:
      return {5, 0.4};
    default:
      return {1, 0.4};
  }
}

}  // namespace

bool waits_for_itself(const kernel::Kernel& kernel, const kernel::Block& body) {
  constexpr int least = 20;          // instructions; of fewer, enough of the next ones are near
  constexpr double in_flight = 128;  // so many are looked at together
  constexpr double worth = 1.3;
  std::vector<int> ready(kernel.instructions.size());
  const auto at = [](std::int32_t number) { return static_cast<std::size_t>(number); };
  int longest = 0, count = 0;
  double work = 0;
  for (const kernel::Item& item : body) {
    if (item.is_loop) {  // until a condition holds: those of rare arguments
      if (kernel.loops[at(item.index)].kind == kernel::LoopKind::repeat_while) continue;
      return false;
    }
    const Instruction& i = kernel.instructions[at(item.index)];
    const kernel::Id operands[] = {i.a, i.b, i.c};
    int begin = 0;
    for (int k = 0; k < kernel::operand_count(i.verb); ++k)
      begin = std::max(begin, ready[at(operands[k])]);
    if (i.verb == Verb::result) begin = ready[at(kernel.loops[at(i.a)].carries[at(i.b)].initial)];
    const Cycles cycles = cycles_of(i);
    ready[at(item.index)] = begin + cycles.latency;
    longest = std::max(longest, ready[at(item.index)]);
    work += cycles.throughput;
    count += cycles.latency > 0;
  }
  return count >= least && longest / std::max(1.0, in_flight / count) > worth * work;
}

}  // namespace fluxion::codegen
