// Graphs as StableHLO's text: functions, values, and which of two ways an operation is written in.
#include "interop/stablehlo_write.hpp"

#include "interop/stablehlo_dense.hpp"
#include "interop/stablehlo_fields.hpp"
#include "interop/stablehlo_module.hpp"
#include "interop/stablehlo_writer.hpp"
#include "trace/error.hpp"
#include "trace/ops/control_flow.hpp"

#include <algorithm>
#include <cstring>
#include <map>

namespace fluxion::stablehlo {
namespace {

const WriterRow* row_of(std::string_view name) {
  static const std::map<std::string_view, const WriterRow*> table = [] {
    std::map<std::string_view, const WriterRow*> out;
    for (WriterRows rows : {elementwise_writers(), structured_writers()})
      for (const WriterRow& row : rows) out.emplace(row.name, &row);
    return out;
  }();
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// Writes the functions of a module: @main and those that operations hold.
class ModuleWriter {
 public:
  std::string module(const Graph& graph) {
    function(graph, "main", true);
    for (std::size_t k = 0; k < waiting_.size(); ++k)
      function(*waiting_[k].first, waiting_[k].second, false);
    return "module @fluxion {\n" + text_ + "}\n";
  }

 private:
  void function(const Graph& graph, const std::string& name, bool is_public) {
    text_ += "  func.func " + std::string(is_public ? "public" : "private") + " @" +
             quoted_name(name) + "(";
    for (std::int32_t v = 0; v < graph.input_count(); ++v)
      text_ += (v ? ", %" : "%") + std::to_string(v) + ": " + type_text(graph.type(v));
    const Types results = graph.output_types();
    text_ += ") -> (";
    for (std::size_t k = 0; k < results.size(); ++k)
      text_ += (k ? ", " : "") + type_text(results[k]);
    text_ += ") {\n";
    for (const fluxion::Operation& o : graph.operations()) operation(graph, o);
    text_ += "    return";
    for (std::size_t k = 0; k < graph.outputs().size(); ++k)
      text_ += (k ? ", %" : " %") + std::to_string(graph.outputs()[k]);
    for (std::size_t k = 0; k < results.size(); ++k)
      text_ += (k ? ", " : " : ") + type_text(results[k]);
    text_ += "\n  }\n";
  }

  void operation(const Graph& graph, const fluxion::Operation& o) {
    Written out(graph, o);
    if (o.op.name() == "call") {
      call(out);
    } else if (const auto* loop = o.op.as<ops::While>();
               loop && loop->lanes().empty() && loop->carries() > 0) {
      while_loop(out, *loop);
    } else if (const auto* cond = o.op.as<ops::Cond>()) {
      branches(out, *cond);
    } else {
      const WriterRow* row = row_of(o.op.name());
      if (!row || !row->write(out)) custom(out);
    }
    text_ += out.lines();
  }

  /// The name of a program that an operation holds, by its structure.
  const std::string& name_of(const Graph& graph, std::string_view wish) {
    auto& name = names_[region_text(graph)];
    if (name.empty()) {
      name = (wish.empty() || wish == "main" ? std::string("program") : std::string(wish)) + "_" +
             std::to_string(names_.size());
      kept_.emplace_back(&graph);
      waiting_.emplace_back(&graph, name);
    }
    return name;
  }
  static std::string quoted_name(const std::string& name) {
    for (char c : name)
      if (!(std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '$'))
        return quoted(name);
    return name;
  }

  void call(Written& out) {
    const Fields fields(out.op());
    std::string_view wish = fields.text("function");
    if (wish.size() >= 2) wish = wish.substr(1, wish.size() - 2);
    out.line(out.results() + "call @" + quoted_name(name_of(*out.op().regions()[0], wish)) + "(" +
             out.operands() + ") {fluxion.function = " + quoted(wish) +
             "} : " + out.function_type());
  }

  /// A region that calls a function with these operands, and returns what it gives.
  std::string calling(const Graph& function,
                      const std::string& operands,
                      const std::string& arguments) {
    const Types results = function.output_types();
    std::string names, given, types;
    for (std::size_t k = 0; k < results.size(); ++k) {
      names += (k ? ", %r" : "%r") + std::to_string(k);
      types += (k ? ", " : "") + type_text(results[k]);
    }
    for (std::int32_t k = 0; k < function.input_count(); ++k)
      given += (k ? ", " : "") + type_text(function.type(k));
    return "{\n" + arguments + "      " + names + (names.empty() ? "" : " = ") + "func.call @" +
           quoted_name(name_of(function, {})) + "(" + operands + ") : (" + given + ") -> (" +
           types + ")\n      stablehlo.return" +
           (names.empty() ? "" : " " + names + " : " + types) + "\n    }";
  }

  void while_loop(Written& out, const ops::While& loop) {
    const auto constants = static_cast<std::size_t>(loop.condition_constants + loop.body_constants),
               all = out.operand_count();
    std::string carries, types, parameters, arguments;
    for (std::size_t k = constants; k < all; ++k) {
      const std::string name = "%b" + std::to_string(k - constants), type = type_text(out.type(k)),
                        comma = k > constants ? ", " : "";
      carries += comma + out.x(k);
      types += comma + type;
      parameters += comma + name + ": " + type;
      arguments += comma + name;
    }
    const auto with = [&](std::size_t from, std::size_t to) {
      std::string operands;
      for (std::size_t k = from; k < to; ++k) operands += out.x(k) + ", ";
      return operands + arguments;
    };
    const auto asked = static_cast<std::size_t>(loop.condition_constants);
    const std::string block = "    ^bb0(" + parameters + "):\n";
    out.line(out.results() + "\"stablehlo.while\"(" + carries + ") (" +
             calling(*loop.condition, with(0, asked), block) + ", " +
             calling(*loop.body, with(asked, constants), block) + ") : (" + types + ") -> (" +
             types + ")");
  }

  /// StableHLO takes the last branch where an index is negative, this library the first: a clamp
  /// before makes them one.
  void branches(Written& out, const ops::Cond& cond) {
    std::string operands, regions, types;
    for (std::size_t k = 1; k < out.operand_count(); ++k)
      operands += (k > 1 ? ", " : "") + out.x(k);
    for (const GraphRef& branch : cond.branches)
      regions += (regions.empty() ? "" : ", ") + calling(*branch, operands, "");
    const Types results = cond.branches[0]->output_types();
    for (std::size_t k = 0; k < results.size(); ++k)
      types += (k ? ", " : "") + type_text(results[k]);
    const std::int32_t last = static_cast<std::int32_t>(cond.branches.size()) - 1, zero = 0;
    const std::string low = out.literal({Shape(), int32}, &zero),
                      high = out.literal({Shape(), int32}, &last), index = out.fresh();
    out.line(index + " = stablehlo.clamp " + low + ", " + out.x(0) + ", " + high +
             " {fluxion.helper} : tensor<i32>");
    out.line(out.results() + "\"stablehlo.case\"(" + index + ") (" + regions +
             ") {fluxion.clamped} : (tensor<i32>) -> (" + types + ")");
  }

  /// What StableHLO has no operation for: a custom call with the attributes as text, and the
  /// programs inside as functions.
  void custom(Written& out) {
    if (out.op().effects() || out.op().name() == "pure_callback")
      fail("stablehlo-host",
           out.site(),
           "stablehlo: " + std::string(out.op().name()) +
               " belongs to this process and cannot be written",
           {},
           "trace a function without prints, checks and callbacks");
    std::string attributes = out.op().attributes(), called;
    for (const Graph* region : out.op().regions()) {
      const std::string text = region_text(*region), name = "@" + name_of(*region, {});
      const std::size_t at = attributes.find(text);
      if (at == attributes.npos)
        throw InternalError("stablehlo: an operation does not print the program that it holds");
      attributes.replace(at, text.size(), name);
      called += (called.empty() ? "" : ", ") + name;
    }
    std::string properties;
    if (!called.empty()) properties += "called_computations = [" + called + "]";
    if (!attributes.empty())
      properties +=
          (properties.empty() ? "" : ", ") + ("fluxion.attributes = " + quoted(attributes));
    out.line(out.results() + "stablehlo.custom_call @fluxion." + std::string(out.op().name()) +
             "(" + out.operands() + ")" + (properties.empty() ? "" : " {" + properties + "}") +
             " : " + out.function_type());
  }

  std::string text_;
  std::map<std::string, std::string> names_;
  std::vector<detail::Ref<const Graph>> kept_;
  std::vector<std::pair<const Graph*, std::string>> waiting_;
};

}  // namespace

std::string write_graph(const Graph& graph) { return ModuleWriter().module(graph); }

// ---- one operation ----
const Type& Written::type(std::size_t k) const { return graph_.type(operation_.operands[k]); }
const Type& Written::result(std::size_t k) const {
  return graph_.type(operation_.first_result + static_cast<ValueId>(k));
}

std::string Written::results() const {
  std::string out;
  for (std::int32_t k = 0; k < operation_.result_count; ++k)
    out += (k ? ", %" : "%") + std::to_string(operation_.first_result + k);
  return operation_.result_count ? out + " = " : out;
}
std::string Written::operands() const {
  std::string out;
  for (std::size_t k = 0; k < operation_.operands.size(); ++k) out += (k ? ", " : "") + x(k);
  return out;
}
std::string Written::operand_types() const {
  std::string out = "(";
  for (std::size_t k = 0; k < operation_.operands.size(); ++k)
    out += (k ? ", " : "") + type_text(type(k));
  return out + ")";
}
std::string Written::function_type() const {
  std::string out = operand_types() + " -> ";
  if (operation_.result_count == 1) return out + type_text(result());
  out += "(";
  for (std::int32_t k = 0; k < operation_.result_count; ++k)
    out += (k ? ", " : "") + type_text(result(static_cast<std::size_t>(k)));
  return out + ")";
}
std::string Written::mark() const { return "fluxion.operation = " + quoted(op().attributes()); }

std::string Written::literal(const Type& type, const void* element) {
  const std::string name = fresh();
  line(name + " = stablehlo.constant {fluxion.helper} " + dense_text(type, element, true) + " : " +
       type_text(type));
  return name;
}
std::string Written::identity(ops::Reduction how, DType dtype) {
  std::uint64_t bits[2] = {0, 0};
  const std::uint64_t ones = ~std::uint64_t{0};
  const std::uint64_t top = std::uint64_t{1} << (std::min(8 * size_of(dtype), std::size_t{64}) - 1);
  const std::uint64_t infinity = dtype == float64   ? 0x7ff0000000000000u
                                 : dtype == float32 ? 0x7f800000u
                                 : dtype == float16 ? 0x7c00u
                                                    : 0x7f80u;
  const std::uint64_t one = dtype == float64 || dtype == complex128  ? 0x3ff0000000000000u
                            : dtype == float32 || dtype == complex64 ? 0x3f800000u
                            : dtype == float16                       ? 0x3c00u
                            : dtype == bfloat16                      ? 0x3f80u
                                                                     : 1u;
  using R = ops::Reduction;
  if (how == R::prod) bits[0] = one;
  if (how == R::all || how == R::bit_and) bits[0] = dtype == bool_ ? 1 : ones;
  if (how == R::max || how == R::min) {
    const bool smallest = how == R::max;
    if (is_floating(dtype))
      bits[0] = smallest ? infinity | top : infinity;
    else if (dtype == bool_)
      bits[0] = smallest ? 0 : 1;
    else if (is_unsigned(dtype))
      bits[0] = smallest ? 0 : ones;
    else
      bits[0] = smallest ? top : top - 1;
  }
  return literal({Shape(), dtype}, bits);
}

std::string integer_list(const std::vector<std::int64_t>& list) {
  std::string out = "[";
  for (std::size_t k = 0; k < list.size(); ++k) out += (k ? ", " : "") + std::to_string(list[k]);
  return out + "]";
}
std::string integer_array(const std::vector<std::int64_t>& list) {
  std::string out = "array<i64";
  for (std::size_t k = 0; k < list.size(); ++k) out += (k ? ", " : ": ") + std::to_string(list[k]);
  return out + ">";
}

}  // namespace fluxion::stablehlo
