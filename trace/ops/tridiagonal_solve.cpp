// Tridiagonal systems by Thomas' algorithm: elimination without pivoting, then substitution.
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> tridiagonal_solve_rules();

namespace {
using namespace dense;

struct TridiagonalSolve {
  static constexpr auto name = "tridiagonal_solve";

  Types types(TypeList in) const {
    check_matrix(name, in[3]);
    Shape diagonal = leading(in[3].shape);
    diagonal.push_back(rows_of(in[3].shape));
    for (std::size_t k = 0; k < 3; ++k) {
      check_same_dtype(name, in[k], in[3]);
      if (in[k].shape == diagonal) continue;
      static constexpr const char* names[] = {"lower", "diagonal", "upper"};
      fail("matrix",
           Site(),
           "tridiagonal_solve: a diagonal has another size than the right sides have rows",
           {names[k] + (" " + to_string(in[k])), "b " + to_string(in[3])});
    }
    return {in[3]};
  }

  /// The product with x: each row has three elements.
  static Array applied(const Array& lower,
                       const Array& diagonal,
                       const Array& upper,
                       const Array& x) {
    const std::int64_t n = rows_of(type_of(x).shape);
    const auto neighbours = [&](const Array& d, std::int64_t shift) {
      std::vector<std::pair<std::int64_t, std::int64_t>> widths(type_of(x).shape.size(), {0, 0});
      auto& rows = widths[widths.size() - 2];
      (shift < 0 ? rows.first : rows.second) = 1;
      const Array part = shift < 0 ? x[{ellipsis, fluxion::slice(0, n - 1), fluxion::all}]
                                   : x[{ellipsis, fluxion::slice(1, n), fluxion::all}];
      return expand_dims(d, -1) * fluxion::pad(part, widths);
    };
    Array sum;
    if (defined(diagonal)) sum = expand_dims(diagonal, -1) * x;
    if (n == 0) return sum;
    if (defined(lower)) sum = sum_of(sum, neighbours(lower, -1));
    if (defined(upper)) sum = sum_of(sum, neighbours(upper, 1));
    return sum;
  }

  // T dx = db - dT x.
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    const SiteScope here(rule_site());
    Array right = dx[3];
    const Array moved = applied(dx[0], dx[1], dx[2], y[0]);
    if (defined(moved)) right = sum_of(right, -moved);
    if (!defined(right)) return {Array()};
    return {emit(*this, {x[0], x[1], x[2], right}, rule_site())};
  }

  // The transposed matrix has the lower diagonal above, and one row further up.
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) || !x.linear(3) || !out.needed(3)) return;
    const SiteScope here(rule_site());
    const Array lower = roll(x.value(2), 1, -1), upper = roll(x.value(0), -1, -1);
    out.add(3, emit(*this, {lower, x.value(1), upper, ct[0]}, rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  void body(kernel::Nest& nest) const {
    const Shape& b = nest.operand(3).shape;
    const std::int64_t n = rows_of(b);
    nest.phase(joined(leading(b), columns_of(b)), [&nest, n](const kernel::Index& index) {
      const kernel::Index lead(index.begin(), index.end() - 1);
      const Affine side = index.back();
      const Kernel k(nest, lead, n <= most_unrolled);
      Matrix x = k.matrix(n, 1), ratio = k.matrix(n, 1);
      if (n == 0) return;
      const auto eliminated = [&](const Affine& i, Value pivot, Value right) {
        ratio.set(i, at(0), k.read(2, i) / pivot);
        x.set(i, at(0), right / pivot);
      };
      eliminated(at(0), k.read(1, at(0)), k.read(3, at(0), side));
      k.loop(at(1), at(n), n - 1, [&](const Affine& i) {
        const Value lower = k.read(0, i);
        const Affine before = i + -1;
        eliminated(i,
                   minus_product(k.read(1, i), lower, ratio(before, at(0))),
                   minus_product(k.read(3, i, side), lower, x(before, at(0))));
      });
      k.write(0, at(n - 1), side, x(at(n - 1), at(0)));
      k.reversed(n - 1, [&](const Affine& i) {
        const Value value = minus_product(x(i, at(0)), ratio(i, at(0)), x(i + 1, at(0)));
        x.set(i, at(0), value);
        k.write(0, i, side, value);
      });
    });
  }

  // As a dense system: each row takes its left element from the row above.
  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = in[3].type.shape;
    const std::int64_t n = rows_of(shape), sides = columns_of(shape);
    for (std::int64_t b = 0; b < matrices_in(in[3].type); ++b) {
      HostMatrix t(n, n), x = load(in[3], b * n * sides, n, sides);
      const HostMatrix lower = load(in[0], b * n, n, 1), diagonal = load(in[1], b * n, n, 1),
                       upper = load(in[2], b * n, n, 1);
      for (std::int64_t i = 0; i < n; ++i) {
        t(i, i) = diagonal(i, 0);
        if (i > 0) t(i, i - 1) = lower(i, 0);
        if (i + 1 < n) t(i, i + 1) = upper(i, 0);
      }
      for (std::int64_t i = 1; i < n; ++i) {
        const Number factor = t(i, i - 1) / t(i - 1, i - 1);
        for (std::int64_t j = 0; j < n; ++j) t(i, j) -= factor * t(i - 1, j);
        for (std::int64_t side = 0; side < sides; ++side) x(i, side) -= factor * x(i - 1, side);
      }
      for (std::int64_t side = 0; side < sides; ++side)
        for (std::int64_t i = n - 1; i >= 0; --i) {
          for (std::int64_t j = i + 1; j < n; ++j) x(i, side) -= t(i, j) * x(j, side);
          x(i, side) /= t(i, i);
        }
      store(out[0], b * n * sides, x);
    }
  }
};

constexpr const Rules* rules[] = {rules_of<TridiagonalSolve>()};
}  // namespace

std::span<const Rules* const> tridiagonal_solve_rules() { return rules; }

Array tridiagonal_solve(const Array& lower,
                        const Array& diagonal,
                        const Array& upper,
                        const Array& b,
                        const Site& site) {
  return emit(TridiagonalSolve(), {lower, diagonal, upper, b}, site);
}

}  // namespace fluxion::ops
