// Systems whose matrix was factored before.
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion::ops {
std::span<const Rules* const> lu_solve_rules();

namespace {
using namespace dense;

/// The factors are a means of computing with the matrix: what depends on them is differentiated as
/// a function of the matrix, so that every derivative is a solution with the same factors.
struct LuSolve {
  static constexpr auto name = "lu_solve";  // operands: a, lu, permutation, b
  Transposed transposed = Transposed::no;

  Types types(TypeList in) const {
    check_square(name, in[0]);
    check_matrix(name, in[3]);
    check_same_dtype(name, in[0], in[3]);
    Shape rows = leading(in[0].shape);
    rows.push_back(rows_of(in[0].shape));
    const bool factors = in[1] == in[0] && in[2] == Type{rows, int32};
    const Shape& b = in[3].shape;
    if (!factors || leading(b) != leading(in[0].shape) || rows_of(b) != rows_of(in[0].shape))
      fail("matrix",
           Site(),
           "lu_solve: the factors or the right sides do not fit the matrix",
           {"a " + to_string(in[0]),
            "lu " + to_string(in[1]),
            "permutation " + to_string(in[2]),
            "b " + to_string(in[3])});
    return {in[3]};
  }

  // op(a) dx = db - op(da) x.
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    const SiteScope here(rule_site());
    Array right = dx[3];
    if (defined(dx[0])) {
      Array da = dx[0];
      if (transposed == Transposed::yes) da = dense::transposed(da);
      if (transposed == Transposed::adjoint) da = adjoint(da);
      right = sum_of(right, -matmul(da, y[0]));
    }
    if (!defined(right)) return {Array()};
    return {emit(*this, {x[0], x[1], x[2], right}, rule_site())};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) || !x.linear(3) || !out.needed(3)) return;
    Array a = x.value(0), lu = x.value(1);
    if (transposed == Transposed::adjoint) {
      a = conjugate(a);
      lu = conjugate(lu);
    }
    const LuSolve other{transposed == Transposed::no ? Transposed::yes : Transposed::no};
    out.add(3, emit(other, {a, lu, x.value(2), ct[0]}, rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    LeafSpec any = library_call(FactorizationSpec::Routine::lu, in[0], false, false);
    auto* spec = std::get_if<FactorizationSpec>(&any);
    if (!spec || element_count(in[3].shape) == 0) return {};
    spec->transposed = transposed == Transposed::no    ? 'N'
                       : transposed == Transposed::yes ? 'T'
                                                       : 'C';
    spec->right_sides = columns_of(in[3].shape);
    return any;
  }

  // Forward and back substitution for each right side.
  void body(kernel::Nest& nest) const {
    const Shape& b = nest.operand(3).shape;
    const std::int64_t n = rows_of(b);
    nest.phase(joined(leading(b), columns_of(b)), [this, &nest, n](const kernel::Index& index) {
      const kernel::Index lead(index.begin(), index.end() - 1);
      const Affine side = index.back();
      const Kernel k(nest, lead, n <= most_unrolled);
      const bool plain = transposed == Transposed::no;
      Matrix x = k.matrix(n, 1);
      // Within the matrix whatever the permutation holds.
      const auto row_of = [&](const Affine& i) {
        const kernel::Scalar row = kernel::convert(k.read(2, i).re, int64);
        return k.builder().affine(
            kernel::min(kernel::max(row, row.like(0)), row.like(static_cast<double>(n - 1))));
      };
      const auto element = [&](const Affine& i, const Affine& j) {
        if (plain) return k.read(1, i, j);
        const Value t = k.read(1, j, i);
        return transposed == Transposed::adjoint ? conjugate(t) : t;
      };
      const auto solved = [&](const Affine& i, const Affine& from, const Affine& to, bool unit) {
        const Value sum = k.minus_products(from, to, n - 1, x(i, at(0)), [&](const Affine& j) {
          return std::pair{element(i, j), x(j, at(0))};
        });
        x.set(i, at(0), unit ? sum : sum / element(i, i));
      };
      k.loop(n, [&](const Affine& i) {
        x.set(i, at(0), k.read(3, plain ? row_of(i) : i, side));
        solved(i, at(0), i, plain);
      });
      k.reversed(n, [&](const Affine& i) {
        solved(i, i + 1, at(n), !plain);
        k.write(0, plain ? i : row_of(i), side, x(i, at(0)));
      });
    });
  }

  // The matrix is put together again from its factors, and eliminated anew.
  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = in[3].type.shape;
    const std::int64_t n = rows_of(shape), sides = columns_of(shape);
    for (std::int64_t b = 0; b < matrices_in(in[0].type); ++b) {
      const HostMatrix packed = load(in[1], b * n * n, n, n);
      HostMatrix l = identity(n), u(n, n), a(n, n);
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j) (j < i ? l : u)(i, j) = packed(i, j);
      const HostMatrix moved = product(l, u);
      const std::int32_t* rows = in[2].as<std::int32_t>() + b * n;
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j)
          a(std::clamp<std::int64_t>(rows[i], 0, n - 1), j) = moved(i, j);
      if (transposed != Transposed::no) a = dense::adjoint(a);
      if (transposed == Transposed::yes)
        for (Number& x : a.elements) x = std::conj(x);
      HostMatrix x = load(in[3], b * n * sides, n, sides);
      eliminate(a, x);
      store(out[0], b * n * sides, x);
    }
  }

  static void eliminate(HostMatrix& a, HostMatrix& x) {
    const std::int64_t n = a.rows;
    for (std::int64_t j = 0; j < n; ++j) {
      std::int64_t pivot = j;
      for (std::int64_t i = j; i < n; ++i)
        if (std::abs(a(i, j)) > std::abs(a(pivot, j))) pivot = i;
      for (std::int64_t c = 0; c < n; ++c) std::swap(a(j, c), a(pivot, c));
      for (std::int64_t c = 0; c < x.columns; ++c) std::swap(x(j, c), x(pivot, c));
      for (std::int64_t i = 0; i < n; ++i) {
        if (i == j) continue;
        const Number factor = a(i, j) / a(j, j);
        for (std::int64_t c = 0; c < n; ++c) a(i, c) -= factor * a(j, c);
        for (std::int64_t c = 0; c < x.columns; ++c) x(i, c) -= factor * x(j, c);
      }
    }
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t c = 0; c < x.columns; ++c) x(i, c) /= a(i, i);
  }
};

constexpr const Rules* rules[] = {rules_of<LuSolve>()};
}  // namespace

std::span<const Rules* const> lu_solve_rules() { return rules; }

Array lu_solve(const Array& a,
               const LuFactors& factors,
               const Array& b,
               Transposed transposed,
               const Site& site) {
  return emit(LuSolve{transposed}, {a, factors.lu, factors.permutation, b}, site);
}

}  // namespace fluxion::ops
