// A compiled program: what runs when a value is asked for or a jitted function is called.
#pragma once
#include "fluxion/programs.hpp"
#include "trace/buffer.hpp"
#include "trace/graph.hpp"

#include <span>
#include <string>
#include <vector>

namespace fluxion {

/// One input of a run. `data` points at `bytes_of(type)` bytes; `buffer` owns them (null: a literal
/// held elsewhere), and is held by the caller for the length of the call.
struct Argument {
  const void* data = nullptr;
  Buffer* buffer = nullptr;
  bool donated = false;  // the caller's last reference: the program may write over it, or hand it
                         // back as a result
};

/// Cost of one run, from the shapes.
struct ProgramCost {
  double flops = 0, bytes = 0, transcendentals = 0;
};
/// Bytes of one run: arguments and results are what crosses the call; temporaries is the planned
/// arena, of which `alive` bytes live at the same time; peak is their sum less what donation saves.
struct ProgramMemory {
  std::size_t arguments = 0, results = 0, temporaries = 0, peak = 0, alive = 0;
};

/// A stage of a compilation as text: "cuts.txt", "llvm.ll".
struct Stage {
  std::string name, text;
};

/// Immutable after it was made; may be run by several threads at once.
class Executable : public detail::Shared {
 public:
  /// Runs the program. `results` has one place for each output, filled with buffers of exactly the
  /// output's size (or larger).
  virtual void run(std::span<const Argument> arguments,
                   std::span<detail::Ref<Buffer>> results) const = 0;
  virtual ProgramCost cost() const = 0;
  virtual ProgramMemory memory() const = 0;
  /// Whose values and scratch are alive when the temporaries are largest, the largest first; and
  /// the steps as a table. `traced`: the program as it was asked for, whose lines are told; it may
  /// be another than the equal one that was compiled.
  virtual std::vector<MemoryOwner> owners(const GraphRef& traced) const = 0;
  virtual std::string table(const GraphRef& traced) const = 0;
  /// The text of every step and kernel, of their LLVM modules, of their machine code.
  virtual std::string kernels() const = 0;
  virtual std::string llvm_ir() const = 0;
  virtual std::string assembly() const = 0;
  /// What the program was on the way from the passes to machine code, in this order.
  virtual std::vector<Stage> stages() const { return {}; }
  /// How many kernels and library leaves one run launches.
  virtual std::size_t step_count() const = 0;
};

/// Compiles a graph (optimised here), or finds the program that was compiled for an equal one
/// (sites do not count). Thread-safe.
detail::Ref<const Executable> compile(const GraphRef&);
/// How many programs this process has compiled: for tests of "compiles once".
std::uint64_t compiled_programs() noexcept;

}  // namespace fluxion
