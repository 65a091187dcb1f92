// Determinants, powers, exponentials and products of matrices.
#include "fluxion/linalg.hpp"
#include "fluxion/transforms.hpp"
#include "trace/composed/common.hpp"
#include "trace/ops/linalg.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace fluxion::linalg {
namespace {

using namespace composed;

Array square_matrix(const Operand& a, std::string_view who) {
  const Array m = real(a, who);
  const int rank = rank_of(m);
  if (rank < 2 || size_at(m, rank - 1) != size_at(m, rank - 2))
    fail("matrix",
         a.site(),
         fmt::format("{}: it takes square matrices, this is {}", who, to_string(type_of(m))));
  return m;
}

Array element(const Array& m, std::int64_t i, std::int64_t j) { return m[{ellipsis, i, j}]; }

/// Laplace's expansion of 2 by 2 columns 0 and j of rows from `row`.
Array minor_of(const Array& m, std::int64_t row, std::int64_t i, std::int64_t j) {
  return element(m, row, i) * element(m, row + 1, j) - element(m, row, j) * element(m, row + 1, i);
}

/// -1 for an odd number of exchanges of rows, 1 for an even one.
Array parity(const Array& pivots, DType d) {
  const int last = rank_of(pivots) - 1;
  const Array moved = sum(pivots != positions(shape_of(pivots), last, Site()), -1);
  return where(moved % 2 == 1, -1, 1).astype(d);
}

}  // namespace

Array det(const Operand& a) {
  SiteScope here(a.site());
  const Array m = square_matrix(a, "det");
  const std::int64_t n = size_at(m, rank_of(m) - 1);
  if (n == 1) return element(m, 0, 0);
  if (n == 2) return minor_of(m, 0, 0, 1);
  if (n == 3)
    return element(m, 0, 0) * minor_of(m, 1, 1, 2) - element(m, 0, 1) * minor_of(m, 1, 0, 2) +
           element(m, 0, 2) * minor_of(m, 1, 0, 1);
  const ops::LuFactors f = ops::lu(m, a.site());
  return parity(f.pivots, type_of(m).dtype) * prod(fluxion::diagonal(f.lu, 0, -2, -1), -1);
}

SlogDet slogdet(const Operand& a) {
  SiteScope here(a.site());
  const Array m = square_matrix(a, "slogdet");
  const ops::LuFactors f = ops::lu(m, a.site());
  const Array diagonal = fluxion::diagonal(f.lu, 0, -2, -1);
  // The sign of a real number does not change; that of a complex one turns.
  const bool turns = is_complex(type_of(m).dtype);
  const Array signs = prod(sign(turns ? diagonal : stop_gradient(diagonal)), -1);
  return {parity(f.pivots, type_of(m).dtype) * signs, sum(log(abs(diagonal)), -1)};
}

Array matrix_power(const Operand& a, int n) {
  SiteScope here(a.site());
  Array base = square_matrix(a, "matrix_power");
  const int rank = rank_of(base);
  if (n == 0)
    return broadcast("matrix_power",
                     eye(size_at(base, rank - 1), type_of(base).dtype),
                     shape_of(base),
                     a.site());
  if (n < 0) base = inv(base);
  Array result;
  for (std::uint32_t left = n < 0 ? 0u - static_cast<std::uint32_t>(n)
                                  : static_cast<std::uint32_t>(n);
       ;) {
    if (left & 1) result = defined(result) ? matmul(result, base) : base;
    left >>= 1;
    if (left == 0) return result;
    base = matmul(base, base);
  }
}

namespace {

/// Coefficients of the Pade approximation of exp of these degrees (Higham 2005, table 2.3 and
/// equation 2.3), and the norms up to which they are as exact as the dtype.
constexpr double pade_13[] = {64764752532480000.,
                              32382376266240000.,
                              7771770303897600.,
                              1187353796428800.,
                              129060195264000.,
                              10559470521600.,
                              670442572800.,
                              33522128640.,
                              1323241920.,
                              40840800.,
                              960960.,
                              16380.,
                              182.,
                              1.};
constexpr double norm_13 = 5.371920351148152;
constexpr double pade_7[] = {17297280., 8648640., 1995840., 277200., 25200., 1512., 56., 1.};
constexpr double norm_7 = 3.925724783138660;

/// Odd and even halves of the numerator.
struct Halves {
  Array odd, even;
};

Halves halves_13(const Array& a, const Array& one) {
  const Array a2 = matmul(a, a), a4 = matmul(a2, a2), a6 = matmul(a4, a2);
  const auto& b = pade_13;
  const Array u = matmul(a6, b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 +
                  b[3] * a2 + b[1] * one;
  const Array v = matmul(a6, b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 +
                  b[2] * a2 + b[0] * one;
  return {matmul(a, u), v};
}

Halves halves_7(const Array& a, const Array& one) {
  const Array a2 = matmul(a, a), a4 = matmul(a2, a2), a6 = matmul(a4, a2);
  const auto& b = pade_7;
  const Array u = b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one;
  return {matmul(a, u), b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one};
}

}  // namespace

Array expm(const Operand& a, int max_squarings) {
  SiteScope here(a.site());
  const Array m = square_matrix(a, "expm");
  const int rank = rank_of(m);
  const std::int64_t n = size_at(m, rank - 1);
  const DType d = type_of(m).dtype;
  if (n == 0) return m;
  const bool wide = d == float64 || d == complex128;
  const Array size = max(sum(abs(stop_gradient(m)), -2), -1);
  const Array wanted = maximum(ceil(log2(size / (wide ? norm_13 : norm_7))), 0);
  const auto spread = [](const Array& x) { return expand_dims(x, {-1, -2}); };
  const Array scaled = m * spread(exp2(-minimum(wanted, max_squarings)));
  const Array one = eye(n, d);
  const auto [odd, even] = wide ? halves_13(scaled, one) : halves_7(scaled, one);
  Array result = solve(even - odd, even + odd);
  for (int k = 0; k < max_squarings; ++k)
    result = where(spread(wanted > k), matmul(result, result), result);
  return where(spread(wanted > max_squarings), NAN, result);
}

namespace {

/// What a chain of products costs, and where it is cut first: Godbole 1973.
struct Chain {
  std::vector<std::int64_t> sizes;
  std::vector<std::vector<std::size_t>> cut;
  explicit Chain(std::vector<std::int64_t> s) : sizes(std::move(s)) {
    const std::size_t n = sizes.size() - 1;
    std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
    cut.assign(n, std::vector<std::size_t>(n, 0));
    for (std::size_t length = 1; length < n; ++length)
      for (std::size_t i = 0; i + length < n; ++i) {
        const std::size_t j = i + length;
        cost[i][j] = INFINITY;
        for (std::size_t k = i; k < j; ++k) {
          const double all = cost[i][k] + cost[k + 1][j] +
                             static_cast<double>(sizes[i]) * static_cast<double>(sizes[k + 1]) *
                                 static_cast<double>(sizes[j + 1]);
          if (all < cost[i][j]) {
            cost[i][j] = all;
            cut[i][j] = k;
          }
        }
      }
  }
  Array product(const std::vector<Array>& arrays, std::size_t i, std::size_t j) const {
    if (i == j) return arrays[i];
    return matmul(product(arrays, i, cut[i][j]), product(arrays, cut[i][j] + 1, j));
  }
};

}  // namespace

Array multi_dot(const std::vector<Array>& arrays, Site site) {
  SiteScope here(site);
  if (arrays.size() < 2)
    fail("matrix",
         site,
         fmt::format("multi_dot: it takes two arrays or more, not {}", arrays.size()));
  std::vector<std::int64_t> sizes;
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    const Array& a = arrays[k];
    const int rank = a.ndim(site);
    const bool end = k == 0 || k + 1 == arrays.size();
    if (rank != 2 && !(rank == 1 && end))
      fail("matrix",
           site,
           "multi_dot: only the first and the last may be vectors, all others are matrices",
           {fmt::format("array {}: {}", k, to_string(type_of(a)))});
    const std::int64_t rows = rank == 2 || k > 0 ? size_at(a, 0) : 1;
    if (k == 0) sizes.push_back(rows);
    const std::int64_t columns = rank == 2 ? size_at(a, 1) : k == 0 ? size_at(a, 0) : 1;
    if (k > 0 && sizes.back() != rows)
      fail("dot-sizes",
           site,
           fmt::format("multi_dot: array {} has {} rows where {} columns come before",
                       k,
                       rows,
                       sizes.back()),
           {fmt::format("array {}: {}", k, to_string(type_of(a)))});
    sizes.push_back(columns);
  }
  return Chain(sizes).product(arrays, 0, arrays.size() - 1);
}

Array vecdot(const Operand& x, const Operand& y, int axis) {
  SiteScope here(x.site());
  return sum(multiply(x, y), axis);
}

Array outer(const Operand& x, const Operand& y) {
  SiteScope here(x.site());
  const Array a = array_of(x), b = array_of(y);
  if (rank_of(a) != 1 || rank_of(b) != 1)
    fail("matrix",
         x.site(),
         "outer: it takes two vectors",
         {fmt::format("x {}", to_string(type_of(a))), fmt::format("y {}", to_string(type_of(b)))},
         "fx::outer flattens its arguments");
  return fluxion::outer(x, y);
}

Array cross(const Operand& x, const Operand& y, int axis) {
  SiteScope here(x.site());
  if (axis == -1) return fluxion::cross(x, y);
  const Array a = array_of(x), b = array_of(y);
  return moveaxis(fluxion::cross(moveaxis(a, axis, -1), moveaxis(b, axis, -1)), -1, axis);
}

Array diagonal(const Operand& x, int offset) {
  SiteScope here(x.site());
  return fluxion::diagonal(x, offset, -2, -1);
}

Array trace(const Operand& x, int offset) {
  SiteScope here(x.site());
  return sum(fluxion::diagonal(x, offset, -2, -1), -1);
}

Array matrix_transpose(const Operand& x) {
  SiteScope here(x.site());
  const Array a = array_of(x);
  if (rank_of(a) < 2)
    fail("matrix",
         x.site(),
         fmt::format("matrix_transpose: it takes matrices, this is {}", to_string(type_of(a))));
  return swapaxes(a, -1, -2);
}

}  // namespace fluxion::linalg
