// Writes a group down without the numbers of its values and operations.
#include "codegen/group_key.hpp"

#include <algorithm>
#include <unordered_map>

namespace fluxion::codegen {
namespace {

class Writer {
 public:
  Writer(const Graph& graph, const Group& group, std::vector<std::int64_t>& words)
      : graph_(graph), group_(group), words_(words) {}

  void operations(std::vector<const Op*>& operations) {
    add(group_.operations.size());
    for (std::int32_t i : group_.operations) {
      const Operation& o = graph_.operations()[static_cast<std::size_t>(i)];
      operations.push_back(&o.op);
      values(o.operands);
      add(static_cast<std::size_t>(o.result_count));
      for (std::int32_t k = 0; k < o.result_count; ++k) value(o.first_result + k);
    }
  }
  void rest() {
    values(group_.inputs);
    values(group_.outputs);
    add(group_.in_place.size());
    for (const Group::Update& u : group_.in_place) {
      value(u.operand);
      value(u.output);
    }
    shape(group_.domain);
    words_.push_back(group_.flat);
    shape(group_.rows);
    add(group_.stages.size());
    for (const Group::Stage& stage : group_.stages) {
      add(stage.operations.size());
      for (std::int32_t i : stage.operations)
        words_.push_back(std::lower_bound(group_.operations.begin(), group_.operations.end(), i) -
                         group_.operations.begin());
      values(stage.results);
      values(stage.kept);
      shape(stage.domain);
      words_.push_back(2 * stage.along_row + stage.flat);
    }
    words_.push_back(group_.parts_axis);
    add(group_.parts.size());
    words_.insert(words_.end(), group_.parts.begin(), group_.parts.end());
  }

 private:
  void add(std::size_t count) { words_.push_back(static_cast<std::int64_t>(count)); }
  void shape(const Shape& shape) {
    add(shape.size());
    words_.insert(words_.end(), shape.begin(), shape.end());
  }
  void values(std::span<const ValueId> list) {
    add(list.size());
    for (ValueId v : list) value(v);
  }
  void value(ValueId v) {
    const auto [found, is_new] = numbers_.try_emplace(v, numbers_.size());
    add(found->second);
    if (!is_new) return;
    const Type& type = graph_.type(v);
    words_.push_back(static_cast<std::int64_t>(type.dtype));
    shape(type.shape);
  }

  const Graph& graph_;
  const Group& group_;
  std::vector<std::int64_t>& words_;
  std::unordered_map<ValueId, std::size_t> numbers_;
};

}  // namespace

GroupKey::GroupKey(const Graph& graph, const Group& group) {
  Writer writer(graph, group, words_);
  writer.operations(operations_);
  writer.rest();
}

std::uint64_t GroupKey::hash() const {
  std::uint64_t hash = 0;
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  };
  for (std::int64_t word : words_) mix(static_cast<std::uint64_t>(word));
  for (const Op* op : operations_) mix(op->hash());
  return hash;
}

bool operator==(const GroupKey& a, const GroupKey& b) {
  const auto same = [](const Op* x, const Op* y) { return *x == *y; };
  return a.words_ == b.words_ && std::equal(a.operations_.begin(),
                                            a.operations_.end(),
                                            b.operations_.begin(),
                                            b.operations_.end(),
                                            same);
}

}  // namespace fluxion::codegen
