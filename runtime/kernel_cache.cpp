// The table of compiled kernels by structure, and who compiles what.
#include "runtime/kernel_cache.hpp"

#include "runtime/code_key.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/thread_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace fluxion::runtime {
namespace {

using codegen::CompiledKernel;
using detail::Ref;

std::atomic<std::uint64_t> compiled_count{0}, loaded_count{0};

struct Entry {
  kernel::Kernel kernel;
  Ref<CompiledKernel> code;
  std::exception_ptr error;
  bool done = false;
};

class Cache {
 public:
  Ref<CompiledKernel> find_or_compile(const kernel::Kernel& kernel) {
    const std::uint64_t hash = kernel.hash();
    std::unique_lock guard(lock_);
    const auto [from, to] = entries_.equal_range(hash);
    for (auto e = from; e != to; ++e)
      if (same_structure(e->second->kernel, kernel)) return wait(guard, e->second);
    // Programs of ever-changing shapes must not pile up; whoever runs a kernel keeps it alive.
    if (entries_.size() >= most_entries) entries_.clear();
    const auto entry = std::make_shared<Entry>(Entry{kernel, {}, {}, false});
    entries_.emplace(hash, entry);
    guard.unlock();
    Ref<CompiledKernel> code;
    std::exception_ptr error;
    try {
      code = load_or_compile(kernel, process_disk_cache());
    } catch (...) {
      error = std::current_exception();
    }
    guard.lock();
    entry->code = code;
    entry->error = error;
    entry->done = true;
    finished_.notify_all();
    guard.unlock();
    if (error) std::rethrow_exception(error);
    return code;
  }

 private:
  Ref<CompiledKernel> wait(std::unique_lock<std::mutex>& guard, std::shared_ptr<Entry> entry) {
    finished_.wait(guard, [&] { return entry->done; });
    if (entry->error) std::rethrow_exception(entry->error);
    return entry->code;
  }

  static constexpr std::size_t most_entries = 16384;
  std::mutex lock_;
  std::condition_variable finished_;
  std::unordered_multimap<std::uint64_t, std::shared_ptr<Entry>> entries_;
};

Cache& cache() {
  static auto* made = new Cache;  // never destroyed: programs with static lifetime hold its code
  return *made;
}

}  // namespace

std::vector<Ref<CompiledKernel>> compiled(std::span<const kernel::Kernel> kernels) {
  std::vector<Ref<CompiledKernel>> codes(kernels.size());
  parallel_for(
      static_cast<std::int64_t>(kernels.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto k = static_cast<std::size_t>(begin); k < static_cast<std::size_t>(end); ++k)
          codes[k] = cache().find_or_compile(kernels[k]);
      });
  return codes;
}

Ref<CompiledKernel> load_or_compile(const kernel::Kernel& kernel, DiskCache* disk) {
  const std::string key = disk ? code_key(kernel) : "";
  if (!key.empty()) {
    if (const auto bytes = disk->find(key))
      if (const auto image = codegen::unpack(*bytes))
        if (Ref<CompiledKernel> code = codegen::load(kernel, *image)) {
          loaded_count.fetch_add(1, std::memory_order_relaxed);
          return code;
        }
  }
  Ref<CompiledKernel> code = codegen::compile(kernel);
  compiled_count.fetch_add(1, std::memory_order_relaxed);
  if (!key.empty())
    if (const auto image = code->image()) disk->store(key, codegen::pack(*image));
  return code;
}

std::uint64_t compiled_kernels() noexcept { return compiled_count.load(std::memory_order_relaxed); }
std::uint64_t loaded_kernels() noexcept { return loaded_count.load(std::memory_order_relaxed); }

}  // namespace fluxion::runtime
