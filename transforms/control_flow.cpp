// scan, loops and branches called with functions: the functions traced to closed programs, their
// captures among the operands.
#include "fluxion/control_flow.hpp"

#include "trace/composed/common.hpp"
#include "trace/frame.hpp"
#include "trace/lazy.hpp"
#include "trace/ops.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/constant.hpp"
#include "trace/ops/control_flow.hpp"
#include "trace/ops/regions.hpp"
#include "transforms/loop_invariants.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion::detail {
namespace {

using ops::list;
using ops::Scan;

Types types_of(const Flat& arrays, std::string_view who, const Site& site) {
  Types types;
  for (const Array& a : arrays) {
    if (!defined(a))
      fail("empty-array",
           site,
           fmt::format("{}: an array of its state is empty", who),
           {},
           "give it a value first, for example fx::zeros(shape)");
    types.push_back(type_of(a));
  }
  return types;
}

/// A traced function as a program whose captures come first.
LoopBody trace_body(FlatFunction f, const Types& inputs, std::string_view who) {
  const Traced traced = trace_function(f, inputs, who, f.site);
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < traced.captures.size(); ++k) order.push_back(inputs.size() + k);
  for (std::size_t k = 0; k < inputs.size(); ++k) order.push_back(k);
  return {ops::reordered(traced.graph, order), traced.captures};
}

void check_carry(const Types& in, const Types& out, std::string_view who, const Site& site) {
  for (std::size_t k = 0; k < in.size(); ++k) {
    if (in[k] == out[k]) continue;
    fail("loop-carry",
         site,
         fmt::format("{}: the body changes the type of its state, {} to {}",
                     who,
                     to_string(in[k]),
                     to_string(out[k])),
         {fmt::format("array {} of the state goes in as {}", k, to_string(in[k])),
          fmt::format("the body returns it as {}", to_string(out[k]))},
         "a state keeps its shapes and dtypes from step to step: convert what the body returns, or "
         "begin with an array of that type");
  }
}

std::int64_t scan_length(const Flat& rows,
                         const ScanOptions& options,
                         std::string_view who,
                         const Site& site) {
  std::optional<std::int64_t> length = options.length;
  std::string first = length ? fmt::format("options.length is {}", *length) : "";
  if (length && *length < 0)
    fail("scan-length", site, fmt::format("{}: the length is negative, {}", who, *length));
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const Type& type = type_of(rows[k]);
    const std::string here = fmt::format("array {} of xs is {}", k, to_string(type));
    if (type.shape.empty())
      fail("scan-length",
           site,
           fmt::format("{}: an array of xs has no leading axis to go along", who),
           {here},
           "capture it in the body instead, or carry it");
    if (length && *length != type.shape[0])
      fail("scan-length",
           site,
           fmt::format("{}: the lengths differ, {} and {}", who, *length, type.shape[0]),
           {first, here});
    if (!length) first = here;
    length = type.shape[0];
  }
  if (!length)
    fail("scan-length",
         site,
         fmt::format("{}: there are no rows, so the number of steps is not known", who),
         {},
         "give {.length = n}");
  return *length;
}

/// Inputs of a scan's body in its own order: row number, captures, state, rows. `body` has
/// captures, state, rows.
GraphRef with_row_number(const GraphRef& body) {
  Types types{{{}, int64}};
  types.insert(types.end(), body->input_types().begin(), body->input_types().end());
  return ops::record_graph(types, [&](Arrays in) { return inline_graph(*body, in.subspan(1)); });
}

/// `unroll` steps as one: rows come and go in groups.
GraphRef unrolled(const Scan& s, int unroll, const Site& site) {
  const auto constants = static_cast<std::size_t>(s.constants),
             carries = static_cast<std::size_t>(s.carries);
  const TypeList old = s.body->input_types();
  Types types(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(1 + constants + carries));
  for (const Type& row : old.subspan(types.size())) types.push_back(ops::rows_type(row, unroll));
  return ops::record_graph(types, [&](Arrays in) {
    ArrayList state(in.begin() + static_cast<std::ptrdiff_t>(1 + constants),
                    in.begin() + static_cast<std::ptrdiff_t>(1 + constants + carries));
    std::vector<ArrayList> written(static_cast<std::size_t>(unroll));
    const auto part = [&](const Array& group, std::int64_t k) {
      const Shape& shape = type_of(group).shape;
      std::vector<std::int64_t> start(shape.size()), stop(shape.begin(), shape.end());
      start[0] = k;
      stop[0] = k + 1;
      return ops::reshape(
          ops::slice(group, start, stop, std::vector<std::int64_t>(shape.size(), 1), site),
          ops::without_axis(shape, 0),
          site);
    };
    const Array first = ops::binary("mul", in[0], literal(unroll, int64), site);
    for (int step = 0; step < unroll; ++step) {
      const int k = s.reverse ? unroll - 1 - step : step;
      const Array number = ops::binary("add", first, literal(k, int64), site);
      ArrayList inputs = list({Arrays(&number, 1), in.subspan(1, constants), state});
      for (const Array& group : in.subspan(types.size() - static_cast<std::size_t>(s.rows())))
        inputs.push_back(part(group, k));
      ArrayList out = inline_graph(*s.body, inputs);
      state.assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(carries));
      written[static_cast<std::size_t>(k)].assign(
          out.begin() + static_cast<std::ptrdiff_t>(carries), out.end());
    }
    for (std::size_t y = 0; y < s.written_rows(); ++y) {
      ArrayList parts;
      for (const ArrayList& step : written)
        parts.push_back(ops::reshape(step[y], ops::with_axis(type_of(step[y]).shape, 0, 1), site));
      state.push_back(ops::concatenate(parts, 0, site));
    }
    return state;
  });
}

/// Records a scan, several steps at a time where that is asked for and the length is a multiple.
Flat emit_scan(
    Scan s, Arrays constants, Arrays carries, Arrays rows, int unroll, const Site& site) {
  if (unroll <= 1 || s.length % unroll != 0 || s.length == 0)
    return ops::scan(s, list({constants, carries, rows}), site);
  Scan groups = s;
  groups.body = unrolled(s, unroll, site);
  groups.length = s.length / unroll;
  ArrayList grouped;
  for (const Array& r : rows) {
    const Shape shape = composed::with_size(type_of(r).shape, 0, groups.length);
    grouped.push_back(ops::reshape(r, ops::with_axis(shape, 1, unroll), site));
  }
  Flat out = ops::scan(groups, list({constants, carries, grouped}), site);
  for (std::size_t k = carries.size(); k < out.size(); ++k) {
    const Shape shape = ops::without_axis(type_of(out[k]).shape, 1);
    out[k] = ops::reshape(out[k], composed::with_size(shape, 0, s.length), site);
  }
  return out;
}

/// The value of an integer scalar that is known now.
std::optional<std::int64_t> known_integer(const Array& a) {
  const Node* n = Access::node(a);
  if (n->literal) {
    const ops::Constant c{n->type.dtype, n->scalar[0], n->scalar[1]};
    return static_cast<std::int64_t>(c.value());
  }
  if (n->state.load(std::memory_order_acquire) != Node::State::ready) return std::nullopt;
  return by_dtype(n->type.dtype, [&](auto tag) -> std::optional<std::int64_t> {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>)
      return static_cast<std::int64_t>(*static_cast<const T*>(n->data()));
    else
      return std::nullopt;
  });
}

}  // namespace

Flat run_scan(FlatFunction f, Flat carry, Flat rows, const ScanOptions& options) {
  const Types carry_types = types_of(carry, "scan", f.site);
  Types inputs = carry_types;
  for (const Type& t : types_of(rows, "scan", f.site))
    inputs.push_back(t.shape.empty() ? t : ops::row_type(t));
  Scan s;
  s.length = scan_length(rows, options, "scan", f.site);
  if (options.unroll < 1)
    fail("scan-length",
         f.site,
         fmt::format("scan: unroll is {}", options.unroll),
         {},
         "one or more steps in a turn");
  const LoopBody body =
      hoist_invariants(trace_body(f, inputs, "scan"));  // what it records has lines of its own
  const SiteScope here(f.site);
  check_carry(carry_types, body.graph->output_types(), "scan", f.site);
  s.body = with_row_number(body.graph);
  s.constants = static_cast<int>(body.captures.size());
  s.carries = static_cast<int>(carry.size());
  s.reverse = options.reverse;
  return emit_scan(s, body.captures, carry, rows, options.unroll, f.site);
}

Flat run_map(FlatFunction f, Flat rows) { return run_scan(f, {}, std::move(rows), {}); }

Flat run_while(FlatFunction test, FlatFunction f, Flat state, std::int64_t limit) {
  const std::string_view who = limit < 0 ? "while_loop" : "bounded_while_loop";
  const Types types = types_of(state, who, f.site);
  const LoopBody condition = hoist_invariants(trace_body(test, types, who)),
                 body = hoist_invariants(trace_body(f, types, who));
  const SiteScope here(f.site);
  const Types flag = condition.graph->output_types();
  if (!(flag[0] == Type{{}, bool_}))
    fail("loop-condition",
         f.site,
         fmt::format("{}: the condition gives {}, not one bool", who, to_string(flag[0])),
         {},
         "compare, and reduce with fx::all or fx::any");
  check_carry(types, body.graph->output_types(), who, f.site);
  const auto condition_constants = static_cast<int>(condition.captures.size()),
             body_constants = static_cast<int>(body.captures.size());
  const ArrayList operands = list({condition.captures, body.captures, state});
  if (limit < 0)
    return ops::while_loop(
        {condition.graph, body.graph, condition_constants, body_constants}, operands, f.site);
  return ops::bounded_while(
      {condition.graph, body.graph, condition_constants, body_constants, limit}, operands, f.site);
}

Flat run_fori(FlatFunction f, const Array& low, const Array& high, Flat carry) {
  const Site& site = f.site;
  for (const Array* bound : {&low, &high})
    if (!defined(*bound) || !is_integer(type_of(*bound).dtype) || !type_of(*bound).shape.empty())
      fail("loop-bounds",
           site,
           "fori_loop: a bound is no integer of shape ()",
           {defined(*bound) ? "it is " + to_string(type_of(*bound)) : "it is an empty Array"});
  const DType dtype = size_of(type_of(low).dtype) >= size_of(type_of(high).dtype)
                          ? type_of(low).dtype
                          : type_of(high).dtype;
  const Types types = types_of(carry, "fori_loop", site);
  Types inputs{{{}, dtype}};
  inputs.insert(inputs.end(), types.begin(), types.end());
  const LoopBody body = hoist_invariants(trace_body(f, inputs, "fori_loop"));
  const SiteScope here(site);
  check_carry(types, body.graph->output_types(), "fori_loop", site);
  const std::size_t constants = body.captures.size();
  const std::optional<std::int64_t> from = known_integer(low), to = known_integer(high);
  if (from && to) {
    Types wide{{{}, int64}};
    for (std::size_t k = 0; k < constants; ++k)
      wide.push_back(body.graph->type(static_cast<ValueId>(k)));
    wide.insert(wide.end(), types.begin(), types.end());
    Scan s;
    s.body = ops::record_graph(wide, [&](Arrays in) {
      const Array i = ops::convert(
          *from == 0 ? in[0]
                     : ops::binary("add", in[0], literal(static_cast<double>(*from), int64), site),
          dtype,
          site);
      return inline_graph(
          *body.graph, list({in.subspan(1, constants), Arrays(&i, 1), in.subspan(1 + constants)}));
    });
    s.length = std::max<std::int64_t>(0, *to - *from);
    s.constants = static_cast<int>(constants);
    s.carries = static_cast<int>(carry.size());
    return ops::scan(s, list({body.captures, carry}), site);
  }
  // Operands: the bound, the body's captures, the index, the state.
  Types condition{{{}, dtype}, {{}, dtype}}, loop;
  condition.insert(condition.end(), types.begin(), types.end());
  for (std::size_t k = 0; k < body.graph->input_types().size(); ++k)
    loop.push_back(body.graph->type(static_cast<ValueId>(k)));
  ops::While w;
  w.condition = ops::record_graph(condition, [&](Arrays in) {
    return ArrayList{ops::compare(ops::Direction::lt, in[1], in[0], site)};
  });
  w.body = ops::record_graph(loop, [&](Arrays in) {
    ArrayList next = inline_graph(*body.graph, in);
    next.insert(next.begin(), ops::binary("add", in[constants], literal(1, dtype), site));
    return next;
  });
  w.condition_constants = 1;
  w.body_constants = static_cast<int>(constants);
  const Array bounds[] = {ops::convert(high, dtype, site), ops::convert(low, dtype, site)};
  Flat out = ops::while_loop(
      w, list({Arrays(bounds, 1), body.captures, Arrays(bounds + 1, 1), carry}), site);
  out.erase(out.begin());
  return out;
}

Flat run_branches(std::string_view who,
                  const Operand& given,
                  const std::vector<FlatFunction>& functions,
                  Flat operands) {
  const Site site = functions[0].site;
  Array index = given.array();
  if (!defined(index))
    fail("empty-array", site, fmt::format("{}: the first argument is an empty Array", who));
  const Type type = type_of(index);
  const bool two = who == "cond";
  if (!type.shape.empty() || (!two && !is_integer(type.dtype)))
    fail("cond-index",
         site,
         fmt::format("{}: the {} is {}, not one {}",
                     who,
                     two ? "predicate" : "index",
                     to_string(type),
                     two ? "bool" : "integer"),
         {},
         two ? "reduce it with fx::all or fx::any, or choose element by element with fx::where"
             : "");
  if (const SiteScope here(site); two) {
    if (type.dtype != bool_) index = ops::compare(ops::Direction::ne, index, zeros_of(type), site);
    index = ops::select(index, literal(1, int32), literal(0, int32), site);
  } else if (type.dtype != int32) {
    const Array low = zeros_of(type),
                high = literal(static_cast<double>(functions.size() - 1), type.dtype);
    index = ops::convert(ops::clamp(low, index, high, site), int32, site);
  }
  const Types types = types_of(operands, who, site);
  std::vector<LoopBody> bodies;
  for (const FlatFunction& f : functions) bodies.push_back(trace_body(f, types, who));
  const SiteScope here(site);
  const Types out = bodies[0].graph->output_types();
  ArrayList captures;
  for (std::size_t b = 0; b < bodies.size(); ++b) {
    const Types other = bodies[b].graph->output_types();
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (out[k] == other[k]) continue;
      fail("cond-branches",
           site,
           fmt::format("{}: the branches give different types, {} and {}",
                       who,
                       to_string(out[k]),
                       to_string(other[k])),
           {fmt::format("branch 0 gives {} as array {} of its result", to_string(out[k]), k),
            fmt::format("branch {} gives {}", b, to_string(other[k]))},
           "branches give the same shapes and dtypes: convert or broadcast one of them");
    }
    captures.insert(captures.end(), bodies[b].captures.begin(), bodies[b].captures.end());
  }
  Types wide;
  for (const Array& c : captures) wide.push_back(type_of(c));
  wide.insert(wide.end(), types.begin(), types.end());
  ops::Cond c;
  std::size_t first = 0;
  for (const LoopBody& b : bodies) {
    c.branches.push_back(ops::record_graph(wide, [&](Arrays in) {
      return inline_graph(
          *b.graph, list({in.subspan(first, b.captures.size()), in.subspan(captures.size())}));
    }));
    first += b.captures.size();
  }
  if (two) std::swap(c.branches[0], c.branches[1]);  // 0: the predicate does not hold
  return ops::cond(c, list({Arrays(&index, 1), captures, operands}), site);
}

namespace {

/// Prefixes by halves: those of the pairs give every second one.
Flat prefixes(FlatFunction f, const Flat& x, int axis) {
  const Site& site = f.site;
  const std::int64_t n = ops::size_at(type_of(x[0]).shape, axis);
  if (n < 2) return x;
  const auto every_second = [&](const Flat& all, std::int64_t begin, std::int64_t end) {
    Flat out;
    for (const Array& a : all) {
      const Shape& shape = type_of(a).shape;
      std::vector<std::int64_t> start(shape.size()), stop(shape.begin(), shape.end()),
          step(shape.size(), 1);
      start[static_cast<std::size_t>(axis)] = begin;
      stop[static_cast<std::size_t>(axis)] = end;
      step[static_cast<std::size_t>(axis)] = 2;
      out.push_back(ops::slice(a, start, stop, step, site));
    }
    return out;
  };
  const auto head = [&](const Flat& all, std::int64_t begin, std::int64_t end) {
    Flat out;
    for (const Array& a : all) {
      const Shape& shape = type_of(a).shape;
      std::vector<std::int64_t> start(shape.size()), stop(shape.begin(), shape.end());
      start[static_cast<std::size_t>(axis)] = begin;
      stop[static_cast<std::size_t>(axis)] = end;
      out.push_back(ops::slice(a, start, stop, std::vector<std::int64_t>(shape.size(), 1), site));
    }
    return out;
  };
  const auto combined = [&](const Flat& a, const Flat& b) {
    Flat out = f.call(f.self, list({a, b}));
    for (std::size_t k = 0; k < out.size(); ++k)
      if (!(type_of(out[k]) == type_of(a[k])))
        fail("associative-scan",
             site,
             fmt::format("associative_scan: the operation gives {} for elements {}",
                         to_string(type_of(out[k])),
                         to_string(type_of(a[k]))),
             {},
             "it gets stacks of elements and gives a stack of as many");
    return out;
  };
  const Flat pairs = combined(every_second(x, 0, n - 1), every_second(x, 1, n));
  const Flat odd = prefixes(f, pairs, axis);
  Flat even = head(x, 0, 1);
  if (n > 2) {
    const std::int64_t count = (n - 1) / 2;  // even positions from 2 on
    const Flat rest = combined(head(odd, 0, count), every_second(x, 2, n));
    for (std::size_t k = 0; k < even.size(); ++k)
      even[k] = ops::concatenate(std::vector<Array>{even[k], rest[k]}, axis, site);
  }
  const SiteScope here(site);
  // Even and odd positions in turn: each with a hole behind (before) every element, added as the
  // one that is not a hole.
  Flat out;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Type& type = type_of(x[k]);
    const std::int64_t evens = (n + 1) / 2, odds = n / 2;
    const auto a = static_cast<std::size_t>(axis);
    const auto in_pairs = [&](const Array& one, std::int64_t have) {
      Array padded = one;
      if (have < evens) {
        std::vector<ops::Padding> padding(type.shape.size());
        padding[a].high = evens - have;
        padded = ops::pad(one, zeros_of({{}, type.dtype}), padding, site);
      }
      return ops::reshape(padded, ops::with_axis(type_of(padded).shape, axis + 1, 1), site);
    };
    const Array both = ops::concatenate(
        std::vector<Array>{in_pairs(even[k], evens), in_pairs(odd[k], odds)}, axis + 1, site);
    Array flat = ops::reshape(both, composed::with_size(type.shape, axis, 2 * evens), site);
    if (2 * evens != n) flat = head({flat}, 0, n)[0];
    out.push_back(flat);
  }
  return out;
}

}  // namespace

Flat run_associative_scan(FlatFunction f, Flat x, const AssociativeScanOptions& options) {
  const Site& site = f.site;  // no scope: what the function records has lines of its own
  const Types types = types_of(x, "associative_scan", site);
  if (types.empty()) fail("associative-scan", site, "associative_scan: there are no arrays");
  std::vector<int> axes;
  for (const Type& t : types) {
    const int rank = ops::rank_of(t);
    if (options.axis < -rank || options.axis >= rank)
      fail("axis",
           site,
           fmt::format("associative_scan: there is no axis {} in {}", options.axis, to_string(t)));
    axes.push_back(options.axis < 0 ? options.axis + rank : options.axis);
    if (axes.back() != axes[0] ||
        ops::size_at(t.shape, axes.back()) != ops::size_at(types[0].shape, axes[0]))
      fail("associative-scan",
           site,
           "associative_scan: the arrays have different lengths along the axis",
           {to_string(types[0]), to_string(t)});
  }
  const auto reversed = [&](const Flat& all) {
    Flat out;
    for (const Array& a : all) out.push_back(ops::rev(a, {axes[0]}, site));
    return out;
  };
  if (ops::size_at(types[0].shape, axes[0]) < 2) {
    f.call(f.self, list({x, x}));  // the result's structure comes from a call
    return x;
  }
  return options.reverse ? reversed(prefixes(f, reversed(x), axes[0])) : prefixes(f, x, axes[0]);
}

}  // namespace fluxion::detail
