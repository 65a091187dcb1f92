// x[...] and x.at(...).set(...): what a list of indices selects, as slices where it can be, as
// gathers and scatters where it must.
#include "trace/indexing.hpp"

#include "trace/node.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace fluxion {
namespace {

using namespace composed;

/// A strided run along one axis, in ascending order; `reversed` says that it is read backwards.
struct Run {
  std::int64_t start = 0, count = 0, step = 1;
  bool reversed = false;
  std::int64_t stop() const { return count == 0 ? start : start + (count - 1) * step + 1; }
};

/// What one index does: it selects along an axis of x, or (newaxis) makes one.
struct Choice {
  Index::Kind kind;
  int axis = -1;    // of x
  Run run;          // position, range, all
  Array positions;  // array
  Site site;
};

/// A list of indices understood for one array.
class Selection {
 public:
  Selection(const Array& x, std::span<const Index> indices, const Site& site) : x_(x), site_(site) {
    read(indices);
  }

  Array get() const {
    const Array part = sliced(x_);
    return arrays_ ? gathered(part) : part.reshape(view_shape());
  }
  Array update(ops::Update op, std::string_view who, const Operand& value) const;

 private:
  void read(std::span<const Index>);
  Run position(const Index&, int axis) const;
  Run range(const Index&, int axis) const;
  Array sliced(const Array&) const;
  Array gathered(const Array& part) const;
  Shape view_shape() const;
  int place() const;
  Shape result_shape(const Shape& batch) const;
  Array updated_region(ops::Update, const Array& values) const;
  Selection ranges_only() const;
  Array scattered(ops::Update, std::string_view who, const Operand& value) const;
  std::vector<Array> position_columns(Shape& batch) const;

  Array x_;
  Site site_;
  bool arrays_ = false;
  std::vector<Choice> choices_;
};

void Selection::read(std::span<const Index> indices) {
  const int rank = rank_of(x_);
  int used = 0, dots = 0;
  for (const Index& i : indices) {
    dots += i.kind == Index::Kind::ellipsis;
    used += i.kind != Index::Kind::ellipsis && i.kind != Index::Kind::newaxis;
    arrays_ |= i.kind == Index::Kind::array;
  }
  if (used > rank)
    fail("index",
         site_,
         fmt::format("[]: {} indices for an array of {} axes", used, rank),
         {fmt::format("x {}", to_string(type_of(x_)))});
  if (dots > 1) fail("index", site_, "[]: fx::ellipsis stands in the list twice");
  int axis = 0;
  const auto whole = [&](int count) {
    for (int k = 0; k < count; ++k, ++axis)
      choices_.push_back({Index::Kind::all, axis, {0, size_at(x_, axis), 1, false}, {}, site_});
  };
  for (const Index& i : indices) {
    switch (i.kind) {
      case Index::Kind::ellipsis:
        whole(rank - used);
        break;
      case Index::Kind::newaxis:
        choices_.push_back({i.kind, -1, {}, {}, i.site});
        break;
      case Index::Kind::all:
        whole(1);
        break;
      case Index::Kind::position:
        choices_.push_back({i.kind, axis, position(i, axis), {}, i.site});
        ++axis;
        break;
      case Index::Kind::range:
        choices_.push_back({i.kind, axis, range(i, axis), {}, i.site});
        ++axis;
        break;
      case Index::Kind::array:
        choices_.push_back({i.kind, axis, {0, size_at(x_, axis), 1, false}, i.array, i.site});
        ++axis;
        break;
    }
  }
  whole(rank - axis);
}

Run Selection::position(const Index& i, int axis) const {
  const std::int64_t n = size_at(x_, axis), p = *i.range.start;
  if (p < -n || p >= n)
    fail("index",
         i.site,
         fmt::format("[]: position {} is outside axis {} of size {}", p, axis, n),
         {fmt::format("x {}", to_string(type_of(x_)))},
         n ? fmt::format("positions count from 0 to {}, or from -{} to -1", n - 1, n)
           : "the axis is empty");
  return {p < 0 ? p + n : p, 1, 1, false};
}

// As in Python: bounds outside are moved to the ends.
Run Selection::range(const Index& i, int axis) const {
  const std::int64_t n = size_at(x_, axis), step = i.range.step;
  if (step == 0) fail("index", i.site, "[]: the step of fx::slice is 0");
  const auto bound = [&](std::optional<std::int64_t> b,
                         std::int64_t otherwise,
                         std::int64_t least,
                         std::int64_t most) {
    if (!b) return otherwise;
    return std::clamp(*b < 0 ? *b + n : *b, least, most);
  };
  if (step > 0) {
    const std::int64_t start = bound(i.range.start, 0, 0, n), stop = bound(i.range.stop, n, 0, n);
    return {start, stop > start ? (stop - start - 1) / step + 1 : 0, step, false};
  }
  const std::int64_t start = bound(i.range.start, n - 1, -1, n - 1),
                     stop = bound(i.range.stop, -1, -1, n - 1);
  const std::int64_t count = start > stop ? (start - stop - 1) / -step + 1 : 0;
  return {count ? start + (count - 1) * step : 0, count, -step, true};
}

/// The runs of all axes, taken out of an array of x's shape.
Array Selection::sliced(const Array& from) const {
  std::vector<std::int64_t> start, stop, step;
  std::vector<int> backwards;
  bool whole = true;
  for (const Choice& c : choices_) {
    if (c.axis < 0) continue;
    start.push_back(c.run.start);
    stop.push_back(c.run.stop());
    step.push_back(c.run.step);
    whole &= c.run.count == size_at(from, c.axis);
    if (c.run.reversed && c.run.count > 1) backwards.push_back(c.axis);
  }
  const Array part = whole ? from : ops::slice(from, start, stop, step, site_);
  return backwards.empty() ? part : ops::rev(part, backwards, site_);
}

/// The sizes of the sliced array without positions, with new axes.
Shape Selection::view_shape() const {
  Shape s;
  for (const Choice& c : choices_)
    if (c.kind != Index::Kind::position)
      s.push_back(c.kind == Index::Kind::newaxis ? 1 : c.run.count);
  return s;
}

/// Where the axes of position arrays go: to the first of them if they stand together (positions
/// count as arrays), else to the front, as in NumPy.
int Selection::place() const {
  int before = 0, place = 0, groups = 0;
  bool inside = false;
  for (const Choice& c : choices_) {
    const bool advanced = c.kind == Index::Kind::array || c.kind == Index::Kind::position;
    if (advanced && !inside && ++groups == 1) place = before;
    inside = advanced;
    before += !advanced;
  }
  return groups > 1 ? 0 : place;
}

/// The shape of x[...] where the position arrays have this shape together.
Shape Selection::result_shape(const Shape& batch) const {
  if (!arrays_) return view_shape();
  Shape s;
  for (const Choice& c : choices_)
    if (c.kind != Index::Kind::array && c.kind != Index::Kind::position)
      s.push_back(c.kind == Index::Kind::newaxis ? 1 : c.run.count);
  const int at = place();
  for (std::size_t k = 0; k < batch.size(); ++k)
    s = composed::with_axis(s, at + static_cast<int>(k), batch[k]);
  return s;
}

Array Selection::gathered(const Array& part) const {
  const Array view = part.reshape(view_shape());
  std::vector<int> axes;
  std::vector<Array> positions;
  int axis = 0;
  for (const Choice& c : choices_) {
    if (c.kind == Index::Kind::array) {
      axes.push_back(axis);
      positions.push_back(c.positions);
    }
    axis += c.kind != Index::Kind::position;
  }
  return gather_axes("[]", view, axes, positions, place(), site_);
}

/// The element that changes nothing: what an update is surrounded with.
double neutral(ops::Update op, DType d) {
  const bool floating = is_floating(d);
  switch (op) {
    case ops::Update::mul:
      return 1;
    case ops::Update::add:
      return floating ? -0.0 : 0;  // -0 + 0 would be 0
    case ops::Update::min:
      return INFINITY;
    case ops::Update::max:
      return -INFINITY;
    case ops::Update::set:
      return 0;
  }
  __builtin_unreachable();
}

Array neutral_literal(ops::Update op, DType d, const Site& site) {
  const double v = neutral(op, d);
  if (std::isfinite(v) || is_floating(d)) return literal(v, d, site);
  if (d == bool_) return literal(v > 0, d, site);
  const int bits = static_cast<int>(size_of(d)) * 8;
  const std::uint64_t all_ones = ~std::uint64_t{0} >> (64 - bits);
  const std::uint64_t most = is_unsigned(d) ? all_ones : all_ones >> 1,
                      least = is_unsigned(d) ? 0 : all_ones - most;
  const auto whole = static_cast<std::int64_t>(v > 0 ? most : least);
  return detail::make_scalar_as(Scalar(whole), d, site);
}

Array combine(ops::Update op, const Array& x, const Array& values) {
  switch (op) {
    case ops::Update::set:
      return values;
    case ops::Update::add:
      return x + values;
    case ops::Update::mul:
      return x * values;
    case ops::Update::min:
      return minimum(x, values);
    case ops::Update::max:
      return maximum(x, values);
  }
  __builtin_unreachable();
}

/// x with one strided region combined with values of the region's shape: values surrounded by
/// neutral elements, which fuses with what is around.
Array Selection::updated_region(ops::Update op, const Array& values) const {
  Shape region;
  std::vector<ops::Padding> around;
  std::vector<int> backwards;
  bool whole = true;
  for (const Choice& c : choices_) {
    if (c.axis < 0) continue;
    const std::int64_t n = size_at(x_, c.axis);
    region.push_back(c.run.count);
    if (c.run.count == 0) return x_;
    around.push_back({c.run.start, n - c.run.stop(), c.run.step - 1});
    whole &= c.run.count == n;
    if (c.run.reversed && c.run.count > 1) backwards.push_back(c.axis);
  }
  Array v = values.reshape(region);
  if (!backwards.empty()) v = ops::rev(v, backwards, site_);
  if (whole) return combine(op, x_, v);
  const DType d = type_of(x_).dtype;
  const Array wide = ops::pad(v, neutral_literal(op, d, site_), around, site_);
  if (op != ops::Update::set) return combine(op, x_, wide);
  const Array inside = ops::pad(full(region, true), Array(false), around, site_);
  return ops::select(inside, wide, x_, site_);
}

/// The positions along all axes that arrays and positions choose from, broadcast to one shape with
/// a last axis of 1.
std::vector<Array> Selection::position_columns(Shape& batch) const {
  std::vector<Array> columns;
  DType d = int32;
  for (const Choice& c : choices_) {
    if (c.kind == Index::Kind::array)
      columns.push_back(wrapped_positions("at", c.positions, size_at(x_, c.axis), c.site));
    else if (c.kind == Index::Kind::position)
      columns.push_back(detail::make_scalar_as(
          Scalar(c.run.start), size_at(x_, c.axis) > INT32_MAX ? int64 : int32, c.site));
    else
      continue;
    d = promote(d, type_of(columns.back()).dtype);
  }
  batch = broadcast_shapes("at", columns, site_);
  Shape column = batch;
  column.push_back(1);
  for (Array& c : columns) c = broadcast("at", c.astype(d), batch, site_).reshape(column);
  return columns;
}

/// The part of x that the ranges select, with the axes of positions and position arrays whole.
Selection Selection::ranges_only() const {
  Selection s = *this;
  s.arrays_ = false;
  std::erase_if(s.choices_, [](const Choice& c) { return c.axis < 0; });
  for (Choice& c : s.choices_)
    if (c.kind != Index::Kind::range)
      c = {Index::Kind::all, c.axis, {0, size_at(x_, c.axis), 1, false}, {}, c.site};
  return s;
}

/// The update by a scatter into the part that the ranges select, which is then put back.
Array Selection::scattered(ops::Update op, std::string_view who, const Operand& value) const {
  Shape batch;
  const std::vector<Array> columns = position_columns(batch);
  const Selection outer = ranges_only();
  const Array part = outer.get();
  Array values =
      broadcast(who, as(value, type_of(x_).dtype, who), result_shape(batch), value.site());
  // every axis of the values: of the positions, new, or of a window
  enum Role { of_positions, fresh, of_window };
  std::vector<Role> roles;
  ops::ScatterDimensions s;
  for (const Choice& c : choices_) {
    if (c.kind == Index::Kind::array || c.kind == Index::Kind::position)
      s.inserted_window_dims.push_back(c.axis);
    else
      roles.push_back(c.axis < 0 ? fresh : of_window);
  }
  for (int axis : s.inserted_window_dims)
    if (size_at(part, axis) == 0) return x_;
  roles.insert(roles.begin() + place(), batch.size(), of_positions);
  std::vector<int> gone;
  for (std::size_t k = 0; k < roles.size(); ++k)
    if (roles[k] == fresh) gone.push_back(static_cast<int>(k));
  values = values.reshape(without_axes(shape_of(values), gone));
  std::erase(roles, fresh);
  for (std::size_t k = 0; k < roles.size(); ++k)
    if (roles[k] == of_window) s.update_window_dims.push_back(static_cast<int>(k));
  s.scatter_dims_to_operand_dims = s.inserted_window_dims;
  s.index_vector_dim = static_cast<int>(batch.size());
  const Array done = ops::scatter(op,
                                  part,
                                  concatenate(columns, s.index_vector_dim),
                                  values,
                                  s,
                                  ops::OutOfBounds::fill,
                                  {},
                                  site_);
  return outer.updated_region(ops::Update::set, done);
}

Array Selection::update(ops::Update op, std::string_view who, const Operand& value) const {
  const Operand target(x_, site_);
  const DType d = type_of(x_).dtype, given = composed::dtype_of(value);
  if (common_dtype({&value, &target}) != d)
    fail("dtype",
         value.site(),
         fmt::format(
             "{}: {} values do not go into an array of {}", who, to_string(given), to_string(d)),
         {fmt::format("x {}", to_string(type_of(x_)))},
         "convert the values: v.astype(x.dtype()), or the array");
  if (d == bool_ && op != ops::Update::set)
    fail("dtype",
         value.site(),
         fmt::format("{}: an array of bools has no arithmetic", who),
         {fmt::format("x {}", to_string(type_of(x_)))},
         "convert it first: x.astype(fx::int32)");
  if (arrays_) return scattered(op, who, value);
  return updated_region(op, broadcast(who, as(value, d, who), view_shape(), value.site()));
}

Selection select(const Array& x, std::span<const Index> indices, const Site& site) {
  (void)x.shape(site);
  return Selection(x, indices, site);
}

/// The line of a list of indices; an empty list has none of its own.
Site site_of(const Array& x, std::span<const Index> indices) {
  return indices.empty() ? detail::origin(x) : indices.front().site;
}

Array updated(ops::Update op,
              std::string_view who,
              const Array& x,
              const std::vector<Index>& where,
              const Operand& value) {
  SiteScope here(value.site());
  return select(x, where, value.site()).update(op, who, value);
}

}  // namespace

Array Array::operator[](const Index& index) const {
  SiteScope here(index.site);
  return select(*this, {&index, 1}, index.site).get();
}

Array Array::operator[](std::initializer_list<Index> indices) const {
  const Site site = site_of(*this, indices);
  SiteScope here(site);
  return select(*this, indices, site).get();
}

Updater Array::at(const Index& index) const { return Updater(*this, {index}); }
Updater Array::at(std::initializer_list<Index> indices) const { return Updater(*this, indices); }

Array Updater::get(Site site) const {
  SiteScope here(site);
  return select(x_, where_, site).get();
}
Array Updater::set(const Operand& v) const {
  return updated(ops::Update::set, "set", x_, where_, v);
}
Array Updater::add(const Operand& v) const {
  return updated(ops::Update::add, "add", x_, where_, v);
}
Array Updater::multiply(const Operand& v) const {
  return updated(ops::Update::mul, "multiply", x_, where_, v);
}
Array Updater::min(const Operand& v) const {
  return updated(ops::Update::min, "min", x_, where_, v);
}
Array Updater::max(const Operand& v) const {
  return updated(ops::Update::max, "max", x_, where_, v);
}

namespace detail {
Site origin(const Array& x) noexcept { return defined(x) ? Access::node(x)->site : Site(); }
}  // namespace detail

}  // namespace fluxion
