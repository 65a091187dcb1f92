// Norms of vectors and matrices.
#include "fluxion/complex.hpp"
#include "fluxion/linalg.hpp"
#include "trace/composed/common.hpp"

#include <cmath>
#include <fmt/format.h>

namespace fluxion::linalg {
namespace {

using namespace composed;

[[noreturn]] void refuse(const std::string& what, const Site& site, std::string_view hint = {}) {
  fail("norm", site, "norm: " + what, {}, hint);
}

/// |x|^2, without a root where there is none.
Array squared(const Array& x) {
  return is_complex(type_of(x).dtype) ? square(real(x)) + square(imag(x)) : square(x);
}

Array vector_norm_along(
    const Array& x, const Order& order, const Axes& axes, bool keepdims, const Site& site) {
  if (order.kind() != Order::Kind::none && order.kind() != Order::Kind::number)
    refuse("\"fro\" and \"nuc\" are norms of matrices, this is a vector", site);
  const double p = order.kind() == Order::Kind::none ? 2 : order.number();
  if (p == 2) return sqrt(sum(squared(x), axes, keepdims));
  if (p == 0) return sum(x != 0, axes, keepdims).astype(type_of(abs(x)).dtype);
  const Array size = abs(x);
  if (p == INFINITY) return max(size, axes, keepdims);
  if (p == -INFINITY) return min(size, axes, keepdims);
  if (p == 1) return sum(size, axes, keepdims);
  return power(sum(power(size, p), axes, keepdims), 1 / p);
}

/// Rows along the last axis but one, columns along the last.
Array matrix_norm_of(const Array& x, const Order& order, const Site& site) {
  const auto sums = [&](int axis) { return sum(abs(x), axis); };
  switch (order.kind()) {
    case Order::Kind::none:
    case Order::Kind::frobenius:
      return sqrt(sum(squared(x), {-2, -1}));
    case Order::Kind::nuclear:
      return sum(svdvals(x), -1);
    case Order::Kind::unknown:
      refuse("the order is a number, \"fro\" or \"nuc\"", site);
    case Order::Kind::number:
      break;
  }
  const double p = order.number();
  if (p == 1) return max(sums(-2), -1);
  if (p == -1) return min(sums(-2), -1);
  if (p == INFINITY) return max(sums(-1), -1);
  if (p == -INFINITY) return min(sums(-1), -1);
  if (p == 2) return max(svdvals(x), -1);
  if (p == -2) return min(svdvals(x), -1);
  refuse(fmt::format("matrices have no norm of order {}", p),
         site,
         "1, 2, inf, their negatives, \"fro\" and \"nuc\"; vector_norm takes every order");
}

/// In a dtype that squares do not overflow soon; the result in its own.
struct Given {
  Array x;
  DType result;
};
Given given(std::string_view who, const Operand& x) {
  const Array a = real(x, who);
  const DType d = type_of(a).dtype;
  return {a.astype(wide_dtype(d)), d == complex64 ? float32 : d == complex128 ? float64 : d};
}

}  // namespace

Array norm_of(const Operand& x, Order order, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Given g = given("norm", x);
  const int rank = rank_of(g.x);
  if (order.kind() == Order::Kind::unknown) (void)matrix_norm_of(g.x, order, x.site());
  const bool plain = order.kind() == Order::Kind::none;
  std::vector<int> along = axes_of("norm", axes, rank, x.site());
  if (plain || along.size() == 1)
    return vector_norm_along(g.x, order, axes, keepdims, x.site()).astype(g.result);
  if (along.size() != 2)
    refuse(fmt::format("a norm of an order is taken along one axis or two, not {}", along.size()),
           x.site(),
           "name the axes, or leave out the order");
  if (!axes.all()) {  // in the order that the user gave
    along.clear();
    for (int axis : axes.list()) along.push_back(axis_of("norm", axis, rank, x.site()));
  }
  std::vector<int> permutation;
  for (int k = 0; k < rank; ++k)
    if (k != along[0] && k != along[1]) permutation.push_back(k);
  permutation.insert(permutation.end(), along.begin(), along.end());
  const Array moved = transpose(g.x, permutation);
  Array result = matrix_norm_of(moved, order, x.site()).astype(g.result);
  if (!keepdims) return result;
  return expand_dims(result, Axes(std::vector<int>(along.begin(), along.end())));
}

Array vector_norm(const Operand& x, Order order, const Axes& axes, bool keepdims) {
  SiteScope here(x.site());
  const Given g = given("vector_norm", x);
  return vector_norm_along(g.x, order, axes, keepdims, x.site()).astype(g.result);
}

Array matrix_norm(const Operand& x, Order order, bool keepdims) {
  SiteScope here(x.site());
  return norm_of(x, order.kind() == Order::Kind::none ? Order("fro") : order, {-2, -1}, keepdims);
}

Array cond(const Operand& a, Order p) {
  SiteScope here(a.site());
  const bool singular = p.kind() == Order::Kind::none ||
                        (p.kind() == Order::Kind::number && std::abs(p.number()) == 2);
  if (singular) {
    const Array values = svdvals(a);
    const Array largest = max(values, -1), least = min(values, -1);
    return p.kind() != Order::Kind::none && p.number() < 0 ? least / largest : largest / least;
  }
  return norm_of(a, p, {-2, -1}, false) * norm_of(inv(a), p, {-2, -1}, false);
}

}  // namespace fluxion::linalg
