// Which loops of a kernel run over lanes when it has no machine code, and what a run takes.
#include "codegen/vectors/vector_program.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <optional>

namespace fluxion::codegen {

using kernel::Access;
using kernel::Block;
using kernel::Carry;
using kernel::Combiner;
using kernel::Id;
using kernel::Instruction;
using kernel::Item;
using kernel::Loop;
using kernel::LoopKind;
using kernel::Promise;
using kernel::Tree;
using kernel::Verb;

namespace {

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

bool is_pair(Combiner combiner) {
  return combiner == Combiner::arg_min || combiner == Combiner::arg_max;
}

std::optional<Verb> verb_of(Combiner combiner) {
  switch (combiner) {
    case Combiner::add:
      return Verb::add;
    case Combiner::mul:
      return Verb::mul;
    case Combiner::min:
      return Verb::min;
    case Combiner::max:
      return Verb::max;
    case Combiner::bit_and:
      return Verb::bit_and;
    case Combiner::bit_or:
      return Verb::bit_or;
    case Combiner::bit_xor:
      return Verb::bit_xor;
    default:
      return std::nullopt;
  }
}

/// Whether the instruction needs a LaneFunction.
bool computes(Verb verb) {
  switch (verb) {
    case Verb::constant:
    case Verb::loop_index:
    case Verb::carry:
    case Verb::result:
    case Verb::load:
    case Verb::store:
    case Verb::update:
    case Verb::table:
      return false;
    default:
      return true;
  }
}

/// Nanoseconds of a call, as measured with AVX2 at 2.5 GHz when the code is run for the first time.
constexpr double call_cost = 10;

/// Of a lane, beside those of the call.
double lane_cost(const Instruction& i) {
  const double size = kernel::bytes_of(i.type) / 4.0;
  switch (i.verb) {
    case Verb::div:
    case Verb::rem:
      return kernel::is_float(i.type) ? 1.5 * size : 10;
    case Verb::sqrt:
      return 1.5 * size;
    case Verb::convert:
      return kernel::is_narrow_float(i.type) ? 10 : 1;
    case Verb::load:
    case Verb::store:
      return 1;
    case Verb::update:
      return 10;
    default:
      return 0.2 * size;
  }
}

}  // namespace

/// Fills in a program; run() is false where the kernel cannot be run so.
class VectorAnalysis {
 public:
  VectorAnalysis(VectorProgram& program, double most)
      : p_(program), k_(program.kernel_), most_(most) {}

  bool run() {
    p_.code_.resize(k_.instructions.size());
    p_.updates_.resize(k_.instructions.size());
    p_.lane_loop_.assign(k_.loops.size(), -1);
    p_.carried_.resize(k_.loops.size());
    defined_in_.assign(k_.instructions.size(), -1);
    is_top_.resize(k_.instructions.size());
    for (const Item& item : k_.top)
      if (!item.is_loop) is_top_[at(item.index)] = true;
    if (updates_interleave()) return false;
    choose_lanes();
    for (const Item& item : k_.top)
      if (!item.is_loop) instruction(item.index, 1, 1, -1);
    for (const PhaseMapping& phase : p_.mapping_.phases) {
      const Loop& band = k_.loops[at(phase.loop)];
      const std::int32_t lanes = p_.lane_loop_[at(phase.loop)];
      const double points = total(band.variables);
      const double n = lanes < 0 ? 1
                       : p_.lane_loops_[at(lanes)].one_unit
                           ? std::min<double>(points, static_cast<double>(phase.chunk))
                           : std::min<double>(points, static_cast<double>(p_.lanes_));
      // A unit is found, and lanes are set up by accesses and units.
      cost_ += 40 * static_cast<double>(phase.iterations * phase.tile);
      block(band.body, points / n, n, lanes);
    }
    if (!possible_ || cost_ > most_) return false;
    for (std::size_t k = 0; k < p_.lane_loops_.size(); ++k)
      find_what_is_inside(p_.lane_loops_[k], loops_of_lanes_[k], static_cast<std::int32_t>(k));
    VectorProgram::place_values(p_);
    p_.nanoseconds_ = cost_;
    return true;
  }

 private:
  std::int64_t extent(std::int32_t variable) const { return k_.variables[at(variable)].extent; }
  double total(const std::vector<std::int32_t>& variables) const {
    double product = 1;
    for (std::int32_t v : variables) product *= static_cast<double>(extent(v));
    return product;
  }
  template <class F> void each_item(const Block& items, const F& f) const {
    for (const Item& item : items) {
      f(item);
      if (item.is_loop) each_item(k_.loops[at(item.index)].body, f);
    }
  }

  /// Whether several updates may meet in an element: in which order would follow from the number of
  /// lanes.
  bool updates_interleave() const {
    std::vector<int> updates(k_.buffers.size());
    for (const Instruction& i : k_.instructions)
      if (i.verb == Verb::update && static_cast<Promise>(i.c) != Promise::unique)
        ++updates[at(k_.accesses[i.bits].buffer)];
    return std::any_of(updates.begin(), updates.end(), [](int count) { return count > 1; });
  }

  // Lanes.

  /// Whether the iterations of a loop that no lanes surround become lanes.
  bool opens(std::int32_t number) const {
    const Loop& l = k_.loops[at(number)];
    if ((l.kind != LoopKind::parallel && l.kind != LoopKind::reduce) || l.variables.empty())
      return false;
    return p_.mapping_.loops[at(number)].variable >= 0 ||
           std::none_of(l.body.begin(), l.body.end(), [](const Item& i) { return i.is_loop; });
  }
  /// Whether a loop inside has enough iterations for lanes.
  bool has_lanes_inside(const Block& items) const {
    bool found = false;
    each_item(items, [&](const Item& item) {
      found = found || (item.is_loop && opens(item.index) &&
                        extent(k_.loops[at(item.index)].variables.back()) >= 8);
    });
    return found;
  }

  void open(std::int32_t number, std::int32_t variable, std::vector<std::int32_t> variables) {
    p_.lane_loop_[at(number)] = static_cast<std::int32_t>(p_.lane_loops_.size());
    p_.lane_loops_.push_back({variable, std::move(variables), {}, {}, false});
    loops_of_lanes_.push_back(number);
  }
  void open_inside(const Block& items) {
    for (const Item& item : items) {
      if (!item.is_loop) continue;
      const Loop& l = k_.loops[at(item.index)];
      if (!opens(item.index)) {
        open_inside(l.body);
        continue;
      }
      const std::int32_t chosen = p_.mapping_.loops[at(item.index)].variable;
      const bool any = chosen >= 0 && l.kind == LoopKind::parallel;
      const std::int32_t variable = any ? chosen : l.variables.back();
      open(item.index, variable, {variable});
    }
  }
  void choose_lanes() {
    bool long_state = false;
    for (const PhaseMapping& phase : p_.mapping_.phases) {
      const Loop& band = k_.loops[at(phase.loop)];
      const std::int32_t variable = p_.mapping_.loops[at(phase.loop)].variable;
      int updates = 0, loops = 0;
      each_item(band.body, [&](const Item& item) {
        loops += item.is_loop;
        updates += !item.is_loop && k_.instructions[at(item.index)].verb == Verb::update;
      });
      if (variable < 0 && (has_lanes_inside(band.body) || (updates > 0 && loops > 0))) {
        open_inside(band.body);
        continue;
      }
      open(phase.loop, variable, band.variables);
      // Updates of one element keep the order of the units.
      p_.lane_loops_.back().one_unit = updates > 1 || (updates > 0 && loops > 0);
      each_item(band.body, [&](const Item& item) {
        if (!item.is_loop) return;
        const Loop& l = k_.loops[at(item.index)];
        long_state = long_state || (l.kind == LoopKind::reduce && l.tree == Tree::lanes &&
                                    extent(l.variables.back()) > 4);
      });
    }
    // As many as fill them, in whole trees of accumulators.
    std::int64_t most = 0;
    for (const VectorProgram::LaneLoop& lanes : p_.lane_loops_)
      most = std::max(most, static_cast<std::int64_t>(total(lanes.variables)));
    p_.lanes_ = long_state ? 64 : std::clamp<std::int64_t>((most + 63) / 64 * 64, 64, 256);
  }

  // Instructions, and what they take.

  void block(const Block& items, double times, double lanes, std::int32_t inside) {
    for (const Item& item : items) {
      if (item.is_loop)
        loop(item.index, times, lanes, inside);
      else
        instruction(item.index, times, lanes, inside);
      if (!possible_ || cost_ > most_) return;
    }
  }

  void instruction(Id id, double times, double lanes, std::int32_t inside) {
    const Instruction& i = k_.instructions[at(id)];
    VectorProgram::Code& code = p_.code_[at(id)];
    code.bytes = kernel::bytes_of(i.type);
    code.in_lanes = inside >= 0;
    defined_in_[at(id)] = inside;
    if (computes(i.verb)) {
      code.function = lane_function(i.verb, i.type, k_.instructions[at(i.a)].type);
      possible_ = possible_ && code.function;
    } else if (i.verb == Verb::update) {
      const auto combiner = static_cast<Combiner>(i.b);
      const auto verb = verb_of(combiner);
      if (verb) p_.updates_[at(id)] = lane_function(*verb, i.type, i.type);
      possible_ = possible_ && (combiner == Combiner::set || p_.updates_[at(id)]);
    }
    cost_ += times * (call_cost + lanes * lane_cost(i));
  }

  void loop(std::int32_t number, double times, double lanes, std::int32_t inside) {
    const Loop& l = k_.loops[at(number)];
    if (l.kind == LoopKind::repeat_while || l.trip_count >= 0) {
      possible_ = false;
      return;
    }
    if (l.kind == LoopKind::reduce) combiners(number);
    if (l.kind == LoopKind::serial) {
      each_item(l.body, [&](const Item& item) {
        const Instruction& i = k_.instructions[at(item.index)];
        if (!item.is_loop && i.verb == Verb::carry && i.a == number)
          p_.carried_[at(number)].instructions.emplace_back(item.index, i.b);
      });
    }
    const std::int32_t own = p_.lane_loop_[at(number)];
    double steps = total(l.variables), now = lanes;
    if (own >= 0) {
      const double along = static_cast<double>(extent(p_.lane_loops_[at(own)].variable));
      now = std::min(along, static_cast<double>(p_.lanes_));
      steps = steps / now;
      cost_ += times * 40;
    }
    // The states of carries are combined once a step, those of long rows in 64 folds.
    const double carries = static_cast<double>(l.carries.size());
    const bool in_order = own >= 0 && l.tree == Tree::sequential;
    cost_ += times * steps * carries * (in_order ? call_cost * now : call_cost + 0.3 * now);
    if (l.kind == LoopKind::reduce && l.tree == Tree::lanes)
      cost_ += times * carries * (own >= 0 ? 10 * call_cost : 128 * (call_cost + 0.3 * now));
    block(l.body, times * steps, now, own >= 0 ? own : inside);
  }

  void combiners(std::int32_t number) {
    const Loop& l = k_.loops[at(number)];
    VectorProgram::Carried& carried = p_.carried_[at(number)];
    const std::size_t count = l.carries.size();
    carried.combine.resize(count);
    carried.combine_partial.resize(count);
    carried.replace.resize(count);
    for (std::size_t k = 0; k < count; ++k) {
      const Carry& carry = l.carries[k];
      const DType type = k_.instructions[at(carry.initial)].type;
      carried.identity.push_back(kernel::identity_bits(carry.combiner, type));
      if (is_pair(carry.combiner)) {
        carried.replace[k] = argument_function(carry.combiner, type);
        possible_ = possible_ && carried.replace[k];
        carried.identity.push_back(~std::uint64_t{0} >> 1);
        ++k;
        continue;
      }
      const auto verb = verb_of(carry.combiner);
      if (verb) carried.combine_partial[k] = lane_function(*verb, type, type);
      carried.combine[k] =
          carry.factor >= 0 ? lane_function(Verb::fma, type, type) : carried.combine_partial[k];
      possible_ = possible_ && carried.combine[k] && carried.combine_partial[k];
    }
  }

  // What is used inside lanes.

  void find_what_is_inside(VectorProgram::LaneLoop& lanes, std::int32_t number, std::int32_t own) {
    auto uses = [&](Id id) {
      if (id < 0 || defined_in_[at(id)] == own || is_top_[at(id)]) return;
      if (std::find(lanes.from_outside.begin(), lanes.from_outside.end(), id) ==
          lanes.from_outside.end())
        lanes.from_outside.push_back(id);
    };
    const auto carries = [&](const Loop& l, bool initial) {
      for (const Carry& carry : l.carries) {
        if (initial) uses(carry.initial);
        uses(carry.element);
        uses(carry.factor);
      }
    };
    carries(k_.loops[at(number)], false);
    each_item(k_.loops[at(number)].body, [&](const Item& item) {
      if (item.is_loop) return carries(k_.loops[at(item.index)], true);
      const Instruction& i = k_.instructions[at(item.index)];
      const Id operands[] = {i.a, i.b, i.c};
      for (int k = 0; k < kernel::operand_count(i.verb); ++k) uses(operands[k]);
      if (i.verb != Verb::load && i.verb != Verb::store && i.verb != Verb::update) return;
      const Access& access = k_.accesses[i.bits];
      uses(access.predicate);
      uses(access.otherwise);
      lanes.accesses.push_back(static_cast<std::int32_t>(i.bits));
    });
  }

  VectorProgram& p_;
  const kernel::Kernel& k_;
  const double most_;
  double cost_ = 0;
  bool possible_ = true;
  std::vector<std::int32_t> defined_in_;      // lanes that an instruction is in, -1: none
  std::vector<std::int32_t> loops_of_lanes_;  // the loop of each of p_.lane_loops_
  std::vector<bool> is_top_;
};

std::unique_ptr<const VectorProgram> VectorProgram::make(const kernel::Kernel& kernel,
                                                         const Mapping& mapping,
                                                         double most_nanoseconds) {
  std::unique_ptr<VectorProgram> program(new VectorProgram(kernel, mapping));
  if (!VectorAnalysis(*program, most_nanoseconds).run()) return nullptr;
  return program;
}

}  // namespace fluxion::codegen
