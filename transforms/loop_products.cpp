// Products that the steps of a loop add to a carry, of rows that the loop reads or writes anyway,
// as one product over the rows of all steps, after the loop: what reverse mode makes of weights.
#include "trace/ops/control_flow.hpp"
#include "trace/ops/dot_general.hpp"
#include "trace/passes.hpp"
#include "transforms/walk.hpp"

#include <algorithm>

namespace fluxion {
namespace {

/// Smaller sums stay in the cache, or in registers, from step to step.
constexpr std::int64_t least_elements = 1024;

/// A product, and the transpositions and reshapes that it is added through.
struct Term {
  ValueId lhs, rhs;  // rows of the loop, or their transposes
  Op dot;            // over the rows of all steps
  std::vector<const Operation*> after;
};

class LoopProducts {
 public:
  explicit LoopProducts(const ops::Scan& scan) : scan_(scan), body_(*scan.body) {
    maker_.resize(at(body_.value_count()));
    uses_.resize(maker_.size());
    for (const Operation& o : body_.operations()) {
      for (std::int32_t k = 0; k < o.result_count; ++k) maker_[at(o.first_result + k)] = &o;
      for (ValueId v : o.operands) ++uses_[at(v)];
    }
    for (ValueId v : body_.outputs()) ++uses_[at(v)];
  }

  /// The products whose sum over all steps is what the loop adds to carry k; none if it does
  /// anything else with it.
  std::vector<Term> of_carry(int k) const {
    const ValueId before = 1 + scan_.constants + k, after = body_.outputs()[at(k)];
    std::vector<Term> terms;
    if (scan_.counted || scan_.length < 2 || uses_[at(before)] != 1 || uses_[at(after)] != 1 ||
        element_count(body_.type(before).shape) < least_elements)
      return terms;
    if (!add_terms(after, before, terms)) terms.clear();
    return terms;
  }
  bool any() const {
    for (int k = 0; k < scan_.carries; ++k)
      if (!of_carry(k).empty()) return true;
    return false;
  }

  /// The array of all steps' rows.
  Array rows(ValueId row, Arrays operands, Arrays results) const {
    if (is_read(row)) return operands[at(row - 1 + scan_.count_operands())];
    if (const auto found = written(row); found != body_.outputs().end())
      return results[static_cast<std::size_t>(found - body_.outputs().begin())];
    const Operation& o = *maker_[at(row)];
    const int axes[] = {0};
    const Batched all = o.op.batch({{rows(o.operands[0], operands, results)}}, axes, scan_.length);
    return move_axis(all.results[0], all.axes[0], 0);
  }

 private:
  static std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
  bool is_read(ValueId v) const {
    return v >= 1 + scan_.constants + scan_.carries && v < body_.input_count();
  }
  std::vector<ValueId>::const_iterator written(ValueId v) const {
    return std::find(body_.outputs().begin() + scan_.carries, body_.outputs().end(), v);
  }
  /// Also transposed ones.
  bool is_row(ValueId v) const {
    if (is_read(v) || written(v) != body_.outputs().end()) return true;
    const Operation* o = maker_[at(v)];
    return o && o->op.name() == "transpose" && is_row(o->operands[0]);
  }

  /// v as the carry plus products.
  bool add_terms(ValueId v, ValueId carry, std::vector<Term>& terms) const {
    if (v == carry) return true;
    const Operation* o = maker_[at(v)];
    if (!o || uses_[at(v)] != 1 || o->op.name() != "add") return false;
    for (int side : {0, 1})
      if (add_product(o->operands[at(side)], terms))
        return add_terms(o->operands[at(1 - side)], carry, terms);
    return false;
  }
  bool add_product(ValueId v, std::vector<Term>& terms) const {
    Term term;
    for (const Operation* o = maker_[at(v)]; o && uses_[at(v)] == 1; o = maker_[at(v)]) {
      if (std::optional<Op> dot = ops::dot_over_rows(o->op)) {
        term.lhs = o->operands[0];
        term.rhs = o->operands[1];
        term.dot = *std::move(dot);
        if (!is_row(term.lhs) || !is_row(term.rhs)) return false;
        terms.push_back(std::move(term));
        return true;
      }
      if (o->op.name() != "transpose" && o->op.name() != "reshape") return false;
      term.after.insert(term.after.begin(), o);
      v = o->operands[0];
    }
    return false;
  }

  const ops::Scan& scan_;
  const Graph& body_;
  std::vector<const Operation*> maker_;
  std::vector<int> uses_;
};

bool adds_products(const Operation& o) {
  const auto* scan = o.op.as<ops::Scan>();
  return scan && LoopProducts(*scan).any();
}

}  // namespace

GraphRef sum_products_after_loops(const GraphRef& graph) {
  const auto& operations = graph->operations();
  if (std::none_of(operations.begin(), operations.end(), adds_products)) return graph;
  return rewritten(graph, [](const Operation& o, Arrays operands) {
    ArrayList results = emit_all(o.op, operands, o.site);
    if (!adds_products(o)) return results;
    const auto& scan = *o.op.as<ops::Scan>();
    const LoopProducts products(scan);
    const ArrayList of_loop = results;
    for (int k = 0; k < scan.carries; ++k) {
      const std::vector<Term> terms = products.of_carry(k);
      Array total = operands[static_cast<std::size_t>(scan.count_operands() + scan.constants + k)];
      for (const Term& term : terms) {
        const RuleSite line(term.after.empty() ? o.site : term.after.back()->site);
        Array product = emit(term.dot,
                             {products.rows(term.lhs, operands, of_loop),
                              products.rows(term.rhs, operands, of_loop)},
                             rule_site());
        for (const Operation* after : term.after) product = emit(after->op, {product}, after->site);
        total = ops::binary("add", total, product, rule_site());
      }
      if (!terms.empty()) results[static_cast<std::size_t>(k)] = total;  // the carry is unused
    }
    return results;
  });
}

}  // namespace fluxion
