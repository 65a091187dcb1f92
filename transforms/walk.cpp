// What the walks share: which operations are needed, and moving axes.
#include "transforms/walk.hpp"

#include "trace/ops.hpp"

namespace fluxion {

std::vector<char> needed_operations(const Graph& g) {
  std::vector<char> wanted(static_cast<std::size_t>(g.value_count())), needed(g.operations().size());
  for (ValueId v : g.outputs()) wanted[static_cast<std::size_t>(v)] = 1;
  for (std::size_t i = needed.size(); i-- > 0;) {
    const Operation& o = g.operations()[i];
    bool any = o.op.effects();
    for (std::int32_t k = 0; k < o.result_count; ++k) any |= wanted[static_cast<std::size_t>(o.first_result + k)] != 0;
    needed[i] = any;
    if (any) for (ValueId v : o.operands) wanted[static_cast<std::size_t>(v)] = 1;
  }
  return needed;
}

Array move_axis(const Array& x, int from, int to) {
  if (from == to) return x;
  const int rank = static_cast<int>(type_of(x).shape.size());
  std::vector<int> order;
  for (int k = 0; k < rank; ++k) if (k != from) order.push_back(k);
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
