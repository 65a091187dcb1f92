// jvp and linearize as one walk: values and tangents side by side; the frames sort what is linear
// from what is not.
#include "transforms/walk.hpp"

namespace fluxion {
namespace {

struct Walker {
  const Graph& graph;
  Derivative mode;
  ArrayList values,
      tangents;  // by ValueId; an empty value has not been computed, an empty tangent is zero

  void step(const Operation& o) {
    const RuleSite line(o.site);
    ArrayList x, dx;
    bool moving = false;
    for (ValueId v : o.operands) {
      x.push_back(values[at(v)]);
      dx.push_back(tangents[at(v)]);
      moving |= defined(dx.back());
    }
    if (moving && o.op.has_regions()) {
      Both both = mode == Derivative::jvp ? o.op.jvp_region(x, dx) : o.op.linearize_region(x, dx);
      place(values, o, std::move(both.values));
      place(tangents, o, std::move(both.tangents));
      return;
    }
    if (!known(o)) place(values, o, emit_all(o.op, x, o.site));
    if (!moving) return;
    ArrayList y;
    for (std::int32_t k = 0; k < o.result_count; ++k) y.push_back(values[at(o.first_result + k)]);
    place(tangents, o, o.op.jvp(x, y, dx));
  }

 private:
  static std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }
  bool known(const Operation& o) const {
    for (std::int32_t k = 0; k < o.result_count; ++k)
      if (!defined(values[at(o.first_result + k)])) return false;
    return o.result_count > 0;
  }
  void place(ArrayList& to, const Operation& o, ArrayList results) {
    if (results.size() != static_cast<std::size_t>(o.result_count))
      throw InternalError(std::string(o.op.name()) +
                          ": a derivative rule gave another number of results");
    for (std::int32_t k = 0; k < o.result_count; ++k) {
      Array& slot = to[at(o.first_result + k)];
      if (!defined(slot)) slot = std::move(results[at(k)]);
    }
  }
};

}  // namespace

Both differentiate(const Graph& g,
                   Derivative mode,
                   Arrays inputs,
                   Arrays tangents,
                   std::span<const std::pair<ValueId, Array>> known) {
  const auto count = static_cast<std::size_t>(g.value_count());
  Walker w{g, mode, ArrayList(count), ArrayList(count)};
  std::copy(inputs.begin(), inputs.end(), w.values.begin());
  std::copy(tangents.begin(), tangents.end(), w.tangents.begin());
  for (const auto& [v, a] : known) w.values[static_cast<std::size_t>(v)] = a;
  const std::vector<char> needed = needed_operations(g);
  for (std::size_t i = 0; i < needed.size(); ++i)
    if (needed[i]) w.step(g.operations()[i]);
  Both out;
  for (ValueId v : g.outputs()) {
    out.values.push_back(w.values[static_cast<std::size_t>(v)]);
    out.tangents.push_back(w.tangents[static_cast<std::size_t>(v)]);
  }
  return out;
}

}  // namespace fluxion
