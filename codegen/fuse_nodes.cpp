// Nodes of fusion: founding, merging, reachability, and their order at the end.
#include "codegen/fuse_nodes.hpp"

#include <queue>
#include <tuple>
#include <utility>

namespace fluxion::codegen {
namespace {

constexpr std::size_t most_visits = 2000;  // of a search; beyond that the answer is the safe one

}  // namespace

int Fusion::found(std::int32_t i, Cut::Kind kind) {
  Node node;
  node.kind = kind;
  node.count = count_of(i);
  node.shape = type_of_result(i).shape;
  nodes_.push_back(std::move(node));
  const int n = static_cast<int>(nodes_.size()) - 1;
  evaluate_in(i, n, {Path{0, static_cast<double>(count_of(i))}});
  return n;
}

void Fusion::evaluate_in(std::int32_t i, int n, const Paths& paths) {
  Node& node = nodes_[static_cast<std::size_t>(n)];
  node.evaluated[i] = paths;
  where_[static_cast<std::size_t>(i)].insert(n);
  if (node.kind != Cut::Kind::kernel) return;
  node.instructions += facts(i).instructions;
  if (operation(i).op.structured()) {
    ++node.structured;
    node.general = !facts(i).whole;
    node.in_place = operation(i).op.in_place();
    node.updater = i;
    node.lanes = facts(i).lanes;
    node.shape = type_of_result(i).shape;
  } else if (facts(i).parts_axis >= 0 && node.structured == 0 && node.joint < 0 &&
             node.count == count_of(i) && at_own_place(paths)) {
    node.joint = i;
  }
}

void Fusion::store_in(std::int32_t i, int n, const Demand& demand) {
  Node& node = nodes_[static_cast<std::size_t>(n)];
  const Operation& o = operation(i);
  for (std::int32_t k = 0; k < o.result_count; ++k) node.outputs.insert(o.first_result + k);
  for (const auto& [reader, paths] : demand.by_node)
    if (reader != n) node.readers.insert(reader);
  for (int reader : demand.memory) node.readers.insert(reader);
}

/// Whether the node changes the operand where it lies.
bool Fusion::updates(const Node& node, std::int32_t i, std::size_t operand) const {
  return node.updater == i &&
         std::any_of(node.in_place.begin(), node.in_place.end(), [&](InPlace p) {
           return static_cast<std::size_t>(p.operand) == operand;
         });
}

FlatSet<ValueId> Fusion::updated_by(const Node& node) const {
  FlatSet<ValueId> values;
  for (const InPlace& p : node.in_place)
    values.insert(operation(node.updater).operands[static_cast<std::size_t>(p.operand)]);
  return values;
}

/// What changes a value runs after what reads it, where the order is free: then nothing is copied.
void Fusion::update_last() {
  std::map<ValueId, std::vector<int>> readers;
  bool any = false;
  for (const Node& node : nodes_) any = any || (node.alive && !node.in_place.empty());
  if (!any) return;
  for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
    const Node& node = nodes_[static_cast<std::size_t>(n)];
    if (!node.alive) continue;
    FlatSet<ValueId> read = inputs_of(node);
    read.merge(updated_by(node));
    for (ValueId v : read) readers[v].push_back(n);
  }
  for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
    if (!nodes_[static_cast<std::size_t>(n)].alive) continue;
    for (ValueId v : updated_by(nodes_[static_cast<std::size_t>(n)]))
      for (int reader : readers[v])
        if (reader != n && !reaches(n, reader, false))
          nodes_[static_cast<std::size_t>(reader)].readers.insert(n);
  }
}

/// Whether a chain of reads leads from one node to another; `through_others`: over a third node.
bool Fusion::reaches(int from, int to, bool through_others) {
  seen_.resize(nodes_.size());
  const std::uint32_t search = ++searches_;
  seen_[static_cast<std::size_t>(from)] = search;
  std::size_t visits = 0;
  std::vector<int> stack;
  for (int n : nodes_[static_cast<std::size_t>(from)].readers)
    if (!through_others || n != to) stack.push_back(n);
  while (!stack.empty()) {
    const int n = stack.back();
    stack.pop_back();
    if (n == to) return true;
    if (std::exchange(seen_[static_cast<std::size_t>(n)], search) == search) continue;
    if (++visits > most_visits) return true;  // too far to tell
    for (int next : nodes_[static_cast<std::size_t>(n)].readers) stack.push_back(next);
  }
  return false;
}

/// Two kernels over the same elements that can run as one.
bool Fusion::may_merge(int a, int b) {
  const Node &x = nodes_[static_cast<std::size_t>(a)], &y = nodes_[static_cast<std::size_t>(b)];
  if (x.kind != Cut::Kind::kernel || y.kind != Cut::Kind::kernel || x.general || y.general ||
      x.count != y.count)
    return false;
  if ((x.joint >= 0 && (y.joint >= 0 || y.structured)) || (y.joint >= 0 && x.structured))
    return false;
  if (x.structured && y.structured && !(x.shape == y.shape && x.lanes == y.lanes)) return false;
  if (x.structured + y.structured > most_structured) return false;
  if (x.instructions + y.instructions > most_instructions ||
      buffers_of(x) + buffers_of(y) > most_buffers)
    return false;
  // What one reads of the other's outputs must be at its own place: then it stays in registers.
  for (const auto& [from, to] : {std::pair{&x, &y}, std::pair{&y, &x}}) {
    for (const auto& [i, paths] : to->evaluated) {
      const Operation& o = operation(i);
      for (std::size_t k = 0; k < o.operands.size(); ++k) {
        if (!from->outputs.contains(o.operands[k])) continue;
        if (!facts(i).operands[k].same_place) return false;
        for (const Path& path : paths)
          if (path.reads != 0) return false;
      }
    }
  }
  return !reaches(a, b, true) && !reaches(b, a, true);
}

/// What evaluates and stores what either does.
Node Fusion::united(const Node& a, const Node& b) {
  Node node = a;
  for (const auto& [i, paths] : b.evaluated) {
    Paths& into = node.evaluated[i];
    if (into.empty()) node.instructions += facts(i).instructions;
    for (const Path& path : paths)
      if (std::find(into.begin(), into.end(), path) == into.end()) into.push_back(path);
  }
  if (b.structured) {
    node.shape = b.shape;
    node.lanes = b.lanes;
  }
  node.structured += b.structured;
  if (b.joint >= 0) node.joint = b.joint;
  node.outputs.insert(b.outputs.begin(), b.outputs.end());
  node.readers.insert(b.readers.begin(), b.readers.end());
  return node;
}

int Fusion::merge(int a, int b) {
  replace(a, b, united(nodes_[static_cast<std::size_t>(a)], nodes_[static_cast<std::size_t>(b)]));
  return a;
}

/// Node a becomes `both`, which stands for b too.
void Fusion::replace(int a, int b, Node both) {
  Node &x = nodes_[static_cast<std::size_t>(a)], &y = nodes_[static_cast<std::size_t>(b)];
  for (const auto& [i, paths] : y.evaluated) {
    where_[static_cast<std::size_t>(i)].erase(b);
    where_[static_cast<std::size_t>(i)].insert(a);
  }
  x = std::move(both);
  x.readers.erase(a);
  x.readers.erase(b);
  y = Node();
  y.alive = false;
  for (Node& node : nodes_)
    if (node.readers.erase(b) && &node != &x) node.readers.insert(a);
}

FlatSet<ValueId> Fusion::inputs_of(const Node& node) const {
  std::vector<ValueId> inputs;
  inputs.reserve(2 * node.evaluated.size());
  for (const auto& [i, paths] : node.evaluated) {
    const Operation& o = operation(i);
    for (std::size_t k = 0; k < o.operands.size(); ++k) {
      const ValueId v = o.operands[k];
      const std::int32_t maker = makers_[static_cast<std::size_t>(v)];
      if ((maker < 0 || !node.evaluated.contains(maker)) && !updates(node, i, k))
        inputs.push_back(v);
    }
  }
  return FlatSet<ValueId>(std::move(inputs));
}

std::size_t Fusion::buffers_of(const Node& node) const {
  return inputs_of(node).size() + node.outputs.size();
}

/// The shape that most pointwise operations know their indices in.
Shape Fusion::domain_of(const Node& node) {
  if (node.structured > 0) return node.shape;
  if (node.joint >= 0) return type_of_result(node.joint).shape;
  for (const auto& [i, paths] : node.evaluated)
    if (!facts(i).flat && count_of(i) == node.count && at_own_place(paths))
      return type_of_result(i).shape;
  return node.shape;
}

bool Fusion::reads_at_own_place(const Node& node, ValueId v) {
  if (node.general) return false;
  for (const auto& [i, paths] : node.evaluated) {
    const Operation& o = operation(i);
    for (std::size_t k = 0; k < o.operands.size(); ++k) {
      if (o.operands[k] != v) continue;
      if (!facts(i).operands[k].same_place || element_count(graph_.type(v).shape) != node.count)
        return false;
      if (!at_own_place(paths)) return false;
    }
  }
  return true;
}

Cut Fusion::cut_of(const Node& node, const FlatSet<ValueId>& needed) {
  Cut cut;
  cut.kind = node.kind;
  for (const auto& [i, paths] : node.evaluated) cut.group.operations.push_back(i);
  if (node.kind == Cut::Kind::leaf) {
    const LeafCall& call = leaves_.calls[static_cast<std::size_t>(node.call)];
    cut.call = node.call;
    cut.group.inputs = call.inputs;
    const Operation& o = operation(call.operation);
    cut.group.outputs = {call.output};
    for (std::int32_t k = 1; k < o.result_count; ++k)  // of several results none is moved
      cut.group.outputs.push_back(o.first_result + k);
    return cut;
  }
  if (node.kind != Cut::Kind::kernel) {  // the operation's own operands and results, in order
    const Operation& o = operation(cut.group.operations[0]);
    cut.group.inputs = o.operands;
    for (std::int32_t k = 0; k < o.result_count; ++k)
      cut.group.outputs.push_back(o.first_result + k);
    return cut;
  }
  const FlatSet<ValueId> inputs = inputs_of(node);
  cut.group.inputs.assign(inputs.begin(), inputs.end());
  for (ValueId v : node.outputs)
    if (needed.contains(v)) cut.group.outputs.push_back(v);
  if (node.row > 0) {
    describe_stages(node, cut);
    return cut;
  }
  for (ValueId v : inputs) cut.group.own_place.push_back(reads_at_own_place(node, v));
  for (const InPlace& p : node.in_place) {
    const Operation& o = operation(node.updater);
    const ValueId output = o.first_result + p.result;
    if (needed.contains(output))
      cut.group.in_place.push_back({o.operands[static_cast<std::size_t>(p.operand)], output});
  }
  cut.group.domain = domain_of(node);
  if (node.joint >= 0) {
    cut.group.parts_axis = facts(node.joint).parts_axis;
    cut.group.parts = facts(node.joint).parts;
  }
  cut.group.flat = is_flat(node);
  return cut;
}

/// Pointwise operations only, whose elements are known by their row-major numbers.
bool Fusion::is_flat(const Node& node) {
  if (node.structured > 0) return false;
  return std::all_of(node.evaluated.begin(), node.evaluated.end(), [&](const auto& entry) {
    const auto& [i, paths] = entry;
    return count_of(i) == 1 || (facts(i).flat && at_own_place(paths));
  });
}

/// Nodes in an order that can be run. Among those that are ready, first those that free at least as
/// many bytes as they take, then the one whose last operation comes first.
class Fusion::Order {
 public:
  explicit Order(const Fusion& fusion)
      : fusion_(fusion), read_(fusion.nodes_.size()), waiting_(fusion.nodes_.size()) {
    for (std::size_t n = 0; n < fusion.nodes_.size(); ++n) {
      const Node& node = fusion.nodes_[n];
      for (int reader : node.readers) ++waiting_[at(reader)];
      if (!node.alive) continue;
      read_[n] = fusion.inputs_of(node);
      read_[n].merge(fusion.updated_by(node));
      for (ValueId v : read_[n])
        if (fusion.makers_[at(v)] >= 0) readers_[v].insert(static_cast<int>(n));
    }
  }

  std::vector<int> run() {
    for (std::size_t n = 0; n < waiting_.size(); ++n)
      if (waiting_[n] == 0) add(static_cast<int>(n));
    std::vector<int> order;
    std::vector<bool> done(waiting_.size());
    while (!ready_.empty()) {
      const int n = std::get<2>(ready_.top());
      ready_.pop();
      if (done[at(n)]) continue;
      done[at(n)] = true;
      order.push_back(n);
      for (ValueId v : read_[at(n)]) {
        const auto readers = readers_.find(v);
        if (readers == readers_.end()) continue;
        readers->second.erase(n);
        // The last reader may have become one that frees.
        if (readers->second.size() == 1 && waiting_[at(*readers->second.begin())] == 0)
          add(*readers->second.begin());
      }
      for (int next : fusion_.nodes_[at(n)].readers)
        if (--waiting_[at(next)] == 0) add(next);
    }
    return order;
  }

 private:
  static std::size_t at(std::int64_t number) { return static_cast<std::size_t>(number); }

  void add(int n) {
    const Node& node = fusion_.nodes_[at(n)];
    if (node.alive) ready_.push({!frees(n), node.evaluated.rbegin()->first, n});
  }
  /// Results of the program take no memory that another order would save.
  bool frees(int n) const {
    std::size_t freed = 0, taken = 0;
    for (ValueId v : read_[at(n)]) {
      const auto readers = readers_.find(v);
      if (readers != readers_.end() && readers->second.size() == 1) freed += bytes(v);
    }
    for (ValueId v : fusion_.nodes_[at(n)].outputs)
      if (readers_.contains(v)) taken += bytes(v);
    return freed >= taken;
  }
  std::size_t bytes(ValueId v) const {
    return fusion_.is_output_[at(v)] ? 0 : bytes_of(fusion_.graph_.type(v));
  }

  const Fusion& fusion_;
  std::vector<FlatSet<ValueId>> read_;       // by each node
  std::map<ValueId, FlatSet<int>> readers_;  // that have not run yet, of values that nodes make
  std::vector<int> waiting_;                 // for how many nodes
  using Entry = std::tuple<bool, std::int32_t, int>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> ready_;
};

std::vector<Cut> Fusion::ordered() {
  update_last();
  std::vector<ValueId> read = graph_.outputs();
  for (const Node& node : nodes_)
    if (node.alive)
      for (const auto& values : {inputs_of(node), updated_by(node)})
        read.insert(read.end(), values.begin(), values.end());
  const FlatSet<ValueId> needed(read.begin(), read.end());
  std::vector<Cut> cuts;
  for (int n : Order(*this).run())
    cuts.push_back(cut_of(nodes_[static_cast<std::size_t>(n)], needed));
  const auto alive =
      std::count_if(nodes_.begin(), nodes_.end(), [](const Node& n) { return n.alive; });
  if (static_cast<std::size_t>(alive) != cuts.size())
    throw InternalError("fuse: kernels wait for each other");
  return cuts;
}

}  // namespace fluxion::codegen
