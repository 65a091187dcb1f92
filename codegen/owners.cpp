// Whose the arena's bytes are at the moment when the most of them are in use.
#include "codegen/regions.hpp"
#include "codegen/report.hpp"
#include "codegen/strips.hpp"
#include "trace/ops/control_flow.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace fluxion::codegen {
namespace {

/// From the step that writes a slot of the arena first to the one that uses it last.
struct Life {
  std::int32_t first = INT32_MAX, last = -1;
};

std::vector<Life> lives_of(const Schedule& schedule) {
  std::vector<Life> lives(schedule.slots.size());
  const auto use = [&](std::int32_t slot, std::size_t step) {
    const auto at = static_cast<std::size_t>(slot);
    if (schedule.slots[at].where != Slot::Where::arena) return;
    lives[at].first = std::min(lives[at].first, static_cast<std::int32_t>(step));
    lives[at].last = std::max(lives[at].last, static_cast<std::int32_t>(step));
  };
  for (std::size_t s = 0; s < schedule.steps.size(); ++s) {
    const Step& step = schedule.steps[s];
    for (std::int32_t slot : step.inputs) use(slot, s);
    for (std::int32_t slot : step.outputs) use(slot, s);
    if (step.scratch >= 0) use(step.scratch, s);
  }
  for (const Kept& kept : schedule.kept)
    lives[static_cast<std::size_t>(kept.place)] = {
        0, static_cast<std::int32_t>(schedule.steps.size()) - 1};
  // An operand whose memory becomes a result's is that result from this step on.
  for (std::size_t s = 0; s < schedule.steps.size(); ++s) {
    const Step& step = schedule.steps[s];
    for (std::int32_t out : step.outputs) {
      const Slot& to = schedule.slots[static_cast<std::size_t>(out)];
      if (to.where != Slot::Where::arena) continue;
      for (std::int32_t in : step.inputs) {
        const Slot& from = schedule.slots[static_cast<std::size_t>(in)];
        Life& life = lives[static_cast<std::size_t>(in)];
        if (in != out && from.where == to.where && from.offset == to.offset && to.bytes > 0 &&
            life.last == static_cast<std::int32_t>(s))
          --life.last;
      }
    }
  }
  return lives;
}

std::size_t moment_of_most(const Schedule& schedule, const std::vector<Life>& lives) {
  std::vector<std::ptrdiff_t> change(schedule.steps.size() + 1);
  for (std::size_t i = 0; i < lives.size(); ++i) {
    if (lives[i].last < lives[i].first) continue;
    const auto bytes = static_cast<std::ptrdiff_t>(schedule.slots[i].bytes);
    change[static_cast<std::size_t>(lives[i].first)] += bytes;
    change[static_cast<std::size_t>(lives[i].last) + 1] -= bytes;
  }
  std::size_t moment = 0;
  std::ptrdiff_t now = 0, most = 0;
  for (std::size_t s = 0; s < schedule.steps.size(); ++s) {
    now += change[s];
    if (now > most) {
      most = now;
      moment = s;
    }
  }
  return moment;
}

const Operation& maker_of(const Graph& graph, ValueId v) {
  const auto& operations = graph.operations();
  return *(std::upper_bound(operations.begin(),
                            operations.end(),
                            v,
                            [](ValueId a, const Operation& o) { return a < o.first_result; }) -
           1);
}

/// What a loop or a branch holds: its programs' temporaries (the largest branch's), and the second
/// places of carries.
void add_region(std::vector<Owner>& owners, const Region& region, const Operation& o) {
  const auto larger = [](const auto& a, const auto& b) { return a->alive_bytes < b->alive_bytes; };
  const auto largest = std::max_element(region.programs.begin(), region.programs.end(), larger);
  for (const auto& program : region.programs)
    if (!o.op.as<ops::Cond>() || program == *largest)
      for (Owner& owner : owners_of(*program)) owners.push_back(std::move(owner));
  const auto& results = region.programs.back()->results;
  for (std::size_t k = 0; k < region.in_place.size(); ++k)
    if (!region.in_place[k] && results[k].bytes > 0)
      owners.push_back({results[k].bytes, fmt::format("{} carry {}", o.op.name(), k), o.site});
}

}  // namespace

std::vector<Owner> owners_of(const Schedule& schedule) {
  const std::vector<Life> lives = lives_of(schedule);
  const std::size_t moment = moment_of_most(schedule, lives);
  const auto alive = [&](std::int32_t slot) {
    const auto at = static_cast<std::size_t>(slot);
    return schedule.slots[at].bytes > 0 && lives[at].first <= static_cast<std::int32_t>(moment) &&
           static_cast<std::int32_t>(moment) <= lives[at].last;
  };
  std::vector<Owner> of_slot(schedule.slots.size());
  const auto made_by = [&](const Step& step) {
    const Group& group = schedule.cuts[static_cast<std::size_t>(step.cut)].group;
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      if (!alive(step.outputs[k])) continue;
      const Operation& o = maker_of(*schedule.graph, group.outputs[k]);
      of_slot[static_cast<std::size_t>(step.outputs[k])] = {
          schedule.slots[static_cast<std::size_t>(step.outputs[k])].bytes,
          std::string(o.op.name()),
          o.site};
    }
  };
  for (std::size_t s = 0; s <= moment && s < schedule.steps.size(); ++s) {
    const Step& step = schedule.steps[s];
    if (step.strip)
      for (const Step& part : step.strip->steps) made_by(part);
    else if (step.kind != Cut::Kind::copy)  // the step after it writes the same slot
      made_by(step);
  }
  for (const Kept& kept : schedule.kept) {
    const Operation& o = schedule.graph->operations()[static_cast<std::size_t>(kept.operation)];
    const auto place = static_cast<std::size_t>(kept.place);
    of_slot[place] = {schedule.slots[place].bytes, std::string(o.op.name()) + " layout", o.site};
  }
  std::vector<Owner> owners;
  for (Owner& owner : of_slot)
    if (owner.bytes > 0) owners.push_back(std::move(owner));
  if (moment < schedule.steps.size()) {
    const Step& step = schedule.steps[moment];
    if (step.scratch >= 0 && alive(step.scratch)) {
      const Operation& o = schedule.graph->operations()[static_cast<std::size_t>(step.operation)];
      if (step.region)
        add_region(owners, *step.region, o);
      else
        owners.push_back({schedule.slots[static_cast<std::size_t>(step.scratch)].bytes,
                          std::string(o.op.name()) + " scratch",
                          o.site});
    }
  }
  std::stable_sort(owners.begin(), owners.end(), [](const Owner& a, const Owner& b) {
    return a.bytes > b.bytes;
  });
  return owners;
}

}  // namespace fluxion::codegen
