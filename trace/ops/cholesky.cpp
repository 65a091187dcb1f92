// The Cholesky factor of positive definite matrices.
#include "fluxion/ops.hpp"
#include "trace/ops/dense.hpp"

namespace fluxion::ops {
std::span<const Rules* const> cholesky_rules();

namespace {
using namespace dense;

struct Cholesky {
  static constexpr auto name = "cholesky";

  Types types(TypeList in) const {
    check_square(name, in[0]);
    return {in[0]};
  }

  // L^-1 dA L^-H = L^-1 dL + its adjoint, and L^-1 dL is lower triangular: it is the lower
  // triangle of the left side with half its diagonal (Murray 2016, "Differentiation of the
  // Cholesky decomposition").
  ArrayList jvp(Arrays, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return {Array()};
    const SiteScope here(rule_site());
    const Site& site = rule_site();
    const Array& l = y[0];
    const Array right = triangular_solve(
        l, mirrored(dx[0]), {.left = false, .transposed = Transposed::adjoint}, site);
    const Array both = triangular_solve(l, right, {}, site);
    const Array half = 0.5 * (tril(both) + tril(both, -1));
    return {tril(matmul(l, half))};
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return batch_leading(*this, x, at, size);
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    return library_call(FactorizationSpec::Routine::cholesky, in[0], false, false);
  }

  void body(kernel::Nest& nest) const {
    const std::int64_t n = rows_of(nest.operand(0).shape);
    nest.phase(leading(nest.operand(0).shape), [&nest, n](const kernel::Index& index) {
      const Kernel k(nest, index, n <= most_unrolled);
      Matrix l = k.matrix(n, n);
      Cells poison = k.cells(k.real(), 1);  // 0, or NaN
      poison.set(at(0), k.number(0));
      k.loop(n, [&](const Affine& j) {
        const Scalar rest =
            k.fold(at(0), j, n - 1, k.read(0, j, j).re, [&](const Affine& p, Scalar s) {
              return s - squared(l(j, p));
            });
        poison.set(at(0), kernel::select(rest > 0, poison.get(at(0)), k.not_a_number()));
        const Scalar pivot = kernel::sqrt(rest);
        l.set(j, j, {pivot, k.value(0).im});
        k.loop(j + 1, at(n), n - 1, [&](const Affine& i) {
          const Value sum =
              k.minus_products(at(0), j, n - 1, k.read(0, i, j), [&](const Affine& p) {
                return std::pair{l(i, p), conjugate(l(j, p))};
              });
          l.set(i, j, sum / pivot);
        });
      });
      k.loop(n, [&](const Affine& i) {
        k.loop(at(0), i + 1, n, [&](const Affine& j) {
          k.write(0, i, j, l(i, j) + Value{poison.get(at(0)), k.value(0).im});
        });
        k.loop(i + 1, at(n), n - 1, [&](const Affine& j) { k.write(0, i, j, k.value(0)); });
      });
    });
  }

  // By outer products: each column leaves a smaller matrix to factor.
  void reference(ConstTensors in, Tensors out) const {
    const std::int64_t n = rows_of(in[0].type.shape);
    for (std::int64_t b = 0; b < matrices_in(in[0].type); ++b) {
      HostMatrix rest = load(in[0], b * n * n, n, n), l(n, n);
      bool fine = true;
      for (std::int64_t k = 0; k < n; ++k) {
        fine = fine && rest(k, k).real() > 0;
        l(k, k) = std::sqrt(rest(k, k).real());
        for (std::int64_t i = k + 1; i < n; ++i) l(i, k) = rest(i, k) / l(k, k);
        for (std::int64_t i = k + 1; i < n; ++i)
          for (std::int64_t j = k + 1; j <= i; ++j) rest(i, j) -= l(i, k) * std::conj(l(j, k));
      }
      if (!fine) {
        l = not_a_number(n, n);
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t j = i + 1; j < n; ++j) l(i, j) = 0;
      }
      store(out[0], b * n * n, l);
    }
  }
};

constexpr const Rules* rules[] = {rules_of<Cholesky>()};
}  // namespace

std::span<const Rules* const> cholesky_rules() { return rules; }

Array cholesky(const Array& a, const Site& site) { return emit(Cholesky(), {a}, site); }

}  // namespace fluxion::ops
