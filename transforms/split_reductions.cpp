// Large reductions with few results as two smaller ones, so that chunks can be reduced side by
// side.
#include "trace/ops/axes.hpp"
#include "trace/ops/reduce.hpp"
#include "trace/passes.hpp"
#include "transforms/parts.hpp"
#include "transforms/walk.hpp"

#include <algorithm>

namespace fluxion {
namespace {

/// More elements than this for one result are split, into chunks of about `chunk`.
constexpr std::int64_t most_elements = 131072, chunk = 16384;
/// Beyond about so many parts their results would take time themselves.
constexpr std::int64_t most_parts = 4096;
/// With more results than this there is enough to do side by side.
constexpr std::int64_t most_results = 256;
/// The accumulators of a reduction along rows: chunks are multiples where that is possible.
constexpr std::int64_t lanes = 64;

std::int64_t reduced_count(const ops::ReduceAttributes& r, const Shape& shape) {
  std::int64_t count = 1;
  for (int axis : r.axes) count *= ops::size_at(shape, axis);
  return count;
}

bool combines_in_steps(const ops::ReduceAttributes& r, DType dtype) {
  const bool rounds = r.op == ops::Reduction::sum || r.op == ops::Reduction::prod;
  return !(rounds && r.in_element_type && is_floating(dtype));
}

bool is_large(const ops::ReduceAttributes& r, const Type& in) {
  const std::int64_t elements = reduced_count(r, in.shape);
  return elements > most_elements && element_count(in.shape) / elements <= most_results &&
         element_count(in.shape) > 0 && combines_in_steps(r, in.dtype);
}

/// The outermost axis that gives every worker a part, so that parts lie side by side in memory;
/// else the longest.
int cut_axis(const ops::ReduceAttributes& r, const Shape& shape) {
  constexpr std::int64_t enough = 8;
  for (int axis : r.axes) {
    if (ops::size_at(shape, axis) >= enough) return axis;
  }
  return *std::max_element(r.axes.begin(), r.axes.end(), [&](int a, int b) {
    return ops::size_at(shape, a) < ops::size_at(shape, b);
  });
}

/// Equal parts, if a number of them near the wanted one divides the axis.
Parts cut_of(const ops::ReduceAttributes& r, const Shape& shape) {
  const int axis = cut_axis(r, shape);
  const std::int64_t size = ops::size_at(shape, axis), others = reduced_count(r, shape) / size;
  const std::int64_t wanted = std::max({chunk / others, size / most_parts, std::int64_t{1}});
  const std::int64_t parts = (size + wanted - 1) / wanted;
  const std::int64_t multiple = axis + 1 == static_cast<int>(shape.size()) ? lanes : 1;
  for (std::int64_t unit : {multiple, std::int64_t{1}}) {
    for (std::int64_t p = parts; p <= 2 * parts && p <= size; ++p) {
      if (size % p == 0 && size / p % unit == 0) return {axis, p, size / p};
    }
  }
  const std::int64_t length = (size + parts - 1) / parts;
  return {axis, parts, (length + multiple - 1) / multiple * multiple};
}

Array split(const ops::ReduceAttributes& r, const Array& x, const Site& site) {
  const Type type = type_of(x);
  const bool half = type.dtype == float16 || type.dtype == bfloat16;
  // Partial sums keep the digits that a single reduction would keep.
  const Array wide = half ? ops::convert(x, float32, site) : x;
  const Parts cut = cut_of(r, type.shape);
  const Array identity = ops::reduction_identity(r.op, type_of(wide).dtype, site);
  std::vector<int> axes;
  int before = 0;
  for (int axis : r.axes) {
    axes.push_back(axis + (axis >= cut.axis));
    before += axis < cut.axis;
  }
  const Array partial = ops::reduce(r.op, in_parts(wide, cut, identity, site), axes, site);
  const Array total = ops::reduce(r.op, partial, {cut.axis - before}, site);
  return half ? ops::convert(total, type.dtype, site) : total;
}

bool has_large(const Graph& graph) {
  return std::any_of(graph.operations().begin(), graph.operations().end(), [&](const Operation& o) {
    const auto r = ops::reduce_attributes(o.op);
    return r && is_large(*r, graph.type(o.operands[0]));
  });
}

}  // namespace

GraphRef split_large_reductions(const GraphRef& graph) {
  if (!has_large(*graph)) return graph;
  return rewritten(graph, [](const Operation& o, Arrays operands) -> ArrayList {
    const auto r = ops::reduce_attributes(o.op);
    if (r && is_large(*r, type_of(operands[0]))) return {split(*r, operands[0], o.site)};
    return emit_all(o.op, operands, o.site);
  });
}

}  // namespace fluxion
