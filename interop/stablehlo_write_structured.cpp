// Reductions, products, convolutions, gather and scatter as StableHLO's generic forms.
#include "interop/stablehlo_fields.hpp"
#include "interop/stablehlo_module.hpp"
#include "interop/stablehlo_writer.hpp"
#include "trace/tensor.hpp"

namespace fluxion::stablehlo {
namespace {

/// The operation that a reduction or update repeats, where reading it back gives the same one.
std::string_view repeated(std::string_view how, DType dtype) {
  const bool truth = dtype == bool_;
  if (how == "sum" || how == "add") return truth ? "" : "stablehlo.add";
  if (how == "prod" || how == "mul") return truth ? "" : "stablehlo.multiply";
  if (how == "max") return "stablehlo.maximum";
  if (how == "min") return "stablehlo.minimum";
  if (how == "all") return "stablehlo.and";
  if (how == "any") return "stablehlo.or";
  if (how == "bit_and") return truth ? "" : "stablehlo.and";
  if (how == "bit_or") return truth ? "" : "stablehlo.or";
  return how == "bit_xor" ? "stablehlo.xor" : "";
}

ops::Reduction reduction(std::string_view word) {
  const auto& words = EnumWords<ops::Reduction>::words;
  return static_cast<ops::Reduction>(std::find(std::begin(words), std::end(words), word) -
                                     std::begin(words));
}

/// A region of two scalars that combines them (nothing to combine with: gives the second).
std::string body(std::string_view name, DType dtype) {
  const std::string t = type_text({Shape(), dtype});
  std::string out = "({\n    ^bb0(%a: " + t + ", %b: " + t + "):\n";
  if (!name.empty()) out += "      %c = " + std::string(name) + " %a, %b : " + t + "\n";
  return out + "      stablehlo.return " + (name.empty() ? "%b" : "%c") + " : " + t + "\n    })";
}

bool reduce(Written& w) {
  const Fields fields(w.op());
  const std::string_view how = fields.text("op"), name = repeated(how, w.type(0).dtype);
  if (name.empty()) return false;
  const std::string init = w.identity(reduction(how), w.type(0).dtype),
                    scalar = type_text({Shape(), w.type(0).dtype});
  w.line(w.results() + "\"stablehlo.reduce\"(" + w.x(0) + ", " + init +
         ") <{dimensions = " + integer_array(fields.integers("axes")) + "}> " +
         body(name, w.type(0).dtype) + " {" + w.mark() + "} : (" + type_text(w.type(0)) + ", " +
         scalar + ") -> " + type_text(w.result()));
  return true;
}

/// The pairs of a window's rows as dense<[[low, high], ..]>.
std::string padding_of(const std::vector<std::vector<std::int64_t>>& rows) {
  std::string out = "dense<[";
  for (std::size_t k = 0; k < rows.size(); ++k)
    out += (k ? ", [" : "[") + std::to_string(rows[k][4]) + ", " + std::to_string(rows[k][5]) + "]";
  if (rows.empty()) return "dense<> : tensor<0x2xi64>";
  return out + "]> : tensor<" + std::to_string(rows.size()) + "x2xi64>";
}
std::vector<std::int64_t> column(const std::vector<std::vector<std::int64_t>>& rows,
                                 std::size_t k) {
  std::vector<std::int64_t> out;
  for (const auto& row : rows) out.push_back(row[k]);
  return out;
}

bool reduce_window(Written& w) {
  const Fields fields(w.op());
  const std::string_view how = fields.text("op"), name = repeated(how, w.type(0).dtype);
  if (name.empty()) return false;
  const auto rows = fields.rows("window");
  const std::string init = w.identity(reduction(how), w.type(0).dtype),
                    scalar = type_text({Shape(), w.type(0).dtype});
  w.line(w.results() + "\"stablehlo.reduce_window\"(" + w.x(0) + ", " + init +
         ") <{window_dimensions = " + integer_array(column(rows, 0)) + ", window_strides = " +
         integer_array(column(rows, 1)) + ", base_dilations = " + integer_array(column(rows, 2)) +
         ", window_dilations = " + integer_array(column(rows, 3)) +
         ", padding = " + padding_of(rows) + "}> " + body(name, w.type(0).dtype) + " {" + w.mark() +
         "} : (" + type_text(w.type(0)) + ", " + scalar + ") -> " + type_text(w.result()));
  return true;
}

/// A window as long as the axis that ends (reverse: begins) at each element.
bool cumulative(Written& w) {
  const Fields fields(w.op());
  const std::string_view how = fields.text("op"), name = repeated(how, w.type(0).dtype);
  const auto axis = static_cast<std::size_t>(fields.integer("axis"));
  const Shape& shape = w.type(0).shape;
  if (name.empty() || shape[axis] == 0) return false;
  std::vector<std::vector<std::int64_t>> rows;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    const std::int64_t before = k == axis ? shape[k] - 1 : 0;
    rows.push_back({k == axis ? shape[k] : 1,
                    1,
                    1,
                    1,
                    fields.flag("reverse") ? 0 : before,
                    fields.flag("reverse") ? before : 0});
  }
  const std::string init = w.identity(reduction(how), w.type(0).dtype),
                    scalar = type_text({Shape(), w.type(0).dtype});
  w.line(w.results() + "\"stablehlo.reduce_window\"(" + w.x(0) + ", " + init +
         ") <{window_dimensions = " + integer_array(column(rows, 0)) +
         ", padding = " + padding_of(rows) + "}> " + body(name, w.type(0).dtype) + " {" + w.mark() +
         "} : (" + type_text(w.type(0)) + ", " + scalar + ") -> " + type_text(w.result()));
  return true;
}

/// A reduction of the array and its positions together: the larger (smaller) element, of equal ones
/// the first; NaN wins.
bool argreduce(Written& w) {
  const Fields fields(w.op());
  const bool largest = fields.flag("largest");
  const DType value = w.type(0).dtype, index = w.result().dtype;
  if (!is_integer(index) || is_complex(value) ||
      w.type(0).shape[static_cast<std::size_t>(fields.integer("axis"))] == 0)
    return false;
  const Type positions{w.type(0).shape, index};
  const std::string v = type_text({Shape(), value}), i = type_text({Shape(), index}),
                    at = w.fresh(), extreme = w.fresh();
  const std::string kind = is_floating(value)                     ? "FLOAT"
                           : is_unsigned(value) || value == bool_ ? "UNSIGNED"
                                                                  : "SIGNED",
                    index_kind = is_unsigned(index) ? "UNSIGNED" : "SIGNED";
  w.line(at + " = stablehlo.iota dim = " + std::string(fields.text("axis")) +
         " {fluxion.helper} : " + type_text(positions));
  const std::string first = w.identity(largest ? ops::Reduction::max : ops::Reduction::min, value),
                    zero = w.identity(ops::Reduction::sum, index);
  const auto compare = [&](std::string_view to,
                           std::string_view word,
                           std::string_view a,
                           std::string_view b,
                           const std::string& type,
                           const std::string& of) {
    return "      " + std::string(to) + " = stablehlo.compare " + std::string(word) + ", " +
           std::string(a) + ", " + std::string(b) + ", " + of + " : (" + type + ", " + type +
           ") -> tensor<i1>\n";
  };
  std::string out =
      extreme + ", " + w.results() + "\"stablehlo.reduce\"(" + w.x(0) + ", " + at + ", " + first +
      ", " + zero + ") <{dimensions = array<i64: " + std::string(fields.text("axis")) +
      ">}> ({\n    ^bb0(%a: " + v + ", %i: " + i + ", %b: " + v + ", %j: " + i + "):\n";
  out += compare("%c0", largest ? "GT" : "LT", "%a", "%b", v, kind) +
         compare("%c1", "NE", "%a", "%a", v, kind) +
         "      %c2 = stablehlo.or %c0, %c1 : tensor<i1>\n" +
         compare("%c3", "EQ", "%a", "%b", v, kind) +
         compare("%c4", "LT", "%i", "%j", i, index_kind);
  out +=
      "      %c5 = stablehlo.and %c3, %c4 : tensor<i1>\n      %c6 = stablehlo.or %c2, %c5 : "
      "tensor<i1>\n      %c7 = stablehlo.select %c2, %a, %b : tensor<i1>, " +
      v + "\n      %c8 = stablehlo.select %c6, %i, %j : tensor<i1>, " + i +
      "\n      stablehlo.return %c7, %c8 : " + v + ", " + i + "\n    }) {" + w.mark() + "} : (" +
      type_text(w.type(0)) + ", " + type_text(positions) + ", " + v + ", " + i + ") -> (" +
      type_text({w.result().shape, value}) + ", " + type_text(w.result()) + ")";
  w.line(out);
  return true;
}

std::string lists(const Fields& fields,
                  std::initializer_list<std::pair<std::string_view, std::string_view>> names) {
  std::string out;
  for (const auto& [ours, theirs] : names)
    out += (out.empty() ? "" : ", ") + std::string(theirs) + " = " +
           integer_list(fields.integers(ours));
  return out;
}

bool dot_general(Written& w) {
  const Fields fields(w.op());
  w.line(w.results() + "\"stablehlo.dot_general\"(" + w.operands() +
         ") <{dot_dimension_numbers = #stablehlo.dot<" +
         lists(fields,
               {{"lhs_batch", "lhs_batching_dimensions"},
                {"rhs_batch", "rhs_batching_dimensions"},
                {"lhs_contract", "lhs_contracting_dimensions"},
                {"rhs_contract", "rhs_contracting_dimensions"}}) +
         ">}> {" + w.mark() + "} : " + w.function_type());
  return true;
}

bool gather(Written& w) {
  const Fields fields(w.op());
  if (fields.text("mode") == "fill") return false;
  w.line(w.results() + "\"stablehlo.gather\"(" + w.operands() +
         ") <{dimension_numbers = #stablehlo.gather<" +
         lists(fields,
               {{"offset_dims", "offset_dims"},
                {"collapsed_slice_dims", "collapsed_slice_dims"},
                {"operand_batching_dims", "operand_batching_dims"},
                {"start_indices_batching_dims", "start_indices_batching_dims"},
                {"start_index_map", "start_index_map"}}) +
         ", index_vector_dim = " + std::string(fields.text("index_vector_dim")) +
         ">, slice_sizes = " + integer_array(fields.integers("slice_sizes")) +
         ", indices_are_sorted = false}> {" + w.mark() + "} : " + w.function_type());
  return true;
}

bool scatter(Written& w) {
  const Fields fields(w.op());
  const std::string_view update = fields.text("update");
  const bool set = update == "set";
  const std::string_view name = set ? "" : repeated(update, w.type(0).dtype);
  if (fields.text("mode") == "clip" || (!set && name.empty())) return false;
  w.line(w.results() + "\"stablehlo.scatter\"(" + w.operands() +
         ") <{scatter_dimension_numbers = #stablehlo.scatter<" +
         lists(fields,
               {{"update_window_dims", "update_window_dims"},
                {"inserted_window_dims", "inserted_window_dims"},
                {"operand_batching_dims", "input_batching_dims"},
                {"scatter_indices_batching_dims", "scatter_indices_batching_dims"},
                {"scatter_dims_to_operand_dims", "scatter_dims_to_operand_dims"}}) +
         ", index_vector_dim = " + std::string(fields.text("index_vector_dim")) +
         ">, unique_indices = " + std::string(fields.text("unique")) +
         ", indices_are_sorted = " + std::string(fields.text("sorted")) + "}> " +
         body(name, w.type(0).dtype) + " {" + w.mark() + "} : " + w.function_type());
  return true;
}

/// "[b, f, 0, 1]" of an operand: two axes with letters, the others in the order of the window.
std::string layout(std::int64_t first,
                   std::string_view first_word,
                   std::int64_t second,
                   std::string_view second_word,
                   const std::vector<std::int64_t>& spatial) {
  std::vector<std::string> words(spatial.size() + 2);
  words[static_cast<std::size_t>(first)] = first_word;
  words[static_cast<std::size_t>(second)] = second_word;
  for (std::size_t k = 0; k < spatial.size(); ++k)
    words[static_cast<std::size_t>(spatial[k])] = std::to_string(k);
  std::string out = "[";
  for (std::size_t k = 0; k < words.size(); ++k) out += (k ? ", " : "") + words[k];
  return out + "]";
}

bool convolution(Written& w) {
  const Fields fields(w.op());
  const auto rows = fields.rows("window");
  const std::vector<std::string_view> d =
      Fields::parts(fields.text("dimensions"));  // lhs batch, feature, spatial; rhs out, in,
                                                 // spatial; out batch, feature, spatial
  if (d.size() != 9) return false;
  const auto number = [&](std::size_t k) { return std::stoll(std::string(d[k])); };
  const std::vector<std::int64_t> reversal(rows.size(), fields.flag("reversed"));
  std::string reversed = "array<i1";
  for (std::size_t k = 0; k < rows.size(); ++k)
    reversed += std::string(k ? ", " : ": ") + (reversal[k] ? "true" : "false");
  w.line(w.results() + "\"stablehlo.convolution\"(" + w.operands() +
         ") <{dimension_numbers = #stablehlo.conv<" +
         layout(number(0), "b", number(1), "f", Fields::integers_in(d[2])) + "x" +
         layout(number(3), "o", number(4), "i", Fields::integers_in(d[5])) + "->" +
         layout(number(6), "b", number(7), "f", Fields::integers_in(d[8])) +
         ">, window_strides = " + integer_array(column(rows, 1)) +
         ", padding = " + padding_of(rows) + ", lhs_dilation = " + integer_array(column(rows, 2)) +
         ", rhs_dilation = " + integer_array(column(rows, 3)) + ", window_reversal = " + reversed +
         ">, feature_group_count = " + std::string(fields.text("feature_groups")) +
         " : i64, batch_group_count = " + std::string(fields.text("batch_groups")) + " : i64}> {" +
         w.mark() + "} : " + w.function_type());
  return true;
}

}  // namespace

WriterRows structured_writers() {
  static constexpr WriterRow table[] = {
      {"reduce", reduce},
      {"reduce_window", reduce_window},
      {"argreduce", argreduce},
      {"cumulative", cumulative},
      {"dot_general", dot_general},
      {"gather", gather},
      {"scatter", scatter},
      {"conv_general_dilated", convolution},
  };
  return table;
}

}  // namespace fluxion::stablehlo
