// StableHLO's loops and branches, and scatters that must be made one after the other.
#include "interop/stablehlo_lower.hpp"
#include "trace/error.hpp"
#include "trace/ops/control_flow.hpp"
#include "trace/ops/regions.hpp"
#include "trace/tensor.hpp"

#include <algorithm>

namespace fluxion::stablehlo {
namespace {

/// The program with its captures before its arguments (after the first `leading` of these).
GraphRef captures_first(const Traced& traced, std::size_t leading = 0) {
  const std::size_t captures = traced.captures.size(),
                    arguments = traced.graph->input_types().size() - captures;
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < leading; ++k) order.push_back(k);
  for (std::size_t k = 0; k < captures; ++k) order.push_back(arguments + k);
  for (std::size_t k = leading; k < arguments; ++k) order.push_back(k);
  return ops::reordered(traced.graph, order);
}

/// A region that only calls a function and returns all that it gives: what the writer makes of the
/// programs of loops and branches.
const Operation* only_call(const Region& region) {
  if (region.operations.size() != 2 || region.operations[0].name != "call" ||
      region.operations[1].name != "return")
    return nullptr;
  const Operation &call = region.operations[0], &last = region.operations[1];
  if (last.operands.size() != call.results.size()) return nullptr;
  for (std::size_t k = 0; k < last.operands.size(); ++k)
    if (last.operands[k] != call.first_result + static_cast<ValueNumber>(k)) return nullptr;
  return &call;
}
/// The function that a region calls, if it holds no literal arrays.
const Traced* called(const Step& s, const Region& region) {
  const Operation* call = only_call(region);
  const Attribute* callee = call ? call->find("callee") : nullptr;
  if (!callee) return nullptr;
  const Traced& f = s.program.function(callee->text, call->at);
  return f.captures.empty() && f.graph->input_types().size() == call->operands.size() ? &f
                                                                                      : nullptr;
}
/// What a call in a loop's region takes before the loop's carries; nothing if it takes them in
/// another way.
std::optional<ArrayList> taken_before_carries(const Step& s, const Region& region) {
  const std::vector<ValueNumber>& operands = only_call(region)->operands;
  if (operands.size() < region.arguments.size() ||
      !std::equal(region.arguments.rbegin(), region.arguments.rend(), operands.rbegin()))
    return {};
  ArrayList out;
  for (std::size_t k = 0; k + region.arguments.size() < operands.size(); ++k) {
    const Array& value = s.values.arrays[static_cast<std::size_t>(operands[k])];
    if (!defined(value)) return {};
    if (std::find(region.arguments.begin(), region.arguments.end(), operands[k]) !=
        region.arguments.end())
      return {};
    out.push_back(value);
  }
  return out;
}

/// A loop of two calls, with exactly their functions.
std::optional<ArrayList> loop_of_calls(const Step& s) {
  const Traced *condition = called(s, s.region(0)),
               *body = condition ? called(s, s.region(1)) : nullptr;
  if (!body) return {};
  const std::optional<ArrayList> asked = taken_before_carries(s, s.region(0)),
                                 kept = taken_before_carries(s, s.region(1));
  if (!asked || !kept) return {};
  ops::While loop;
  loop.condition = condition->graph;
  loop.body = body->graph;
  loop.condition_constants = static_cast<int>(asked->size());
  loop.body_constants = static_cast<int>(kept->size());
  ArrayList operands = *asked;
  operands.insert(operands.end(), kept->begin(), kept->end());
  for (std::size_t k = 0; k < s.count(); ++k) operands.push_back(s.x(k));
  return ops::while_loop(std::move(loop), operands, s.site());
}

ArrayList while_loop(const Step& s) {
  if (s.region(0).arguments.size() != s.count() || s.region(1).arguments.size() != s.count())
    s.complain("the regions of stablehlo.while take what it carries");
  if (std::optional<ArrayList> results = loop_of_calls(s)) return *std::move(results);
  Types types;
  for (std::size_t k = 0; k < s.count(); ++k) types.push_back(s.type(k));
  const Traced condition = s.program.region(s.region(0), s.values, types);
  const Traced body = s.program.region(s.region(1), s.values, types);
  if (condition.graph->output_types() != Types{{Shape(), bool_}})
    s.complain("the condition of stablehlo.while is one tensor<i1>");
  if (body.graph->output_types() != types)
    s.complain("the body of stablehlo.while gives other types than it takes");
  ops::While loop;
  loop.condition = captures_first(condition);
  loop.body = captures_first(body);
  loop.condition_constants = static_cast<int>(condition.captures.size());
  loop.body_constants = static_cast<int>(body.captures.size());
  ArrayList operands = condition.captures;
  operands.insert(operands.end(), body.captures.begin(), body.captures.end());
  for (std::size_t k = 0; k < s.count(); ++k) operands.push_back(s.x(k));
  return ops::while_loop(std::move(loop), operands, s.site());
}

/// Branches that call functions with the same operands, with exactly these functions.
std::optional<ArrayList> branches_of_calls(const Step& s, const Array& index) {
  ops::Cond cond;
  ArrayList operands{index};
  for (const Region& region : s.op.regions) {
    const Traced* f = called(s, region);
    if (!f || only_call(region)->operands != only_call(s.region(0))->operands) return {};
    cond.branches.push_back(f->graph);
  }
  for (ValueNumber v : only_call(s.region(0))->operands) {
    const Array& value = s.values.arrays[static_cast<std::size_t>(v)];
    if (!defined(value)) return {};
    operands.push_back(value);
  }
  return ops::cond(std::move(cond), operands, s.site());
}

/// The regions as programs of everything that any of them captures.
ArrayList branch(const Step& s, const Array& index) {
  if (std::optional<ArrayList> results = branches_of_calls(s, index)) return *std::move(results);
  std::vector<Traced> traced;
  ArrayList operands{index};
  Types types;
  for (const Region& region : s.op.regions) {
    traced.push_back(s.program.region(region, s.values, {}));
    for (const Array& a : traced.back().captures) {
      operands.push_back(a);
      types.push_back(type_of(a));
    }
    if (traced.back().graph->output_types() != traced[0].graph->output_types())
      s.complain("the branches of " + s.op.name + " give different types");
  }
  ops::Cond cond;
  std::size_t first = 0;
  for (const Traced& t : traced) {
    const std::size_t count = t.captures.size();
    cond.branches.push_back(ops::record_graph(types, [&](Arrays inputs) {
      return inline_graph(*t.graph, inputs.subspan(first, count));
    }));
    first += count;
  }
  return ops::cond(std::move(cond), operands, s.site());
}

ArrayList if_else(const Step& s) {
  if (!(s.type(0) == Type{Shape(), bool_})) s.complain("stablehlo.if asks a tensor<i1>");
  return branch(s, ops::convert(ops::unary("not", s.x(0), s.site()), int32, s.site()));
}

/// An index outside chooses the last branch.
ArrayList case_of(const Step& s) {
  const Site& site = s.site();
  if (s.op.regions.empty()) s.complain("stablehlo.case has at least one branch");
  const Operation* clamp = s.definition(s.op.operands[0]);
  if (s.find("fluxion.clamped") && clamp && clamp->name == "stablehlo.clamp" &&
      clamp->operands.size() == 3) {
    const Array& index = s.values.arrays[static_cast<std::size_t>(clamp->operands[1])];
    if (!defined(index))
      s.complain("the index of stablehlo.case is a value that is not to be read");
    return branch(s, index);
  }
  if (!(s.type(0) == Type{Shape(), int32})) s.complain("stablehlo.case asks a tensor<i32>");
  const Array last = literal(static_cast<double>(s.op.regions.size() - 1), int32, site);
  const Array inside = ops::compare(ops::Direction::ge, s.x(0), literal(0, int32, site), site);
  return branch(s, ops::select(inside, ops::binary("min", s.x(0), last, site), last, site));
}

Rows rows() {
  static constexpr Row table[] = {
      {"stablehlo.while", -1, -1, 2, while_loop},
      {"stablehlo.if", 1, -1, 2, if_else},
      {"stablehlo.case", 1, -1, -1, case_of},
  };
  return table;
}

/// Positions without batching axes: one index vector and one window of updates for each.
struct Listed {
  Array indices;               // [positions, components]
  ArrayList updates;           // [positions, window...]
  ops::ScatterDimensions one;  // of a single position
  std::vector<std::int64_t> window;
};

Listed listed(const Step& s, const ops::ScatterDimensions& d, std::size_t count) {
  const Site& site = s.site();
  const auto has = [](const std::vector<int>& list, std::size_t k) {
    return std::find(list.begin(), list.end(), static_cast<int>(k)) != list.end();
  };
  Array indices = s.x(count);
  Shape shape = type_of(indices).shape;
  const auto vector_axis = static_cast<std::size_t>(d.index_vector_dim);
  if (vector_axis == shape.size()) {
    shape.push_back(1);
    indices = ops::reshape(indices, shape, site);
  }
  std::vector<int> order;
  Shape positions;
  std::int64_t total = 1;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (k == vector_axis) continue;
    order.push_back(static_cast<int>(k));
    positions.push_back(shape[k]);
    total *= shape[k];
  }
  order.push_back(static_cast<int>(vector_axis));
  Listed out;
  out.one.scatter_dims_to_operand_dims = d.scatter_dims_to_operand_dims;
  out.one.inserted_window_dims = d.inserted_window_dims;
  ArrayList columns{ops::transpose(indices, order, site)};
  Shape column = positions;
  column.push_back(1);
  for (std::size_t k = 0; k < d.operand_batching_dims.size(); ++k) {
    const int axis = d.scatter_indices_batching_dims[k];
    columns.push_back(ops::iota(
        {column, type_of(indices).dtype}, axis > d.index_vector_dim ? axis - 1 : axis, site));
    out.one.scatter_dims_to_operand_dims.push_back(d.operand_batching_dims[k]);
    out.one.inserted_window_dims.push_back(d.operand_batching_dims[k]);
  }
  std::sort(out.one.inserted_window_dims.begin(), out.one.inserted_window_dims.end());
  const auto components = static_cast<std::int64_t>(out.one.scatter_dims_to_operand_dims.size());
  out.indices = ops::reshape(
      columns.size() == 1 ? columns[0]
                          : ops::concatenate(columns, static_cast<int>(positions.size()), site),
      Shape{total, components},
      site);
  for (std::size_t k = 0; k < count; ++k) {
    const Shape& updates = s.type(count + 1 + k).shape;
    std::vector<int> axes;
    Shape to{total};
    for (std::size_t a = 0; a < updates.size(); ++a)
      if (!has(d.update_window_dims, a)) axes.push_back(static_cast<int>(a));
    for (int a : d.update_window_dims) {
      axes.push_back(a);
      to.push_back(updates[static_cast<std::size_t>(a)]);
    }
    out.updates.push_back(ops::reshape(ops::transpose(s.x(count + 1 + k), axes, site), to, site));
  }
  for (std::size_t k = 0; k < d.update_window_dims.size(); ++k)
    out.one.update_window_dims.push_back(static_cast<int>(k));
  std::size_t next = 0;
  for (std::size_t k = 0; k < s.type(0).shape.size(); ++k)
    out.window.push_back(
        has(out.one.inserted_window_dims, k)
            ? 1
            : s.type(count + 1).shape[static_cast<std::size_t>(d.update_window_dims[next++])]);
  return out;
}

}  // namespace

Rows loop_rows() { return rows(); }

ArrayList scatter_in_order(const Step& s, const ops::ScatterDimensions& d, std::size_t count) {
  const Site& site = s.site();
  // The type rule refuses axes that do not go together before anything here counts on them.
  ops::scatter(
      ops::Update::set, s.x(0), s.x(count), s.x(count + 1), d, ops::OutOfBounds::fill, {}, site);
  for (std::size_t k = 1; k < count; ++k)
    if (!(s.type(k).shape == s.type(0).shape) ||
        !(s.type(count + 1 + k).shape == s.type(count + 1).shape))
      s.complain("the arrays of stablehlo.scatter differ in shape");
  const Listed all = listed(s, d, count);
  Types scalars;
  for (std::size_t k = 0; k < 2 * count; ++k)
    scalars.push_back({Shape(), s.type(k < count ? k : k + 1).dtype});
  const Body combine(s, s.region(0), scalars, TypeList(scalars).first(count));
  ops::GatherDimensions g;
  g.offset_dims = all.one.update_window_dims;
  g.collapsed_slice_dims = all.one.inserted_window_dims;
  g.start_index_map = all.one.scatter_dims_to_operand_dims;

  FrameScope scope(Frame::Kind::unbound, "stablehlo", site);
  scope.input({Shape(), int64}, site);  // the row's number
  ArrayList arrays, updates, results;
  for (std::size_t k = 0; k < count; ++k) arrays.push_back(scope.input(s.type(k), site));
  const Array index =
      scope.input({Shape{type_of(all.indices).shape[1]}, type_of(all.indices).dtype}, site);
  for (const Array& u : all.updates)
    updates.push_back(scope.input(ops::row_type(type_of(u)), site));
  ArrayList both;
  for (std::size_t k = 0; k < count; ++k)
    both.push_back(ops::gather(arrays[k], index, g, all.window, ops::OutOfBounds::clip, site));
  both.insert(both.end(), updates.begin(), updates.end());
  const ArrayList combined = combine.apply(both);
  for (std::size_t k = 0; k < count; ++k)
    results.push_back(ops::scatter(ops::Update::set,
                                   arrays[k],
                                   index,
                                   combined[k],
                                   all.one,
                                   ops::OutOfBounds::fill,
                                   {true, true},
                                   site));
  const Traced traced = close_exactly(scope, results);

  ops::Scan loop;
  loop.body = captures_first(traced, 1);
  loop.length = type_of(all.indices).shape[0];
  loop.constants = static_cast<int>(traced.captures.size());
  loop.carries = static_cast<int>(count);
  ArrayList operands = traced.captures;
  for (std::size_t k = 0; k < count; ++k) operands.push_back(s.x(k));
  operands.push_back(all.indices);
  operands.insert(operands.end(), all.updates.begin(), all.updates.end());
  return ops::scan(std::move(loop), operands, site);
}

}  // namespace fluxion::stablehlo
