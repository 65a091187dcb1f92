// StableHLO's calls, and operations that only this library has.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"

namespace fluxion::stablehlo {
namespace {

ArrayList call(const Step& s) {
  const Attribute& callee = s.need("callee");
  const Traced& f = s.program.function(callee.text, s.op.at);
  ArrayList operands;
  for (std::size_t k = 0; k < s.count(); ++k) operands.push_back(s.x(k));
  const std::size_t wanted = f.graph->input_types().size() - f.captures.size();
  if (operands.size() != wanted)
    s.complain("@" + callee.text + " takes " + std::to_string(wanted) + " arguments, not " +
               std::to_string(operands.size()));
  for (std::size_t k = 0; k < operands.size(); ++k)
    if (!(s.type(k) == f.graph->input_types()[k]))
      s.complain("argument " + std::to_string(k) + " of @" + callee.text + " is " +
                 type_text(f.graph->input_types()[k]) + ", not " + type_text(s.type(k)));
  operands.insert(operands.end(), f.captures.begin(), f.captures.end());
  return ops::call(f.graph, callee.text, operands, s.site());
}

ArrayList optimization_barrier(const Step& s) {
  ArrayList out;
  for (std::size_t k = 0; k < s.count(); ++k) out.push_back(s.x(k));
  return out;
}

/// custom_call @fluxion.NAME with the attributes of this library's operation as text.
ArrayList custom_call(const Step& s) {
  const std::string target = s.need("call_target_name").text;
  if (target.starts_with("check."))
    s.complain("a check stands in a function that is not @main of a test program");
  if (target == "Sharding" || target == "annotate_device_placement") return optimization_barrier(s);
  if (!target.starts_with("fluxion.")) s.complain("the custom call @" + target + " is not known");
  const std::string name = target.substr(8);
  const Attribute* text = s.find("fluxion.attributes");
  const std::string attributes = text ? text->text : std::string();
  for (const Rules* rules : known_operations()) {
    AttributeParser in(attributes);
    Op op;
    if (!rules->parse(name, in, op)) continue;
    ArrayList operands;
    for (std::size_t k = 0; k < s.count(); ++k) operands.push_back(s.x(k));
    return emit_all(op, operands, s.site());
  }
  s.complain("there is no operation " + name + attributes);
}

Rows rows() {
  static constexpr Row table[] = {
      {"call", -1, -1, 0, call},
      {"stablehlo.custom_call", -1, -1, 0, custom_call},
      {"stablehlo.optimization_barrier", -1, -1, 0, optimization_barrier},
  };
  return table;
}

}  // namespace

Rows structure_rows() { return rows(); }

}  // namespace fluxion::stablehlo
