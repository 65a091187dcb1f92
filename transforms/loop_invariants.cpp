// Finds the values that depend on captures alone, and rewrites the body to capture them.
#include "transforms/loop_invariants.hpp"

#include "trace/frame.hpp"
#include "trace/ops/regions.hpp"

#include <algorithm>

namespace fluxion {
namespace {

std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }

/// Which values are computed before the loop: the captures, and what is made of those, with
/// literals beside.
std::vector<bool> invariants(const Graph& body, std::size_t captures) {
  std::vector<bool> known(at(body.value_count())), literal(known.size());
  std::fill_n(known.begin(), captures, true);
  for (const Operation& o : body.operations()) {
    if (o.op.effects() || o.op.has_regions()) continue;
    const bool all = std::all_of(o.operands.begin(), o.operands.end(), [&](ValueId v) {
      return known[at(v)] || literal[at(v)];
    });
    if (!all) continue;
    std::size_t read = 0, made = 0;
    for (ValueId v : o.operands)
      if (known[at(v)]) read += bytes_of(body.type(v));
    for (const Type& type : body.result_types(o)) made += bytes_of(type);
    const bool from_captures =
        std::any_of(o.operands.begin(), o.operands.end(), [&](ValueId v) { return known[at(v)]; });
    if (from_captures && made > read) continue;
    std::vector<bool>& kind = from_captures ? known : literal;
    for (std::int32_t k = 0; k < o.result_count; ++k) kind[at(o.first_result + k)] = true;
  }
  return known;
}

/// Which operations give the values that are wanted, and the effects if those are: none of them
/// makes a value that `given` has.
std::vector<bool> needed(const Graph& body,
                         std::vector<bool> wanted,
                         const std::vector<bool>& given,
                         bool effects) {
  std::vector<bool> runs(body.operations().size());
  for (std::size_t i = runs.size(); i-- > 0;) {
    const Operation& o = body.operations()[i];
    runs[i] = effects && o.op.effects();
    for (ValueId v = o.first_result; v < o.first_result + o.result_count; ++v)
      runs[i] = runs[i] || (wanted[at(v)] && !given[at(v)]);
    if (runs[i])
      for (ValueId v : o.operands) wanted[at(v)] = true;
  }
  return runs;
}

/// Records some operations of a program where their operands live.
void record(const Graph& body, const std::vector<bool>& runs, ArrayList& values) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i]) continue;
    const Operation& o = body.operations()[i];
    ArrayList operands;
    for (ValueId v : o.operands) operands.push_back(values[at(v)]);
    const RuleSite line(o.site);
    ArrayList results = emit_all(o.op, operands, o.site);
    std::move(results.begin(), results.end(), values.begin() + o.first_result);
  }
}

}  // namespace

LoopBody hoist_invariants(const LoopBody& body) {
  const Graph& graph = *body.graph;
  const std::size_t captures = body.captures.size(), inputs = at(graph.input_count());
  const std::vector<bool> known = invariants(graph, captures);
  std::vector<bool> outputs(known.size());
  for (ValueId v : graph.outputs()) outputs[at(v)] = true;
  const std::vector<bool> runs = needed(graph, outputs, known, true);
  // What the rest of the body reads of it; captures stay where they are.
  std::vector<bool> read(known.size());
  for (ValueId v : graph.outputs()) read[at(v)] = known[at(v)];
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (runs[i])
      for (ValueId v : graph.operations()[i].operands) read[at(v)] = known[at(v)];
  if (std::find(read.begin() + graph.input_count(), read.end(), true) == read.end()) return body;

  ArrayList before(known.size());
  std::copy(body.captures.begin(), body.captures.end(), before.begin());
  record(graph, needed(graph, read, std::vector<bool>(known.size()), false), before);
  LoopBody result;
  Types types;
  std::vector<std::size_t> taken;  // values that are inputs now
  const auto take = [&](std::size_t v) {
    taken.push_back(v);
    types.push_back(graph.type(static_cast<ValueId>(v)));
  };
  for (std::size_t v = 0; v < read.size(); ++v) {
    if (!read[v]) continue;
    take(v);
    result.captures.push_back(before[v]);
  }
  for (std::size_t v = captures; v < inputs; ++v) take(v);
  result.graph = ops::record_graph(types, [&](Arrays in) {
    ArrayList values(known.size());
    for (std::size_t k = 0; k < taken.size(); ++k) values[taken[k]] = in[k];
    record(graph, runs, values);
    ArrayList out;
    for (ValueId v : graph.outputs()) out.push_back(values[at(v)]);
    return out;
  });
  return result;
}

}  // namespace fluxion
