// What the caching allocator offers besides allocate(): guarded buffers, counters, limits.
#pragma once
#include "trace/buffer.hpp"

#include <cstddef>
#include <cstdint>

namespace fluxion::runtime {

/// Memory of buffers made by allocate(), in bytes. `live` and `peak` count what was asked for; each
/// thread reports changes of less than 64 KB late, so `peak` may be low by that much per thread.
/// `cached` is free memory that the next buffers reuse; what threads keep for themselves (at most
/// 16 MB each) is not in it. `mapped` is all memory held from the system.
struct AllocatorStatistics {
  std::size_t live = 0, peak = 0, cached = 0, mapped = 0;
  std::uint64_t allocations = 0;      // buffers handed out
  std::uint64_t system_requests = 0;  // times that memory was asked from the system
};
AllocatorStatistics allocator_statistics();

/// From now on `peak` is the most since this call.
void reset_peak();

/// The most bytes kept for reuse. At first the smaller of 4 GB and half of the memory that was
/// available. Less memory is kept when the system runs short of it.
void set_cache_limit(std::size_t bytes);
std::size_t cache_limit();

/// Gives all free memory back to the system, except what other threads keep for themselves.
void release_cached_memory();

/// Memory that ends where an inaccessible page begins, up to the largest multiple of `alignment` (a
/// power of two, at most 4096); another inaccessible page lies before it. For tests of generated
/// code, which sanitizers do not see: reading or writing out of bounds faults at once.
/// Uninitialised bytes are 0xA5.
detail::Ref<Buffer> allocate_guarded(std::size_t bytes, std::size_t alignment = 1);

/// With an alignment other than 0, every allocate() of the process becomes allocate_guarded() of
/// that alignment.
void set_guarded_allocation(std::size_t alignment);

}  // namespace fluxion::runtime
