// StableHLO's gather, scatter and slices whose place is known only at run time.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/ops/dynamic_slice.hpp"
#include "trace/tensor.hpp"

namespace fluxion::stablehlo {
namespace {

const Attribute& dimensions(const Step& s, std::string_view name) {
  const Attribute& a = s.need(name);
  if (a.kind != Attribute::Kind::dictionary)
    s.complain(std::string(name) + " of " + s.op.name + " is a list of named lists");
  return a;
}

int index_vector_axis(const Step& s, const Attribute& a) {
  const Attribute* axis = a.find("index_vector_dim");
  if (!axis) return 0;
  if (axis->kind != Attribute::Kind::integer || axis->integer < 0 || axis->integer > 64)
    s.complain("index_vector_dim is an axis");
  return static_cast<int>(axis->integer);
}

ArrayList gather(const Step& s) {
  const Attribute& a = dimensions(s, "dimension_numbers");
  ops::GatherDimensions d;
  d.offset_dims = s.axes_of(a.find("offset_dims"));
  d.collapsed_slice_dims = s.axes_of(a.find("collapsed_slice_dims"));
  d.operand_batching_dims = s.axes_of(a.find("operand_batching_dims"));
  d.start_indices_batching_dims = s.axes_of(a.find("start_indices_batching_dims"));
  d.start_index_map = s.axes_of(a.find("start_index_map"));
  d.index_vector_dim = index_vector_axis(s, a);
  return {
      ops::gather(s.x(0), s.x(1), d, s.integers("slice_sizes"), ops::OutOfBounds::clip, s.site())};
}

std::optional<ops::Update> update_of(Combination how, DType dtype) {
  const bool truth = dtype == bool_;
  switch (how) {
    case Combination::second:
      return ops::Update::set;
    case Combination::add:
      return truth ? ops::Update::max : ops::Update::add;
    case Combination::mul:
      return truth ? ops::Update::min : ops::Update::mul;
    case Combination::min:
      return is_complex(dtype) ? std::optional<ops::Update>() : ops::Update::min;
    case Combination::max:
      return is_complex(dtype) ? std::optional<ops::Update>() : ops::Update::max;
    case Combination::bit_and:
      return truth ? std::optional(ops::Update::min) : std::nullopt;
    case Combination::bit_or:
      return truth ? std::optional(ops::Update::max) : std::nullopt;
    default:
      return {};
  }
}

/// A region that is no single operation: where no two updates meet, the old values are gathered,
/// combined with all updates at once,
/// and set; else one position follows the other.
ArrayList scatter_combined(const Step& s,
                           const ops::ScatterDimensions& d,
                           ops::ScatterPromise promise,
                           std::size_t count) {
  if (!promise.unique) return scatter_in_order(s, d, count);
  ops::GatherDimensions g;
  g.offset_dims = d.update_window_dims;
  g.collapsed_slice_dims = d.inserted_window_dims;
  g.operand_batching_dims = d.operand_batching_dims;
  g.start_indices_batching_dims = d.scatter_indices_batching_dims;
  g.start_index_map = d.scatter_dims_to_operand_dims;
  g.index_vector_dim = d.index_vector_dim;
  const Shape& updates = s.type(count + 1).shape;
  std::vector<std::int64_t> sizes;
  std::size_t window = 0;
  const auto among = [](std::size_t k, const std::vector<int>& list) {
    return std::find(list.begin(), list.end(), static_cast<int>(k)) != list.end();
  };
  for (std::size_t k = 0; k < s.type(0).shape.size(); ++k) {
    const bool single = among(k, d.inserted_window_dims) || among(k, d.operand_batching_dims);
    if (!single && window >= d.update_window_dims.size())
      s.complain("update_window_dims and the operand do not go together");
    if (!single && static_cast<std::size_t>(d.update_window_dims[window]) >= updates.size())
      s.complain("update_window_dims and the updates do not go together");
    sizes.push_back(single ? 1 : updates[static_cast<std::size_t>(d.update_window_dims[window++])]);
  }
  Types scalars;
  ArrayList both;
  for (std::size_t k = 0; k < count; ++k)
    both.push_back(ops::gather(s.x(k), s.x(count), g, sizes, ops::OutOfBounds::clip, s.site()));
  for (std::size_t k = 0; k < count; ++k) both.push_back(s.x(count + 1 + k));
  for (const Array& x : both) scalars.push_back({Shape(), type_of(x).dtype});
  const ArrayList combined =
      Body(s, s.region(0), scalars, TypeList(scalars).first(count)).apply(both);
  ArrayList out;
  for (std::size_t k = 0; k < count; ++k)
    out.push_back(ops::scatter(ops::Update::set,
                               s.x(k),
                               s.x(count),
                               combined[k],
                               d,
                               ops::OutOfBounds::fill,
                               promise,
                               s.site()));
  return out;
}

ArrayList scatter(const Step& s) {
  if (s.count() < 3 || s.count() % 2 == 0)
    s.complain("stablehlo.scatter takes arrays, indices, and an update for each array");
  const std::size_t count = s.count() / 2;
  if (s.region(0).operations.empty()) s.complain("the region of stablehlo.scatter is empty");
  const Attribute& a = dimensions(s, "scatter_dimension_numbers");
  ops::ScatterDimensions d;
  d.update_window_dims = s.axes_of(a.find("update_window_dims"));
  d.inserted_window_dims = s.axes_of(a.find("inserted_window_dims"));
  d.operand_batching_dims = s.axes_of(a.find("input_batching_dims"));
  d.scatter_indices_batching_dims = s.axes_of(a.find("scatter_indices_batching_dims"));
  d.scatter_dims_to_operand_dims = s.axes_of(a.find("scatter_dims_to_operand_dims"));
  d.index_vector_dim = index_vector_axis(s, a);
  const ops::ScatterPromise promise{s.flag("unique_indices", false),
                                    s.flag("indices_are_sorted", false)};
  ArrayList out;
  for (std::size_t k = 0; k < count; ++k) {
    const std::optional<ops::Update> update =
        update_of(combination_of(s.region(0), k, count), s.type(k).dtype);
    const DType dtype = s.type(k).dtype;
    const bool rounds = (update == ops::Update::add || update == ops::Update::mul) &&
                        (dtype == float16 || dtype == bfloat16);
    if (!update || (rounds && !promise.unique)) return scatter_combined(s, d, promise, count);
    out.push_back(ops::scatter(*update,
                               s.x(k),
                               s.x(count),
                               s.x(count + 1 + k),
                               d,
                               ops::OutOfBounds::fill,
                               promise,
                               s.site()));
  }
  return out;
}

ArrayList starts(const Step& s, std::size_t from) {
  ArrayList out;
  for (std::size_t k = from; k < s.count(); ++k) out.push_back(s.x(k));
  if (out.size() != s.type(0).shape.size())
    s.complain(s.op.name + " takes one start for each axis");
  for (const Array& start : out)
    if (!type_of(start).shape.empty() || !is_integer(type_of(start).dtype))
      s.complain(s.op.name + ": a start is an integer scalar");
  return out;
}

ArrayList dynamic_slice(const Step& s) {
  if (s.count() < 1) s.complain("stablehlo.dynamic_slice takes an array");
  const ArrayList at = starts(s, 1);
  return {ops::dynamic_slice(s.x(0), at, s.integers("slice_sizes", "sizes"), s.site())};
}

ArrayList dynamic_update_slice(const Step& s) {
  if (s.count() < 2) s.complain("stablehlo.dynamic_update_slice takes an array and an update");
  const ArrayList at = starts(s, 2);
  return {ops::dynamic_update_slice(ops::Update::set, s.x(0), s.x(1), at, s.site())};
}

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.gather", 2, 1, 0, gather},
      {"stablehlo.scatter", -1, -1, 1, scatter},
      {"stablehlo.dynamic_slice", -1, 1, 0, dynamic_slice},
      {"stablehlo.dynamic_update_slice", -1, 1, 0, dynamic_update_slice},
  };
  return table;
}

}  // namespace

Rows indexing_rows() { return rows(); }

}  // namespace fluxion::stablehlo
