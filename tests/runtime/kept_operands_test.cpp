// Operands of products that no step of a loop changes: laid out once, the same values.
#include "codegen/leaf.hpp"
#include "fluxion/fluxion.hpp"
#include "runtime/thread_pool.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_floats.hpp"
#include "trace/leaf.hpp"

#include <cmath>
#include <cstring>
#include <vector>

namespace fx = fluxion;
using fx::Array;
using fx::MatmulSpec;
using fx::test::random_floats;
using std::int64_t;

namespace {

class Bytes {
 public:
  explicit Bytes(std::size_t count) : bytes_(count + 64) {}
  void* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
    return bytes_.data() + (64 - address % 64) % 64;
  }

 private:
  std::vector<std::byte> bytes_;
};

MatmulSpec product(int64_t m, int64_t n, int64_t k, bool transposed_b) {
  MatmulSpec s;
  s.m = m, s.n = n, s.k = k;
  s.a_strides[1] = k, s.a_strides[2] = 1;
  s.b_strides[transposed_b ? 2 : 1] = transposed_b ? k : n;
  s.b_strides[transposed_b ? 1 : 2] = 1;
  s.c_strides[1] = n, s.c_strides[2] = 1;
  return s;
}

/// The product on so many threads, b laid out before; empty where that gains nothing.
std::vector<float> kept_product(int threads,
                                const MatmulSpec& s,
                                const std::vector<float>& a,
                                const std::vector<float>& b) {
  const int before = fx::runtime::num_threads();
  fx::runtime::set_num_threads(threads);
  const fx::codegen::KeptOperand kept = fx::codegen::prepare_kept(s, 1);
  std::vector<float> c;
  if (kept.product) {
    REQUIRE(kept.layout);
    c.assign(static_cast<std::size_t>(s.m * s.n), NAN);
    Bytes laid_out(kept.bytes), scratch(kept.product->scratch_bytes());
    const void* const given[] = {b.data()};
    void* const place[] = {laid_out.data()};
    kept.layout->run(given, place, nullptr);
    const void* const in[] = {a.data(), place[0]};
    void* const out[] = {c.data()};
    for (int repeat = 0; repeat < 2; ++repeat) kept.product->run(in, out, scratch.data());
  }
  fx::runtime::set_num_threads(before);
  return c;
}

void check_kept(int64_t m, int64_t n, int64_t k, bool transposed_b) {
  CAPTURE(m, n, k, transposed_b);
  const MatmulSpec s = product(m, n, k, transposed_b);
  const std::vector<float> a = random_floats(m * k, 1), b = random_floats(k * n, 2);
  const std::vector<float> c = kept_product(1, s, a, b);
  for (const int threads : {2, 3, 5}) {
    const std::vector<float> same = kept_product(threads, s, a, b);
    REQUIRE(same.size() == c.size());
    if (!c.empty()) CHECK(std::memcmp(same.data(), c.data(), c.size() * sizeof(float)) == 0);
  }
  if (c.empty()) return;
  int wrong = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0, size = 0;
      for (int64_t l = 0; l < k; ++l) {
        const double x = a[static_cast<std::size_t>(i * k + l)],
                     y = b[static_cast<std::size_t>(l * s.b_strides[1] + j * s.b_strides[2])];
        sum += x * y;
        size += std::abs(x * y);
      }
      const double got = c[static_cast<std::size_t>(i * n + j)];
      wrong += !(std::abs(got - sum) <= static_cast<double>(k + 1) * 0x1p-23 * size);
    }
  CHECK(wrong == 0);
}

Array matrix(int64_t rows, int64_t columns, unsigned seed, float scale = 1) {
  std::vector<float> values = random_floats(rows * columns, seed);
  for (float& v : values) v *= scale;
  return fx::from_span(std::span(values), {rows, columns});
}

void check_close(const Array& got, const Array& want) {
  CHECK(fx::max(fx::abs(got - want)).item<float>() < 2e-5f);
}

}  // namespace

TEST_CASE("a product with an operand that was laid out before agrees with plain loops") {
  for (const bool transposed : {false, true}) {
    for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{{1, 512, 128},
                                                                     {8, 64, 64},
                                                                     {32, 512, 128},
                                                                     {33, 130, 77},
                                                                     {100, 40, 300},
                                                                     {512, 64, 64},
                                                                     {64, 512, 700}})
      check_kept(m, n, k, transposed);
  }
}

TEST_CASE("small, tall, batched and first operands are not kept") {
  CHECK_FALSE(fx::codegen::prepare_kept(product(32, 8, 8, false), 1).product);
  CHECK_FALSE(fx::codegen::prepare_kept(product(4096, 128, 128, false), 1).product);
  CHECK_FALSE(fx::codegen::prepare_kept(product(32, 512, 128, false), 0).product);
  MatmulSpec batched = product(32, 64, 64, false);
  batched.batch = 3;
  batched.a_strides[0] = 32 * 64, batched.b_strides[0] = 64 * 64, batched.c_strides[0] = 32 * 64;
  CHECK_FALSE(fx::codegen::prepare_kept(batched, 1).product);
}

TEST_CASE("loops with constant weights give what their steps give one by one") {
  const Array w = matrix(64, 64, 1, 0.2f), v = matrix(64, 64, 2, 0.2f), x = matrix(16, 64, 3);
  const auto step = [](const Array& h, const Array& w, const Array& v) {
    return fx::tanh(fx::matmul(h, w) + fx::matmul(h, fx::transpose(v)));
  };
  for (const int64_t steps : {1, 7, 8, 20}) {
    Array want = x;
    for (int64_t k = 0; k < steps; ++k) want = step(want, w, v);
    const auto scanned = fx::jit([&, steps](Array x, Array w, Array v) {
      const auto body = [&](Array h, Array) { return std::pair{step(h, w, v), fx::sum(h)}; };
      return fx::scan(body, x, fx::zeros({steps})).first;
    });
    check_close(scanned(x, w, v), want);
    struct State {
      Array i, h;
    };
    const auto repeated = fx::jit([&](Array x, Array w, Array v, Array steps) {
      return fx::while_loop([&](State s) { return s.i < steps; },
                            [&](State s) { return State{s.i + 1, step(s.h, w, v)}; },
                            State{Array(0), x})
          .h;
    });
    check_close(repeated(x, w, v, Array(static_cast<int>(steps))), want);
    check_close(repeated(x, w, v, Array(0)), x);
  }
}

TEST_CASE("weights of 16 bits are laid out, too") {
  const Array w = matrix(64, 64, 1, 0.2f).astype(fx::bfloat16), x = matrix(16, 64, 3);
  const auto step = [](const Array& h, const Array& w) {
    return fx::tanh(fx::matmul(h.astype(fx::bfloat16), w).astype(fx::float32));
  };
  Array want = x;
  for (int k = 0; k < 8; ++k) want = step(want, w);
  const auto scanned = fx::jit([&](Array x, Array w) {
    const auto body = [&](Array h, Array) { return std::pair{step(h, w), h}; };
    return fx::scan(body, x, fx::zeros({8})).first;
  });
  // A result that lies between two of 16 bits may become either.
  CHECK(fx::max(fx::abs(scanned(x, w) - want)).item<float>() < 0.02f);
}

TEST_CASE("inner loops lay out anew what the loop around them changes") {
  const Array w = matrix(48, 48, 1, 0.2f), x = matrix(8, 48, 3);
  const auto inner = [](Array h, const Array& w) {
    return fx::scan([&](Array h, Array) { return std::pair{fx::tanh(fx::matmul(h, w)), h}; },
                    h,
                    fx::zeros({9}))
        .first;
  };
  Array want = x, weights = w;
  for (int k = 0; k < 10; ++k) {
    for (int j = 0; j < 9; ++j) want = fx::tanh(fx::matmul(want, weights));
    weights = weights * 0.9f;
  }
  const auto nested = fx::jit([&](Array x, Array w) {
    const auto body = [&](std::pair<Array, Array> s, Array) {
      return std::pair{std::pair{inner(s.first, s.second), s.second * 0.9f}, fx::sum(s.first)};
    };
    return fx::scan(body, std::pair{x, w}, fx::zeros({10})).first.first;
  });
  check_close(nested(x, w), want);
}

TEST_CASE("the gradient of a loop with constant weights agrees with differences") {
  const Array w = matrix(64, 64, 1, 0.2f), x = matrix(4, 64, 3);
  const auto loss = [&](Array w) {
    const auto body = [&](Array h, Array) { return std::pair{fx::tanh(fx::matmul(h, w)), h}; };
    return fx::mean(fx::square(fx::scan(body, x, fx::zeros({12})).first));
  };
  const auto unrolled = [&](Array w) {
    Array h = x;
    for (int k = 0; k < 12; ++k) h = fx::tanh(fx::matmul(h, w));
    return fx::mean(fx::square(h));
  };
  check_close(fx::jit(fx::grad(loss))(w), fx::grad(unrolled)(w));
}
