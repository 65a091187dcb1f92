// Singular values and vectors.
#include "fluxion/complex.hpp"
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> svd_rules();

namespace {
using namespace dense;

/// m by n with m >= n as the method sees it: of a wide matrix the adjoint.
struct Sides {
  std::int64_t m, n, columns;  // of the left vectors
  bool wide;
};

struct Svd {
  static constexpr auto name = "svd";
  bool full = false, vectors = true;

  Types types(TypeList in) const {
    check_matrix(name, in[0]);
    const Shape &a = in[0].shape, lead = leading(a);
    const std::int64_t m = rows_of(a), n = columns_of(a), k = std::min(m, n);
    Types types{{joined(lead, k), real_of(in[0].dtype)}};
    if (!vectors) return types;
    types.push_back({joined(lead, m, full ? m : k), in[0].dtype});
    types.push_back({joined(lead, full ? n : k, n), in[0].dtype});
    return types;
  }

  // With dM = U^H dA V: ds is its diagonal, dU = U (F o (dM S + S dM^H)), dV = V (F o (S dM + dM^H
  // S)) with F(i, j) = 1 / (s_j^2 - s_i^2), 0 where they are equal, and what leaves the span of the
  // vectors over s (Giles 2008, 3.2; Townsend 2016, "Differentiating the singular value
  // decomposition"; as JAX). Infinite where a singular value is 0 and the matrix is not square.
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return ArrayList(vectors ? 3 : 1);
    const SiteScope here(rule_site());
    const Shape& shape = type_of(x[0]).shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape);
    if (vectors && full)
      fail("no-derivative",
           rule_site(),
           "svd: square factors of a matrix that is not square have no derivative: their last "
           "columns are any basis of what is left",
           {"a " + to_string(type_of(x[0]))},
           "the reduced factors have one: svd(a, false)");
    SvdFactors f{y[0], {}, {}};
    if (vectors) {
      f.u = y[1];
      f.vh = y[2];
    } else {
      f = svd(x[0], false, true, rule_site());
    }
    const Array v = adjoint(f.vh), uh = adjoint(f.u), &da = dx[0];
    const Array moved = matmul(matmul(uh, da), v);
    const Array ds = real(diagonal(moved, 0, -2, -1));
    if (!vectors) return {ds};
    const Array row = expand_dims(f.values, -2), column = expand_dims(f.values, -1);
    const Array gaps = (row + column) * (row - column);
    const auto inverted = [](const Array& a) {
      const Array zero = where(a == 0, ones_like(a), zeros_like(a));
      return 1 / (a + zero) - zero;
    };
    const Array weights = inverted(gaps), one = identity_like(f.values, std::min(m, n));
    const Array right = row * moved, left = column * moved;
    const Array turn = 0.5 * (moved - adjoint(moved)) * (one * inverted(row));
    Array du = matmul(f.u, weights * (right + adjoint(right)) + turn);
    Array dv = matmul(v, weights * (left + adjoint(left)));
    if (m > n) {
      const Array across = matmul(da, v);
      du = du + (across - matmul(f.u, matmul(uh, across))) / row;
    }
    if (n > m) {
      const Array across = matmul(adjoint(da), f.u);
      dv = dv + (across - matmul(v, matmul(f.vh, across))) / row;
    }
    if (const Array back = turned_to_positive(du, f.u); defined(back)) {
      const Array turn_back = expand_dims(complex(zeros_like(back), back), -2);
      du = du - f.u * turn_back;
      dv = dv - v * turn_back;
    }
    return {ds, du, adjoint(dv)};
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    return library_call(FactorizationSpec::Routine::svd, in[0], full, vectors);
  }

  // One-sided Jacobi (Hestenes): rotations of columns until all are orthogonal; their lengths are
  // the singular values.
  void body(kernel::Nest& nest) const {
    const Shape shape = nest.operand(0).shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape);
    const Sides sides{
        std::max(m, n), std::min(m, n), full ? std::max(m, n) : std::min(m, n), n > m};
    nest.phase(leading(shape), [this, &nest, sides](const kernel::Index& index) {
      const Kernel k(nest, index, false);
      if (sides.n == 0) return no_columns(k, sides);
      Matrix a = k.matrix(sides.m, sides.n), v = k.matrix(sides.n, sides.n);
      k.loop(sides.m, [&](const Affine& i) {
        k.loop(sides.n, [&](const Affine& j) {
          a.set(i, j, sides.wide ? conjugate(k.read(0, j, i)) : k.read(0, i, j));
        });
      });
      const Scalar poison = poison_of(k, a);
      set_identity(k, v);
      orthogonalize(k, a, v);
      Cells values = k.cells(k.real(), sides.n);
      k.loop(sides.n, [&](const Affine& j) {
        values.set(j,
                   kernel::sqrt(k.fold(
                       at(0), at(sides.m), sides.m, k.number(0), [&](const Affine& i, Scalar s) {
                         return s + squared(a(i, j));
                       })));
      });
      const Cells places = sorted_places(k, values, sides.n, true);
      k.loop(sides.n, [&](const Affine& j) {
        k.write(0, j, values.get(k.builder().affine(places.get(j))) + poison);
      });
      if (vectors) write_vectors(k, sides, a, v, values, places, poison);
    });
  }

  void no_columns(const Kernel& k, const Sides& sides) const {
    if (!vectors) return;
    const int square = sides.wide ? 2 : 1;
    k.loop(sides.columns, [&](const Affine& i) {
      k.loop(sides.columns, [&](const Affine& j) {
        k.write(square, i, j, select(k.integer(i) == k.integer(j), k.value(1), k.value(0)));
      });
    });
  }

  static void orthogonalize(const Kernel& k, Matrix& a, Matrix& v) {
    const std::int64_t m = a.rows(), n = a.columns();
    Cells worst = k.cells(k.real(), 1);
    const double enough = k.real() == float64 ? 1e-31 : 1e-14;
    k.builder().repeat_while(
        {k.number(1), k.integer(at(0))},
        [&](const std::vector<Scalar>& c) { return (c[0] > 0) & (c[1] < 40); },
        [&](const std::vector<Scalar>& c) {
          worst.set(at(0), k.number(0));
          k.loop(n, [&](const Affine& p) {
            k.loop(p + 1, at(n), n - 1, [&](const Affine& q) {
              const auto length = [&](const Affine& j) {
                return k.fold(at(0), at(m), m, k.number(0), [&](const Affine& i, Scalar s) {
                  return s + squared(a(i, j));
                });
              };
              const Scalar first = length(p), second = length(q);
              const Value dot =
                  -k.minus_products(at(0), at(m), m, k.value(0), [&](const Affine& i) {
                    return std::pair{conjugate(a(i, p)), a(i, q)};
                  });
              const Scalar oblique = squared(dot) > first * second * enough;
              worst.set(at(0), kernel::select(oblique, k.number(1), worst.get(at(0))));
              const Rotation r = diagonalizing(k, first, second, select(oblique, dot, k.value(0)));
              rotate_columns(k, a, p, q, r);
              rotate_columns(k, v, p, q, r);
            });
          });
          return std::vector<Scalar>{worst.get(at(0)), c[1] + 1};
        });
  }

  void write_vectors(const Kernel& k,
                     const Sides& sides,
                     const Matrix& a,
                     const Matrix& v,
                     const Cells& values,
                     const Cells& places,
                     Scalar poison) const {
    Matrix u = k.matrix(sides.m, sides.columns), w = k.matrix(sides.n, sides.n);
    // What rounding left of a column gives no direction.
    const double epsilon = k.real() == float64 ? 0x1p-52 : 0x1p-23;
    const Scalar least = values.get(k.builder().affine(places.get(at(0)))) * epsilon;
    k.loop(sides.n, [&](const Affine& j) {
      const Affine from = k.builder().affine(places.get(j));
      const Scalar length = values.get(from);
      complete(k, u, j);
      k.loop(sides.m, [&](const Affine& i) {
        const Scalar none = length <= least;
        const Value direction = a(i, from) / kernel::select(none, k.number(1), length);
        u.set(i, j, select(none, u(i, j), direction));
      });
      k.loop(sides.n, [&](const Affine& i) { w.set(i, j, v(i, from)); });
    });
    k.loop(at(sides.n), at(sides.columns), sides.columns - sides.n, [&](const Affine& j) {
      complete(k, u, j);
    });
    const Matrix &left = sides.wide ? w : u, &right = sides.wide ? u : w;
    const Value spoiled{poison, k.value(0).im};
    const auto write_left = [&](const Affine& j, Value sign) {
      k.loop(left.rows(), [&](const Affine& i) { k.write(1, i, j, left(i, j) * sign + spoiled); });
    };
    const auto write_right = [&](const Affine& j, Value sign) {
      k.loop(right.rows(),
             [&](const Affine& i) { k.write(2, j, i, conjugate(right(i, j) * sign) + spoiled); });
    };
    k.loop(sides.n, [&](const Affine& j) {
      const Value sign = sign_of_column(k, left, j);
      write_left(j, sign);
      write_right(j, sign);
    });
    k.loop(at(sides.n), at(sides.columns), sides.columns - sides.n, [&](const Affine& j) {
      const Value sign = sign_of_column(k, u, j);
      sides.wide ? write_right(j, sign) : write_left(j, sign);
    });
  }

  /// Column j of u: the unit vector that lies most outside the columns before, made orthogonal to
  /// them twice.
  static void complete(const Kernel& k, Matrix& u, const Affine& j) {
    const std::int64_t m = u.rows(), most = u.columns();
    const auto best = k.fold(
        at(0),
        at(m),
        m,
        {k.number(__builtin_inf()), k.integer(at(0))},
        [&](const Affine& i, const std::vector<Scalar>& least) {
          const Scalar inside = k.fold(at(0), j, most, k.number(0), [&](const Affine& c, Scalar s) {
            return s + squared(u(i, c));
          });
          const Scalar smaller = inside < least[0];
          return std::vector<Scalar>{kernel::select(smaller, inside, least[0]),
                                     kernel::select(smaller, k.integer(i), least[1])};
        });
    k.loop(m, [&](const Affine& i) {
      u.set(i, j, select(k.integer(i) == best[1], k.value(1), k.value(0)));
    });
    for (int round = 0; round < 2; ++round) {
      k.loop(at(0), j, most, [&](const Affine& c) {
        const Value dot = -k.minus_products(at(0), at(m), m, k.value(0), [&](const Affine& i) {
          return std::pair{conjugate(u(i, c)), u(i, j)};
        });
        k.loop(m, [&](const Affine& i) { u.set(i, j, minus_product(u(i, j), dot, u(i, c))); });
      });
    }
    const Scalar length =
        kernel::sqrt(k.fold(at(0), at(m), m, k.number(0), [&](const Affine& i, Scalar s) {
          return s + squared(u(i, j));
        }));
    k.loop(m, [&](const Affine& i) { u.set(i, j, u(i, j) / length); });
  }

  // By the eigenvalues of [[0, A], [A^H, 0]], which are +-s, with the vectors (u, +-v) / sqrt(2).
  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = in[0].type.shape;
    const std::int64_t m = rows_of(shape), n = columns_of(shape), k = std::min(m, n);
    for (std::int64_t b = 0; b < matrices_in(in[0].type); ++b) {
      const HostMatrix a = load(in[0], b * m * n, m, n);
      HostMatrix s(k, 1), u(m, full ? m : k), v(n, full ? n : k);
      if (!finite(a)) {
        s = not_a_number(k, 1);
        u = not_a_number(u.rows, u.columns);
        v = not_a_number(v.rows, v.columns);
      } else {
        decompose(a, s, u, v);
      }
      store(out[0], b * k, s);
      if (!vectors) continue;
      store(out[1], b * u.rows * u.columns, u);
      store(out[2], b * v.rows * v.columns, dense::adjoint(v));
    }
  }

  static void decompose(const HostMatrix& a, HostMatrix& s, HostMatrix& u, HostMatrix& v) {
    const std::int64_t m = a.rows, n = a.columns, k = s.rows;
    HostMatrix both(m + n, m + n);
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        both(i, m + j) = a(i, j);
        both(m + j, i) = std::conj(a(i, j));
      }
    const auto [values, columns] = jacobi(both);
    std::int64_t rank = 0;
    for (std::int64_t j = 0; j < k; ++j) {
      const double value = values[static_cast<std::size_t>(m + n - 1 - j)];
      s(j, 0) = std::max(value, 0.0);
      if (!(value > 1e-15 * s(0, 0).real())) continue;
      rank = j + 1;
      for (std::int64_t i = 0; i < m; ++i) u(i, j) = std::sqrt(2.0) * columns(i, m + n - 1 - j);
      for (std::int64_t i = 0; i < n; ++i) v(i, j) = std::sqrt(2.0) * columns(m + i, m + n - 1 - j);
    }
    for (std::int64_t j = rank; j < u.columns; ++j) fill(u, j);
    for (std::int64_t j = rank; j < v.columns; ++j) fill(v, j);
    for (std::int64_t j = 0; j < u.columns; ++j) {
      const Number sign = sign_of_column(u, j);
      u.scale_column(j, sign);
      if (j < k) v.scale_column(j, sign);
    }
    for (std::int64_t j = k; j < v.columns; ++j) v.scale_column(j, sign_of_column(v, j));
  }

  /// Column j orthogonal to those before.
  static void fill(HostMatrix& u, std::int64_t j) {
    double longest = 0;
    for (std::int64_t axis = 0; axis < u.rows; ++axis) {
      HostMatrix x(u.rows, 1);
      x(axis, 0) = 1;
      for (int round = 0; round < 2; ++round)
        for (std::int64_t c = 0; c < j; ++c) {
          Number dot = 0;
          for (std::int64_t i = 0; i < u.rows; ++i) dot += std::conj(u(i, c)) * x(i, 0);
          for (std::int64_t i = 0; i < u.rows; ++i) x(i, 0) -= dot * u(i, c);
        }
      const double length = std::sqrt(product(dense::adjoint(x), x)(0, 0).real());
      if (length <= 1.0001 * longest) continue;
      longest = length;
      for (std::int64_t i = 0; i < u.rows; ++i) u(i, j) = x(i, 0) / length;
    }
  }
};

constexpr const Rules* rules[] = {rules_of<Svd>()};
}  // namespace

std::span<const Rules* const> svd_rules() { return rules; }

SvdFactors svd(const Array& a, bool full, bool vectors, const Site& site) {
  const Shape shape = rank_of(a) >= 2 ? type_of(a).shape : Shape{0, 0};
  const bool square = rows_of(shape) == columns_of(shape);
  const Array operands[] = {a};
  const ArrayList results = emit_all(Svd{full && vectors && !square, vectors}, operands, site);
  if (!vectors) return {results[0], {}, {}};
  return {results[0], results[1], results[2]};
}

}  // namespace fluxion::ops
