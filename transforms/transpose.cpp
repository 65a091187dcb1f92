// The backward walk: cotangents flow from the outputs of a linear graph to its inputs.
#include "trace/ops.hpp"
#include "transforms/walk.hpp"

namespace fluxion {
namespace {

/// Cotangents by value; what one operation's transpose rule writes into.
class Backward final : public Accumulators {
 public:
  Backward(const Graph& g, const std::vector<char>& linear)
      : graph_(g), linear_(linear), cotangents_(static_cast<std::size_t>(g.value_count())) {}

  void at(const Operation& o) { operation_ = &o; }
  bool needed(std::size_t k) const override { return linear_[index(k)] != 0; }
  void add(std::size_t k, const Array& ct) override { add_to(operation_->operands[k], ct); }
  Array buffer(std::size_t k) override {
    Array sum = take(operation_->operands[k]);
    return defined(sum) ? sum : zeros_of(graph_.type(operation_->operands[k]));
  }
  void replace(std::size_t k, const Array& ct) override { add(k, ct); }

  void add_to(ValueId v, const Array& ct) {
    Array& slot = cotangents_[static_cast<std::size_t>(v)];
    if (!(type_of(ct) == graph_.type(v)))
      throw InternalError("transpose: a cotangent is " + to_string(type_of(ct)) + " for a value " +
                          to_string(graph_.type(v)));
    slot = defined(slot) ? ops::binary("add", slot, ct, rule_site()) : ct;
  }
  /// Takes the cotangent out: nobody else reads it.
  Array take(ValueId v) { return std::move(cotangents_[static_cast<std::size_t>(v)]); }

 private:
  std::size_t index(std::size_t k) const {
    return static_cast<std::size_t>(operation_->operands[k]);
  }
  const Graph& graph_;
  const std::vector<char>& linear_;
  ArrayList cotangents_;
  const Operation* operation_ = nullptr;
};

/// Derivatives are linear programs by construction; only a user's rule can put something else
/// there.
[[noreturn]] void refuse(const Operation& o) {
  fail("nonlinear-rule",
       o.site,
       "reverse mode: a rule of custom_jvp must be linear in the tangents; " +
           std::string(o.op.name()) + " of a tangent is not",
       {},
       "compute with tangents by sums, products with known values and linear functions only");
}

}  // namespace

ArrayList transpose(const Graph& g, Arrays inputs, Arrays cotangents, Arrays seeds) {
  const auto index = [](ValueId v) { return static_cast<std::size_t>(v); };
  ArrayList values(static_cast<std::size_t>(g.value_count()));
  std::vector<char> linear(values.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[i] = inputs[i];
    linear[i] = !defined(inputs[i]);
  }
  // Forward: what does not depend on a linear input is computed; the rest is walked backwards.
  const std::vector<char> needed = needed_operations(g);
  std::vector<const Operation*> backward;
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    const Operation& o = g.operations()[i];
    bool is_linear = false;
    for (ValueId v : o.operands) is_linear |= linear[index(v)] != 0;
    if (is_linear) {
      for (std::int32_t k = 0; k < o.result_count; ++k) linear[index(o.first_result + k)] = 1;
      backward.push_back(&o);
      continue;
    }
    ArrayList x;
    for (ValueId v : o.operands) x.push_back(values[index(v)]);
    const RuleSite line(o.site);
    ArrayList results = emit_all(o.op, x, o.site);
    for (std::int32_t k = 0; k < o.result_count; ++k)
      values[index(o.first_result + k)] = std::move(results[index(k)]);
  }
  Backward cts(g, linear);
  for (std::size_t i = 0; i < seeds.size(); ++i)
    if (defined(seeds[i])) cts.add_to(static_cast<ValueId>(i), seeds[i]);
  for (std::size_t i = 0; i < cotangents.size(); ++i)
    if (defined(cotangents[i]) && linear[index(g.outputs()[i])])
      cts.add_to(g.outputs()[i], cotangents[i]);
  for (std::size_t i = backward.size(); i-- > 0;) {
    const Operation& o = *backward[i];
    ArrayList ct, x;
    bool any = false;
    for (std::int32_t k = 0; k < o.result_count; ++k) {
      ct.push_back(cts.take(o.first_result + k));
      any |= defined(ct.back());
    }
    if (!any) continue;
    if (!o.op.transposable()) refuse(o);
    for (ValueId v : o.operands) x.push_back(linear[index(v)] ? Array() : values[index(v)]);
    const Types types = g.operand_types(o);
    const RuleSite line(o.site);
    cts.at(o);
    try {
      o.op.transpose(ct, Operands(x, types), cts);
    } catch (const Error& e) {
      if (e.code() == "empty-array")
        refuse(o);  // a rule that asks for the value of a linear operand: the program is not linear
                    // in it
      throw;
    }
  }
  ArrayList out;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!defined(inputs[i])) out.push_back(cts.take(static_cast<ValueId>(i)));
  return out;
}

}  // namespace fluxion
