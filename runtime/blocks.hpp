// The pieces of the caching allocator: size classes, blocks, and the central lists of free ones.
#pragma once
#include "trace/buffer.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>

namespace fluxion::runtime {

// Size classes: multiples of 64 up to 512, of 512 up to 2048, then four to each power of two. Every
// class from 512 on is a multiple of 512, so that blocks laid end to end keep that alignment.
constexpr std::size_t largest_small = std::size_t{1} << 20;

constexpr int class_of(std::size_t bytes) {
  if (bytes <= 512) return bytes == 0 ? 0 : static_cast<int>((bytes - 1) / 64);
  if (bytes <= 2048) return static_cast<int>(8 + (bytes - 513) / 512);
  const int width = std::bit_width(bytes - 1);
  return 11 + (width - 12) * 4 + static_cast<int>((bytes - 1) >> (width - 3)) - 4;
}
constexpr int class_count = class_of(largest_small) + 1;

constexpr std::size_t size_of_class(int number) {
  if (number < 8) return static_cast<std::size_t>(number + 1) * 64;
  if (number < 11) return static_cast<std::size_t>(number - 6) * 512;
  const int octave = (number - 11) / 4, step = (number - 11) % 4;
  return static_cast<std::size_t>(step + 5) << (octave + 9);
}
static_assert([] {
  for (int c = 0; c < class_count; ++c) {
    if (class_of(size_of_class(c)) != c || class_of(size_of_class(c) + 1) != c + 1) return false;
  }
  return true;
}());

struct Slab;

/// A small buffer. It is never destroyed but recycled: its deletion puts it, whole, into a free
/// list.
class alignas(64) Block final : public Buffer {
 public:
  Block(void* data, Slab* owner, int number)
      : Buffer(data, 0, false), slab(owner), size_class(static_cast<std::uint8_t>(number)) {}
  void resize(std::size_t bytes) { bytes_ = bytes; }
  static void operator delete(Block* block, std::destroying_delete_t) noexcept;

  Block* next = nullptr;
  Slab* slab;
  std::uint8_t size_class;
};

/// A buffer above 1 MB; its deletion puts it into the central cache.
class LargeBlock final : public Buffer {
 public:
  using Index = std::multimap<std::size_t, LargeBlock*>;
  LargeBlock(void* data, std::size_t capacity)
      : Buffer(data, capacity, false), capacity(capacity) {}
  void resize(std::size_t bytes) { bytes_ = bytes; }
  static void operator delete(LargeBlock* block, std::destroying_delete_t) noexcept;

  std::size_t capacity;
  Index::node_type entry;  // while in use: kept, so that freeing never allocates
  Index::iterator place;   // while free
  LargeBlock *older = nullptr, *newer = nullptr;
};

/// The counters that all threads share.
struct Totals {
  std::atomic<std::int64_t> live = 0, peak = 0, cached = 0, mapped = 0;
  std::atomic<std::uint64_t> allocations = 0, system_requests = 0;

  void add_live(std::int64_t bytes) noexcept;
};
extern Totals totals;

/// The free blocks of one class that belong to no thread.
class SizeClass {
 public:
  /// A chain of at most `wanted` free blocks; null when the system gives no memory.
  Block* take(int number, int wanted);
  /// Takes a chain back; slabs that are entirely free are unmapped while more than `limit` bytes
  /// are cached.
  void give(Block* chain, int number, std::size_t limit) noexcept;
  void release_free_slabs() noexcept;

 private:
  bool make_slab(int number);
  void link(Slab& slab) noexcept;
  void unlink(Slab& slab) noexcept;
  void release(Slab& slab) noexcept;

  std::mutex mutex_;
  Slab* slabs_ = nullptr;  // those with free blocks here
};

/// Free buffers above 1 MB, found by size, forgotten by age.
class LargeCache {
 public:
  /// A free block of at most 1.25 times the size, else a new one; null when the system gives no
  /// memory.
  LargeBlock* take(std::size_t bytes);
  void give(LargeBlock* block, std::size_t limit) noexcept;
  /// Unmaps what has been free longest, until `bytes` are gone or nothing is left.
  void release(std::size_t bytes) noexcept;

 private:
  LargeBlock* make_block(std::size_t capacity);
  void make_room(std::size_t bytes) noexcept;
  LargeBlock* unlink(LargeBlock* block) noexcept;
  std::size_t release_oldest() noexcept;

  std::mutex mutex_;
  LargeBlock::Index free_;
  LargeBlock *oldest_ = nullptr, *newest_ = nullptr;
};

/// For AddressSanitizer: marks free memory, and memory that a buffer owns.
void forbid(void* data, std::size_t bytes) noexcept;
void permit(void* data, std::size_t bytes) noexcept;

}  // namespace fluxion::runtime
