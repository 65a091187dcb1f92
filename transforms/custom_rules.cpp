// custom_jvp, custom_vjp, checkpoint called with arrays: the function and its rules are traced to
// programs that take the same captured arrays.
#include "trace/ops/custom_rules.hpp"

#include "fluxion/rules.hpp"
#include "trace/ops.hpp"
#include "transforms/captures.hpp"

#include <algorithm>

namespace fluxion::detail {
namespace {

/// A rule that calls the function it belongs to has to be traced for one derivative after the
/// other.
constexpr std::ptrdiff_t most_derivatives = 4;

thread_local std::vector<Flat (*)(void*, Flat)> open_rules;

class OpenRule {
 public:
  explicit OpenRule(const FlatFunction& rule) { open_rules.push_back(rule.call); }
  ~OpenRule() { open_rules.pop_back(); }
  OpenRule(const OpenRule&) = delete;
  OpenRule& operator=(const OpenRule&) = delete;
};

bool too_deep(const FlatFunction& rule) {
  return std::count(open_rules.begin(), open_rules.end(), rule.call) >= most_derivatives;
}

[[noreturn]] void refuse_rule(const Site& site,
                              const std::string& sentence,
                              const std::string& wanted,
                              const std::string& got) {
  fail("custom-rule", site, sentence, {wanted, got});
}

void check_count(const Site& site,
                 std::string_view rule,
                 std::string_view what,
                 std::size_t wanted,
                 std::size_t got) {
  if (got != wanted)
    fail("custom-rule",
         site,
         std::string(rule) + " gives " + std::to_string(got) + " arrays " + std::string(what) +
             ", not " + std::to_string(wanted));
}

void check_result(
    const Site& site, std::string_view rule, std::size_t k, const Type& wanted, const Array& got) {
  if (!defined(got) || !(type_of(got) == wanted))
    refuse_rule(site,
                std::string(rule) + " gives another result than the function",
                "array " + std::to_string(k) + " of the function's result is " + to_string(wanted),
                "the rule gives " + (defined(got) ? to_string(type_of(got)) : "an empty Array"));
}

/// A tangent or cotangent that a rule gave: of the type of what it belongs to; empty is zero.
Array checked_derivative(const Site& site,
                         std::string_view sentence,
                         std::string_view whose,
                         std::size_t k,
                         const Type& wanted,
                         const Array& got) {
  if (!defined(got)) return zeros_of(wanted);
  if (!(type_of(got) == wanted))
    refuse_rule(
        site,
        std::string(sentence),
        "array " + std::to_string(k) + " of the " + std::string(whose) + " is " + to_string(wanted),
        "the rule gives " + to_string(type_of(got)));
  return got;
}

/// Fresh inputs; with `only_differentiable`, an empty Array in the place of those without tangents.
void add_inputs(Flat& to, FrameScope& scope, TypeList types, bool only_differentiable) {
  for (const Type& type : types) {
    const bool there = !only_differentiable || is_differentiable(type.dtype);
    to.push_back(there ? scope.input(type, scope.frame().site) : Array());
  }
}

Traced trace_jvp_rule(FlatFunction rule, const Types& arguments, const Types& results) {
  const OpenRule open(rule);
  FrameScope scope(Frame::Kind::unbound, "the rule of custom_jvp", rule.site);
  Flat in;
  add_inputs(in, scope, arguments, false);
  add_inputs(in, scope, arguments, true);
  Flat out = rule.call(rule.self, std::move(in));
  const std::size_t n = results.size();
  check_count(
      rule.site, "custom_jvp: the rule", "for the result and its tangent", 2 * n, out.size());
  ArrayList given;
  for (std::size_t k = 0; k < n; ++k) {
    check_result(rule.site, "custom_jvp: the rule", k, results[k], out[k]);
    given.push_back(out[k]);
  }
  for (std::size_t k = 0; k < n; ++k)
    if (is_differentiable(results[k].dtype))
      given.push_back(checked_derivative(rule.site,
                                         "custom_jvp: the rule gives a tangent of another type "
                                         "than the result that it belongs to",
                                         "result",
                                         k,
                                         results[k],
                                         out[n + k]));
  return scope.close(given);
}

/// Results, then residuals.
Traced trace_forward_rule(FlatFunction forward, const Types& arguments, const Types& results) {
  const OpenRule open(forward);
  FrameScope scope(Frame::Kind::unbound, "the forward rule of custom_vjp", forward.site);
  Flat in;
  add_inputs(in, scope, arguments, false);
  const Flat out = forward.call(forward.self, std::move(in));
  if (out.size() < results.size())
    check_count(
        forward.site, "custom_vjp: the forward rule", "for the result", results.size(), out.size());
  for (std::size_t k = 0; k < results.size(); ++k)
    check_result(forward.site, "custom_vjp: the forward rule", k, results[k], out[k]);
  for (std::size_t k = results.size(); k < out.size(); ++k)
    if (!defined(out[k]))
      fail("empty-array", forward.site, "custom_vjp: a residual is an empty Array");
  return scope.close(out);
}

Traced trace_backward_rule(FlatFunction backward,
                           const Types& residuals,
                           const Types& results,
                           const Types& arguments) {
  const OpenRule open(backward);
  FrameScope scope(Frame::Kind::unbound, "the backward rule of custom_vjp", backward.site);
  Flat in;
  add_inputs(in, scope, residuals, false);
  add_inputs(in, scope, results, true);
  const Flat out = backward.call(backward.self, std::move(in));
  check_count(backward.site,
              "custom_vjp: the backward rule",
              "for the cotangents of the arguments",
              arguments.size(),
              out.size());
  ArrayList given;
  for (std::size_t k = 0; k < out.size(); ++k)
    if (is_differentiable(arguments[k].dtype))
      given.push_back(checked_derivative(backward.site,
                                         "custom_vjp: the backward rule gives a cotangent of "
                                         "another type than the argument that it belongs to",
                                         "arguments",
                                         k,
                                         arguments[k],
                                         out[k]));
  return scope.close(given);
}

ArrayList with_captures(const Flat& arguments, const Captures& captures) {
  ArrayList operands = arguments;
  operands.insert(operands.end(), captures.arrays().begin(), captures.arrays().end());
  return operands;
}

/// The function inside its own rule's rule's ... rule: its value, whose derivative is refused.
Flat without_derivative(std::string_view what, FlatFunction f, const Flat& arguments) {
  Flat out = f.call(f.self, arguments);
  const std::string reason = std::string(what) +
                             ": the rule calls its own function, which is "
                             "followed for " +
                             std::to_string(most_derivatives) + " derivatives";
  for (Array& a : out) a = ops::no_derivative(a, arguments, reason, f.site);
  return out;
}

}  // namespace

Flat run_custom_jvp(FlatFunction f, FlatFunction rule, Flat arguments) {
  const Types types = checked_types(arguments, "custom_jvp", f.site);
  // Outside every frame nobody asks for a derivative.
  if (!current_frame()) return f.call(f.self, std::move(arguments));
  if (too_deep(rule)) return without_derivative("custom_jvp", f, arguments);
  const Traced body = trace_function(f, types, "custom_jvp", f.site);
  const Traced derivative = trace_jvp_rule(rule, types, body.graph->output_types());
  Captures captures;
  captures.add(body);
  captures.add(derivative);
  return ops::custom_jvp(captures.closed(body, types.size()),
                         captures.closed(derivative, types.size()),
                         static_cast<std::int64_t>(types.size()),
                         with_captures(arguments, captures),
                         f.site);
}

Flat run_custom_vjp(FlatFunction f, FlatFunction forward, FlatFunction backward, Flat arguments) {
  const Types types = checked_types(arguments, "custom_vjp", f.site);
  if (!current_frame()) return f.call(f.self, std::move(arguments));
  if (too_deep(forward)) return without_derivative("custom_vjp", f, arguments);
  const Traced body = trace_function(f, types, "custom_vjp", f.site);
  const Types results = body.graph->output_types();
  const Traced first = trace_forward_rule(forward, types, results);
  const Types saved = first.graph->output_types();
  const Traced second = trace_backward_rule(
      backward,
      Types(saved.begin() + static_cast<std::ptrdiff_t>(results.size()), saved.end()),
      results,
      types);
  Captures captures;
  captures.add(body);
  captures.add(first);
  captures.add(second);
  // What the backward rule captured reaches it as more residuals.
  const GraphRef plain = captures.closed(first, types.size());
  std::vector<ValueId> outputs = plain->outputs();
  Captures of_backward;
  of_backward.add(second);
  for (std::size_t k = 0; k < captures.arrays().size(); ++k)
    for (const Array& a : of_backward.arrays())
      if (Access::node(a) == Access::node(captures.arrays()[k]))
        outputs.push_back(static_cast<ValueId>(types.size() + k));
  Captures in_order;
  for (std::size_t k = plain->outputs().size(); k < outputs.size(); ++k)
    in_order.add({{}, {captures.arrays()[static_cast<std::size_t>(outputs[k]) - types.size()]}});
  return ops::custom_vjp(captures.closed(body, types.size()),
                         plain->with_outputs(outputs),
                         in_order.closed(second, saved.size() - results.size()),
                         static_cast<std::int64_t>(types.size()),
                         with_captures(arguments, captures),
                         f.site);
}

Flat run_custom_vmap(FlatFunction f,
                     Ref<const VmapRule> rule,
                     Flat arguments,
                     const Counts& counts) {
  const Types types = checked_types(arguments, "custom_vmap", f.site);
  if (!current_frame()) return f.call(f.self, std::move(arguments));
  const Traced body = trace_function(f, types, "custom_vmap", f.site);
  ArrayList operands = std::move(arguments);
  operands.insert(operands.end(), body.captures.begin(), body.captures.end());
  return ops::custom_vmap(body.graph, std::move(rule), counts, operands, f.site);
}

Flat run_checkpoint(FlatFunction f, Flat arguments, const Policy& policy) {
  const Types types = checked_types(arguments, "checkpoint", f.site);
  if (!current_frame()) return f.call(f.self, std::move(arguments));
  const Traced body = trace_function(f, types, "checkpoint", f.site);
  ArrayList operands = std::move(arguments);
  operands.insert(operands.end(), body.captures.begin(), body.captures.end());
  return ops::checkpoint(body.graph, policy, operands, f.site);
}

}  // namespace fluxion::detail
