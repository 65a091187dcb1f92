// Rows of matrix products, convolutions and attention.
#include "bench/peers/rows.hpp"
#include "fluxion/lax.hpp"

#include <cmath>

namespace fluxion::peers {
namespace {

Work dense_gelu(std::int64_t n, DType dtype) {
  return work([](Array x, Array w, Array b) { return gelu(matmul(x, w) + b); },
              numbers(1, {n, n}).astype(dtype),
              numbers(2, {n, n}, 1 / std::sqrt(static_cast<float>(n))).astype(dtype),
              numbers(3, {n}).astype(dtype));
}

Array doubles(std::uint32_t seed, const Shape& shape) {
  return numbers(seed, shape).astype(float64);
}
Work product_f64() {
  return work([](Array x, Array w) { return matmul(x, w); },
              doubles(1, {512, 512}),
              doubles(2, {512, 512}));
}
Work matvec_f64() {
  return work(
      [](Array a, Array x) { return matmul(a, x); }, doubles(1, {2048, 2048}), doubles(2, {2048}));
}

/// Images and windows with the channels last, as nn::Conv2d has them.
struct Convolution {
  Shape in, window;
  float scale;
  std::int64_t groups;
};
const Convolution full{{16, 56, 56, 64}, {3, 3, 64, 64}, 0.05f, 1};
const Convolution depthwise{{16, 56, 56, 128}, {3, 3, 1, 128}, 0.3f, 128};

auto convolve(std::int64_t groups) {
  return [groups](Array x, Array w) {
    return lax::conv_general_dilated(
        x, w, {.padding = lax::same, .layout = {"NHWC", "HWIO", "NHWC"}, .feature_groups = groups});
  };
}

Work convolution(const Convolution& c) {
  return work(convolve(c.groups), numbers(1, c.in), numbers(2, c.window, c.scale));
}

Work convolution_gradient(const Convolution& c) {
  return work(
      [f = convolve(c.groups)](Array x, Array w, Array ct) {
        auto [y, pull] = vjp(f, x, w);
        return pull(ct);
      },
      numbers(1, c.in),
      numbers(2, c.window, c.scale),
      numbers(3, {c.in[0], c.in[1], c.in[2], c.window[3]}));
}

Work transposed_convolution() {
  return work(
      [](Array x, Array w) {
        return lax::conv_general_dilated(
            x, w, {.padding = {{2, 2}}, .lhs_dilation = {2}, .layout = {"NWC", "WIO", "NWC"}});
      },
      numbers(1, {16, 4096, 64}),
      numbers(2, {4, 64, 64}, 0.1f));
}

Array attend(const Array& q, const Array& k, const Array& v) {
  return matmul(softmax(matmul(q, swapaxes(k, 1, 2)) * 0.125f), v);
}

Work attention(std::int64_t n) {
  return work([](Array q, Array k, Array v) { return attend(q, k, v); },
              numbers(1, {8, n, 64}),
              numbers(2, {8, n, 64}),
              numbers(3, {8, n, 64}));
}

Work attention_gradient(std::int64_t n) {
  return work(
      [](Array q, Array k, Array v, Array ct) {
        auto [y, pull] = vjp([](Array q, Array k, Array v) { return attend(q, k, v); }, q, k, v);
        return pull(ct);
      },
      numbers(1, {8, n, 64}),
      numbers(2, {8, n, 64}),
      numbers(3, {8, n, 64}),
      numbers(4, {8, n, 64}));
}

}  // namespace

void add_product_rows(Rows& rows) {
  for (const std::int64_t n : {64, 256, 512, 1024, 2048})
    rows["matmul_" + std::to_string(n)] = [n] { return dense_gelu(n, float32); };
  for (const std::int64_t n : {64, 256, 1024})
    rows["matmul_bf16_" + std::to_string(n)] = [n] { return dense_gelu(n, bfloat16); };
  rows["matmul_f64"] = product_f64;
  rows["matvec_f64"] = matvec_f64;
  rows["conv"] = [] { return convolution(full); };
  rows["conv_grad"] = [] { return convolution_gradient(full); };
  rows["depthwise"] = [] { return convolution(depthwise); };
  rows["depthwise_grad"] = [] { return convolution_gradient(depthwise); };
  rows["conv_transposed_1d"] = transposed_convolution;
  for (const std::int64_t n : {512, 2048}) {
    rows["attention_" + std::to_string(n)] = [n] { return attention(n); };
    rows["attention_" + std::to_string(n) + "_grad"] = [n] { return attention_gradient(n); };
  }
}

}  // namespace fluxion::peers
