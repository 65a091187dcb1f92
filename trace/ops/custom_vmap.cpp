// custom_vmap: a function whose meaning on a batch is what its user says.
#include "trace/frame.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/call.hpp"
#include "trace/ops/custom_rules.hpp"
#include "trace/ops/host.hpp"
#include "trace/ops/regions.hpp"

namespace fluxion::ops {
std::span<const Rules* const> custom_vmap_rules();

namespace {

/// The function on batches: arrays with a batch axis have it first; so has every result.
struct BatchRule : detail::HostObject {
  /// `batched` is made the same for all arrays of an argument.
  virtual Traced program(const Graph& function,
                         std::vector<bool>& batched,
                         std::int64_t size,
                         const Site&) const = 0;
};

Types batch_types(TypeList types, const std::vector<bool>& batched, std::int64_t size) {
  Types out;
  for (std::size_t k = 0; k < batched.size(); ++k)
    out.push_back(batched[k] ? Type{with_axis(types[k].shape, 0, size), types[k].dtype} : types[k]);
  return out;
}

class UserRule final : public BatchRule {
 public:
  UserRule(detail::Ref<const detail::VmapRule> rule, detail::Counts counts)
      : rule_(std::move(rule)), counts_(std::move(counts)) {}

  Traced program(const Graph& function,
                 std::vector<bool>& batched,
                 std::int64_t size,
                 const Site& site) const override {
    std::vector<bool> arguments;
    std::size_t at = 0;
    for (std::size_t count : counts_) {
      bool any = false;
      for (std::size_t k = 0; k < count; ++k) any = any || batched[at + k];
      for (std::size_t k = 0; k < count; ++k) batched[at + k] = any;
      at += count;
      arguments.push_back(any);
    }
    FrameScope scope(Frame::Kind::unbound, "the rule of custom_vmap", site);
    detail::Flat in;
    for (const Type& type : batch_types(function.input_types(), batched, size))
      in.push_back(scope.input(type, site));
    const detail::Flat out = rule_->apply(size, arguments, std::move(in), site);
    const Types one = function.output_types();
    const Types wanted = batch_types(one, std::vector<bool>(one.size(), true), size);
    if (out.size() != wanted.size())
      fail("custom-rule",
           site,
           "custom_vmap: the rule gives another number of arrays than the function");
    for (std::size_t k = 0; k < out.size(); ++k)
      if (!defined(out[k]) || !(type_of(out[k]) == wanted[k]))
        fail(
            "custom-rule",
            site,
            "custom_vmap: the rule gives another result than the function for each example",
            {"array " + std::to_string(k) + " of the batch's result is " + to_string(wanted[k]),
             "the rule gives " + (defined(out[k]) ? to_string(type_of(out[k])) : "an empty Array")},
            "every array of the result has the batch as its first axis");
    return scope.close(out);
  }

 private:
  detail::Ref<const detail::VmapRule> rule_;
  detail::Counts counts_;
};

/// The rule of the function's derivative: inputs, tangents of the active ones -> results, tangents.
class JvpRule final : public BatchRule {
 public:
  JvpRule(GraphRef function, detail::Ref<const BatchRule> rule, std::vector<bool> active)
      : function_(std::move(function)), rule_(std::move(rule)), active_(std::move(active)) {}

  Traced program(const Graph&,
                 std::vector<bool>& batched,
                 std::int64_t size,
                 const Site& site) const override {
    // A primal and its tangent have their batch axis together.
    const std::size_t n = active_.size();
    std::vector<bool> together(batched.begin(), batched.begin() + static_cast<std::ptrdiff_t>(n));
    for (std::size_t k = 0, next = n; k < n; ++k)
      if (active_[k] && batched[next++]) together[k] = true;
    const Traced values = rule_->program(*function_, together, size, site);
    batched = together;
    for (std::size_t k = 0; k < n; ++k)
      if (active_[k]) batched.push_back(together[k]);
    std::vector<bool> active = active_;
    active.resize(static_cast<std::size_t>(values.graph->input_count()), false);
    const JvpGraph both = jvp_graph(values.graph, active);
    const std::vector<bool> wanted = jvp_graph(function_, active_).nonzero;
    // Captures stand between the primals and the tangents there, behind them here.
    const std::size_t captures = values.captures.size(), results = wanted.size();
    Types types = batch_types(function_->input_types(), together, size);
    for (std::size_t k = 0; k < n; ++k)
      if (active_[k]) types.push_back(types[k]);
    const std::size_t own = types.size();
    for (const Array& a : values.captures) types.push_back(type_of(a));
    const GraphRef program = record_graph(types, [&](Arrays in) {
      ArrayList operands(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(n));
      operands.insert(operands.end(), in.end() - static_cast<std::ptrdiff_t>(captures), in.end());
      operands.insert(operands.end(),
                      in.begin() + static_cast<std::ptrdiff_t>(n),
                      in.begin() + static_cast<std::ptrdiff_t>(own));
      ArrayList out = inline_graph(*both.graph, operands);
      const ArrayList tangents = spread(Arrays(out).subspan(results), both.nonzero);
      out.resize(results);
      for (std::size_t k = 0; k < results; ++k)
        if (wanted[k]) out.push_back(or_zeros_of(tangents[k], type_of(out[k])));
      return out;
    });
    return {program, values.captures};
  }

 private:
  GraphRef function_;
  detail::Ref<const BatchRule> rule_;
  std::vector<bool> active_;
};

struct CustomVmap {
  static constexpr auto name = "custom_vmap";
  GraphRef body;
  HostHandle rule;
  std::int64_t arguments;  // the operands behind them were captured

  Types types(TypeList in) const {
    if (rule.size() == 0) throw InternalError("custom_vmap: the rule is gone");
    check_inputs(name, *body, in);
    return body->output_types();
  }
  std::vector<const Graph*> regions() const { return {body.raw()}; }
  bool has_effects() const { return ops::has_effects(*body); }
  ArrayList inlined(Arrays x) const { return inline_graph(*body, x); }
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
    copy_results(run(*body, in), out);
  }

  Both jvp_region(Arrays x, Arrays dx) const {
    refuse_captured_tangents("custom_vmap", x, dx, arguments);
    std::vector<bool> active = given_of(dx);
    const JvpGraph both = jvp_graph(body, active);
    active.resize(static_cast<std::size_t>(arguments));
    // The captures move behind the tangents, so that they stay the last operands.
    const GraphRef own = without_captures();
    const auto n = static_cast<std::ptrdiff_t>(arguments);
    std::vector<std::size_t> order;
    const std::size_t inputs = x.size();
    for (std::size_t k = 0; k < static_cast<std::size_t>(arguments); ++k) order.push_back(k);
    for (std::size_t k = inputs; k < static_cast<std::size_t>(both.graph->input_count()); ++k)
      order.push_back(k);
    for (std::size_t k = static_cast<std::size_t>(arguments); k < inputs; ++k) order.push_back(k);
    ArrayList operands(x.begin(), x.begin() + n);
    append_defined(operands, dx);
    const auto count = static_cast<std::int64_t>(operands.size());
    operands.insert(operands.end(), x.begin() + n, x.end());
    const detail::Ref<const BatchRule> derived(
        new JvpRule(own, detail::Ref<const BatchRule>(&rule.as<BatchRule>()), active));
    ArrayList results =
        emit_all(CustomVmap{reordered(both.graph, order),
                            HostHandle(detail::Ref<const detail::HostObject>(derived.raw())),
                            count},
                 operands,
                 rule_site());
    const std::size_t m = body->outputs().size();
    ArrayList tangents = spread(Arrays(results).subspan(m), both.nonzero);
    results.resize(m);
    return {std::move(results), std::move(tangents)};
  }
  /// A rule for batches says nothing about reverse mode: it goes through the function itself.
  Both linearize_region(Arrays x, Arrays dx) const {
    return Call{body, "custom_vmap"}.linearize_region(x, dx);
  }
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    Call{body, "custom_vmap"}.transpose(ct, x, out);
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    std::vector<bool> batched;
    for (std::size_t k = 0; k < x.size(); ++k) {
      if (k < static_cast<std::size_t>(arguments))
        batched.push_back(at[k] != unbatched);
      else if (at[k] != unbatched)
        fail("captured-tangent",
             rule_site(),
             "custom_vmap: the function captured an array that has a batch axis",
             {"the array is " + to_string(type_of(x[k]))},
             "pass it as an argument, so that the rule knows of it");
    }
    const Traced program =
        rule.as<BatchRule>().program(*without_captures(), batched, size, rule_site());
    ArrayList operands;
    for (std::size_t k = 0; k < batched.size(); ++k)
      operands.push_back(batched[k] ? batch_first(x[k], at[k], size) : x[k]);
    operands.insert(operands.end(), program.captures.begin(), program.captures.end());
    return {inline_graph(*program.graph, operands), std::vector<int>(body->outputs().size(), 0)};
  }

 private:
  /// The function's types as its user knows it; the captures' values do not matter for them.
  GraphRef without_captures() const {
    if (static_cast<std::int64_t>(body->input_count()) == arguments) return body;
    std::vector<std::size_t> order;
    for (std::size_t k = 0; k < static_cast<std::size_t>(arguments); ++k) order.push_back(k);
    const TypeList types = body->input_types();
    return record_graph(types.first(order.size()), [&](Arrays in) {
      ArrayList all(in.begin(), in.end());
      for (std::size_t k = order.size(); k < types.size(); ++k) all.push_back(zeros_of(types[k]));
      return inline_graph(*body, all);
    });
  }
};

}  // namespace

std::span<const Rules* const> custom_vmap_rules() {
  static constexpr const Rules* rules[] = {rules_of<CustomVmap>()};
  return rules;
}

ArrayList custom_vmap(GraphRef body,
                      detail::Ref<const detail::VmapRule> rule,
                      const detail::Counts& counts,
                      Arrays operands,
                      const Site& site) {
  std::size_t arguments = 0;
  for (std::size_t count : counts) arguments += count;
  return emit_all(
      CustomVmap{
          std::move(body),
          HostHandle(detail::Ref<const detail::HostObject>(new UserRule(std::move(rule), counts))),
          static_cast<std::int64_t>(arguments)},
      operands,
      site);
}

}  // namespace fluxion::ops
