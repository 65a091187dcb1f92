// What it takes to break a law: runs programs by their references and compares.
#include "tests/matrix/laws.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace fluxion::test {
namespace {

using Numbers = std::vector<double>;
using Columns = std::vector<Numbers>;

std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }

HostArrays joined(HostArrays a, const HostArrays& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool is_wide(DType dtype) { return dtype == float64 || dtype == complex128; }

/// The elements of the float64 and complex128 arrays, one after the other; parts take turns.
Numbers flat(const HostArrays& arrays) {
  Numbers out;
  for (const HostArray& a : arrays) {
    if (!is_wide(a.type.dtype)) continue;
    const Numbers part = a.numbers();
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

/// The sign with which each of these numbers counts when cotangents meet tangents: the pairing of
/// complex numbers is Re(ct v).
Numbers pairing_signs(const HostArrays& arrays) {
  Numbers out;
  for (const HostArray& a : arrays)
    for (std::size_t i = 0; is_wide(a.type.dtype) && i < a.parts(); ++i)
      out.push_back(is_complex(a.type.dtype) && i % 2 == 1 ? -1 : 1);
  return out;
}

/// The arrays with other elements in those of float64 and complex128.
HostArrays with_elements(HostArrays arrays, const Numbers& elements) {
  std::size_t next = 0;
  for (HostArray& a : arrays)
    if (is_wide(a.type.dtype))
      for (std::size_t i = 0; i < a.parts(); ++i) a.element<double>(i) = elements[next++];
  return arrays;
}

/// Zeros of these types.
HostArrays zeros_of(const Types& types) { return arrays_of(types); }

HostArrays only(const HostArrays& arrays, const std::vector<bool>& wanted) {
  HostArrays out;
  for (std::size_t k = 0; k < arrays.size(); ++k)
    if (wanted[k]) out.push_back(arrays[k]);
  return out;
}

/// Numbers in (-1, 1), the same for the same seed.
Numbers directions(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Numbers out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(static_cast<double>(random()) / 2147483648.0 - 1);
  return out;
}

/// The tangents of all outputs; zeros where the program has none.
class Forward {
 public:
  Forward(const GraphRef& graph, std::vector<bool> active)
      : types_(graph->output_types()), jvp_(jvp_graph(graph, active)) {}
  HostArrays operator()(const HostArrays& inputs, const HostArrays& tangents) const {
    const HostArrays results = interpreted(*jvp_.graph, joined(inputs, tangents));
    HostArrays out = zeros_of(types_);
    std::size_t next = types_.size();
    for (std::size_t k = 0; k < types_.size(); ++k)
      if (jvp_.nonzero[k]) out[k] = results[next++];
    return out;
  }
  const JvpGraph& program() const { return jvp_; }

 private:
  Types types_;
  JvpGraph jvp_;
};

Columns jacobian(const Forward& forward,
                 const HostArrays& inputs,
                 const std::vector<bool>& active) {
  const HostArrays like = only(inputs, active);
  Numbers direction(flat(like).size(), 0.0);
  Columns columns;
  for (double& one : direction) {
    one = 1;
    columns.push_back(flat(forward(inputs, with_elements(like, direction))));
    one = 0;
  }
  return columns;
}

/// (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12 h, whose error is of order h^4.
Numbers difference_quotient(const Graph& graph,
                            const HostArrays& inputs,
                            const std::vector<bool>& active,
                            std::size_t which,
                            double h) {
  const auto shifted = [&](double by) {
    HostArrays moved = inputs;
    std::size_t next = 0;
    for (std::size_t k = 0; k < moved.size(); ++k) {
      if (!active[k]) continue;
      if (which >= next && which - next < moved[k].parts())
        moved[k].element<double>(which - next) += by;
      next += moved[k].parts();
    }
    return flat(interpreted(graph, moved));
  };
  const Numbers a = shifted(h), b = shifted(-h), c = shifted(2 * h), d = shifted(-2 * h);
  Numbers slopes;
  for (std::size_t i = 0; i < a.size(); ++i) {
    // Infinities and NaN that no operand moves (what a gather fills in) count as constants.
    const bool still = a[i] == b[i] && c[i] == d[i];
    const bool filled =
        std::isnan(a[i]) && std::isnan(b[i]) && std::isnan(c[i]) && std::isnan(d[i]);
    slopes.push_back(still || filled ? 0 : (8 * (a[i] - b[i]) - (c[i] - d[i])) / (12 * h));
  }
  return slopes;
}

double largest(const Numbers& numbers) {
  double most = 0;
  for (double x : numbers) most = std::max(most, std::abs(x));
  return most;
}

double largest(const Columns& columns) {
  double most = 0;
  for (const Numbers& column : columns) most = std::max(most, largest(column));
  return most;
}

/// The first element of two matrices that differs by more than `tolerance`.
std::string matrix_difference(const Columns& got,
                              const Columns& expected,
                              double tolerance,
                              const std::string& what) {
  for (std::size_t j = 0; j < expected.size(); ++j)
    for (std::size_t i = 0; i < expected[j].size(); ++i) {
      const double a = got[j][i], b = expected[j][i];
      if (a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance) continue;
      return fmt::format("{}: result {} by operand {} is {:.17g}, not {:.17g}", what, i, j, a, b);
    }
  return "";
}

struct Linear {
  LinearizedGraph parts;
  TransposedGraph transposed;
  std::vector<bool> is_linear;  // inputs of parts.linear
  std::size_t given;            // outputs of parts.linear
};

Linear linearized(const GraphRef& graph, const std::vector<bool>& active) {
  LinearizedGraph l = linearize_graph(graph, active);
  std::vector<bool> is_linear(l.residual_count, false);
  for (bool a : active)
    if (a) is_linear.push_back(true);
  const std::size_t given = l.linear->outputs().size();
  TransposedGraph t = transpose_graph(l.linear, is_linear, std::vector<bool>(given, true));
  return {std::move(l), std::move(t), std::move(is_linear), given};
}

/// Cotangents of the active inputs, zeros where there are none.
HostArrays pulled_back(const Linear& l,
                       const HostArrays& residuals,
                       const HostArrays& cotangents,
                       const HostArrays& like) {
  const HostArrays back = interpreted(*l.transposed.graph, joined(residuals, cotangents));
  HostArrays out = zeros_of(types_of(like));
  std::size_t next = 0;
  for (std::size_t k = 0; k < out.size(); ++k)
    if (l.transposed.nonzero[k]) out[k] = back[next++];
  return out;
}

/// Transposed once more, with respect to the cotangents.
std::string twice_transposed(const Linear& l,
                             const HostArrays& residuals,
                             const HostArrays& tangents,
                             const HostArrays& pushed) {
  std::vector<bool> is_linear(residuals.size(), false);
  is_linear.resize(residuals.size() + l.given, true);
  const TransposedGraph t = transpose_graph(
      l.transposed.graph, is_linear, std::vector<bool>(l.transposed.graph->outputs().size(), true));
  const HostArrays out =
      interpreted(*t.graph, joined(residuals, only(tangents, l.transposed.nonzero)));
  HostArrays all = zeros_of(types_of(pushed));
  std::size_t next = 0;
  for (std::size_t k = 0; k < all.size(); ++k)
    if (t.nonzero[k]) all[k] = out[next++];
  return difference(all, pushed);
}

}  // namespace

std::vector<bool> differentiated_inputs(const Graph& graph) {
  std::vector<bool> active;
  for (const Type& type : graph.input_types()) active.push_back(is_wide(type.dtype));
  return active;
}

std::string bit_difference(const HostArrays& got, const HostArrays& expected) {
  for (std::size_t k = 0; k < got.size(); ++k) {
    if (!(got[k].type == expected[k].type)) return "types differ";
    if (got[k].bytes == expected[k].bytes) continue;
    const std::size_t width = size_of(got[k].type.dtype) / (is_complex(got[k].type.dtype) ? 2 : 1);
    const Numbers a = got[k].numbers(), b = expected[k].numbers();
    for (std::size_t i = 0; i < a.size(); ++i)
      if (std::memcmp(&got[k].bytes[i * width], &expected[k].bytes[i * width], width) != 0 &&
          !(std::isnan(a[i]) && std::isnan(b[i])))
        return fmt::format(
            "result {}, element {} is {:.17g}, not {:.17g} bit for bit", k, i, a[i], b[i]);
  }
  return "";
}

std::string law_of_compilation(const GraphRef& graph, const HostArrays& operands) {
  const std::string d = difference(compiled(graph, operands), interpreted(*graph, operands));
  return d.empty() ? d : "compiled, " + d;
}

std::string law_of_differences(const GraphRef& graph, const HostArrays& operands, double* worst) {
  const std::vector<bool> active = differentiated_inputs(*graph);
  const Forward forward(graph, active);
  const Columns found = jacobian(forward, operands, active);
  // The steeper, the smaller: the error of the quotient grows with the fifth derivative.
  const double steepness = std::exp2(std::ceil(std::log2(std::max(1.0, largest(found)))));
  const double h = 1 / (512 * steepness);
  Columns wanted;
  for (std::size_t j = 0; j < found.size(); ++j)
    wanted.push_back(difference_quotient(*graph, operands, active, j, h));
  // The rounding of f divided by h, and the fourth power of h, are both below 1e-10 of the scale.
  const double scale =
      std::max({1.0, largest(found), largest(flat(interpreted(*graph, operands)))});
  if (worst)
    for (std::size_t j = 0; j < found.size(); ++j)
      for (std::size_t i = 0; i < found[j].size(); ++i)
        if (found[j][i] != wanted[j][i])
          *worst = std::max(*worst, std::abs(found[j][i] - wanted[j][i]) / scale);
  return matrix_difference(found, wanted, 1e-8 * scale, "jvp against differences");
}

std::string law_of_adjoints(const GraphRef& graph, const HostArrays& operands) {
  const std::vector<bool> active = differentiated_inputs(*graph);
  const HostArrays like = only(operands, active);
  if (like.empty()) return "";
  const Forward forward(graph, active);
  const HostArrays tangents = with_elements(like, directions(flat(like).size(), 7));
  const HostArrays expected = only(forward(operands, tangents), forward.program().nonzero);
  const Linear l = linearized(graph, active);
  if (l.parts.nonzero != forward.program().nonzero)
    return "linearize and jvp disagree on which tangents are zero";
  const HostArrays results = interpreted(*l.parts.forward, operands);
  const std::size_t count = graph->outputs().size();
  const HostArrays values(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(count));
  if (std::string d = bit_difference(values, interpreted(*graph, operands)); !d.empty())
    return "linearized forward, " + d;
  const HostArrays residuals(results.end() - static_cast<std::ptrdiff_t>(l.parts.residual_count),
                             results.end());
  const HostArrays pushed = interpreted(*l.parts.linear, joined(residuals, tangents));
  if (std::string d = difference(pushed, expected); !d.empty()) return "linearized, " + d;
  // 0 times an infinite coefficient is NaN on the side that meets it: no adjoint is defined.
  for (double coefficient : flat(residuals))
    if (!std::isfinite(coefficient)) return "";
  const HostArrays cotangents = with_elements(pushed, directions(flat(pushed).size(), 11));
  const HostArrays back = pulled_back(l, residuals, cotangents, like);
  const Numbers ct = flat(cotangents), jv = flat(pushed), v = flat(tangents), jtct = flat(back);
  const Numbers out_signs = pairing_signs(pushed), in_signs = pairing_signs(like);
  double forwards = 0, backwards = 0, scale = 1;
  for (std::size_t i = 0; i < ct.size(); ++i) {
    forwards += out_signs[i] * ct[i] * jv[i];
    scale += std::abs(ct[i] * jv[i]);
  }
  for (std::size_t i = 0; i < v.size(); ++i) {
    backwards += in_signs[i] * jtct[i] * v[i];
    scale += std::abs(jtct[i] * v[i]);
  }
  const bool both_nan = std::isnan(forwards) && std::isnan(backwards);
  if (!both_nan && forwards != backwards && !(std::abs(forwards - backwards) <= 1e-12 * scale))
    return fmt::format("<ct, Jv> = {:.17g}, <J'ct, v> = {:.17g}", forwards, backwards);
  if (std::string d = twice_transposed(l, residuals, tangents, pushed); !d.empty())
    return "transposed twice, " + d;
  return "";
}

GraphRef gradient_program(const GraphRef& graph) {
  const std::vector<bool> active = differentiated_inputs(*graph);
  Types inputs(graph->input_types().begin(), graph->input_types().end());
  const std::size_t operand_count = inputs.size();
  for (const Type& type : graph->output_types())
    if (is_wide(type.dtype)) inputs.push_back(type);
  return program(inputs, [&](const ArrayList& all) {
    ArrayList variables;
    for (std::size_t k = 0; k < operand_count; ++k)
      if (active[k]) variables.push_back(all[k]);
    const auto weighted = [&](const ArrayList& x) {
      ArrayList operands(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(operand_count));
      for (std::size_t k = 0, next = 0; k < operand_count; ++k)
        if (active[k]) operands[k] = x[next++];
      Array sum = Array(0.0);
      std::size_t next = operand_count;
      for (const Array& out : inline_graph(*graph, operands))
        if (is_wide(out.dtype())) sum = sum + fluxion::real(fluxion::sum(all[next++] * out));
      return sum;
    };
    return fluxion::grad(weighted)(variables);
  });
}

std::string law_of_orders(const GraphRef& graph, const HostArrays& operands, int order) {
  const std::vector<bool> active = differentiated_inputs(*graph);
  const HostArrays like = only(operands, active);
  const Forward forward(graph, active);
  const Columns by_columns = jacobian(forward, operands, active);
  if (by_columns.empty() || by_columns[0].empty()) return "";
  const GraphRef gradient = gradient_program(graph);
  HostArrays weights;
  for (const Type& type : graph->output_types())
    if (is_wide(type.dtype)) weights.emplace_back(type);
  const Numbers in_signs = pairing_signs(like), out_signs = pairing_signs(weights);
  Numbers weight(by_columns[0].size(), 0.0);
  Columns by_rows(by_columns.size(), Numbers(weight.size()));
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight[i] = 1;
    const Numbers row =
        flat(interpreted(*gradient, joined(operands, with_elements(weights, weight))));
    for (std::size_t j = 0; j < row.size(); ++j)
      by_rows[j][i] = in_signs[j] * out_signs[i] * row[j];
    weight[i] = 0;
  }
  const double scale = 1 + largest(by_columns);
  if (std::string d = matrix_difference(by_rows, by_columns, 1e-12 * scale, "jacrev"); !d.empty())
    return d;
  if (order < 2) return "";

  const HostArrays inputs = joined(operands, with_elements(weights, directions(weight.size(), 13)));
  std::vector<bool> variables = active;
  variables.resize(inputs.size(), false);
  const Forward second(gradient, variables);
  Columns hessian = jacobian(second, inputs, variables);
  for (Numbers& column : hessian)
    for (std::size_t i = 0; i < column.size(); ++i) column[i] *= in_signs[i];
  Columns turned(hessian.size(), Numbers(hessian.size()));
  for (std::size_t j = 0; j < hessian.size(); ++j)
    for (std::size_t i = 0; i < hessian.size(); ++i) turned[i][j] = hessian[j][i];
  if (std::string d =
          matrix_difference(turned, hessian, 1e-11 * (1 + largest(hessian)), "hessian, turned");
      !d.empty())
    return d;
  if (order < 3) return "";

  const std::size_t n = hessian.size(), results = gradient->outputs().size();
  const HostArrays u = with_elements(like, directions(n, 17)),
                   v = with_elements(like, directions(n, 19));
  std::vector<bool> still = variables;
  still.resize(inputs.size() + like.size(), false);
  const Forward third(second.program().graph, still);
  const auto along = [&](const HostArrays& a, const HostArrays& b) {
    const HostArrays all = third(joined(inputs, a), b);
    return flat(HostArrays(all.begin() + static_cast<std::ptrdiff_t>(results), all.end()));
  };
  const Numbers one = along(u, v), other = along(v, u);
  return matrix_difference({other}, {one}, 1e-11 * (1 + largest(one)), "third derivative");
}

std::string law_of_calls(const ProgramFunction& function, const HostArrays& operands) {
  ArrayList arrays;
  for (const HostArray& a : operands)
    arrays.push_back(
        detail::make_array(a.bytes.data(), a.type.shape, a.type.dtype, Site::current()));
  int traces = 0;
  const auto f = [&traces, &function](const ArrayList& x) {
    ++traces;
    return function(x);
  };
  const auto fast = jit(f);
  const auto host = [](const ArrayList& results) {
    HostArrays out;
    for (const Array& a : results) {
      out.emplace_back(type_of(a));
      if (const std::size_t bytes = bytes_of(type_of(a)))
        std::memcpy(out.back().bytes.data(), detail::host_bytes(a, Site::current()), bytes);
    }
    return out;
  };
  const HostArrays once = host(fast(arrays));
  const std::uint64_t programs_before = compiled_programs();
  const int traces_before = traces;
  const HostArrays twice = host(fast(arrays));
  if (compiled_programs() != programs_before || traces != traces_before)
    return "the second call traced or compiled";
  if (std::string d = bit_difference(twice, once); !d.empty()) return "called again, " + d;
  const std::string d = bit_difference(host(function(arrays)), once);
  return d.empty() ? d : "eager against jit, " + d;
}

std::vector<GraphRef> transformed_programs(const GraphRef& graph) {
  std::vector<GraphRef> all = {graph};
  const std::vector<bool> active = differentiated_inputs(*graph);
  if (std::find(active.begin(), active.end(), true) != active.end()) {
    all.push_back(jvp_graph(graph, active).graph);
    const Linear l = linearized(graph, active);
    for (const GraphRef& g : {l.parts.forward, l.parts.linear, l.transposed.graph})
      all.push_back(g);
  }
  const std::vector<int> front(active.size(), 0);
  if (!active.empty())
    for (std::size_t k = 0, n = all.size(); k < n; ++k)
      all.push_back(batch_graph(all[k], std::vector<int>(at(all[k]->input_count()), 0), 2).graph);
  return all;
}

std::string law_of_text(const GraphRef& graph) {
  for (const GraphRef& g : transformed_programs(graph)) {
    verify(*g);
    const std::string text = to_string(*g);
    const GraphRef read = parse_graph(text);
    verify(*read);
    if (const std::string again = to_string(*read); again != text)
      return "the text\n" + text + "reads back as\n" + again;
    if (read->hash() != g->hash()) return "read back, another program than\n" + text;
  }
  return "";
}

}  // namespace fluxion::test
