// Systems with a triangular matrix, by substitution.
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

#include <fmt/format.h>

namespace fluxion::ops {
std::span<const Rules* const> triangular_solve_rules();

namespace {
using namespace dense;

struct TriangularSolveOp {
  static constexpr auto name = "triangular_solve";
  bool left = true, lower = true;
  Transposed transposed = Transposed::no;
  bool unit_diagonal = false;

  Types types(TypeList in) const {
    check_square(name, in[0]);
    check_matrix(name, in[1]);
    check_same_dtype(name, in[0], in[1]);
    const Shape &a = in[0].shape, &b = in[1].shape;
    if (leading(a) != leading(b) || rows_of(a) != (left ? rows_of(b) : columns_of(b)))
      fail("matrix",
           Site(),
           fmt::format("triangular_solve: the {} of b do not fit the matrix",
                       left ? "rows" : "columns"),
           {"a " + to_string(in[0]), "b " + to_string(in[1])});
    return {in[1]};
  }

  /// Whether T x = b, which both sides come to, is solved from the first row on.
  bool forward() const { return lower == ((transposed == Transposed::no) == left); }
  /// Whether T(i, j) is a(i, j).
  bool straight() const { return (transposed == Transposed::no) == left; }

  TriangularSolveOp flipped() const {
    TriangularSolveOp op = *this;
    op.transposed = transposed == Transposed::no ? Transposed::yes : Transposed::no;
    return op;
  }

  // op(a) dx = db - op(da) x.
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    const SiteScope here(rule_site());
    Array right = dx[1];
    if (defined(dx[0])) {
      const int k = unit_diagonal ? 1 : 0;
      Array da = lower ? tril(dx[0], -k) : triu(dx[0], k);
      if (transposed == Transposed::yes) da = dense::transposed(da);
      if (transposed == Transposed::adjoint) da = adjoint(da);
      right = sum_of(right, -(left ? matmul(da, y[0]) : matmul(y[0], da)));
    }
    if (!defined(right)) return {Array()};
    return {emit(*this, {x[0], right}, rule_site())};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) || !x.linear(1) || !out.needed(1)) return;
    const Array a = transposed == Transposed::adjoint ? conjugate(x.value(0)) : x.value(0);
    out.add(1, emit(flipped(), {a, ct[0]}, rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    LeafSpec any = library_call(FactorizationSpec::Routine::triangular_solve, in[0], false, false);
    auto* spec = std::get_if<FactorizationSpec>(&any);
    if (!spec || element_count(in[1].shape) == 0) return {};
    spec->left = left;
    spec->lower = lower;
    spec->unit_diagonal = unit_diagonal;
    spec->transposed = transposed == Transposed::no    ? 'N'
                       : transposed == Transposed::yes ? 'T'
                                                       : 'C';
    spec->right_sides = left ? columns_of(in[1].shape) : rows_of(in[1].shape);
    return any;
  }

  // Every right side is independent of the others.
  void body(kernel::Nest& nest) const {
    const std::int64_t n = rows_of(nest.operand(0).shape);
    const Shape& b = nest.operand(1).shape;
    const Shape domain = joined(leading(b), left ? columns_of(b) : rows_of(b));
    nest.phase(domain, [this, &nest, n](const kernel::Index& index) {
      const kernel::Index lead(index.begin(), index.end() - 1);
      const Affine side = index.back();
      const Kernel k(nest, lead, n <= most_unrolled);
      Matrix x = k.matrix(n, 1);
      const auto element = [&](const Affine& i, const Affine& j) {
        const Value t = straight() ? k.read(0, i, j) : k.read(0, j, i);
        return transposed == Transposed::adjoint ? conjugate(t) : t;
      };
      const auto row = [&](const Affine& i, const Affine& from, const Affine& to) {
        const Value b = left ? k.read(1, i, side) : k.read(1, side, i);
        Value sum = k.minus_products(from, to, n - 1, b, [&](const Affine& j) {
          return std::pair{element(i, j), x(j, at(0))};
        });
        if (!unit_diagonal) sum = sum / element(i, i);
        x.set(i, at(0), sum);
        left ? k.write(0, i, side, sum) : k.write(0, side, i, sum);
      };
      if (forward())
        k.loop(n, [&](const Affine& i) { row(i, at(0), i); });
      else
        k.reversed(n, [&](const Affine& i) { row(i, i + 1, at(n)); });
    });
  }

  // By columns: every unknown that is known is taken from all equations at once.
  void reference(ConstTensors in, Tensors out) const {
    const std::int64_t n = rows_of(in[0].type.shape);
    const Shape& shape = in[1].type.shape;
    const std::int64_t m = rows_of(shape), columns = columns_of(shape);
    for (std::int64_t b = 0; b < matrices_in(in[0].type); ++b) {
      const HostMatrix a = load(in[0], b * n * n, n, n);
      HostMatrix t(n, n), x = load(in[1], b * m * columns, m, columns);
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          t(i, j) = straight() ? a(i, j) : a(j, i);
          if (transposed == Transposed::adjoint) t(i, j) = std::conj(t(i, j));
        }
      const auto unknown = [&](std::int64_t i, std::int64_t side) -> Number& {
        return left ? x(i, side) : x(side, i);
      };
      for (std::int64_t side = 0; side < (left ? columns : m); ++side)
        for (std::int64_t step = 0; step < n; ++step) {
          const std::int64_t j = forward() ? step : n - 1 - step;
          if (!unit_diagonal) unknown(j, side) /= t(j, j);
          for (std::int64_t i = 0; i < n; ++i)
            if (forward() ? i > j : i < j) unknown(i, side) -= t(i, j) * unknown(j, side);
        }
      store(out[0], b * m * columns, x);
    }
  }
};

constexpr const Rules* rules[] = {rules_of<TriangularSolveOp>()};
}  // namespace

std::span<const Rules* const> triangular_solve_rules() { return rules; }

Array triangular_solve(const Array& a,
                       const Array& b,
                       const TriangularSolve& how,
                       const Site& site) {
  return emit(
      TriangularSolveOp{how.left, how.lower, how.transposed, how.unit_diagonal}, {a, b}, site);
}

}  // namespace fluxion::ops
