// Orthogonal and triangular factors by Householder's reflections, with LAPACK's signs.
#include "fluxion/complex.hpp"
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion::ops {
std::span<const Rules* const> qr_rules();

namespace {
using namespace dense;

struct Qr {
  static constexpr auto name = "qr";
  bool full = false;

  std::int64_t inner(const Shape& a) const {
    return full ? rows_of(a) : std::min(rows_of(a), columns_of(a));
  }

  Types types(TypeList in) const {
    check_matrix(name, in[0]);
    const Shape &a = in[0].shape, lead = leading(a);
    return {{joined(lead, rows_of(a), inner(a)), in[0].dtype},
            {joined(lead, inner(a), columns_of(a)), in[0].dtype}};
  }

  // Q^H dA R^-1 = Q^H dQ + dR R^-1, a skew matrix and an upper triangle (Walter and Lehmann 2018,
  // "Algorithmic differentiation of linear algebra functions"); of a wide matrix the first columns
  // determine Q.
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return {Array(), Array()};
    const SiteScope here(rule_site());
    const Shape& shape = type_of(x[0]).shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape), k = std::min(m, n);
    if (full && m > n)
      fail("no-derivative",
           rule_site(),
           "qr: a square q of a tall matrix has no derivative: its last columns are any basis of "
           "what is left",
           {"a " + to_string(type_of(x[0]))},
           "the reduced factors have one: qr(a, \"reduced\")");
    const Array &q = y[0], &r = y[1];
    const auto first = [&](const Array& a) { return a[{ellipsis, fluxion::slice(0, k)}]; };
    const Array da = n > k ? first(dx[0]) : dx[0], square = n > k ? first(r) : r;
    const Array scaled = triangular_solve(square, da, {.left = false, .lower = false}, rule_site());
    const Array inside = matmul(adjoint(q), scaled), below = tril(inside, -1);
    Array turn = below - adjoint(below);
    if (is_complex(type_of(q).dtype)) {  // the diagonal of R stays real
      const Array phases = imag(inside) * identity_like(real(inside), k);
      turn = turn + complex(zeros_like(phases), phases);
    }
    return {matmul(q, turn - inside) + scaled, matmul(adjoint(q), dx[0]) - matmul(turn, r)};
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    return library_call(FactorizationSpec::Routine::qr, in[0], full, false);
  }

  void body(kernel::Nest& nest) const {
    const Shape shape = nest.operand(0).shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape), steps = std::min(m, n),
                       columns = inner(shape);
    nest.phase(leading(shape), [=, &nest](const kernel::Index& index) {
      const Kernel k(nest, index, std::max(m, n) <= most_unrolled);
      Matrix a = k.load(0, m, n), q = k.matrix(m, columns), tau = k.matrix(steps, 1);
      k.loop(steps, [&](const Affine& j) {
        reflect_to_axis(k, a, tau, j);
        k.loop(j + 1, at(n), n - 1, [&](const Affine& c) {
          apply(k, a, conjugate(tau(j, at(0))), a, j, c);
        });
      });
      k.loop(m, [&](const Affine& i) {
        k.loop(columns, [&](const Affine& j) {
          const Scalar here = k.integer(i) == k.integer(j);
          q.set(i, j, select(here, k.value(1), k.value(0)));
        });
      });
      k.reversed(steps, [&](const Affine& j) {
        k.loop(
            j, at(columns), columns, [&](const Affine& c) { apply(k, a, tau(j, at(0)), q, j, c); });
      });
      k.loop(m, [&](const Affine& i) {
        k.loop(columns, [&](const Affine& j) { k.write(0, i, j, q(i, j)); });
      });
      k.loop(columns, [&](const Affine& i) {
        k.loop(n, [&](const Affine& j) {
          // Rows below the last reflection hold nothing of R; they are read only as far as they go.
          if (m == 0) return;
          const Scalar upper = k.integer(i) <= k.integer(j);
          k.write(1, i, j, select(upper, a(i, j), k.value(0)));
        });
      });
    });
  }

  /// Column j from row j on becomes beta e_j: a(j, j) = beta, and below it the reflection's vector,
  /// whose first element is 1.
  static void reflect_to_axis(const Kernel& k, Matrix& a, Matrix& tau, const Affine& j) {
    const std::int64_t m = a.rows();
    const Value alpha = a(j, j);
    const Scalar below = k.fold(j + 1, at(m), m - 1, k.number(0), [&](const Affine& i, Scalar s) {
      return s + squared(a(i, j));
    });
    const Scalar norm = kernel::sqrt(below + squared(alpha));
    Scalar still = below == 0.0;
    if (alpha.is_complex()) still = still & (alpha.im == 0.0);
    const Scalar beta = kernel::select(alpha.re < 0, norm, -norm);
    const Value zero = k.value(0), one = k.value(1);
    const Value gap = alpha - Value{beta, zero.im};
    const Value scale = select(still, one, one / select(still, one, gap));
    const Scalar divisor = kernel::select(still, k.number(1), beta);
    tau.set(j, at(0), select(still, zero, -gap / divisor));
    a.set(j, j, Value{kernel::select(still, alpha.re, beta), zero.im});
    k.loop(j + 1, at(m), m - 1, [&](const Affine& i) { a.set(i, j, a(i, j) * scale); });
  }

  /// Column c of `to` under the reflection I - tau v v^H whose vector lies in column j of `from`.
  static void apply(const Kernel& k,
                    const Matrix& from,
                    Value tau,
                    Matrix& to,
                    const Affine& j,
                    const Affine& c) {
    const std::int64_t m = from.rows();
    const Value dot = -k.minus_products(j + 1, at(m), m - 1, -to(j, c), [&](const Affine& i) {
      return std::pair{conjugate(from(i, j)), to(i, c)};
    });
    const Value weight = tau * dot;
    to.set(j, c, to(j, c) - weight);
    k.loop(j + 1, at(m), m - 1, [&](const Affine& i) {
      to.set(i, c, minus_product(to(i, c), weight, from(i, j)));
    });
  }

  // By whole reflections H = I - v v^H / v^H x, which take x to x - v, a real multiple of the axis
  // with LAPACK's sign (Trefethen and Bau, lecture 10; of complex numbers H is not Hermitian).
  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = in[0].type.shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape), k = inner(shape);
    for (std::int64_t b = 0; b < matrices_in(in[0].type); ++b) {
      HostMatrix r = load(in[0], b * m * n, m, n), q = identity(m);
      for (std::int64_t j = 0; j < std::min(m, n); ++j) reflected(q, r, j);
      HostMatrix narrow(m, k), upper(k, n);
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < k; ++j) narrow(i, j) = q(i, j);
      for (std::int64_t i = 0; i < k; ++i)
        for (std::int64_t j = i; j < n; ++j) upper(i, j) = r(i, j);
      store(out[0], b * m * k, narrow);
      store(out[1], b * k * n, upper);
    }
  }

  static void reflected(HostMatrix& q, HostMatrix& r, std::int64_t j) {
    const std::int64_t m = r.rows;
    double below = 0;
    for (std::int64_t i = j + 1; i < m; ++i) below += std::norm(r(i, j));
    const Number head = r(j, j);
    if (below == 0 && head.imag() == 0) return;
    const double norm = std::sqrt(below + std::norm(head)), wanted = head.real() < 0 ? norm : -norm;
    HostMatrix x(m, 1), v(m, 1);
    for (std::int64_t i = j; i < m; ++i) v(i, 0) = x(i, 0) = r(i, j);
    v(j, 0) -= wanted;
    const Number along = product(adjoint(v), x)(0, 0);
    HostMatrix h = identity(m);
    for (std::int64_t a = 0; a < m; ++a)
      for (std::int64_t c = 0; c < m; ++c) h(a, c) -= v(a, 0) * std::conj(v(c, 0)) / along;
    r = product(h, r);
    q = product(q, adjoint(h));
    for (std::int64_t i = j + 1; i < m; ++i) r(i, j) = 0;
    r(j, j) = wanted;
  }
};

constexpr const Rules* rules[] = {rules_of<Qr>()};
}  // namespace

std::span<const Rules* const> qr_rules() { return rules; }

QrFactors qr(const Array& a, bool full, const Site& site) {
  const Shape shape = rank_of(a) >= 2 ? type_of(a).shape : Shape{0, 0};
  const Array operands[] = {a};
  const bool differs = rows_of(shape) > columns_of(shape);
  const ArrayList results = emit_all(Qr{full && differs}, operands, site);
  return {results[0], results[1]};
}

}  // namespace fluxion::ops
