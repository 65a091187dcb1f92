// Gaussian elimination with partial pivoting, packed as LAPACK does.
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> lu_rules();

namespace {
using namespace dense;

/// x[..., rows, :], with rows [..., m].
Array permuted_rows(const Array& x, const Array& rows) {
  if (element_count(type_of(x).shape) == 0) return x;
  return take_along_axis(x, expand_dims(rows, -1), -2);
}

struct Lu {
  static constexpr auto name = "lu";

  Types types(TypeList in) const {
    check_matrix(name, in[0]);
    const Shape lead = leading(in[0].shape);
    const std::int64_t m = rows_of(in[0].shape), n = columns_of(in[0].shape);
    return {in[0], {joined(lead, std::min(m, n)), int32}, {joined(lead, m), int32}};
  }

  // P dA = dL U + L dU: L^-1 (P dA) U^-1 is the sum of a strictly lower and an upper triangle. Both
  // factors are completed to square ones by parts of the identity.
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return {Array(), Array(), Array()};
    const SiteScope here(rule_site());
    const Site& site = rule_site();
    const Shape& shape = type_of(x[0]).shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape), k = std::min(m, n);
    const Array moved = permuted_rows(dx[0], y[2]), &packed = y[0];
    const auto widened = [&](const Array& part, std::int64_t rows, std::int64_t columns) {
      std::vector<std::pair<std::int64_t, std::int64_t>> widths(shape.size() - 2, {0, 0});
      widths.push_back({0, rows});
      widths.push_back({0, columns});
      return rows + columns ? fluxion::pad(part, widths) : part;
    };
    const auto columns = [&](const Array& a, std::int64_t count) {
      return a[{ellipsis, fluxion::slice(0, count)}];
    };
    const auto rows = [&](const Array& a, std::int64_t count) {
      return a[{ellipsis, fluxion::slice(0, count), fluxion::all}];
    };
    const Array l = widened(tril(columns(packed, k), -1), 0, m - k) + identity_like(packed, m);
    Array u = triu(rows(packed, k));
    if (n > k) {
      const Array rest = where(arange(n) >= k, identity_like(packed, n), 0);
      u = widened(u, n - k, 0) + rest;
    }
    const Array left = triangular_solve(l, moved, {.unit_diagonal = true}, site);
    const Array both = triangular_solve(u, left, {.left = false, .lower = false}, site);
    return {matmul(l, tril(both, -1)) + matmul(triu(both), u), Array(), Array()};
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    return library_call(FactorizationSpec::Routine::lu, in[0], false, false);
  }

  void body(kernel::Nest& nest) const {
    const Shape shape = nest.operand(0).shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape), steps = std::min(m, n);
    nest.phase(leading(shape), [=, &nest](const kernel::Index& index) {
      const Kernel k(nest, index, std::max(m, n) <= most_unrolled);
      Matrix a = k.load(0, m, n);
      Cells order = k.cells(k.place_type(), m);
      k.loop(m, [&](const Affine& i) { order.set(i, k.place(i)); });
      k.loop(steps, [&](const Affine& j) {
        const Scalar pivot = k.pivot_row(a, j, j);
        k.write(1, j, kernel::convert(pivot, int32));
        k.exchange_rows(a, j, pivot);
        k.exchange(order, m, j, pivot);
        const Value head = a(j, j);
        k.loop(j + 1, at(m), m - 1, [&](const Affine& i) {
          const Value x = a(i, j);
          const Value factor = select(pivot_size(head) == 0.0, x, x / head);
          a.set(i, j, factor);
          k.loop(j + 1, at(n), n - 1, [&](const Affine& c) {
            a.set(i, c, minus_product(a(i, c), factor, a(j, c)));
          });
        });
      });
      k.loop(m, [&](const Affine& i) {
        k.write(2, i, kernel::convert(order.get(i), int32));
        k.loop(n, [&](const Affine& j) { k.write(0, i, j, a(i, j)); });
      });
    });
  }

  // Column by column: each element is finished by its whole sum of products.
  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = in[0].type.shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape), k = std::min(m, n);
    const auto size = [](Number x) { return std::abs(x.real()) + std::abs(x.imag()); };
    for (std::int64_t b = 0; b < matrices_in(in[0].type); ++b) {
      HostMatrix a = load(in[0], b * m * n, m, n);
      std::vector<std::int64_t> order(static_cast<std::size_t>(m));
      for (std::int64_t i = 0; i < m; ++i) order[static_cast<std::size_t>(i)] = i;
      for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = 0; i < m; ++i)
          for (std::int64_t p = 0; p < std::min({i, j, k}); ++p) a(i, j) -= a(i, p) * a(p, j);
        if (j >= k) continue;
        std::int64_t pivot = j;
        for (std::int64_t i = j + 1; i < m; ++i)
          if (size(a(i, j)) > size(a(pivot, j))) pivot = i;
        store_integer(out[1], b * k + j, pivot);
        std::swap(order[static_cast<std::size_t>(j)], order[static_cast<std::size_t>(pivot)]);
        for (std::int64_t c = 0; c < n; ++c) std::swap(a(j, c), a(pivot, c));
        for (std::int64_t i = j + 1; i < m; ++i)
          if (size(a(j, j)) != 0) a(i, j) /= a(j, j);
      }
      for (std::int64_t i = 0; i < m; ++i)
        store_integer(out[2], b * m + i, order[static_cast<std::size_t>(i)]);
      store(out[0], b * m * n, a);
    }
  }
};

constexpr const Rules* rules[] = {rules_of<Lu>()};
}  // namespace

std::span<const Rules* const> lu_rules() { return rules; }

LuFactors lu(const Array& a, const Site& site) {
  const Array operands[] = {a};
  const ArrayList results = emit_all(Lu(), operands, site);
  return {results[0], results[1], results[2]};
}

}  // namespace fluxion::ops
