// Operations with rules of the user's own, recorded from programs that were traced at the call; and
// what those rules share.
#pragma once
#include "fluxion/rules.hpp"
#include "trace/graph_transforms.hpp"
#include "trace/ops.hpp"

namespace fluxion::ops {

/// body: arguments, captures -> results. rule: arguments, captures, then the tangents of the
/// arguments that can have one -> results, then the tangents of the results that can have one.
ArrayList custom_jvp(
    GraphRef body, GraphRef rule, std::int64_t arguments, Arrays operands, const Site&);

/// body: arguments, captures -> results. forward: the same -> results, residuals. backward:
/// residuals, cotangents of the results that can have one -> cotangents of the arguments that can.
ArrayList custom_vjp(GraphRef body,
                     GraphRef forward,
                     GraphRef backward,
                     std::int64_t arguments,
                     Arrays operands,
                     const Site&);

/// body's results; on a batch, what the rule gives. `counts`: arrays in each argument; the operands
/// behind them were captured.
ArrayList custom_vmap(GraphRef body,
                      detail::Ref<const detail::VmapRule> rule,
                      const detail::Counts& counts,
                      Arrays operands,
                      const Site&);

/// body's results; its derivative keeps what the policy says, and computes the rest again.
ArrayList checkpoint(GraphRef body, const Policy&, Arrays operands, const Site&);

/// x, as a value that no pass can tell to be x.
Array optimization_barrier(const Array& x, const Site&);

/// x, which depends on the others in a way without a derivative: asking for one is the error
/// `no-derivative`, with this sentence.
Array no_derivative(const Array& x, Arrays depends_on, std::string reason, const Site&);
[[noreturn]] void fail_without_derivative(const std::string& reason);

/// Refuses a tangent for a captured operand, from number `arguments` on: the user's rule knows
/// nothing of it.
void refuse_captured_tangents(std::string_view what, Arrays x, Arrays dx, std::int64_t arguments);
/// The types that can have tangents.
Types differentiable(TypeList);
/// The batched program with its results' batch axes where they are wanted.
GraphRef with_result_axes(const BatchedGraph&, const std::vector<int>& wanted, std::int64_t size);
/// Axis 0 where one of the lists has a batch axis, `unbatched` elsewhere; of the first `count`.
std::vector<int> first_axis_of(std::initializer_list<std::span<const int>> lists,
                               std::size_t count);
/// Throws InternalError unless the operands are the program's inputs.
void check_inputs(std::string_view operation, const Graph&, TypeList operands);

}  // namespace fluxion::ops

namespace fluxion {
template <> struct EnumWords<Policy::Keep> {
  static constexpr bool given = true;
  static constexpr std::string_view words[] = {"nothing", "everything", "dots", "names"};
};
}  // namespace fluxion
