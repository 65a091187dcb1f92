// call: a closed program as one operation; under every transform a call of the transformed program.
#include "trace/ops/call.hpp"

#include "trace/graph_transforms.hpp"
#include "trace/ops.hpp"
#include "trace/ops/regions.hpp"

namespace fluxion::ops {
Types Call::types(TypeList in) const {
  const TypeList wanted = body->input_types();
  if (in.size() != wanted.size())
    throw InternalError("call: another number of operands than the program has inputs");
  for (std::size_t i = 0; i < in.size(); ++i)
    if (!(in[i] == wanted[i]))
      throw InternalError("call: operand " + std::to_string(i) + " is " + to_string(in[i]) +
                          ", the program takes " + to_string(wanted[i]));
  return body->output_types();
}

Both Call::jvp_region(Arrays x, Arrays dx) const {
  const JvpGraph both = jvp_graph(body, given_of(dx));
  ArrayList operands(x.begin(), x.end());
  append_defined(operands, dx);
  ArrayList results = emit_all(Call{both.graph, function}, operands, rule_site());
  const std::size_t n = body->outputs().size();
  ArrayList tangents = spread(Arrays(results).subspan(n), both.nonzero);
  results.resize(n);
  return {std::move(results), std::move(tangents)};
}

Both Call::linearize_region(Arrays x, Arrays dx) const {
  const LinearizedGraph parts = linearize_graph(body, given_of(dx));
  ArrayList results = emit_all(Call{parts.forward, function}, x, rule_site());
  const auto n = static_cast<std::ptrdiff_t>(body->outputs().size());
  ArrayList operands(results.begin() + n, results.end());
  append_defined(operands, dx);
  ArrayList tangents(parts.nonzero.size());
  if (!parts.linear->outputs().empty())
    tangents = spread(emit_all(Call{parts.linear, function}, operands, rule_site()), parts.nonzero);
  results.resize(static_cast<std::size_t>(n));
  return {std::move(results), std::move(tangents)};
}

void Call::transpose(Arrays ct, const Operands& x, Accumulators& out) const {
  std::vector<bool> linear, given = given_of(ct);
  ArrayList operands;
  for (std::size_t k = 0; k < x.size(); ++k) {
    linear.push_back(x.linear(k));
    if (!x.linear(k)) operands.push_back(x.value(k));
  }
  const TransposedGraph backward = transpose_graph(body, linear, given);
  append_defined(operands, ct);
  if (backward.graph->outputs().empty()) return;
  const ArrayList cotangents =
      spread(emit_all(Call{backward.graph, function}, operands, rule_site()), backward.nonzero);
  std::size_t next = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (!x.linear(k)) continue;
    const Array& c = cotangents[next++];
    if (defined(c) && out.needed(k)) out.add(k, c);
  }
}

void Call::reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
  copy_results(run(*body, in), out);
}

ArrayList Call::inlined(Arrays x) const { return inline_graph(*body, x); }

bool Call::has_effects() const { return ops::has_effects(*body); }

Batched Call::batch(Arrays x, BatchAxes at, std::int64_t size) const {
  const BatchedGraph batched = batch_graph(body, std::vector<int>(at.begin(), at.end()), size);
  return {emit_all(Call{batched.graph, function}, x, rule_site()), batched.axes};
}

ArrayList call(GraphRef body, std::string_view function, Arrays operands, const Site& site) {
  return emit_all(Call{std::move(body), std::string(function)}, operands, site);
}

std::span<const Rules* const> call_rules() {
  static constexpr const Rules* rules[] = {rules_of<Call>()};
  return rules;
}

}  // namespace fluxion::ops
