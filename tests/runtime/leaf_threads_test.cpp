// Library leaves give the same bits on any number of threads, also when they are prepared under it.
#include "codegen/leaf.hpp"
#include "fluxion/core.hpp"
#include "runtime/leaves/onednn.hpp"
#include "runtime/thread_pool.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_floats.hpp"
#include "trace/leaf.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <vector>

namespace fx = fluxion;
using fx::ConvolutionSpec;
using fx::MatmulSpec;
using fx::test::random_floats;
using std::int64_t;

namespace {

/// The result's bits, of a leaf that was prepared and run on so many threads.
std::vector<float> result_on(int threads,
                             const fx::LeafSpec& spec,
                             const std::vector<float>& a,
                             const std::vector<float>& b,
                             int64_t count) {
  const int before = fx::runtime::num_threads();
  fx::runtime::set_num_threads(threads);
  const auto leaf = fx::codegen::prepare(spec);
  REQUIRE(leaf);
  std::vector<float> result(static_cast<std::size_t>(count));
  std::vector<std::byte> scratch(leaf->scratch_bytes() + 64);
  const auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
  const void* const in[] = {a.data(), b.data()};
  void* const out[] = {result.data()};
  leaf->run(in, out, scratch.data() + (64 - address % 64) % 64);
  fx::runtime::set_num_threads(before);
  return result;
}

void check_same_bits(const fx::LeafSpec& spec, int64_t a, int64_t b, int64_t count) {
  const std::vector<float> x = random_floats(a, 1), y = random_floats(b, 2);
  const std::vector<float> one = result_on(1, spec, x, y, count);
  for (const int threads : {2, 3, 5}) {
    CAPTURE(threads);
    const std::vector<float> several = result_on(threads, spec, x, y, count);
    CHECK(std::memcmp(one.data(), several.data(), one.size() * sizeof(float)) == 0);
  }
}

MatmulSpec product(int64_t batch, int64_t m, int64_t n, int64_t k, bool transposed) {
  MatmulSpec s;
  s.batch = batch, s.m = m, s.n = n, s.k = k;
  s.a_strides[0] = m * k, s.a_strides[1] = k, s.a_strides[2] = 1;
  s.b_strides[0] = k * n;
  s.b_strides[transposed ? 2 : 1] = transposed ? k : n;
  s.b_strides[transposed ? 1 : 2] = 1;
  s.c_strides[0] = m * n, s.c_strides[1] = n, s.c_strides[2] = 1;
  return s;
}

ConvolutionSpec convolution(ConvolutionSpec::Pass pass,
                            int64_t batch,
                            int64_t in,
                            int64_t out,
                            int64_t size,
                            int64_t window) {
  ConvolutionSpec s;
  s.pass = pass;
  s.batch = batch, s.in_channels = in, s.out_channels = out;
  s.in_size = s.out_size = {size, size};
  s.window = {window, window};
  s.stride = s.dilation = {1, 1};
  s.pad_low = s.pad_high = {window / 2, window / 2};
  s.in_strides = {in * size * size, size * size, size, 1};
  s.out_strides = {out * size * size, size * size, size, 1};
  s.weight_strides = {in * window * window, window * window, window, 1};
  return s;
}

}  // namespace

TEST_CASE("matrix products have the same bits on any number of threads") {
  // The shapes of a small network's training, and sizes that leave rests.
  const int64_t shapes[][4] = {{1, 128, 512, 784},
                               {1, 784, 512, 128},
                               {1, 512, 10, 128},
                               {1, 128, 10, 512},
                               {1, 256, 256, 256},
                               {1, 1000, 333, 777},
                               {1, 130, 1025, 300},
                               {7, 100, 90, 110},
                               {40, 64, 64, 64},
                               {1, 33, 100, 1000}};
  for (const auto& [batch, m, n, k] : shapes) {
    for (const bool transposed : {false, true}) {
      CAPTURE(batch, m, n, k, transposed);
      check_same_bits(
          product(batch, m, n, k, transposed), batch * m * k, batch * k * n, batch * m * n);
    }
  }
}

TEST_CASE("sums over rows for few columns have the same bits on any number of threads") {
  for (const auto& [batch, m, n, k] : std::vector<std::array<int64_t, 4>>{
           {1, 2048, 64, 512}, {8, 520, 64, 300}, {3, 1000, 17, 70}}) {
    MatmulSpec s = product(batch, m, n, k, false);
    s.a_strides[1] = 1, s.a_strides[2] = m;
    CAPTURE(batch, m, n, k);
    if (fx::runtime::onednn::has_wide_vectors())
      CHECK(fx::codegen::prepare(s)->description().ends_with("turned round"));
    check_same_bits(s, batch * m * k, batch * k * n, batch * m * n);
  }
}

TEST_CASE("convolutions have the same bits on any number of threads") {
  using Pass = ConvolutionSpec::Pass;
  const int64_t shapes[][5] = {{64, 1, 16, 28, 3}, {37, 16, 32, 14, 3}, {9, 8, 24, 11, 5}};
  for (const auto& [batch, in, out, size, window] : shapes) {
    for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weights}) {
      CAPTURE(batch, in, out, size, window, static_cast<int>(pass));
      const int64_t images = batch * in * size * size, results = batch * out * size * size,
                    weights = out * in * window * window;
      const bool back = pass == Pass::backward_data, to_weights = pass == Pass::backward_weights;
      check_same_bits(convolution(pass, batch, in, out, size, window),
                      back ? results : images,
                      to_weights ? results : weights,
                      back         ? images
                      : to_weights ? weights
                                   : results);
    }
  }
}
