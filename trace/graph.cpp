// Making, checking, hashing and comparing graphs.
#include "trace/graph.hpp"

#include "trace/frame.hpp"
#include "trace/ops/constant.hpp"

namespace fluxion {
namespace {

std::uint64_t hash_type(const Type& t) {
  std::uint64_t h = static_cast<std::uint64_t>(t.dtype) + 1;
  for (std::int64_t n : t.shape) h = mix(h, static_cast<std::uint64_t>(n));
  return h;
}

std::uint64_t hash_operation(const Op& op, std::span<const ValueId> operands) {
  std::uint64_t h = op.hash();
  for (ValueId v : operands) h = mix(h, static_cast<std::uint64_t>(v));
  return h;
}

}  // namespace

Graph::Graph(std::vector<Type> types,
             std::int32_t input_count,
             std::vector<Operation> operations,
             std::vector<ValueId> outputs)
    : types_(std::move(types)),
      input_count_(input_count),
      operations_(std::move(operations)),
      outputs_(std::move(outputs)) {
  hash_ = static_cast<std::uint64_t>(input_count_);
  for (const Type& t : input_types()) hash_ = mix(hash_, hash_type(t));
  for (const Operation& o : operations_) hash_ = mix(hash_, hash_operation(o.op, o.operands));
  for (ValueId v : outputs_) hash_ = mix(hash_, static_cast<std::uint64_t>(v));
}

Types Graph::output_types() const {
  Types out;
  for (ValueId v : outputs_) out.push_back(type(v));
  return out;
}

GraphRef Graph::with_outputs(std::vector<ValueId> outputs) const {
  return GraphRef(new Graph(types_, input_count_, operations_, std::move(outputs)));
}

Types Graph::operand_types(const Operation& o) const {
  Types out;
  out.reserve(o.operands.size());
  for (ValueId v : o.operands) out.push_back(type(v));
  return out;
}

std::uint64_t hash_of(const Graph& g) { return g.hash(); }

bool same_program(const Graph& a, const Graph& b) {
  if (&a == &b) return true;
  if (a.hash() != b.hash() || a.input_count() != b.input_count() || a.outputs() != b.outputs() ||
      a.operations().size() != b.operations().size())
    return false;
  for (std::int32_t v = 0; v < a.input_count(); ++v)
    if (!(a.type(v) == b.type(v))) return false;
  for (std::size_t i = 0; i < a.operations().size(); ++i) {
    const Operation &x = a.operations()[i], &y = b.operations()[i];
    if (x.operands != y.operands || !(x.op == y.op)) return false;
  }
  return true;
}

void verify(const Graph& g) {
  ValueId defined = g.input_count();
  for (const Operation& o : g.operations()) {
    for (ValueId v : o.operands)
      if (v < 0 || v >= defined)
        throw InternalError("graph: " + std::string(o.op.name()) + " reads %" + std::to_string(v) +
                            " before it is defined\n" + to_string(g));
    if (o.first_result != defined)
      throw InternalError("graph: results are not numbered in order\n" + to_string(g));
    const Types operands = g.operand_types(o), results = o.op.types(operands);
    if (static_cast<std::size_t>(o.result_count) != results.size())
      throw InternalError("graph: " + std::string(o.op.name()) +
                          " has another number of results\n" + to_string(g));
    for (std::size_t i = 0; i < results.size(); ++i)
      if (!(results[i] == g.type(o.first_result + static_cast<ValueId>(i))))
        throw InternalError("graph: " + std::string(o.op.name()) + " gives " +
                            to_string(results[i]) + ", recorded as " +
                            to_string(g.type(o.first_result)) + "\n" + to_string(g));
    defined += o.result_count;
    for (const Graph* region : o.op.regions()) verify(*region);
  }
  for (ValueId v : g.outputs())
    if (v < 0 || v >= defined)
      throw InternalError("graph: output %" + std::to_string(v) + " is not defined");
}

ValueId GraphBuilder::input(const Type& type) {
  const auto v = static_cast<ValueId>(types_.size());
  types_.push_back(type);
  producer_.push_back(-1);
  inputs_.push_back(v);
  ++input_count_;
  return v;
}

void GraphBuilder::grow() {
  table_.assign(std::max<std::size_t>(64, table_.size() * 2), -1);
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    std::size_t at = hashes_[i] & mask;
    while (table_[at] >= 0) at = (at + 1) & mask;
    table_[at] = static_cast<std::int32_t>(i);
  }
}

ValueId GraphBuilder::add(const Op& op,
                          std::vector<ValueId> operands,
                          const Site& site,
                          bool share) {
  Types in;
  in.reserve(operands.size());
  for (ValueId v : operands) in.push_back(type(v));
  const Types results = op.types(in);
  return add(op, std::move(operands), results, site, share);
}

ValueId GraphBuilder::add(
    const Op& op, std::vector<ValueId> operands, TypeList types, const Site& site, bool share) {
  if ((operations_.size() + 1) * 2 > table_.size()) grow();
  const std::uint64_t hash = hash_operation(op, operands);
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash & mask;
  for (; table_[at] >= 0; at = (at + 1) & mask) {
    const auto i = static_cast<std::size_t>(table_[at]);
    if (share && hashes_[i] == hash && operations_[i].operands == operands &&
        operations_[i].op == op && !op.effects())
      return operations_[i].first_result;
  }
  table_[at] = static_cast<std::int32_t>(operations_.size());
  hashes_.push_back(hash);
  const auto first = static_cast<ValueId>(types_.size());
  for (const Type& t : types) {
    types_.push_back(t);
    producer_.push_back(static_cast<std::int32_t>(operations_.size()));
  }
  operations_.push_back(
      {op, std::move(operands), first, static_cast<std::int32_t>(types.size()), site});
  return first;
}

GraphRef GraphBuilder::finish(std::vector<ValueId> outputs, bool drop_unused) const {
  std::vector<char> used(operations_.size(), !drop_unused);
  auto use = [&](ValueId v) {
    if (producer(v) >= 0) used[static_cast<std::size_t>(producer(v))] = 1;
  };
  for (ValueId v : outputs) use(v);
  for (std::size_t i = operations_.size(); i-- > 0;) {
    if (operations_[i].op.effects()) used[i] = 1;
    if (used[i])
      for (ValueId v : operations_[i].operands) use(v);
  }
  std::vector<ValueId> number(types_.size(), -1);
  std::vector<Type> types;
  types.reserve(types_.size());
  auto place = [&](ValueId v) {
    number[static_cast<std::size_t>(v)] = static_cast<ValueId>(types.size());
    types.push_back(type(v));
  };
  for (ValueId v : inputs_) place(v);
  std::vector<Operation> operations;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    if (!used[i]) continue;
    Operation o = operations_[i];
    for (ValueId& v : o.operands) v = number[static_cast<std::size_t>(v)];
    const auto first = static_cast<ValueId>(
        types.size());  // the number that the next value gets, also where there is none
    for (std::int32_t k = 0; k < o.result_count; ++k) place(o.first_result + k);
    o.first_result = first;
    operations.push_back(std::move(o));
  }
  for (ValueId& v : outputs) v = number[static_cast<std::size_t>(v)];
  return GraphRef(
      new Graph(std::move(types), input_count_, std::move(operations), std::move(outputs)));
}

ArrayList inline_graph(const Graph& g, Arrays inputs) {
  if (static_cast<std::int32_t>(inputs.size()) != g.input_count())
    throw InternalError("inline_graph: the graph has another number of inputs");
  ArrayList values(inputs.begin(), inputs.end());
  values.reserve(static_cast<std::size_t>(g.value_count()));
  ArrayList operands;
  for (const Operation& o : g.operations()) {
    operands.clear();
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    const RuleSite line(o.site);
    for (Array& result : emit_all(o.op, operands, o.site)) values.push_back(std::move(result));
  }
  ArrayList out;
  for (ValueId v : g.outputs()) out.push_back(values[static_cast<std::size_t>(v)]);
  return out;
}

}  // namespace fluxion
