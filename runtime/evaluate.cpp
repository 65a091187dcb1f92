// What happens when a value is asked for: cut, find or compile the program, run it, put the results
// into the nodes.
#include "runtime/cut.hpp"
#include "runtime/program.hpp"
#include "runtime/recorder.hpp"
#include "trace/frame.hpp"
#include "trace/lazy.hpp"

#include <condition_variable>
#include <exception>
#include <unordered_map>

namespace fluxion {
namespace {

using detail::Access;
using detail::Node;
using detail::Ref;
using State = Node::State;

std::condition_variable finished;  // with lazy_lock: some cut has ended
std::atomic<std::uint64_t> evaluated{0};

struct StoredError final : detail::Shared {
  explicit StoredError(std::exception_ptr e) : error(std::move(e)) {}
  std::exception_ptr error;
};

/// Programs by the structure of cuts. Guarded by lazy_lock.
class Programs {
 public:
  Ref<const Executable> find(const Cut& cut) const {
    auto [from, to] = entries_.equal_range(cut.hash);
    for (auto e = from; e != to; ++e)
      if (e->second.key == cut.key && same_operations(e->second, cut)) return e->second.program;
    return {};
  }
  void add(const Cut& cut, std::vector<Op> operations, Ref<const Executable> program) {
    if (entries_.size() >= 4096)
      entries_.clear();  // programs of ever-changing structure must not pile up
    entries_.emplace(cut.hash, Entry{cut.key, std::move(operations), std::move(program)});
  }

 private:
  struct Entry {
    std::vector<std::uint64_t> key;
    std::vector<Op> operations;  // keys hold hashes of attributes; these settle it
    Ref<const Executable> program;
  };
  static bool same_operations(const Entry& e, const Cut& cut) {
    for (std::size_t i = 0; i < cut.nodes.size(); ++i)
      if (!(e.operations[i] == cut.nodes[i]->op)) return false;
    return true;
  }
  std::unordered_multimap<std::uint64_t, Entry> entries_;
};
Programs& programs() {
  static auto* table =
      new Programs;  // never destroyed: arrays with static lifetime may still be evaluated
  return *table;
}

void rethrow(const Node& n) {
  std::rethrow_exception(static_cast<const StoredError&>(*n.error).error);
}

/// Results or an error go into the nodes; what they were made from is let go. Returns the
/// references to drop outside the lock.
std::vector<std::vector<Ref<const Node>>> settle(Cut& cut,
                                                 std::span<Ref<Buffer>> results,
                                                 const Ref<detail::Shared>& error) {
  std::vector<std::vector<Ref<const Node>>> dropped;
  for (std::size_t i = 0; i < cut.roots.size(); ++i) {
    if (!error) cut.roots[i]->buffer = std::move(results[i]);
  }
  for (const auto& n : cut.nodes) {
    n->error = error;
    for (const auto& x : n->operands) --const_cast<Node*>(x.raw())->uses;
    dropped.push_back(std::move(n->operands));
    n->operands.clear();
    --n->uses;
    n->state.store(error ? State::failed : State::ready, std::memory_order_release);
  }
  return dropped;
}

/// Other threads' running operations that the cut reads.
void wait_for_leaves(const Cut& cut, std::unique_lock<std::mutex>& guard) {
  for (const auto& leaf : cut.leaves) {
    finished.wait(guard,
                  [&] { return leaf->state.load(std::memory_order_relaxed) != State::running; });
    if (leaf->state.load(std::memory_order_relaxed) == State::failed) rethrow(*leaf);
  }
}

GraphRef recorded_program_of(const Cut& cut) {
  const runtime::Recorded phase("trace");
  return program_of(cut);
}

void run(Cut& cut, std::unique_lock<std::mutex>& guard) {
  const bool checking = runtime::checking_nans();
  Ref<const Executable> program;
  if (!checking) program = programs().find(cut);
  evaluated.fetch_add(cut.nodes.size(), std::memory_order_relaxed);
  std::vector<Ref<Buffer>> results(cut.roots.size());
  Ref<detail::Shared> error;
  try {
    if (!program) {
      const GraphRef graph = recorded_program_of(cut);
      std::vector<Op> operations;
      for (const auto& n : cut.nodes) operations.push_back(n->op);
      guard.unlock();
      program = checking ? runtime::nan_checked_program(graph) : compile(graph);
      guard.lock();
      if (!checking) programs().add(cut, std::move(operations), program);
    }
    wait_for_leaves(cut, guard);
    guard.unlock();
    std::vector<Argument> arguments;
    arguments.reserve(cut.leaves.size());
    for (std::size_t i = 0; i < cut.leaves.size(); ++i) {
      const Node& leaf = *cut.leaves[i];
      // Results of one program may share memory: only its last holder gives it away.
      const bool give =
          cut.last_use[i] && leaf.buffer && !leaf.buffer->borrowed() && leaf.buffer->unique();
      arguments.push_back({leaf.data(), leaf.buffer.raw(), give});
    }
    program->run(arguments, results);
  } catch (...) {
    error = Ref<detail::Shared>(new StoredError(std::current_exception()));
  }
  if (!guard.owns_lock()) guard.lock();
  auto dropped = settle(cut, results, error);
  finished.notify_all();
  guard.unlock();
  dropped.clear();
  cut = Cut();
  guard.lock();
}

}  // namespace

std::uint64_t evaluated_operations() noexcept { return evaluated.load(std::memory_order_relaxed); }

void evaluate(Arrays arrays, const Site& site) {
  const SiteScope here(site);  // memory that runs out belongs to the line that asks for values
  std::unique_lock guard(lazy_lock());
  for (;;) {
    std::vector<Node*> asked;
    const Node* running = nullptr;
    for (const Array& a : arrays) {
      auto* n = const_cast<Node*>(Access::node(a));
      const State state = n->state.load(std::memory_order_relaxed);
      if (state == State::pending)
        asked.push_back(n);
      else if (state == State::running)
        running = n;
    }
    if (!asked.empty()) {
      Cut cut = claim(asked, false);
      run(cut, guard);
    } else if (running) {
      finished.wait(
          guard, [&] { return running->state.load(std::memory_order_relaxed) != State::running; });
    } else {
      break;
    }
  }
  for (const Array& a : arrays)
    if (Access::node(a)->state.load(std::memory_order_relaxed) == State::failed)
      rethrow(*Access::node(a));
}

void flush() {
  std::unique_lock guard(lazy_lock());
  Cut cut = claim({}, true);
  if (!cut.nodes.empty()) run(cut, guard);
}

}  // namespace fluxion
