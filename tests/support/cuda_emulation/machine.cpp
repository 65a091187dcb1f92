// The scheduler of fibers: who waits for whom, and what a wait that can never end is called.
#include "tests/support/cuda_emulation/machine.hpp"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <random>
#include <sys/mman.h>

extern "C" void fluxion_test_switch(void** from, void* to);
#if defined(__x86_64__)
asm(R"(.text
.globl fluxion_test_switch
.type fluxion_test_switch,@function
fluxion_test_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
.size fluxion_test_switch,.-fluxion_test_switch
)");
#endif

namespace fluxion::test {

namespace {

struct Index {
  unsigned x;
};
/// As device.hpp lays it out.
struct Device {
  Index thread, block, grid;
  void (*wait)(const void*);
  void (*wait_warp)(unsigned);
  unsigned long long (*exchange)(unsigned, unsigned long long, unsigned);
  unsigned lane;
};

constexpr std::size_t stack_bytes = 512 * 1024;
constexpr std::size_t all_shared_bytes = 232448;

class Block {
 public:
  Block(Device& device, int threads, void (*function)(void* const*), void* const* arguments)
      : device_(device),
        threads_(static_cast<std::size_t>(threads)),
        function_(function),
        arguments_(arguments) {
    stacks_ = static_cast<char*>(mmap(nullptr,
                                      stack_bytes * threads_.size(),
                                      PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                                      -1,
                                      0));
  }
  ~Block() { munmap(stacks_, stack_bytes * threads_.size()); }
  Block(const Block&) = delete;

  /// `order`: the threads of a warp stand together.
  std::string run(const std::vector<int>& order, bool greedy) {
    current_block = this;
    for (std::size_t k = 0; k < threads_.size(); ++k) start(k);
    live_ = threads_.size();
    while (live_ > 0) {
      if (greedy) {
        for (std::size_t k = 0; k < order.size(); k += 32) run_warp(order, k);
      } else {
        bool more = true;
        while (more) {
          more = false;
          for (int k : order) step(static_cast<std::size_t>(k));
          for (std::size_t w = 0; w < threads_.size(); w += 32) more |= release(w);
        }
      }
      if (live_ == 0) break;
      if (std::string error = release_block(); !error.empty()) return error;
    }
    return "";
  }

 private:
  enum class State { ready, at_block, at_warp, done };
  struct Thread {
    void* stack = nullptr;
    State state = State::ready;
    const void* site = nullptr;
    unsigned mask = 0, turn = 0;
    unsigned long long slots[2] = {0, 0};  // a lane may be one exchange ahead of another, never two
  };

  static void entry() {
    Block& block = *current_block;
    block.function_(block.arguments_);
    block.threads_[block.now_].state = State::done;
    block.leave();
    __builtin_unreachable();
  }
  void start(std::size_t k) {
    auto** top = reinterpret_cast<void**>(stacks_ + stack_bytes * (k + 1));
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(&entry);
    for (int n = 0; n < 6; ++n) *--top = nullptr;
    threads_[k] = {};
    threads_[k].stack = top;
  }
  void leave() { fluxion_test_switch(&threads_[now_].stack, scheduler_); }
  void step(std::size_t k) {
    if (threads_[k].state != State::ready) return;
    now_ = k;
    device_.thread.x = static_cast<unsigned>(k);
    device_.lane = static_cast<unsigned>(k % 32);
    fluxion_test_switch(&scheduler_, threads_[k].stack);
    if (threads_[k].state == State::done) --live_;
  }
  void run_warp(const std::vector<int>& order, std::size_t from) {
    const std::size_t end = std::min(order.size(), from + 32);
    const std::size_t warp = static_cast<std::size_t>(order[from]) / 32 * 32;
    do {
      for (std::size_t k = from; k < end; ++k) step(static_cast<std::size_t>(order[k]));
    } while (release(warp));
  }
  /// Lets the lanes of a warp go on if all that they wait for have come.
  bool release(std::size_t warp) {
    const std::size_t end = std::min(threads_.size(), warp + 32);
    unsigned here = 0, wanted = 0, all = 0;
    for (std::size_t k = warp; k < end; ++k) {
      all |= 1u << (k - warp);
      if (threads_[k].state != State::at_warp) continue;
      here |= 1u << (k - warp);
      wanted |= threads_[k].mask;
    }
    if (here == 0 || here != (wanted & all)) return false;
    for (std::size_t k = warp; k < end; ++k)
      if (threads_[k].state == State::at_warp) threads_[k].state = State::ready;
    return true;
  }
  std::string release_block() {
    const void* site = nullptr;
    for (const Thread& t : threads_) {
      if (t.state == State::at_warp) return "lanes of a warp wait for lanes that never come";
      if (t.state != State::at_block) return "not every thread of the block comes to a barrier";
      if (site && site != t.site) return "threads of the block wait at different barriers";
      site = t.site;
    }
    for (Thread& t : threads_) t.state = State::ready;
    return "";
  }

 public:
  static void wait(const void* site) {
    Thread& t = current_block->threads_[current_block->now_];
    t.state = State::at_block;
    t.site = site;
    current_block->leave();
  }
  static void wait_warp(unsigned mask) {
    Thread& t = current_block->threads_[current_block->now_];
    t.state = State::at_warp;
    t.mask = mask;
    current_block->leave();
  }
  static unsigned long long exchange(unsigned mask, unsigned long long bits, unsigned lane) {
    Block& block = *current_block;
    const std::size_t me = block.now_;
    const unsigned turn = block.threads_[me].turn++ & 1;
    block.threads_[me].slots[turn] = bits;
    wait_warp(mask);
    const std::size_t from = me / 32 * 32 + lane;
    return from < block.threads_.size() ? block.threads_[from].slots[turn] : bits;
  }

 private:
  static Block* current_block;
  Device& device_;
  std::vector<Thread> threads_;
  void (*function_)(void* const*);
  void* const* arguments_;
  char* stacks_ = nullptr;
  void* scheduler_ = nullptr;
  std::size_t now_ = 0, live_ = 0;
};
Block* Block::current_block = nullptr;

std::vector<int> order_of(const EmulatedLaunch& launch) {
  std::vector<int> order;
  const int n = launch.threads;
  for (int k = 0; k < n; ++k) {
    const bool warps_back = launch.order == ThreadOrder::greedy_reverse && n % 32 == 0;
    order.push_back(launch.order == ThreadOrder::reverse ? n - 1 - k
                    : warps_back                         ? ((n - 1 - k) / 32 * 32) + k % 32
                                                         : k);
  }
  if (launch.order == ThreadOrder::shuffled)
    std::shuffle(order.begin(), order.end(), std::mt19937(5));
  return order;
}

}  // namespace

std::string emulate(void* program,
                    const std::string& entry,
                    const EmulatedLaunch& launch,
                    std::int64_t shared_bytes,
                    const std::vector<void*>& arguments) {
  const auto function =
      reinterpret_cast<void (*)(void* const*)>(dlsym(program, ("fx_call_" + entry).c_str()));
  const auto device_place = static_cast<Device**>(dlsym(program, "fx_device"));
  const auto shared = static_cast<unsigned char*>(dlsym(program, "fx_shared"));
  if (!function || !device_place || !shared) return "no function " + entry;
  const auto asked = static_cast<std::size_t>(shared_bytes);
  if (asked > all_shared_bytes) return "a block asks for too much shared memory";
  std::memset(shared + asked, 0xa5, all_shared_bytes - asked);
  Device device{{0},
                {0},
                {static_cast<unsigned>(launch.blocks)},
                &Block::wait,
                &Block::wait_warp,
                &Block::exchange,
                0};
  *device_place = &device;
  const std::vector<int> order = order_of(launch);
  const bool greedy =
      launch.order == ThreadOrder::greedy || launch.order == ThreadOrder::greedy_reverse;
  Block block(device, launch.barriers ? launch.threads : 0, function, arguments.data());
  for (std::int64_t k = 0; k < launch.blocks; ++k) {
    const bool backwards = launch.order == ThreadOrder::reverse;
    device.block.x = static_cast<unsigned>(backwards ? launch.blocks - 1 - k : k);
    std::memset(shared, 0xa5, asked);  // undefined when a block begins
    if (launch.barriers) {
      if (std::string error = block.run(order, greedy); !error.empty()) return entry + ": " + error;
      continue;
    }
    for (int thread : order) {
      device.thread.x = static_cast<unsigned>(thread);
      function(arguments.data());
    }
  }
  for (std::size_t k = asked; k < all_shared_bytes; ++k)
    if (shared[k] != 0xa5) return entry + ": writes beyond its shared memory";
  return "";
}

}  // namespace fluxion::test
