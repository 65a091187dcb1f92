// The steps of a schedule that are no kernels, for everything that runs schedules.
#pragma once
#include "codegen/regions.hpp"
#include "codegen/schedule.hpp"

#include <memory>
#include <vector>

namespace fluxion::runtime {

/// Up to a fixed number of elements live on the stack.
template <class T, std::size_t few> class Scratch {
 public:
  explicit Scratch(std::size_t n)
      : count_(n), data_(n > few ? std::allocator<T>().allocate(n) : reinterpret_cast<T*>(few_)) {
    std::uninitialized_default_construct_n(data_, n);
  }
  ~Scratch() {
    std::destroy_n(data_, count_);
    if (count_ > few) std::allocator<T>().deallocate(data_, count_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() { return data_; }
  std::size_t size() const { return count_; }
  T& operator[](std::size_t i) { return data_[i]; }

 private:
  alignas(T) std::byte few_[few * sizeof(T)];
  std::size_t count_;
  T* data_;
};

/// A schedule and a way to run its kernels.
class ScheduledProgram {
 public:
  virtual ~ScheduledProgram() = default;
  virtual const codegen::Schedule& schedule() const = 0;
  /// `memory`: where each slot of the schedule lies.
  virtual void run(void* const* memory) const = 0;
};
using ScheduledPrograms = std::vector<std::unique_ptr<ScheduledProgram>>;

/// Copies memory that may be the same; large copies are shared between the threads.
void copy(const void* from, void* to, std::size_t bytes);

/// A copy, a library call, a loop, a branch or a reference. `programs`: those of the step's region;
/// `buffers`: its inputs, then its outputs.
void run_step(const codegen::Schedule&,
              const codegen::Step&,
              const ScheduledPrograms& programs,
              void* const* buffers,
              void* const* memory);

/// Runs a loop or a branch: `inputs` and `outputs` lie where its operands and results do, `scratch`
/// has the region's bytes.
void run_region(const codegen::Region&,
                const ScheduledPrograms& programs,
                void* const* inputs,
                void* const* outputs,
                char* scratch);

}  // namespace fluxion::runtime
