// Operations that stand for a program of theirs (calls, custom rules, ...) replaced by that
// program.
#include "trace/passes.hpp"
#include "transforms/walk.hpp"

#include <algorithm>

namespace fluxion {

GraphRef inline_calls(const GraphRef& graph) {
  const auto has_calls = [](const GraphRef& g) {
    return std::any_of(g->operations().begin(), g->operations().end(), [](const Operation& o) {
      return o.op.inlines();
    });
  };
  GraphRef result = graph;
  // What is put in may hold calls itself.
  while (has_calls(result)) {
    result = rewritten(result, [](const Operation& o, Arrays operands) -> ArrayList {
      return o.op.inlines() ? o.op.inlined(operands) : emit_all(o.op, operands, o.site);
    });
  }
  return result;
}

}  // namespace fluxion
