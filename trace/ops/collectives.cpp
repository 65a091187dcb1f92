// Collectives: operations along a named axis. Batching over that axis turns them into operations on
// whole batches; over another one it passes them by.
#include "trace/ops/collectives.hpp"

#include "fluxion/collectives.hpp"
#include "trace/ops/elementwise.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion::ops {
std::span<const Rules* const> collectives_rules();

namespace {

struct Axis {
  std::string name;
  std::int64_t size;
};
thread_local std::vector<Axis> mapped;
thread_local std::string_view batching;

/// Maps turn every collective into other operations: none can be run.
[[noreturn]] void left_over(const std::string& axis) {
  throw InternalError("a collective along '" + axis +
                      "' was left in a program that no map surrounds");
}

/// Whether the walk is over this operation's own axis.
bool own(const std::string& axis) { return batching == axis; }

struct AllReduce {
  static constexpr auto name = "all_reduce";
  std::string axis;
  Reduction op = Reduction::sum;
  std::int64_t size = 0;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    return {in[0]};
  }
  /// Those that have the extremum share its tangent.
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return {Array()};
    const AllReduce sum{axis, Reduction::sum, size};
    const Site site = rule_site();
    if (op == Reduction::sum) return {emit(sum, {dx[0]}, site)};
    const Array has = convert(compare(Direction::eq, x[0], y[0], site), type_of(dx[0]).dtype, site);
    return {div(emit(sum, {mul(has, dx[0])}, site), emit(sum, {has}, site))};
  }
  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (defined(ct[0]) && out.needed(0)) out.add(0, emit(*this, {ct[0]}, rule_site()));
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t n) const {
    if (!own(axis)) return {{emit(*this, {x[0]}, rule_site())}, {at[0]}};
    if (at[0] != unbatched) return {{reduce(op, x[0], {at[0]}, rule_site())}, {unbatched}};
    if (op != Reduction::sum) return {{x[0]}, {unbatched}};
    return {{mul(x[0], filled(static_cast<double>(n), type_of(x[0])))}, {unbatched}};
  }
  void body(kernel::Nest&) const { left_over(axis); }
  void reference(ConstTensors, Tensors) const { left_over(axis); }
};

struct AxisIndex {
  static constexpr auto name = "axis_index";
  std::string axis;
  std::int64_t size = 0;

  Types types(TypeList) const { return {{{}, int32}}; }
  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array()}; }
  Batched batch(Arrays, BatchAxes, std::int64_t n) const {
    if (!own(axis)) return {{emit(*this, {}, rule_site())}, {unbatched}};
    return {{iota({{n}, int32}, 0, rule_site())}, {0}};
  }
  void body(kernel::Nest&) const { left_over(axis); }
  void reference(ConstTensors, Tensors) const { left_over(axis); }
};

struct Permute {
  static constexpr auto name = "ppermute";
  std::string axis;
  std::vector<std::int64_t> sources;  // of each example; -1: zeros

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    return {in[0]};
  }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }
  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (!defined(ct[0]) || !out.needed(0)) return;
    Permute back{axis, std::vector<std::int64_t>(sources.size(), -1)};
    for (std::size_t to = 0; to < sources.size(); ++to)
      if (sources[to] >= 0)
        back.sources[static_cast<std::size_t>(sources[to])] = static_cast<std::int64_t>(to);
    out.add(0, emit(back, {ct[0]}, rule_site()));
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t n) const {
    const Site site = rule_site();
    if (!own(axis)) return {{emit(*this, {x[0]}, site)}, {at[0]}};
    const Array all = batch_first(x[0], at[0], n);
    const Type type = type_of(all);
    ArrayList parts;  // runs of neighbours that come from neighbours
    for (std::size_t to = 0; to < sources.size();) {
      std::size_t end = to + 1;
      while (end < sources.size() &&
             (sources[to] < 0 ? sources[end] < 0
                              : sources[end] == sources[to] + static_cast<std::int64_t>(end - to)))
        ++end;
      const auto count = static_cast<std::int64_t>(end - to);
      if (sources[to] < 0) {
        Shape shape = without_axis(type.shape, 0);
        parts.push_back(zeros_of({with_axis(shape, 0, count), type.dtype}));
      } else {
        std::vector<std::int64_t> start(type.shape.size()),
            stop(type.shape.begin(), type.shape.end());
        start[0] = sources[to];
        stop[0] = sources[to] + count;
        parts.push_back(
            slice(all, start, stop, std::vector<std::int64_t>(type.shape.size(), 1), site));
      }
      to = end;
    }
    return {{parts.size() == 1 ? parts[0] : concatenate(parts, 0, site)}, {0}};
  }
  void body(kernel::Nest&) const { left_over(axis); }
  void reference(ConstTensors, Tensors) const { left_over(axis); }
};

struct ReduceScatter {
  static constexpr auto name = "reduce_scatter";
  std::string axis;
  int dimension = 0;  // one element for each example; it vanishes
  std::int64_t size = 0;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    return {{without_axis(in[0].shape, dimension), in[0].dtype}};
  }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const;
  Batched batch(Arrays x, BatchAxes at, std::int64_t n) const {
    const Array all = batch_first(x[0], at[0], n);
    if (!own(axis))
      return {{emit(ReduceScatter{axis, dimension + 1, size}, {all}, rule_site())}, {0}};
    return {{reduce(Reduction::sum, all, {0}, rule_site())}, {dimension}};
  }
  void body(kernel::Nest&) const { left_over(axis); }
  void reference(ConstTensors, Tensors) const { left_over(axis); }
};

struct AllGather {
  static constexpr auto name = "all_gather";
  std::string axis;
  int at = 0;  // where the examples stand in the result
  std::int64_t size = 0;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    return {{with_axis(in[0].shape, at, size), in[0].dtype}};
  }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }
  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (defined(ct[0]) && out.needed(0))
      out.add(0, emit(ReduceScatter{axis, at, size}, {ct[0]}, rule_site()));
  }
  Batched batch(Arrays x, BatchAxes where, std::int64_t n) const {
    const Array all = batch_first(x[0], where[0], n);
    if (!own(axis)) return {{emit(AllGather{axis, at + 1, size}, {all}, rule_site())}, {0}};
    return {{move_axis(all, 0, at)}, {unbatched}};
  }
  void body(kernel::Nest&) const { left_over(axis); }
  void reference(ConstTensors, Tensors) const { left_over(axis); }
};

void ReduceScatter::transpose(Arrays ct, const Operands&, Accumulators& out) const {
  if (defined(ct[0]) && out.needed(0))
    out.add(0, emit(AllGather{axis, dimension, size}, {ct[0]}, rule_site()));
}

struct AllToAll {
  static constexpr auto name = "all_to_all";
  std::string axis;
  int split = 0, concat = 0;  // the operand's axis that vanishes; the result's that comes
  std::int64_t size = 0;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    return {{with_axis(without_axis(in[0].shape, split), concat, size), in[0].dtype}};
  }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }
  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (defined(ct[0]) && out.needed(0))
      out.add(0, emit(AllToAll{axis, concat, split, size}, {ct[0]}, rule_site()));
  }
  Batched batch(Arrays x, BatchAxes at, std::int64_t n) const {
    const Array all = batch_first(x[0], at[0], n);
    if (!own(axis))
      return {{emit(AllToAll{axis, split + 1, concat + 1, size}, {all}, rule_site())}, {0}};
    // [from, ... to ...]: who gets it becomes the batch, who sent it an axis.
    return {{move_axis(move_axis(all, 1 + split, 0), 1, 1 + concat)}, {0}};
  }
  void body(kernel::Nest&) const { left_over(axis); }
  void reference(ConstTensors, Tensors) const { left_over(axis); }
};

const std::string* axis_of(const Op& op) {
  if (const auto* o = op.as<AllReduce>()) return &o->axis;
  if (const auto* o = op.as<AxisIndex>()) return &o->axis;
  if (const auto* o = op.as<Permute>()) return &o->axis;
  if (const auto* o = op.as<ReduceScatter>()) return &o->axis;
  if (const auto* o = op.as<AllGather>()) return &o->axis;
  if (const auto* o = op.as<AllToAll>()) return &o->axis;
  return nullptr;
}

std::int64_t size_of_axis(std::string_view who, std::string_view axis, const Site& site) {
  for (std::size_t k = mapped.size(); k-- > 0;)
    if (mapped[k].name == axis) return mapped[k].size;
  std::string names;
  for (const Axis& a : mapped) names += (names.empty() ? "'" : ", '") + a.name + "'";
  fail("axis-name",
       site,
       fmt::format("{}: there is no mapped axis called '{}' here", who, axis),
       {names.empty() ? "no axis has a name here" : "the axes that have names here: " + names},
       fmt::format("fx::vmap(f, {{.axis_name = \"{}\"}}) names one", axis));
}

int checked_axis(
    std::string_view who, std::string_view what, int axis, int rank, const Site& site) {
  if (axis < -rank || axis >= rank)
    fail("axis", site, fmt::format("{}: {} is {}, outside of {} axes", who, what, axis, rank));
  return axis < 0 ? axis + rank : axis;
}

/// Where each example is to have a part along an axis, whose size is therefore known.
void check_parts(std::string_view who,
                 const Type& type,
                 int axis,
                 std::int64_t size,
                 bool tiled,
                 const Site& site) {
  const std::int64_t have = size_at(type.shape, axis);
  if (tiled ? have % size == 0 : have == size) return;
  fail("axis-size",
       site,
       fmt::format("{}: axis {} has {} elements for {} examples", who, axis, have, size),
       {"the array is " + to_string(type)},
       tiled ? "the axis is cut into equal parts: pad it to a multiple"
             : "without .tiled each example gets one element");
}

}  // namespace

NamedAxis::NamedAxis(std::string_view name, std::int64_t size, const Site& site)
    : pushed_(!name.empty()) {
  for (const Axis& a : mapped)
    if (pushed_ && a.name == name)
      fail("axis-name",
           site,
           fmt::format("vmap: an axis called '{}' is mapped already around this call", name),
           {},
           "give the inner one another name");
  if (pushed_) mapped.push_back({std::string(name), size});
}
NamedAxis::~NamedAxis() {
  if (pushed_) mapped.pop_back();
}

BatchedAxis::BatchedAxis(std::string_view name) : before_(batching) { batching = name; }
BatchedAxis::~BatchedAxis() { batching = before_; }
std::string_view batched_axis() { return batching; }

bool speaks_along(const Op& op, std::string_view axis) {
  if (axis.empty()) return false;
  const std::string* own_axis = axis_of(op);
  if (own_axis) return *own_axis == axis;
  const std::vector<const Graph*> regions = op.regions();
  return std::any_of(
      regions.begin(), regions.end(), [&](const Graph* g) { return speaks_along(*g, axis); });
}
bool speaks_along(const Graph& graph, std::string_view axis) {
  return !axis.empty() && std::any_of(graph.operations().begin(),
                                      graph.operations().end(),
                                      [&](const Operation& o) { return speaks_along(o.op, axis); });
}

std::span<const Rules* const> collectives_rules() {
  static constexpr const Rules* rules[] = {rules_of<AllReduce>(),
                                           rules_of<AxisIndex>(),
                                           rules_of<Permute>(),
                                           rules_of<ReduceScatter>(),
                                           rules_of<AllGather>(),
                                           rules_of<AllToAll>()};
  return rules;
}

}  // namespace fluxion::ops

namespace fluxion {
using namespace ops;

namespace detail {

Array psum(const Array& x, std::string_view axis, const Site& site) {
  return emit(
      AllReduce{std::string(axis), Reduction::sum, size_of_axis("psum", axis, site)}, {x}, site);
}
Array pmean(const Array& x, std::string_view axis, const Site& site) {
  const std::int64_t size = size_of_axis("pmean", axis, site);
  const DType dtype = type_of(x).dtype;
  const Array sum = psum(is_differentiable(dtype) ? x : ops::convert(x, float32, site), axis, site);
  return ops::binary("div", sum, filled(static_cast<double>(size), type_of(sum)), site);
}
Array pmax(const Array& x, std::string_view axis, const Site& site) {
  return emit(
      AllReduce{std::string(axis), Reduction::max, size_of_axis("pmax", axis, site)}, {x}, site);
}
Array pmin(const Array& x, std::string_view axis, const Site& site) {
  return emit(
      AllReduce{std::string(axis), Reduction::min, size_of_axis("pmin", axis, site)}, {x}, site);
}
Array all_gather(const Array& x, std::string_view axis, int given, bool tiled, const Site& site) {
  const std::int64_t size = size_of_axis("all_gather", axis, site);
  const int rank = rank_of(type_of(x)),
            at = checked_axis("all_gather", "axis", given, tiled ? rank : rank + 1, site);
  const Array all = emit(AllGather{std::string(axis), at, size}, {x}, site);
  return tiled ? merge_axis(all, at, at) : all;
}
Array psum_scatter(const Array& x, std::string_view axis, int given, bool tiled, const Site& site) {
  const std::int64_t size = size_of_axis("psum_scatter", axis, site);
  const int at =
      checked_axis("psum_scatter", "scatter_dimension", given, rank_of(type_of(x)), site);
  check_parts("psum_scatter", type_of(x), at, size, tiled, site);
  return emit(
      ReduceScatter{std::string(axis), at, size}, {tiled ? split_axis(x, at, size) : x}, site);
}
Array all_to_all(
    const Array& x, std::string_view axis, int split, int concat, bool tiled, const Site& site) {
  const std::int64_t size = size_of_axis("all_to_all", axis, site);
  const int rank = rank_of(type_of(x));
  split = checked_axis("all_to_all", "split_axis", split, rank, site);
  concat = checked_axis("all_to_all", "concat_axis", concat, rank, site);
  check_parts("all_to_all", type_of(x), split, size, tiled, site);
  const Array parts = emit(AllToAll{std::string(axis), split, concat, size},
                           {tiled ? split_axis(x, split, size) : x},
                           site);
  return tiled ? merge_axis(parts, concat, concat) : parts;
}
Array ppermute(const Array& x,
               std::string_view axis,
               const std::vector<std::pair<int, int>>& pairs,
               const Site& site) {
  const std::int64_t size = size_of_axis("ppermute", axis, site);
  std::vector<std::int64_t> sources(static_cast<std::size_t>(size), -1);
  std::vector<bool> sends(sources.size());
  for (const auto& [from, to] : pairs) {
    const bool inside = from >= 0 && from < size && to >= 0 && to < size;
    if (!inside || sources[static_cast<std::size_t>(to)] >= 0 ||
        sends[static_cast<std::size_t>(from)])
      fail("permutation",
           site,
           fmt::format("ppermute: the pair {{{}, {}}} does not fit", from, to),
           {fmt::format("the axis has {} examples", size)},
           "each example sends once at most and gets once at most");
    sources[static_cast<std::size_t>(to)] = from;
    sends[static_cast<std::size_t>(from)] = true;
  }
  return emit(Permute{std::string(axis), sources}, {x}, site);
}

}  // namespace detail

Array axis_index(std::string_view axis, Site site) {
  return emit(AxisIndex{std::string(axis), size_of_axis("axis_index", axis, site)}, {}, site);
}
std::int64_t axis_size(std::string_view axis, Site site) {
  return size_of_axis("axis_size", axis, site);
}

}  // namespace fluxion
