// The stable forms, one rule each: what is recognised in the old program, and what is recorded
// instead.
#include "trace/rewrite.hpp"

#include "trace/frame.hpp"
#include "trace/lazy.hpp"
#include "trace/ops.hpp"
#include "trace/ops/constant.hpp"

namespace fluxion {
namespace {

/// Looks at a graph from a value towards its inputs.
class Pattern {
 public:
  Pattern(const Graph& g, Arrays known)
      : known_(known), producer_(static_cast<std::size_t>(g.value_count()), nullptr) {
    for (const Operation& o : g.operations())
      for (std::int32_t k = 0; k < o.result_count; ++k)
        producer_[static_cast<std::size_t>(o.first_result + k)] = &o;
  }
  /// The operation that made v, if it is called `name`.
  const Operation* made_by(ValueId v, std::string_view name) const {
    const Operation* o = producer_[static_cast<std::size_t>(v)];
    return o && o->op.name() == name ? o : nullptr;
  }
  /// Whether v is this floating number everywhere.
  bool is_number(ValueId v, double number) const {
    if (const Operation* o = made_by(v, "broadcast_in_dim"))
      return is_number(o->operands[0], number);
    const Operation* o = producer_[static_cast<std::size_t>(v)];
    if (!o && static_cast<std::size_t>(v) < known_.size())
      return is_literal(*detail::Access::node(known_[static_cast<std::size_t>(v)]), number);
    const auto* c = o ? o->op.as<ops::Constant>() : nullptr;
    return c && is_floating(c->dtype) && c->value() == number;
  }

 private:
  static bool is_literal(const detail::Node& n, double number) {
    if (n.literal)
      return is_floating(n.type.dtype) &&
             ops::Constant{n.type.dtype, n.scalar[0], n.scalar[1]}.value() == number;
    std::lock_guard guard(lazy_lock());
    return n.state.load(std::memory_order_relaxed) == detail::Node::State::pending && n.op &&
           n.op.name() == "broadcast_in_dim" && n.operands[0]->literal &&
           is_floating(n.type.dtype) &&
           ops::Constant{n.type.dtype, n.operands[0]->scalar[0], n.operands[0]->scalar[1]}
                   .value() == number;
  }
  Arrays known_;
  std::vector<const Operation*> producer_;
};

/// log(1 + exp x) without overflow.
Array softplus_of(const Array& x, const Site& site) {
  const Array small = ops::unary(
      "log1p", ops::unary("exp", ops::unary("neg", ops::unary("abs", x, site), site), site), site);
  return ops::binary("add", ops::binary("max", x, zeros_of(type_of(x)), site), small, site);
}

struct Rule {
  std::string_view name;
  std::string_view root;  // the operation that the pattern ends in
  /// An empty Array where the pattern does not fit; `value` gives the new program's Array for an
  /// old value.
  Array (*apply)(const Operation& o, const Pattern& p, const std::function<Array(ValueId)>& value);
};

constexpr Rule rules[] = {
    {"log-exp",
     "log",  // log(exp x) = x
     [](const Operation& o, const Pattern& p, const std::function<Array(ValueId)>& value) {
       const Operation* e = p.made_by(o.operands[0], "exp");
       return e ? value(e->operands[0]) : Array();
     }},
    {"log-one-plus-exp",
     "log",  // log(1 + exp x) = max(x, 0) + log1p(exp(-|x|))
     [](const Operation& o, const Pattern& p, const std::function<Array(ValueId)>& value) {
       const Operation* sum = p.made_by(o.operands[0], "add");
       if (!sum) return Array();
       for (int k : {0, 1}) {
         const Operation* e = p.made_by(sum->operands[static_cast<std::size_t>(k)], "exp");
         if (e && p.is_number(sum->operands[static_cast<std::size_t>(1 - k)], 1))
           return softplus_of(value(e->operands[0]), o.site);
       }
       return Array();
     }},
    {"log1p-exp",
     "log1p",  // the same; what softplus_of itself records has -|x| under the exponential
     [](const Operation& o, const Pattern& p, const std::function<Array(ValueId)>& value) {
       const Operation* e = p.made_by(o.operands[0], "exp");
       if (!e) return Array();
       const Operation* negative = p.made_by(e->operands[0], "neg");
       if (negative && p.made_by(negative->operands[0], "abs")) return Array();
       return softplus_of(value(e->operands[0]), o.site);
     }},
    {"log-exp-quotient",
     "log",  // log(exp(u) / b) = u - log b: the logarithm of a softmax
     [](const Operation& o, const Pattern& p, const std::function<Array(ValueId)>& value) {
       const Operation* quotient = p.made_by(o.operands[0], "div");
       const Operation* e = quotient ? p.made_by(quotient->operands[0], "exp") : nullptr;
       return e ? ops::binary("sub",
                              value(e->operands[0]),
                              ops::unary("log", value(quotient->operands[1]), o.site),
                              o.site)
                : Array();
     }},
    {"log-logistic",
     "log",  // log(logistic x) = -log(1 + exp(-x))
     [](const Operation& o, const Pattern& p, const std::function<Array(ValueId)>& value) {
       const Operation* l = p.made_by(o.operands[0], "logistic");
       return l ? ops::unary("neg",
                             softplus_of(ops::unary("neg", value(l->operands[0]), o.site), o.site),
                             o.site)
                : Array();
     }},
};

bool has_root(const Graph& g) {
  for (const Operation& o : g.operations())
    for (const Rule& r : rules)
      if (o.op.name() == r.root) return true;
  return false;
}

}  // namespace

GraphRef stabilize(const GraphRef& g, Arrays known) {
  if (!has_root(*g)) return g;
  const Pattern pattern(*g, known);
  FrameScope scope(Frame::Kind::unbound, "a rewrite", Site::current());
  ArrayList values;
  for (const Type& t : g->input_types()) values.push_back(scope.input(t, scope.frame().site));
  const std::function<Array(ValueId)> value = [&](ValueId v) {
    return values[static_cast<std::size_t>(v)];
  };
  bool changed = false;
  for (const Operation& o : g->operations()) {
    const RuleSite line(o.site);
    Array better;
    for (const Rule& r : rules)
      if (o.op.name() == r.root && !is_complex(g->type(o.first_result).dtype) &&
          defined(better = r.apply(o, pattern, value)))
        break;
    changed |= defined(better);
    if (defined(better)) {
      values.push_back(std::move(better));
      continue;
    }
    ArrayList operands;
    for (ValueId v : o.operands) operands.push_back(value(v));
    for (Array& result : emit_all(o.op, operands, o.site)) values.push_back(std::move(result));
  }
  std::vector<ValueId> outputs;
  for (ValueId v : g->outputs())
    outputs.push_back(scope.frame().value_of(value(v), scope.frame().site));
  scope.pop();
  return changed ? scope.frame().builder.finish(std::move(outputs)) : g;
}

}  // namespace fluxion
