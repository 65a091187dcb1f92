// A program as a list of steps over planned memory: what an executable runs.
#pragma once
#include "codegen/fuse.hpp"
#include "codegen/leaf.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fluxion::codegen {

/// Where a value of the program lives during a run.
struct Slot {
  enum class Where { argument, result, arena };
  Where where = Where::argument;
  std::int32_t index = 0;  // of the argument or result
  std::size_t offset = 0;  // in the arena
  std::size_t bytes = 0;
};

struct Strip;

struct Step {
  Cut::Kind kind = Cut::Kind::kernel;  // never an alias: those are only slots
  std::int32_t kernel = -1;            // into Schedule::kernels
  std::int32_t operation = -1;         // of a leaf or a reference: in the graph
  std::int32_t cut = -1;               // into Schedule::cuts; of a copy: that of the step after it
  detail::Ref<PreparedLeaf> leaf;
  std::shared_ptr<const Region> region;       // of a loop or a branch that is no kernel
  std::shared_ptr<const Strip> strip;         // of steps that are one over blocks of rows
  std::int32_t scratch = -1;                  // the slot of a leaf's, region's or strip's scratch
  std::vector<std::int32_t> inputs, outputs;  // slots, in the order of the kernel's buffers
};

/// Whether two steps cannot change places: one writes what the other reads or writes.
bool conflict(const Step&, const Step&);

/// What becomes result k of a run.
struct Result {
  enum class From {
    computed,  // fresh memory that steps write
    argument,  // argument `index` as it came
    result,    // the same memory as result `index`
  };
  From from = From::computed;
  std::int32_t index = 0;
  std::size_t bytes = 0;
  /// Computed element by element from this argument alone in its last use: if it is donated, its
  /// memory becomes the result's. -1: none.
  std::int32_t donor = -1;
};

/// An argument of a loop's body that no step changes, laid out before the first for a library call.
struct Kept {
  std::int32_t argument = -1, place = -1;  // slots; the place is nobody else's
  std::int32_t operation = -1;             // whose call it is
  detail::Ref<PreparedLeaf> layout;
};

struct Schedule {
  GraphRef graph;  // optimised; operations and values are numbered by it
  std::vector<Cut> cuts;
  std::vector<kernel::Kernel> kernels;  // different ones
  std::vector<Slot> slots;
  std::vector<Step> steps;
  std::vector<Result> results;
  std::vector<Kept> kept;
  std::size_t arena_bytes = 0;
  std::size_t alive_bytes = 0;  // the most of it that is alive at once: no plan takes less
};

/// Whose calls may be steps: the host's libraries', or nobody's. Without any, the own body of every
/// operation that has one is a kernel.
enum class Libraries { host, none };

/// Inputs of a program that is repeated many times: the same each time.
struct Constants {
  std::int32_t first = 0, count = 0;
  bool contain(std::int32_t input) const { return input >= first && input < first + count; }
};
/// Fuses, lowers and plans a program that went through the passes.
Schedule schedule(const GraphRef&, Libraries = Libraries::host, Constants = {});

/// Floating-point operations, bytes read and written by steps, calls of transcendental functions.
struct Work {
  double flops = 0, read = 0, written = 0, transcendentals = 0;
  double bytes() const { return read + written; }
};
Work work_of(const Schedule&);
Work work_of(const Schedule&, const Step&);

/// The steps as text, one a line, with their slots.
std::string to_string(const Schedule&);

}  // namespace fluxion::codegen
