// Loops and branches written into a kernel: carries in registers, a lane at a time.
#include "codegen/elements.hpp"
#include "trace/ops/control_flow.hpp"
#include "trace/passes.hpp"

#include <mutex>
#include <unordered_map>

namespace fluxion::codegen {

using kernel::Affine;
using kernel::Index;
using kernel::Scalar;

namespace {

constexpr std::int64_t most_written_out = 4096;  // operations of all iterations of a loop
constexpr std::size_t cheap_branch =
    24;  // operations of a branch that is computed whether it is chosen or not

std::size_t size(int n) { return static_cast<std::size_t>(n); }

std::vector<Scalar> flat(const LaneState& state) {
  std::vector<Scalar> all;
  for (const auto& array : state)
    for (Scalar s : array) all.push_back(carried(s));
  return all;
}

/// The state from a loop's carries; `like`: how many elements of which dtype.
LaneState unflat(const std::vector<Scalar>& all,
                 const LaneState& like,
                 const std::vector<DType>& dtypes) {
  LaneState state(like.size());
  std::size_t next = 0;
  for (std::size_t k = 0; k < like.size(); ++k)
    for (std::size_t i = 0; i < like[k].size(); ++i)
      state[k].push_back(uncarried(all[next++], dtypes[k]));
  return state;
}

std::vector<DType> dtypes_of(TypeList types) {
  std::vector<DType> out;
  for (const Type& t : types) out.push_back(t.dtype);
  return out;
}

bool is_cheap(const Graph& program) {
  if (program.operations().size() > cheap_branch) return false;
  for (const Operation& o : program.operations())
    if (o.op.has_regions()) return false;
  return true;
}

}  // namespace

const Graph& optimized_program(const Op& op, std::size_t number) {
  // By the program's address: an entry holds the program, so that no other one gets it.
  struct Entry {
    GraphRef from, to;
  };
  static std::mutex lock;
  static auto* const entries = new std::unordered_map<const Graph*, Entry>;
  const GraphRef from(op.regions()[number]);
  {
    const std::lock_guard guard(lock);
    const auto found = entries->find(from.raw());
    if (found != entries->end()) return *found->second.to;
  }
  GraphRef to = optimize(from);
  const std::lock_guard guard(lock);
  return *entries->emplace(from.raw(), Entry{from, to}).first->second.to;
}

LaneState RegionWriter::initial(const Graph& program,
                                std::size_t first_operand,
                                std::size_t first_input,
                                std::size_t count) {
  LaneState state(count);
  for (std::size_t k = 0; k < count; ++k) {
    if (memory_.contains(k)) continue;
    const Type& type = program.type(static_cast<ValueId>(first_input + k));
    if (is_complex(type.dtype)) throw NotElementwise();
    for (const Index& index : lanes_.elements(type.shape))
      state[k].push_back(operand_(first_operand + k, index, {}));
  }
  return state;
}

Scalar RegionWriter::carry(const LaneState& state,
                           const Graph& program,
                           std::size_t k,
                           std::size_t first_carry,
                           const Index& index,
                           Scalar predicate) {
  const auto memory = memory_.find(k);
  if (memory != memory_.end()) return memory->second(index, predicate);
  return LaneArray(lanes_, program.type(static_cast<ValueId>(first_carry + k)).shape, state[k])
      .at(builder_, index);
}

LaneState RegionWriter::scan(const Op& op, Scalar count, LaneState state, const Step& step) {
  const auto& s = *op.as<ops::Scan>();
  const Graph& body = optimized_program(op, 0);
  const std::size_t first_carry = 1 + size(s.constants), first_row = first_carry + size(s.carries);
  const std::vector<DType> dtypes =
      dtypes_of(body.input_types().subspan(first_carry, size(s.carries)));
  const auto one = [&](const Index& turn, std::vector<Scalar> carries) {
    const LaneState now = unflat(carries, state, dtypes);
    Affine row = turn[0];
    if (s.reverse)
      row =
          (count.defined() ? builder_.affine(count) : Affine{s.length, {}, {}}) + turn[0] * -1 + -1;
    Elements elements(
        builder_, lanes_, body, [&](std::size_t input, const Index& index, Scalar predicate) {
          if (input == 0) return builder_.value(row);
          if (input >= first_carry && input < first_row)
            return carry(now, body, input - first_carry, first_carry, index, predicate);
          if (input < first_carry) return operand_(input - 1, index, predicate);
          Index whole{row};
          whole.insert(whole.end(), index.begin(), index.end());
          return operand_(input - 1, whole, predicate);
        });
    LaneState next(now.size());
    for (std::size_t k = 0; k < now.size(); ++k)
      if (!memory_.contains(k)) next[k] = elements.all(body.outputs()[k]);
    step(row, elements);
    return flat(next);
  };
  const bool large =
      s.length * static_cast<std::int64_t>(body.operations().size()) > most_written_out;
  return unflat(builder_.serial({s.length}, flat(state), one, count, large), state, dtypes);
}

LaneState RegionWriter::repeat(const Op& op, LaneState state, const Step& step) {
  const auto& loop = *op.as<ops::While>();
  const Graph &condition = optimized_program(op, 0), &body = optimized_program(op, 1);
  const std::size_t nc = size(loop.condition_constants), nb = size(loop.body_constants);
  const std::vector<DType> dtypes = dtypes_of(body.input_types().subspan(nb));
  const auto program = [&](const Graph& graph,
                           const LaneState& now,
                           std::size_t first_operand,
                           std::size_t constants) {
    return Elements(builder_,
                    lanes_,
                    graph,
                    [this, &graph, &now, first_operand, constants](
                        std::size_t input, const Index& index, Scalar predicate) {
                      return input < constants
                                 ? operand_(first_operand + input, index, predicate)
                                 : carry(
                                       now, graph, input - constants, constants, index, predicate);
                    });
  };
  const auto holds = [&](std::vector<Scalar> carries) {
    const LaneState now = unflat(carries, state, dtypes);
    Elements elements = program(condition, now, 0, nc);
    const Index lane(lanes_.index.begin(),
                     lanes_.index.begin() + static_cast<std::ptrdiff_t>(loop.lanes().size()));
    return elements.at(condition.outputs()[0], lane);
  };
  const auto one = [&](std::vector<Scalar> carries) {
    const LaneState now = unflat(carries, state, dtypes);
    Elements elements = program(body, now, nc, nb);
    LaneState next(now.size());
    for (std::size_t k = 0; k < now.size(); ++k)
      if (!memory_.contains(k)) next[k] = elements.all(body.outputs()[k]);
    step({}, elements);
    return flat(next);
  };
  return unflat(builder_.repeat_while(flat(state), holds, one), state, dtypes);
}

LaneState RegionWriter::choose(const Op& op, Scalar index) {
  const auto& cond = *op.as<ops::Cond>();
  const auto last = static_cast<double>(cond.branches.size() - 1);
  index = max(min(index, index.like(last)), index.like(0));
  const Types types = cond.branches[0]->output_types();
  const std::vector<DType> dtypes = dtypes_of(types);
  LaneState state;
  const auto run = [&](std::size_t b) {
    const Graph& program = optimized_program(op, b);
    Elements elements(builder_, lanes_, program, operand_);
    LaneState out;
    for (ValueId v : program.outputs()) out.push_back(elements.all(v));
    return out;
  };
  for (std::size_t b = 0; b < cond.branches.size(); ++b) {
    const Scalar chosen = index == static_cast<double>(b);
    if (is_cheap(optimized_program(op, b)) || builder_.constant_of(chosen)) {
      const auto constant = builder_.constant_of(chosen);
      if (constant && !*constant) {
        if (b > 0) continue;
        for (const Type& type : types)
          state.emplace_back(lanes_.count(type.shape), builder_.constant_bits(type.dtype, 0));
        continue;
      }
      const LaneState here = run(b);
      if (b == 0) {
        state = here;
        continue;
      }
      for (std::size_t k = 0; k < here.size(); ++k)
        for (std::size_t i = 0; i < here[k].size(); ++i)
          state[k][i] = select(chosen, here[k][i], state[k][i]);
      continue;
    }
    if (b == 0)
      for (const Type& type : types)
        state.emplace_back(lanes_.count(type.shape), builder_.constant_bits(type.dtype, 0));
    // A loop that turns once or not at all.
    const auto once = builder_.serial(
        {1},
        flat(state),
        [&](const Index&, std::vector<Scalar>) { return flat(run(b)); },
        convert(chosen, int64));
    state = unflat(once, state, dtypes);
  }
  return state;
}

Elements::Read Elements::reader(const Operation& o, std::size_t first_operand) {
  return [this, &o, first_operand](std::size_t k, const Index& index, Scalar predicate) {
    return at(o.operands[first_operand + k], index, predicate);
  };
}

/// A loop or a branch inside a program that is written: its results as scalars. Rows that it writes
/// would need memory of their own.
void Elements::region(const Operation& o) {
  LaneState results;
  const RegionWriter::Step nothing = [](const Affine&, Elements&) {};
  if (const auto* s = o.op.as<ops::Scan>()) {
    if (s->written_rows() > 0) throw NotElementwise();
    RegionWriter writer(builder_, lanes_, reader(o, size(s->count_operands())));
    const Graph& body = optimized_program(o.op, 0);
    const LaneState initial =
        writer.initial(body, size(s->constants), 1 + size(s->constants), size(s->carries));
    Scalar count;
    if (s->counted) {
      count = at(o.operands[0], {});
      count = max(min(count, count.like(static_cast<double>(s->length))), count.like(0));
    }
    results = writer.scan(o.op, count, initial, nothing);
  } else if (const auto* loop = o.op.as<ops::While>()) {
    if (loop->lanes().size() > lanes_.shape.size()) throw NotElementwise();
    RegionWriter writer(builder_, lanes_, reader(o, 0));
    const std::size_t constants = size(loop->condition_constants + loop->body_constants);
    results = writer.repeat(o.op,
                            writer.initial(optimized_program(o.op, 1),
                                           constants,
                                           size(loop->body_constants),
                                           size(loop->carries())),
                            nothing);
  } else if (o.op.as<ops::Cond>()) {
    results = RegionWriter(builder_, lanes_, reader(o, 1)).choose(o.op, at(o.operands[0], {}));
  } else {
    throw NotElementwise();
  }
  for (std::size_t k = 0; k < results.size(); ++k) {
    const ValueId v = o.first_result + static_cast<ValueId>(k);
    regions_.erase(v);
    regions_.emplace(v, LaneArray(lanes_, graph_.type(v).shape, results[k]));
  }
}

}  // namespace fluxion::codegen
