// Inverses by elimination with partial pivoting, in place.
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> inverse_rules();

namespace {
using namespace dense;

struct Inverse {
  static constexpr auto name = "inverse";

  Types types(TypeList in) const {
    check_square(name, in[0]);
    return {in[0]};
  }

  // d(X) = -X dA X.
  ArrayList jvp(Arrays, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return {Array()};
    const SiteScope here(rule_site());
    return {-matmul(matmul(y[0], dx[0]), y[0])};
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    return library_call(FactorizationSpec::Routine::inverse, in[0], false, false);
  }

  // Gauss and Jordan: column j of the identity grows where column j of the matrix was. The
  // exchanges of rows come back as exchanges of columns.
  void body(kernel::Nest& nest) const {
    const std::int64_t n = rows_of(nest.operand(0).shape);
    nest.phase(leading(nest.operand(0).shape), [&nest, n](const kernel::Index& index) {
      const Kernel k(nest, index, n <= most_unrolled);
      Matrix a = k.load(0, n, n);
      Cells pivots = k.cells(k.place_type(), n), poison = k.cells(k.real(), 1);
      poison.set(at(0), k.number(0));
      k.loop(n, [&](const Affine& j) {
        const Scalar pivot = k.pivot_row(a, j, j);
        pivots.set(j, pivot);
        k.exchange_rows(a, j, pivot);
        const Value head = a(j, j), one = k.value(1), factor = one / head;
        poison.set(at(0),
                   kernel::select(pivot_size(head) == 0.0, k.not_a_number(), poison.get(at(0))));
        const auto others = [&](std::int64_t count, const Kernel::Body& body) {
          k.loop(at(0), j, count - 1, body);
          k.loop(j + 1, at(count), count - 1, body);
        };
        a.set(j, j, factor);
        others(n, [&](const Affine& c) { a.set(j, c, a(j, c) * factor); });
        others(n, [&](const Affine& i) {
          const Value x = a(i, j);
          others(n, [&](const Affine& c) { a.set(i, c, minus_product(a(i, c), x, a(j, c))); });
          a.set(i, j, -(x * factor));
        });
      });
      k.reversed(n, [&](const Affine& j) { exchange_columns(k, a, j, pivots.get(j)); });
      const Value nan_or_zero{poison.get(at(0)), k.value(0).im};
      k.loop(n, [&](const Affine& i) {
        k.loop(n, [&](const Affine& j) { k.write(0, i, j, a(i, j) + nan_or_zero); });
      });
    });
  }

  static void exchange_columns(const Kernel& k, Matrix& a, const Affine& j, Scalar p) {
    const auto exchange = [&](const Affine& c, const auto& choose) {
      k.loop(a.rows(), [&](const Affine& i) {
        const Value x = a(i, j), y = a(i, c);
        a.set(i, j, choose(y, x));
        a.set(i, c, choose(x, y));
      });
    };
    if (!k.unrolled())
      return exchange(k.builder().affine(p), [](Value taken, Value) { return taken; });
    for (std::int64_t c = j.constant + 1; c < a.columns(); ++c) {
      const Scalar here = p == p.like(static_cast<double>(c));
      exchange(at(c), [&](Value taken, Value kept) { return select(here, taken, kept); });
    }
  }

  // Elimination of [a | identity], with complete pivoting, then substitution.
  void reference(ConstTensors in, Tensors out) const {
    const std::int64_t n = rows_of(in[0].type.shape);
    for (std::int64_t b = 0; b < matrices_in(in[0].type); ++b)
      store(out[0], b * n * n, inverted(load(in[0], b * n * n, n, n)));
  }

  static HostMatrix inverted(HostMatrix a) {
    const std::int64_t n = a.rows;
    HostMatrix right = identity(n);
    std::vector<std::int64_t> unknown(static_cast<std::size_t>(n));
    for (std::int64_t j = 0; j < n; ++j) unknown[static_cast<std::size_t>(j)] = j;
    for (std::int64_t j = 0; j < n; ++j) {
      std::int64_t row = j, column = j;
      for (std::int64_t i = j; i < n; ++i)
        for (std::int64_t c = j; c < n; ++c)
          if (std::abs(a(i, c)) > std::abs(a(row, column))) row = i, column = c;
      if (a(row, column) == 0.0) return not_a_number(n, n);
      for (std::int64_t c = 0; c < n; ++c) {
        std::swap(a(j, c), a(row, c));
        std::swap(right(j, c), right(row, c));
      }
      for (std::int64_t i = 0; i < n; ++i) std::swap(a(i, j), a(i, column));
      std::swap(unknown[static_cast<std::size_t>(j)], unknown[static_cast<std::size_t>(column)]);
      for (std::int64_t i = j + 1; i < n; ++i) {
        const Number factor = a(i, j) / a(j, j);
        for (std::int64_t c = 0; c < n; ++c) {
          if (c >= j) a(i, c) -= factor * a(j, c);
          right(i, c) -= factor * right(j, c);
        }
      }
    }
    HostMatrix x(n, n);
    for (std::int64_t c = 0; c < n; ++c)
      for (std::int64_t i = n - 1; i >= 0; --i) {
        Number sum = right(i, c);
        for (std::int64_t j = i + 1; j < n; ++j)
          sum -= a(i, j) * x(unknown[static_cast<std::size_t>(j)], c);
        x(unknown[static_cast<std::size_t>(i)], c) = sum / a(i, i);
      }
    return x;
  }
};

constexpr const Rules* rules[] = {rules_of<Inverse>()};
}  // namespace

std::span<const Rules* const> inverse_rules() { return rules; }

Array inverse(const Array& a, const Site& site) { return emit(Inverse(), {a}, site); }

}  // namespace fluxion::ops
