// StableHLO's reductions, windows and sorts: well-known regions as one operation, any other region
// applied to whole arrays.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/ops/reduce_window.hpp"
#include "trace/tensor.hpp"

#include <algorithm>

namespace fluxion::stablehlo {
namespace {

constexpr std::int64_t most_window_elements = std::int64_t{1} << 31;

struct Reduced {
  std::size_t count;  // arrays
  ArrayList arrays, init;
};

Reduced operands(const Step& s) {
  Reduced out{s.count() / 2, {}, {}};
  if (s.count() == 0 || s.count() % 2)
    s.complain(s.op.name + " takes a first value for each array");
  if (s.region(0).operations.empty()) s.complain("the region of " + s.op.name + " is empty");
  for (std::size_t k = 0; k < s.count(); ++k)
    (k < out.count ? out.arrays : out.init).push_back(s.x(k));
  for (std::size_t k = 0; k < out.count; ++k) {
    if (!(type_of(out.arrays[k]).shape == type_of(out.arrays[0]).shape))
      s.complain("the arrays of " + s.op.name + " differ in shape");
    if (!type_of(out.init[k]).shape.empty())
      s.complain("a first value of " + s.op.name + " is a scalar");
    if (type_of(out.init[k]).dtype != type_of(out.arrays[k]).dtype)
      s.complain("a first value of " + s.op.name + " has the dtype of its array");
  }
  return out;
}

/// What combines two elements of each array.
Body combiner(const Step& s, const ArrayList& arrays) {
  Types scalars;
  for (int twice = 0; twice < 2; ++twice)
    for (const Array& x : arrays) scalars.push_back({Shape(), type_of(x).dtype});
  return {s, s.region(0), scalars, TypeList(scalars).first(arrays.size())};
}

/// Sums of complex numbers are those of their parts, so that each part is rounded as it is.
template <class Sum>
Array by_parts(Combination how, const Array& x, const Site& site, const Sum& sum) {
  if (!is_complex(type_of(x).dtype) || how != Combination::add) return sum(x);
  const Array re = ops::unary("real", x, site), im = ops::unary("imag", x, site);
  return ops::binary("complex", sum(re), sum(im), site);
}

/// The reduction with its first value, unless that changes nothing.
Array with_first(
    const Step& s, Combination how, const Array& reduced, std::size_t k, std::size_t count) {
  const Elements* literal = s.literal_of(s.op.operands[count + k]);
  if (literal && is_identity(how, *literal)) return reduced;
  return combine(
      how, broadcast_scalar(s.x(count + k), type_of(reduced).shape, s.site()), reduced, s.site());
}

/// Reduced axes become one last axis.
Array axes_last(const Array& x, const std::vector<int>& axes, const Site& site) {
  const Shape shape = type_of(x).shape;
  std::vector<int> order;
  Shape to;
  std::int64_t n = 1;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (std::find(axes.begin(), axes.end(), static_cast<int>(k)) != axes.end()) continue;
    order.push_back(static_cast<int>(k));
    to.push_back(shape[k]);
  }
  for (int axis : axes) {
    order.push_back(axis);
    n *= shape[static_cast<std::size_t>(axis)];
  }
  to.push_back(n);
  return reshaped(
      std::is_sorted(order.begin(), order.end()) ? x : ops::transpose(x, order, site), to, site);
}

/// The region of argmax and argmin over an array and its positions along one axis: the names of the
/// comparisons tell which.
std::optional<bool> is_argreduce(const Step& s, const Reduced& r, const std::vector<int>& axes) {
  if (r.count != 2 || axes.size() != 1 || !is_integer(type_of(r.arrays[1]).dtype) ||
      is_complex(type_of(r.arrays[0]).dtype))
    return {};
  const Operation* positions = s.definition(s.op.operands[1]);
  while (positions && positions->name == "stablehlo.broadcast_in_dim" &&
         positions->operands.size() == 1)
    positions = nullptr;
  const Attribute* along = positions && positions->name == "stablehlo.iota"
                               ? positions->find("iota_dimension")
                                     ? positions->find("iota_dimension")
                                     : positions->find("dim")
                               : nullptr;
  if (!along || along->integer != axes[0]) return {};
  const Elements* first = s.literal_of(s.op.operands[3]);
  if (!first || !is_identity(Combination::add, *first)) return {};
  const Region& g = s.region(0);
  if (g.arguments.size() != 4 || g.operations.size() != 10) return {};
  const ValueNumber a = g.arguments[0], i = g.arguments[1], b = g.arguments[2], j = g.arguments[3];
  const auto result = [&](std::size_t k) { return g.operations[k].first_result; };
  const auto is = [&](std::size_t k,
                      std::string_view name,
                      std::vector<ValueNumber> of,
                      std::string_view direction = {}) {
    const Operation& o = g.operations[k];
    if (o.name != name || o.operands != of) return false;
    const Attribute* attribute = o.find("comparison_direction");
    return direction.empty() || (attribute         ? std::string_view(attribute->text)
                                 : o.words.empty() ? std::string_view()
                                                   : std::string_view(o.words[0])) == direction;
  };
  for (bool largest : {true, false}) {
    const bool matches =
        is(0, "stablehlo.compare", {a, b}, largest ? "GT" : "LT") &&
        is(1, "stablehlo.compare", {a, a}, "NE") && is(2, "stablehlo.or", {result(0), result(1)}) &&
        is(3, "stablehlo.compare", {a, b}, "EQ") && is(4, "stablehlo.compare", {i, j}, "LT") &&
        is(5, "stablehlo.and", {result(3), result(4)}) &&
        is(6, "stablehlo.or", {result(2), result(5)}) &&
        is(7, "stablehlo.select", {result(2), a, b}) &&
        is(8, "stablehlo.select", {result(6), i, j}) && is(9, "return", {result(7), result(8)});
    const Elements* extreme = s.literal_of(s.op.operands[2]);
    if (matches && extreme && is_identity(largest ? Combination::max : Combination::min, *extreme))
      return largest;
  }
  return {};
}

ArrayList reduce(const Step& s) {
  const Reduced r = operands(s);
  std::vector<int> axes = s.axes("dimensions");
  std::sort(axes.begin(), axes.end());
  const Shape& shape = type_of(r.arrays[0]).shape;
  for (std::size_t k = 0; k < axes.size(); ++k)
    if (axes[k] >= static_cast<int>(shape.size()) || (k && axes[k] == axes[k - 1]))
      s.complain("there is no axis " + std::to_string(axes[k]) + ", or it is named twice");
  std::vector<Combination> how;
  bool known = true;
  for (std::size_t k = 0; k < r.count; ++k) {
    how.push_back(combination_of(s.region(0), k, r.count));
    known = known && reduction_of(how[k], type_of(r.arrays[k]).dtype).has_value();
  }
  ArrayList out;
  if (known) {
    for (std::size_t k = 0; k < r.count; ++k)
      out.push_back(with_first(s,
                               how[k],
                               by_parts(how[k],
                                        r.arrays[k],
                                        s.site(),
                                        [&](const Array& x) {
                                          const ops::Reduction op =
                                              *reduction_of(how[k], type_of(x).dtype);
                                          return ops::reduce(op, x, axes, s.site(), true);
                                        }),
                               k,
                               r.count));
    return out;
  }
  if (const std::optional<bool> largest = is_argreduce(s, r, axes);
      largest && shape[static_cast<std::size_t>(axes[0])] > 0) {
    const Array place =
        ops::argreduce(*largest, r.arrays[0], axes[0], type_of(r.arrays[1]).dtype, s.site());
    const ops::Reduction extreme =
        *reduction_of(*largest ? Combination::max : Combination::min, type_of(r.arrays[0]).dtype);
    return {ops::reduce(extreme, r.arrays[0], axes, s.site(), true), place};
  }
  ArrayList last;
  for (const Array& x : r.arrays) last.push_back(axes_last(x, axes, s.site()));
  return fold_last_axis(combiner(s, r.arrays), std::move(last), r.init, s.site());
}

ops::Window window_of(const Step& s, std::size_t rank) {
  ops::Window w;
  w.size = s.integers_or("window_dimensions", rank, 1);
  w.stride = s.integers_or("window_strides", rank, 1);
  w.base_dilation = s.integers_or("base_dilations", rank, 1);
  w.window_dilation = s.integers_or("window_dilations", rank, 1);
  w.padding = s.pairs_or_zero("padding", rank);
  for (std::size_t k = 0; k < rank; ++k)
    for (std::int64_t v : {w.size[k], w.stride[k], w.base_dilation[k], w.window_dilation[k]})
      if (v < 1 || v > most_window_elements)
        s.complain("sizes, strides and dilations of a window are at least 1");
  return w;
}

/// For each window what lies in it, row by row along a last axis; `outside` where nothing does.
Array windows(const Step& s, const Array& x, const ops::Window& w, const Array& outside) {
  const Site& site = s.site();
  std::vector<ops::Padding> padding;
  for (std::size_t k = 0; k < w.size.size(); ++k)
    padding.push_back({w.padding[k].first, w.padding[k].second, w.base_dilation[k] - 1});
  const Array padded = ops::pad(x, outside, padding, site);
  const Shape shape = type_of(padded).shape;
  const std::size_t rank = shape.size();
  Shape counts, all;
  std::int64_t inside = 1, total = 1;
  for (std::size_t k = 0; k < rank; ++k) {
    const std::int64_t reach = (w.size[k] - 1) * w.window_dilation[k] + 1;
    counts.push_back(shape[k] < reach ? 0 : (shape[k] - reach) / w.stride[k] + 1);
    inside *= w.size[k];
    if (inside > most_window_elements) s.complain("the windows are too large");
    total *= std::max<std::int64_t>(counts[k], 1);
    if (total > most_window_elements || total * inside > most_window_elements)
      s.complain("the windows are too many");
  }
  for (std::int64_t n : counts) all.push_back(n);
  for (std::int64_t n : w.size) all.push_back(n);
  Array flat;
  std::int64_t stride = 1;
  for (std::size_t k = rank; k-- > 0;) {
    const auto term = [&](std::size_t axis, std::int64_t scale) {
      const Array positions = ops::iota({all, int64}, static_cast<int>(axis), site);
      return ops::binary(
          "mul", positions, number(positions, static_cast<double>(scale), site), site);
    };
    const Array both = ops::binary(
        "add", term(k, w.stride[k] * stride), term(rank + k, w.window_dilation[k] * stride), site);
    flat = defined(flat) ? ops::binary("add", flat, both, site) : both;
    stride *= shape[k];
  }
  Shape last = counts;
  last.push_back(inside);
  if (rank == 0) return reshaped(padded, last, site);
  if (element_count(shape) == 0 || element_count(last) == 0)
    return broadcast_scalar(outside, last, site);
  Shape vectors = last;
  vectors.push_back(1);
  ops::GatherDimensions g;
  g.collapsed_slice_dims = g.start_index_map = {0};
  g.index_vector_dim = static_cast<int>(last.size());
  return ops::gather(reshaped(padded, Shape{element_count(shape)}, site),
                     ops::reshape(flat, vectors, site),
                     g,
                     {1},
                     ops::OutOfBounds::promise_in_bounds,
                     site);
}

ArrayList reduce_window(const Step& s) {
  const Reduced r = operands(s);
  const ops::Window w = window_of(s, type_of(r.arrays[0]).shape.size());
  std::vector<std::optional<ops::Reduction>> how;
  bool known = true;
  for (std::size_t k = 0; k < r.count; ++k) {
    const DType d = type_of(r.arrays[k]).dtype;
    how.push_back(reduction_of(combination_of(s.region(0), k, r.count), d));
    known = known && how[k] &&
            (*how[k] == ops::Reduction::sum || *how[k] == ops::Reduction::prod ||
             *how[k] == ops::Reduction::max || *how[k] == ops::Reduction::min);
  }
  ArrayList out;
  if (known) {
    for (std::size_t k = 0; k < r.count; ++k)
      out.push_back(with_first(s,
                               combination_of(s.region(0), k, r.count),
                               by_parts(combination_of(s.region(0), k, r.count),
                                        r.arrays[k],
                                        s.site(),
                                        [&](const Array& x) {
                                          return ops::reduce_window_in_order(
                                              *how[k], x, w, s.site());
                                        }),
                               k,
                               r.count));
    return out;
  }
  ArrayList under;
  for (std::size_t k = 0; k < r.count; ++k) under.push_back(windows(s, r.arrays[k], w, r.init[k]));
  return fold_last_axis(combiner(s, r.arrays), std::move(under), r.init, s.site());
}

/// The direction of a region that is one comparison of its two arguments.
std::string comparison_of(const Region& g) {
  if (g.operations.size() != 2 || g.arguments.size() != 2) return {};
  const Operation &o = g.operations[0], &last = g.operations[1];
  if (o.name != "stablehlo.compare" || o.operands != g.arguments || last.name != "return" ||
      last.operands != std::vector<ValueNumber>{o.first_result})
    return {};
  const Attribute* direction = o.find("comparison_direction");
  return direction ? direction->text : o.words.empty() ? std::string() : o.words[0];
}

/// Each window gives its source to the element that the first region chooses.
ArrayList select_and_scatter(const Step& s) {
  const Site& site = s.site();
  const Type type = s.type(0), source = s.type(1);
  if (source.dtype != type.dtype || !(s.type(2) == Type{Shape(), type.dtype}))
    s.complain(
        "stablehlo.select_and_scatter takes an array, sources and a first value of one dtype");
  if (s.region(1).operations.empty())
    s.complain("the second region of stablehlo.select_and_scatter is empty");
  ops::Window w = window_of(s, type.shape.size());
  const std::string direction = comparison_of(s.region(0));
  if (direction != "GE" && direction != "LE" && direction != "GT" && direction != "LT")
    s.complain(
        "the first region of stablehlo.select_and_scatter is not a comparison of its arguments by "
        "GE, GT, LE or LT");
  const bool largest = direction[0] == 'G';
  if (direction[1] == 'T')
    s.complain(
        "the first region of stablehlo.select_and_scatter chooses the last of equal elements: GE "
        "and LE are known");
  const Combination how = combination_of(s.region(1), 0, 1);
  const std::optional<ops::Reduction> reduction = reduction_of(how, type.dtype);
  if (!reduction)
    s.complain(
        "the second region of stablehlo.select_and_scatter is not a single add, multiply, minimum "
        "or maximum");
  const Array place = ops::window_argreduce(largest, s.x(0), w, int64, site);
  if (!(type_of(place).shape == source.shape))
    s.complain(
        "there is not one source for each window",
        {"windows " + to_string(type_of(place).shape), "sources " + to_string(source.shape)});
  const std::int64_t n = element_count(type.shape), count = element_count(source.shape);
  const Array base = broadcast_scalar(s.x(2), Shape{n}, site);
  if (n == 0 || count == 0) return {reshaped(base, type.shape, site)};
  ops::ScatterDimensions d;
  d.inserted_window_dims = d.scatter_dims_to_operand_dims = {0};
  d.index_vector_dim = 1;
  const ops::Update update =
      *reduction == ops::Reduction::sum                                        ? ops::Update::add
      : *reduction == ops::Reduction::prod                                     ? ops::Update::mul
      : *reduction == ops::Reduction::max || *reduction == ops::Reduction::any ? ops::Update::max
                                                                               : ops::Update::min;
  const Array flat = ops::scatter(update,
                                  base,
                                  ops::reshape(place, Shape{count, 1}, site),
                                  reshaped(s.x(1), Shape{count}, site),
                                  d,
                                  ops::OutOfBounds::promise_in_bounds,
                                  {},
                                  site);
  return {reshaped(flat, type.shape, site)};
}

/// A region on scalars over all elements.
ArrayList map(const Step& s) {
  if (s.count() == 0) s.complain("stablehlo.map takes at least one array");
  Types scalars;
  ArrayList arrays;
  for (std::size_t k = 0; k < s.count(); ++k) {
    arrays.push_back(s.x(k));
    scalars.push_back({Shape(), s.type(k).dtype});
    if (!(s.type(k).shape == s.type(0).shape))
      s.complain("the arrays of stablehlo.map differ in shape");
  }
  const Type result[] = {{Shape(), s.result().dtype}};
  return Body(s, s.region(0), scalars, result).apply(arrays);
}

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.reduce", -1, -1, 1, reduce},
      {"stablehlo.reduce_window", -1, -1, 1, reduce_window},
      {"stablehlo.select_and_scatter", 3, 1, 2, select_and_scatter},
      {"stablehlo.map", -1, 1, 1, map},
  };
  return table;
}

}  // namespace

Rows reduction_rows() { return rows(); }

}  // namespace fluxion::stablehlo
