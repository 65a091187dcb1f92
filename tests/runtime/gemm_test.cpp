// Our own kernels of matrix products, each that this processor can run, against plain loops.
#include "runtime/leaves/gemm.hpp"

#include "codegen/host.hpp"
#include "codegen/leaf.hpp"
#include "runtime/thread_pool.hpp"
#include "tests/support/catch.hpp"
#include "trace/leaf.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using fluxion::runtime::gemm::Kernel;
using fluxion::runtime::gemm::Product;
using std::int64_t;

#ifdef __x86_64__
namespace {

template <class T> std::vector<T> numbers(int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& v : values) v = uniform(random);
  return values;
}

/// Rows and columns of an operand of so many, and where its elements end.
struct Strides {
  int64_t row, column;
  int64_t reach(int64_t rows, int64_t columns) const {
    return (rows - 1) * row + (columns - 1) * column + 1;
  }
};
std::array<Strides, 3> ways(int64_t rows, int64_t columns) {
  return {Strides{columns + 3, 1}, Strides{1, rows}, Strides{2 * columns + 1, 2}};
}

template <class T> class Checker {
 public:
  explicit Checker(const Kernel& kernel) : kernel_(kernel) {}

  void check(int64_t m, int64_t n, int64_t k) {
    for (const Strides& a : ways(m, k))
      for (const Strides& b : ways(k, n)) check(m, n, k, a, b);
  }

 private:
  void check(int64_t m, int64_t n, int64_t k, Strides sa, Strides sb) {
    const Product p{m, n, k, sa.row, sa.column, sb.row, sb.column, n + 2};
    const std::vector<T> a = numbers<T>(sa.reach(m, k), 1), b = numbers<T>(sb.reach(k, n), 2);
    if (m <= fluxion::runtime::gemm::most_few_rows) {
      std::vector<T> c = space(p);
      kernel_.multiply_few(p, a.data(), b.data(), c.data());
      check_values(p, a, b, c);
    }
    const std::vector<T> c = multiply(p, a.data(), b.data(), false);
    check_values(p, a, b, c);
    std::vector<T> packed(kernel_.packed_bytes(p) / sizeof(T));
    for (const int part : {2, 0, 1}) kernel_.pack(p, b.data(), packed.data(), part, part + 1, 3);
    CHECK(same(multiply(p, a.data(), packed.data(), true), c));
    // In two parts, wherever they are cut.
    if (m < 2) return;
    Product part = p;
    part.m = (m + 2) / 3;
    std::vector<T> parts = multiply(part, a.data(), b.data(), false);
    const T* const others = a.data() + part.m * sa.row;
    part.m = m - part.m;
    const std::vector<T> rest = multiply(part, others, b.data(), false);
    parts.insert(parts.end(), rest.begin(), rest.end());
    CHECK(same(parts, c));
  }

  void check_values(const Product& p,
                    const std::vector<T>& a,
                    const std::vector<T>& b,
                    const std::vector<T>& c) const {
    CAPTURE(kernel_.name, sizeof(T), p.m, p.n, p.k, p.a_row, p.a_column, p.b_row, p.b_column);
    int64_t wrong = 0, written = 0;
    for (int64_t i = 0; i < p.m; ++i)
      for (int64_t j = 0; j < p.c_row; ++j) {
        const T got = c[static_cast<std::size_t>(i * p.c_row + j)];
        if (j >= p.n) {
          written += !std::isnan(got);
          continue;
        }
        long double sum = 0, size = 0;
        for (int64_t l = 0; l < p.k; ++l) {
          const long double term =
              static_cast<long double>(a[static_cast<std::size_t>(i * p.a_row + l * p.a_column)]) *
              b[static_cast<std::size_t>(l * p.b_row + j * p.b_column)];
          sum += term;
          size += std::fabs(term);
        }
        const long double bound =
            std::numeric_limits<T>::epsilon() * static_cast<long double>(p.k + 1) * size;
        wrong += !(std::fabs(got - sum) <= bound);
      }
    CHECK(wrong == 0);
    CHECK(written == 0);
  }

  static std::vector<T> space(const Product& p) {
    return std::vector<T>(static_cast<std::size_t>(p.m * p.c_row),
                          std::numeric_limits<T>::quiet_NaN());
  }
  std::vector<T> multiply(const Product& p, const T* a, const T* b, bool packed) const {
    std::vector<T> c = space(p);
    kernel_.multiply(p, a, b, packed, c.data());
    return c;
  }
  static bool same(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
  }

  const Kernel& kernel_;
};

template <class T> void check_kernel(const Kernel& kernel) {
  Checker<T> checker(kernel);
  // Every number of rows and of columns that a tile may have left.
  for (int64_t m = 1; m <= 20; ++m) checker.check(m, 21, 37);
  for (int64_t n = 1; n <= 52; ++n) {
    checker.check(1, n, 19);
    checker.check(3, n, 18);
    checker.check(7, n, 9);
  }
  for (const int64_t k : {1, 2, 15, 16, 17, 255, 256, 257, 600}) {
    checker.check(1, 9, k);
    checker.check(2, 40, k);
    checker.check(13, 40, k);
  }
  // Both operands packed, and more rows than fit in what is kept of a.
  checker.check(90, 200, 300);
  checker.check(250, 150, 40);
  // More columns than fit in what is kept of b; runs of dot products that are longer than the
  // space.
  checker.check(14, 1600, 5);
  checker.check(1, 4200, 6);
  checker.check(2, 2, 170'000);
}

}  // namespace

TEST_CASE("products in blocks of our own agree with plain loops and depend on no cut") {
  namespace gemm = fluxion::runtime::gemm;
  if (!fluxion::codegen::host_supported()) return;
  check_kernel<float>(gemm::avx_floats);
  check_kernel<double>(gemm::avx_doubles);
  if (fluxion::codegen::host_vector().vector_bytes == 64)
    check_kernel<double>(gemm::avx512_doubles);
}

TEST_CASE(
    "float64 products are library calls where they are worth one, with one result on any number of "
    "threads") {
  struct Size {
    int64_t batch, m, n, k;
    bool transposed;
  };
  for (const Size& size : {Size{1, 64, 64, 64, false},
                           {1, 100, 259, 77, true},
                           {1, 33, 100, 1000, false},
                           {1, 300, 200, 1000, true},
                           {5, 130, 70, 90, true},
                           {1, 1, 3000, 2000, false},
                           {1, 3000, 1, 2000, true}}) {
    const auto [batch, m, n, k, transposed] = size;
    CAPTURE(batch, m, n, k, transposed);
    fluxion::MatmulSpec s{fluxion::float64, fluxion::float64, batch, m, n, k};
    s.a_strides[0] = m * k, s.a_strides[transposed ? 2 : 1] = transposed ? m : k;
    s.a_strides[transposed ? 1 : 2] = 1;
    s.b_strides[0] = k * n, s.b_strides[1] = n, s.b_strides[2] = 1;
    s.c_strides[0] = m * n, s.c_strides[1] = n, s.c_strides[2] = 1;
    const auto a = numbers<double>(batch * m * k, 1), b = numbers<double>(batch * k * n, 2);
    std::vector<double> first;
    for (const int threads : {1, 2, 5}) {
      const int before = fluxion::runtime::num_threads();
      fluxion::runtime::set_num_threads(threads);
      const auto leaf = fluxion::codegen::prepare(s);
      REQUIRE(leaf);
      // Slabs of many rows share what is laid out of the right operand.
      REQUIRE((leaf->scratch_bytes() > 0) == (m == 300 && threads > 1));
      std::vector<std::max_align_t> scratch(leaf->scratch_bytes() / sizeof(std::max_align_t));
      std::vector<double> c(static_cast<std::size_t>(batch * m * n));
      const void* const in[] = {a.data(), b.data()};
      void* const out[] = {c.data()};
      leaf->run(in, out, scratch.data());
      fluxion::runtime::set_num_threads(before);
      if (first.empty()) first = c;
      CHECK(std::memcmp(c.data(), first.data(), c.size() * sizeof(double)) == 0);
    }
    int64_t wrong = 0;
    for (int64_t e = 0; e < batch * m * n; e += 7) {
      const int64_t matrix = e / (m * n), i = e / n % m, j = e % n;
      long double sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += static_cast<long double>(a[static_cast<std::size_t>(
                   matrix * m * k + i * s.a_strides[1] + l * s.a_strides[2])]) *
               b[static_cast<std::size_t>((matrix * k + l) * n + j)];
      wrong += !(std::fabs(first[static_cast<std::size_t>(e)] - sum) <=
                 1e-16L * static_cast<long double>(k));
    }
    CHECK(wrong == 0);
  }
  fluxion::MatmulSpec small{
      fluxion::float64, fluxion::float64, 1, 8, 8, 8, {0, 8, 1}, {0, 8, 1}, {0, 8, 1}};
  CHECK_FALSE(fluxion::codegen::prepare(small));
}

TEST_CASE("float64 products have a kernel; float32 where the library would write its own first") {
  namespace gemm = fluxion::runtime::gemm;
  const bool wide = fluxion::codegen::host_vector().vector_bytes == 64;
  CHECK(gemm::kernel(fluxion::float64) == (wide ? &gemm::avx512_doubles : &gemm::avx_doubles));
  CHECK(gemm::kernel(fluxion::float32) == (wide ? nullptr : &gemm::avx_floats));
  CHECK(gemm::kernel(fluxion::bfloat16) == nullptr);
  const auto ours = [](std::int64_t n) {
    const fluxion::MatmulSpec s{
        fluxion::float32, fluxion::float32, 1, n, n, n, {0, n, 1}, {0, n, 1}, {0, n, 1}};
    return fluxion::codegen::prepare(s)->description().find("oneDNN") == std::string::npos;
  };
  CHECK(ours(64) == !wide);
  CHECK(ours(512) == false);
}
#endif
