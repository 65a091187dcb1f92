// Runs compiled kernels, and strips of them and of library calls, over the thread pool.
#include "runtime/run_kernel.hpp"

#include "runtime/allocator.hpp"
#include "runtime/recompile.hpp"
#include "runtime/run_step.hpp"
#include "runtime/thread_pool.hpp"

namespace fluxion::runtime {
namespace {

using codegen::CompiledKernel;
using codegen::Context;
using codegen::Strip;
using detail::Ref;

/// Memory of a thread for the scratch rows of kernels; grows.
void* thread_scratch(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  // Made with its first memory, so that it goes before what the allocator keeps for the thread.
  thread_local Ref<Buffer> memory = allocate(bytes);
  if (memory->bytes() < bytes) memory = allocate(bytes);
  return memory->data();
}

/// One block of a strip: `row` is its first, of all matrices' rows; `own` the thread's memory.
void run_block(const Strip& strip,
               const std::vector<Ref<CompiledKernel>>& kernels,
               void* const* buffers,
               std::byte* own,
               std::int64_t row,
               bool last) {
  for (const Strip::Part& part : strip.parts) {
    Scratch<void*, 64> places(part.places.size());
    for (std::size_t k = 0; k < part.places.size(); ++k) {
      const Strip::Place& place = part.places[k];
      std::byte* const base =
          place.local ? own + place.index : static_cast<std::byte*>(buffers[place.index]);
      places[k] = base + row / part.matrix_rows * place.matrix_bytes +
                  row % part.matrix_rows * place.row_bytes;
    }
    if (part.leaf) {
      const auto& leaf = last ? part.last : part.leaf;
      leaf->run(places.data(), places.data() + 2, own + part.scratch);
      continue;
    }
    const CompiledKernel& kernel = *kernels[static_cast<std::size_t>(part.kernel)];
    const Context context{thread_scratch(kernel.scratch_bytes())};
    const std::int64_t begin =
        row / strip.rows * part.matrix_units + row % strip.rows / strip.block * part.units;
    kernel.phases()[0].run(
        &context, places.data(), begin, begin + (last ? part.last_units : part.units));
  }
}

}  // namespace

void run_kernel(const CompiledKernel& kernel, void* const* buffers) {
  if (kernel.wants_better()) recompile(kernel);
  const std::size_t scratch = kernel.scratch_bytes();
  for (const CompiledKernel::Phase& phase : kernel.phases()) {
    if (phase.units <= phase.grain) {
      const Context context{thread_scratch(scratch)};
      phase.run(&context, buffers, 0, phase.units);
      continue;
    }
    parallel_for(phase.units, phase.grain, [&](std::int64_t begin, std::int64_t end) {
      const Context context{thread_scratch(scratch)};
      phase.run(&context, buffers, begin, end);
    });
  }
}

void run_strip(const Strip& strip,
               const std::vector<Ref<CompiledKernel>>& kernels,
               void* const* buffers,
               void* memory) {
  for (const Strip::Part& part : strip.parts)
    if (const CompiledKernel* kernel =
            part.leaf ? nullptr : kernels[static_cast<std::size_t>(part.kernel)].raw();
        kernel && kernel->wants_better())
      recompile(*kernel);
  const std::int64_t each = strip.blocks_of_matrix();
  parallel_for(
      strip.matrices * each,
      1,
      [&](std::int64_t begin, std::int64_t end) {
        std::byte* const own = static_cast<std::byte*>(memory) +
                               static_cast<std::size_t>(participant()) * strip.thread_bytes;
        for (std::int64_t b = begin; b < end; ++b)
          run_block(strip,
                    kernels,
                    buffers,
                    own,
                    b / each * strip.rows + b % each * strip.block,
                    b % each == each - 1);
      },
      strip.threads);
}

}  // namespace fluxion::runtime
