// Walks a program from its outputs to its inputs; every operation joins the kernels that read it,
// or begins one of its own.
#include "codegen/fuse.hpp"

#include "codegen/fuse_nodes.hpp"

namespace fluxion::codegen {
namespace {

constexpr std::size_t most_duplicates = 4;      // kernels that compute a cheap value again
constexpr int most_repeated_instructions = 24;  // of such values, one on top of the other
constexpr int load_instructions = 2;            // of a value that is as cheap as a load
constexpr double few_evaluations = 4096;        // not worth a kernel of their own

double total(const Paths& paths) {
  double evaluations = 0;
  for (const Path& path : paths) evaluations += path.evaluations;
  return evaluations;
}

}  // namespace

Fusion::Demand Fusion::demand_of(std::int32_t i) {
  Demand demand;
  const Operation& o = operation(i);
  for (std::int32_t k = 0; k < o.result_count; ++k)
    if (is_output_[static_cast<std::size_t>(o.first_result + k)]) demand.stored = true;
  for (const User& user : users_[static_cast<std::size_t>(i)]) {
    for (int n : where_[static_cast<std::size_t>(user.operation)]) {
      const Node& node = nodes_[static_cast<std::size_t>(n)];
      if (node.kind != Cut::Kind::kernel) {
        if (node.evaluated.contains(i)) continue;  // the library call stands for both
        demand.memory.insert(n);
        demand.stored = true;
        continue;
      }
      if (updates(node, user.operation, user.operand)) {
        demand.memory.insert(n);
        demand.stored = true;
        continue;
      }
      const OperationFacts& facts = this->facts(user.operation);
      const OperandUse& use = facts.operands[user.operand];
      const bool structured = operation(user.operation).op.structured();
      const double loads =
          node.joint == user.operation ? facts.part_loads[user.operand] : use.loads;
      const double each =
          loads / static_cast<double>(std::max<std::int64_t>(1, count_of(user.operation)));
      Paths& paths = demand.by_node[n];
      for (const Path& path : node.evaluated.at(user.operation)) {
        Path here = path;
        if (!use.same_place) {
          const std::uint64_t h =
              structured
                  ? read_by_structured(user.operation, user.operand, path.reads)
                  : mix(mix(path.reads + 1, user.operand), operation(user.operation).op.hash());
          here = {h ? h : 1, path.evaluations * each};
        }
        if (std::find(paths.begin(), paths.end(), here) == paths.end()) paths.push_back(here);
      }
    }
  }
  return demand;
}

void Fusion::place(std::int32_t i) {
  const std::int32_t call = leaves_.call_of[static_cast<std::size_t>(i)];
  if (call >= 0) return place_leaf(i, call);
  const Demand demand = demand_of(i);
  const bool wanted = demand.stored || !demand.by_node.empty();
  if (!wanted && !where_[static_cast<std::size_t>(i)].empty())
    return;  // only a library call's part
  if (has_kernel(i)) return place_kernel_operation(i, demand);
  const int n = found(i, is_region(operation(i).op) ? Cut::Kind::region : Cut::Kind::reference);
  store_in(i, n, demand);
  if (!operation(i).op.effects()) return;
  // What can be seen from outside happens in the program's order.
  if (next_effect_ >= 0) nodes_[static_cast<std::size_t>(n)].readers.insert(next_effect_);
  next_effect_ = n;
}

void Fusion::place_leaf(std::int32_t i, std::int32_t call) {
  const Demand demand = demand_of(i);
  const int n = found(i, Cut::Kind::leaf);
  nodes_[static_cast<std::size_t>(n)].call = call;
  for (std::int32_t part : leaves_.calls[static_cast<std::size_t>(call)].operations)
    evaluate_in(part, n, {});
  store_in(i, n, demand);
}

void Fusion::place_kernel_operation(std::int32_t i, const Demand& demand) {
  const Operation& o = operation(i);
  if (!demand.stored && o.op.pointwise()) {
    // What reads nothing, or only numbers that are spread over an array, costs no more than a load.
    const bool free = count_of(i) <= 1 ||
                      (!facts(i).expensive &&
                       (o.operands.empty() ||
                        (facts(i).instructions <= load_instructions && bytes_read_by(i) == 0)));
    const bool fits = std::all_of(demand.by_node.begin(),
                                  demand.by_node.end(),
                                  [&](const auto& reader) { return has_room(i, reader.first); });
    if ((free && fits) || worth_repeating(i, demand)) {
      for (const auto& [n, paths] : demand.by_node) evaluate_in(i, n, paths);
      return;
    }
    if (inline_into_only_reader(i, demand)) return;
  }
  // The operand's memory under another shape: nothing is copied.
  if (o.op.aliases()) return store_in(i, found(i, Cut::Kind::alias), demand);
  if (!o.op.structured() || facts(i).whole) {
    const int host = join(i, demand);
    if (host >= 0) {
      const Demand after = demand_of(i);  // joining may have made one node of several
      evaluate_in(i, host, after.by_node.at(host));
      if (after.stored || after.by_node.size() > 1) store_in(i, host, after);
      return;
    }
  }
  store_in(i, found(i, Cut::Kind::kernel), demand);
}

/// Whether the node stays within the limits with one more operation. A kernel that changes a value
/// where it lies should not read it too: then it would need a copy.
bool Fusion::has_room(std::int32_t i, int n) {
  const Node& node = nodes_[static_cast<std::size_t>(n)];
  const FlatSet<ValueId> updated = updated_by(node);
  for (ValueId v : operation(i).operands)
    if (updated.contains(v)) return false;
  return node.instructions + facts(i).instructions <= most_instructions &&
         buffers_of(node) + operation(i).operands.size() <= most_buffers;
}

/// Bytes of an operation's operands; of what is only spread over an array, its own few.
double Fusion::bytes_read_by(std::int32_t i) {
  const Operation& o = operation(i);
  double read = 0;
  for (std::size_t k = 0; k < o.operands.size(); ++k) {
    const Type& type = graph_.type(o.operands[k]);
    const auto elements = static_cast<double>(element_count(type.shape));
    double bytes =
        std::min(facts(i).operands[k].loads, elements) * static_cast<double>(size_of(type.dtype));
    const std::int32_t maker = makers_[static_cast<std::size_t>(o.operands[k])];
    if (maker >= 0 && has_kernel(maker) && operation(maker).op.pointwise()) {
      double source = 0;
      for (ValueId v : operation(maker).operands)
        source += static_cast<double>(bytes_of(graph_.type(v)));
      bytes = std::min(bytes, source);
    }
    if (elements > 1) read += bytes;
  }
  return read;
}

/// Whether a cheap value is computed again in every kernel that reads it.
bool Fusion::worth_repeating(std::int32_t i, const Demand& demand) {
  const OperationFacts& facts = this->facts(i);
  if (facts.expensive || demand.by_node.size() > most_duplicates) return false;
  const auto count = static_cast<double>(count_of(i));
  const double own = count * static_cast<double>(size_of(type_of_result(i).dtype));
  const double read = bytes_read_by(i);
  for (const auto& [n, paths] : demand.by_node) {
    const double evaluations = total(paths);
    if (evaluations > std::max(2 * count, few_evaluations) || !has_room(i, n)) return false;
    // Read several times, from several arrays: better once from one.
    if (evaluations > std::max(1.25 * count, few_evaluations) && read > 1.2 * own) return false;
  }
  if (demand.by_node.size() == 1) return true;
  int below = 0;
  for (const User& user : users_[static_cast<std::size_t>(i)])
    below = std::max(below, repeated_[static_cast<std::size_t>(user.operation)]);
  if (below + facts.instructions > most_repeated_instructions) return false;
  // Memory moved when every reader reads the operands, against one write and the readers' reads.
  const auto readers = static_cast<double>(demand.by_node.size());
  if (readers * read > read + own + readers * own) return false;
  repeated_[static_cast<std::size_t>(i)] = below + facts.instructions;
  return true;
}

/// An expensive value with one reader that evaluates it about once for each element.
bool Fusion::inline_into_only_reader(std::int32_t i, const Demand& demand) {
  if (demand.by_node.size() != 1) return false;
  const auto& [n, paths] = *demand.by_node.begin();
  const auto count = static_cast<double>(count_of(i));
  if (total(paths) > std::max(1.25 * count, 64.0) || !has_room(i, n)) return false;
  evaluate_in(i, n, paths);
  return true;
}

/// Whether the node's loops can compute operation i, which it reads at its own place.
bool Fusion::may_host(std::int32_t i, int n) {
  const Node& node = nodes_[static_cast<std::size_t>(n)];
  if (node.general || node.count != count_of(i) || node.count == 0) return false;
  if (!has_room(i, n)) return false;
  if (!operation(i).op.structured()) return true;
  if (node.joint >= 0) return false;
  if (node.structured == 0) return true;
  return node.structured < most_structured && node.shape == type_of_result(i).shape &&
         node.lanes == facts(i).lanes;
}

/// Whether another reader of the value comes before the host.
bool Fusion::feeds_back(const Demand& demand, int host) {
  for (const auto& [n, paths] : demand.by_node)
    if (n != host && reaches(n, host, false)) return true;
  for (int n : demand.memory)
    if (reaches(n, host, false)) return true;
  return false;
}

/// The kernel that will compute operation i beside what it does already, or -1.
int Fusion::join(std::int32_t i, const Demand& demand) {
  std::vector<int> hosts;
  for (const auto& [n, paths] : demand.by_node) {
    const bool here =
        std::all_of(paths.begin(), paths.end(), [](const Path& p) { return p.reads == 0; });
    if (here && may_host(i, n)) hosts.push_back(n);
  }
  int host = -1;
  for (int n : hosts) {
    if (host < 0)
      host = n;
    else if (may_merge(host, n))
      host = merge(host, n);
  }
  if (host < 0 || !may_host(i, host)) return -1;
  return feeds_back(demand_of(i), host) ? -1 : host;
}

/// Kernels that read the same large value at the same place, and depend on each other in no way.
void Fusion::merge_siblings() {
  std::map<ValueId, std::vector<int>> readers;
  for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
    const Node& node = nodes_[static_cast<std::size_t>(n)];
    if (!node.alive || node.kind != Cut::Kind::kernel || node.general) continue;
    for (ValueId v : inputs_of(node))
      if (element_count(graph_.type(v).shape) > 1) readers[v].push_back(n);
  }
  for (const auto& [v, nodes] : readers) {
    if (nodes.size() > 16) continue;
    for (std::size_t a = 0; a < nodes.size(); ++a) {
      for (std::size_t b = a + 1; b < nodes.size(); ++b) {
        const Node &x = nodes_[static_cast<std::size_t>(nodes[a])],
                   &y = nodes_[static_cast<std::size_t>(nodes[b])];
        if (!x.alive || !y.alive || (x.structured > 0) != (y.structured > 0)) continue;
        if (x.structured) {
          // Two loops over one row are worth it only while the row stays in the cache.
          const double row = static_cast<double>(bytes_of(graph_.type(v))) /
                             static_cast<double>(std::max<std::int64_t>(1, x.count));
          if (row > 256 * 1024) continue;
        } else if (element_count(graph_.type(v).shape) != x.count) {
          continue;
        }
        if (may_merge(nodes[a], nodes[b])) merge(nodes[a], nodes[b]);
      }
    }
  }
}

std::vector<Cut> fuse(const Graph& graph, const Leaves& leaves) {
  return Fusion(graph, leaves).run();
}

std::string to_string(const Graph& graph, const std::vector<Cut>& cuts) {
  static constexpr const char* kinds[] = {"kernel", "leaf", "alias", "region", "reference"};
  std::string text;
  for (const Cut& cut : cuts) {
    text += kinds[static_cast<int>(cut.kind)];
    for (std::int32_t i : cut.group.operations)
      text += ' ' + std::string(graph.operations()[static_cast<std::size_t>(i)].op.name());
    text += ':';
    for (ValueId v : cut.group.inputs) text += " %" + std::to_string(v);
    text += " ->";
    for (ValueId v : cut.group.outputs) text += " %" + std::to_string(v);
    text += '\n';
  }
  return text;
}

}  // namespace fluxion::codegen
