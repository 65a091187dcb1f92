// From cuts to steps: who is whose memory, how long each value lives, which kernels are one.
#include "codegen/schedule.hpp"

#include "codegen/cost.hpp"
#include "codegen/group_key.hpp"
#include "codegen/lanes.hpp"
#include "codegen/loop_kernel.hpp"
#include "codegen/plan.hpp"
#include "codegen/regions.hpp"
#include "codegen/strips.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <unordered_map>

namespace fluxion::codegen {
namespace {

class Scheduler {
 public:
  Scheduler(const GraphRef& graph, Libraries libraries, Constants constants)
      : graph_(*graph), libraries_(libraries), constants_(constants) {
    schedule_.graph = graph;
  }

  Schedule run() {
    const Leaves leaves = libraries_ == Libraries::host ? find_leaves(graph_) : no_leaves(graph_);
    schedule_.cuts = fuse(graph_, leaves);
    join_lanes(graph_, schedule_.cuts);
    for (Cut& cut : schedule_.cuts)
      if (cut.kind == Cut::Kind::region) place_region(graph_, cut, libraries_);
    slot_of_.assign(static_cast<std::size_t>(graph_.value_count()), -1);
    root_.resize(slot_of_.size());
    for (std::size_t v = 0; v < root_.size(); ++v) root_[v] = static_cast<ValueId>(v);
    for (ValueId v = 0; v < graph_.input_count(); ++v)
      slot_of_[static_cast<std::size_t>(v)] = add_slot({Slot::Where::argument, v, 0, bytes(v)});
    find_roots();
    place_results();
    for (const Cut& cut : schedule_.cuts)
      if (cut.kind != Cut::Kind::alias) add_step(cut, leaves);
    form_strips(schedule_, facts_, constants_);
    keep_constants();
    plan();
    return std::move(schedule_);
  }

 private:
  ValueId root(ValueId v) const { return root_[static_cast<std::size_t>(v)]; }
  std::int32_t& slot_of(ValueId v) { return slot_of_[static_cast<std::size_t>(root(v))]; }
  std::size_t bytes(ValueId v) const { return bytes_of(graph_.type(v)); }
  std::int32_t number_of(const Cut& cut) const {
    return static_cast<std::int32_t>(&cut - schedule_.cuts.data());
  }
  std::int32_t add_slot(const Slot& slot) {
    schedule_.slots.push_back(slot);
    return static_cast<std::int32_t>(schedule_.slots.size()) - 1;
  }

  void find_roots();
  void place_results();
  void add_copy(ValueId from, ValueId to, const Cut&);
  bool own_place(std::size_t step, std::size_t input) const {
    return schedule_.steps[step].kind == Cut::Kind::copy ||
           facts_[step].cut->group.own_place[input];
  }
  void add_step(const Cut&, const Leaves&);
  std::int32_t kernel_number(kernel::Kernel);
  std::int32_t kernel_of(const Group&);
  void keep_constants();
  void plan();
  void reuse_dying_operands(std::vector<std::int32_t>& allocation,
                            const std::vector<Lifetime>& lives);
  void find_donors(const std::vector<Lifetime>& lives);

  const Graph& graph_;
  Libraries libraries_;
  Constants constants_;
  Schedule schedule_;
  std::vector<ValueId> root_;          // through aliases
  std::vector<std::int32_t> slot_of_;  // of roots
  std::vector<StepFacts> facts_;       // of steps
  std::unordered_multimap<std::uint64_t, std::int32_t> kernel_table_;
  std::unordered_multimap<std::uint64_t, std::pair<GroupKey, std::int32_t>> lowered_;
};

/// A value lies in its root's memory: an alias in its operand's, and what is changed in place in
/// the memory of what it was, if that was made here and nothing reads it any more.
void Scheduler::find_roots() {
  const auto count = static_cast<std::size_t>(graph_.value_count());
  std::vector<std::int32_t> last(count,
                                 -1);  // the cut that reads it last; of roots: or its aliases
  std::vector<char> output(count);
  for (ValueId v : graph_.outputs()) output[static_cast<std::size_t>(v)] = 1;
  for (std::size_t p = 0; p < schedule_.cuts.size(); ++p) {
    const Group& group = schedule_.cuts[p].group;
    for (ValueId v : group.inputs) last[static_cast<std::size_t>(v)] = static_cast<std::int32_t>(p);
    for (const Group::Update& u : group.in_place)
      last[static_cast<std::size_t>(u.operand)] = static_cast<std::int32_t>(p);
  }
  const auto join = [&](ValueId v, ValueId into) {
    const auto from = static_cast<std::size_t>(v), to = static_cast<std::size_t>(root(into));
    root_[from] = root(into);
    last[to] = std::max(last[to], last[from]);
    output[to] = output[to] || output[from];
  };
  for (std::size_t p = 0; p < schedule_.cuts.size(); ++p) {
    const Cut& cut = schedule_.cuts[p];
    if (cut.kind == Cut::Kind::alias) join(cut.group.outputs[0], cut.group.inputs[0]);
    for (const Group::Update& u : cut.group.in_place) {
      const auto at = static_cast<std::size_t>(root(u.operand));
      bool free = root(u.operand) >= graph_.input_count() && !output[at] &&
                  last[at] == static_cast<std::int32_t>(p);
      for (ValueId v : cut.group.inputs) free = free && root(v) != root(u.operand);
      for (ValueId v : cut.group.outputs) free = free && root(v) != root(u.operand);
      if (free) join(u.output, u.operand);
    }
  }
}

void Scheduler::add_copy(ValueId from, ValueId to, const Cut& cut) {
  if (root(from) == root(to) || bytes(to) == 0) return;
  Step step;
  step.kind = Cut::Kind::copy;
  step.cut = number_of(cut);
  step.inputs = {slot_of(from)};
  step.outputs = {slot_of(to)};
  schedule_.steps.push_back(std::move(step));
  facts_.push_back({});
}

void Scheduler::place_results() {
  const auto& outputs = graph_.outputs();
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const ValueId v = root(outputs[k]);
    Result result{Result::From::computed, 0, bytes(v), -1};
    std::int32_t& slot = slot_of(v);
    if (v < graph_.input_count()) {
      result.from = Result::From::argument;
      result.index = v;
    } else if (slot >= 0) {
      result.from = Result::From::result;
      result.index = schedule_.slots[static_cast<std::size_t>(slot)].index;
    } else {
      slot = add_slot({Slot::Where::result, static_cast<std::int32_t>(k), 0, bytes(v)});
    }
    schedule_.results.push_back(result);
  }
}

std::int32_t Scheduler::kernel_number(kernel::Kernel kernel) {
  const std::uint64_t hash = kernel.hash();
  const auto [from, to] = kernel_table_.equal_range(hash);
  for (auto e = from; e != to; ++e)
    if (same_structure(schedule_.kernels[static_cast<std::size_t>(e->second)], kernel))
      return e->second;
  const auto number = static_cast<std::int32_t>(schedule_.kernels.size());
  schedule_.kernels.push_back(std::move(kernel));
  kernel_table_.emplace(hash, number);
  return number;
}

/// Equal groups are lowered once.
std::int32_t Scheduler::kernel_of(const Group& group) {
  GroupKey key(graph_, group);
  const std::uint64_t hash = key.hash();
  const auto [from, to] = lowered_.equal_range(hash);
  for (auto e = from; e != to; ++e)
    if (e->second.first == key) return e->second.second;
  const std::int32_t number = kernel_number(lower(graph_, group));
  lowered_.emplace(hash, std::pair(std::move(key), number));
  return number;
}

void Scheduler::add_step(const Cut& cut, const Leaves& leaves) {
  Step step;
  StepFacts facts{nullptr, &cut};
  step.kind = cut.kind;
  step.cut = number_of(cut);
  if (cut.kind == Cut::Kind::kernel) {
    if (cut.group.outputs.empty()) return;
    step.kernel = cut.kernel ? kernel_number(*cut.kernel) : kernel_of(cut.group);
  } else {
    step.operation = cut.group.operations[0];
    step.region = cut.region;
    if (cut.kind == Cut::Kind::leaf) {
      const LeafCall& call = leaves.calls[static_cast<std::size_t>(cut.call)];
      step.operation = call.operation;
      step.leaf = call.leaf;
      if (call.product) facts.product = &*call.product;
    }
  }
  for (ValueId v : cut.group.inputs) step.inputs.push_back(slot_of(v));
  for (ValueId v : cut.group.outputs) {
    std::int32_t& slot = slot_of(v);
    if (slot < 0) slot = add_slot({Slot::Where::arena, 0, 0, bytes(v)});
    step.outputs.push_back(slot);
  }
  for (const Group::Update& u : cut.group.in_place) add_copy(u.operand, u.output, cut);
  if (step.leaf && step.leaf->scratch_bytes() > 0)
    step.scratch = add_slot({Slot::Where::arena, 0, 0, step.leaf->scratch_bytes()});
  if (step.region) step.scratch = add_slot({Slot::Where::arena, 0, 0, step.region->bytes});
  schedule_.steps.push_back(std::move(step));
  facts_.push_back(std::move(facts));
}

/// Arena values that a step reads for the last time, at their own place, give their memory to a
/// value of the same size that it writes.
void Scheduler::reuse_dying_operands(std::vector<std::int32_t>& allocation,
                                     const std::vector<Lifetime>& lives) {
  for (std::size_t s = 0; s < schedule_.steps.size(); ++s) {
    const Step& step = schedule_.steps[s];
    if (step.kind != Cut::Kind::kernel && step.kind != Cut::Kind::copy) continue;
    std::vector<bool> taken(step.inputs.size());
    for (std::int32_t out : step.outputs) {
      const Slot& to = schedule_.slots[static_cast<std::size_t>(out)];
      if (to.where != Slot::Where::arena) continue;
      for (std::size_t k = 0; k < step.inputs.size(); ++k) {
        const std::int32_t in = step.inputs[k];
        const Slot& from = schedule_.slots[static_cast<std::size_t>(in)];
        const bool once = std::count(step.inputs.begin(), step.inputs.end(), in) == 1;
        if (taken[k] || !once || from.where != Slot::Where::arena || from.bytes != to.bytes ||
            !own_place(s, k) ||
            lives[static_cast<std::size_t>(in)].last != static_cast<std::int32_t>(s))
          continue;
        taken[k] = true;
        allocation[static_cast<std::size_t>(out)] = allocation[static_cast<std::size_t>(in)];
        break;
      }
    }
  }
}

void Scheduler::find_donors(const std::vector<Lifetime>& lives) {
  std::vector<bool> given(static_cast<std::size_t>(graph_.input_count()));
  for (const Result& result : schedule_.results)
    if (result.from == Result::From::argument) given[static_cast<std::size_t>(result.index)] = true;
  for (std::size_t s = 0; s < schedule_.steps.size(); ++s) {
    const Step& step = schedule_.steps[s];
    if (step.kind != Cut::Kind::kernel && step.kind != Cut::Kind::copy) continue;
    for (std::int32_t out : step.outputs) {
      const Slot& to = schedule_.slots[static_cast<std::size_t>(out)];
      if (to.where != Slot::Where::result) continue;
      for (std::size_t k = 0; k < step.inputs.size(); ++k) {
        const std::int32_t in = step.inputs[k];
        const Slot& from = schedule_.slots[static_cast<std::size_t>(in)];
        const bool once = std::count(step.inputs.begin(), step.inputs.end(), in) == 1;
        if (!once || from.where != Slot::Where::argument || from.bytes != to.bytes ||
            !own_place(s, k) || given[static_cast<std::size_t>(from.index)] ||
            lives[static_cast<std::size_t>(in)].last != static_cast<std::int32_t>(s))
          continue;
        given[static_cast<std::size_t>(from.index)] = true;
        schedule_.results[static_cast<std::size_t>(to.index)].donor = from.index;
        break;
      }
    }
  }
}

/// Products take what stays the same from run to run as the library likes it best.
void Scheduler::keep_constants() {
  for (std::size_t s = 0; s < schedule_.steps.size(); ++s) {
    Step& step = schedule_.steps[s];
    if (!step.leaf || !facts_[s].product) continue;
    for (int k = 0; k < 2; ++k) {
      const std::int32_t argument = step.inputs[static_cast<std::size_t>(k)];
      const Slot& slot = schedule_.slots[static_cast<std::size_t>(argument)];
      if (slot.where != Slot::Where::argument || !constants_.contain(slot.index)) continue;
      KeptOperand kept = prepare_kept(*facts_[s].product, k);
      if (!kept.product) continue;
      const std::int32_t place = add_slot({Slot::Where::arena, 0, 0, kept.bytes});
      schedule_.kept.push_back({argument, place, step.operation, std::move(kept.layout)});
      step.inputs[static_cast<std::size_t>(k)] = place;
      step.leaf = std::move(kept.product);
      step.scratch = -1;
      if (step.leaf->scratch_bytes() > 0)
        step.scratch = add_slot({Slot::Where::arena, 0, 0, step.leaf->scratch_bytes()});
      break;
    }
  }
}

void Scheduler::plan() {
  std::vector<Slot>& slots = schedule_.slots;
  std::vector<Lifetime> lives(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) lives[i] = {slots[i].bytes, INT32_MAX, -1};
  for (std::size_t s = 0; s < schedule_.steps.size(); ++s) {
    const Step& step = schedule_.steps[s];
    const auto use = [&](std::int32_t slot) {
      Lifetime& life = lives[static_cast<std::size_t>(slot)];
      life.first = std::min(life.first, static_cast<std::int32_t>(s));
      life.last = std::max(life.last, static_cast<std::int32_t>(s));
    };
    for (std::int32_t slot : step.inputs) use(slot);
    for (std::int32_t slot : step.outputs) use(slot);
    if (step.scratch >= 0) use(step.scratch);
  }
  for (const Kept& kept : schedule_.kept)
    lives[static_cast<std::size_t>(kept.place)] = {
        slots[static_cast<std::size_t>(kept.place)].bytes,
        0,
        static_cast<std::int32_t>(schedule_.steps.size())};
  find_donors(lives);
  std::vector<std::int32_t> allocation(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) allocation[i] = static_cast<std::int32_t>(i);
  reuse_dying_operands(allocation, lives);
  std::vector<Lifetime> blocks;
  std::vector<std::int32_t> block_of(slots.size(), -1);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].where != Slot::Where::arena) continue;
    std::int32_t& block = block_of[static_cast<std::size_t>(allocation[i])];
    if (block < 0) {
      block = static_cast<std::int32_t>(blocks.size());
      blocks.push_back(lives[i]);
    }
    Lifetime& life = blocks[static_cast<std::size_t>(block)];
    life.first = std::min(life.first, lives[i].first);
    life.last = std::max(life.last, lives[i].last);
  }
  const MemoryPlan plan = plan_memory(blocks);
  for (const Step& step : schedule_.steps)
    if (step.region && step.scratch >= 0)
      blocks[static_cast<std::size_t>(block_of[static_cast<std::size_t>(
                 allocation[static_cast<std::size_t>(step.scratch)])])]
          .bytes -= step.region->spare;
  schedule_.alive_bytes = most_alive(blocks);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].where != Slot::Where::arena) continue;
    const std::int32_t block = block_of[static_cast<std::size_t>(allocation[i])];
    slots[i].offset = plan.offsets[static_cast<std::size_t>(block)];
  }
  schedule_.arena_bytes = plan.bytes;
}

bool is_arithmetic(kernel::Verb verb) {
  using kernel::Verb;
  return (verb >= Verb::add && verb <= Verb::sqrt);
}

Work work_of(const LeafSpec& spec) {
  Work work;
  if (const auto* m = std::get_if<MatmulSpec>(&spec)) {
    work.flops = flops(*m);
  } else if (const auto* c = std::get_if<ConvolutionSpec>(&spec)) {
    work.flops = flops(*c);
  } else if (const auto* f = std::get_if<FactorizationSpec>(&spec)) {
    const auto m = static_cast<double>(f->rows), n = static_cast<double>(f->columns);
    using enum FactorizationSpec::Routine;
    const double passes = f->routine == triangular_solve ? 0  // over the matrix
                          : f->routine == cholesky       ? 1.0 / 3
                          : f->routine == lu             ? 2.0 / 3
                          : f->routine == inverse        ? 2
                          : f->routine == qr             ? 4
                                                         : 9;
    const double solves = m * m * static_cast<double>(f->right_sides);
    work.flops = static_cast<double>(f->batch) * (passes * m * n * std::min(m, n) + solves);
  }
  return work;
}

Work work_of(const kernel::Kernel& kernel) {
  Work work;
  // Combining the elements of a reduction is no instruction, but work.
  std::vector<double> combining(kernel.instructions.size());
  for (const kernel::Loop& loop : kernel.loops)
    for (const kernel::Carry& carry : loop.carries)
      if (loop.kind == kernel::LoopKind::reduce && carry.combiner <= kernel::Combiner::max)
        combining[static_cast<std::size_t>(carry.element)] += carry.factor >= 0 ? 2 : 1;
  visit_instructions(kernel, [&](const kernel::Instruction& i, double count) {
    if (!kernel::is_float(i.type)) return;
    work.flops += count * combining[static_cast<std::size_t>(&i - kernel.instructions.data())];
    if (i.verb == kernel::Verb::fma)
      work.flops += 2 * count;
    else if (is_arithmetic(i.verb))
      work.flops += count;
  });
  double outer = 1;
  for (const kernel::Item& item : kernel.top) {
    if (!item.is_loop) continue;
    double times = 1;
    for (std::int32_t v : kernel.loops[static_cast<std::size_t>(item.index)].variables)
      times *= static_cast<double>(kernel.variables[static_cast<std::size_t>(v)].extent);
    outer = std::max(outer, times);
  }
  work.transcendentals = kernel.facts.transcendentals * outer;
  return work;
}

}  // namespace

bool conflict(const Step& a, const Step& b) {
  const auto meet = [](const std::vector<std::int32_t>& x, const std::vector<std::int32_t>& y) {
    return std::find_first_of(x.begin(), x.end(), y.begin(), y.end()) != x.end();
  };
  return meet(a.outputs, b.outputs) || meet(a.outputs, b.inputs) || meet(a.inputs, b.outputs);
}

Schedule schedule(const GraphRef& graph, Libraries libraries, Constants constants) {
  return Scheduler(graph, libraries, constants).run();
}

Work work_of(const Schedule& schedule, const Step& step) {
  Work work;
  if (step.kind == Cut::Kind::kernel) {
    work = work_of(schedule.kernels[static_cast<std::size_t>(step.kernel)]);
  } else if (step.region) {
    work = work_of(*step.region);
  } else if (step.strip) {
    for (const Step& part : step.strip->steps) {
      const Work own = work_of(schedule, part);
      work.flops += own.flops;
      work.transcendentals += own.transcendentals;
    }
  } else if (step.kind == Cut::Kind::leaf) {
    const Operation& o = schedule.graph->operations()[static_cast<std::size_t>(step.operation)];
    work = work_of(o.op.leaf(schedule.graph->operand_types(o), schedule.graph->result_types(o)));
  }
  const auto bytes = [&](std::int32_t slot) {
    return static_cast<double>(schedule.slots[static_cast<std::size_t>(slot)].bytes);
  };
  for (std::int32_t slot : step.inputs) work.read += bytes(slot);
  for (std::int32_t slot : step.outputs) work.written += bytes(slot);
  return work;
}

Work work_of(const Schedule& schedule) {
  Work total;
  for (const Step& step : schedule.steps) {
    const Work work = work_of(schedule, step);
    total.flops += work.flops;
    total.read += work.read;
    total.written += work.written;
    total.transcendentals += work.transcendentals;
  }
  return total;
}

/// The parts of a strip, indented.
static std::string to_string(const Schedule& schedule, const Strip& strip) {
  std::string text = "  of " + std::to_string(strip.matrices) + " x " + std::to_string(strip.rows) +
                     " rows, " + std::to_string(strip.block) + " at a time, " +
                     std::to_string(strip.thread_bytes) + " bytes for each thread\n";
  for (const Strip::Part& part : strip.parts)
    text += part.leaf
                ? "  leaf " + part.leaf->description() + '\n'
                : "  kernel " + schedule.kernels[static_cast<std::size_t>(part.kernel)].name + '\n';
  return text;
}

std::string to_string(const Schedule& schedule) {
  const auto slot_text = [&](std::int32_t number) {
    const Slot& slot = schedule.slots[static_cast<std::size_t>(number)];
    switch (slot.where) {
      case Slot::Where::argument:
        return " argument" + std::to_string(slot.index);
      case Slot::Where::result:
        return " result" + std::to_string(slot.index);
      case Slot::Where::arena:
        break;
    }
    return " arena[" + std::to_string(slot.offset) + ", " + std::to_string(slot.bytes) + "]";
  };
  std::string text;
  for (const Step& step : schedule.steps) {
    if (step.kind == Cut::Kind::copy)
      text += "copy:";
    else if (step.kind == Cut::Kind::kernel)
      text += "kernel " + schedule.kernels[static_cast<std::size_t>(step.kernel)].name + ":";
    else if (step.kind == Cut::Kind::leaf)
      text += "leaf " + step.leaf->description() + ":";
    else if (step.strip)
      text += "strip:";
    else if (step.region)
      text += std::string(step.region->op.name()) + ":";
    else
      text += "reference:";
    for (std::int32_t slot : step.inputs) text += slot_text(slot);
    text += " ->";
    for (std::int32_t slot : step.outputs) text += slot_text(slot);
    text += '\n';
    if (step.region) text += to_string(*step.region);
    if (step.strip) text += to_string(schedule, *step.strip);
  }
  return text;
}

}  // namespace fluxion::codegen
