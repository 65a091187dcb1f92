// Loops inside a phase, in order or with their iterations as lanes, and what they carry.
#include "codegen/vectors/vector_run.hpp"

namespace fluxion::codegen {

using kernel::Carry;
using kernel::LoopKind;
using kernel::Tree;

void VectorRun::loop(std::int32_t number) {
  const Loop& l = k_.loops[at(number)];
  const std::int32_t opened = p_.lane_loop_[at(number)];
  const LaneLoop* const lanes = opened < 0 ? nullptr : &p_.lane_loops_[at(opened)];
  switch (l.kind) {
    case LoopKind::parallel:
      return lanes ? each_part(l, *lanes, [] {})
                   : each_point(l.variables, 0, [&] { block(l.body); });
    case LoopKind::reduce:
      return lanes ? reduce_lanes(number, *lanes) : reduce(number);
    default:
      return serial(number);
  }
}

template <class F>
void VectorRun::each_point(const std::vector<std::int32_t>& variables,
                           std::size_t level,
                           const F& f) {
  if (level == variables.size()) return f();
  std::int64_t& value = values_[at(variables[level])];
  const std::int64_t end = extent(variables[level]);
  for (value = 0; value < end; ++value) each_point(variables, level + 1, f);
}

template <class F> void VectorRun::each_part(const Loop& l, const LaneLoop& lanes, const F& f) {
  std::vector<std::int32_t> outer = l.variables;
  std::erase(outer, lanes.variable);
  const std::int64_t end = extent(lanes.variable);
  begin_lanes(lanes, false);
  each_point(outer, 0, [&] {
    for (std::int64_t low = 0; low < end; low += p_.lanes_) {
      values_[at(lanes.variable)] = low;
      add_lanes(lanes, std::min(p_.lanes_, end - low));
      block(l.body);
      f();
      runs_.clear();
      count_ = 0;
    }
  });
  end_lanes();
}

std::byte* VectorRun::state(std::int32_t number, std::size_t carry, std::int64_t which) const {
  const VectorProgram::Carried& carried = p_.carried_[at(number)];
  const std::int64_t index = static_cast<std::int64_t>(carry) * carried.states + which;
  return place(carried.place + static_cast<std::size_t>(index * p_.lanes_ * 8));
}

void VectorRun::copy_lanes(std::byte* to, const std::byte* from, std::int32_t bytes) const {
  std::memcpy(to, from, static_cast<std::size_t>(bytes * count_));
}

void VectorRun::set_initial(std::int32_t number) {
  const Loop& l = k_.loops[at(number)];
  for (std::size_t k = 0; k < l.carries.size(); ++k)
    copy_lanes(state(number, k), lanes_of(l.carries[k].initial), bytes_of(l.carries[k].initial));
}

void VectorRun::set_identities(std::int32_t number, std::int64_t lanes) {
  const Loop& l = k_.loops[at(number)];
  const VectorProgram::Carried& carried = p_.carried_[at(number)];
  for (std::size_t k = 0; k < l.carries.size(); ++k) {
    const std::int32_t bytes = bytes_of(l.carries[k].initial);
    for (std::int64_t which = 0; which < carried.states; ++which)
      fill_lanes(state(number, k, which), bytes, carried.identity[k], lanes);
  }
}

void VectorRun::set_results(std::int32_t number) {
  const Loop& l = k_.loops[at(number)];
  for (std::size_t k = 0; k < l.carries.size(); ++k)
    if (const Id result = l.carries[k].result; result >= 0)
      copy_lanes(lanes_of(result), state(number, k), bytes_of(result));
}

void VectorRun::combine_elements(std::int32_t number,
                                 std::int64_t which,
                                 std::int64_t from,
                                 std::int64_t count) {
  const Loop& l = k_.loops[at(number)];
  const VectorProgram::Carried& carried = p_.carried_[at(number)];
  const auto lane = [&](Id id) { return lanes_of(id) + from * bytes_of(id); };
  for (std::size_t k = 0; k < l.carries.size(); ++k) {
    const Carry& carry = l.carries[k];
    std::byte* const into = state(number, k, which);
    if (carried.replace[k]) {
      carried.replace[k](into,
                         reinterpret_cast<std::int64_t*>(state(number, k + 1, which)),
                         lane(carry.element),
                         reinterpret_cast<const std::int64_t*>(lane(l.carries[k + 1].element)),
                         count);
      ++k;
    } else if (carry.factor >= 0) {
      carried.combine[k](into, lane(carry.element), lane(carry.factor), into, count);
    } else {
      carried.combine[k](into, into, lane(carry.element), nullptr, count);
    }
  }
}

template <class Into, class From>
void VectorRun::combine_partial(std::int32_t number,
                                const Into& into,
                                const From& from,
                                std::int64_t count) {
  const VectorProgram::Carried& carried = p_.carried_[at(number)];
  for (std::size_t k = 0; k < carried.combine.size(); ++k) {
    if (carried.replace[k]) {
      carried.replace[k](into(k),
                         reinterpret_cast<std::int64_t*>(into(k + 1)),
                         from(k),
                         reinterpret_cast<const std::int64_t*>(from(k + 1)),
                         count);
      ++k;
    } else {
      carried.combine_partial[k](into(k), into(k), from(k), nullptr, count);
    }
  }
}

void VectorRun::finish_tree(std::int32_t number) {
  const Loop& l = k_.loops[at(number)];
  const std::size_t each = static_cast<std::size_t>(count_) * 8;
  std::vector<std::byte> results(l.carries.size() * each);
  const auto result = [&](std::size_t k) { return results.data() + k * each; };
  for (std::size_t k = 0; k < l.carries.size(); ++k)
    copy_lanes(result(k), lanes_of(l.carries[k].initial), bytes_of(l.carries[k].initial));
  combine_partial(number, result, [&](std::size_t k) { return state(number, k); }, count_);
  for (std::size_t k = 0; k < l.carries.size(); ++k)
    copy_lanes(state(number, k), result(k), bytes_of(l.carries[k].initial));
  set_results(number);
}

/// One iteration after the other, of all lanes.
void VectorRun::reduce(std::int32_t number) {
  const Loop& l = k_.loops[at(number)];
  const bool tree = l.tree == Tree::lanes;
  if (tree)
    set_identities(number, count_);
  else
    set_initial(number);
  each_point(l.variables, 0, [&] {
    block(l.body);
    combine_elements(number, tree ? values_[at(l.variables.back())] % 64 : 0, 0, count_);
  });
  if (!tree) return set_results(number);
  // Lower half with upper half; those that no element can reach would change nothing.
  std::int64_t left = p_.carried_[at(number)].states;
  for (std::int64_t half = 32; half >= 1; half /= 2) {
    for (std::int64_t n = half; n < left; ++n)
      combine_partial(
          number,
          [&](std::size_t k) { return state(number, k, n - half); },
          [&](std::size_t k) { return state(number, k, n); },
          count_);
    left = std::min(left, half);
  }
  finish_tree(number);
}

/// The innermost variable's values are lanes; the 64 accumulators are those of one state.
void VectorRun::reduce_lanes(std::int32_t number, const LaneLoop& lanes) {
  const Loop& l = k_.loops[at(number)];
  const bool tree = l.tree == Tree::lanes;
  if (tree)
    set_identities(number, 64);
  else
    set_initial(number);
  const std::int64_t step = tree ? 64 : 1;
  each_part(l, lanes, [&] {
    for (std::int64_t from = 0; from < count_; from += step)
      combine_elements(number, 0, from, std::min(step, count_ - from));
  });
  if (!tree) return set_results(number);
  for (std::int64_t half = 32; half >= 1; half /= 2)
    combine_partial(
        number,
        [&](std::size_t k) { return state(number, k); },
        [&](std::size_t k) { return state(number, k) + half * bytes_of(l.carries[k].initial); },
        half);
  finish_tree(number);
}

void VectorRun::serial(std::int32_t number) {
  const Loop& l = k_.loops[at(number)];
  set_initial(number);
  each_point(l.variables, 0, [&] {
    for (const auto& [id, position] : p_.carried_[at(number)].instructions)
      copy_lanes(lanes_of(id), state(number, at(position)), bytes_of(id));
    block(l.body);
    for (std::size_t k = 0; k < l.carries.size(); ++k)
      copy_lanes(state(number, k), lanes_of(l.carries[k].element), bytes_of(l.carries[k].element));
  });
  set_results(number);
}

}  // namespace fluxion::codegen
