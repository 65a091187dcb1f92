// Which kernels run over the same lanes, and the kernel that they become: one lane at a time, every
// small axis written out.
#include "codegen/lanes.hpp"

#include "codegen/cost.hpp"
#include "codegen/elements.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace fluxion::codegen {
namespace {

using kernel::Affine;
using kernel::Index;
using kernel::Scalar;

constexpr std::int64_t least_lanes = 256;
constexpr std::int64_t most_of_a_lane = 32;  // elements of one value
constexpr std::size_t least_kernels = 3;     // with small axes
constexpr double most_instructions = 4000;   // of the kernel
constexpr std::int64_t written_out = 64;     // iterations of loops

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

/// The elements that one of `lanes` lanes has of a value; 0 if its lanes are others.
std::int64_t of_a_lane(const Type& type, std::int64_t lanes) {
  if (type.shape.empty() || type.shape[0] != lanes) return 0;
  return element_count(type.shape) / lanes;
}

/// One kernel that computes what a set of operations makes, a lane at a time.
class LaneLowering {
 public:
  LaneLowering(const Graph& graph, std::int64_t lanes, Group group)
      : graph_(graph), group_(std::move(group)), builder_(name()) {
    lanes_.shape = {lanes};
    builder_.unroll_loops(written_out);
    for (ValueId v : group_.inputs) {
      inputs_.insert(v);
      buffers_[v] = declare(v, kernel::Role::input);
    }
    for (ValueId v : group_.outputs) buffers_[v] = declare(v, kernel::Role::output);
  }

  /// Throws NotElementwise.
  kernel::Kernel run() {
    builder_.parallel(lanes_.shape, [&](const Index& lane) {
      lanes_.index = lane;
      Elements elements(
          builder_,
          lanes_,
          graph_,
          [this](std::size_t v, const Index& index, Scalar predicate) {
            return load(static_cast<ValueId>(v), index, predicate);
          },
          &inputs_);
      std::vector<std::vector<Scalar>> all;
      for (ValueId v : group_.outputs) all.push_back(elements.all(v));
      for (std::size_t k = 0; k < all.size(); ++k) {
        const Shape& shape = graph_.type(group_.outputs[k]).shape;
        const std::vector<Index> places = lanes_.elements(shape);
        for (std::size_t i = 0; i < places.size(); ++i)
          builder_.store(
              buffers_.at(group_.outputs[k]), dot(places[i], kernel::row_major(shape)), all[k][i]);
      }
    });
    return builder_.finish();
  }

  /// Inputs of which a lane reads another lane's elements.
  const std::set<ValueId>& foreign() const { return foreign_; }

 private:
  std::string name() const {
    std::string name = "lanes";
    for (std::int32_t i : group_.operations) {
      if (name.size() > 60) return name + "_etc";
      name += '_' + std::string(graph_.operations()[at(i)].op.name());
    }
    return name;
  }
  std::int32_t declare(ValueId v, kernel::Role role) {
    const Type& type = graph_.type(v);
    if (is_complex(type.dtype)) throw NotElementwise();
    return builder_.buffer(type.dtype, role, element_count(type.shape));
  }
  Scalar load(ValueId v, const Index& index, Scalar predicate) {
    const Type& type = graph_.type(v);
    if (lanes_.lead(type.shape) && !(index[0] == lanes_.index[0])) foreign_.insert(v);
    const auto buffer = buffers_.find(v);
    if (buffer == buffers_.end()) throw NotElementwise();
    const Affine offset = dot(index, kernel::row_major(type.shape));
    if (!predicate.defined()) return builder_.load(buffer->second, offset);
    return builder_.load(buffer->second, offset, predicate, builder_.constant_bits(type.dtype, 0));
  }

  const Graph& graph_;
  Group group_;
  Lanes lanes_;
  kernel::Builder builder_;
  std::set<ValueId> inputs_, foreign_;
  std::map<ValueId, std::int32_t> buffers_;
};

class Joining {
 public:
  Joining(const Graph& graph, std::vector<Cut>& cuts) : graph_(graph), cuts_(cuts) {
    for (ValueId v : graph.outputs()) wanted_.insert(v);
  }

  void run() {
    std::map<std::int64_t, std::size_t> small;  // kernels with small axes, by lanes
    for (const Cut& cut : cuts_)
      if (const std::int64_t lanes = lanes_of(cut); lanes > 0 && has_small_axes(cut, lanes))
        ++small[lanes];
    for (auto [lanes, kernels] : small)
      if (kernels >= least_kernels) join(lanes);
  }

 private:
  /// The lanes of a cut that may be written one lane at a time; 0: it may not.
  std::int64_t lanes_of(const Cut& cut) const {
    const bool kind = cut.kind == Cut::Kind::kernel || cut.kind == Cut::Kind::alias;
    const Group& group = cut.group;
    if (!kind || cut.kernel || !group.in_place.empty() || group.outputs.empty()) return 0;
    const Shape& shape = graph_.type(group.outputs[0]).shape;
    if (shape.empty() || shape[0] < least_lanes) return 0;
    const std::int64_t lanes = shape[0];
    for (ValueId v : group.outputs)
      if (of_a_lane(graph_.type(v), lanes) == 0) return 0;
    for (std::int32_t i : group.operations)
      if (!is_small(graph_.operations()[at(i)], lanes)) return 0;
    return lanes;
  }
  /// Whether an operation makes and reads a few numbers for each lane.
  bool is_small(const Operation& o, std::int64_t lanes) const {
    if (o.op.effects() || o.op.has_regions() || !o.op.in_place().empty()) return false;
    if (!o.op.pointwise() && !o.op.structured()) return false;
    const OperationFacts& facts = facts_of(o.op, graph_.operand_types(o), graph_.result_types(o));
    if (o.op.structured() && !facts.whole) return false;
    for (std::int32_t k = 0; k < o.result_count; ++k) {
      const Type& type = graph_.type(o.first_result + k);
      const std::int64_t own = of_a_lane(type, lanes);
      if ((own > 0 ? own : element_count(type.shape)) > most_of_a_lane) return false;
    }
    return std::all_of(facts.operands.begin(), facts.operands.end(), [&](const OperandUse& use) {
      return use.loads <= static_cast<double>(lanes * written_out);
    });
  }
  bool has_small_axes(const Cut& cut, std::int64_t lanes) const {
    const auto small = [&](ValueId v) { return of_a_lane(graph_.type(v), lanes) > 1; };
    return cut.kind == Cut::Kind::kernel &&
           (std::any_of(cut.group.outputs.begin(), cut.group.outputs.end(), small) ||
            std::any_of(cut.group.inputs.begin(), cut.group.inputs.end(), small));
  }

  /// A cut written by itself, one lane at a time.
  struct Written {
    std::set<ValueId> foreign;  // inputs of which a lane reads another lane's elements
    std::size_t instructions;
  };
  std::optional<Written> written(const Cut& cut, std::int64_t lanes) const {
    try {
      LaneLowering alone(graph_, lanes, cut.group);
      const std::size_t instructions = alone.run().instructions.size();
      return Written{alone.foreign(), instructions};
    } catch (const NotElementwise&) {
      return std::nullopt;
    }
  }

  /// Whether nothing may move past a cut: it has effects, or changes a value where it lies.
  bool stands(const Cut& cut) const {
    return !cut.group.in_place.empty() ||
           std::any_of(cut.group.operations.begin(), cut.group.operations.end(), [&](auto i) {
             return graph_.operations()[at(i)].op.effects();
           });
  }

  void join(std::int64_t lanes) {
    for (std::size_t begin = 0; begin < cuts_.size();) {
      std::size_t end = begin;
      while (end < cuts_.size() && !stands(cuts_[end])) ++end;
      for (std::size_t before = 0; before != end;) {
        before = end;
        end = join_between(lanes, begin, end);
      }
      begin = end + 1;
    }
  }

  /// Joins the first cuts of [begin, end) that can be joined, and returns the new end.
  std::size_t join_between(std::int64_t lanes, std::size_t begin, std::size_t end) {
    std::vector<std::size_t> members;
    std::set<ValueId> made, later;  // by members; by others that read of those, at last
    std::vector<bool> waits(end - begin);
    std::size_t size = 0;
    for (std::size_t p = begin; p < end; ++p) {
      const Cut& cut = cuts_[p];
      const auto reads = [&](const std::set<ValueId>& values) {
        return std::any_of(cut.group.inputs.begin(), cut.group.inputs.end(), [&](ValueId v) {
          return values.contains(v);
        });
      };
      if (!reads(later) && lanes_of(cut) == lanes) {
        const auto alone = written(cut, lanes);
        const auto is_made = [&](ValueId v) { return made.contains(v); };
        if (alone && size + alone->instructions <= most_instructions &&
            std::none_of(alone->foreign.begin(), alone->foreign.end(), is_made)) {
          members.push_back(p);
          size += alone->instructions;
          made.insert(cut.group.outputs.begin(), cut.group.outputs.end());
          continue;
        }
      }
      if (reads(made) || reads(later)) {
        waits[p - begin] = true;
        later.insert(cut.group.outputs.begin(), cut.group.outputs.end());
      }
    }
    std::optional<Cut> joined = united(members, lanes);
    if (!joined) return end;
    std::vector<Cut> before, after;
    for (std::size_t p = begin; p < end; ++p) {
      if (std::binary_search(members.begin(), members.end(), p)) continue;
      (waits[p - begin] ? after : before).push_back(std::move(cuts_[p]));
    }
    before.push_back(std::move(*joined));
    std::move(after.begin(), after.end(), std::back_inserter(before));
    const auto first = cuts_.begin() + static_cast<std::ptrdiff_t>(begin);
    std::move(before.begin(), before.end(), first);
    cuts_.erase(first + static_cast<std::ptrdiff_t>(before.size()),
                first + static_cast<std::ptrdiff_t>(end - begin));
    return begin + before.size();
  }

  /// One kernel for the members, if it moves much less memory than they do.
  std::optional<Cut> united(const std::vector<std::size_t>& members, std::int64_t lanes) const {
    const auto small = [&](std::size_t p) { return has_small_axes(cuts_[p], lanes); };
    if (static_cast<std::size_t>(std::count_if(members.begin(), members.end(), small)) <
        least_kernels)
      return std::nullopt;
    std::set<std::int32_t> operations;
    std::set<ValueId> read, made, wanted = wanted_;
    double before = 0;
    for (std::size_t p = 0; p < cuts_.size(); ++p) {
      const Group& group = cuts_[p].group;
      if (!std::binary_search(members.begin(), members.end(), p)) {
        wanted.insert(group.inputs.begin(), group.inputs.end());
        for (const Group::Update& u : group.in_place) wanted.insert(u.operand);
        continue;
      }
      operations.insert(group.operations.begin(), group.operations.end());
      read.insert(group.inputs.begin(), group.inputs.end());
      made.insert(group.outputs.begin(), group.outputs.end());
      if (cuts_[p].kind == Cut::Kind::alias) continue;
      for (ValueId v : group.inputs) before += moved(v, lanes, 1);
      for (ValueId v : group.outputs) before += moved(v, lanes, 1);
    }
    Cut cut;
    double after = 0;
    cut.group.operations.assign(operations.begin(), operations.end());
    for (ValueId v : read)
      if (!made.contains(v)) cut.group.inputs.push_back(v);
    for (ValueId v : made)
      if (wanted.contains(v)) cut.group.outputs.push_back(v);
    // Lanes that are apart are gathered and scattered.
    for (ValueId v : cut.group.inputs) after += moved(v, lanes, 2);
    for (ValueId v : cut.group.outputs) after += moved(v, lanes, 2);
    if (after > 0.75 * before || cut.group.outputs.empty()) return std::nullopt;
    cut.group.own_place.assign(cut.group.inputs.size(), false);
    cut.group.domain = {lanes};
    try {
      cut.kernel =
          std::make_shared<const kernel::Kernel>(LaneLowering(graph_, lanes, cut.group).run());
    } catch (const NotElementwise&) {
      return std::nullopt;
    }
    return cut;
  }

  /// Elements read or written, those that lie apart from lane to lane counted `apart` times.
  double moved(ValueId v, std::int64_t lanes, double apart) const {
    const Type& type = graph_.type(v);
    const auto elements = static_cast<double>(element_count(type.shape));
    return of_a_lane(type, lanes) > 1 ? apart * elements : elements;
  }

  const Graph& graph_;
  std::vector<Cut>& cuts_;
  std::set<ValueId> wanted_;  // outputs of the program
};

}  // namespace

void join_lanes(const Graph& graph, std::vector<Cut>& cuts) { Joining(graph, cuts).run(); }

}  // namespace fluxion::codegen
