// The nonlinear functions between layers, as jax.nn defines them.
#include "fluxion/rules.hpp"
#include "trace/composed/common.hpp"

#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace fluxion {
namespace {

using namespace composed;

/// x - max(x) along the axes, where the maximum is finite: what exp may be taken of.
Array shifted(const Array& x, const Axes& axes) {
  const Array most = stop_gradient(max(x, axes, true));
  return x - where(isfinite(most), most, 0);
}

bool empty(const Array& x) { return element_count(type_of(x).shape) == 0; }

}  // namespace

// Not max(x, 0), whose derivative at 0 would be one half; NaN stays.
Array relu(const Operand& x) {
  SiteScope here(x.site());
  const Array a = as(x, arithmetic_dtype(composed::dtype_of(x)), "relu");
  return where(a <= 0, 0, a);
}

Array relu6(const Operand& x) {
  SiteScope here(x.site());
  return minimum(maximum(x, 0), 6);
}

Array softplus(const Operand& x) {
  SiteScope here(x.site());
  return logaddexp(x, 0);
}

Array log_sigmoid(const Operand& x) {
  SiteScope here(x.site());
  return -softplus(-real(x, "log_sigmoid"));
}

Array silu(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "silu");
  return a * sigmoid(a);
}

Array soft_sign(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "soft_sign");
  return a / (1 + abs(a));
}

Array mish(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "mish");
  return a * tanh(softplus(a));
}

Array gelu(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "gelu");
  const double scale = std::sqrt(2 * std::numbers::inv_pi);
  return a * (0.5 * (1 + tanh(scale * (a + 0.044715 * (a * a * a)))));
}

Array gelu_exact(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "gelu_exact");
  return 0.5 * a * erfc(-a * (1 / std::numbers::sqrt2));
}

Array elu(const Operand& x, const Operand& alpha) {
  SiteScope here(x.site());
  const Array a = real(x, "elu"), positive = a > 0;
  return where(positive, a, alpha * expm1(where(positive, 0, a)));
}

// Klambauer et al. 2017: the fixed point of mean 0 and variance 1.
Array selu(const Operand& x) {
  SiteScope here(x.site());
  return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717);
}

Array leaky_relu(const Operand& x, const Operand& slope) {
  SiteScope here(x.site());
  const Array a = real(x, "leaky_relu");
  return where(a >= 0, a, slope * a);
}

Array hard_tanh(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "hard_tanh");
  return where(a > 1, 1, where(a < -1, -1, a));
}

Array hard_sigmoid(const Operand& x) {
  SiteScope here(x.site());
  return relu6(real(x, "hard_sigmoid") + 3) / 6;
}

Array hard_silu(const Operand& x) {
  SiteScope here(x.site());
  const Array a = real(x, "hard_silu");
  return a * hard_sigmoid(a);
}

Array glu(const Operand& x, int axis) {
  SiteScope here(x.site());
  const Array a = real(x, "glu");
  const int k = axis_of("glu", axis, rank_of(a), x.site());
  const std::int64_t size = size_at(a, k);
  if (size % 2)
    fail("axis",
         x.site(),
         fmt::format("glu: axis {} of {} has the odd size {} and cannot be halved",
                     k,
                     to_string(type_of(a)),
                     size));
  return slice_axis(a, k, 0, size / 2, 1, x.site()) *
         sigmoid(slice_axis(a, k, size / 2, size, 1, x.site()));
}

Array softmax(const Operand& x, const Axes& axes) {
  SiteScope here(x.site());
  const Array a = real(x, "softmax");
  (void)axes_of("softmax", axes, rank_of(a), x.site());
  if (empty(a)) return a;
  const auto value = [&](const Array& a) -> Array {
    const Array e = exp(shifted(a, axes));
    return e / sum(e, axes, true);
  };
  // From the result alone, so that backwards neither the operand nor the exponentials are kept.
  using One = std::tuple<Array>;
  return custom_jvp(value, [&](const One& at, const One& tangent) {
    const Array y = value(std::get<0>(at)), change = y * std::get<0>(tangent);
    return std::pair{y, change - y * sum(change, axes, true)};
  })(a);
}

Array log_softmax(const Operand& x, const Axes& axes) {
  SiteScope here(x.site());
  const Array a = real(x, "log_softmax");
  (void)axes_of("log_softmax", axes, rank_of(a), x.site());
  if (empty(a)) return a;
  const Array s = shifted(a, axes);
  return s - log(sum(exp(s), axes, true));
}

Array standardize(const Operand& x, const Axes& axes, double epsilon) {
  SiteScope here(x.site());
  const Array a = real(x, "standardize");
  const DType d = type_of(a).dtype;
  const Array wide = as(a, wide_dtype(d), "standardize");
  return ((wide - mean(wide, axes, true)) * rsqrt(var(wide, axes, true) + epsilon)).astype(d);
}

}  // namespace fluxion
