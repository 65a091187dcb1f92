// What users of the allocator rely on: alignment, separateness, reuse, counters, limits, guard
// pages.
#include "runtime/allocator.hpp"

#include "fluxion/core.hpp"
#include "tests/support/catch.hpp"
#include "trace/buffer.hpp"

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fx = fluxion;
using fx::allocate;
using fx::Buffer;
using fx::runtime::allocate_guarded;
using fx::runtime::allocator_statistics;
using Ref = fx::detail::Ref<Buffer>;
constexpr std::size_t kilobyte = 1024, megabyte = 1024 * kilobyte;

namespace {

std::uintptr_t address(const Ref& buffer) {
  return reinterpret_cast<std::uintptr_t>(buffer->data());
}

class CacheLimit {
 public:
  explicit CacheLimit(std::size_t bytes) : before_(fx::runtime::cache_limit()) {
    fx::runtime::set_cache_limit(bytes);
  }
  ~CacheLimit() { fx::runtime::set_cache_limit(before_); }
  CacheLimit(const CacheLimit&) = delete;
  CacheLimit& operator=(const CacheLimit&) = delete;

 private:
  std::size_t before_;
};

const std::vector<std::size_t> sizes = {0,
                                        1,
                                        63,
                                        64,
                                        65,
                                        511,
                                        512,
                                        513,
                                        1024,
                                        1025,
                                        2048,
                                        2049,
                                        4096,
                                        5000,
                                        9999,
                                        1 << 15,
                                        (1 << 15) + 1,
                                        100000,
                                        megabyte - 1,
                                        megabyte,
                                        megabyte + 1,
                                        5 * megabyte + 3,
                                        33 * megabyte};

}  // namespace

TEST_CASE("buffers are aligned to 512 bytes, those below 512 bytes to 64") {
  for (const std::size_t bytes : sizes) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      std::vector<Ref> several;
      for (int i = 0; i < 3; ++i) several.push_back(allocate(bytes));
      for (const Ref& buffer : several) {
        CAPTURE(bytes);
        REQUIRE(buffer->data() != nullptr);
        REQUIRE(buffer->bytes() == bytes);
        REQUIRE_FALSE(buffer->borrowed());
        REQUIRE(address(buffer) % (bytes < 512 ? 64 : 512) == 0);
      }
    }
  }
}

TEST_CASE("buffers that live at the same time never overlap") {
  std::mt19937 random(7);
  std::vector<std::pair<Ref, unsigned char>> live;
  for (int step = 0; step < 4000; ++step) {
    if (live.size() > 200 || (!live.empty() && random() % 2 == 0)) {
      const std::size_t victim = random() % live.size();
      const auto& [buffer, mark] = live[victim];
      const auto* bytes = static_cast<const unsigned char*>(buffer->data());
      for (std::size_t i = 0; i < buffer->bytes(); i += 61) REQUIRE(bytes[i] == mark);
      if (buffer->bytes() > 0) REQUIRE(bytes[buffer->bytes() - 1] == mark);
      std::swap(live[victim], live.back());
      live.pop_back();
    } else {
      const std::size_t bytes = random() % (std::size_t{1} << (random() % 22));
      const auto mark = static_cast<unsigned char>(step);
      live.emplace_back(allocate(bytes), mark);
      std::memset(live.back().first->data(), mark, bytes);
    }
  }
}

TEST_CASE("memory of a dropped buffer is used again, without asking the system") {
  for (const std::size_t bytes :
       {std::size_t{100}, 4 * kilobyte, 300 * kilobyte, 3 * megabyte, 40 * megabyte}) {
    const std::uintptr_t first = address(allocate(bytes));
    const auto requests = allocator_statistics().system_requests;
    for (int i = 0; i < 100; ++i) CHECK(address(allocate(bytes)) == first);
    CHECK(allocator_statistics().system_requests == requests);
  }
}

TEST_CASE("a large buffer is reused for a somewhat smaller one, not for a much smaller one") {
  fx::runtime::release_cached_memory();
  const std::uintptr_t first = address(allocate(10 * megabyte));
  {
    const Ref much_smaller = allocate(7 * megabyte);
    CHECK(address(much_smaller) != first);
    CHECK(address(allocate(9 * megabyte)) == first);
  }
}

TEST_CASE("live, peak and allocations count what was asked for") {
  fx::runtime::reset_peak();
  const auto before = allocator_statistics();
  {
    const Ref a = allocate(10 * megabyte), b = allocate(1000), c = allocate(700 * kilobyte);
    const auto now = allocator_statistics();
    CHECK(now.live - before.live == 10 * megabyte + 1000 + 700 * kilobyte);
    CHECK(now.allocations - before.allocations == 3);
  }
  const auto after = allocator_statistics();
  CHECK(after.live == before.live);
  CHECK(after.peak >= before.live + 10 * megabyte + 700 * kilobyte);
  CHECK(after.peak <= before.live + 10 * megabyte + 1000 + 700 * kilobyte);
  CHECK(after.cached >= 10 * megabyte);
  CHECK(after.mapped >= after.cached);
}

TEST_CASE("no more than the limit is kept, the buffer that was free longest goes first") {
  fx::runtime::release_cached_memory();
  {
    const CacheLimit limit(25 * megabyte);
    Ref a = allocate(10 * megabyte), b = allocate(10 * megabyte), c = allocate(10 * megabyte);
    const std::uintptr_t b_address = address(b), c_address = address(c);
    const std::size_t mapped = allocator_statistics().mapped;
    a = Ref();
    b = Ref();
    CHECK(allocator_statistics().mapped == mapped);
    c = Ref();
    CHECK(allocator_statistics().mapped == mapped - 10 * megabyte);
    const std::set<std::uintptr_t> kept = {address(allocate(10 * megabyte)),
                                           address(allocate(10 * megabyte))};
    for (const std::uintptr_t k : kept) CHECK((k == b_address || k == c_address));
  }
  {
    const CacheLimit limit(0);
    std::vector<Ref> many;
    const std::size_t mapped = allocator_statistics().mapped;
    for (int i = 0; i < 3000; ++i) many.push_back(allocate(8 * kilobyte));
    CHECK(allocator_statistics().mapped >= mapped + 3000 * 8 * kilobyte);
    many.clear();
    // What a thread keeps for itself may hold a few slabs of 256 KB.
    CHECK(allocator_statistics().mapped <= mapped + 32 * 256 * kilobyte);
  }
}

TEST_CASE("release_cached_memory gives everything back that is free") {
  std::vector<Ref> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(allocate(100 * kilobyte));
    many.push_back(allocate(2 * megabyte));
  }
  many.clear();
  fx::runtime::release_cached_memory();
  const auto now = allocator_statistics();
  // Slabs with a living block stay; this thread's test framework holds none.
  CHECK(now.cached <= 2 * megabyte * 8);
  CHECK(now.mapped <= now.live + now.cached + 2 * megabyte * 8);
}

TEST_CASE("buffers may be dropped by another thread than the one that made them") {
  const auto before = allocator_statistics();
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::vector<Ref> made(500);
    std::thread maker([&] {
      for (std::size_t i = 0; i < made.size(); ++i) {
        made[i] = allocate(64 + i * 37);
        std::memset(made[i]->data(), 1, made[i]->bytes());
      }
    });
    maker.join();
    std::thread dropper([&] { made.clear(); });
    dropper.join();
  }
  const auto after = allocator_statistics();
  CHECK(after.live == before.live);
  CHECK(after.mapped <= before.mapped + 64 * megabyte);
}

TEST_CASE("many threads allocate and drop at the same time") {
  const auto before = allocator_statistics();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      std::vector<Ref> live;
      for (int step = 0; step < 5000; ++step) {
        if (live.size() > 50 || (!live.empty() && random() % 2 == 0)) {
          const auto& buffer = live.back();
          if (buffer->bytes() >= 4) {
            unsigned value = 0;
            std::memcpy(&value, buffer->data(), 4);
            if (value != seed) ++wrong;
          }
          live.pop_back();
        } else {
          live.push_back(allocate(random() % (std::size_t{1} << (random() % 23))));
          if (live.back()->bytes() >= 4) std::memcpy(live.back()->data(), &seed, 4);
        }
        if (step % 500 == 0) (void)allocator_statistics();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(allocator_statistics().live == before.live);
}

TEST_CASE("what the system cannot give is an error that says how much was asked for") {
  for (const std::size_t bytes : {std::size_t{1} << 50, ~std::size_t{0} - 5}) {
    std::string text, code;
    try {
      allocate(bytes);
    } catch (const fx::Error& error) {
      text = error.what();
      code = error.code();
    }
    CHECK(code == "out-of-memory");
    CHECK_THAT(text, Catch::Matchers::Contains(std::to_string(bytes)));
  }
  CHECK(allocate(100)->bytes() == 100);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {
sigjmp_buf back;
void jump_back(int) { siglongjmp(back, 1); }

bool faults(volatile char* place, bool write) {
  struct sigaction action = {}, before_segv = {}, before_bus = {};
  action.sa_handler = jump_back;
  sigaction(SIGSEGV, &action, &before_segv);
  sigaction(SIGBUS, &action, &before_bus);
  volatile bool fault = true;
  if (sigsetjmp(back, 1) == 0) {
    if (write) {
      *place = 1;
    } else {
      (void)*place;
    }
    fault = false;
  }
  sigaction(SIGSEGV, &before_segv, nullptr);
  sigaction(SIGBUS, &before_bus, nullptr);
  return fault;
}
}  // namespace

TEST_CASE("a guarded buffer ends at a page that nobody may touch") {
  for (const std::size_t bytes : {1U, 4U, 12U, 100U, 4096U, 10000U}) {
    for (const std::size_t alignment : {1U, 4U, 64U}) {
      CAPTURE(bytes, alignment);
      const Ref buffer = allocate_guarded(bytes, alignment);
      auto* const data = static_cast<volatile char*>(buffer->data());
      const std::size_t end = (bytes + alignment - 1) / alignment * alignment;
      CHECK(address(buffer) % alignment == 0);
      CHECK(static_cast<unsigned char>(data[0]) == 0xA5);
      CHECK_FALSE(faults(data + bytes - 1, true));
      CHECK(faults(data + end, false));
      CHECK(faults(data + end, true));
      CHECK(faults(data - 4096 - 64, false));
    }
  }
}

TEST_CASE("guarded allocation turns every allocate into a guarded one") {
  fx::runtime::set_guarded_allocation(4);
  const Ref buffer = allocate(40);
  fx::runtime::set_guarded_allocation(0);
  const Ref ordinary = allocate(40);
  CHECK(faults(static_cast<volatile char*>(buffer->data()) + 40, false));
  CHECK_FALSE(faults(static_cast<volatile char*>(ordinary->data()) + 40, false));
}
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
TEST_CASE("AddressSanitizer refuses memory of dropped buffers and beyond the end of living ones") {
  for (const std::size_t bytes : {std::size_t{40}, 3000 * kilobyte}) {
    Ref buffer = allocate(bytes);
    auto* const data = static_cast<char*>(buffer->data());
    CHECK_FALSE(__asan_address_is_poisoned(data + bytes - 1));
    CHECK(__asan_address_is_poisoned(data + bytes));
    buffer = Ref();
    CHECK(__asan_address_is_poisoned(data));
  }
}
#endif
