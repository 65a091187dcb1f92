// How matrices live in kernels: as scalars with every loop written out, or in scratch rows.
#include "trace/ops/dense.hpp"

#include <algorithm>

namespace fluxion::ops::dense {

using kernel::Builder;

Value operator+(Value a, Value b) {
  if (!a.is_complex()) return {a.re + b.re, {}};
  return {a.re + b.re, a.im + b.im};
}
Value operator-(Value a, Value b) {
  if (!a.is_complex()) return {a.re - b.re, {}};
  return {a.re - b.re, a.im - b.im};
}
Value operator-(Value a) {
  if (!a.is_complex()) return {-a.re, {}};
  return {-a.re, -a.im};
}
Value operator*(Value a, Value b) {
  if (!a.is_complex()) return {a.re * b.re, {}};
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
Value operator/(Value a, Value b) {
  if (!a.is_complex()) return {a.re / b.re, {}};
  return a * conjugate(b) / squared(b);
}
Value operator*(Value a, Scalar b) {
  if (!a.is_complex()) return {a.re * b, {}};
  return {a.re * b, a.im * b};
}
Value operator/(Value a, Scalar b) {
  if (!a.is_complex()) return {a.re / b, {}};
  return {a.re / b, a.im / b};
}
Value conjugate(Value a) {
  if (!a.is_complex()) return a;
  return {a.re, -a.im};
}
Value minus_product(Value a, Value b, Value c) {
  if (!a.is_complex()) return {fma(-b.re, c.re, a.re), {}};
  return {fma(b.im, c.im, fma(-b.re, c.re, a.re)), fma(-b.im, c.re, fma(-b.re, c.im, a.im))};
}
Value select(Scalar condition, Value yes, Value no) {
  if (!yes.is_complex()) return {kernel::select(condition, yes.re, no.re), {}};
  return {kernel::select(condition, yes.re, no.re), kernel::select(condition, yes.im, no.im)};
}
Scalar squared(Value a) { return a.is_complex() ? fma(a.im, a.im, a.re * a.re) : a.re * a.re; }
Scalar magnitude(Value a) { return a.is_complex() ? kernel::sqrt(squared(a)) : kernel::abs(a.re); }
Scalar pivot_size(Value a) {
  return a.is_complex() ? kernel::abs(a.re) + kernel::abs(a.im) : kernel::abs(a.re);
}

Cells::Cells(Builder& builder, DType dtype, std::int64_t count, bool unrolled)
    : builder_(&builder) {
  if (unrolled)
    held_.resize(static_cast<std::size_t>(count));
  else
    row_ = builder.buffer(dtype, kernel::Role::scratch, std::max<std::int64_t>(1, count));
}

Scalar Cells::get(const Affine& position) const {
  if (row_ >= 0) return builder_->load(row_, position);
  return held_[static_cast<std::size_t>(position.constant)];
}

void Cells::set(const Affine& position, Scalar x) {
  if (row_ >= 0) return builder_->store(row_, position, x);
  held_[static_cast<std::size_t>(position.constant)] = x;
}

Matrix::Matrix(
    Builder& builder, DType dtype, std::int64_t rows, std::int64_t columns, bool unrolled)
    : rows_(rows), columns_(columns), re_(builder, real_of(dtype), rows * columns, unrolled) {
  if (is_complex(dtype)) im_.emplace(builder, real_of(dtype), rows * columns, unrolled);
}

Value Matrix::operator()(const Affine& i, const Affine& j) const {
  const Affine position = i * columns_ + j;
  return {re_.get(position), im_ ? im_->get(position) : Scalar()};
}

void Matrix::set(const Affine& i, const Affine& j, Value x) {
  const Affine position = i * columns_ + j;
  re_.set(position, x.re);
  if (im_) im_->set(position, x.im);
}

kernel::Index Kernel::index(const Affine& i) const {
  kernel::Index all = leading_;
  all.push_back(i);
  return all;
}
kernel::Index Kernel::index(const Affine& i, const Affine& j) const {
  kernel::Index all = index(i);
  all.push_back(j);
  return all;
}

Scalar Kernel::not_a_number() const { return number(__builtin_nan("")); }

Value Kernel::read(int k, const Affine& i, const Affine& j) const {
  return read_at(k, index(i, j));
}
Value Kernel::read(int k, const Affine& i) const { return read_at(k, index(i)); }
Value Kernel::read_at(int k, const kernel::Index& at) const {
  if (!is_complex(nest_.operand(k).dtype)) return {nest_.read(k, at), {}};
  const kernel::Complex<Scalar> x = nest_.read_complex(k, at);
  return {x.re, x.im};
}
void Kernel::write(int k, const Affine& i, const Affine& j, Value x) const {
  const bool imaginary = is_complex(nest_.result(k).dtype) && nest_.part() == 1;
  nest_.write(k, index(i, j), imaginary ? x.im : x.re);
}
void Kernel::write(int k, const Affine& i, Scalar x) const { nest_.write(k, index(i), x); }

Matrix Kernel::load(int k, std::int64_t rows, std::int64_t columns) const {
  Matrix m = matrix(rows, columns);
  loop(rows, [&](const Affine& i) {
    loop(columns, [&](const Affine& j) { m.set(i, j, read(k, i, j)); });
  });
  return m;
}

std::vector<Scalar> Kernel::fold(const Affine& from,
                                 const Affine& to,
                                 std::int64_t most,
                                 std::vector<Scalar> carried,
                                 const Step& step) const {
  const Affine count = to - from;
  if (most <= 0 || (count.is_constant() && count.constant <= 0)) return carried;
  if (unrolled_) {
    for (std::int64_t i = from.constant; i < to.constant; ++i) carried = step(at(i), carried);
    return carried;
  }
  const auto body = [&](const kernel::Index& i, std::vector<Scalar> carries) {
    return step(from + i[0], std::move(carries));
  };
  if (count.is_constant()) return builder().serial({count.constant}, carried, body);
  // Of two or more: a variable of one would vanish from the index, and with it what says that its
  // only iteration may not run.
  const std::int64_t extent = std::max<std::int64_t>(most, 2);
  return builder().serial({extent}, carried, body, builder().value(count));
}

Scalar Kernel::fold(const Affine& from,
                    const Affine& to,
                    std::int64_t most,
                    Scalar initial,
                    const std::function<Scalar(const Affine&, Scalar)>& step) const {
  return fold(from,
              to,
              most,
              std::vector<Scalar>{initial},
              [&](const Affine& i, const std::vector<Scalar>& carried) {
                return std::vector<Scalar>{step(i, carried[0])};
              })[0];
}

void Kernel::loop(const Affine& from, const Affine& to, std::int64_t most, const Body& body) const {
  fold(from, to, most, std::vector<Scalar>(), [&](const Affine& i, std::vector<Scalar> none) {
    body(i);
    return none;
  });
}

void Kernel::reversed(std::int64_t count, const Body& body) const {
  loop(count, [&](const Affine& i) { body(at(count - 1) - i); });
}

Value Kernel::minus_products(
    const Affine& from,
    const Affine& to,
    std::int64_t most,
    Value initial,
    const std::function<std::pair<Value, Value>(const Affine&)>& factors) const {
  std::vector<Scalar> parts{initial.re};
  if (initial.is_complex()) parts.push_back(initial.im);
  const auto value = [](const std::vector<Scalar>& carried) {
    return Value{carried[0], carried.size() > 1 ? carried[1] : Scalar()};
  };
  return value(
      fold(from, to, most, parts, [&](const Affine& i, const std::vector<Scalar>& carried) {
        const auto [left, right] = factors(i);
        const Value next = minus_product(value(carried), left, right);
        std::vector<Scalar> out{next.re};
        if (next.is_complex()) out.push_back(next.im);
        return out;
      }));
}

Scalar Kernel::pivot_row(const Matrix& a, const Affine& i, const Affine& j) const {
  return fold(i + 1,
              at(a.rows()),
              a.rows() - 1,
              {pivot_size(a(i, j)), place(i)},
              [&](const Affine& k, const std::vector<Scalar>& best) {
                const Scalar size = pivot_size(a(k, j)), larger = best[0] < size;
                return std::vector<Scalar>{kernel::select(larger, size, best[0]),
                                           kernel::select(larger, place(k), best[1])};
              })[1];
}

void Kernel::exchange_rows(Matrix& a, const Affine& i, Scalar p) const {
  const auto exchange = [&](const Affine& k, const auto& choose) {
    loop(a.columns(), [&](const Affine& j) {
      const Value x = a(i, j), y = a(k, j);
      a.set(i, j, choose(y, x));
      a.set(k, j, choose(x, y));
    });
  };
  if (!unrolled_) return exchange(builder().affine(p), [](Value taken, Value) { return taken; });
  for (std::int64_t k = i.constant + 1; k < a.rows(); ++k) {
    const Scalar here = p == p.like(static_cast<double>(k));
    exchange(at(k), [&](Value taken, Value kept) { return select(here, taken, kept); });
  }
}

void Kernel::exchange(Cells& cells, std::int64_t count, const Affine& i, Scalar p) const {
  if (!unrolled_) {
    const Affine k = builder().affine(p);
    const Scalar x = cells.get(i), y = cells.get(k);
    cells.set(i, y);
    return cells.set(k, x);
  }
  for (std::int64_t k = i.constant + 1; k < count; ++k) {
    const Scalar here = p == p.like(static_cast<double>(k)), x = cells.get(i), y = cells.get(at(k));
    cells.set(i, kernel::select(here, y, x));
    cells.set(at(k), kernel::select(here, x, y));
  }
}

}  // namespace fluxion::ops::dense
