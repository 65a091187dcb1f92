// How slabs are cut and given back, and which large buffer is reused or forgotten.
#include "runtime/blocks.hpp"

#include "runtime/system_memory.hpp"

#include <algorithm>
#include <memory>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace fluxion::runtime {

constinit Totals totals;

void Totals::add_live(std::int64_t bytes) noexcept {
  const std::int64_t now = live.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::int64_t most = peak.load(std::memory_order_relaxed);
  while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
}

void forbid([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(data, bytes);
#endif
}
void permit([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(data, bytes);
#endif
}

/// Pages cut into blocks of one class. In the list of its class while it has free blocks there.
struct Slab {
  std::byte* memory;
  std::size_t memory_bytes;
  Block* blocks;
  int count, free_count = 0;
  Block* free = nullptr;
  Slab *previous = nullptr, *next = nullptr;
};

namespace {

constexpr std::size_t slab_bytes_for(std::size_t size) {
  return size <= (std::size_t{32} << 10) ? std::size_t{256} << 10 : std::size_t{2} << 20;
}

std::int64_t cached_now() { return totals.cached.load(std::memory_order_relaxed); }
std::int64_t change_cached(std::int64_t bytes) {
  return totals.cached.fetch_add(bytes, std::memory_order_relaxed) + bytes;
}
void change_mapped(std::int64_t bytes) {
  totals.mapped.fetch_add(bytes, std::memory_order_relaxed);
  if (bytes > 0) totals.system_requests.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

Block* SizeClass::take(int number, int wanted) {
  const std::lock_guard lock(mutex_);
  if (slabs_ == nullptr && !make_slab(number)) return nullptr;
  Block* chain = nullptr;
  int taken = 0;
  for (; slabs_ != nullptr && taken < wanted; ++taken) {
    Slab& slab = *slabs_;
    Block* const block = slab.free;
    slab.free = block->next;
    block->next = chain;
    chain = block;
    if (--slab.free_count == 0) unlink(slab);
  }
  change_cached(-taken * static_cast<std::int64_t>(size_of_class(number)));
  return chain;
}

void SizeClass::give(Block* chain, int number, std::size_t limit) noexcept {
  const auto size = static_cast<std::int64_t>(size_of_class(number));
  const std::lock_guard lock(mutex_);
  while (chain != nullptr) {
    Block* const block = chain;
    chain = block->next;
    Slab& slab = *block->slab;
    block->next = slab.free;
    slab.free = block;
    if (slab.free_count++ == 0) link(slab);
    const std::int64_t cached = change_cached(size);
    if (slab.free_count == slab.count && cached > static_cast<std::int64_t>(limit)) release(slab);
  }
}

void SizeClass::release_free_slabs() noexcept {
  const std::lock_guard lock(mutex_);
  for (Slab* slab = slabs_; slab != nullptr;) {
    Slab* const next = slab->next;
    if (slab->free_count == slab->count) release(*slab);
    slab = next;
  }
}

bool SizeClass::make_slab(int number) {
  const std::size_t size = size_of_class(number), bytes = slab_bytes_for(size);
  const auto count = bytes / size;
  auto owner = std::make_unique<Slab>();
  Block* const blocks = std::allocator<Block>().allocate(count);
  auto* const memory = static_cast<std::byte*>(map_pages(bytes));
  if (memory == nullptr) {
    std::allocator<Block>().deallocate(blocks, count);
    return false;
  }
  forbid(memory, bytes);
  Slab& slab = *owner.release();
  slab = {memory, bytes, blocks, static_cast<int>(count), static_cast<int>(count)};
  for (std::size_t i = count; i-- > 0;) {
    Block* const block = new (blocks + i) Block(memory + i * size, &slab, number);
    block->next = slab.free;
    slab.free = block;
  }
  link(slab);
  change_cached(static_cast<std::int64_t>(count * size));
  change_mapped(static_cast<std::int64_t>(bytes));
  return true;
}

void SizeClass::link(Slab& slab) noexcept {
  slab.previous = nullptr;
  slab.next = slabs_;
  if (slabs_ != nullptr) slabs_->previous = &slab;
  slabs_ = &slab;
}

void SizeClass::unlink(Slab& slab) noexcept {
  (slab.previous != nullptr ? slab.previous->next : slabs_) = slab.next;
  if (slab.next != nullptr) slab.next->previous = slab.previous;
}

void SizeClass::release(Slab& slab) noexcept {
  unlink(slab);
  const std::size_t size = size_of_class(slab.blocks[0].size_class);
  change_cached(-slab.count * static_cast<std::int64_t>(size));
  change_mapped(-static_cast<std::int64_t>(slab.memory_bytes));
  permit(slab.memory, slab.memory_bytes);
  unmap_pages(slab.memory, slab.memory_bytes);
  std::allocator<Block>().deallocate(slab.blocks, static_cast<std::size_t>(slab.count));
  delete &slab;
}

LargeBlock* LargeCache::take(std::size_t bytes) {
  const std::size_t unit = bytes < (std::size_t{32} << 20) ? std::size_t{64} << 10 : huge_page;
  if (bytes > std::size_t{1} << 62) return nullptr;
  const std::size_t wanted = (bytes + unit - 1) / unit * unit;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = free_.lower_bound(wanted);
        found != free_.end() && found->first <= wanted + wanted / 4) {
      return unlink(found->second);
    }
  }
  return make_block(wanted);
}

LargeBlock* LargeCache::make_block(std::size_t capacity) {
  LargeBlock::Index index;
  LargeBlock::Index::node_type entry = index.extract(index.emplace(capacity, nullptr));
  LargeBlock* const place = std::allocator<LargeBlock>().allocate(1);
  make_room(capacity);
  void* const data = map_pages(capacity);
  if (data == nullptr) {
    std::allocator<LargeBlock>().deallocate(place, 1);
    return nullptr;
  }
  forbid(data, capacity);
  change_mapped(static_cast<std::int64_t>(capacity));
  auto* const block = new (place) LargeBlock(data, capacity);
  entry.mapped() = block;
  block->entry = std::move(entry);
  return block;
}

/// Before the system would swap or kill, gives back what has been free longest.
void LargeCache::make_room(std::size_t bytes) noexcept {
  if (bytes < (std::size_t{16} << 20) || cached_now() <= 0) return;
  const std::size_t available = available_memory(), wanted = bytes + bytes / 4;
  if (available < wanted) release(wanted - available);
}

void LargeCache::give(LargeBlock* block, std::size_t limit) noexcept {
  const std::lock_guard lock(mutex_);
  change_cached(static_cast<std::int64_t>(block->capacity));
  block->place = free_.insert(std::move(block->entry));
  block->older = newest_;
  block->newer = nullptr;
  (newest_ != nullptr ? newest_->newer : oldest_) = block;
  newest_ = block;
  while (oldest_ != nullptr && cached_now() > static_cast<std::int64_t>(limit)) release_oldest();
}

void LargeCache::release(std::size_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  while (oldest_ != nullptr && bytes > 0) bytes -= std::min(bytes, release_oldest());
}

LargeBlock* LargeCache::unlink(LargeBlock* block) noexcept {
  (block->older != nullptr ? block->older->newer : oldest_) = block->newer;
  (block->newer != nullptr ? block->newer->older : newest_) = block->older;
  block->entry = free_.extract(block->place);
  change_cached(-static_cast<std::int64_t>(block->capacity));
  return block;
}

std::size_t LargeCache::release_oldest() noexcept {
  LargeBlock* const block = unlink(oldest_);
  const std::size_t capacity = block->capacity;
  change_mapped(-static_cast<std::int64_t>(capacity));
  permit(block->data(), capacity);
  unmap_pages(block->data(), capacity);
  block->~LargeBlock();
  std::allocator<LargeBlock>().deallocate(block, 1);
  return capacity;
}

}  // namespace fluxion::runtime
