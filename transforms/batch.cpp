// The batching walk: every operation once, on whole batches.
#include "trace/ops/collectives.hpp"
#include "transforms/walk.hpp"

namespace fluxion {

Batched batch(const Graph& g, Arrays inputs, BatchAxes at, std::int64_t size) {
  const auto index = [](ValueId v) { return static_cast<std::size_t>(v); };
  ArrayList values(static_cast<std::size_t>(g.value_count()));
  std::vector<int> axes(values.size(), unbatched);
  std::copy(inputs.begin(), inputs.end(), values.begin());
  std::copy(at.begin(), at.end(), axes.begin());
  const std::vector<char> needed = needed_operations(g);
  ArrayList x;
  std::vector<int> where;
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    const Operation& o = g.operations()[i];
    x.clear();
    where.clear();
    bool batched = false;
    for (ValueId v : o.operands) {
      x.push_back(values[index(v)]);
      where.push_back(axes[index(v)]);
      batched |= where.back() != unbatched;
    }
    const RuleSite line(o.site);
    Batched result;
    if (batched || ops::speaks_along(o.op, ops::batched_axis()))
      result = o.op.batch(x, where, size);
    else
      result = {emit_all(o.op, x, o.site), std::vector<int>(index(o.result_count), unbatched)};
    for (std::int32_t k = 0; k < o.result_count; ++k) {
      values[index(o.first_result + k)] = std::move(result.results[index(k)]);
      axes[index(o.first_result + k)] = result.axes[index(k)];
    }
  }
  Batched out;
  for (ValueId v : g.outputs()) {
    out.results.push_back(values[index(v)]);
    out.axes.push_back(axes[index(v)]);
  }
  return out;
}

}  // namespace fluxion
