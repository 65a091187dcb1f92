// Library leaves against plain loops: odd sizes, all strides, every pass, one thread and several.
#include "codegen/leaf.hpp"
#include "fluxion/core.hpp"
#include "runtime/thread_pool.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/float_memory.hpp"
#include "trace/leaf.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace fx = fluxion;
using fx::ConvolutionSpec;
using fx::DType;
using fx::MatmulSpec;
using std::int64_t;
using Leaf = fx::detail::Ref<fx::codegen::PreparedLeaf>;
using Numbers = std::vector<int64_t>;
using Pass = ConvolutionSpec::Pass;
using fx::test::Memory;

namespace {

class ThreadCount {
 public:
  explicit ThreadCount(int count) : before_(fx::runtime::num_threads()) {
    fx::runtime::set_num_threads(count);
  }
  ~ThreadCount() { fx::runtime::set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

// Whether `got` may come out of `terms` products summed in float32 in any order, then rounded to
// `result`.
bool close(double got, double exact, double sum_of_magnitudes, int64_t terms, DType result) {
  const double bound = static_cast<double>(terms + 1) * 0x1p-24 * sum_of_magnitudes;
  const double rounding = result == fx::float32   ? 0x1p-24
                          : result == fx::float16 ? 0x1p-11
                                                  : 0x1p-8;
  const double least = result == fx::float16 ? 0x1p-25 : 0;  // half of the smallest number
  return std::abs(got - exact) <= bound + rounding * (std::abs(exact) + bound) + least;
}

void run(const Leaf& leaf, void* first, void* second, void* out) {
  Memory scratch(fx::float32, static_cast<int64_t>(leaf->scratch_bytes() / 4 + 1));
  const void* in[] = {first, second};
  void* outs[] = {out};
  leaf->run(in, outs, scratch.data());
  CHECK(scratch.end_untouched());
}

int64_t reach(const int64_t (&strides)[3], int64_t b, int64_t r, int64_t c) {
  return (b - 1) * strides[0] + (r - 1) * strides[1] + (c - 1) * strides[2] + 1;
}

void check_matmul(const MatmulSpec& s) {
  CAPTURE(s.batch,
          s.m,
          s.n,
          s.k,
          s.a_strides[0],
          s.a_strides[1],
          s.a_strides[2],
          s.b_strides[0],
          s.b_strides[1],
          s.b_strides[2],
          s.c_strides[0],
          s.c_strides[1],
          s.c_strides[2]);
  const Leaf leaf = fx::codegen::prepare(s);
  REQUIRE(leaf);
  CAPTURE(leaf->description());
  Memory a(s.dtype, reach(s.a_strides, s.batch, s.m, s.k));
  Memory b(s.dtype, reach(s.b_strides, s.batch, s.k, s.n));
  Memory c(s.result, reach(s.c_strides, s.batch, s.m, s.n));
  a.fill(1);
  b.fill(2);
  for (int repeat = 0; repeat < 2; ++repeat) {
    c.fill_with_nan();
    run(leaf, a.data(), b.data(), c.data());
    int64_t wrong = 0;
    for (int64_t i = 0; i < s.batch; ++i) {
      for (int64_t row = 0; row < s.m; ++row) {
        for (int64_t column = 0; column < s.n; ++column) {
          double sum = 0, magnitudes = 0;
          for (int64_t k = 0; k < s.k; ++k) {
            const double term =
                a.at(i * s.a_strides[0] + row * s.a_strides[1] + k * s.a_strides[2]) *
                b.at(i * s.b_strides[0] + k * s.b_strides[1] + column * s.b_strides[2]);
            sum += term;
            magnitudes += std::abs(term);
          }
          const double got =
              c.at(i * s.c_strides[0] + row * s.c_strides[1] + column * s.c_strides[2]);
          if (!close(got, sum, magnitudes, s.k, s.result)) ++wrong;
        }
      }
    }
    CHECK(wrong == 0);
    CHECK(c.end_untouched());
  }
}

struct MatrixForm {
  bool transposed = false;
  int64_t padding = 0, step = 1;
  bool repeated = false;
};
void set_strides(int64_t (&strides)[3], int64_t rows, int64_t columns, const MatrixForm& form) {
  const int64_t inner = form.transposed ? rows : columns, outer = form.transposed ? columns : rows;
  const int64_t leading = inner * form.step + form.padding;
  strides[0] = form.repeated ? 0 : leading * outer + form.padding;
  strides[form.transposed ? 1 : 2] = form.step;
  strides[form.transposed ? 2 : 1] = leading;
}
MatmulSpec product(int64_t batch,
                   int64_t m,
                   int64_t n,
                   int64_t k,
                   const MatrixForm& a = {},
                   const MatrixForm& b = {},
                   const MatrixForm& c = {}) {
  MatmulSpec s;
  s.batch = batch, s.m = m, s.n = n, s.k = k;
  set_strides(s.a_strides, m, k, a);
  set_strides(s.b_strides, k, n, b);
  set_strides(s.c_strides, m, n, c);
  return s;
}

}  // namespace

TEST_CASE("matrix products of odd sizes agree with plain loops") {
  for (const int threads : {1, 3}) {
    const ThreadCount scope(threads);
    for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{{1, 1, 1},
                                                                     {1, 5, 3},
                                                                     {7, 1, 9},
                                                                     {3, 4, 1},
                                                                     {17, 33, 65},
                                                                     {64, 64, 64},
                                                                     {100, 259, 77},
                                                                     {259, 31, 300},
                                                                     {5, 700, 500},
                                                                     {400, 1, 200}}) {
      check_matmul(product(1, m, n, k));
    }
  }
}

TEST_CASE("operands may be transposed, padded, strided and repeated in any combination") {
  const ThreadCount scope(2);
  const std::vector<MatrixForm> forms = {
      {}, {true}, {false, 5}, {true, 3}, {false, 1, 2}, {true, 0, 3}, {false, 0, 0}};
  for (const auto& a : forms) {
    for (const auto& b : forms) {
      check_matmul(product(1, 37, 45, 29, a, b));
      check_matmul(product(3, 6, 10, 7, a, b));
    }
  }
  for (const auto& c : {MatrixForm{true}, MatrixForm{false, 4}, MatrixForm{true, 7}}) {
    check_matmul(product(1, 37, 45, 29, {}, {}, c));
    check_matmul(product(4, 9, 45, 29, {true}, {}, c));
  }
}

TEST_CASE("rows that begin a multiple of 2 KB apart, repeated or in steps") {
  for (const int threads : {1, 2}) {
    const ThreadCount scope(threads);
    check_matmul(product(1, 65, 512, 33));
    check_matmul(product(1, 70, 500, 40, {true}, {false, 12}));
    check_matmul(product(3, 64, 512, 32));
    check_matmul(product(3, 64, 512, 32, {}, {false, 0, 1, true}));
    check_matmul(product(2, 64, 512, 32, {}, {false, 0, 2}));
    check_matmul(product(1, 512, 64, 32, {}, {}, {true}));
  }
}

TEST_CASE("batches are cut, folded and repeated") {
  for (const int threads : {1, 2, 4}) {
    const ThreadCount scope(threads);
    check_matmul(product(50, 3, 3, 3));
    check_matmul(product(7, 65, 100, 70));
    check_matmul(product(33, 20, 40, 100));
    check_matmul(product(5, 40, 60, 80, {}, {false, 0, 1, true}));
    check_matmul(product(500, 1, 60, 80, {}, {false, 0, 1, true}));
    check_matmul(product(5, 40, 60, 80, {false, 0, 1, true}, {}));
    check_matmul(product(64, 40, 60, 80, {false, 0, 1, true}, {true}));
    check_matmul(product(9, 40, 30, 80, {false, 0, 2, true}, {true, 0, 2}));
    check_matmul(product(1, 301, 400, 50));
    check_matmul(product(1, 50, 1000, 200, {true}));
    // Few columns of sums over rows: the transpose is computed where that is faster.
    check_matmul(product(1, 300, 20, 100, {true}));
    check_matmul(product(3, 530, 64, 300, {true}));
    check_matmul(product(2, 1000, 17, 70, {true, 9}, {false, 3}, {false, 5}));
    check_matmul(product(40, 130, 16, 64, {true, 0, 1, true}));
    check_matmul(product(1, 64, 530, 300, {}, {true}, {true}));
  }
}

TEST_CASE("products of 16-bit floats accumulate in float32 and give either type") {
  const ThreadCount scope(2);
  for (const auto& [dtype, result] : {std::pair{fx::bfloat16, fx::bfloat16},
                                      {fx::bfloat16, fx::float32},
                                      {fx::float16, fx::float16},
                                      {fx::float16, fx::float32}}) {
    for (MatmulSpec s : {product(1, 64, 64, 64),
                         product(1, 33, 130, 257, {true}, {true}),
                         product(6, 40, 74, 50, {}, {false, 0, 1, true}),
                         product(5, 40, 74, 50, {true}, {}, {true}),
                         product(1, 200, 300, 64, {false, 0, 2})}) {
      s.dtype = dtype;
      s.result = result;
      if (fx::codegen::prepare(s)) {
        check_matmul(s);
        continue;
      }
      // Where the library has none, what is large and has whole lines is computed in float32.
      const bool lines = s.a_strides[1] == 1 || s.a_strides[2] == 1;
#ifdef __x86_64__
      CHECK((!__builtin_cpu_supports("avx2") || !lines || s.batch * s.m * s.n * s.k < 1 << 19));
#endif
    }
  }
}

TEST_CASE("what the library does not do well is refused, not done slowly") {
  MatmulSpec s = product(1, 8, 8, 8);
  s.dtype = s.result = fx::float64;
  CHECK_FALSE(fx::codegen::prepare(s));
  s.dtype = s.result = fx::float16;
  CHECK_FALSE(fx::codegen::prepare(s));
  CHECK_FALSE(fx::codegen::prepare(product(1, 8, 8, 0)));
  CHECK_FALSE(fx::codegen::prepare(product(0, 8, 8, 8)));
  CHECK_FALSE(fx::codegen::prepare(fx::LeafSpec()));
}

TEST_CASE("one prepared leaf may run on several threads at once, also inside parallel_for") {
  const ThreadCount scope(3);
  const MatmulSpec s = product(1, 200, 150, 170);
  const Leaf leaf = fx::codegen::prepare(s);
  REQUIRE(leaf);
  Memory a(fx::float32, 200 * 170), b(fx::float32, 170 * 150), expected(fx::float32, 200 * 150);
  a.fill(1);
  b.fill(2);
  run(leaf, a.data(), b.data(), expected.data());
  std::atomic<int> wrong = 0;
  const auto once = [&] {
    Memory c(fx::float32, 200 * 150),
        scratch(fx::float32, static_cast<int64_t>(leaf->scratch_bytes() / 4 + 1));
    const void* in[] = {a.data(), b.data()};
    void* out[] = {c.data()};
    leaf->run(in, out, scratch.data());
    if (std::memcmp(c.data(), expected.data(), 200 * 150 * 4) != 0) ++wrong;
  };
  std::vector<std::thread> users;
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&] {
      for (int repeat = 0; repeat < 20; ++repeat) once();
    });
  }
  for (auto& user : users) user.join();
  fx::runtime::parallel_for(10, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) once();
  });
  CHECK(wrong == 0);
}

namespace {

int64_t product_of(const Numbers& n) {
  return std::accumulate(n.begin(), n.end(), int64_t{1}, std::multiplies<>());
}

// Dense strides with the axes in the given order, outermost first.
Numbers strides_in_order(const Numbers& dims, const Numbers& order) {
  Numbers strides(dims.size());
  int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    strides[static_cast<std::size_t>(order[i])] = stride;
    stride *= dims[static_cast<std::size_t>(order[i])];
  }
  return strides;
}

struct Case {
  int64_t batch, in_channels, out_channels, groups;
  Numbers in_size, window, stride, low, high, dilation;
};

ConvolutionSpec specification(const Case& c, Pass pass, DType dtype, bool last) {
  ConvolutionSpec s;
  s.pass = pass, s.dtype = dtype, s.batch = c.batch, s.groups = c.groups;
  s.in_channels = c.in_channels, s.out_channels = c.out_channels;
  s.in_size = c.in_size, s.window = c.window, s.stride = c.stride;
  s.pad_low = c.low, s.pad_high = c.high, s.dilation = c.dilation;
  Numbers in = {c.batch, c.in_channels}, out = {c.batch, c.out_channels};
  Numbers weights = {c.out_channels, c.in_channels / c.groups}, order, weight_order;
  for (std::size_t i = 0; i < c.window.size(); ++i) {
    const int64_t extent = (c.window[i] - 1) * c.dilation[i] + 1;
    s.out_size.push_back((c.in_size[i] + c.low[i] + c.high[i] - extent) / c.stride[i] + 1);
    in.push_back(c.in_size[i]);
    out.push_back(s.out_size[i]);
    weights.push_back(c.window[i]);
    order.push_back(static_cast<int64_t>(i) + 2);
  }
  weight_order = order;
  if (last) {
    order.insert(order.begin(), 0);
    order.push_back(1);
    weight_order.push_back(1);
    weight_order.push_back(0);
  } else {
    order.insert(order.begin(), {0, 1});
    weight_order = order;
  }
  s.in_strides = strides_in_order(in, order);
  s.out_strides = strides_in_order(out, order);
  s.weight_strides = strides_in_order(weights, weight_order);
  return s;
}

// Calls visit(in, weights, out) with the element numbers of every product of the convolution.
template <class Visit> void each_product(const ConvolutionSpec& s, Visit visit) {
  const auto axes = s.window.size();
  const int64_t outputs = s.out_channels / s.groups, inputs = s.in_channels / s.groups;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t o = 0; o < s.out_channels; ++o) {
      for (int64_t y = 0; y < product_of(s.out_size); ++y) {
        for (int64_t w = 0; w < product_of(s.window); ++w) {
          int64_t in = n * s.in_strides[0], out = n * s.out_strides[0] + o * s.out_strides[1];
          int64_t weight = o * s.weight_strides[0], rest_y = y, rest_w = w;
          bool inside = true;
          for (std::size_t i = axes; i-- > 0;) {
            const int64_t at_y = rest_y % s.out_size[i], at_w = rest_w % s.window[i];
            rest_y /= s.out_size[i], rest_w /= s.window[i];
            const int64_t x = at_y * s.stride[i] + at_w * s.dilation[i] - s.pad_low[i];
            inside = inside && x >= 0 && x < s.in_size[i];
            in += x * s.in_strides[i + 2];
            out += at_y * s.out_strides[i + 2];
            weight += at_w * s.weight_strides[i + 2];
          }
          if (!inside) continue;
          for (int64_t c = 0; c < inputs; ++c) {
            visit(in + (o / outputs * inputs + c) * s.in_strides[1],
                  weight + c * s.weight_strides[1],
                  out);
          }
        }
      }
    }
  }
}

void check_convolution(const ConvolutionSpec& s) {
  const int64_t in_count = s.batch * s.in_channels * product_of(s.in_size);
  const int64_t out_count = s.batch * s.out_channels * product_of(s.out_size);
  const int64_t weight_count = s.out_channels * s.in_channels / s.groups * product_of(s.window);
  Memory in(s.dtype, in_count), weights(s.dtype, weight_count), out(s.dtype, out_count);
  in.fill(1);
  weights.fill(2);
  out.fill(3);
  Memory& result = s.pass == Pass::forward ? out : s.pass == Pass::backward_data ? in : weights;
  const int64_t count = s.pass == Pass::forward         ? out_count
                        : s.pass == Pass::backward_data ? in_count
                                                        : weight_count;
  const auto size = static_cast<std::size_t>(count);
  std::vector<double> sum(size), magnitude(size);
  std::vector<int64_t> terms(size);
  each_product(s, [&](int64_t i, int64_t w, int64_t o) {
    const double factor = s.pass == Pass::forward         ? in.at(i) * weights.at(w)
                          : s.pass == Pass::backward_data ? weights.at(w) * out.at(o)
                                                          : in.at(i) * out.at(o);
    const int64_t at = s.pass == Pass::forward ? o : s.pass == Pass::backward_data ? i : w;
    sum[static_cast<std::size_t>(at)] += factor;
    magnitude[static_cast<std::size_t>(at)] += std::abs(factor);
    ++terms[static_cast<std::size_t>(at)];
  });
  const Leaf leaf = fx::codegen::prepare(s);
  REQUIRE(leaf);
  CAPTURE(leaf->description());
  result.fill_with_nan();
  run(leaf,
      (s.pass == Pass::backward_data ? out : in).data(),
      (s.pass == Pass::backward_weights ? out : weights).data(),
      result.data());
  int64_t wrong = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (!close(result.at(static_cast<int64_t>(i)), sum[i], magnitude[i], terms[i], s.dtype)) {
      ++wrong;
    }
  }
  CHECK(wrong == 0);
  CHECK(result.end_untouched());
}

const std::vector<Case> cases = {
    {2, 3, 5, 1, {7, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
    {3, 1, 8, 1, {28, 28}, {5, 5}, {1, 1}, {0, 0}, {0, 0}, {1, 1}},
    {5, 16, 32, 1, {14, 13}, {3, 3}, {2, 2}, {1, 0}, {0, 1}, {1, 1}},
    {2, 8, 6, 1, {11, 12}, {3, 2}, {1, 2}, {2, 1}, {2, 1}, {2, 3}},
    {4, 8, 12, 4, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
    {3, 16, 16, 16, {9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
    {7, 3, 4, 1, {20}, {5}, {2}, {2}, {2}, {1}},
    {2, 3, 4, 1, {5, 6, 4}, {3, 2, 2}, {1, 1, 2}, {1, 0, 0}, {1, 1, 0}, {1, 1, 1}},
    {9, 20, 40, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}},
    {13, 32, 64, 1, {16, 16}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
};

}  // namespace

TEST_CASE("convolutions and their derivatives agree with plain loops in every layout") {
  for (const int threads : {1, 3}) {
    const ThreadCount scope(threads);
    for (std::size_t number = 0; number < cases.size(); ++number) {
      for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weights}) {
        for (const bool last : {false, true}) {
          CAPTURE(threads, number, static_cast<int>(pass), last);
          check_convolution(specification(cases[number], pass, fx::float32, last));
        }
      }
    }
  }
}

TEST_CASE("bfloat16 convolutions accumulate in float32") {
  const ThreadCount scope(2);
  for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weights}) {
    const ConvolutionSpec s = specification(cases[9], pass, fx::bfloat16, false);
    if (!fx::codegen::prepare(s)) {
      WARN("this processor has no bfloat16 convolutions");
      continue;
    }
    CAPTURE(static_cast<int>(pass));
    check_convolution(s);
  }
}

TEST_CASE("a convolution of inconsistent sizes or of a foreign dtype is refused") {
  ConvolutionSpec s = specification(cases[0], Pass::forward, fx::float64, false);
  CHECK_FALSE(fx::codegen::prepare(s));
  s = specification(cases[0], Pass::forward, fx::float32, false);
  s.out_size[0] += 1;
  CHECK_FALSE(fx::codegen::prepare(s));
  s.out_size.pop_back();
  CHECK_FALSE(fx::codegen::prepare(s));
}
