// Elementwise operations and operations on shapes, as StableHLO's short forms.
#include "interop/stablehlo_dense.hpp"
#include "interop/stablehlo_fields.hpp"
#include "interop/stablehlo_module.hpp"
#include "interop/stablehlo_writer.hpp"
#include "trace/ops/constant.hpp"
#include "trace/tensor.hpp"

namespace fluxion::stablehlo {
namespace {

struct Pair {
  std::string_view ours, theirs;
};
// One operation there for one here, with the same meaning on every dtype.
constexpr Pair same[] = {
    {"neg", "stablehlo.negate"},
    {"abs", "stablehlo.abs"},
    {"sign", "stablehlo.sign"},
    {"floor", "stablehlo.floor"},
    {"ceil", "stablehlo.ceil"},
    {"round", "stablehlo.round_nearest_afz"},
    {"round_even", "stablehlo.round_nearest_even"},
    {"exp", "stablehlo.exponential"},
    {"log", "stablehlo.log"},
    {"expm1", "stablehlo.exponential_minus_one"},
    {"log1p", "stablehlo.log_plus_one"},
    {"sin", "stablehlo.sine"},
    {"cos", "stablehlo.cosine"},
    {"tan", "stablehlo.tan"},
    {"tanh", "stablehlo.tanh"},
    {"sqrt", "stablehlo.sqrt"},
    {"rsqrt", "stablehlo.rsqrt"},
    {"logistic", "stablehlo.logistic"},
    {"erf", "chlo.erf"},
    {"erfc", "chlo.erfc"},
    {"erf_inv", "chlo.erf_inv"},
    {"lgamma", "chlo.lgamma"},
    {"digamma", "chlo.digamma"},
    {"zeta", "chlo.zeta"},
    {"polygamma", "chlo.polygamma"},
    {"bessel_i1e", "chlo.bessel_i1e"},
    {"is_finite", "stablehlo.is_finite"},
    {"not", "stablehlo.not"},
    {"population_count", "stablehlo.popcnt"},
    {"clz", "stablehlo.count_leading_zeros"},
    {"add", "stablehlo.add"},
    {"sub", "stablehlo.subtract"},
    {"mul", "stablehlo.multiply"},
    {"div", "stablehlo.divide"},
    {"rem", "stablehlo.remainder"},
    {"pow", "stablehlo.power"},
    {"atan2", "stablehlo.atan2"},
    {"max", "stablehlo.maximum"},
    {"min", "stablehlo.minimum"},
    {"and", "stablehlo.and"},
    {"or", "stablehlo.or"},
    {"xor", "stablehlo.xor"},
    {"shift_left", "stablehlo.shift_left"},
    {"shift_right_logical", "stablehlo.shift_right_logical"},
    {"shift_right_arithmetic", "stablehlo.shift_right_arithmetic"},
    {"real", "stablehlo.real"},
    {"imag", "stablehlo.imag"},
    {"complex", "stablehlo.complex"},
};

bool simple(Written& w) {
  for (const Pair& pair : same) {
    if (pair.ours != w.op().name()) continue;
    const bool max_of_truth =
        w.type(0).dtype == bool_ &&
        (pair.ours == "max" || pair.ours == "min" || pair.ours == "add" || pair.ours == "mul");
    if (max_of_truth) return false;  // read as or, and
    bool one_type = true;
    for (std::size_t k = 0; k < w.operand_count(); ++k)
      one_type = one_type && w.type(k) == w.result();
    const bool dialect_form = pair.theirs.starts_with("chlo.");
    std::string types = one_type && !dialect_form ? type_text(w.result()) : w.function_type();
    if (dialect_form) {
      types.clear();
      for (std::size_t k = 0; k < w.operand_count(); ++k)
        types += (k ? ", " : "") + type_text(w.type(k));
      types += " -> " + type_text(w.result());
    }
    if (pair.ours == "complex") types = type_text(w.result());
    w.line(w.results() + std::string(pair.theirs) + " " + w.operands() + " : " + types);
    return true;
  }
  return false;
}

bool constant(Written& w) {
  const auto& c = *w.op().as<ops::Constant>();
  const std::uint64_t bits[2] = {c.low, c.high};
  w.line(w.results() + "stablehlo.constant " + dense_text(w.result(), bits, true) + " : " +
         type_text(w.result()));
  return true;
}

bool compare(Written& w) {
  static constexpr Pair words[] = {
      {"eq", "EQ"}, {"ne", "NE"}, {"lt", "LT"}, {"le", "LE"}, {"gt", "GT"}, {"ge", "GE"}};
  const Fields fields(w.op());
  const DType d = w.type(0).dtype;
  const std::string_view kind = fields.flag("total_order")        ? "TOTALORDER"
                                : is_floating(d) || is_complex(d) ? "FLOAT"
                                : is_unsigned(d) || d == bool_    ? "UNSIGNED"
                                                                  : "SIGNED";
  for (const Pair& word : words) {
    if (word.ours != fields.text("direction")) continue;
    w.line(w.results() + "stablehlo.compare " + std::string(word.theirs) + ", " + w.operands() +
           ", " + std::string(kind) + " : " + w.function_type());
    return true;
  }
  return false;
}

bool select(Written& w) {
  w.line(w.results() + "stablehlo.select " + w.operands() + " : " + type_text(w.type(0)) + ", " +
         type_text(w.result()));
  return true;
}
bool clamp(Written& w) {
  w.line(w.results() + "stablehlo.clamp " + w.operands() + " : " + w.function_type());
  return true;
}
bool convert(Written& w) {
  w.line(w.results() + "stablehlo.convert " + w.x(0) + " : " + w.function_type());
  return true;
}
bool bitcast(Written& w) {
  if (!(w.type(0).shape == w.result().shape)) return false;
  w.line(w.results() + "stablehlo.bitcast_convert " + w.x(0) + " : " + w.function_type());
  return true;
}

bool with_clause(Written& w, std::string_view name, const std::string& clause) {
  w.line(w.results() + "stablehlo." + std::string(name) + " " + w.operands() + ", " + clause +
         " : " + w.function_type());
  return true;
}
bool reshape(Written& w) {
  w.line(w.results() + "stablehlo.reshape " + w.x(0) + " : " + w.function_type());
  return true;
}
bool broadcast_in_dim(Written& w) {
  return with_clause(
      w, "broadcast_in_dim", "dims = " + integer_list(Fields(w.op()).integers("axes")));
}
bool transpose(Written& w) {
  return with_clause(
      w, "transpose", "dims = " + integer_list(Fields(w.op()).integers("permutation")));
}
bool reverse(Written& w) {
  w.line(w.results() + "stablehlo.reverse " + w.x(0) + ", dims = " +
         integer_list(Fields(w.op()).integers("axes")) + " : " + type_text(w.result()));
  return true;
}
bool concatenate(Written& w) {
  return with_clause(w, "concatenate", "dim = " + std::string(Fields(w.op()).text("axis")));
}
bool iota(Written& w) {
  w.line(w.results() + "stablehlo.iota dim = " + std::string(Fields(w.op()).text("axis")) + " : " +
         type_text(w.result()));
  return true;
}

bool slice(Written& w) {
  const Fields fields(w.op());
  const std::vector<std::int64_t> start = fields.integers("start"), stop = fields.integers("stop"),
                                  step = fields.integers("step");
  std::string ranges;
  for (std::size_t k = 0; k < start.size(); ++k) {
    ranges += (k ? ", " : "") + std::to_string(start[k]) + ":" + std::to_string(stop[k]);
    if (step[k] != 1) ranges += ":" + std::to_string(step[k]);
  }
  w.line(w.results() + "stablehlo.slice " + w.x(0) + " [" + ranges + "] : " + w.function_type());
  return true;
}

bool pad(Written& w) {
  std::vector<std::int64_t> parts[3];
  for (const std::vector<std::int64_t>& row : Fields(w.op()).rows("padding"))
    for (std::size_t k = 0; k < 3; ++k) parts[k].push_back(row[k]);
  return with_clause(w,
                     "pad",
                     "low = " + integer_list(parts[0]) + ", high = " + integer_list(parts[1]) +
                         ", interior = " + integer_list(parts[2]));
}

bool dynamic_slice(Written& w) {
  return with_clause(
      w, "dynamic_slice", "sizes = " + integer_list(Fields(w.op()).integers("sizes")));
}
bool dynamic_update_slice(Written& w) {
  if (Fields(w.op()).text("update") != "set") return false;
  w.line(w.results() + "stablehlo.dynamic_update_slice " + w.operands() + " : " +
         w.function_type());
  return true;
}
bool reduce_precision(Written& w) {
  const Fields fields(w.op());
  w.line(w.results() + "stablehlo.reduce_precision " + w.x(0) + ", format = e" +
         std::string(fields.text("exponent_bits")) + "m" +
         std::string(fields.text("mantissa_bits")) + " : " + type_text(w.result()));
  return true;
}

constexpr WriterRow particular[] = {
    {"dynamic_slice", dynamic_slice},
    {"dynamic_update_slice", dynamic_update_slice},
    {"reduce_precision", reduce_precision},
    {"constant", constant},
    {"compare", compare},
    {"select", select},
    {"clamp", clamp},
    {"convert", convert},
    {"bitcast", bitcast},
    {"reshape", reshape},
    {"broadcast_in_dim", broadcast_in_dim},
    {"transpose", transpose},
    {"rev", reverse},
    {"concatenate", concatenate},
    {"iota", iota},
    {"slice", slice},
    {"pad", pad},
};

}  // namespace

WriterRows elementwise_writers() {
  static const std::vector<WriterRow> table = [] {
    std::vector<WriterRow> rows(std::begin(particular), std::end(particular));
    for (const Pair& pair : same) rows.push_back({pair.ours, simple});
    return rows;
  }();
  return table;
}

}  // namespace fluxion::stablehlo
