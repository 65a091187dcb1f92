// What the walks share: which operations are needed, and moving axes.
#include "transforms/walk.hpp"

#include "trace/ops.hpp"

namespace fluxion {

std::vector<char> needed_operations(const Graph& g) {
  std::vector<char> wanted(static_cast<std::size_t>(g.value_count())),
      needed(g.operations().size());
  for (ValueId v : g.outputs()) wanted[static_cast<std::size_t>(v)] = 1;
  for (std::size_t i = needed.size(); i-- > 0;) {
    const Operation& o = g.operations()[i];
    bool any = o.op.effects();
    for (std::int32_t k = 0; k < o.result_count; ++k)
      any |= wanted[static_cast<std::size_t>(o.first_result + k)] != 0;
    needed[i] = any;
    if (any)
      for (ValueId v : o.operands) wanted[static_cast<std::size_t>(v)] = 1;
  }
  return needed;
}

GraphRef rewritten(const GraphRef& graph,
                   const std::function<ArrayList(const Operation&, Arrays operands)>& replace) {
  FrameScope scope(Frame::Kind::unbound, "a pass", Site::current());
  const Site& site = scope.frame().site;
  ArrayList values;
  for (const Type& type : graph->input_types()) values.push_back(scope.input(type, site));
  for (const Operation& o : graph->operations()) {
    const RuleSite line(o.site);
    ArrayList operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    for (Array& result : replace(o, operands)) values.push_back(std::move(result));
  }
  std::vector<ValueId> outputs;
  for (ValueId v : graph->outputs())
    outputs.push_back(scope.frame().value_of(values[static_cast<std::size_t>(v)], site));
  scope.pop();
  return scope.frame().builder.finish(std::move(outputs));
}

Array move_axis(const Array& x, int from, int to) {
  if (from == to) return x;
  const int rank = static_cast<int>(type_of(x).shape.size());
  std::vector<int> order;
  for (int k = 0; k < rank; ++k)
    if (k != from) order.push_back(k);
  order.insert(order.begin() + to, from);
  return ops::transpose(x, order, rule_site());
}

Array repeat_along(const Array& x, int axis, std::int64_t size) {
  const Shape& old = type_of(x).shape;
  Shape shape;
  std::vector<int> at;
  for (int k = 0; k <= static_cast<int>(old.size()); ++k) {
    if (k == axis) shape.push_back(size);
    if (k == static_cast<int>(old.size())) break;
    at.push_back(k + (k >= axis));
    shape.push_back(old[static_cast<std::size_t>(k)]);
  }
  return ops::broadcast_in_dim(x, shape, at, rule_site());
}

}  // namespace fluxion
