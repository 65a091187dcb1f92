// Node: what an Array points at - a pending operation, a value in memory, a literal, or a value of
// a frame's program.
#pragma once
#include "trace/buffer.hpp"
#include "trace/op.hpp"

#include <atomic>

namespace fluxion {
class Frame;

namespace detail {

class Node {
 public:
  enum class State : std::uint8_t {
    pending,  // an operation that has not run
    running,  // claimed by a cut on some thread
    ready,    // in memory
    failed,   // the cut threw; `error` has what
    traced,   // a value of a frame
  };

  mutable std::atomic<std::int32_t> references{0};
  mutable std::atomic<State> state{State::pending};
  bool literal = false;   // a scalar made from a bare number
  bool repeats = false;   // pending: operands that are literals are repeated to the result's shape;
                          // the program of a cut says so
  std::int32_t uses = 0;  // references held by other nodes; guarded by the lazy graph's lock
  std::int32_t result_index = 0;  // of a projection
  Type type;
  Site site;
  // pending: an operation on operands. An operation with several results is a node that no Array
  // points at, with one projection node for each result (operands = {it}, no op).
  Op op;
  std::vector<Ref<const Node>> operands;
  std::vector<Type> result_types;  // of an operation with several results
  // ready
  Ref<Buffer> buffer;
  std::uint64_t scalar[2] = {};  // a literal's bits
  // traced
  Ref<Frame> frame;
  std::int32_t value = -1;
  // the list of pending nodes, in the order of recording; guarded by the lazy graph's lock
  Node* previous = nullptr;
  Node* next = nullptr;
  mutable std::uint64_t mark = 0;  // scratch of the latest cut that looked at it
  mutable std::int32_t place = 0, edges = 0;
  Ref<Shared> error;  // failed: what the cut threw

  void retain() const noexcept { detail::retain(this); }
  void release() const noexcept { detail::release(this); }
  /// Where the value lies, once ready.
  const void* data() const { return buffer ? buffer->data() : scalar; }
};

struct Access {
  static const Node* node(const Array& a) { return a.node_; }
  static Array make(const Node* n) {
    Array a;
    detail::retain(n);
    a.node_ = n;
    return a;
  }
  /// The first reference to a node that no other thread can know.
  static Array first(Node* n) {
    Array a;
    n->references.store(1, std::memory_order_relaxed);
    a.node_ = n;
    return a;
  }
};

}  // namespace detail
}  // namespace fluxion
