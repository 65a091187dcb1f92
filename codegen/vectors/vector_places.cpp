// Where the values of a kernel's instructions lie while it runs over vectors: those that are needed
// no more make room, so that what is computed with stays in the first cache.
#include "codegen/vectors/vector_program.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <map>

namespace fluxion::codegen {

using kernel::Access;
using kernel::Affine;
using kernel::Block;
using kernel::Carry;
using kernel::Id;
using kernel::Instruction;
using kernel::Item;
using kernel::Loop;
using kernel::LoopKind;
using kernel::Role;
using kernel::Tree;
using kernel::Verb;

class VectorPlaces {
 public:
  explicit VectorPlaces(VectorProgram& program)
      : p_(program),
        k_(program.kernel_),
        lanes_(static_cast<std::size_t>(program.lanes_)),
        values_(k_.instructions.size()) {}

  void run() {
    find_uses(k_.top);
    place(k_.top);
    for (std::size_t id = 0; id < k_.instructions.size(); ++id) {
      const Instruction& i = k_.instructions[id];
      VectorProgram::Code& code = p_.code_[id];
      const Id ids[] = {i.a, i.b, i.c};
      std::size_t* const places[] = {&code.a, &code.b, &code.c};
      for (int k = 0; k < kernel::operand_count(i.verb); ++k)
        *places[k] = p_.code_[at(ids[k])].place;
    }
    place_states();
    place_scratch();
    p_.bases_place_ = reserve(k_.accesses.size() * lanes_ * 8);
    p_.offsets_place_ = reserve(lanes_ * 8);
    p_.values_place_ = reserve((lanes_ + 1) * k_.variables.size() * 8);
  }

 private:
  struct Value {
    const Block* home = nullptr;
    std::size_t last = 0;  // in `home`
    bool stays = false;    // used elsewhere, or not made anew for the next lanes
  };

  static std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

  std::size_t reserve(std::size_t bytes) {
    const std::size_t place = p_.bytes_;
    p_.bytes_ += (bytes + 63) / 64 * 64;
    return place;
  }

  /// Calls f(id) for all values that an instruction reads.
  template <class F> void each_read(const Instruction& i, const F& f) const {
    const Id ids[] = {i.a, i.b, i.c};
    for (int k = 0; k < kernel::operand_count(i.verb); ++k) f(ids[k]);
    if (i.verb != Verb::load && i.verb != Verb::store && i.verb != Verb::update) return;
    const Access& access = k_.accesses[i.bits];
    for (Id id : {access.predicate, access.otherwise})
      if (id >= 0) f(id);
    for (const Affine::Term& term : access.offset.opaque) f(term.of);
  }

  void find_uses(const Block& block) {
    for (std::size_t position = 0; position < block.size(); ++position) {
      const Item& item = block[position];
      if (item.is_loop) {
        const Loop& l = k_.loops[at(item.index)];
        find_uses(l.body);
        for (const Carry& carry : l.carries)
          for (Id id : {carry.initial, carry.element, carry.factor})
            if (id >= 0) values_[at(id)].stays = true;
        continue;
      }
      const Instruction& i = k_.instructions[at(item.index)];
      Value& value = values_[at(item.index)];
      value.home = &block;
      value.last = position;
      value.stays = value.stays || !p_.code_[at(item.index)].in_lanes || i.verb == Verb::constant ||
                    i.verb == Verb::carry || i.verb == Verb::result;
      each_read(i, [&](Id id) {
        Value& read = values_[at(id)];
        read.stays = read.stays || read.home != &block;
        read.last = position;
      });
    }
  }

  void place(const Block& block) {
    for (std::size_t position = 0; position < block.size(); ++position) {
      const Item& item = block[position];
      if (item.is_loop) {
        place(k_.loops[at(item.index)].body);
        continue;
      }
      // A result may lie where an operand does: lanes do not depend on each other.
      const auto release = [&](Id id) {
        const Value& value = values_[at(id)];
        if (value.stays || value.home != &block || value.last != position) return;
        auto& free = free_[p_.code_[at(id)].bytes];
        const std::size_t place = p_.code_[at(id)].place;
        if (std::find(free.begin(), free.end(), place) == free.end()) free.push_back(place);
      };
      each_read(k_.instructions[at(item.index)], release);
      VectorProgram::Code& code = p_.code_[at(item.index)];
      auto& free = free_[code.bytes];
      if (values_[at(item.index)].stays || free.empty()) {
        code.place = reserve(lanes_ * static_cast<std::size_t>(code.bytes));
      } else {
        code.place = free.back();
        free.pop_back();
      }
      if (!values_[at(item.index)].stays && values_[at(item.index)].last == position)
        release(item.index);
    }
  }

  void place_states() {
    for (std::size_t number = 0; number < k_.loops.size(); ++number) {
      const Loop& l = k_.loops[number];
      VectorProgram::Carried& carried = p_.carried_[number];
      const bool tree = l.kind == LoopKind::reduce && l.tree == Tree::lanes;
      // Over lanes, the 64 accumulators of a carry are one state.
      if (tree && p_.lane_loop_[number] < 0)
        carried.states = std::min<std::int64_t>(64, k_.variables[at(l.variables.back())].extent);
      carried.place =
          reserve(l.carries.size() * static_cast<std::size_t>(carried.states) * lanes_ * 8);
    }
  }

  void place_scratch() {
    bool rows_of_lanes = false;
    for (const PhaseMapping& phase : p_.mapping_.phases)
      rows_of_lanes = rows_of_lanes || p_.lane_loop_[at(phase.loop)] >= 0;
    for (const kernel::BufferDecl& buffer : k_.buffers) {
      const bool scratch = buffer.role == Role::scratch;
      const auto bytes = static_cast<std::size_t>(buffer.count * kernel::bytes_of(buffer.dtype));
      p_.scratch_places_.push_back(scratch ? reserve(bytes * (rows_of_lanes ? lanes_ : 1)) : 0);
    }
  }

  VectorProgram& p_;
  const kernel::Kernel& k_;
  const std::size_t lanes_;
  std::vector<Value> values_;
  std::map<std::int32_t, std::vector<std::size_t>> free_;  // places, by the bytes of a lane
};

void VectorProgram::place_values(VectorProgram& program) { VectorPlaces(program).run(); }

}  // namespace fluxion::codegen
