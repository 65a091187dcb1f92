// What sorting serves: positions, the largest, searching, quantiles.
#include "fluxion/sorting.hpp"

#include "trace/composed/common.hpp"
#include "trace/ops/reduce_precision.hpp"
#include "trace/ops/sort.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace fluxion {
namespace {

using namespace composed;

struct Line {
  Array array;
  int axis;
};
/// The array and the axis that is sorted; without one the flattened array.
Line line_of(std::string_view who, const Operand& x, MaybeAxis axis) {
  const Array a = array_of(x);
  if (!axis) return {a.reshape({-1}), 0};
  return {a, axis_of(who, *axis, rank_of(a), x.site())};
}

/// Ranks of complex numbers are those of their real parts, then of their imaginary parts.
ArrayList sorted_with_positions(const Line& line, bool descending, const Site& site) {
  return ops::sort(ArrayList{line.array, positions(shape_of(line.array), line.axis, site)},
                   line.axis,
                   1,
                   descending,
                   site);
}

/// The reduced axes made one, the last, and the shape that the others leave (with sizes of one).
struct Rows {
  Array array;
  Shape left, kept;
};
Rows rows_of(std::string_view who, const Operand& x, const Axes& axes) {
  const Array a = real(x, who);
  const std::vector<int> reduced = axes_of(who, axes, rank_of(a), x.site());
  std::vector<int> order;
  Rows rows;
  std::int64_t count = 1;
  for (int k = 0; k < rank_of(a); ++k) {
    const bool gone = std::find(reduced.begin(), reduced.end(), k) != reduced.end();
    rows.kept.push_back(gone ? 1 : size_at(a, k));
    if (gone) {
      count *= size_at(a, k);
    } else {
      rows.left.push_back(size_at(a, k));
      order.push_back(k);
    }
  }
  order.insert(order.end(), reduced.begin(), reduced.end());
  if (count == 0)
    fail("sort",
         x.site(),
         fmt::format("{}: there are no elements to take a quantile of", who),
         {fmt::format("x {}", to_string(type_of(a)))});
  Shape flat = rows.left;
  flat.push_back(count);
  rows.array = ops::transpose(a, order, x.site()).reshape(flat);
  return rows;
}

Array between(Interpolation how, const Array& low, const Array& high, const Array& weight) {
  switch (how) {
    case Interpolation::lower:
      return low;
    case Interpolation::higher:
      return high;
    case Interpolation::midpoint:
      return low * 0.5 + high * 0.5;
    case Interpolation::nearest:
      return where(weight <= 0.5, low, high);
    case Interpolation::linear:
      break;
  }
  return low * (1 - weight) + high * weight;
}

Array quantile_of(std::string_view who,
                  const Operand& x,
                  const Array& q,
                  const Axes& axes,
                  Interpolation how,
                  bool keepdims) {
  const Rows rows = rows_of(who, x, axes);
  const DType d = type_of(rows.array).dtype;
  if (rank_of(q) > 1)
    fail("sort",
         x.site(),
         fmt::format("{}: q is a number or a vector", who),
         {fmt::format("q {}", to_string(type_of(q)))});
  const int last = rank_of(rows.array) - 1;
  const std::int64_t n = size_at(rows.array, last);
  const Array sorted = sort(rows.array, last);
  const Array damaged = any(isnan(rows.array), last);
  const auto one = [&](const Array& fraction) {
    const Array at = fraction.astype(wide_dtype(d)) * static_cast<double>(n - 1);
    const Array below = floor(at), above = ceil(at);
    // The neighbours, for every row: a position that is computed, the same for all.
    const auto taken = [&](const Array& position) {
      return take(sorted, clip(position, 0, static_cast<double>(n - 1)).astype(int32), last);
    };
    const Array value = between(how, taken(below), taken(above), (at - below).astype(d));
    const Array whole = where(damaged, std::numeric_limits<double>::quiet_NaN(), value);
    return keepdims ? whole.reshape(rows.kept) : whole;
  };
  if (rank_of(q) == 0) return one(q);
  std::vector<Array> results;
  for (std::int64_t k = 0; k < size_at(q, 0); ++k) results.push_back(one(q[k]));
  if (!results.empty()) return stack(results, 0);
  Shape none = keepdims ? rows.kept : rows.left;
  return zeros(with_axis(none, 0, 0), d);
}

}  // namespace

Array sort(const Operand& x, MaybeAxis axis, bool descending) {
  SiteScope here(x.site());
  const Line line = line_of("sort", x, axis);
  return ops::sort(ArrayList{line.array}, line.axis, 1, descending, x.site())[0];
}

Array argsort(const Operand& x, MaybeAxis axis, bool descending) {
  SiteScope here(x.site());
  return sorted_with_positions(line_of("argsort", x, axis), descending, x.site())[1];
}

Array lexsort(const std::vector<Array>& keys, int axis) {
  const Site site = current_site(Site::current());
  if (keys.empty()) fail("sort", site, "lexsort: no keys were given");
  ArrayList operands(keys.rbegin(), keys.rend());
  const int k = axis_of("lexsort", axis, keys[0].ndim(site), site);
  operands.push_back(positions(keys[0].shape(site), k, site));
  return ops::sort(operands, k, static_cast<int>(keys.size()), false, site).back();
}

Array searchsorted(const Operand& sorted, const Operand& values, Side side) {
  SiteScope here(sorted.site());
  const DType d = common_dtype({&sorted, &values});
  const Array a = as(sorted, d, "searchsorted"), v = as(values, d, "searchsorted");
  if (rank_of(a) != 1)
    fail("sort",
         sorted.site(),
         "searchsorted: what is searched in is a vector",
         {fmt::format("sorted {}", to_string(type_of(a)))});
  // Halving: [low, high) holds the place; log2(n) steps find it.
  const std::int64_t n = size_at(a, 0);
  Array low = zeros(shape_of(v), int32), high = full_like(low, n);
  for (std::int64_t left = n; left > 0; left /= 2) {
    const Array open = low < high, middle = (low + high) / 2;
    const Array there = take(a, minimum(middle, n - 1));
    const Array nan_there = there != there, nan_value = v != v;
    // NaN is greater than everything.
    const Array before = side == Side::left ? (there < v) | (nan_value & ~nan_there)
                                            : ~((v < there) | (nan_there & ~nan_value));
    low = where(open & before, middle + 1, low);
    high = where(open & ~before, middle, high);
  }
  return low;
}

Array quantile(
    const Operand& x, const Operand& q, const Axes& axes, Interpolation how, bool keepdims) {
  SiteScope here(x.site());
  return quantile_of("quantile", x, real(q, "quantile"), axes, how, keepdims);
}

Array percentile(
    const Operand& x, const Operand& q, const Axes& axes, Interpolation how, bool keepdims) {
  SiteScope here(x.site());
  return quantile_of("percentile", x, real(q, "percentile") / 100, axes, how, keepdims);
}

Array median(const Operand& x, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  return quantile_of(
      "median", x, literal(0.5, float32, x.site()), axes, Interpolation::midpoint, keepdims);
}

namespace lax {

std::vector<Array> sort(const std::vector<Array>& operands, int axis, int num_keys) {
  const Site site = current_site(Site::current());
  if (operands.empty()) fail("sort", site, "sort: no operands were given");
  const int k = axis_of("sort", axis, operands[0].ndim(site), site);
  return ops::sort(operands, k, num_keys, false, site);
}

TopK top_k(const Operand& x, std::int64_t k) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  const int last = rank_of(a) - 1;
  if (last < 0 || k < 0 || k > size_at(a, last))
    fail("sort",
         x.site(),
         fmt::format("top_k: there are no {} largest elements of a row", k),
         {fmt::format("x {}", to_string(type_of(a)))});
  const ArrayList sorted = sorted_with_positions({a, last}, true, x.site());
  return {slice_axis(sorted[0], last, 0, k, 1, x.site()),
          slice_axis(sorted[1], last, 0, k, 1, x.site())};
}

Array reduce_precision(const Operand& x, int exponent_bits, int mantissa_bits) {
  return ops::reduce_precision(array_of(x), exponent_bits, mantissa_bits, x.site());
}

}  // namespace lax
}  // namespace fluxion
