// Products that sum over axes: dot, matmul and their kin, all by dot_general.
#include "trace/composed/common.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion {
namespace {

using namespace composed;

/// Both with one dtype that products of sums are taken in.
Pair factors(std::string_view who, const Operand& x, const Operand& y) {
  const DType d = arithmetic_dtype(common_dtype({&x, &y}));
  return {as(x, d, who), as(y, d, who)};
}

std::string_view remedy(const Array& x, int i, const Array& y, int j) {
  const std::int64_t m = size_at(x, i), n = size_at(y, j);
  if (rank_of(y) == 2 && size_at(y, 1 - j) == m)
    return "is the right operand transposed? y.T() would fit";
  if (rank_of(x) == 2 && size_at(x, 1 - i) == n)
    return "is the left operand transposed? x.T() would fit";
  return m == n + 1 || n == m + 1 ? "did the input layer forget its bias column?"
                                  : std::string_view();
}

void check_contraction(
    std::string_view who, const Array& x, int i, const Array& y, int j, const Site& site) {
  const std::int64_t m = size_at(x, i), n = size_at(y, j);
  if (m == n) return;
  const std::string lhs = to_string(type_of(x)), rhs = to_string(type_of(y));
  const std::size_t width = std::max(lhs.size(), rhs.size());
  fail("dot-sizes",
       site,
       fmt::format("{}: the contracted sizes differ, {} and {}", who, m, n),
       {fmt::format("lhs {:<{}}  contracts axis {} ({})", lhs, width, i, m),
        fmt::format("rhs {:<{}}  contracts axis {} ({})", rhs, width, j, n)},
       remedy(x, i, y, j));
}

/// x's axis i with y's axis j; the free axes of x, then those of y.
Array contracted(
    std::string_view who, const Array& x, int i, const Array& y, int j, const Site& site) {
  check_contraction(who, x, i, y, j, site);
  return ops::dot_general(x, y, {{i}, {j}, {}, {}}, site);
}

Shape leading(const Array& x) {
  return without_axes(shape_of(x), {rank_of(x) - 2, rank_of(x) - 1});
}

/// The array with its leading axes (all but the last two) repeated to a shape.
Array with_leading(const Array& x, const Shape& batch, const Site& site) {
  Shape full = batch;
  full.push_back(size_at(x, rank_of(x) - 2));
  full.push_back(size_at(x, rank_of(x) - 1));
  return broadcast("matmul", x, full, site);
}

Array batched_matmul(const Array& x, const Array& y, const Operand& from) {
  const Site& site = from.site();
  check_contraction("matmul", x, rank_of(x) - 1, y, rank_of(y) - 2, site);
  const Shape batch =
      broadcast_shapes("matmul",
                       leading(x),
                       leading(y),
                       {"lhs " + to_string(type_of(x)), "rhs " + to_string(type_of(y))},
                       site);
  const int n = static_cast<int>(batch.size());
  ops::DotDimensions dimensions{{n + 1}, {n}, {}, {}};
  for (int k = 0; k < n; ++k) {
    dimensions.lhs_batch.push_back(k);
    dimensions.rhs_batch.push_back(k);
  }
  return ops::dot_general(
      with_leading(x, batch, site), with_leading(y, batch, site), dimensions, site);
}

std::vector<int> contracted_axes(std::string_view who,
                                 const std::vector<int>& axes,
                                 const Array& x,
                                 const Site& site) {
  std::vector<int> out;
  for (int axis : axes) out.push_back(axis_of(who, axis, rank_of(x), site));
  std::vector<int> sorted = out;
  std::sort(sorted.begin(), sorted.end());
  if (auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    fail("axis", site, fmt::format("{}: axis {} is named twice", who, *twice));
  return out;
}

}  // namespace

Array dot(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const auto [a, b] = factors("dot", x, y);
  if (rank_of(a) == 0 || rank_of(b) == 0) return a * b;
  return contracted("dot", a, rank_of(a) - 1, b, std::max(0, rank_of(b) - 2), x.site());
}

Array matmul(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const auto [a, b] = factors("matmul", x, y);
  if (rank_of(a) == 0 || rank_of(b) == 0)
    fail("dot-sizes",
         x.site(),
         "matmul: a scalar is no matrix",
         {fmt::format("lhs {}", to_string(type_of(a))),
          fmt::format("rhs {}", to_string(type_of(b)))},
         "multiply by a scalar with *");
  if (rank_of(b) <= 2)
    return contracted("matmul", a, rank_of(a) - 1, b, std::max(0, rank_of(b) - 2), x.site());
  if (rank_of(a) > 1) return batched_matmul(a, b, x);
  // a row vector: [k] with [..., k, m]
  const Array row = ops::reshape(a, {1, size_at(a, 0)}, x.site());
  const Array product = batched_matmul(row, b, x);
  return ops::reshape(product, without_axes(shape_of(product), {rank_of(product) - 2}), x.site());
}

Array inner(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const auto [a, b] = factors("inner", x, y);
  if (rank_of(a) == 0 || rank_of(b) == 0) return a * b;
  return contracted("inner", a, rank_of(a) - 1, b, rank_of(b) - 1, x.site());
}

Array outer(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const auto [a, b] = factors("outer", x, y);
  return a.reshape({-1, 1}) * b.reshape({1, -1});
}

Array vdot(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const auto [a, b] = factors("vdot", x, y);
  return contracted("vdot", a.flatten(), 0, b.flatten(), 0, x.site());
}

Array kron(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  auto [a, b] = factors("kron", x, y);
  while (rank_of(a) < rank_of(b)) a = expand_dims(a, 0);
  while (rank_of(b) < rank_of(a)) b = expand_dims(b, 0);
  Shape left, right, out;
  for (int k = 0; k < rank_of(a); ++k) {
    left.push_back(size_at(a, k));
    left.push_back(1);
    right.push_back(1);
    right.push_back(size_at(b, k));
    out.push_back(size_at(a, k) * size_at(b, k));
  }
  return (a.reshape(left) * b.reshape(right)).reshape(out);
}

Array cross(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const auto [a, b] = meet("cross", x, y, arithmetic_dtype(common_dtype({&x, &y})));
  const int last = rank_of(a) - 1;
  if (last < 0 || size_at(a, last) != 3)
    fail("dot-sizes",
         x.site(),
         fmt::format("cross: the last axis of {} does not hold vectors of 3",
                     to_string(type_of(a))));
  const Array a1 = roll(a, -1, -1), a2 = roll(a, -2, -1), b1 = roll(b, -1, -1),
              b2 = roll(b, -2, -1);
  return a1 * b2 - a2 * b1;
}

Array tensordot(const Operand& x, const Operand& y, int axes) {
  const int m = rank_of(array_of(x)), n = rank_of(array_of(y));
  if (axes < 0 || axes > m || axes > n)
    fail("axis",
         x.site(),
         fmt::format(
             "tensordot: {} axes are to be contracted of arrays with {} and {}", axes, m, n));
  std::vector<int> last, first;
  for (int k = 0; k < axes; ++k) {
    last.push_back(m - axes + k);
    first.push_back(k);
  }
  return tensordot(x, y, last, first);
}

Array tensordot(const Operand& x,
                const Operand& y,
                const std::vector<int>& x_axes,
                const std::vector<int>& y_axes) {
  SiteScope here(x.site());
  const auto [a, b] = factors("tensordot", x, y);
  if (x_axes.size() != y_axes.size())
    fail("axis",
         x.site(),
         fmt::format(
             "tensordot: {} axes of x are paired with {} of y", x_axes.size(), y_axes.size()));
  const std::vector<int> i = contracted_axes("tensordot", x_axes, a, x.site()),
                         j = contracted_axes("tensordot", y_axes, b, x.site());
  for (std::size_t k = 0; k < i.size(); ++k)
    check_contraction("tensordot", a, i[k], b, j[k], x.site());
  return ops::dot_general(a, b, {i, j, {}, {}}, x.site());
}

namespace lax {
Array dot_general(const Operand& lhs,
                  const Operand& rhs,
                  const DotDimensions& d,
                  MaybeDType result) {
  const DType met = common_dtype({&lhs, &rhs});
  return ops::dot_general(as(lhs, met, "dot_general"),
                          as(rhs, met, "dot_general"),
                          {d.lhs_contract, d.rhs_contract, d.lhs_batch, d.rhs_batch},
                          lhs.site(),
                          result);
}
}  // namespace lax

}  // namespace fluxion
