// cond: one of several programs. Its derivatives keep only what the branch that ran needs: branches
// share the places of their residuals.
#include "trace/graph_transforms.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/control_flow.hpp"
#include "trace/ops/effects.hpp"
#include "trace/ops/regions.hpp"

#include <algorithm>

namespace fluxion::ops {
namespace {

std::size_t size(std::int32_t n) { return static_cast<std::size_t>(n); }

/// The marks of all branches together.
void unite(std::vector<bool>& all, const std::vector<bool>& more) {
  all.resize(more.size());
  for (std::size_t k = 0; k < more.size(); ++k) all[k] = all[k] || more[k];
}

/// The arrays marked in `wanted`; `some` are those marked in `have`, zeros stand for the rest.
ArrayList with_zeros(Arrays some,
                     const std::vector<bool>& have,
                     const std::vector<bool>& wanted,
                     TypeList types) {
  const ArrayList all = spread(some, have);
  ArrayList out;
  for (std::size_t k = 0; k < wanted.size(); ++k)
    if (wanted[k]) out.push_back(or_zeros_of(all[k], types[k]));
  return out;
}

Types types_of(Arrays arrays) {
  Types types;
  for (const Array& a : arrays) types.push_back(type_of(a));
  return types;
}

/// Where the branches' residuals go: inputs of the branch are given again, the others share places
/// by type.
struct Slots {
  Types types;
  std::vector<std::vector<std::size_t>>
      of;  // branch, residual: the slot, or (from `inputs_from` on) the input
  static constexpr std::size_t inputs_from = std::size_t{1} << 32;

  explicit Slots(const std::vector<LinearizedGraph>& parts, std::size_t results) {
    for (const LinearizedGraph& part : parts) {
      const Graph& forward = *part.forward;
      std::vector<bool> taken(types.size());
      std::vector<std::size_t> places;
      for (std::size_t r = 0; r < part.residual_count; ++r) {
        const ValueId v = forward.outputs()[results + r];
        if (v < forward.input_count()) {
          places.push_back(inputs_from + size(v));
          continue;
        }
        std::size_t slot = 0;
        while (slot < types.size() && (taken[slot] || !(types[slot] == forward.type(v)))) ++slot;
        if (slot == types.size()) {
          types.push_back(forward.type(v));
          taken.push_back(false);
        }
        taken[slot] = true;
        places.push_back(slot);
      }
      of.push_back(std::move(places));
    }
  }
};

}  // namespace

Types Cond::types(TypeList in) const {
  if (branches.empty() || in.empty() || !(in[0] == Type{{}, int32}))
    throw InternalError("cond: operand 0 is no int32 scalar");
  const Types out = branches[0]->output_types();
  for (const GraphRef& branch : branches) {
    const TypeList wanted = branch->input_types();
    if (!std::equal(wanted.begin(), wanted.end(), in.begin() + 1, in.end()))
      throw InternalError("cond: the operands are not what a branch takes");
    if (branch->output_types() != out)
      throw InternalError("cond: the branches give different types");
  }
  return out;
}

bool Cond::has_effects() const {
  return std::any_of(
      branches.begin(), branches.end(), [](const GraphRef& b) { return ops::has_effects(*b); });
}

Both Cond::jvp_region(Arrays x, Arrays dx) const {
  const std::vector<bool> active = given_of(dx.subspan(1));
  std::vector<JvpGraph> both;
  std::vector<bool> nonzero;
  for (const GraphRef& branch : branches) {
    both.push_back(jvp_graph(branch, active));
    unite(nonzero, both.back().nonzero);
  }
  const Types types = branches[0]->output_types();
  const std::size_t n = types.size();
  Cond wider;
  for (const JvpGraph& b : both) {
    wider.branches.push_back(record_graph(b.graph->input_types(), [&](Arrays in) {
      const ArrayList out = inline_graph(*b.graph, in);
      return list(
          {Arrays(out).first(n), with_zeros(Arrays(out).subspan(n), b.nonzero, nonzero, types)});
    }));
  }
  ArrayList operands(x.begin(), x.end());
  append_defined(operands, dx);
  ArrayList out = emit_all(wider, operands, rule_site());
  ArrayList tangents = spread(Arrays(out).subspan(n), nonzero);
  out.resize(n);
  return {std::move(out), std::move(tangents)};
}

Both Cond::linearize_region(Arrays x, Arrays dx) const {
  const std::vector<bool> active = given_of(dx.subspan(1));
  std::vector<LinearizedGraph> parts;
  std::vector<bool> nonzero;
  for (const GraphRef& branch : branches) {
    parts.push_back(linearize_graph(branch, active));
    unite(nonzero, parts.back().nonzero);
  }
  const Types types = branches[0]->output_types();
  const std::size_t n = types.size();
  const Slots slots(parts, n);
  Cond forward, linear;
  for (std::size_t b = 0; b < parts.size(); ++b) {
    const LinearizedGraph& part = parts[b];
    forward.branches.push_back(record_graph(part.forward->input_types(), [&](Arrays in) {
      const ArrayList out = inline_graph(*part.forward, in);
      ArrayList saved(slots.types.size());
      for (std::size_t r = 0; r < slots.of[b].size(); ++r)
        if (slots.of[b][r] < Slots::inputs_from) saved[slots.of[b][r]] = out[n + r];
      for (std::size_t k = 0; k < saved.size(); ++k)
        saved[k] = or_zeros_of(saved[k], slots.types[k]);
      return list({Arrays(out).first(n), saved});
    }));
  }
  ArrayList out = emit_all(forward, x, rule_site());
  const ArrayList saved(out.begin() + static_cast<std::ptrdiff_t>(n), out.end());
  out.resize(n);
  Both both{std::move(out), ArrayList(n)};
  if (std::find(nonzero.begin(), nonzero.end(), true) == nonzero.end()) return both;
  // The linear branches: inputs that one of them reads, the slots, the tangents.
  std::vector<bool> again(x.size() - 1);
  for (const auto& places : slots.of)
    for (std::size_t place : places)
      if (place >= Slots::inputs_from) again[place - Slots::inputs_from] = true;
  const ArrayList inputs = marked(x.subspan(1), again), tangents = marked(dx.subspan(1), active);
  const ArrayList operands = list({x.first(1), inputs, saved, tangents});
  const Types branch_types = types_of(Arrays(operands).subspan(1));
  for (std::size_t b = 0; b < parts.size(); ++b) {
    linear.branches.push_back(record_graph(branch_types, [&](Arrays in) {
      const ArrayList given = spread(in.first(inputs.size()), again);
      ArrayList read;
      for (std::size_t place : slots.of[b])
        read.push_back(place >= Slots::inputs_from ? given[place - Slots::inputs_from]
                                                   : in[inputs.size() + place]);
      const ArrayList some =
          inline_graph(*parts[b].linear, list({read, in.subspan(inputs.size() + saved.size())}));
      return with_zeros(some, parts[b].nonzero, nonzero, types);
    }));
  }
  both.tangents = spread(emit_all(linear, operands, rule_site()), nonzero);
  return both;
}

void Cond::transpose(Arrays ct, const Operands& x, Accumulators& out) const {
  std::vector<bool> linear, nonzero;
  ArrayList operands;
  Types linear_types;
  if (x.linear(0)) throw InternalError("cond: its index is linear");
  for (std::size_t k = 1; k < x.size(); ++k) {
    linear.push_back(x.linear(k));
    if (x.linear(k))
      linear_types.push_back(x.type(k));
    else
      operands.push_back(x.value(k));
  }
  const std::vector<bool> given = given_of(ct);
  std::vector<TransposedGraph> back;
  for (const GraphRef& branch : branches) {
    back.push_back(transpose_graph(branch, linear, given));
    unite(nonzero, back.back().nonzero);
  }
  append_defined(operands, ct);
  Cond backwards;
  for (const TransposedGraph& b : back) {
    backwards.branches.push_back(record_graph(b.graph->input_types(), [&](Arrays in) {
      return with_zeros(inline_graph(*b.graph, in), b.nonzero, nonzero, linear_types);
    }));
  }
  if (std::find(nonzero.begin(), nonzero.end(), true) == nonzero.end()) return;
  operands.insert(operands.begin(), x.value(0));
  const ArrayList cotangents = spread(emit_all(backwards, operands, rule_site()), nonzero);
  std::size_t next = 0;
  for (std::size_t k = 1; k < x.size(); ++k) {
    if (!x.linear(k)) continue;
    const Array& c = cotangents[next++];
    if (defined(c) && out.needed(k)) out.add(k, c);
  }
}

Batched Cond::batch(Arrays x, BatchAxes at, std::int64_t n) const {
  const Site site = rule_site();
  if (at[0] != unbatched) return batch_all(x, at, n);
  std::vector<BatchedGraph> batched;
  std::vector<bool> with_axis;
  for (const GraphRef& branch : branches) {
    batched.push_back(batch_graph(branch, {at.begin() + 1, at.end()}, n));
    std::vector<bool> mask;
    for (int axis : batched.back().axes) mask.push_back(axis != unbatched);
    unite(with_axis, mask);
  }
  Cond wider;
  for (const BatchedGraph& b : batched) {
    wider.branches.push_back(record_graph(b.graph->input_types(), [&](Arrays in) {
      ArrayList out = inline_graph(*b.graph, in);
      for (std::size_t k = 0; k < out.size(); ++k)
        if (with_axis[k]) out[k] = batch_first(out[k], b.axes[k], n);
      return out;
    }));
  }
  Batched out{emit_all(wider, x, site), {}};
  for (bool mark : with_axis) out.axes.push_back(mark ? 0 : unbatched);
  return out;
}

/// Every branch runs for every lane, and each lane takes what its own gave. What flows back into a
/// batched operand passes only through the lanes that chose the branch: what the others computed
/// may be NaN.
Batched Cond::batch_all(Arrays x, BatchAxes at, std::int64_t n) const {
  const Site site = rule_site();
  const Array last =
      broadcast_in_dim(literal(static_cast<double>(branches.size() - 1), int32), {n}, {}, site);
  const Array index = binary(
      "min", binary("max", batch_first(x[0], at[0], n), zeros_of({{n}, int32}), site), last, site);
  Batched out;
  for (std::size_t b = 0; b < branches.size(); ++b) {
    const Array number = broadcast_in_dim(literal(static_cast<double>(b), int32), {n}, {}, site);
    const Array chosen = compare(Direction::eq, index, number, site);
    ArrayList inputs;
    std::vector<int> axes;
    for (std::size_t k = 1; k < x.size(); ++k) {
      const Type& type = type_of(x[k]);
      const bool guarded =
          is_differentiable(type.dtype) && (at[k] != unbatched || type.shape.empty());
      const Array one = guarded ? batch_first(x[k], at[k], n) : x[k];
      axes.push_back(guarded ? 0 : at[k]);
      inputs.push_back(guarded ? select(broadcast_in_dim(chosen, type_of(one).shape, {0}, site),
                                        one,
                                        stop_gradient(one, site),
                                        site)
                               : one);
    }
    GraphRef branch = branches[b];
    if (ops::has_effects(*branch)) {  // they happen for the lanes that chose the branch
      branch = guarded(branch);
      inputs.push_back(chosen);
      axes.push_back(0);
    }
    const BatchedGraph batched = batch_graph(branch, axes, n);
    ArrayList results = inline_graph(*batched.graph, inputs);
    for (std::size_t k = 0; k < results.size(); ++k) {
      results[k] = batch_first(results[k], batched.axes[k], n);
      if (b == 0) {
        out.results.push_back(results[k]);
        out.axes.push_back(0);
      } else {
        out.results[k] = select(broadcast_in_dim(chosen, type_of(results[k]).shape, {0}, site),
                                results[k],
                                out.results[k],
                                site);
      }
    }
  }
  return out;
}

void Cond::reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
  const auto last = static_cast<std::int32_t>(branches.size()) - 1;
  const std::int32_t index = std::clamp(*in[0].as<std::int32_t>(), 0, last);
  copy_results(run(*branches[size(index)], in.subspan(1)), out);
}

std::optional<Pruned> Cond::prune(const std::vector<bool>& used) const {
  std::vector<bool> inputs;
  for (const GraphRef& branch : branches) unite(inputs, needed_inputs(*branch, used));
  const auto all = [](const std::vector<bool>& m) {
    return std::find(m.begin(), m.end(), false) == m.end();
  };
  if (all(used) && all(inputs)) return std::nullopt;
  Pruned out;
  out.operands.push_back(0);
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k]) continue;
    order.push_back(k);
    out.operands.push_back(k + 1);
  }
  for (std::size_t k = 0; k < used.size(); ++k)
    if (used[k]) out.results.push_back(k);
  Cond smaller;
  for (const GraphRef& branch : branches)
    smaller.branches.push_back(
        reordered(branch->with_outputs(marked(branch->outputs(), used)), order));
  out.op = smaller;
  return out;
}

std::span<const Rules* const> cond_rules() {
  static constexpr const Rules* rules[] = {rules_of<Cond>()};
  return rules;
}

ArrayList cond(Cond c, Arrays operands, const Site& site) {
  return emit_all(std::move(c), operands, site);
}

}  // namespace fluxion::ops
