// Sums of very many updates to few elements as several, each of a part of the updates, so that
// parts are summed side by side; then over the parts.
#include "trace/ops/axes.hpp"
#include "trace/ops/scatter.hpp"
#include "trace/passes.hpp"
#include "transforms/parts.hpp"
#include "transforms/walk.hpp"

#include <algorithm>

namespace fluxion {
namespace {

using ops::ScatterAttributes;

constexpr std::int64_t least_updates = 65536;
/// For so many updates an element, the sums of one more part cost little.
constexpr std::int64_t updates_of_element = 16;
constexpr std::int64_t most_parts = 4;
/// Of all parts: they stay in the cache.
constexpr std::int64_t most_bytes = std::int64_t{1} << 20;
/// With so many columns that never meet there is enough to do side by side.
constexpr std::int64_t enough_beside = 8;

/// The updates that go along with one position and meet no other's.
std::int64_t beside(const ScatterAttributes& s, const Type& operand, const Type& updates) {
  std::int64_t count = 1;
  const std::vector<int> axes = ops::other_axes(static_cast<int>(operand.shape.size()),
                                                s.dimensions.inserted_window_dims,
                                                s.dimensions.operand_batching_dims);
  for (std::size_t k = 0; k < axes.size(); ++k)
    if (ops::position_of(axes[k], s.dimensions.scatter_dims_to_operand_dims) < 0)
      count *= ops::size_at(updates.shape, s.dimensions.update_window_dims[k]);
  return count;
}

/// How the first axis of the positions is cut in the updates; one part where it is not.
Parts parts_of(const ScatterAttributes& s, TypeList in) {
  constexpr Parts whole{0, 1, 0};
  const Type &operand = in[0], &updates = in[2];
  const std::vector<int> outer =
      ops::other_axes(static_cast<int>(updates.shape.size()), s.dimensions.update_window_dims);
  const bool sums = s.update == ops::Update::add && !s.promise.unique && !is_complex(operand.dtype);
  if (!sums || outer.empty() || s.dimensions.index_vector_dim == 0 ||
      !s.dimensions.operand_batching_dims.empty())
    return whole;
  const std::int64_t count = element_count(updates.shape), elements = element_count(operand.shape);
  if (count < least_updates || elements == 0 || beside(s, operand, updates) >= enough_beside)
    return whole;
  const std::int64_t size = ops::size_at(updates.shape, outer[0]);
  const std::int64_t bytes = elements * static_cast<std::int64_t>(size_of(operand.dtype));
  const std::int64_t most =
      std::min({most_parts, count / (updates_of_element * elements), most_bytes / bytes, size});
  if (most < 2) return whole;
  for (std::int64_t parts = most; parts > 1; --parts)
    if (size % parts == 0) return {outer[0], parts, size / parts};
  return {outer[0], most, (size + most - 1) / most};
}

std::vector<int> later(std::vector<int> axes, int than = -1) {
  for (int& axis : axes) axis += axis > than;
  return axes;
}

Array split(const ScatterAttributes& s, const Parts& cut, Arrays x, const Site& site) {
  const Type operand = type_of(x[0]);
  // What no update changes: adding it keeps every bit, also the sign of zero.
  const Array nothing = literal(is_floating(operand.dtype) ? -0.0 : 0.0, operand.dtype, site);
  const Shape shape = ops::with_axis(operand.shape, 0, cut.parts);
  const Array positions =
      in_parts(x[1], {0, cut.parts, cut.length}, literal(0, type_of(x[1]).dtype, site), site);
  const ops::ScatterDimensions& d = s.dimensions;
  const ops::ScatterDimensions dimensions{later(d.update_window_dims, cut.axis),
                                          later(d.inserted_window_dims),
                                          {0},
                                          {0},
                                          later(d.scatter_dims_to_operand_dims),
                                          d.index_vector_dim + 1};
  const Array sums = ops::scatter(ops::Update::add,
                                  ops::broadcast_in_dim(nothing, shape, {}, site),
                                  positions,
                                  in_parts(x[2], cut, nothing, site),
                                  dimensions,
                                  s.mode,
                                  {},  // positions that fill the last part up are not in order
                                  site);
  Array total = x[0];
  for (std::int64_t part = 0; part < cut.parts; ++part) {
    std::vector<std::int64_t> first(shape.size(), 0), end(shape.begin(), shape.end()),
        step(shape.size(), 1);
    first[0] = part;
    end[0] = part + 1;
    total = ops::binary("add",
                        total,
                        ops::reshape(ops::slice(sums, first, end, step, site), operand.shape, site),
                        site);
  }
  return total;
}

Parts parts_of(const Graph& graph, const Operation& o) {
  const auto s = ops::scatter_attributes(o.op);
  if (!s) return {0, 1, 0};
  return parts_of(*s, graph.operand_types(o));
}

}  // namespace

GraphRef split_many_updates(const GraphRef& graph) {
  const auto& operations = graph->operations();
  const auto has_parts = [&](const Operation& o) { return parts_of(*graph, o).parts > 1; };
  if (std::none_of(operations.begin(), operations.end(), has_parts)) return graph;
  return rewritten(graph, [](const Operation& o, Arrays operands) -> ArrayList {
    if (const auto s = ops::scatter_attributes(o.op)) {
      const Types types{type_of(operands[0]), type_of(operands[1]), type_of(operands[2])};
      const Parts cut = parts_of(*s, types);
      if (cut.parts > 1) return {split(*s, cut, operands, o.site)};
    }
    return emit_all(o.op, operands, o.site);
  });
}

}  // namespace fluxion
