// optimization_barrier: the operand as a value that no pass can tell to be the operand.
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/elementwise.hpp"

#include <cstring>

namespace fluxion::ops {
std::span<const Rules* const> optimization_barrier_rules();

namespace {

/// Structured, though it only copies: an element that could be looked through would be. As an alias
/// it costs nothing.
struct OptimizationBarrier {
  static constexpr auto name = "optimization_barrier";
  static constexpr bool aliases = true;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    return {in[0]};
  }
  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }
  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (defined(ct[0]) && out.needed(0)) out.add(0, emit(*this, {ct[0]}, rule_site()));
  }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t) const {
    return {emit_all(*this, x, rule_site()), {axes[0]}};
  }
  void body(kernel::Nest& nest) const {
    nest.phase(nest.result().shape,
               [&nest](const kernel::Index& at) { nest.write(0, at, nest.read(0, at)); });
  }
  void reference(ConstTensors in, Tensors out) const {
    if (const std::size_t bytes = bytes_of(in[0].type)) std::memcpy(out[0].data, in[0].data, bytes);
  }
};

}  // namespace

std::span<const Rules* const> optimization_barrier_rules() {
  static constexpr const Rules* rules[] = {rules_of<OptimizationBarrier>()};
  return rules;
}

Array optimization_barrier(const Array& x, const Site& site) {
  return emit(OptimizationBarrier(), {x}, site);
}

}  // namespace fluxion::ops
