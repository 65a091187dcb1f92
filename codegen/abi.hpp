// How the library calls generated code: one entry per phase of a kernel, over a range of its units.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fluxion::codegen {

/// What a thread lends to the code it runs.
struct Context {
  void* scratch = nullptr;  // as many bytes as the kernel asks for, aligned to 64; may be null if
                            // it asks for none
};

/// Runs the units [begin, end) of one phase. `buffers`: inputs and outputs in the order of the
/// kernel's list. Different units may run on different threads at the same time; a phase begins
/// when the one before is complete.
using PhaseEntry = void (*)(const Context* context,
                            void* const* buffers,
                            std::int64_t begin,
                            std::int64_t end);

/// Rows of at most this many bytes live on the stack of generated code.
inline constexpr std::size_t stack_scratch_bytes = 64 * 1024;

}  // namespace fluxion::codegen
