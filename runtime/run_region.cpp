// Runs loops and branches over their programs: nothing is allocated from step to step, carries that
// are changed where they lie are not moved.
#include "runtime/run_step.hpp"
#include "trace/ops/control_flow.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fluxion::runtime {
namespace {

using codegen::Region;
using codegen::Result;
using codegen::Slot;

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// One program of a region with the memory of its slots.
class Bound {
 public:
  Bound(const ScheduledProgram& program, char* arena)
      : program_(program),
        memory_(program.schedule().slots.size()),
        arguments_(count(Slot::Where::argument)),
        results_(program.schedule().results.size(), -1) {
    const auto& slots = program.schedule().slots;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto index = static_cast<std::size_t>(slots[i].index);
      if (slots[i].where == Slot::Where::arena) memory_[i] = arena + slots[i].offset;
      if (slots[i].where == Slot::Where::argument) arguments_[index] = static_cast<std::int32_t>(i);
      if (slots[i].where == Slot::Where::result) results_[index] = static_cast<std::int32_t>(i);
    }
  }
  void give(std::size_t argument, const void* data) {
    memory_[static_cast<std::size_t>(arguments_[argument])] = const_cast<void*>(data);
  }
  const void* argument(std::size_t k) const {
    return memory_[static_cast<std::size_t>(arguments_[k])];
  }
  /// Where result k is to lie; a result that is an argument or another result as it is gets copied
  /// there after a run.
  void want(std::size_t k, void* data) {
    if (results_[k] >= 0) memory_[static_cast<std::size_t>(results_[k])] = data;
  }
  /// Lays out what stays the same for all runs, which was given before.
  void lay_out() {
    for (const codegen::Kept& kept : program_.schedule().kept)
      kept.layout->run(&memory_[static_cast<std::size_t>(kept.argument)],
                       &memory_[static_cast<std::size_t>(kept.place)],
                       nullptr);
  }
  void run() { program_.run(memory_.data()); }
  /// Copies result k to where it is wanted, if no step wrote it there.
  void deliver(std::size_t k, void* to) const {
    const Result& result = program_.schedule().results[k];
    if (result.from == Result::From::argument)
      copy(argument(static_cast<std::size_t>(result.index)), to, result.bytes);
    if (result.from == Result::From::result)
      copy(memory_[static_cast<std::size_t>(results_[static_cast<std::size_t>(result.index)])],
           to,
           result.bytes);
  }
  std::size_t result_bytes(std::size_t k) const { return program_.schedule().results[k].bytes; }
  std::size_t argument_bytes(std::size_t k) const {
    return program_.schedule().slots[static_cast<std::size_t>(arguments_[k])].bytes;
  }

 private:
  std::size_t count(Slot::Where where) const {
    const auto& slots = program_.schedule().slots;
    return static_cast<std::size_t>(
        std::count_if(slots.begin(), slots.end(), [&](const Slot& s) { return s.where == where; }));
  }
  const ScheduledProgram& program_;
  std::vector<void*> memory_;
  std::vector<std::int32_t> arguments_, results_;  // slots
};

/// The carries of a loop: each lies in its result, or there and in a second place in turn.
class Carries {
 public:
  Carries(
      const Region& region, Bound& body, void* const* initial, void* const* outputs, char* scratch)
      : region_(region),
        body_(body),
        outputs_(outputs),
        scratch_(scratch),
        now_(region.in_place.size()) {
    for (std::size_t k = 0; k < now_.size(); ++k) {
      now_[k] = initial[k];
      if (!region.in_place[k]) continue;
      copy(initial[k], outputs[k], body.result_bytes(k));
      now_[k] = outputs[k];
      body_.give(region.first_carry() + k, outputs[k]);
      body_.want(k, outputs[k]);
    }
  }
  const void* now(std::size_t k) const { return now_[k]; }
  /// `into_results`: the step's carries are to lie in the results, otherwise in their second
  /// places.
  void before_step(bool into_results) {
    for (std::size_t k = 0; k < now_.size(); ++k) {
      if (region_.in_place[k]) continue;
      body_.give(region_.first_carry() + k, now_[k]);
      body_.want(k, place(k, into_results));
    }
  }
  void after_step(bool into_results) {
    for (std::size_t k = 0; k < now_.size(); ++k)
      if (!region_.in_place[k]) body_.deliver(k, place(k, into_results));
    for (std::size_t k = 0; k < now_.size(); ++k)
      if (!region_.in_place[k]) now_[k] = place(k, into_results);
  }
  void finish() {
    for (std::size_t k = 0; k < now_.size(); ++k) copy(now_[k], outputs_[k], body_.result_bytes(k));
  }

 private:
  void* place(std::size_t k, bool in_result) const {
    return in_result ? outputs_[k] : scratch_ + region_.places[k];
  }
  const Region& region_;
  Bound& body_;
  void* const* outputs_;
  char* scratch_;
  std::vector<const void*> now_;
};

void run_scan(const ops::Scan& scan,
              const Region& region,
              Bound body,
              void* const* inputs,
              void* const* outputs,
              char* scratch) {
  std::int64_t steps = scan.length;
  if (scan.counted)
    steps = std::clamp<std::int64_t>(*static_cast<const std::int64_t*>(inputs[0]), 0, scan.length);
  const std::size_t skip = size(scan.count_operands()),
                    first_row = 1 + size(scan.constants + scan.carries),
                    carries = size(scan.carries);
  std::int64_t row = 0;
  body.give(0, &row);
  for (std::size_t k = 0; k < size(scan.constants); ++k) body.give(1 + k, inputs[skip + k]);
  if (steps > 0) body.lay_out();
  Carries state(region, body, inputs + region.first_initial(), outputs, scratch);
  const std::size_t read = size(scan.rows()), written = scan.written_rows();
  for (std::size_t k = 0; scan.counted && k < written; ++k)  // the rows that no step writes
    if (const std::size_t bytes = body.result_bytes(carries + k))
      std::memset(
          static_cast<char*>(outputs[carries + k]) + static_cast<std::size_t>(steps) * bytes,
          0,
          static_cast<std::size_t>(scan.length - steps) * bytes);
  for (std::int64_t step = 0; step < steps; ++step) {
    row = scan.reverse ? steps - 1 - step : step;
    const bool into_results = (steps - 1 - step) % 2 == 0;  // so that the last step's lie there
    const auto at = static_cast<std::size_t>(row);
    for (std::size_t k = 0; k < read; ++k)
      body.give(first_row + k,
                static_cast<const char*>(inputs[skip + first_row - 1 + k]) +
                    at * body.argument_bytes(first_row + k));
    const auto row_of = [&](std::size_t k) {
      return static_cast<char*>(outputs[carries + k]) + at * body.result_bytes(carries + k);
    };
    for (std::size_t k = 0; k < written; ++k) body.want(carries + k, row_of(k));
    state.before_step(into_results);
    body.run();
    for (std::size_t k = 0; k < written; ++k) body.deliver(carries + k, row_of(k));
    state.after_step(into_results);
  }
  state.finish();
}

void run_while(const ops::While& loop,
               const Region& region,
               Bound condition,
               Bound body,
               void* const* inputs,
               void* const* outputs,
               char* scratch) {
  for (std::size_t k = 0; k < size(loop.condition_constants); ++k) condition.give(k, inputs[k]);
  for (std::size_t k = 0; k < size(loop.body_constants); ++k)
    body.give(k, inputs[size(loop.condition_constants) + k]);
  bool laid_out = false;
  Carries state(region, body, inputs + region.first_initial(), outputs, scratch);
  char* flag = scratch + region.flag;
  condition.want(0, flag);
  for (bool into_results = true;; into_results = !into_results) {
    for (std::size_t k = 0; k < size(loop.carries()); ++k)
      condition.give(size(loop.condition_constants) + k, state.now(k));
    condition.run();
    condition.deliver(0, flag);
    if (!*flag) break;
    if (!std::exchange(laid_out, true)) body.lay_out();
    state.before_step(into_results);
    body.run();
    state.after_step(into_results);
  }
  state.finish();
}

void run_branch(Bound branch, const Graph& program, void* const* inputs, void* const* outputs) {
  for (std::size_t k = 0; k < size(program.input_count()); ++k) branch.give(k, inputs[1 + k]);
  for (std::size_t k = 0; k < program.outputs().size(); ++k) branch.want(k, outputs[k]);
  branch.run();
  for (std::size_t k = 0; k < program.outputs().size(); ++k) branch.deliver(k, outputs[k]);
}

}  // namespace

void run_region(const Region& region,
                const ScheduledPrograms& programs,
                void* const* given,
                void* const* outputs,
                char* scratch) {
  // Operands by number: carries that are changed in place begin where they end.
  const auto in_place =
      static_cast<std::size_t>(std::count(region.in_place.begin(), region.in_place.end(), true));
  const std::size_t operand_count = region.operand_count();
  Scratch<void*, 64> operands(operand_count);
  for (std::size_t k = 0, next = 0; k < operand_count; ++k) {
    const std::size_t carry = k - region.first_initial();
    const bool stays = in_place > 0 && k >= region.first_initial() &&
                       carry < region.in_place.size() && region.in_place[carry];
    operands[k] = stays ? outputs[carry] : given[next++];
  }
  void* const* inputs = operands.data();
  const auto bound = [&](std::size_t k) { return Bound(*programs[k], scratch + region.arenas[k]); };
  if (const auto* scan = region.op.as<ops::Scan>())
    return run_scan(*scan, region, bound(0), inputs, outputs, scratch);
  if (const auto* loop = region.op.as<ops::While>())
    return run_while(*loop, region, bound(0), bound(1), inputs, outputs, scratch);
  const auto* branches = region.op.as<ops::Cond>();
  if (!branches) throw InternalError("no way to run " + std::string(region.op.name()));
  const auto last = static_cast<std::int32_t>(branches->branches.size()) - 1;
  const auto chosen =
      static_cast<std::size_t>(std::clamp(*static_cast<const std::int32_t*>(inputs[0]), 0, last));
  run_branch(bound(chosen), *branches->branches[chosen], inputs, outputs);
}

}  // namespace fluxion::runtime
