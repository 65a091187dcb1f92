// Matrices of references on the host: plain loops over complex double.
#include "trace/ops/dense.hpp"
#include "trace/ops/elementwise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace fluxion::ops::dense {

HostMatrix load(const ConstTensor& x, std::int64_t from, std::int64_t rows, std::int64_t columns) {
  HostMatrix m(rows, columns);
  by_dtype(x.type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* elements = x.as<T>() + from;
    for (std::size_t i = 0; i < m.elements.size(); ++i) {
      if constexpr (host_complex<T>)
        m.elements[i] = {elements[i].real, elements[i].imag};
      else
        m.elements[i] = to_double(elements[i]);
    }
  });
  return m;
}

void store(const Tensor& x, std::int64_t from, const HostMatrix& m) {
  by_dtype(x.type.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* elements = x.as<T>() + from;
    for (std::size_t i = 0; i < m.elements.size(); ++i) {
      const Number e = m.elements[i];
      if constexpr (host_complex<T>)
        elements[i] = {static_cast<decltype(T::real)>(e.real()),
                       static_cast<decltype(T::imag)>(e.imag())};
      else if constexpr (host_float<T>)
        elements[i] = from_double<T>(e.real());
    }
  });
}

void store_integer(const Tensor& x, std::int64_t at, std::int64_t value) {
  x.as<std::int32_t>()[at] = static_cast<std::int32_t>(value);
}

std::int64_t matrices_in(const Type& type) { return element_count(leading(type.shape)); }

HostMatrix product(const HostMatrix& a, const HostMatrix& b) {
  HostMatrix c(a.rows, b.columns);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < b.columns; ++j)
      for (std::int64_t k = 0; k < a.columns; ++k) c(i, j) += a(i, k) * b(k, j);
  return c;
}

HostMatrix adjoint(const HostMatrix& a) {
  HostMatrix b(a.columns, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j) b(j, i) = std::conj(a(i, j));
  return b;
}

HostMatrix identity(std::int64_t n) {
  HostMatrix m(n, n);
  for (std::int64_t i = 0; i < n; ++i) m(i, i) = 1;
  return m;
}

HostMatrix not_a_number(std::int64_t rows, std::int64_t columns) {
  HostMatrix m(rows, columns);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::fill(m.elements.begin(), m.elements.end(), Number(nan, nan));
  return m;
}

bool finite(const HostMatrix& m) {
  return std::all_of(m.elements.begin(), m.elements.end(), [](Number x) {
    return std::isfinite(x.real()) && std::isfinite(x.imag());
  });
}

Number sign_of_column(const HostMatrix& m, std::int64_t j) {
  double largest = 0;
  for (std::int64_t i = 0; i < m.rows; ++i) largest = std::max(largest, std::abs(m(i, j)));
  for (std::int64_t i = 0; i < m.rows; ++i)
    if (largest > 0 && std::abs(m(i, j)) * 3 >= largest)
      return std::conj(m(i, j)) / std::abs(m(i, j));
  return 1;
}

// Golub and Van Loan, "Matrix computations", 8.5: each rotation makes one pair of elements zero.
std::pair<std::vector<double>, HostMatrix> jacobi(HostMatrix a) {
  const std::int64_t n = a.rows;
  HostMatrix v = identity(n);
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off = 0, all = 0;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) (i == j ? all : off) += std::norm(a(i, j));
    if (!(off > 1e-40 * (all + off))) break;
    for (std::int64_t p = 0; p < n; ++p)
      for (std::int64_t q = p + 1; q < n; ++q) {
        const double size = std::abs(a(p, q));
        if (size == 0) continue;
        const double theta = (a(q, q).real() - a(p, p).real()) / (2 * size);
        const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::hypot(theta, 1));
        const double c = 1 / std::hypot(t, 1);
        const Number s = t * c * (a(p, q) / size);  // carries the phase
        const auto columns = [&](HostMatrix& m) {
          for (std::int64_t k = 0; k < n; ++k) {
            const Number x = m(k, p), y = m(k, q);
            m(k, p) = c * x - std::conj(s) * y;
            m(k, q) = s * x + c * y;
          }
        };
        columns(a);
        columns(v);
        for (std::int64_t k = 0; k < n; ++k) {
          const Number x = a(p, k), y = a(q, k);
          a(p, k) = c * x - s * y;
          a(q, k) = std::conj(s) * x + c * y;
        }
        a(p, q) = a(q, p) = 0;
      }
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
    return a(i, i).real() < a(j, j).real();
  });
  std::pair<std::vector<double>, HostMatrix> sorted{{}, HostMatrix(n, n)};
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t from = order[static_cast<std::size_t>(j)];
    sorted.first.push_back(a(from, from).real());
    for (std::int64_t i = 0; i < n; ++i) sorted.second(i, j) = v(i, from);
    sorted.second.scale_column(j, sign_of_column(sorted.second, j));
  }
  return sorted;
}

}  // namespace fluxion::ops::dense
