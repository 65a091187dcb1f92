// The table of compiled kernels by structure, and who compiles what.
#include "runtime/kernel_cache.hpp"

#include "runtime/code_key.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/recompile.hpp"
#include "runtime/thread_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
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

using EntryRef = std::shared_ptr<Entry>;

/// Fills in code or error: first what the disk has, on this thread, then the rest, on several.
/// `vector_runs`: as in CompileOptions.
void make(std::span<const EntryRef> entries, DiskCache* disk, double vector_runs) {
  std::vector<std::string> keys(entries.size());
  std::vector<std::optional<codegen::CodeImage>> images(entries.size());
  std::vector<codegen::KeptCode> kept;
  std::vector<Entry*> found, missing;
  std::vector<const std::string*> missing_keys;
  for (std::size_t k = 0; k < entries.size(); ++k) {
    if (disk) keys[k] = code_key(entries[k]->kernel);
    if (!keys[k].empty())
      if (const auto bytes = disk->find(keys[k])) images[k] = codegen::unpack(*bytes);
    if (images[k] && images[k]->quick > 0 && quick_code() == 0) images[k].reset();
    if (!images[k]) continue;
    kept.push_back({entries[k]->kernel, *images[k]});
    found.push_back(entries[k].get());
  }
  const std::vector<Ref<CompiledKernel>> loaded = codegen::load(kept);
  for (std::size_t k = 0; k < found.size(); ++k) found[k]->code = loaded[k];
  for (std::size_t k = 0; k < entries.size(); ++k) {
    if (entries[k]->code) continue;
    missing.push_back(entries[k].get());
    missing_keys.push_back(&keys[k]);
  }
  loaded_count.fetch_add(entries.size() - missing.size(), std::memory_order_relaxed);
  const auto compile = [&](Entry& entry, const std::string& key) {
    try {
      entry.code =
          codegen::compile(entry.kernel, {.quick = quick_code(), .vector_runs = vector_runs});
      compiled_count.fetch_add(1, std::memory_order_relaxed);
      if (key.empty() || entry.code->over_vectors()) return;
      if (const auto image = entry.code->image()) disk->store(key, codegen::pack(*image));
    } catch (...) {
      entry.error = std::current_exception();
    }
  };
  if (missing.empty()) return;
  parallel_for(
      static_cast<std::int64_t>(missing.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto k = static_cast<std::size_t>(begin); k < static_cast<std::size_t>(end); ++k)
          compile(*missing[k], *missing_keys[k]);
      });
}

class Cache {
 public:
  std::vector<Ref<CompiledKernel>> find_or_make(std::span<const kernel::Kernel> kernels,
                                                double runs) {
    std::vector<EntryRef> entries, own;
    {
      const std::lock_guard guard(lock_);
      for (const kernel::Kernel& kernel : kernels) {
        EntryRef entry = find(kernel);
        if (!entry) {
          entry = std::make_shared<Entry>(Entry{kernel, {}, {}, false});
          entries_.emplace(kernel.hash(), entry);
          own.push_back(entry);
        }
        entries.push_back(std::move(entry));
      }
    }
    // First one's own, which others may wait for; then those of others.
    if (!own.empty()) {
      std::exception_ptr error;
      try {
        make(own, process_disk_cache(), vectors_first() ? runs : 0);
      } catch (...) {
        error = std::current_exception();
      }
      const std::lock_guard guard(lock_);
      for (const EntryRef& entry : own) {
        if (!entry->code && !entry->error) entry->error = error;
        entry->done = true;
      }
      finished_.notify_all();
    }
    std::vector<Ref<CompiledKernel>> codes;
    std::unique_lock guard(lock_);
    for (const EntryRef& entry : entries) {
      finished_.wait(guard, [&] { return entry->done; });
      if (entry->error) std::rethrow_exception(entry->error);
      codes.push_back(entry->code);
    }
    return codes;
  }

 private:
  EntryRef find(const kernel::Kernel& kernel) {
    const auto [from, to] = entries_.equal_range(kernel.hash());
    for (auto e = from; e != to; ++e)
      if (same_structure(e->second->kernel, kernel)) return e->second;
    // Programs of ever-changing shapes must not pile up; whoever runs a kernel keeps it alive.
    if (entries_.size() >= most_entries) entries_.clear();
    return {};
  }

  static constexpr std::size_t most_entries = 16384;
  std::mutex lock_;
  std::condition_variable finished_;
  std::unordered_multimap<std::uint64_t, EntryRef> entries_;
};

Cache& cache() {
  static auto* made = new Cache;  // never destroyed: programs with static lifetime hold its code
  return *made;
}

}  // namespace

std::vector<Ref<CompiledKernel>> compiled(std::span<const kernel::Kernel> kernels, double runs) {
  return cache().find_or_make(kernels, runs);
}

Ref<CompiledKernel> load_or_compile(const kernel::Kernel& kernel, DiskCache* disk) {
  const auto entry = std::make_shared<Entry>(Entry{kernel, {}, {}, false});
  make({&entry, 1}, disk, 0);
  if (entry->error) std::rethrow_exception(entry->error);
  return entry->code;
}

std::uint64_t compiled_kernels() noexcept { return compiled_count.load(std::memory_order_relaxed); }
std::uint64_t loaded_kernels() noexcept { return loaded_count.load(std::memory_order_relaxed); }

}  // namespace fluxion::runtime
