// Rows of elementwise programs, of reductions along rows, and of both fused.
#include "bench/peers/rows.hpp"
#include "fluxion/nn.hpp"

namespace fluxion::peers {
namespace {

Array layer_norm(const Array& x, const Array& scale, const Array& shift) {
  return standardize(x) * scale + shift;
}

Array rmsnorm_gelu(const Array& x, const Array& g) {
  return x + gelu(x * rsqrt(mean(x * x, -1, true) + 1e-6f) * g);
}

/// Accelerations of bodies that attract each other.
Array accelerations(const Array& p, const Array& m) {
  const Array d = expand_dims(p, 0) - expand_dims(p, 1);
  const Array r2 = sum(d * d, -1) + 0.01f;
  return sum(expand_dims(m * rsqrt(r2) / r2, -1) * d, 1);
}

}  // namespace

void add_elementwise_rows(Rows& rows) {
  rows["chain"] = [] {
    return work(
        [](Array x) {
          const Array a = x * 1.5f + 0.5f;
          const Array b = a * a - x;
          const Array c = sqrt(abs(b) + 1);
          return maximum(c, a) * 0.25f - b;
        },
        numbers(1, {16 << 20}));
  };
  rows["softmax"] = [] {
    return work([](Array x) { return softmax(x); }, numbers(1, {16384, 1024}, 4));
  };
  rows["softmax_grad"] = [] {
    return work(
        [](Array x, Array ct) {
          auto [y, pull] = vjp([](Array x) { return softmax(x); }, x);
          return pull(ct);
        },
        numbers(1, {16384, 1024}, 4),
        numbers(2, {16384, 1024}));
  };
  rows["layernorm"] = [] {
    return work([](Array x, Array scale, Array shift) { return layer_norm(x, scale, shift); },
                numbers(1, {16384, 1024}),
                numbers(2, {1024}),
                numbers(3, {1024}));
  };
  rows["layernorm_grad"] = [] {
    return work(
        [](Array ct, Array x, Array scale, Array shift) {
          auto [y, pull] =
              vjp([](Array x, Array s, Array t) { return layer_norm(x, s, t); }, x, scale, shift);
          return pull(ct);
        },
        numbers(4, {16384, 1024}),
        numbers(1, {16384, 1024}),
        numbers(2, {1024}),
        numbers(3, {1024}));
  };
  rows["cross_entropy_grad"] = [] {
    return work(
        grad([](Array logits, Array labels) { return nn::softmax_cross_entropy(logits, labels); }),
        numbers(1, {8192, 2048}, 4),
        integers(2, {8192}, 2048));
  };
  rows["rmsnorm_gelu"] = [] {
    return work([](Array x, Array g) { return rmsnorm_gelu(x, g); },
                numbers(1, {16384, 1024}),
                numbers(2, {1024}));
  };
  rows["nbody"] = [] {
    return work([](Array p, Array m) { return accelerations(p, m); },
                numbers(1, {2000, 3}),
                numbers(2, {2000}, 0.5f, 1));
  };
}

}  // namespace fluxion::peers
