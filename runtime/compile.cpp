// Programs by structure: an equal graph is compiled once, whoever asks for it and on how many
// threads.
#include "runtime/program.hpp"
#include "runtime/recorder.hpp"
#include "trace/passes.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <mutex>
#include <unordered_map>

#ifdef FLUXION_LLVM
#include "codegen/host.hpp"
#endif

namespace fluxion {
namespace {

using detail::Ref;

/// FLUXION_INTERPRET=1 asks for it; without LLVM, or on a machine that our code does not fit, there
/// is nothing else.
bool interpreting() {
#ifdef FLUXION_LLVM
  static const bool asked = [] {
    const char* word = std::getenv("FLUXION_INTERPRET");
    return (word && *word && *word != '0') || !codegen::host_supported();
  }();
  return asked;
#else
  return true;
#endif
}

#ifdef FLUXION_LLVM
GraphRef optimised(const GraphRef& graph) {
  const runtime::Recorded phase("passes");
  return optimize(graph);
}
#endif

Ref<const Executable> make(const GraphRef& graph) {
  if (interpreting()) return runtime::interpreted_program(graph);
#ifdef FLUXION_LLVM
  Ref<const Executable> program = runtime::native_program(optimised(graph), graph);
  // Beside what the passes write there.
  static const char* const folder = std::getenv("FLUXION_DUMP");
  std::size_t number = passes().size();
  if (folder)
    for (const Stage& stage : program->stages())
      std::ofstream(fmt::format("{}/{:016x}-{:02}-{}", folder, graph->hash(), ++number, stage.name))
          << stage.text;
  return program;
#else
  return {};
#endif
}

struct Entry {
  GraphRef graph;
  Ref<const Executable> program;
  std::exception_ptr error;
  bool done = false;
};

class Programs {
 public:
  Ref<const Executable> find_or_compile(const GraphRef& graph) {
    std::unique_lock guard(lock_);
    const auto [from, to] = entries_.equal_range(graph->hash());
    for (auto e = from; e != to; ++e)
      if (same_program(*e->second->graph, *graph)) return wait(guard, e->second);
    // Programs of ever-changing structure must not pile up; whoever runs one keeps it alive.
    if (entries_.size() >= most_entries) entries_.clear();
    const auto entry = std::make_shared<Entry>(Entry{graph, {}, {}, false});
    entries_.emplace(graph->hash(), entry);
    guard.unlock();
    Ref<const Executable> program;
    std::exception_ptr error;
    try {
      program = make(graph);
      count.fetch_add(1, std::memory_order_relaxed);
    } catch (...) {
      error = std::current_exception();
    }
    guard.lock();
    entry->program = program;
    entry->error = error;
    entry->done = true;
    finished_.notify_all();
    guard.unlock();
    if (error) std::rethrow_exception(error);
    return program;
  }
  std::atomic<std::uint64_t> count{0};

 private:
  Ref<const Executable> wait(std::unique_lock<std::mutex>& guard, std::shared_ptr<Entry> entry) {
    finished_.wait(guard, [&] { return entry->done; });
    if (entry->error) std::rethrow_exception(entry->error);
    return entry->program;
  }

  static constexpr std::size_t most_entries = 4096;
  std::mutex lock_;
  std::condition_variable finished_;
  std::unordered_multimap<std::uint64_t, std::shared_ptr<Entry>> entries_;
};

Programs& programs() {
  static auto* made =
      new Programs;  // never destroyed: arrays with static lifetime may be evaluated
  return *made;
}

}  // namespace

Ref<const Executable> compile(const GraphRef& graph) { return programs().find_or_compile(graph); }

std::uint64_t compiled_programs() noexcept {
  return programs().count.load(std::memory_order_relaxed);
}

}  // namespace fluxion
