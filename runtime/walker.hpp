// A schedule whose kernels are compiled, run step by step.
#pragma once
#include "codegen/regions.hpp"
#include "codegen/schedule.hpp"
#include "runtime/kernel_cache.hpp"

#include <memory>
#include <vector>

namespace fluxion::runtime {

/// Up to a fixed number of elements live on the stack.
template <class T, std::size_t few> class Scratch {
 public:
  explicit Scratch(std::size_t n) : data_(n > few ? (many_.resize(n), many_.data()) : few_) {}
  T* data() { return data_; }
  T& operator[](std::size_t i) { return data_[i]; }

 private:
  T few_[few];
  std::vector<T> many_;
  T* data_;
};

/// Copies memory that may be the same; large copies are shared between the threads.
void copy(const void* from, void* to, std::size_t bytes);

class Walker {
 public:
  /// The schedule must live as long.
  explicit Walker(const codegen::Schedule&);
  /// `memory`: where each slot of the schedule lies.
  void run(void* const* memory) const;

  const codegen::Schedule& schedule() const { return schedule_; }
  /// Its own kernels, then those of the programs of its steps.
  std::vector<const codegen::CompiledKernel*> kernels() const;
  std::size_t step_count() const { return runs_.size(); }

 private:
  struct Run {
    const codegen::Step* step;
    const codegen::CompiledKernel* kernel;          // null: anything else
    std::size_t begin, count;                       // of its buffers in slots_
    std::vector<std::unique_ptr<Walker>> programs;  // of a loop or a branch
  };
  void run_other(const Run&, void* const* buffers, void* const* memory) const;

  const codegen::Schedule& schedule_;
  std::vector<detail::Ref<codegen::CompiledKernel>> kernels_;
  std::vector<std::int32_t> slots_;
  std::vector<Run> runs_;
};

/// Runs a loop or a branch: `inputs` and `outputs` lie where its operands and results do, `scratch`
/// has the region's bytes.
void run_region(const codegen::Region&,
                const std::vector<std::unique_ptr<Walker>>& programs,
                void* const* inputs,
                void* const* outputs,
                char* scratch);

}  // namespace fluxion::runtime
