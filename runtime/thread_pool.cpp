// The workers: job slots that any thread publishes into, chunks claimed by counter, spinning before
// sleeping.
#include "runtime/thread_pool.hpp"

#include "fluxion/devices.hpp"
#include "runtime/recorder.hpp"
#include "trace/error.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <linux/futex.h>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fluxion::runtime {
namespace {

constexpr int most_threads = 1024;
constexpr int slot_count = 64;
constexpr std::int64_t chunks_per_thread = 8;
constexpr auto spin_time = std::chrono::microseconds(60);
constexpr auto join_spin_time = std::chrono::microseconds(20);

void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

using Word = std::atomic<std::uint32_t>;
void futex_wait(Word& word, std::uint32_t expected) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}
void futex_wake(Word& word, int threads) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0);
}

/// Pauses until `done()` or the time is over; true when done. The clock is read seldom: it costs
/// more than a pause.
template <class Done> bool spin_until(std::chrono::nanoseconds time, Done done) {
  const auto end = std::chrono::steady_clock::now() + time;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      pause_processor();
    }
  } while (std::chrono::steady_clock::now() < end);
  return done();
}

thread_local bool inside_job = false;
thread_local int participant_number = 0;
thread_local int preferred_slot = -1;

/// While a thread runs ranges of one job.
class Participation {
 public:
  explicit Participation(int number) : inside_(inside_job), number_(participant_number) {
    inside_job = true;
    participant_number = number;
  }
  ~Participation() {
    inside_job = inside_;
    participant_number = number_;
  }
  Participation(const Participation&) = delete;
  Participation& operator=(const Participation&) = delete;

 private:
  bool inside_;
  int number_;
};

/// The place of one job. Slots are never freed, so a late look at one is harmless: a worker touches
/// the job only between a successful enter() and leave(), and the caller reuses the slot only when
/// nobody is between the two.
class alignas(64) Slot {
 public:
  bool try_occupy() noexcept {
    std::uint32_t expected = 0;
    return state_.load(std::memory_order_relaxed) == 0 &&
           state_.compare_exchange_strong(expected, busy, std::memory_order_acquire);
  }
  void open(RangeFunction f, std::int64_t count, std::int64_t unit, int limit) noexcept {
    function_ = f;
    count_ = count;
    unit_ = unit;
    failure_ = nullptr;
    failed_.store(false, std::memory_order_relaxed);
    limit_.store(limit, std::memory_order_relaxed);
    next_.store(0, std::memory_order_relaxed);
    state_.store(busy | opened, std::memory_order_release);
  }
  int limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  bool enter() noexcept {
    std::uint32_t state = state_.load(std::memory_order_relaxed);
    do {
      if ((state & opened) == 0) return false;
    } while (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire));
    return true;
  }
  void leave() noexcept {
    const std::uint32_t state = state_.fetch_sub(1, std::memory_order_acq_rel) - 1;
    if (state == (busy | awaited)) futex_wake(state_, 1);
  }
  /// Ends the job: nobody enters any more; waits for those inside.
  std::exception_ptr close() noexcept {
    if ((state_.fetch_and(~opened, std::memory_order_acq_rel) & users) != 0) {
      const auto empty = [&] { return (state_.load(std::memory_order_acquire) & users) == 0; };
      if (!spin_until(join_spin_time, empty)) {
        std::uint32_t state = state_.fetch_or(awaited, std::memory_order_acq_rel) | awaited;
        while ((state & users) != 0) {
          futex_wait(state_, state);
          state = state_.load(std::memory_order_acquire);
        }
      }
    }
    std::exception_ptr failure = std::move(failure_);
    failure_ = nullptr;
    state_.store(0, std::memory_order_release);
    return failure;
  }
  /// Claims and runs ranges until none is left.
  void run_ranges() noexcept {
    for (;;) {
      const std::int64_t begin = next_.fetch_add(unit_, std::memory_order_relaxed);
      if (begin >= count_) return;
      try {
        function_(begin, std::min(count_, begin + unit_));
      } catch (...) {
        if (!failed_.exchange(true, std::memory_order_acq_rel)) failure_ = std::current_exception();
        next_.store(count_, std::memory_order_relaxed);
      }
    }
  }
  bool exhausted() const noexcept { return next_.load(std::memory_order_relaxed) >= count_; }

 private:
  static constexpr std::uint32_t busy = 1U << 31, opened = 1U << 30, awaited = 1U << 29,
                                 users = awaited - 1;
  Word state_ = 0;
  std::atomic<int> limit_ = 0;
  RangeFunction function_{nullptr, nullptr};
  std::int64_t count_ = 0, unit_ = 1;
  std::exception_ptr failure_;
  std::atomic<bool> failed_ = false;
  alignas(64) std::atomic<std::int64_t> next_ = 0;
};

int default_threads() {
  if (const char* text = std::getenv("FLUXION_NUM_THREADS"); text != nullptr) {
    char* end = nullptr;
    const long count = std::strtol(text, &end, 10);
    if (end != text && *end == 0 && count >= 1) {
      return static_cast<int>(std::min<long>(count, most_threads));
    }
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = sched_getaffinity(0, sizeof set, &set) == 0
                        ? CPU_COUNT(&set)
                        : static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(count, 1, most_threads);
}

class Pool {
 public:
  static Pool& instance() {
    static Pool* const pool = new Pool;  // outlives every static that may still call
    static const Ending ending(*pool);
    return *pool;
  }

  int threads() const noexcept { return threads_.load(std::memory_order_relaxed); }

  void resize(int count) {
    const std::lock_guard lock(workers_mutex_);
    if (ended_) return;
    threads_.store(count, std::memory_order_relaxed);
    if (started_.load(std::memory_order_relaxed)) {
      stop_workers_from(count - 1);
      start_workers();
    }
  }

  void run(std::int64_t count, std::int64_t grain, RangeFunction f, int threads) {
    if (!started_.load(std::memory_order_acquire)) start();
    Slot* slot = occupy();
    if (slot == nullptr) {
      const Participation participation(0);
      f(0, count);
      return;
    }
    const std::int64_t share = (count - 1) / (threads * chunks_per_thread) + 1;
    const std::int64_t unit = ((share - 1) / grain + 1) * grain;
    slot->open(f, count, unit, threads);
    const std::uint64_t bit = bit_of(*slot);
    open_.fetch_or(bit, std::memory_order_seq_cst);
    wake(std::min<std::int64_t>(threads, (count - 1) / unit + 1) - 1);
    {
      const Participation participation(0);
      slot->run_ranges();
    }
    retract(bit);
    if (const std::exception_ptr failure = slot->close()) std::rethrow_exception(failure);
  }

 private:
  /// Joins the workers when the process or the library goes; later calls run inline.
  struct Ending {
    explicit Ending(Pool& p) : pool(p) {}
    ~Ending() { pool.end(); }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    Pool& pool;
  };

  Pool() : threads_(default_threads()) {
    pthread_atfork([] { instance().workers_mutex_.lock(); },
                   [] { instance().workers_mutex_.unlock(); },
                   [] { instance().forget_workers(); });
  }

  std::uint64_t bit_of(const Slot& slot) const {
    return std::uint64_t{1} << (&slot - slots_.data());
  }

  Slot* occupy() noexcept {
    static std::atomic<int> callers = 0;
    if (preferred_slot < 0) {
      preferred_slot = callers.fetch_add(1, std::memory_order_relaxed) % slot_count;
    }
    for (int i = 0; i < slot_count; ++i) {
      const int number = (preferred_slot + i) % slot_count;
      if (slots_[number].try_occupy()) {
        preferred_slot = number;
        return &slots_[number];
      }
    }
    return nullptr;
  }

  void retract(std::uint64_t bit) noexcept {
    if ((open_.load(std::memory_order_relaxed) & bit) != 0) {
      open_.fetch_and(~bit, std::memory_order_relaxed);
    }
  }

  /// Wakes at most two; a woken worker wakes the next, so that the caller starts its own share at
  /// once.
  void wake(std::int64_t wanted) noexcept {
    const int asleep = sleepers_.load(std::memory_order_seq_cst);
    if (wanted <= 0 || asleep <= 0) return;
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(epoch_, static_cast<int>(std::min<std::int64_t>({wanted, asleep, 2})));
  }

  /// A job that worker `number` may join, or null. Every open job has its caller at work, so of the
  /// workers only those below num_threads - jobs take part: together never more threads than
  /// num_threads run ranges.
  Slot* joinable(int number, std::memory_order order) noexcept {
    const std::uint64_t mask = open_.load(order);
    if (mask == 0 || number >= threads() - std::popcount(mask)) return nullptr;
    std::uint64_t rest = std::rotr(mask, number % slot_count);
    for (; rest != 0; rest &= rest - 1) {
      Slot& slot = slots_[(std::countr_zero(rest) + number) % slot_count];
      if (number + 1 < slot.limit()) return &slot;
    }
    return nullptr;
  }

  void work(int number) noexcept {
    pthread_setname_np(pthread_self(), fmt::format("fluxion {}", number + 1).c_str());
    while (number < wanted_workers_.load(std::memory_order_acquire)) {
      Slot* slot = joinable(number, std::memory_order_acquire);
      if (slot != nullptr) {
        take_part(*slot, number);
        continue;
      }
      const auto something = [&] {
        return joinable(number, std::memory_order_relaxed) != nullptr ||
               number >= wanted_workers_.load(std::memory_order_relaxed);
      };
      if (!spin_until(spin_time, something)) sleep(number);
    }
  }

  void take_part(Slot& slot, int number) noexcept {
    if (!slot.enter()) return pause_processor();
    // The limit may be another job's: read it again now that this one cannot change.
    if (number + 1 < slot.limit()) {
      if (!slot.exhausted()) wake(2);
      const Participation participation(number + 1);
      slot.run_ranges();
      retract(bit_of(slot));
    }
    slot.leave();
  }

  void sleep(int number) noexcept {
    const std::uint32_t ticket = epoch_.load(std::memory_order_seq_cst);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    if (joinable(number, std::memory_order_seq_cst) == nullptr &&
        number < wanted_workers_.load(std::memory_order_seq_cst)) {
      futex_wait(epoch_, ticket);
    }
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

  void start() {
    const std::lock_guard lock(workers_mutex_);
    if (!ended_) start_workers();
    started_.store(true, std::memory_order_release);
  }

  void start_workers() {
    const int wanted = threads() - 1;
    wanted_workers_.store(wanted, std::memory_order_seq_cst);
    try {
      while (static_cast<int>(workers_.size()) < wanted) {
        workers_.emplace_back(&Pool::work, this, static_cast<int>(workers_.size()));
      }
    } catch (const std::system_error&) {
      // The system gives no more threads: those that exist share the work.
    }
  }

  void stop_workers_from(int number) {
    if (static_cast<int>(workers_.size()) <= number) return;
    wanted_workers_.store(number, std::memory_order_seq_cst);
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(epoch_, INT_MAX);
    for (; static_cast<int>(workers_.size()) > number; workers_.pop_back()) {
      if (workers_.back().get_id() == std::this_thread::get_id()) {
        workers_.back().detach();
      } else {
        workers_.back().join();
      }
    }
  }

  void end() {
    const std::lock_guard lock(workers_mutex_);
    ended_ = true;
    threads_.store(1, std::memory_order_relaxed);
    stop_workers_from(0);
  }

  /// In the child of a fork no worker exists; the next parallel_for starts new ones.
  void forget_workers() {
    new std::vector<std::thread>(
        std::move(workers_));  // joinable handles of threads that are gone: never destroyed
    workers_.clear();
    started_.store(false, std::memory_order_relaxed);
    sleepers_.store(0, std::memory_order_relaxed);
    open_.store(0, std::memory_order_relaxed);
    workers_mutex_.unlock();
  }

  alignas(64) std::atomic<std::uint64_t> open_ = 0;  // the slots with unclaimed ranges
  alignas(64) std::atomic<int> sleepers_ = 0;
  Word epoch_ = 0;
  std::atomic<int> threads_;
  std::atomic<int> wanted_workers_ = 0;
  std::atomic<bool> started_ = false;
  alignas(64) std::array<Slot, slot_count> slots_;
  std::mutex workers_mutex_;
  std::vector<std::thread> workers_;
  bool ended_ = false;
};

/// While a step is recorded, every range is a part of it on the thread that runs it.
void run_on(Pool& pool, std::int64_t count, std::int64_t grain, RangeFunction f, int threads) {
  const SliceRef slice = recording() ? Recorded::current() : SliceRef();
  if (!slice) return pool.run(count, grain, f, threads);
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    const Recorded here(slice, begin, end);
    f(begin, end);
  };
  pool.run(count, grain, part, threads);
}

}  // namespace

void parallel_for(std::int64_t count, std::int64_t grain, RangeFunction f, int max_threads) {
  if (count <= 0) return;
  grain = std::max<std::int64_t>(grain, 1);
  if (!inside_job && count > grain) {
    Pool& pool = Pool::instance();
    const int threads = max_threads > 0 ? std::min(max_threads, pool.threads()) : pool.threads();
    if (threads > 1) return run_on(pool, count, grain, f, threads);
  }
  const Participation participation(0);
  f(0, count);
}

int participant() noexcept { return participant_number; }

int num_threads() noexcept { return Pool::instance().threads(); }

void set_num_threads(int count, const Site& site) {
  if (count < 1 || count > most_threads) {
    fail("thread-count",
         site,
         fmt::format("set_num_threads: {} is not between 1 and {}", count, most_threads),
         {},
         "one thread per processor is the default");
  }
  if (inside_job) {
    fail("thread-count",
         site,
         fmt::format("set_num_threads: {} was asked for by a task that the threads are running",
                     count),
         {},
         "change the number of threads outside of computations");
  }
  Pool::instance().resize(count);
}

}  // namespace fluxion::runtime

namespace fluxion {
void set_num_threads(int count, Site site) { runtime::set_num_threads(count, site); }
int num_threads() { return runtime::num_threads(); }
}  // namespace fluxion
