// Which nodes a cut takes, and the program that they are.
#include "runtime/cut.hpp"

#include "trace/lazy.hpp"
#include "trace/ops/broadcast_in_dim.hpp"
#include "trace/ops/constant.hpp"
#include "trace/rewrite.hpp"

#include <cmath>

namespace fluxion {
namespace {

using detail::Node;
using detail::Ref;
using State = Node::State;

bool pending(const Node& n) { return n.state.load(std::memory_order_relaxed) == State::pending; }
/// Somebody other than recorded nodes holds it.
bool held(const Node& n) { return n.references.load(std::memory_order_relaxed) > n.uses; }

/// A literal that stays a constant of the program; others are inputs, so that changing a learning
/// rate compiles nothing.
bool stays_constant(const Node& n) {
  if (!n.literal) return false;
  if (is_complex(n.type.dtype)) return n.scalar[0] == 0 && n.scalar[1] == 0;
  const double v = ops::Constant{n.type.dtype, n.scalar[0], n.scalar[1]}.value();
  return n.type.dtype == bool_ || v == 0 || v == 1 || v == -1 || v == 2 || v == 0.5 || v != v ||
         std::isinf(v);
}

/// Two marks for one look at the graph: nodes that the cut needs, and nodes that read one of those.
struct Marks {
  std::uint64_t needed, touched;
  std::vector<Node*> stack;

  void need(Node& n) {
    if (n.mark == needed) return;
    n.mark = needed;
    stack.push_back(&n);
    while (!stack.empty()) {
      Node* at = stack.back();
      stack.pop_back();
      for (const auto& x : at->operands) {
        auto* operand = const_cast<Node*>(x.raw());
        if (!pending(*operand) || operand->mark == needed) continue;
        operand->mark = needed;
        stack.push_back(operand);
      }
    }
  }
  bool reads_marked(const Node& n) const {
    for (const auto& x : n.operands)
      if (pending(*x) && (x->mark == needed || x->mark == touched)) return true;
    return false;
  }
};

void mark_related(Marks& marks, bool everything) {
  for (bool again = true; again;) {
    again = false;
    for (Node* n = first_pending(); n; n = n->next) {
      if (n->mark == marks.needed) continue;
      if (!everything && !marks.reads_marked(*n)) continue;
      n->mark = marks.touched;
      if (!held(*n)) continue;
      marks.need(*n);
      again = true;
    }
  }
}

/// A reference, unless the node is dying.
bool take(std::vector<Ref<Node>>& to, Node& n) {
  std::int32_t count = n.references.load(std::memory_order_relaxed);
  while (count > 0 &&
         !n.references.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) {
  }
  if (count <= 0) return false;
  to.emplace_back(&n);
  detail::release(&n);  // the one taken above; never the last
  return true;
}

/// Whether x is one of the cut's own operations.
bool inside(const Cut& cut, const Node& x, std::uint64_t mark) {
  return x.mark == mark && static_cast<std::size_t>(x.place) < cut.nodes.size() &&
         cut.nodes[static_cast<std::size_t>(x.place)].raw() == &x;
}

constexpr std::uint64_t constant_word = 0x436f6e7374616e74u, projection_word = 0x50726f6a65637473u;

/// Writes the key while it numbers the leaves and finds the roots.
class Description {
 public:
  Description(Cut& cut, std::uint64_t mark) : cut_(cut), mark_(mark) {}

  void run() {
    for (std::size_t i = 0; i < cut_.nodes.size(); ++i) {
      cut_.nodes[i]->mark = mark_;
      cut_.nodes[i]->place = static_cast<std::int32_t>(i);
    }
    for (const auto& n : cut_.nodes) {
      word(n->op ? n->op.hash() : projection_word + static_cast<std::uint64_t>(n->result_index));
      for (const auto& x : n->operands) operand(*x);
      const bool root = held(*n) && n->result_types.empty();
      word(root);
      if (root) cut_.roots.push_back(n.raw());
    }
    for (const auto& leaf : cut_.leaves)
      cut_.last_use.push_back(!leaf->literal &&
                              leaf->references.load(std::memory_order_acquire) == leaf->edges + 1);
  }

 private:
  void word(std::uint64_t w) {
    cut_.key.push_back(w);
    cut_.hash = mix(cut_.hash, w);
  }
  void operand(const Node& x) {
    if (inside(cut_, x, mark_)) return word(static_cast<std::uint64_t>(x.place) * 2);
    if (stays_constant(x)) {
      word(constant_word + static_cast<std::uint64_t>(x.type.dtype));
      return word(x.scalar[0]);
    }
    if (x.mark != mark_) {
      x.mark = mark_;
      x.place = static_cast<std::int32_t>(cut_.leaves.size());
      x.edges = 0;
      cut_.leaves.emplace_back(&x);
      word(static_cast<std::uint64_t>(x.type.dtype) << 32 | x.type.shape.size());
      for (std::int64_t size : x.type.shape) word(static_cast<std::uint64_t>(size));
    }
    ++x.edges;
    word(static_cast<std::uint64_t>(x.place) * 2 + 1);
  }

  Cut& cut_;
  std::uint64_t mark_;
};

}  // namespace

Cut claim(std::span<Node* const> asked, bool everything) {
  static std::uint64_t last_mark = 0;
  Marks marks{last_mark + 1, last_mark + 2, {}};
  last_mark += 3;
  for (Node* n : asked) marks.need(*n);
  mark_related(marks, everything);
  Cut cut;
  for (Node *n = first_pending(), *next; n; n = next) {
    next = n->next;
    if (n->mark != marks.needed || !take(cut.nodes, *n)) continue;
    ++n->uses;  // the cut's own reference is nobody's handle
    n->state.store(State::running, std::memory_order_relaxed);
    unlink_pending(*n);
  }
  cut.mark = last_mark;
  Description(cut, last_mark).run();
  return cut;
}

GraphRef program_of(const Cut& cut) {
  GraphBuilder builder;
  for (const auto& leaf : cut.leaves) builder.input(leaf->type);
  std::vector<ValueId> values;  // of node i: its (first) result
  std::vector<ValueId> outputs;
  std::size_t next_root = 0;
  for (const auto& n : cut.nodes) {
    std::vector<ValueId> operands;
    for (const auto& x : n->operands) {
      if (inside(cut, *x, cut.mark))
        operands.push_back(values[static_cast<std::size_t>(x->place)]);
      else if (stays_constant(*x))
        operands.push_back(
            builder.add(ops::Constant{x->type.dtype, x->scalar[0], x->scalar[1]}, {}, x->site));
      else
        operands.push_back(x->place);
      if (n->repeats && x->literal && x->type.shape.empty() && !n->type.shape.empty()) {
        const Type repeated{n->type.shape, x->type.dtype};
        operands.back() = builder.add(ops::repeated_scalar(repeated.shape),
                                      {operands.back()},
                                      TypeList(&repeated, 1),
                                      n->site);
      }
    }
    if (!n->op)
      values.push_back(operands[0] + n->result_index);
    else
      values.push_back(
          builder.add(n->op,
                      std::move(operands),
                      n->result_types.empty() ? TypeList(&n->type, 1) : TypeList(n->result_types),
                      n->site));
    if (next_root < cut.roots.size() && cut.roots[next_root] == n.raw()) {
      outputs.push_back(values.back());
      ++next_root;
    }
  }
  return stabilize(builder.finish(std::move(outputs)));
}

}  // namespace fluxion
