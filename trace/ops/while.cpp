// while and bounded_while: loops whose body tells when they end. Tangents ride in the carry; a
// condition that is batched stops each lane by itself.
#include "trace/ops/axes.hpp"
#include "trace/ops/dynamic_slice.hpp"
#include "trace/ops/effects.hpp"
#include "trace/ops/regions.hpp"
#include "trace/ops/residuals.hpp"
#include "trace/ops/scan_writer.hpp"

#include <algorithm>
#include <cstring>

namespace fluxion::ops {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// Operands by what they are.
template <class T> struct Parts {
  std::span<const T> condition, body, carries;

  template <class Loop>
  Parts(const Loop& loop, std::span<const T> all)
      : condition(all.first(size(loop.condition_constants))),
        body(all.subspan(condition.size(), size(loop.body_constants))),
        carries(all.subspan(condition.size() + body.size())) {}
};

template <class Loop> Types loop_types(const Loop& loop, TypeList in) {
  const Parts<Type> p(loop, in);
  std::vector<Type> wanted(p.condition.begin(), p.condition.end()),
      body(p.body.begin(), p.body.end());
  for (std::vector<Type>* list : {&wanted, &body})
    list->insert(list->end(), p.carries.begin(), p.carries.end());
  const auto same = [](TypeList a, const Types& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  };
  if (!same(loop.condition->input_types(), wanted) || !same(loop.body->input_types(), body))
    throw InternalError("while: the operands are not what its programs take");
  if (!same(p.carries, loop.body->output_types()))
    throw InternalError("while: a carry changes its type");
  const Types flag = loop.condition->output_types();
  if (flag.size() != 1 || flag[0].dtype != bool_)
    throw InternalError("while: the condition gives no bool");
  for (const Type& type : p.carries)
    if (type.shape.size() < flag[0].shape.size() ||
        !std::equal(flag[0].shape.begin(), flag[0].shape.end(), type.shape.begin()))
      throw InternalError("while: the condition's lanes are not the first axes of a carry");
  return {p.carries.begin(), p.carries.end()};
}

template <class Loop> bool loop_effects(const Loop& loop) {
  return has_effects(*loop.condition) || has_effects(*loop.body);
}

/// Which carries get a tangent; the transformed body for them.
template <class Transform>
auto with_moving_carries(const std::vector<bool>& constants,
                         std::vector<bool>& carries,
                         const Transform& transform) {
  for (;;) {
    std::vector<bool> mask = constants;
    mask.insert(mask.end(), carries.begin(), carries.end());
    auto body = transform(mask);
    bool grows = false;
    for (std::size_t k = 0; k < carries.size(); ++k) {
      if (!body.nonzero[k] || carries[k]) continue;
      carries[k] = grows = true;
    }
    if (!grows) return body;
  }
}

/// A loop that carries tangents behind the primals: its operands, and which carries have a tangent.
template <class Loop> struct Moving {
  Loop loop;
  ArrayList operands;
  std::vector<bool> carries;
};
template <class Loop> Moving<Loop> with_tangents(const Loop& loop, Arrays x, Arrays dx) {
  const Parts<Array> p(loop, x), d(loop, dx);
  Moving<Loop> out{loop, {}, given_of(d.carries)};
  const std::vector<bool> constants = given_of(d.body);
  const JvpGraph both = with_moving_carries(
      constants, out.carries, [&](const auto& mask) { return jvp_graph(loop.body, mask); });
  ArrayList initial;
  for (std::size_t k = 0; k < out.carries.size(); ++k)
    if (out.carries[k]) initial.push_back(or_zeros_of(d.carries[k], type_of(p.carries[k])));
  const ArrayList moving_constants = marked(d.body, constants);
  out.operands = list({p.condition, p.body, moving_constants, p.carries, initial});
  const std::size_t nb = p.body.size(), nd = moving_constants.size(), ns = p.carries.size();
  Types condition, body;
  for (const Array& a : list({p.condition, p.carries, initial})) condition.push_back(type_of(a));
  for (const Array& a : list({p.body, moving_constants, p.carries, initial}))
    body.push_back(type_of(a));
  out.loop.condition = record_graph(condition, [&](Arrays in) {
    return inline_graph(*loop.condition, in.first(p.condition.size() + ns));
  });
  out.loop.body = record_graph(body, [&](Arrays in) {
    const ArrayList results = inline_graph(
        *both.graph,
        list(
            {in.first(nb), in.subspan(nb + nd, ns), in.subspan(nb, nd), in.subspan(nb + nd + ns)}));
    const ArrayList tangents = spread(Arrays(results).subspan(ns), both.nonzero);
    ArrayList next(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(ns));
    for (std::size_t k = 0; k < ns; ++k)
      if (out.carries[k]) next.push_back(or_zeros_of(tangents[k], type_of(p.carries[k])));
    return next;
  });
  out.loop.body_constants += static_cast<int>(nd);
  return out;
}

template <class Loop> Both loop_jvp(const Loop& loop, Arrays x, Arrays dx) {
  const Moving<Loop> moving = with_tangents(loop, x, dx);
  ArrayList out = emit_all(moving.loop, moving.operands, rule_site());
  const std::size_t n = moving.carries.size();
  ArrayList tangents = spread(Arrays(out).subspan(n), moving.carries);
  out.resize(n);
  return {std::move(out), std::move(tangents)};
}

/// The loop with the effects of its body under its own condition, for lanes that may have stopped.
/// The condition's constants are its body's first constants too.
template <class Loop> Loop with_effects_while_alive(const Loop& loop) {
  const std::size_t nc = size(loop.condition_constants), nb = size(loop.body_constants);
  const TypeList condition_in = loop.condition->input_types(), body_in = loop.body->input_types();
  Types types(condition_in.begin(), condition_in.begin() + static_cast<std::ptrdiff_t>(nc));
  types.insert(types.end(), body_in.begin(), body_in.end());
  const GraphRef condition = without_effects(loop.condition), body = guarded(loop.body);
  Loop out = loop;
  out.body = record_graph(types, [&](Arrays in) {
    const ArrayList alive = inline_graph(*condition, list({in.first(nc), in.subspan(nc + nb)}));
    return inline_graph(*body, list({in.subspan(nc), alive}));
  });
  out.body_constants += loop.condition_constants;
  return out;
}

/// The loop over batched operands; `stops_lanes`: the condition is batched too.
template <class Loop> struct BatchedLoop {
  Loop loop;
  ArrayList operands;
  std::vector<int> axes;  // of the carries: 0 or unbatched
  bool stops_lanes;
};
template <class Loop>
BatchedLoop<Loop> batched_loop(
    const Loop& loop, Arrays x, BatchAxes at, std::int64_t n, bool effects_are_guarded = false) {
  const Parts<Array> p(loop, x);
  const Parts<int> a(loop, at);
  BatchedLoop<Loop> out{loop, list({p.condition, p.body}), {}, false};
  for (int axis : a.carries) out.axes.push_back(axis == unbatched ? unbatched : 0);
  BatchedGraph condition, body;
  for (bool grows = true; grows;) {
    std::vector<int> in(a.condition.begin(), a.condition.end()),
        inner(a.body.begin(), a.body.end());
    in.insert(in.end(), out.axes.begin(), out.axes.end());
    inner.insert(inner.end(), out.axes.begin(), out.axes.end());
    condition = batch_graph(loop.condition, in, n);
    body = batch_graph(loop.body, inner, n);
    out.stops_lanes = condition.axes[0] != unbatched;
    grows = false;
    for (std::size_t k = 0; k < out.axes.size(); ++k) {
      if (out.axes[k] != unbatched || !(out.stops_lanes || body.axes[k] != unbatched)) continue;
      out.axes[k] = 0;
      grows = true;
    }
  }
  const bool one_lane = loop.condition->output_types()[0].shape.empty();
  if (out.stops_lanes && one_lane && !effects_are_guarded && has_effects(*loop.body)) {
    std::vector<int> axes(a.condition.begin(), a.condition.end());
    axes.insert(axes.end(), at.begin(), at.end());
    return batched_loop(with_effects_while_alive(loop), list({p.condition, x}), axes, n, true);
  }
  for (std::size_t k = 0; k < out.axes.size(); ++k)
    out.operands.push_back(out.axes[k] == unbatched ? p.carries[k]
                                                    : batch_first(p.carries[k], a.carries[k], n));
  out.loop.condition = record_graph(condition.graph->input_types(), [&](Arrays in) {
    const ArrayList flag = inline_graph(*condition.graph, in);
    return ArrayList{out.stops_lanes ? move_axis(flag[0], condition.axes[0], 0) : flag[0]};
  });
  out.loop.body = record_graph(body.graph->input_types(), [&](Arrays in) {
    ArrayList next = inline_graph(*body.graph, in);
    for (std::size_t k = 0; k < next.size(); ++k)
      if (out.axes[k] != unbatched) next[k] = batch_first(next[k], body.axes[k], n);
    return next;
  });
  return out;
}

}  // namespace

Types While::types(TypeList in) const { return loop_types(*this, in); }
bool While::has_effects() const { return loop_effects(*this); }
Both While::jvp_region(Arrays x, Arrays dx) const { return loop_jvp(*this, x, dx); }

/// The linear loop runs the primal one again beside the tangents: how often it runs is known only
/// then.
Both While::linearize_region(Arrays x, Arrays dx) const {
  const While silent{
      without_effects(condition), without_effects(body), condition_constants, body_constants};
  Both both = loop_jvp(silent, x, dx);
  both.values = emit_all(*this, x, rule_site());
  return both;
}

void While::transpose(Arrays, const Operands&, Accumulators&) const {
  fail("while-reverse",
       rule_site(),
       "while_loop: a loop of unknown length has no reverse mode: what its steps computed is not "
       "kept",
       {"the gradient of its result was asked for"},
       "use fx::bounded_while_loop with a largest number of steps, fx::scan or fx::fori_loop with "
       "known bounds, or forward mode (fx::jvp, fx::jacfwd)");
}

Batched While::batch(Arrays x, BatchAxes at, std::int64_t n) const {
  const auto batched = batched_loop(*this, x, at, n);
  return {emit_all(batched.loop, batched.operands, rule_site()), batched.axes};
}

void While::reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
  const Parts<ConstTensor> p(*this, in);
  std::vector<ConstTensor> condition_in(p.condition.begin(), p.condition.end()),
      body_in(p.body.begin(), p.body.end());
  const std::int64_t lane_count = element_count(lanes());
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (const std::size_t bytes = bytes_of(out[k].type))
      std::memcpy(out[k].data, p.carries[k].data, bytes);
    condition_in.push_back(out[k]);
    body_in.push_back(out[k]);
  }
  for (;;) {
    const auto flag = run(*condition, condition_in);
    const auto* alive = static_cast<const bool*>(flag[0]->data());
    if (std::find(alive, alive + lane_count, true) == alive + lane_count) return;
    const auto next = run(*body, body_in);
    for (std::size_t k = 0; k < out.size(); ++k) {
      const std::size_t bytes = bytes_of(out[k].type) / static_cast<std::size_t>(lane_count);
      for (std::size_t lane = 0; bytes > 0 && lane < static_cast<std::size_t>(lane_count); ++lane)
        if (alive[lane])
          std::memcpy(static_cast<char*>(out[k].data) + lane * bytes,
                      static_cast<const char*>(next[k]->data()) + lane * bytes,
                      bytes);
    }
  }
}

std::optional<Pruned> While::prune(const std::vector<bool>& used) const {
  const std::vector<bool> flag = needed_inputs(*condition, {true});
  std::vector<bool> live = used, inputs;
  for (std::size_t k = 0; k < live.size(); ++k)
    live[k] = live[k] || flag[size(condition_constants) + k];
  for (bool grows = true; grows;) {
    inputs = needed_inputs(*body, live);
    grows = false;
    for (std::size_t k = 0; k < live.size(); ++k) {
      if (live[k] || !inputs[size(body_constants) + k]) continue;
      live[k] = grows = true;
    }
  }
  const auto all = [](auto from, auto to) { return std::find(from, to, false) == to; };
  if (all(live.begin(), live.end()) && all(inputs.begin(), inputs.begin() + body_constants) &&
      all(flag.begin(), flag.begin() + condition_constants))
    return std::nullopt;
  Pruned out;
  While smaller = *this;
  std::vector<std::size_t> condition_order, body_order;
  smaller.condition_constants = smaller.body_constants = 0;
  for (std::size_t k = 0; k < size(condition_constants); ++k) {
    if (!flag[k]) continue;
    condition_order.push_back(k);
    out.operands.push_back(k);
    ++smaller.condition_constants;
  }
  for (std::size_t k = 0; k < size(body_constants); ++k) {
    if (!inputs[k]) continue;
    body_order.push_back(k);
    out.operands.push_back(size(condition_constants) + k);
    ++smaller.body_constants;
  }
  for (std::size_t k = 0; k < live.size(); ++k) {
    if (!live[k]) continue;
    condition_order.push_back(size(condition_constants) + k);
    body_order.push_back(size(body_constants) + k);
    out.operands.push_back(size(condition_constants + body_constants) + k);
    out.results.push_back(k);
  }
  smaller.condition = reordered(condition, condition_order);
  smaller.body = reordered(body->with_outputs(marked(body->outputs(), live)), body_order);
  out.op = smaller;
  return out;
}

Types BoundedWhile::types(TypeList in) const {
  Types out = loop_types(*this, in);
  if (!condition->output_types()[0].shape.empty())
    throw InternalError("bounded_while: the condition has lanes");
  return out;
}
bool BoundedWhile::has_effects() const { return loop_effects(*this); }
Both BoundedWhile::jvp_region(Arrays x, Arrays dx) const { return loop_jvp(*this, x, dx); }

namespace {

/// The loop that counts its steps in a carry behind the others: as a while loop that stops at the
/// limit, or still as a bounded one. `extra`: more carries before the count; `step` gives the next
/// carries (without the count) from the body's constants, the carries and the count.
ArrayList counted_loop(
    const BoundedWhile& loop,
    bool bounded,
    Arrays x,
    Arrays extra,
    const std::function<ArrayList(Arrays constants, Arrays carries, const Array& count)>& step) {
  const Site site = rule_site();
  const Parts<Array> p(loop, x);
  const Array zero = zeros_of({{}, int64});
  BoundedWhile counted = loop;
  const ArrayList carries = list({p.carries, extra, Arrays(&zero, 1)});
  Types condition, body;
  for (const Array& a : list({p.condition, carries})) condition.push_back(type_of(a));
  for (const Array& a : list({p.body, carries})) body.push_back(type_of(a));
  counted.condition = record_graph(condition, [&](Arrays in) {
    ArrayList flag = inline_graph(*loop.condition, in.first(p.condition.size() + p.carries.size()));
    if (bounded) return flag;
    const Array below =
        compare(Direction::lt, in.back(), literal(static_cast<double>(loop.limit), int64), site);
    return ArrayList{binary("and", flag[0], below, site)};
  });
  counted.body = record_graph(body, [&](Arrays in) {
    ArrayList next =
        step(in.first(p.body.size()), in.subspan(p.body.size(), carries.size() - 1), in.back());
    next.push_back(binary("add", in.back(), literal(1, int64), site));
    return next;
  });
  const ArrayList operands = list({p.condition, p.body, carries});
  if (bounded) return emit_all(counted, operands, site);
  return emit_all(
      While{counted.condition, counted.body, counted.condition_constants, counted.body_constants},
      operands,
      site);
}

}  // namespace

ArrayList BoundedWhile::inlined(Arrays x) const {
  ArrayList out =
      counted_loop(*this, false, x, {}, [&](Arrays constants, Arrays carries, const Array&) {
        return inline_graph(*body, list({constants, carries}));
      });
  out.pop_back();
  return out;
}

void BoundedWhile::reference(ConstTensors in, Tensors out, const RegionRunner& run) const {
  const Parts<ConstTensor> p(*this, in);
  std::vector<ConstTensor> condition_in(p.condition.begin(), p.condition.end()),
      body_in(p.body.begin(), p.body.end());
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (const std::size_t bytes = bytes_of(out[k].type))
      std::memcpy(out[k].data, p.carries[k].data, bytes);
    condition_in.push_back(out[k]);
    body_in.push_back(out[k]);
  }
  for (std::int64_t step = 0; step < limit; ++step) {
    const auto flag = run(*condition, condition_in);
    if (!*static_cast<const bool*>(flag[0]->data())) return;
    copy_results(run(*body, body_in), out);
  }
}

/// The forward loop writes what a step saves into row `count` of arrays with `limit` rows; the
/// linear loop is a scan of `count` rows.
Both BoundedWhile::linearize_region(Arrays x, Arrays dx) const {
  const Site site = rule_site();
  const Parts<Array> p(*this, x), d(*this, dx);
  std::vector<bool> moving = given_of(d.carries);
  const std::vector<bool> constants = given_of(d.body);
  const LinearizedGraph parts = with_moving_carries(
      constants, moving, [&](const auto& mask) { return linearize_graph(body, mask); });
  const std::size_t n = moving.size();
  const Residuals residuals(parts, n, [&](std::size_t input) {
    return input < p.body.size() ? Residuals::Input::constant : Residuals::Input::changing;
  });
  ArrayList stacks;
  Types saved;
  for (std::size_t k : residuals.saved_outputs()) {
    saved.push_back(parts.forward->output_types()[k]);
    stacks.push_back(zeros_of(rows_type(saved.back(), limit)));
  }
  const ArrayList out =
      counted_loop(*this, true, x, stacks, [&](Arrays c, Arrays carries, const Array& count) {
        const ArrayList results = inline_graph(*parts.forward, list({c, carries.first(n)}));
        ArrayList next(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(n));
        const ArrayList now = residuals.saved(results);
        for (std::size_t k = 0; k < now.size(); ++k) {
          const Type& type = saved[k];
          ArrayList start{count};
          for (std::size_t axis = 0; axis < type.shape.size(); ++axis)
            start.push_back(literal(0, int64));
          next.push_back(dynamic_update_slice(Update::set,
                                              carries[n + k],
                                              reshape(now[k], with_axis(type.shape, 0, 1), site),
                                              start,
                                              site));
        }
        return next;
      });
  Both both{{out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n)}, ArrayList(n)};
  if (parts.linear->outputs().empty()) return both;
  Scan plain;
  plain.length = limit;
  plain.counted = true;
  const Array count = out.back();
  ScanWriter linear(plain, Arrays(&count, 1));
  const auto hoisted = linear.constants(residuals.constants(list({p.body, p.carries}))),
             dc = linear.constants(marked(d.body, constants));
  ArrayList initial;
  Types types = body->output_types();
  for (std::size_t k = 0; k < n; ++k)
    if (moving[k]) initial.push_back(or_zeros_of(d.carries[k], types[k]));
  const auto ds = linear.carries(initial);
  const auto rows = linear.rows(Arrays(out).subspan(n, stacks.size()));
  const auto result = linear.emit(
      [&](const ScanWriter::Inside& in) {
        const ArrayList some = inline_graph(
            *parts.linear, list({residuals.together(in(hoisted), in(rows), {}), in(dc), in(ds)}));
        const ArrayList tangents = spread(some, parts.nonzero);
        ScanWriter::Result step;
        for (std::size_t k = 0; k < n; ++k)
          if (moving[k]) step.carries.push_back(or_zeros_of(tangents[k], types[k]));
        return step;
      },
      site);
  both.tangents = spread(result.carries, moving);
  return both;
}

/// Lanes that stop by themselves become one loop that runs while any lane does, and keeps the
/// carries of those that do not.
Batched BoundedWhile::batch(Arrays x, BatchAxes at, std::int64_t n) const {
  auto batched = batched_loop(*this, x, at, n);
  if (batched.stops_lanes) {
    const Site site = rule_site();
    const GraphRef flag = batched.loop.condition, step = batched.loop.body;
    BoundedWhile& loop = batched.loop;
    const std::size_t nc = size(loop.condition_constants), nb = size(loop.body_constants);
    loop.condition = record_graph(flag->input_types(), [&](Arrays in) {
      return ArrayList{reduce(Reduction::any, inline_graph(*flag, in)[0], {0}, site)};
    });
    const TypeList flag_in = flag->input_types(), step_in = step->input_types();
    Types types(flag_in.begin(), flag_in.begin() + static_cast<std::ptrdiff_t>(nc));
    types.insert(types.end(), step_in.begin(), step_in.end());
    loop.body = record_graph(types, [&](Arrays in) {
      const Arrays carries = in.subspan(nc + nb);
      const Array alive = inline_graph(*flag, list({in.first(nc), carries}))[0];
      ArrayList next = inline_graph(*step, in.subspan(nc));
      for (std::size_t k = 0; k < next.size(); ++k) {
        const Array lanes = broadcast_in_dim(alive, type_of(next[k]).shape, {0}, site);
        next[k] = select(lanes, next[k], carries[k], site);
      }
      return next;
    });
    loop.body_constants += static_cast<int>(nc);
    const ArrayList again(batched.operands.begin(),
                          batched.operands.begin() + static_cast<std::ptrdiff_t>(nc));
    batched.operands.insert(batched.operands.begin(), again.begin(), again.end());
  }
  return {emit_all(batched.loop, batched.operands, rule_site()), batched.axes};
}

std::span<const Rules* const> while_rules() {
  static constexpr const Rules* rules[] = {rules_of<While>(), rules_of<BoundedWhile>()};
  return rules;
}

ArrayList while_loop(While loop, Arrays operands, const Site& site) {
  return emit_all(std::move(loop), operands, site);
}
ArrayList bounded_while(BoundedWhile loop, Arrays operands, const Site& site) {
  return emit_all(std::move(loop), operands, site);
}

}  // namespace fluxion::ops
