// The life of nodes: counting, the list of pending operations, destruction without recursion.
#include "trace/node.hpp"

#include "trace/frame.hpp"
#include "trace/lazy.hpp"

namespace fluxion {
namespace detail {

Shared::~Shared() = default;

void retain(const Node* node) noexcept { node->references.fetch_add(1, std::memory_order_relaxed); }

namespace {
thread_local std::vector<Node*>* dying =
    nullptr;  // set while this thread is destroying: deeper releases queue up here
}

void release(const Node* node) noexcept {
  if (node->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  auto* dead = const_cast<Node*>(node);
  if (dying) {
    dying->push_back(dead);
    return;
  }
  std::vector<Node*> queue;
  dying = &queue;
  forget_pending(*dead);
  delete dead;
  while (!queue.empty()) {
    Node* next = queue.back();
    queue.pop_back();
    forget_pending(*next);
    delete next;
  }
  dying = nullptr;
}

}  // namespace detail

bool defined(const Array& a) { return detail::Access::node(a) != nullptr; }

const Type& type_of(const Array& a) { return detail::Access::node(a)->type; }

Array literal_bits(DType dtype, std::uint64_t low, std::uint64_t high, const Site& site) {
  auto* n = new detail::Node;
  n->literal = true;
  n->type.dtype = dtype;
  n->site = site;
  n->scalar[0] = low;
  n->scalar[1] = high;
  n->state.store(detail::Node::State::ready, std::memory_order_release);
  return detail::Access::first(n);
}

Array ready_array(const Type& type, detail::Ref<Buffer> buffer, const Site& site) {
  auto* n = new detail::Node;
  n->type = type;
  n->site = site;
  n->buffer = std::move(buffer);
  n->state.store(detail::Node::State::ready, std::memory_order_release);
  return detail::Access::first(n);
}

}  // namespace fluxion
