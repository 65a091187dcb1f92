// How benchmarks of leaves take time, and keep oneDNN called by hand to as many threads as ours.
#pragma once
#include <chrono>
#include <ctime>
#include <dlfcn.h>

namespace fluxion::bench {

/// Wall time of a call.
inline double seconds(auto&& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// What a call costs this thread alone: for comparisons on one thread of a machine that others use.
inline double processor_seconds(auto&& call) {
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double begin = now();
  call();
  return now() - begin;
}

/// The OpenMP threads of calls that this thread makes.
inline void set_openmp_threads(int count) {
  static void* const library = dlopen("libgomp.so.1", RTLD_LAZY);
  const auto set = reinterpret_cast<void (*)(int)>(dlsym(library, "omp_set_num_threads"));
  if (set != nullptr) set(count);
}

}  // namespace fluxion::bench
