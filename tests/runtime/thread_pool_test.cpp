// What users of the thread pool rely on: coverage, nesting, failures, wake-ups, many callers.
#include "runtime/thread_pool.hpp"

#include "fluxion/core.hpp"
#include "fluxion/devices.hpp"
#include "tests/support/catch.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fx = fluxion;
using fx::runtime::num_threads;
using fx::runtime::parallel_for;
using fx::runtime::participant;
using fx::runtime::set_num_threads;
using std::int64_t;

namespace {

class ThreadCount {
 public:
  explicit ThreadCount(int count) : before_(num_threads()) { set_num_threads(count); }
  ~ThreadCount() { set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

bool wait_for(const std::atomic<int>& value, int wanted) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (value.load() < wanted) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// A sum of all indices through atomics, so that a lost or doubled range changes it.
int64_t parallel_sum(int64_t count, int64_t grain) {
  std::atomic<int64_t> sum = 0;
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    int64_t part = 0;
    for (int64_t i = begin; i < end; ++i) part += i;
    sum += part;
  });
  return sum;
}

}  // namespace

TEST_CASE("parallel_for covers every index exactly once, in ranges that respect the grain") {
  for (const int threads : {1, 2, 3, 8}) {
    const ThreadCount scope(threads);
    for (const int64_t count : {1, 2, 7, 64, 1000, 12345}) {
      for (const int64_t grain : {1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
        std::atomic<bool> aligned = true;
        parallel_for(count, grain, [&](int64_t begin, int64_t end) {
          if (begin % grain != 0 || (end % grain != 0 && end != count) || begin >= end) {
            aligned = false;
          }
          for (int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        CAPTURE(threads, count, grain);
        REQUIRE(aligned);
        for (const auto& v : visits) REQUIRE(v == 1);
      }
    }
  }
}

TEST_CASE("parallel_for does nothing when there is nothing to do") {
  parallel_for(0, 1, [](int64_t, int64_t) { FAIL("called"); });
  parallel_for(-5, 1, [](int64_t, int64_t) { FAIL("called"); });
}

TEST_CASE("a parallel_for inside another is one call on the thread that makes it") {
  const ThreadCount scope(4);
  std::atomic<int> wrong = 0, calls = 0;
  parallel_for(64, 1, [&](int64_t, int64_t) {
    const int outer = participant();
    const auto thread = std::this_thread::get_id();
    parallel_for(1000, 1, [&](int64_t begin, int64_t end) {
      ++calls;
      if (begin != 0 || end != 1000 || std::this_thread::get_id() != thread || participant() != 0) {
        ++wrong;
      }
    });
    if (participant() != outer) ++wrong;
  });
  CHECK(wrong == 0);
  CHECK(calls > 0);
}

TEST_CASE("ranges that run at the same time have different participants") {
  const ThreadCount scope(6);
  for (const int limit : {0, 1, 3}) {
    const int most = limit == 0 ? 6 : limit;
    std::vector<std::atomic<int>> inside(64);
    std::atomic<int> wrong = 0;
    for (int repeat = 0; repeat < 50; ++repeat) {
      parallel_for(
          500,
          1,
          [&](int64_t, int64_t) {
            const int me = participant();
            if (me < 0 || me >= most || inside[static_cast<std::size_t>(me)]++ != 0) ++wrong;
            std::this_thread::yield();
            --inside[static_cast<std::size_t>(me)];
          },
          limit);
    }
    CAPTURE(limit);
    CHECK(wrong == 0);
  }
}

TEST_CASE("an idle worker takes part, whether it spins or sleeps") {
  const ThreadCount scope(2);
  // Each of the two ranges waits for the other: a lost wake-up would never end.
  for (int repeat = 0; repeat < 300; ++repeat) {
    std::this_thread::sleep_for(std::chrono::microseconds(repeat % 3 == 0 ? 500 : repeat % 100));
    std::atomic<int> arrived = 0;
    std::atomic<bool> met = true;
    parallel_for(2, 1, [&](int64_t, int64_t) {
      ++arrived;
      if (!wait_for(arrived, 2)) met = false;
    });
    REQUIRE(met);
  }
}

TEST_CASE("all workers are woken although each wakes at most two others") {
  const ThreadCount scope(9);
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::atomic<int> arrived = 0;
    std::atomic<bool> met = true;
    parallel_for(9, 1, [&](int64_t, int64_t) {
      ++arrived;
      if (!wait_for(arrived, 9)) met = false;
    });
    REQUIRE(met);
  }
}

TEST_CASE("the first exception stops the claiming and is rethrown by the call") {
  const ThreadCount scope(4);
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::atomic<int> running = 0;
    std::string text;
    try {
      parallel_for(1000, 1, [&](int64_t begin, int64_t end) {
        ++running;
        if (begin <= 500 && 500 < end) {
          --running;
          throw std::runtime_error("range with 500");
        }
        --running;
      });
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    REQUIRE(running == 0);
    REQUIRE(text == "range with 500");
    REQUIRE(parallel_sum(1000, 10) == 499500);
  }
}

TEST_CASE("several threads may call at once and each gets its own work done") {
  const ThreadCount scope(3);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> users;
  for (int user = 0; user < 5; ++user) {
    users.emplace_back([&, user] {
      for (int repeat = 0; repeat < 400; ++repeat) {
        const int64_t count = 100 + user * 37 + repeat;
        if (parallel_sum(count, 1 + user) != count * (count - 1) / 2) ++wrong;
      }
    });
  }
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
}

TEST_CASE("more simultaneous callers than job slots still finish") {
  const ThreadCount scope(2);
  std::atomic<int> inside = 0, wrong = 0;
  std::vector<std::thread> users;
  for (int user = 0; user < 80; ++user) {
    users.emplace_back([&] {
      std::atomic<int64_t> covered = 0;
      parallel_for(2, 1, [&](int64_t begin, int64_t end) {
        covered += end - begin;
        // Every caller is inside its loop before any goes on, so all 64 slots are taken.
        if (begin == 0) {
          ++inside;
          if (!wait_for(inside, 80)) ++wrong;
        }
      });
      if (covered != 2) ++wrong;
    });
  }
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
}

TEST_CASE("the number of threads may change while others compute") {
  const ThreadCount scope(2);
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> users;
  for (int user = 0; user < 2; ++user) {
    users.emplace_back([&] {
      while (!stop) {
        if (parallel_sum(300, 1) != 44850) ++wrong;
      }
    });
  }
  for (int repeat = 0; repeat < 40; ++repeat) {
    set_num_threads(1 + repeat % 5);
    CHECK(num_threads() == 1 + repeat % 5);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  stop = true;
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
}

#if !defined(__SANITIZE_THREAD__)
TEST_CASE("a forked child starts workers of its own") {
  const ThreadCount scope(3);
  // All workers have begun, and take no lock any more: AddressSanitizer's locks, unlike malloc's,
  // stay taken in a child.
  std::atomic<int> begun = 0;
  parallel_for(3, 1, [&](int64_t, int64_t) {
    ++begun;
    wait_for(begun, 3);
  });
  REQUIRE(begun == 3);
  const pid_t child = fork();
  if (child == 0) {
    set_num_threads(2);
    std::atomic<int> arrived = 0;
    std::atomic<bool> met = true;
    parallel_for(2, 1, [&](int64_t, int64_t) {
      ++arrived;
      if (!wait_for(arrived, 2)) met = false;
    });
    _exit(met && parallel_sum(1000, 1) == 499500 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif

TEST_CASE("set_num_threads refuses counts that make no sense and calls from inside a task") {
  const int before = num_threads();
  const auto text_of = [](auto&& call) {
    try {
      call();
    } catch (const fx::Error& error) {
      CHECK(error.code() == "thread-count");
      return std::string(error.what());
    }
    return std::string();
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(text_of([] { fx::set_num_threads(0); }),
             Contains("set_num_threads: 0 is not between 1 and 1024"));
  CHECK_THAT(text_of([] { fx::set_num_threads(1025); }), Contains("1025 is not between"));
  std::string inner;
  parallel_for(1, 1, [&](int64_t, int64_t) { inner = text_of([] { fx::set_num_threads(2); }); });
  CHECK_THAT(inner, Contains("by a task that the threads are running"));
  CHECK(fx::num_threads() == before);
}
