// The caching allocator: what each thread keeps, what is counted, when memory goes back to the
// system.
#include "runtime/allocator.hpp"

#include "runtime/blocks.hpp"
#include "runtime/system_memory.hpp"
#include "trace/error.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <mutex>
#include <new>

namespace fluxion::runtime {
namespace {

/// How many free blocks of a class a thread keeps for itself, and how many move at once.
constexpr int thread_limit(std::size_t size) {
  return static_cast<int>(std::clamp<std::size_t>((std::size_t{256} << 10) / size, 1, 64));
}

class GuardedBlock final : public Buffer {
 public:
  GuardedBlock(void* pages, std::size_t page_bytes, void* data, std::size_t bytes)
      : Buffer(data, bytes, false), pages_(pages), page_bytes_(page_bytes) {}
  ~GuardedBlock() override;

 private:
  void* pages_;
  std::size_t page_bytes_;
};

constinit std::atomic<std::size_t> guard_alignment = 0;

std::size_t default_cache_limit() { return std::min(std::size_t{4} << 30, available_memory() / 2); }

[[noreturn]] void fail_out_of_memory(std::size_t bytes) {
  const AllocatorStatistics now = allocator_statistics();
  fail("out-of-memory",
       Site::current(),
       fmt::format("the system gives no {} bytes more; {} bytes are in use, at most {} were",
                   bytes,
                   now.live,
                   now.peak),
       {},
       "let arrays go out of scope, or compute in smaller pieces");
}

/// What one thread keeps: free blocks by class, and its share of the counters.
struct ThreadCache {
  struct Bin {
    Block* head = nullptr;
    int count = 0, limit = 0;
  };
  std::array<Bin, class_count> bins;
  std::atomic<std::int64_t> live = 0;  // written by its thread only
  std::atomic<std::uint64_t> allocations = 0;
  ThreadCache *previous = nullptr, *next = nullptr;

  void add_live(std::int64_t bytes) noexcept {
    constexpr std::int64_t late = std::int64_t{64} << 10;
    const std::int64_t now = live.load(std::memory_order_relaxed) + bytes;
    if (now < late && now > -late) return live.store(now, std::memory_order_relaxed);
    live.store(0, std::memory_order_relaxed);
    totals.add_live(now);
  }
  void count_allocation() noexcept {
    allocations.store(allocations.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

struct Central {
  std::array<SizeClass, class_count> classes;
  LargeCache large;
  std::atomic<std::size_t> limit = default_cache_limit();
  std::mutex threads_mutex;
  ThreadCache* threads = nullptr;

  std::size_t current_limit() const { return limit.load(std::memory_order_relaxed); }
};
Central& central() {
  static Central* const one = new Central;  // outlives every static that holds arrays
  return *one;
}

thread_local ThreadCache* thread_cache = nullptr;
thread_local bool thread_ended = false;

/// Hands the last `count` free blocks of a bin back.
void give_back(ThreadCache::Bin& bin, int number, int count) noexcept {
  if (count == 0) return;
  Block* const first = bin.head;
  Block* last = first;
  for (int i = 1; i < count; ++i) last = last->next;
  bin.head = last->next;
  bin.count -= count;
  last->next = nullptr;
  central().classes[static_cast<std::size_t>(number)].give(
      first, number, central().current_limit());
}
void give_back_all(ThreadCache& cache) noexcept {
  for (int c = 0; c < class_count; ++c) {
    ThreadCache::Bin& bin = cache.bins[static_cast<std::size_t>(c)];
    give_back(bin, c, bin.count);
  }
}

/// Makes the thread's cache, and ends it with the thread; buffers that other thread-local objects
/// release after that go straight to the central lists.
class CacheOwner {
 public:
  CacheOwner() {
    for (int c = 0; c < class_count; ++c) {
      cache_.bins[static_cast<std::size_t>(c)].limit = thread_limit(size_of_class(c));
    }
    const std::lock_guard lock(central().threads_mutex);
    cache_.next = central().threads;
    if (cache_.next != nullptr) cache_.next->previous = &cache_;
    central().threads = &cache_;
    thread_cache = &cache_;
  }
  ~CacheOwner() {
    thread_cache = nullptr;
    thread_ended = true;
    give_back_all(cache_);
    const std::lock_guard lock(central().threads_mutex);
    totals.add_live(cache_.live.load(std::memory_order_relaxed));
    totals.allocations.fetch_add(cache_.allocations.load(std::memory_order_relaxed));
    (cache_.previous != nullptr ? cache_.previous->next : central().threads) = cache_.next;
    if (cache_.next != nullptr) cache_.next->previous = cache_.previous;
  }
  CacheOwner(const CacheOwner&) = delete;
  CacheOwner& operator=(const CacheOwner&) = delete;

 private:
  ThreadCache cache_;
};
ThreadCache* make_thread_cache() {
  if (thread_ended) return nullptr;
  static thread_local CacheOwner owner;
  return thread_cache;
}

void count_live(std::int64_t bytes) noexcept {
  if (ThreadCache* cache = thread_cache; cache != nullptr) return cache->add_live(bytes);
  totals.add_live(bytes);
}

detail::Ref<Buffer> hand_out(Block* block, std::size_t bytes) noexcept {
  permit(block->data(), bytes);
  block->resize(bytes);
  return detail::Ref<Buffer>::first(block);
}

/// What `take` finds, if need be after all free memory went back to the system.
template <class Take> auto or_after_release(std::size_t bytes, Take take) {
  auto* found = take();
  if (found == nullptr) {
    release_cached_memory();
    found = take();
    if (found == nullptr) fail_out_of_memory(bytes);
  }
  return found;
}

/// The thread keeps no free block of this class, or the buffer is large.
detail::Ref<Buffer> allocate_slowly(std::size_t bytes) {
  if (const std::size_t alignment = guard_alignment.load(std::memory_order_relaxed)) {
    return allocate_guarded(bytes, alignment);
  }
  ThreadCache* const cache = thread_cache != nullptr ? thread_cache : make_thread_cache();
  if (cache != nullptr) {
    cache->count_allocation();
  } else {
    totals.allocations.fetch_add(1, std::memory_order_relaxed);
  }
  if (bytes > largest_small) {
    LargeBlock* const block = or_after_release(bytes, [&] { return central().large.take(bytes); });
    totals.add_live(static_cast<std::int64_t>(bytes));
    permit(block->data(), bytes);
    block->resize(bytes);
    return detail::Ref<Buffer>::first(block);
  }
  const int number = class_of(bytes);
  SizeClass& shared = central().classes[static_cast<std::size_t>(number)];
  const int limit = thread_limit(size_of_class(number));
  const int wanted = cache != nullptr ? (limit + 1) / 2 : 1;
  Block* const block = or_after_release(bytes, [&] { return shared.take(number, wanted); });
  if (cache != nullptr) {
    ThreadCache::Bin& bin = cache->bins[static_cast<std::size_t>(number)];
    for (Block* rest = block->next; rest != nullptr;) {
      Block* const next = rest->next;
      rest->next = bin.head;
      bin.head = rest;
      ++bin.count;
      rest = next;
    }
  }
  count_live(static_cast<std::int64_t>(bytes));
  return hand_out(block, bytes);
}

GuardedBlock::~GuardedBlock() {
  count_live(-static_cast<std::int64_t>(bytes_));
  totals.mapped.fetch_sub(static_cast<std::int64_t>(page_bytes_), std::memory_order_relaxed);
  unmap_guarded_pages(pages_, page_bytes_);
}

}  // namespace

void Block::operator delete(Block* block, std::destroying_delete_t) noexcept {
  const int number = block->size_class;
  forbid(block->data(), size_of_class(number));
  ThreadCache* const cache = thread_cache;
  if (cache == nullptr) {
    totals.add_live(-static_cast<std::int64_t>(block->bytes()));
    block->next = nullptr;
    central().classes[static_cast<std::size_t>(number)].give(
        block, number, central().current_limit());
    return;
  }
  cache->add_live(-static_cast<std::int64_t>(block->bytes()));
  ThreadCache::Bin& bin = cache->bins[static_cast<std::size_t>(number)];
  block->next = bin.head;
  bin.head = block;
  if (++bin.count > bin.limit) give_back(bin, number, (bin.limit + 1) / 2);
}

void LargeBlock::operator delete(LargeBlock* block, std::destroying_delete_t) noexcept {
  totals.add_live(-static_cast<std::int64_t>(block->bytes()));
  forbid(block->data(), block->capacity);
  central().large.give(block, central().current_limit());
}

detail::Ref<Buffer> allocate_guarded(std::size_t bytes, std::size_t alignment) {
  if (!std::has_single_bit(alignment) || alignment > page_size()) {
    throw InternalError(fmt::format("guarded allocation with alignment {}", alignment));
  }
  const std::size_t page = page_size();
  if (bytes > std::numeric_limits<std::size_t>::max() / 4) fail_out_of_memory(bytes);
  const std::size_t page_bytes = (std::max<std::size_t>(bytes, 1) + page - 1) / page * page;
  auto* const pages = static_cast<std::byte*>(map_guarded_pages(page_bytes));
  if (pages == nullptr) fail_out_of_memory(bytes);
  std::memset(pages, 0xA5, page_bytes);
  auto* const data = pages + (page_bytes - bytes) / alignment * alignment;
  totals.mapped.fetch_add(static_cast<std::int64_t>(page_bytes), std::memory_order_relaxed);
  count_live(static_cast<std::int64_t>(bytes));
  return detail::Ref<Buffer>(new GuardedBlock(pages, page_bytes, data, bytes));
}

void set_guarded_allocation(std::size_t alignment) { guard_alignment = alignment; }

AllocatorStatistics allocator_statistics() {
  Central& shared = central();
  const std::lock_guard lock(shared.threads_mutex);
  std::int64_t live = totals.live;
  std::uint64_t allocations = totals.allocations;
  for (const ThreadCache* cache = shared.threads; cache != nullptr; cache = cache->next) {
    live += cache->live.load(std::memory_order_relaxed);
    allocations += cache->allocations.load(std::memory_order_relaxed);
  }
  const auto positive = [](std::int64_t n) {
    return static_cast<std::size_t>(std::max<std::int64_t>(n, 0));
  };
  return {positive(live),
          positive(std::max<std::int64_t>(totals.peak, live)),
          positive(totals.cached),
          positive(totals.mapped),
          allocations,
          totals.system_requests};
}

void reset_peak() { totals.peak = static_cast<std::int64_t>(allocator_statistics().live); }

void set_cache_limit(std::size_t bytes) {
  Central& shared = central();
  shared.limit = bytes;
  const auto cached = static_cast<std::size_t>(std::max<std::int64_t>(totals.cached, 0));
  if (cached > bytes) shared.large.release(cached - bytes);
  if (static_cast<std::size_t>(std::max<std::int64_t>(totals.cached, 0)) > bytes) {
    for (SizeClass& size_class : shared.classes) size_class.release_free_slabs();
  }
}
std::size_t cache_limit() { return central().current_limit(); }

void release_cached_memory() {
  if (thread_cache != nullptr) give_back_all(*thread_cache);
  Central& shared = central();
  shared.large.release(std::numeric_limits<std::size_t>::max());
  for (SizeClass& size_class : shared.classes) size_class.release_free_slabs();
}

}  // namespace fluxion::runtime

namespace fluxion {

detail::Ref<Buffer> allocate(std::size_t bytes) {
  using namespace runtime;
  ThreadCache* const cache = thread_cache;
  if (cache != nullptr && bytes <= largest_small &&
      guard_alignment.load(std::memory_order_relaxed) == 0) [[likely]] {
    ThreadCache::Bin& bin = cache->bins[static_cast<std::size_t>(class_of(bytes))];
    if (Block* const block = bin.head; block != nullptr) [[likely]] {
      bin.head = block->next;
      --bin.count;
      cache->add_live(static_cast<std::int64_t>(bytes));
      cache->count_allocation();
      return hand_out(block, bytes);
    }
  }
  return allocate_slowly(bytes);
}

}  // namespace fluxion
