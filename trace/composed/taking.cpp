// Elements and slices at computed positions, by name.
#include "trace/indexing.hpp"
#include "trace/ops/dynamic_slice.hpp"

#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

ops::OutOfBounds primitive(lax::OutOfBounds mode) {
  switch (mode) {
    case lax::OutOfBounds::clip:
      return ops::OutOfBounds::clip;
    case lax::OutOfBounds::fill:
      return ops::OutOfBounds::fill;
    case lax::OutOfBounds::promise_in_bounds:
      return ops::OutOfBounds::promise_in_bounds;
  }
  __builtin_unreachable();
}

Array scattered(ops::Update op,
                const Operand& x,
                const Operand& indices,
                const Operand& updates,
                const lax::ScatterDimensions& d,
                const lax::ScatterOptions& o) {
  SiteScope here(x.site());
  const Array a = array_of(x), at = array_of(indices);
  if (rank_of(at) == 0)
    fail("scatter",
         indices.site(),
         "scatter: the index vectors lie along the last axis of indices, which is a scalar");
  const ops::ScatterDimensions s{d.update_window_dims,
                                 d.inserted_window_dims,
                                 d.operand_batching_dims,
                                 d.scatter_indices_batching_dims,
                                 d.scatter_dims_to_operand_dims,
                                 rank_of(at) - 1};
  return ops::scatter(op,
                      a,
                      at,
                      as(updates, type_of(a).dtype, "scatter"),
                      s,
                      primitive(o.mode),
                      {o.unique_indices, o.indices_are_sorted},
                      x.site());
}

/// The starts as scalars, counted from the front.
std::vector<Array> starts_of(std::string_view who,
                             const Array& x,
                             const std::vector<Array>& start,
                             const Site& site) {
  if (static_cast<int>(start.size()) != rank_of(x))
    fail("slice",
         site,
         fmt::format("{}: {} starts are given for {} axes", who, start.size(), rank_of(x)),
         {fmt::format("x {}", to_string(type_of(x)))});
  std::vector<Array> starts;
  for (std::size_t k = 0; k < start.size(); ++k) {
    if (start[k].ndim(site) != 0)
      fail("slice",
           site,
           fmt::format("{}: the start along axis {} is {}, not a scalar",
                       who,
                       k,
                       to_string(type_of(start[k]))));
    starts.push_back(wrapped_positions(who, start[k], size_at(x, static_cast<int>(k)), site));
  }
  return starts;
}

}  // namespace

Array take(const Operand& x, const Operand& indices, MaybeAxis axis) {
  SiteScope here(x.site());
  const Array a = axis ? array_of(x) : flatten(x);
  const int k = axis ? axis_of("take", *axis, rank_of(a), x.site()) : 0;
  return gather_axes("take", a, {k}, {array_of(indices)}, k, x.site());
}

// Every axis but the chosen one is a batching dimension: the positions go along with the elements.
Array take_along_axis(const Operand& x, const Operand& indices, int axis) {
  SiteScope here(x.site());
  const Array a = array_of(x), i = array_of(indices);
  const int rank = rank_of(a), k = axis_of("take_along_axis", axis, rank, x.site());
  if (rank_of(i) != rank)
    fail("index",
         x.site(),
         fmt::format("take_along_axis: the indices have {} axes, x has {}", rank_of(i), rank),
         {fmt::format("x {}", to_string(type_of(a))),
          fmt::format("indices {}", to_string(type_of(i)))});
  const Shape others =
      broadcast_shapes("take_along_axis",
                       with_size(shape_of(a), k, 1),
                       with_size(shape_of(i), k, 1),
                       {"x " + to_string(type_of(a)), "indices " + to_string(type_of(i))},
                       x.site());
  const std::int64_t size = size_at(a, k), count = size_at(i, k);
  const Shape result = with_size(others, k, count);
  if (size == 0 && element_count(result) > 0)
    fail("index",
         x.site(),
         fmt::format("take_along_axis: axis {} of {} has no elements to choose from",
                     k,
                     to_string(type_of(a))));
  if (size == 0) return zeros(result, type_of(a).dtype);
  Shape column = result;
  column.push_back(1);
  const Array from = broadcast("take_along_axis", a, with_size(others, k, size), x.site());
  const Array at = broadcast("take_along_axis",
                             wrapped_positions("take_along_axis", i, size, x.site()),
                             result,
                             x.site())
                       .reshape(column);
  ops::GatherDimensions g;
  g.collapsed_slice_dims = g.start_index_map = {k};
  g.index_vector_dim = rank;
  for (int b = 0; b < rank; ++b)
    if (b != k) g.operand_batching_dims.push_back(b);
  // the chosen axis of the indices stays an axis of positions
  g.start_indices_batching_dims = g.operand_batching_dims;
  return ops::gather(from,
                     at,
                     g,
                     std::vector<std::int64_t>(static_cast<std::size_t>(rank), 1),
                     ops::OutOfBounds::clip,
                     x.site());
}

Array one_hot(const Operand& indices, std::int64_t classes, DType dtype) {
  SiteScope here(indices.site());
  const Array i = array_of(indices);
  if (!is_integer(type_of(i).dtype))
    fail("index",
         indices.site(),
         "one_hot: indices are integers, these are " + to_string(type_of(i)),
         {},
         "convert first: i.astype(fx::int32)");
  if (classes < 0)
    fail("shape", indices.site(), fmt::format("one_hot: {} classes are asked for", classes));
  const DType d =
      size_of(type_of(i).dtype) < 4 || type_of(i).dtype == uint32 ? int32 : type_of(i).dtype;
  const Shape shape = composed::with_axis(shape_of(i), rank_of(i), classes);
  const Array wide = broadcast("one_hot",
                               i.astype(d).reshape(composed::with_axis(shape_of(i), rank_of(i), 1)),
                               shape,
                               indices.site());
  return (wide == ops::iota({shape, d}, rank_of(i), indices.site())).astype(dtype);
}

namespace lax {

Array gather(const Operand& x,
             const Operand& indices,
             const GatherDimensions& d,
             const Shape& slice_sizes,
             OutOfBounds mode) {
  const Array a = array_of(x), at = array_of(indices);
  if (rank_of(at) == 0)
    fail("gather",
         indices.site(),
         "gather: the index vectors lie along the last axis of indices, which is a scalar");
  const ops::GatherDimensions g{d.offset_dims,
                                d.collapsed_slice_dims,
                                d.operand_batching_dims,
                                d.start_indices_batching_dims,
                                d.start_index_map,
                                rank_of(at) - 1};
  return ops::gather(a, at, g, {slice_sizes.begin(), slice_sizes.end()}, primitive(mode), x.site());
}

Array scatter(const Operand& x,
              const Operand& i,
              const Operand& u,
              const ScatterDimensions& d,
              const ScatterOptions& o) {
  return scattered(ops::Update::set, x, i, u, d, o);
}
Array scatter_add(const Operand& x,
                  const Operand& i,
                  const Operand& u,
                  const ScatterDimensions& d,
                  const ScatterOptions& o) {
  return scattered(ops::Update::add, x, i, u, d, o);
}
Array scatter_mul(const Operand& x,
                  const Operand& i,
                  const Operand& u,
                  const ScatterDimensions& d,
                  const ScatterOptions& o) {
  return scattered(ops::Update::mul, x, i, u, d, o);
}
Array scatter_min(const Operand& x,
                  const Operand& i,
                  const Operand& u,
                  const ScatterDimensions& d,
                  const ScatterOptions& o) {
  return scattered(ops::Update::min, x, i, u, d, o);
}
Array scatter_max(const Operand& x,
                  const Operand& i,
                  const Operand& u,
                  const ScatterDimensions& d,
                  const ScatterOptions& o) {
  return scattered(ops::Update::max, x, i, u, d, o);
}

Array dynamic_slice(const Operand& x, const std::vector<Array>& start, const Shape& sizes) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  const std::vector<Array> at = starts_of("dynamic_slice", a, start, x.site());
  return ops::dynamic_slice(a, at, {sizes.begin(), sizes.end()}, x.site());
}

Array dynamic_update_slice(const Operand& x,
                           const Operand& update,
                           const std::vector<Array>& start) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  const Array u = as(update, type_of(a).dtype, "dynamic_update_slice");
  const std::vector<Array> at = starts_of("dynamic_update_slice", a, start, x.site());
  return ops::dynamic_update_slice(ops::Update::set, a, u, at, x.site());
}

}  // namespace lax
}  // namespace fluxion
