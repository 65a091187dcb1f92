// Copies, library calls and references; loops and branches are run_region's.
#include "runtime/run_step.hpp"

#include "codegen/interpret.hpp"
#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <cstring>

namespace fluxion::runtime {

void copy(const void* from, void* to, std::size_t bytes) {
  constexpr std::int64_t chunk = 1 << 18;
  if (from == to || bytes == 0) return;
  if (bytes <= 4 * chunk) {
    std::memcpy(to, from, bytes);
    return;
  }
  const auto chunks = (static_cast<std::int64_t>(bytes) + chunk - 1) / chunk;
  parallel_for(chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto first = static_cast<std::size_t>(begin * chunk);
    const auto last = std::min(bytes, static_cast<std::size_t>(end * chunk));
    std::memcpy(
        static_cast<char*>(to) + first, static_cast<const char*>(from) + first, last - first);
  });
}

void run_step(const codegen::Schedule& schedule,
              const codegen::Step& step,
              const ScheduledPrograms& programs,
              void* const* buffers,
              void* const* memory) {
  void* const* outputs = buffers + step.inputs.size();
  void* scratch = step.scratch < 0 ? nullptr : memory[static_cast<std::size_t>(step.scratch)];
  if (step.kind == codegen::Cut::Kind::copy)
    return copy(
        buffers[0], outputs[0], schedule.slots[static_cast<std::size_t>(step.outputs[0])].bytes);
  if (step.leaf) return step.leaf->run(buffers, outputs, scratch);
  if (step.region)
    return run_region(*step.region, programs, buffers, outputs, static_cast<char*>(scratch));
  const Graph& graph = *schedule.graph;
  const Operation& o = graph.operations()[static_cast<std::size_t>(step.operation)];
  std::vector<ConstTensor> in;
  std::vector<Tensor> out;
  for (std::size_t k = 0; k < o.operands.size(); ++k)
    in.push_back({graph.type(o.operands[k]), buffers[k]});
  for (std::int32_t k = 0; k < o.result_count; ++k)
    out.push_back({graph.type(o.first_result + k), outputs[k]});
  codegen::interpret(o.op, in, out);
}

}  // namespace fluxion::runtime
