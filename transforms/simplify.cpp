// Rules that replace a value by a simpler equal one. What an element is, is asked of the operations
// themselves: each writes its element into a small kernel, whose builder folds and simplifies
// exactly; no rule knows what any operation computes.
#include "trace/ops/constant.hpp"
#include "trace/passes.hpp"

#include <algorithm>
#include <unordered_map>

namespace fluxion {
namespace {

using kernel::Index;
using kernel::Scalar;
using Complex = kernel::Complex<Scalar>;

/// Whether nothing is asked of a value's producer: it is no constant, and no move of elements or
/// negation, whose repetition cancels.
bool opaque(const GraphBuilder& graph, ValueId v) {
  const std::int32_t producer = graph.producer(v);
  if (producer < 0) return true;
  const Operation& o = graph.operation(static_cast<std::size_t>(producer));
  if (o.op.as<ops::Constant>()) return false;
  if (!o.op.pointwise() || o.operands.size() != 1 ||
      graph.type(o.operands[0]).dtype != graph.type(v).dtype)
    return true;
  const std::string_view name = o.op.name();
  return name != "transpose" && name != "reshape" && name != "rev" && name != "neg" &&
         name != "not" && name != "broadcast_in_dim";
}

/// One element of a value, seen through the few pointwise operations that made it.
class Element {
 public:
  static constexpr int most_depth = 3;
  explicit Element(const GraphBuilder& graph) : graph_(graph), builder_("element") {}

  struct Finding {
    ValueId same_as = -1;                   // the element is this value's, at the same index
    std::optional<std::uint64_t> constant;  // the element is always this
  };

  /// What is known of `operation` on `operands`; `type` is its result's.
  Finding look(const Op& operation, std::span<const ValueId> operands, const Type& type) {
    Finding finding;
    builder_.parallel(type.shape, [&](const Index& index) {
      index_ = index;
      const Scalar element = evaluate(operation, operands, type, index, 0);
      for (const Read& read : reads_) {
        if (read.element.id() == element.id() && read.index == index &&
            graph_.type(read.value) == type) {
          finding.same_as = read.value;
        }
      }
      const auto bits = builder_.constant_of(element);
      if (bits) finding.constant = *bits;
    });
    return finding;
  }

 private:
  struct Read {
    ValueId value;
    Index index;
    Scalar element;
  };

  class Operands final : public kernel::Reader {
   public:
    Operands(Element& element, std::span<const ValueId> operands, const Type& result, int depth)
        : element_(element), operands_(operands), result_(result), depth_(depth) {}
    kernel::Builder& builder() override { return element_.builder_; }
    const Spec& operand(int k) const override {
      return element_.graph_.type(operands_[static_cast<std::size_t>(k)]);
    }
    const Spec& result(int) const override { return result_; }
    Scalar read(int k, const Index& index) override {
      return element_.value(operands_[static_cast<std::size_t>(k)], index, depth_ + 1);
    }
    Scalar read(int k, const Index& index, Scalar predicate, Scalar otherwise) override {
      return select(predicate, read(k, index), otherwise);
    }
    int part() const override { return 0; }
    Complex read_complex(int, const Index&) override { refuse(); }
    Complex read_complex(int, const Index&, Scalar, Complex) override { refuse(); }
    Scalar part_of(const Complex&) override { refuse(); }

   private:
    [[noreturn]] static void refuse() { throw InternalError("simplify: a complex element"); }
    Element& element_;
    std::span<const ValueId> operands_;
    const Type& result_;
    int depth_;
  };

  Scalar evaluate(const Op& operation,
                  std::span<const ValueId> operands,
                  const Type& type,
                  const Index& index,
                  int depth) {
    Operands reader(*this, operands, type, depth);
    return operation.at(reader, index);
  }

  Scalar value(ValueId v, const Index& index, int depth) {
    if (depth <= most_depth && !opaque(graph_, v)) {
      const Operation& o = graph_.operation(static_cast<std::size_t>(graph_.producer(v)));
      return evaluate(o.op, o.operands, graph_.type(v), index, depth);
    }
    for (const Read& read : reads_)
      if (read.value == v && read.index == index) return read.element;
    // An opaque element of the value's type: a load from a buffer of its own.
    const Type& type = graph_.type(v);
    const auto buffer = builder_.buffer(
        type.dtype, kernel::Role::input, std::max<std::int64_t>(1, element_count(type.shape)));
    const Scalar element = builder_.load(buffer, dot(index, kernel::row_major(type.shape)));
    reads_.push_back({v, index, element});
    return element;
  }

  const GraphBuilder& graph_;
  kernel::Builder builder_;
  Index index_;
  std::vector<Read> reads_;
};

/// What was found of operations: it holds for all with the same attributes on operands that were
/// made in the same way of values of the same types, the same ones of them equal.
class Findings {
 public:
  Element::Finding look(const GraphBuilder& graph,
                        const Op& operation,
                        std::span<const ValueId> operands,
                        const Type& type) {
    Known now;
    std::vector<ValueId> values;  // that the element is made of
    now.operations.push_back(operation);
    for (ValueId v : operands) {
      for (int depth = 1;; ++depth) {
        now.types.push_back(graph.type(v));
        if (depth > Element::most_depth || opaque(graph, v)) {
          const auto found = std::find(values.begin(), values.end(), v);
          now.shape.push_back(found - values.begin());
          if (found == values.end()) values.push_back(v);
          break;
        }
        const Operation& o = graph.operation(static_cast<std::size_t>(graph.producer(v)));
        now.shape.push_back(-1);
        now.operations.push_back(o.op);
        if (o.operands.empty()) break;
        v = o.operands[0];
      }
      now.shape.push_back(-2);
    }
    std::uint64_t hash = 0;
    for (const Op& o : now.operations) hash = (hash ^ o.hash()) * 0x9e3779b97f4a7c15u;
    for (std::ptrdiff_t part : now.shape) hash = hash * 31 + static_cast<std::uint64_t>(part);
    for (std::int64_t size : type.shape) hash = hash * 31 + static_cast<std::uint64_t>(size);
    std::vector<Known>& alike = known_[hash];
    for (const Known& k : alike)
      if (k.shape == now.shape && k.types == now.types && k.operations == now.operations)
        return {k.same_as < 0 ? -1 : values[static_cast<std::size_t>(k.same_as)], k.constant};
    const Element::Finding finding = Element(graph).look(operation, operands, type);
    if (finding.same_as >= 0)
      now.same_as = std::find(values.begin(), values.end(), finding.same_as) - values.begin();
    now.constant = finding.constant;
    alike.push_back(std::move(now));
    return finding;
  }

 private:
  struct Known {
    std::vector<Op> operations;         // this one, then those behind each operand
    std::vector<std::ptrdiff_t> shape;  // how they hang together: -1 an operation, 0.. a value
    Types types;
    std::ptrdiff_t same_as = -1;  // one of the values
    std::optional<std::uint64_t> constant;
  };
  std::unordered_map<std::uint64_t, std::vector<Known>> known_;
};

/// An operation of the new graph that may not be made: a rule says what stands for it.
struct Candidate {
  GraphBuilder& graph;
  Findings& findings;
  const Operation& operation;               // of the old graph, with the operands below
  const std::vector<ValueId>& operands;     // in the new graph
  const Type& type;                         // of the only result
  std::optional<Element::Finding> finding;  // looked at once, by whoever asks first

  const Element::Finding& look() {
    if (!finding) finding = findings.look(graph, operation.op, operands, type);
    return *finding;
  }
  bool is_constant(ValueId v) const {
    const std::int32_t producer = graph.producer(v);
    return producer >= 0 &&
           graph.operation(static_cast<std::size_t>(producer)).op.as<ops::Constant>();
  }
  bool can_look() const {
    bool fine =
        operation.op.pointwise() && !is_complex(type.dtype) && element_count(type.shape) > 0;
    for (ValueId v : operands)
      fine = fine && !is_complex(graph.type(v).dtype) && element_count(graph.type(v).shape) > 0;
    return fine;
  }
};

struct Rule {
  std::string_view name;
  /// The value that stands for the candidate's, or -1.
  ValueId (*apply)(Candidate&);
};

constexpr Rule rules[] = {
    {"is-its-operand",  // x * 1, convert to the same type, a whole slice, neg(neg x), a transpose
                        // and its inverse
     [](Candidate& c) -> ValueId {
       if (!c.can_look()) return -1;
       bool possible = false;
       for (ValueId v : c.operands)
         possible = possible || element_count(c.graph.type(v).shape) == element_count(c.type.shape);
       return possible ? c.look().same_as : -1;
     }},
    {"reshape-of-reshape",
     [](Candidate& c) -> ValueId {
       if (!c.operation.op.aliases() || !c.operation.op.pointwise()) return -1;
       const std::int32_t producer = c.graph.producer(c.operands[0]);
       if (producer < 0) return -1;
       const Operation& inner = c.graph.operation(static_cast<std::size_t>(producer));
       // What is structured may not be looked through: a barrier.
       if (!inner.op.aliases() || !inner.op.pointwise()) return -1;
       const ValueId source = inner.operands[0];
       if (c.graph.type(source) == c.type) return source;
       if (!(c.operation.op.types({&c.graph.type(source), 1}) == Types{c.type})) return -1;
       return c.graph.add(c.operation.op, {source}, {&c.type, 1}, c.operation.site);
     }},
    {"constant-scalar",  // any scalar of constants whose bits the kernel language can know
     [](Candidate& c) -> ValueId {
       if (!c.type.shape.empty() || !c.can_look() || c.operands.empty()) return -1;
       for (ValueId v : c.operands)
         if (!c.is_constant(v)) return -1;
       const auto bits = c.look().constant;
       if (!bits) return -1;
       return c.graph.add(
           ops::Constant{c.type.dtype, *bits, 0}, {}, {&c.type, 1}, c.operation.site);
     }},
};

}  // namespace

std::vector<std::string_view> simplify_rules() {
  std::vector<std::string_view> names;
  for (const Rule& rule : rules) names.push_back(rule.name);
  return names;
}

GraphRef simplify(const GraphRef& graph) {
  GraphBuilder builder;
  Findings findings;
  std::vector<ValueId> values;
  for (const Type& type : graph->input_types()) values.push_back(builder.input(type));
  for (const Operation& o : graph->operations()) {
    std::vector<ValueId> operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    ValueId replacement = -1;
    if (o.result_count == 1 && !o.op.effects()) {
      const Type type = graph->type(o.first_result);
      Candidate candidate{builder, findings, o, operands, type, {}};
      for (const Rule& rule : rules)
        if (replacement < 0) replacement = rule.apply(candidate);
    }
    if (replacement >= 0) {
      values.push_back(replacement);
      continue;
    }
    const ValueId first = builder.add(o.op, operands, graph->result_types(o), o.site);
    for (std::int32_t k = 0; k < o.result_count; ++k) values.push_back(first + k);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : graph->outputs()) outputs.push_back(values[static_cast<std::size_t>(v)]);
  return builder.finish(std::move(outputs), false);
}

}  // namespace fluxion
