// StableHLO's calls, and operations that only this library has.
#include "interop/stablehlo_fields.hpp"
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"

#include <algorithm>

namespace fluxion::stablehlo {
namespace {

/// A call, or a composite operation, which is a call of what it is composed of.
ArrayList call(const Step& s) {
  const Attribute& callee = s.need("callee", "decomposition");
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
  const Attribute* name = s.find("fluxion.function");
  return ops::call(f.graph, name ? name->text : callee.text, operands, s.site());
}

ArrayList optimization_barrier(const Step& s) {
  ArrayList out;
  for (std::size_t k = 0; k < s.count(); ++k) out.push_back(s.x(k));
  return out;
}

/// How many operands this library's operations take, at least and at most (-1: any number): their
/// type rules count on it. What belongs to the process that recorded it (callbacks, checks, prints)
/// is not here, and is not read.
struct OperandCount {
  std::string_view name;
  int least, most;
};
constexpr OperandCount counts[] = {
    {"constant", 0, 0},
    {"iota", 0, 0},
    {"axis_index", 0, 0},
    {"select", 3, 3},
    {"clamp", 3, 3},
    {"compare", 2, 2},
    {"convert", 1, 1},
    {"bitcast", 1, 1},
    {"reshape", 1, 1},
    {"pad", 2, 2},
    {"slice", 1, 1},
    {"transpose", 1, 1},
    {"broadcast_in_dim", 1, 1},
    {"rev", 1, 1},
    {"concatenate", 1, -1},
    {"reduce", 1, 1},
    {"gather", 2, 2},
    {"scatter", 3, 3},
    {"argreduce", 1, 1},
    {"dot_general", 2, 2},
    {"conv_general_dilated", 2, 2},
    {"reduce_window", 1, 1},
    {"name", 1, 1},
    {"window_argreduce", 1, 1},
    {"threefry2x32", 4, 4},
    {"stop_gradient", 1, 1},
    {"optimization_barrier", 0, -1},
    {"no_derivative", 1, -1},
    {"cholesky", 1, 1},
    {"triangular_solve", 2, 2},
    {"lu", 1, 1},
    {"lu_solve", 4, 4},
    {"inverse", 1, 1},
    {"qr", 1, 1},
    {"eigh", 1, 1},
    {"svd", 1, 1},
    {"tridiagonal_solve", 4, 4},
    {"cumulative", 1, 1},
    {"linear_recurrence", 2, 2},
    {"sort", 1, -1},
    {"reduce_precision", 1, 1},
    {"dynamic_slice", 1, -1},
    {"dynamic_update_slice", 2, -1},
    {"all_reduce", 1, 1},
    {"ppermute", 1, 1},
    {"reduce_scatter", 1, 1},
    {"all_gather", 1, 1},
    {"all_to_all", 1, 1},
    {"fft", 2, 2},
    {"zeta", 2, 2},
    {"polygamma", 2, 2},
    {"igamma", 2, 2},
    {"igammac", 2, 2},
    {"igamma_grad_a", 2, 2},
    {"betainc", 3, 3},
    {"betainc_grad_a", 3, 3},
    {"bessel_i0e", 1, 1},
    {"bessel_i1e", 1, 1},
    {"random_gamma_grad", 2, 2},
};
/// Operations of one and of two operands that check this themselves.
bool is_elementwise(std::string_view name) {
  static constexpr std::string_view names[] = {"neg",
                                               "abs",
                                               "sign",
                                               "floor",
                                               "ceil",
                                               "round",
                                               "round_even",
                                               "exp",
                                               "log",
                                               "expm1",
                                               "log1p",
                                               "sin",
                                               "cos",
                                               "tan",
                                               "tanh",
                                               "sqrt",
                                               "rsqrt",
                                               "logistic",
                                               "erf",
                                               "erfc",
                                               "erf_inv",
                                               "digamma",
                                               "lgamma",
                                               "is_finite",
                                               "not",
                                               "population_count",
                                               "clz",
                                               "sinh",
                                               "cosh",
                                               "asin",
                                               "acos",
                                               "atan",
                                               "asinh",
                                               "acosh",
                                               "atanh",
                                               "square",
                                               "conj",
                                               "real",
                                               "imag",
                                               "complex",
                                               "add",
                                               "sub",
                                               "mul",
                                               "div",
                                               "rem",
                                               "pow",
                                               "atan2",
                                               "max",
                                               "min",
                                               "and",
                                               "or",
                                               "xor",
                                               "shift_left",
                                               "shift_right_logical",
                                               "shift_right_arithmetic"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

/// The attributes with the programs that they name as @f in their places.
std::string with_programs(const Step& s, const std::string& text) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted || text[i] != '@') {
      out += text[i++];
      continue;
    }
    std::size_t end = i + 1;
    while (end < text.size() && text[end] != ',' && text[end] != ']' && text[end] != '}' &&
           text[end] != ')' && text[end] != ' ')
      ++end;
    const Traced& f = s.program.function(text.substr(i + 1, end - i - 1), s.op.at);
    if (!f.captures.empty()) s.complain("a program that an operation holds has literal arrays");
    out += region_text(*f.graph);
    i = end;
  }
  return out;
}

/// An operation that holds programs, by way of a graph that has nothing else.
Op operation_with_programs(const Step& s, const std::string& name, const std::string& attributes) {
  std::string head, operands, results, returned;
  for (std::size_t k = 0; k < s.count(); ++k) {
    head += (k ? ", %" : "%") + std::to_string(k) + ": " + to_string(s.type(k));
    operands += (k ? ", %" : " %") + std::to_string(k);
  }
  for (std::size_t k = 0; k < s.op.results.size(); ++k) {
    returned += (k ? ", %" : "%") + std::to_string(s.count() + k);
    results += (k ? ", " : " ") + to_string(s.op.results[k]);
  }
  const GraphRef graph =
      parse_graph("graph(" + head + ") {\n" + returned + (returned.empty() ? "" : " = ") + name +
                  attributes + operands + " :" + results + "\nreturn " + returned + "\n}");
  return graph->operations().at(0).op;
}

/// custom_call @fluxion.NAME with the attributes of this library's operation as text.
ArrayList own_operation(const Step& s, const std::string& name) {
  const Attribute *text = s.find("fluxion.attributes"), *programs = s.find("called_computations");
  const std::string attributes = text ? text->text : std::string();
  if (attributes.find("graph(") != attributes.npos)
    s.complain("a program inside an attribute stands in a function of its own");
  const auto count = std::find_if(
      std::begin(counts), std::end(counts), [&](const OperandCount& c) { return c.name == name; });
  const int given = static_cast<int>(s.count());
  if (count != std::end(counts) &&
      (given < count->least || (count->most >= 0 && given > count->most)))
    s.complain(name + " takes " + std::to_string(count->least) + " operands, not " +
               std::to_string(given));
  if (count == std::end(counts) && !programs && !is_elementwise(name))
    s.complain("there is no operation " + name + " that text can name");
  std::optional<Op> op;
  if (programs)
    op = operation_with_programs(s, name, with_programs(s, attributes));
  else
    op = operation_of(name, attributes);
  if (!op) s.complain("there is no operation " + name + attributes);
  ArrayList operands;
  for (std::size_t k = 0; k < s.count(); ++k) operands.push_back(s.x(k));
  return emit_all(*op, operands, s.site());
}

ArrayList custom_call(const Step& s) {
  const std::string target = s.need("call_target_name").text;
  if (target.starts_with("check."))
    s.complain("a check stands in a function that is not @main of a test program");
  if (target == "Sharding" || target == "annotate_device_placement") return optimization_barrier(s);
  if (!target.starts_with("fluxion.")) s.complain("the custom call @" + target + " is not known");
  return own_operation(s, target.substr(8));
}

Rows rows() {
  static constexpr Row table[] = {
      {"call", -1, -1, 0, call},
      {"stablehlo.composite", -1, -1, 0, call},
      {"stablehlo.custom_call", -1, -1, 0, custom_call},
      {"stablehlo.optimization_barrier", -1, -1, 0, optimization_barrier},
  };
  return table;
}

}  // namespace

Rows structure_rows() { return rows(); }

}  // namespace fluxion::stablehlo
