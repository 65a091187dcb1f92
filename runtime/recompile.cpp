#include "runtime/recompile.hpp"

#include "runtime/code_key.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/kernel_cache.hpp"
#include "runtime/recorder.hpp"

#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <string_view>
#include <system_error>
#include <thread>

namespace fluxion::runtime {
namespace {

using codegen::CompiledKernel;
using KernelRef = detail::Ref<const CompiledKernel>;

std::atomic<std::uint64_t> recompiled_count{0};

void compile_again(const CompiledKernel& kernel) noexcept {
  try {
    const Recorded phase("compile kernel again");
    const detail::Ref<CompiledKernel> better = kernel.compiled_again();
    kernel.replace_code(better);
    recompiled_count.fetch_add(1, std::memory_order_relaxed);
    DiskCache* disk = process_disk_cache();
    if (!disk) return;
    const std::string key = code_key(kernel.source());
    if (key.empty()) return;
    if (const auto image = better->image()) disk->store(key, codegen::pack(*image));
  } catch (...) {
    return;  // the quick code is as right
  }
}

class Recompiler {
 public:
  static Recompiler& instance() {
    static auto* made = new Recompiler;  // kernels of static lifetime may run at the very end
    // Joins the thread before what it uses is destroyed: all of that is older (LLVM's statics are
    // never destroyed).
    static const Ending ending{*made};
    return *made;
  }

  void add(KernelRef kernel) {
    const std::lock_guard guard(lock_);
    if (ended_) return;
    if (!thread_.joinable() && !start()) return;
    (kernel->has_code() ? waiting_ : waiting_for_code_).push_back(std::move(kernel));
    ++unfinished_;
    changed_.notify_all();
  }

  void finish() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [&] { return unfinished_ == 0 || ended_; });
  }

 private:
  struct Ending {
    explicit Ending(Recompiler& r) : recompiler(r) {}
    ~Ending() { recompiler.end(); }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;
    Recompiler& recompiler;
  };

  // A fork waits for the compilation that runs, so that no lock of LLVM is taken in the child.
  Recompiler() {
    pthread_atfork(
        [] {
          instance().compiling_.lock();
          instance().lock_.lock();
        },
        [] {
          instance().lock_.unlock();
          instance().compiling_.unlock();
        },
        [] { instance().forget_thread(); });
  }

  bool start() {
    try {
      thread_ = std::thread([this] { work(); });
      return true;
    } catch (const std::system_error&) {
      return false;  // the system gives no more threads
    }
  }

  void work() {
    pthread_setname_np(pthread_self(), "fluxion compile");
    for (;;) {
      std::unique_lock guard(lock_);
      changed_.wait(guard, [&] { return ended_ || next_queue(); });
      if (ended_) return;
      guard.unlock();
      {
        const std::lock_guard compiling(compiling_);
        guard.lock();
        std::deque<KernelRef>* const queue = next_queue();
        if (ended_ || !queue) continue;
        const KernelRef kernel = std::move(queue->front());
        queue->pop_front();
        guard.unlock();
        compile_again(*kernel);
      }
      guard.lock();
      --unfinished_;
      changed_.notify_all();
    }
  }

  /// Null: nothing waits.
  std::deque<KernelRef>* next_queue() {
    if (!waiting_for_code_.empty()) return &waiting_for_code_;
    return waiting_.empty() ? nullptr : &waiting_;
  }

  void end() {
    {
      const std::lock_guard guard(lock_);
      ended_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

  /// In the child of a fork: what waits is done by a new thread, with the next that is added.
  void forget_thread() {
    // A handle of a thread that is gone, and what it waited for, are never destroyed.
    new std::thread(std::move(thread_));
    new (&changed_) std::condition_variable;
    unfinished_ = waiting_.size() + waiting_for_code_.size();
    lock_.unlock();
    compiling_.unlock();
  }

  std::mutex compiling_, lock_;
  std::condition_variable changed_;
  std::deque<KernelRef> waiting_, waiting_for_code_;  // the latter comes first
  std::size_t unfinished_ = 0;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace

int quick_code() {
  static const int runs = [] {
    const char* const word = std::getenv("FLUXION_QUICK_CODE");
    if (!word) return -1;
    int number = -1;
    const std::string_view text(word);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number >= 0 ? number : -1;
  }();
  return runs;
}

bool vectors_first() {
  static const bool wanted = [] {
    const char* const word = std::getenv("FLUXION_VECTORS");
    return !word || std::string_view(word) != "0";
  }();
  return wanted && quick_code() != 0;
}

void recompile(const CompiledKernel& kernel) { Recompiler::instance().add(KernelRef(&kernel)); }

void finish_recompiling() { Recompiler::instance().finish(); }

std::uint64_t recompiled_kernels() noexcept {
  return recompiled_count.load(std::memory_order_relaxed);
}

}  // namespace fluxion::runtime
