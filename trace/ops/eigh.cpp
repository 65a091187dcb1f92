// Eigenvalues and eigenvectors of Hermitian matrices.
#include "fluxion/complex.hpp"
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

namespace fluxion::ops {
std::span<const Rules* const> eigh_rules();

namespace {
using namespace dense;

struct Eigh {
  static constexpr auto name = "eigh";
  bool vectors = true;

  Types types(TypeList in) const {
    check_square(name, in[0]);
    const Shape& a = in[0].shape;
    Types types{{joined(leading(a), rows_of(a)), real_of(in[0].dtype)}};
    if (vectors) types.push_back(in[0]);
    return types;
  }

  // With dM = V^H dA V: dw is its diagonal, dV = V (F o dM) with F(i, j) = 1 / (w_j - w_i) off the
  // diagonal (Giles 2008, "Collected matrix derivative results", 3.1). Infinite where eigenvalues
  // meet.
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return {vectors ? ArrayList{Array(), Array()} : ArrayList{Array()}};
    const SiteScope here(rule_site());
    Array w = y[0], v;
    if (vectors)
      v = y[1];
    else
      v = eigh(x[0], true, rule_site()).vectors;
    const Array moved = matmul(adjoint(v), matmul(mirrored(dx[0]), v));
    const Array dw = real(diagonal(moved, 0, -2, -1));
    if (!vectors) return {dw};
    const Array one = identity_like(w, rows_of(type_of(x[0]).shape));
    const Array gaps = expand_dims(w, -2) - expand_dims(w, -1);
    const Array f = 1 / (gaps + one) - one;
    Array dv = matmul(v, f * moved);
    if (const Array back = turned_to_positive(dv, v); defined(back))
      dv = dv - v * expand_dims(complex(zeros_like(back), back), -2);
    return {dw, dv};
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    return library_call(FactorizationSpec::Routine::eigh, in[0], false, vectors);
  }

  // Jacobi's method: sweeps of rotations until nothing is left off the diagonal.
  void body(kernel::Nest& nest) const {
    const std::int64_t n = rows_of(nest.operand(0).shape);
    nest.phase(leading(nest.operand(0).shape), [this, &nest, n](const kernel::Index& index) {
      const Kernel k(nest, index, false);
      Matrix a = k.matrix(n, n), v = k.matrix(n, n);
      k.loop(n, [&](const Affine& i) {
        k.loop(at(0), i + 1, n, [&](const Affine& j) {
          const Value x = k.read(0, i, j);
          a.set(j, i, conjugate(x));
          a.set(i, j, x);
        });
        if (is_complex(k.dtype())) a.set(i, i, Value{a(i, i).re, k.number(0)});
      });
      const Scalar poison = poison_of(k, a);
      set_identity(k, v);
      diagonalize(k, a, v);
      Cells values = k.cells(k.real(), n);
      k.loop(n, [&](const Affine& i) { values.set(i, a(i, i).re); });
      const Cells places = sorted_places(k, values, n, false);
      k.loop(n, [&](const Affine& j) {
        const Affine from = k.builder().affine(places.get(j));
        k.write(0, j, values.get(from) + poison);
        if (!vectors) return;
        const Value sign = sign_of_column(k, v, from);
        k.loop(n, [&](const Affine& i) {
          k.write(1, i, j, v(i, from) * sign + Value{poison, k.value(0).im});
        });
      });
    });
  }

  static void diagonalize(const Kernel& k, Matrix& a, Matrix& v) {
    const std::int64_t n = a.rows();
    const auto sizes = [&] {  // squared, off the diagonal and on it
      return k.fold(at(0),
                    at(n),
                    n,
                    {k.number(0), k.number(0)},
                    [&](const Affine& i, const std::vector<Scalar>& sum) {
                      const Scalar off =
                          k.fold(at(0), i, n - 1, sum[0], [&](const Affine& j, Scalar s) {
                            return s + squared(a(i, j));
                          });
                      return std::vector<Scalar>{off, sum[1] + squared(a(i, i))};
                    });
    };
    const double enough = k.real() == float64 ? 1e-32 : 1e-15;
    std::vector<Scalar> carried = sizes();
    carried.push_back(k.integer(at(0)));
    k.builder().repeat_while(
        carried,
        [&](const std::vector<Scalar>& c) { return (c[0] > (c[0] + c[1]) * enough) & (c[2] < 40); },
        [&](const std::vector<Scalar>& c) {
          k.loop(n, [&](const Affine& p) {
            k.loop(p + 1, at(n), n - 1, [&](const Affine& q) { rotate(k, a, v, p, q); });
          });
          std::vector<Scalar> next = sizes();
          next.push_back(c[2] + 1);
          return next;
        });
  }

  static void rotate(const Kernel& k, Matrix& a, Matrix& v, const Affine& p, const Affine& q) {
    const Rotation r = diagonalizing(k, a(p, p).re, a(q, q).re, a(p, q));
    rotate_columns(k, a, p, q, r);
    k.loop(a.rows(), [&](const Affine& i) {
      const Value x = a(p, i), y = a(q, i);
      a.set(p, i, minus_product(x * r.c, r.s, y));
      a.set(q, i, minus_product(y * r.c, -conjugate(r.s), x));
    });
    a.set(p, q, k.value(0));
    a.set(q, p, k.value(0));
    rotate_columns(k, v, p, q, r);
  }

  void reference(ConstTensors in, Tensors out) const {
    const std::int64_t n = rows_of(in[0].type.shape);
    for (std::int64_t b = 0; b < matrices_in(in[0].type); ++b) {
      HostMatrix a = load(in[0], b * n * n, n, n), w(n, 1), v(n, n);
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < i; ++j) a(j, i) = std::conj(a(i, j));
        a(i, i) = a(i, i).real();
      }
      if (finite(a)) {
        const auto [values, columns] = jacobi(a);
        for (std::int64_t i = 0; i < n; ++i) w(i, 0) = values[static_cast<std::size_t>(i)];
        v = columns;
      } else {
        w = not_a_number(n, 1);
        v = not_a_number(n, n);
      }
      store(out[0], b * n, w);
      if (vectors) store(out[1], b * n * n, v);
    }
  }
};

constexpr const Rules* rules[] = {rules_of<Eigh>()};
}  // namespace

std::span<const Rules* const> eigh_rules() { return rules; }

Eigenpairs eigh(const Array& a, bool vectors, const Site& site) {
  const Array operands[] = {a};
  const ArrayList results = emit_all(Eigh{vectors}, operands, site);
  return {results[0], vectors ? results[1] : Array()};
}

}  // namespace fluxion::ops
