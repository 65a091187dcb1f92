// stop_gradient: the operand, with tangent zero.
#include "trace/ops/elementwise.hpp"

#include <cstring>

namespace fluxion::ops {
std::span<const Rules* const> stop_gradient_rules();

namespace {

struct StopGradient {
  static constexpr auto name = "stop_gradient";
  static constexpr bool aliases = true;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    return {in[0]};
  }
  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array()}; }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t) const {
    return {emit_all(*this, x, rule_site()), {axes[0]}};
  }
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    return x.read(0, index);
  }
  void reference(ConstTensors in, Tensors out) const {
    if (const std::size_t bytes = bytes_of(in[0].type)) std::memcpy(out[0].data, in[0].data, bytes);
  }
};
}  // namespace

std::span<const Rules* const> stop_gradient_rules() {
  static constexpr const Rules* rules[] = {rules_of<StopGradient>()};
  return rules;
}

Array stop_gradient(const Array& x, const Site& site) { return emit(StopGradient(), {x}, site); }

}  // namespace fluxion::ops
