// no_derivative: a value that depends on others in a way that nobody knows the derivative of.
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/elementwise.hpp"

#include <cstring>

namespace fluxion::ops {
std::span<const Rules* const> no_derivative_rules();

namespace {

/// Operand 0; the others are what it depends on.
struct NoDerivative {
  static constexpr auto name = "no_derivative";
  std::string reason;

  Types types(TypeList in) const { return {in[0]}; }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    for (const Array& d : dx)
      if (defined(d)) fail_without_derivative(reason);
    return {Array()};
  }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    ArrayList operands(x.begin(), x.end());
    bool others = false;
    for (std::size_t k = 1; k < x.size(); ++k) others = others || axes[k] != unbatched;
    const bool spread = others && axes[0] == unbatched;
    if (spread) operands[0] = batch_first(x[0], unbatched, size);
    return {emit_all(*this, operands, rule_site()), {spread ? 0 : axes[0]}};
  }
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    return x.read(0, index);
  }
  void reference(ConstTensors in, Tensors out) const {
    if (const std::size_t bytes = bytes_of(in[0].type)) std::memcpy(out[0].data, in[0].data, bytes);
  }
};

}  // namespace

void fail_without_derivative(const std::string& reason) {
  fail("no-derivative",
       rule_site(),
       reason,
       {},
       "give it one with fx::custom_jvp or fx::custom_vjp, or stop the derivative before it with "
       "fx::stop_gradient");
}

std::span<const Rules* const> no_derivative_rules() {
  static constexpr const Rules* rules[] = {rules_of<NoDerivative>()};
  return rules;
}

Array no_derivative(const Array& x, Arrays depends_on, std::string reason, const Site& site) {
  ArrayList operands{x};
  operands.insert(operands.end(), depends_on.begin(), depends_on.end());
  return emit(NoDerivative{std::move(reason)}, operands, site);
}

}  // namespace fluxion::ops
