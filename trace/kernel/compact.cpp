// The last step of writing a kernel: what nothing needs is dropped, the rest is numbered in program
// order, operations are counted.
#include "trace/kernel/builder_state.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::kernel {

namespace {

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
bool is_pair(Combiner c) { return c == Combiner::arg_min || c == Combiner::arg_max; }

/// Marks what stores and updates need, through operands, accesses and loops.
class Liveness {
 public:
  explicit Liveness(const Kernel& kernel)
      : instructions(kernel.instructions.size()),
        loops(kernel.loops.size()),
        carries(kernel.loops.size()),
        kernel_(kernel),
        owner_(kernel.instructions.size(), -1),
        parent_(kernel.loops.size(), -1) {
    for (std::size_t k = 0; k < kernel.loops.size(); ++k) {
      carries[k].resize(kernel.loops[k].carries.size());
    }
    own(kernel.top, -1);
    for (std::size_t id = 0; id < kernel.instructions.size(); ++id) {
      Verb verb = kernel.instructions[id].verb;
      if (verb == Verb::store || verb == Verb::update) mark(static_cast<Id>(id));
    }
    while (!pending_.empty()) {
      Id id = pending_.back();
      pending_.pop_back();
      visit(id);
    }
  }

  std::vector<bool> instructions, loops;
  std::vector<std::vector<bool>> carries;

 private:
  void own(const Block& block, std::int32_t loop) {
    for (const Item& item : block) {
      if (!item.is_loop) {
        owner_[at(item.index)] = loop;
        continue;
      }
      parent_[at(item.index)] = loop;
      own(kernel_.loops[at(item.index)].condition_block, item.index);
      own(kernel_.loops[at(item.index)].body, item.index);
    }
  }

  void mark(Id id) {
    if (id < 0 || instructions[at(id)]) return;
    instructions[at(id)] = true;
    pending_.push_back(id);
  }

  void mark_loop(std::int32_t number) {
    for (; number >= 0 && !loops[at(number)]; number = parent_[at(number)]) {
      loops[at(number)] = true;
      mark(kernel_.loops[at(number)].trip_count);
      mark(kernel_.loops[at(number)].condition);
    }
  }

  void mark_carry(std::int32_t number, std::int32_t position) {
    if (carries[at(number)][at(position)]) return;
    carries[at(number)][at(position)] = true;
    const Loop& loop = kernel_.loops[at(number)];
    const Carry& carry = loop.carries[at(position)];
    mark(carry.initial);
    mark(carry.element);
    mark(carry.factor);
    if (loop.kind != LoopKind::reduce || !is_pair(carry.combiner)) return;
    // Pairs stand side by side: the number of pair carries before says which half this one is.
    std::int32_t before = 0;
    for (std::int32_t k = 0; k < position; ++k) before += is_pair(loop.carries[at(k)].combiner);
    mark_carry(number, before % 2 == 0 ? position + 1 : position - 1);
  }

  void visit(Id id) {
    const Instruction& i = kernel_.instructions[at(id)];
    mark_loop(owner_[at(id)]);
    const Id operands[] = {i.a, i.b, i.c};
    for (int k = 0; k < operand_count(i.verb); ++k) mark(operands[k]);
    if (i.verb == Verb::carry || i.verb == Verb::result) {
      mark_loop(i.a);
      mark_carry(i.a, i.b);
    }
    if (i.verb == Verb::load || i.verb == Verb::store || i.verb == Verb::update) {
      const Access& access = kernel_.accesses[i.bits];
      mark(access.predicate);
      mark(access.otherwise);
      for (const Affine::Term& term : access.offset.opaque) mark(term.of);
    }
  }

  const Kernel& kernel_;
  std::vector<std::int32_t> owner_, parent_;
  std::vector<Id> pending_;
};

/// Copies the live part of a kernel, numbering as it goes.
class Renumber {
 public:
  Renumber(const Kernel& old, const Liveness& live)
      : old_(old),
        live_(live),
        ids_(old.instructions.size(), -1),
        variables_(old.variables.size(), -1),
        accesses_(old.accesses.size(), -1),
        tables_(old.tables.size(), -1),
        loops_(old.loops.size(), -1) {
    result_.instructions.reserve(old.instructions.size());
    result_.accesses.reserve(old.accesses.size());
    result_.name = old.name;
    result_.buffers = old.buffers;
    result_.top = block(old.top);
  }
  Kernel take() { return std::move(result_); }

 private:
  Id id(Id old) const { return old < 0 ? -1 : ids_[at(old)]; }

  template <class T, class Make>
  std::int32_t number(std::vector<std::int32_t>& numbers,
                      std::size_t old,
                      std::vector<T>& list,
                      Make make) {
    if (numbers[old] < 0) {
      T made = make();
      numbers[old] = static_cast<std::int32_t>(list.size());
      list.push_back(std::move(made));
    }
    return numbers[old];
  }

  Affine affine(const Affine& old) const {
    Affine result = old;
    for (Affine::Term& term : result.variables) term.of = variables_[at(term.of)];
    for (Affine::Term& term : result.opaque) term.of = id(term.of);
    for (Affine::Terms* terms : {&result.variables, &result.opaque})
      std::sort(terms->begin(), terms->end(), [](const Affine::Term& a, const Affine::Term& b) {
        return a.of < b.of;
      });
    return result;
  }

  Block block(const Block& old) {
    Block result;
    result.reserve(old.size());
    for (const Item& item : old) {
      if (item.is_loop) {
        if (live_.loops[at(item.index)]) result.push_back({true, loop(item.index)});
      } else if (live_.instructions[at(item.index)]) {
        result.push_back({false, instruction(item.index)});
      }
    }
    return result;
  }

  std::int32_t loop(std::int32_t old_number) {
    const Loop& old = old_.loops[at(old_number)];
    std::int32_t fresh = static_cast<std::int32_t>(result_.loops.size());
    loops_[at(old_number)] = fresh;
    result_.loops.emplace_back();
    Loop loop;
    loop.kind = old.kind;
    loop.tree = old.tree;
    for (std::int32_t variable : old.variables) {
      loop.variables.push_back(number(variables_, at(variable), result_.variables, [&] {
        return old_.variables[at(variable)];
      }));
    }
    loop.trip_count = id(old.trip_count);
    loop.condition_block = block(old.condition_block);
    loop.condition = id(old.condition);
    loop.body = block(old.body);
    for (std::size_t k = 0; k < old.carries.size(); ++k) {
      if (!live_.carries[at(old_number)][k]) continue;
      const Carry& carry = old.carries[k];
      loop.carries.push_back(
          {carry.combiner, id(carry.initial), id(carry.element), id(carry.factor), -1});
    }
    result_.loops[at(fresh)] = std::move(loop);
    return fresh;
  }

  std::int32_t instruction(std::int32_t old_id) {
    Instruction i = old_.instructions[at(old_id)];
    Id* operands[] = {&i.a, &i.b, &i.c};
    for (int k = 0; k < operand_count(i.verb); ++k) *operands[k] = id(*operands[k]);
    std::int32_t fresh = static_cast<std::int32_t>(result_.instructions.size());
    switch (i.verb) {
      case Verb::loop_index:
        i.bits = static_cast<std::uint64_t>(variables_[i.bits]);
        break;
      case Verb::table:
        i.bits = static_cast<std::uint64_t>(
            number(tables_, i.bits, result_.tables, [&] { return old_.tables[i.bits]; }));
        break;
      case Verb::load:
      case Verb::store:
      case Verb::update:
        i.bits = static_cast<std::uint64_t>(number(accesses_, i.bits, result_.accesses, [&] {
          const Access& old = old_.accesses[i.bits];
          return Access{old.buffer, affine(old.offset), id(old.predicate), id(old.otherwise)};
        }));
        break;
      case Verb::carry:
      case Verb::result: {
        const auto& live = live_.carries[at(i.a)];
        i.b = static_cast<Id>(std::count(live.begin(), live.begin() + i.b, true));
        i.a = loops_[at(i.a)];
        if (i.verb == Verb::result) result_.loops[at(i.a)].carries[at(i.b)].result = fresh;
        break;
      }
      default:
        break;
    }
    ids_[at(old_id)] = fresh;
    result_.instructions.push_back(i);
    return fresh;
  }

  const Kernel& old_;
  const Liveness& live_;
  std::vector<Id> ids_;
  std::vector<std::int32_t> variables_, accesses_, tables_, loops_;
  Kernel result_;
};

class Count {
 public:
  explicit Count(const Kernel& kernel) : kernel_(kernel) {
    block(kernel.top, 0);
    if (iterations_ > 0) {
      for (double* part : {&total_.flops, &total_.bytes_in, &total_.bytes_out})
        *part /= iterations_;
    }
  }
  Facts total() const { return total_; }

 private:
  void block(const Block& block, double weight) {
    for (const Item& item : block) {
      if (item.is_loop)
        loop(kernel_.loops[at(item.index)], weight);
      else
        instruction(kernel_.instructions[at(item.index)], weight);
    }
  }
  void loop(const Loop& loop, double weight) {
    bool outermost = weight == 0;
    if (outermost) weight = 1;
    for (std::int32_t v : loop.variables) {
      weight *= static_cast<double>(kernel_.variables[at(v)].extent);
    }
    if (outermost) iterations_ = std::max(iterations_, weight);
    if (loop.kind == LoopKind::reduce) {
      total_.flops += weight * static_cast<double>(loop.carries.size());
    }
    block(loop.condition_block, weight);
    block(loop.body, weight);
  }
  void instruction(const Instruction& i, double weight) {
    switch (i.verb) {
      case Verb::constant:
      case Verb::loop_index:
      case Verb::carry:
      case Verb::result:
      case Verb::bitcast:
      case Verb::table:
        return;
      case Verb::load:
      case Verb::store:
      case Verb::update: {
        const Access& access = kernel_.accesses[i.bits];
        const BufferDecl& buffer = kernel_.buffers[at(access.buffer)];
        if (buffer.role == Role::scratch) return;
        double bytes = weight * bytes_of(buffer.dtype);
        if (i.verb != Verb::store) total_.bytes_in += bytes;
        if (i.verb != Verb::load) total_.bytes_out += bytes;
        return;
      }
      case Verb::fma:
        total_.flops += 2 * weight;
        return;
      default:
        total_.flops += weight;
        return;
    }
  }

  const Kernel& kernel_;
  Facts total_;
  double iterations_ = 0;
};

}  // namespace

Kernel compact(Kernel kernel) {
  Liveness live(kernel);
  return Renumber(kernel, live).take();
}

Facts count_facts(const Kernel& kernel) { return Count(kernel).total(); }

}  // namespace fluxion::kernel
