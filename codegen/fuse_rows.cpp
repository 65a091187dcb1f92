// Row groups: kernels over the same rows become one, which goes through its rows once. What one
// stage leaves for a row stays in registers or in the cache.
#include "codegen/fuse_nodes.hpp"

#include <set>

namespace fluxion::codegen {
namespace {

constexpr std::int64_t shortest_row = 128;        // below it, what is done once for a row weighs
constexpr std::int64_t few_rows = 64;             // too few to share among threads ...
constexpr std::int64_t few_elements = 64 * 1024;  // ... but so little is done by one
constexpr std::int64_t most_kept_bytes = 256 * 1024;  // of rows that wait for later stages
constexpr std::size_t most_stages = 16;

}  // namespace

/// The length of the rows that a kernel reduces, or of a row group's; 0: it reduces none.
std::int64_t Fusion::row_of(const Node& node) {
  if (node.row > 0) return node.row;
  if (!node.alive || node.kind != Cut::Kind::kernel || node.general || node.joint >= 0) return 0;
  std::int64_t row = 0;
  for (const auto& [i, paths] : node.evaluated) {
    if (!operation(i).op.structured()) continue;
    const std::int64_t own = facts(i).row;
    if (own < shortest_row || (row > 0 && row != own)) return 0;
    row = own;
  }
  return row;
}

/// Whether a kernel can be a stage over such rows: for each of them, or for each of their elements.
bool Fusion::is_stage(const Node& node, const Shape& rows, std::int64_t row) {
  const std::int64_t count = element_count(rows);
  if (!node.alive || node.general || node.joint >= 0) return false;
  if (node.kind == Cut::Kind::alias) return node.count == count;
  if (node.kind != Cut::Kind::kernel) return false;
  if (node.row > 0 || node.structured > 0) return node.shape == rows && row_of(node) == row;
  if (node.count == count) return true;
  if (node.count != count * row) return false;
  const Shape domain = domain_of(node);
  return is_flat(node) ||
         (domain.size() >= rows.size() && std::equal(rows.begin(), rows.end(), domain.begin()));
}

/// Kernels that read what a row group makes, make what it reads, or read whole arrays that it
/// reads.
FlatSet<int> Fusion::row_neighbours(int n) {
  const Node& group = nodes_[static_cast<std::size_t>(n)];
  FlatSet<int> found = group.readers;
  FlatSet<ValueId> shared;
  for (ValueId v : inputs_of(group)) {
    if (element_count(graph_.type(v).shape) == element_count(group.shape) * row_of(group))
      shared.insert(v);
    const std::int32_t maker = makers_[static_cast<std::size_t>(v)];
    if (maker < 0) continue;
    for (int m : where_[static_cast<std::size_t>(maker)])
      if (nodes_[static_cast<std::size_t>(m)].outputs.contains(v)) found.insert(m);
  }
  for (ValueId v : shared)
    for (int m : readers_of_[v])
      if (nodes_[static_cast<std::size_t>(m)].alive) found.insert(m);
  found.erase(n);
  return found;
}

void Fusion::fuse_rows() {
  for (int n = 0; n < static_cast<int>(nodes_.size()); ++n)
    if (const Node& node = nodes_[static_cast<std::size_t>(n)];
        node.alive && node.kind == Cut::Kind::kernel)
      for (ValueId v : inputs_of(node)) readers_of_[v].insert(n);
  std::set<std::pair<int, int>> refused;
  for (int n = static_cast<int>(nodes_.size()); n-- > 0;) {
    const std::int64_t row = row_of(nodes_[static_cast<std::size_t>(n)]);
    if (row == 0) continue;
    bool grows = true;
    while (grows) {
      grows = false;
      for (int m : row_neighbours(n)) {
        if (refused.contains({n, m})) continue;
        grows = join_rows(n, m);
        if (grows) break;
        refused.insert({n, m});
      }
      if (grows) std::erase_if(refused, [&](const auto& pair) { return pair.first == n; });
    }
  }
}

/// Whether node b became part of the row group a.
bool Fusion::join_rows(int a, int b) {
  const Node &x = nodes_[static_cast<std::size_t>(a)], &y = nodes_[static_cast<std::size_t>(b)];
  const std::int64_t row = row_of(x), rows = element_count(x.shape);
  if (rows < few_rows && rows * row > few_elements) return false;
  if (!is_stage(y, x.shape, row)) return false;
  if (x.instructions + y.instructions > most_instructions) return false;
  if (reaches(a, b, true) || reaches(b, a, true)) return false;
  Node both = united(x, y);
  both.shape = x.shape;
  both.row = row;
  both.stages.clear();
  for (const Node* part : {&x, &y}) {
    if (part->stages.empty()) both.stages.push_back(*part);
    both.stages.insert(both.stages.end(), part->stages.begin(), part->stages.end());
  }
  if (both.stages.size() > most_stages || buffers_of(both) > most_buffers) return false;
  if (!order_stages(both) || !is_one_row(both)) return false;
  replace(a, b, std::move(both));
  return true;
}

/// Puts the stages into an order in which each finds what it reads.
bool Fusion::order_stages(Node& group) const {
  std::vector<Node> waiting = std::move(group.stages), ordered;
  while (!waiting.empty()) {
    const auto next = std::find_if(waiting.begin(), waiting.end(), [&](const Node& stage) {
      const FlatSet<ValueId> inputs = inputs_of(stage);
      return std::none_of(waiting.begin(), waiting.end(), [&](const Node& other) {
        return &other != &stage && std::any_of(inputs.begin(), inputs.end(), [&](ValueId v) {
          return other.outputs.contains(v);
        });
      });
    });
    if (next == waiting.end()) return false;
    ordered.push_back(std::move(*next));
    waiting.erase(next);
  }
  group.stages = std::move(ordered);
  return true;
}

/// The whole rows of a stage that other stages read.
FlatSet<ValueId> Fusion::kept_by(const Node& group, const Node& stage) const {
  FlatSet<ValueId> kept;
  if (stage.structured > 0 || stage.count == element_count(group.shape)) return kept;
  for (const Node& other : group.stages) {
    if (&other == &stage) continue;
    for (ValueId v : inputs_of(other))
      if (stage.outputs.contains(v)) kept.insert(v);
  }
  return kept;
}

/// Tries to write the kernel: whether all that is read of other stages belongs to the same row.
bool Fusion::is_one_row(const Node& group) {
  std::int64_t bytes = 0;
  for (const Node& stage : group.stages)
    for (ValueId v : kept_by(group, stage))
      bytes += static_cast<std::int64_t>(size_of(graph_.type(v).dtype)) * group.row;
  if (bytes > most_kept_bytes) return false;
  try {
    lower(graph_, cut_of(group, group.outputs).group);
    return true;
  } catch (const NotOneRow&) {
    return false;
  }
}

/// Whether a stage reads of a value only elements of its own row; the last one: only at its own
/// place.
bool Fusion::reads_in_row(const Node& stage, ValueId v, bool last) {
  if (last || stage.structured == 0) return reads_at_own_place(stage, v);
  FlatSet<std::uint64_t> in_row{0};
  for (const auto& [i, paths] : stage.evaluated)
    if (operation(i).op.structured())
      for (std::size_t k = 0; k < operation(i).operands.size(); ++k)
        in_row.insert(read_by_structured(i, k, 0));
  for (const auto& [i, paths] : stage.evaluated) {
    const Operation& o = operation(i);
    for (std::size_t k = 0; k < o.operands.size(); ++k) {
      if (o.operands[k] != v || o.op.structured()) continue;
      const bool here = std::all_of(paths.begin(), paths.end(), [&](const Path& path) {
        return in_row.contains(path.reads);
      });
      if (!here || !facts(i).operands[k].same_place) return false;
    }
  }
  return true;
}

void Fusion::describe_stages(const Node& group, Cut& cut) {
  Group& g = cut.group;
  g.rows = group.shape;
  const std::int64_t rows = element_count(g.rows);
  for (const Node& node : group.stages) {
    Group::Stage stage;
    for (const auto& [i, paths] : node.evaluated) stage.operations.push_back(i);
    const FlatSet<ValueId> kept = kept_by(group, node);
    stage.kept.assign(kept.begin(), kept.end());
    stage.along_row = node.structured == 0 && node.count != rows;
    for (ValueId v : node.outputs)
      if (kept.contains(v) || std::find(g.outputs.begin(), g.outputs.end(), v) != g.outputs.end())
        stage.results.push_back(v);
    if (stage.along_row) {
      stage.flat = is_flat(node);
      stage.domain = domain_of(node);
    }
    g.stages.push_back(std::move(stage));
  }
  // An output may take the memory of what nothing reads after the first of them is stored.
  const auto stored_along_row = [&](const Group::Stage& stage) {
    return stage.along_row &&
           std::any_of(stage.results.begin(), stage.results.end(), [&](ValueId v) {
             return std::find(g.outputs.begin(), g.outputs.end(), v) != g.outputs.end();
           });
  };
  const bool at_the_end = std::none_of(g.stages.begin(), g.stages.end() - 1, stored_along_row) &&
                          g.stages.back().along_row;
  for (ValueId v : g.inputs) {
    bool own = at_the_end && element_count(graph_.type(v).shape) == rows * group.row;
    for (const Node& stage : group.stages)
      if (own && inputs_of(stage).contains(v))
        own = reads_in_row(stage, v, &stage == &group.stages.back());
    g.own_place.push_back(own);
  }
}

}  // namespace fluxion::codegen
