// Triangles and diagonals of the last two axes.
#include "fluxion/transforms.hpp"
#include "trace/composed/common.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

/// column - row of every element of the last two axes.
Array offsets(std::string_view who, const Array& x, const Site& site) {
  const int rank = rank_of(x);
  if (rank < 2)
    fail(
        "axis", site, fmt::format("{}: it takes matrices, this is {}", who, to_string(type_of(x))));
  const Spec matrix{{size_at(x, rank - 2), size_at(x, rank - 1)}, int32};
  return ops::iota(matrix, 1, site) - ops::iota(matrix, 0, site);
}

Array from_diagonal(const Array& v, int k, const Site& site) {
  const std::int64_t n = size_at(v, 0), shift = std::abs(k), size = n + shift;
  const Array along = ops::pad(
      v, literal(0, type_of(v).dtype, site), {{k > 0 ? shift : 0, k > 0 ? 0 : shift, 0}}, site);
  return where(eye(size, size, k, bool_, site), along, 0);
}

}  // namespace

Array tril(const Operand& x, int k) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  return where(offsets("tril", a, x.site()) <= k, a, zeros_like(a));
}

Array triu(const Operand& x, int k) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  return where(offsets("triu", a, x.site()) >= k, a, zeros_like(a));
}

Array diag(const Operand& x, int k) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  if (rank_of(a) == 1) return from_diagonal(a, k, x.site());
  if (rank_of(a) != 2)
    fail("axis",
         x.site(),
         fmt::format("diag: it takes a vector or a matrix, this is {}", to_string(type_of(a))),
         {},
         "fx::diagonal takes more axes");
  return diagonal(a, k);
}

// In a row of all elements of an [n, m] matrix the diagonal lies m + 1 apart.
Array diagonal(const Operand& x, int k, int axis1, int axis2) {
  SiteScope here(x.site());
  Array a = array_of(x);
  const int rank = rank_of(a);
  const int i = axis_of("diagonal", axis1, rank, x.site()),
            j = axis_of("diagonal", axis2, rank, x.site());
  if (i == j) fail("axis", x.site(), fmt::format("diagonal: the two axes are the same, {}", i));
  std::vector<int> order;
  for (int axis = 0; axis < rank; ++axis)
    if (axis != i && axis != j) order.push_back(axis);
  order.push_back(i);
  order.push_back(j);
  a = transpose(a, order);
  const std::int64_t n = size_at(a, rank - 2), m = size_at(a, rank - 1);
  const std::int64_t length =
      std::max<std::int64_t>(0, k >= 0 ? std::min(n, m - k) : std::min(n + k, m));
  const std::int64_t start = k >= 0 ? k : -k * m;
  Shape flat = without_axes(shape_of(a), {rank - 2, rank - 1});
  flat.push_back(n * m);
  a = ops::reshape(a, flat, x.site());
  if (length == 0) return slice_axis(a, rank - 2, 0, 0, 1, x.site());
  return slice_axis(a, rank - 2, start, start + (length - 1) * (m + 1) + 1, m + 1, x.site());
}

namespace detail {
Array matrix_trace(const Array& x, Site site) {
  SiteScope here(site);
  return sum(diagonal(Operand(x, site)), -1);
}
}  // namespace detail

}  // namespace fluxion
