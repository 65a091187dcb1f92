// How a range of work is cut, claimed by threads, and waited for.
#pragma once
#include "fluxion/core.hpp"

#include <cstdint>
#include <type_traits>

namespace fluxion::runtime {

/// A borrowed callable `void(int64 begin, int64 end)`; lives as long as what it was made from.
class RangeFunction {
 public:
  using Call = void (*)(void*, std::int64_t, std::int64_t);
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, RangeFunction> &&
             std::is_invocable_v<F&, std::int64_t, std::int64_t>)
  RangeFunction(F&& f)  // NOLINT(bugprone-forwarding-reference-overload)
      : call_([](void* target, std::int64_t begin, std::int64_t end) {
          (*static_cast<std::remove_reference_t<F>*>(target))(begin, end);
        }),
        target_(const_cast<void*>(static_cast<const void*>(&f))) {}
  RangeFunction(Call call, void* target) : call_(call), target_(target) {}
  void operator()(std::int64_t begin, std::int64_t end) const { call_(target_, begin, end); }

 private:
  Call call_;
  void* target_;
};

/// Calls `f(begin, end)` on ranges that together cover [0, count) once, on at most `max_threads`
/// threads (0: all), the calling one among them. A range begins at a multiple of `grain` and ends
/// at one or at `count`; it may span several grains, and how ranges are cut depends on the number
/// of threads: a reduction that must not depend on it combines per grain. Inside another
/// parallel_for, with one thread, or with count <= grain, it is one call on the calling thread. Any
/// number of threads may call at once; they share the workers. The first exception of `f` stops the
/// claiming of further ranges and is rethrown here, after every running range has ended.
void parallel_for(std::int64_t count, std::int64_t grain, RangeFunction f, int max_threads = 0);

/// Which of the at most `max_threads` threads of the innermost parallel_for this is, from 0: no two
/// ranges of one parallel_for that run at the same time see the same number, so per-thread scratch
/// is indexed by it.
int participant() noexcept;

/// The most threads that one parallel_for uses, the calling one included. At first
/// FLUXION_NUM_THREADS, else the processors that this process may use.
int num_threads() noexcept;

/// Changes num_threads. Waits for workers that it ends. Error `thread-count` unless 1 <= count <=
/// 1024, and inside a parallel_for.
void set_num_threads(int count, const Site& site = Site::current());

}  // namespace fluxion::runtime
