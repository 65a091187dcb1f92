// The law of StableHLO's text: written and read again, a program is the same program.
#include "interop/stablehlo_lower.hpp"
#include "interop/stablehlo_write.hpp"
#include "tests/matrix/laws.hpp"

namespace fluxion::test {

std::string law_of_stablehlo(const GraphRef& graph) {
  std::vector<GraphRef> all = transformed_programs(graph);
  all.insert(all.begin(), graph);
  for (const GraphRef& g : all) {
    const std::string text = stablehlo::write_graph(*g);
    const Site site = Site::current();
    const std::vector<stablehlo::Module> modules = stablehlo::parse(text, site);
    stablehlo::Lowering lowering(modules.at(0), site);
    const GraphRef back = lowering.function("main", {1, 1}).graph;
    const std::string before = to_string(*g), after = to_string(*back);
    if (before != after) return "was\n" + before + "written as\n" + text + "read as\n" + after;
  }
  return "";
}

}  // namespace fluxion::test
