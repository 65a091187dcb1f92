// Steps of Jacobi's methods in kernels: rotations, orders, signs.
#include "trace/ops/dense.hpp"

namespace fluxion::ops::dense {

void rotate_columns(
    const Kernel& k, Matrix& m, const Affine& p, const Affine& q, const Rotation& r) {
  k.loop(m.rows(), [&](const Affine& i) {
    const Value x = m(i, p), y = m(i, q);
    m.set(i, p, minus_product(x * r.c, conjugate(r.s), y));
    m.set(i, q, minus_product(y * r.c, -r.s, x));
  });
}

// Golub and Van Loan, 8.5.2: the smaller of the two angles.
Rotation diagonalizing(const Kernel& k, Scalar p, Scalar q, Value x) {
  const Scalar size = magnitude(x), none = size == 0.0, one = k.number(1);
  const Scalar divisor = kernel::select(none, one, size);
  const Scalar theta = (q - p) / (divisor * 2);
  const Scalar root = kernel::sqrt(fma(theta, theta, one));
  const Scalar t = kernel::select(theta < 0, -one, one) / (kernel::abs(theta) + root);
  const Scalar angle = kernel::select(none, k.number(0), t);
  const Scalar c = one / kernel::sqrt(fma(angle, angle, one));
  return {c, x * (angle * c / divisor)};
}

Cells sorted_places(const Kernel& k, const Cells& numbers, std::int64_t count, bool descending) {
  Cells places = k.cells(int64, count);
  // NaN has no place: every one holds some position whatever the numbers are.
  k.loop(count, [&](const Affine& i) { places.set(i, k.integer(i)); });
  k.loop(count, [&](const Affine& i) {
    const Scalar x = numbers.get(i), zero = k.integer(at(0)), one = k.integer(at(1));
    const Scalar place = k.fold(at(0), at(count), count, zero, [&](const Affine& j, Scalar before) {
      const Scalar y = numbers.get(j), earlier = k.integer(j) < k.integer(i);
      const Scalar first = descending ? y > x : y < x;
      return before + kernel::select(first | ((y == x) & earlier), one, zero);
    });
    places.set(k.builder().affine(place), k.integer(i));
  });
  return places;
}

Value sign_of_column(const Kernel& k, const Matrix& m, const Affine& j) {
  const Scalar zero = k.number(0), one = k.number(1);
  const Scalar largest =
      k.fold(at(0), at(m.rows()), m.rows(), zero, [&](const Affine& i, Scalar most) {
        return kernel::max(most, magnitude(m(i, j)));
      });
  std::vector<Scalar> start{zero, one};
  if (is_complex(k.dtype())) start.push_back(zero);
  const auto found = k.fold(
      at(0), at(m.rows()), m.rows(), start, [&](const Affine& i, const std::vector<Scalar>& sign) {
        const Value x = m(i, j);
        const Scalar size = magnitude(x);
        const Scalar here = (sign[0] == 0.0) & (size * 3 >= largest) & (largest > 0);
        const Value turn = conjugate(x) / kernel::select(here, size, one);
        std::vector<Scalar> next{kernel::select(here, one, sign[0]),
                                 kernel::select(here, turn.re, sign[1])};
        if (turn.is_complex()) next.push_back(kernel::select(here, turn.im, sign[2]));
        return next;
      });
  return {found[1], found.size() > 2 ? found[2] : Scalar()};
}

void set_identity(const Kernel& k, Matrix& m) {
  k.loop(m.rows(), [&](const Affine& i) {
    k.loop(m.columns(), [&](const Affine& j) {
      m.set(i, j, select(k.integer(i) == k.integer(j), k.value(1), k.value(0)));
    });
  });
}

Scalar poison_of(const Kernel& k, const Matrix& m) {
  return k.fold(at(0), at(m.rows()), m.rows(), k.number(0), [&](const Affine& i, Scalar sum) {
    return k.fold(at(0), at(m.columns()), m.columns(), sum, [&](const Affine& j, Scalar s) {
      const Value x = m(i, j);
      s = s + (x.re - x.re);
      return x.is_complex() ? s + (x.im - x.im) : s;
    });
  });
}

}  // namespace fluxion::ops::dense
