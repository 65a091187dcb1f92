// Recording outside frames: a node per operation on the pending list, flushed where the program
// repeats itself.
#include "trace/lazy.hpp"

#include "trace/frame.hpp"

#include <memory>

namespace fluxion {
namespace {

std::mutex lock;
detail::Node* head = nullptr;
detail::Node* tail = nullptr;
std::size_t count = 0;
// The operation that the current stretch of recording began with: coming back to it is a
// repetition.
Site stretch_site;
std::string_view stretch_name;
std::size_t stretch_length = 0;

bool same_place(const Site& a, const Site& b) {
  return a.line() == b.line() && a.column() == b.column() && a.file_name() == b.file_name();
}

void link(detail::Node& n) {
  n.previous = tail;
  (tail ? tail->next : head) = &n;
  tail = &n;
  ++count;
}

detail::Node* make_node(Type type, const Site& site) {
  auto* n = new detail::Node;
  n->type = std::move(type);
  n->site = site;
  return n;
}

void set_operands(detail::Node& n, Arrays operands) {
  n.operands.reserve(operands.size());
  for (const Array& x : operands) n.operands.emplace_back(detail::Access::node(x));
}

void count_uses(const detail::Node& n) {
  for (const auto& x : n.operands) ++const_cast<detail::Node*>(x.raw())->uses;
}

bool time_to_flush(const Op& op, const Site& site) {
  if (count >= most_pending) return true;
  // A program that does not come back to where it began within `enough_pending` operations has
  // moved on: look for repetitions of where it is now.
  if (stretch_length == 0 || stretch_length > 2 * enough_pending) {
    stretch_site = site;
    stretch_name = op.name();
    stretch_length = 0;
  }
  ++stretch_length;
  return count >= enough_pending && stretch_length > 1 && same_place(site, stretch_site) &&
         op.name() == stretch_name;
}

}  // namespace

std::mutex& lazy_lock() noexcept { return lock; }
detail::Node* first_pending() noexcept { return head; }
std::size_t pending_count() noexcept { return count; }

void unlink_pending(detail::Node& n) noexcept {
  (n.previous ? n.previous->next : head) = n.next;
  (n.next ? n.next->previous : tail) = n.previous;
  n.previous = n.next = nullptr;
  --count;
}

void detail::forget_pending(Node& n) noexcept {
  if (n.operands.empty() && n.state.load(std::memory_order_acquire) != Node::State::pending) return;
  std::lock_guard guard(lock);
  if (n.state.load(std::memory_order_relaxed) == Node::State::pending) unlink_pending(n);
  for (const auto& x : n.operands) --const_cast<Node*>(x.raw())->uses;
}

namespace {

/// Under the lock: runs what is pending where that is due.
void flush_in_time(std::unique_lock<std::mutex>& guard, const Op& op, const Site& site) {
  if (!time_to_flush(op, site)) return;
  stretch_length = 0;
  guard.unlock();
  flush();
  guard.lock();
}

}  // namespace

Array record_lazily(const Op& op, Arrays operands, Type result, const Site& site, bool repeats) {
  std::unique_ptr<detail::Node> n(make_node(std::move(result), site));
  n->op = op;
  n->repeats = repeats;
  set_operands(*n, operands);
  std::unique_lock guard(lock);
  flush_in_time(guard, op, site);
  count_uses(*n);
  link(*n);
  return detail::Access::make(n.release());
}

ArrayList record_lazily(const Op& op, Arrays operands, Types results, const Site& site) {
  ArrayList out;
  if (results.size() == 1) {
    out.push_back(record_lazily(op, operands, std::move(results[0]), site));
    return out;
  }
  {
    std::unique_lock guard(lock);
    flush_in_time(guard, op, site);
  }
  detail::Node* all = make_node(Type(), site);
  all->op = op;
  all->result_types = results;
  set_operands(*all, operands);
  const detail::Ref<const detail::Node> held(all);
  for (std::size_t i = 0; i < results.size(); ++i) {
    detail::Node* n = make_node(std::move(results[i]), site);
    n->operands.push_back(held);
    n->result_index = static_cast<std::int32_t>(i);
    out.push_back(detail::Access::make(n));
  }
  std::lock_guard guard(lock);
  count_uses(*all);
  link(*all);
  for (const Array& a : out) {
    auto* n = const_cast<detail::Node*>(detail::Access::node(a));
    count_uses(*n);
    link(*n);
  }
  return out;
}

}  // namespace fluxion
