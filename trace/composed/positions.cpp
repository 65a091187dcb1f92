// Arrays of positions: what they may be, how they count, and the gather along axes that they choose
// from.
#include "trace/indexing.hpp"

#include <fmt/format.h>
#include <limits>

namespace fluxion::composed {

Array wrapped_positions(std::string_view who,
                        const Array& positions,
                        std::int64_t size,
                        const Site& site) {
  const DType d = positions.dtype(site);
  if (d == bool_)
    fail("index",
         site,
         fmt::format("{}: a mask of bools selects a number of elements that only its values tell",
                     who),
         {fmt::format("mask {}", to_string(type_of(positions)))},
         "fx::where(mask, x, otherwise) keeps the shape");
  if (!is_integer(d))
    fail(
        "index",
        site,
        fmt::format("{}: positions are integers, these are {}", who, to_string(type_of(positions))),
        {},
        "convert first: i.astype(fx::int32)");
  const bool wide =
      size > std::numeric_limits<std::int32_t>::max() || size_of(d) == 8 || d == uint32;
  const Array p = positions.astype(wide ? int64 : int32, site);
  return is_unsigned(d) ? p : where(Operand(p < 0, site), p + size, p);
}

Array gather_axes(std::string_view who,
                  const Array& x,
                  const std::vector<int>& axes,
                  const std::vector<Array>& positions,
                  int place,
                  const Site& site) {
  SiteScope here(site);
  std::vector<Array> columns;
  DType d = int32;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    columns.push_back(wrapped_positions(who, positions[k], size_at(x, axes[k]), site));
    d = promote(d, type_of(columns.back()).dtype);
  }
  const Shape batch = broadcast_shapes(who, columns, site);
  Shape column = batch, sizes;
  column.push_back(1);
  for (Array& c : columns) c = broadcast(who, c.astype(d), batch, site).reshape(column);
  const int rank = static_cast<int>(batch.size()),
            result_rank = rank + rank_of(x) - static_cast<int>(axes.size());
  ops::GatherDimensions g;
  g.collapsed_slice_dims = g.start_index_map = axes;
  g.index_vector_dim = rank;
  for (int k = 0; k < result_rank; ++k)
    if (k < place || k >= place + rank) g.offset_dims.push_back(k);
  std::vector<std::int64_t> slice(shape_of(x).begin(), shape_of(x).end());
  for (int axis : axes) {
    if (slice[static_cast<std::size_t>(axis)] == 0) {
      if (element_count(batch) > 0)
        fail("index",
             site,
             fmt::format("{}: axis {} of {} has no elements to choose from",
                         who,
                         axis,
                         to_string(type_of(x))));
      Shape empty = without_axes(shape_of(x), axes);
      for (int k = 0; k < rank; ++k)
        empty = composed::with_axis(empty, place + k, batch[static_cast<std::size_t>(k)]);
      return zeros(empty, type_of(x).dtype);
    }
    slice[static_cast<std::size_t>(axis)] = 1;
  }
  return ops::gather(x, concatenate(columns, rank), g, slice, ops::OutOfBounds::clip, site);
}

}  // namespace fluxion::composed
