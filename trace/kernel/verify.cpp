// The rules of the kernel language: types, scopes, ranges, roles.
#include "trace/error.hpp"
#include "trace/kernel/builder_state.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <string>

namespace fluxion::kernel {

namespace {

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

[[noreturn]] void broken(const Kernel& kernel, const std::string& what) {
  throw InternalError("kernel " + kernel.name + ": " + what);
}

bool computes(DType type) {
  return is_integer(type) || type == bool_ || type == float32 || type == float64;
}
bool wide_float(DType type) { return type == float32 || type == float64; }

/// Whether a verb takes operands of types x, y, z and gives `result`.
bool types_agree(Verb verb, DType result, DType x, DType y, DType z) {
  switch (verb) {
    case Verb::constant:
      return true;
    case Verb::loop_index:
      return result == int64;
    case Verb::table:
      return x == int64;
    case Verb::add:
    case Verb::sub:
    case Verb::mul:
    case Verb::div:
    case Verb::min:
    case Verb::max:
      return x == y && x == result && computes(x) && x != bool_;
    case Verb::rem:
      return x == y && x == result && is_integer(x);
    case Verb::mulhi:
      return x == y && x == result && is_integer(x) && bytes_of(x) >= 4;
    case Verb::fma:
      return x == y && y == z && x == result && wide_float(x);
    case Verb::neg:
    case Verb::abs:
      return x == result && computes(x) && x != bool_;
    case Verb::floor:
    case Verb::ceil:
    case Verb::round_even:
    case Verb::truncate:
    case Verb::sqrt:
      return x == result && wide_float(x);
    case Verb::bit_and:
    case Verb::bit_or:
    case Verb::bit_xor:
      return x == y && x == result && (is_integer(x) || x == bool_);
    case Verb::bit_not:
      return x == result && (is_integer(x) || x == bool_);
    case Verb::shift_left:
    case Verb::shift_right_logical:
    case Verb::shift_right_arithmetic:
      return x == y && x == result && is_integer(x);
    case Verb::clz:
    case Verb::popcount:
      return x == result && is_integer(x);
    case Verb::equal:
    case Verb::not_equal:
    case Verb::less:
    case Verb::less_equal:
      return x == y && result == bool_ && computes(x);
    case Verb::select:
      return x == bool_ && y == z && y == result;
    case Verb::convert:
      return true;
    case Verb::bitcast:
      return bytes_of(x) == bytes_of(result) && (x == bool_) == (result == bool_);
    default:
      return true;
  }
}

}  // namespace

void verify_types(const Kernel& kernel, const Instruction& i) {
  const Id ids[] = {i.a, i.b, i.c};
  DType types[] = {i.type, i.type, i.type};
  for (int k = 0; k < operand_count(i.verb); ++k) {
    if (ids[k] < 0 || at(ids[k]) >= kernel.instructions.size()) {
      broken(kernel, std::string(name_of(i.verb)) + " lacks an operand");
    }
    types[k] = kernel.instructions[at(ids[k])].type;
  }
  if (types_agree(i.verb, i.type, types[0], types[1], types[2])) return;
  std::string text = std::string(name_of(i.verb)) + " to " + to_string(i.type) + " of";
  for (int k = 0; k < operand_count(i.verb); ++k) text += " " + to_string(types[k]);
  broken(kernel, text + " is no instruction");
}

namespace {

/// Walks the program once; a value may be used where its block is open.
class Verifier {
 public:
  explicit Verifier(const Kernel& kernel)
      : kernel_(kernel),
        defined_(kernel.instructions.size()),
        variables_(kernel.variables.size()),
        bounded_(kernel.variables.size()),
        active_(kernel.loops.size()),
        done_(kernel.loops.size()) {}

  void run() {
    bool scratch = false;
    for (const BufferDecl& buffer : kernel_.buffers) {
      if (buffer.role == Role::scratch)
        scratch = true;
      else
        must(!scratch, "a scratch buffer comes before an input or an output");
    }
    for (const Item& item : kernel_.top) {
      must(!item.is_loop || kernel_.loops.at(at(item.index)).kind == LoopKind::parallel,
           "a phase is no parallel loop");
    }
    block(kernel_.top);
  }

 private:
  void must(bool condition, const char* what) const {
    if (!condition) broken(kernel_, what);
  }
  void must_be_defined(Id id) const {
    must(id >= 0 && at(id) < defined_.size() && defined_[at(id)],
         "a value is used where it is not known");
  }

  void block(const Block& items) {
    std::vector<Id> made;
    enter(items, made);
    leave(made);
  }
  void enter(const Block& items, std::vector<Id>& made) {
    for (const Item& item : items) {
      if (item.is_loop) {
        must(at(item.index) < kernel_.loops.size(), "a loop that does not exist");
        loop(item.index);
      } else {
        must(at(item.index) < defined_.size(), "an instruction that does not exist");
        instruction(item.index);
        made.push_back(item.index);
      }
    }
  }
  void leave(const std::vector<Id>& made) {
    for (Id id : made) defined_[at(id)] = false;
  }

  void loop(std::int32_t number) {
    const Loop& loop = kernel_.loops[at(number)];
    must(!active_[at(number)] && !done_[at(number)], "a loop runs twice");
    if (loop.trip_count >= 0) must_be_defined(loop.trip_count);
    for (const Carry& carry : loop.carries) must_be_defined(carry.initial);
    must(loop.kind != LoopKind::parallel || (loop.carries.empty() && loop.trip_count < 0),
         "a parallel loop has carries or a bound");
    must(loop.kind != LoopKind::repeat_while || loop.variables.empty(),
         "a while loop has variables");
    must(loop.kind == LoopKind::parallel || loop.kind == LoopKind::repeat_while ||
             !loop.variables.empty(),
         "a loop has no variables");
    active_[at(number)] = true;
    for (std::int32_t v : loop.variables) {
      must(at(v) < variables_.size() && !variables_[at(v)], "a loop variable is bound twice");
      must(kernel_.variables[at(v)].extent > 0, "a loop that never runs");
      variables_[at(v)] = true;
    }
    if (loop.trip_count >= 0) {
      must(!loop.variables.empty(), "a bound without a variable");
      must(kernel_.instructions[at(loop.trip_count)].type == int64, "a bound that is no int64");
      bounded_[at(loop.variables[0])] = true;
    }
    std::vector<Id> made;
    enter(loop.condition_block, made);
    if (loop.kind == LoopKind::repeat_while) {
      must_be_defined(loop.condition);
      must(kernel_.instructions[at(loop.condition)].type == bool_, "a condition that is no bool");
    }
    enter(loop.body, made);
    for (std::size_t k = 0; k < loop.carries.size(); ++k) carry(loop, k);
    leave(made);
    for (std::int32_t v : loop.variables) variables_[at(v)] = false;
    active_[at(number)] = false;
    done_[at(number)] = true;
  }

  void carry(const Loop& loop, std::size_t position) {
    const Carry& carry = loop.carries[position];
    must_be_defined(carry.element);
    DType type = kernel_.instructions[at(carry.initial)].type;
    must(kernel_.instructions[at(carry.element)].type == type, "a carry changes its type");
    if (carry.factor >= 0) {
      must_be_defined(carry.factor);
      must(loop.kind == LoopKind::reduce && carry.combiner == Combiner::add && wide_float(type) &&
               kernel_.instructions[at(carry.factor)].type == type,
           "a factor where nothing is added");
    }
    if (loop.kind != LoopKind::reduce) return;
    switch (carry.combiner) {
      case Combiner::set:
        must(false, "a reduction that sets");
        break;
      case Combiner::add:
      case Combiner::mul:
      case Combiner::min:
      case Combiner::max:
        must(computes(type) && type != bool_, "a reduction of bool");
        break;
      case Combiner::bit_and:
      case Combiner::bit_or:
      case Combiner::bit_xor:
        must(is_integer(type) || type == bool_, "bits of a float");
        break;
      case Combiner::arg_min:
      case Combiner::arg_max:
        pair(loop, position, type);
        break;
    }
  }

  void pair(const Loop& loop, std::size_t position, DType type) const {
    std::size_t before = 0;
    for (std::size_t k = 0; k < position; ++k) {
      Combiner c = loop.carries[k].combiner;
      before += c == Combiner::arg_min || c == Combiner::arg_max;
    }
    if (before % 2 == 1) {
      must(type == int64, "the index of an argument reduction is no int64");
      return;
    }
    must(computes(type) && type != bool_, "an argument reduction of bool");
    must(position + 1 < loop.carries.size() &&
             loop.carries[position + 1].combiner == loop.carries[position].combiner,
         "an argument reduction without its index");
  }

  void instruction(Id id) {
    const Instruction& i = kernel_.instructions[at(id)];
    must(!defined_[at(id)], "an instruction is placed twice");
    const Id ids[] = {i.a, i.b, i.c};
    for (int k = 0; k < operand_count(i.verb); ++k) must_be_defined(ids[k]);
    verify_types(kernel_, i);
    switch (i.verb) {
      case Verb::loop_index:
        must(i.bits < variables_.size() && variables_[i.bits], "a variable outside its loop");
        break;
      case Verb::carry:
        must(i.a >= 0 && at(i.a) < active_.size() && active_[at(i.a)], "a carry outside its loop");
        break;
      case Verb::result:
        must(i.a >= 0 && at(i.a) < done_.size() && done_[at(i.a)] &&
                 kernel_.loops[at(i.a)].carries.at(at(i.b)).result == id,
             "a result without its loop");
        break;
      case Verb::table:
        must(i.bits < kernel_.tables.size() && kernel_.tables[i.bits].dtype == i.type,
             "a table of another type");
        break;
      case Verb::load:
      case Verb::store:
      case Verb::update:
        access(i);
        break;
      default:
        break;
    }
    defined_[at(id)] = true;
  }

  void access(const Instruction& i) const {
    must(i.bits < kernel_.accesses.size(), "an access that does not exist");
    const Access& access = kernel_.accesses[i.bits];
    must(access.buffer >= 0 && at(access.buffer) < kernel_.buffers.size(), "an unknown buffer");
    const BufferDecl& buffer = kernel_.buffers[at(access.buffer)];
    DType value = i.verb == Verb::load ? i.type : kernel_.instructions[at(i.a)].type;
    must(buffer.dtype == value && i.type == value, "a buffer of another type");
    must(i.verb == Verb::load || buffer.role != Role::input, "an input is written");
    must(i.verb != Verb::update || buffer.role == Role::output, "an update of what is no output");
    bool provable = access.predicate < 0 && access.offset.opaque.empty();
    std::int64_t low = access.offset.constant, high = low;
    for (const Affine::Term& term : access.offset.variables) {
      must(at(term.of) < variables_.size() && variables_[at(term.of)],
           "a variable outside its loop");
      if (bounded_[at(term.of)]) provable = false;
      std::int64_t reach = term.scale * (kernel_.variables[at(term.of)].extent - 1);
      (reach < 0 ? low : high) += reach;
    }
    for (const Affine::Term& term : access.offset.opaque) {
      must_be_defined(term.of);
      must(kernel_.instructions[at(term.of)].type == int64, "an index that is no int64");
    }
    if (access.predicate >= 0) {
      must_be_defined(access.predicate);
      must(kernel_.instructions[at(access.predicate)].type == bool_, "a predicate that is no bool");
      if (i.verb == Verb::load) {
        must_be_defined(access.otherwise);
        must(kernel_.instructions[at(access.otherwise)].type == i.type,
             "what a load gives otherwise has another type");
      }
    }
    if (provable && (low < 0 || high >= buffer.count)) {
      broken(kernel_,
             std::string(name_of(i.verb)) + " touches elements " + std::to_string(low) + " to " +
                 std::to_string(high) + " of buffer " + std::to_string(access.buffer) +
                 ", which has " + std::to_string(buffer.count));
    }
  }

  const Kernel& kernel_;
  std::vector<bool> defined_, variables_, bounded_, active_, done_;
};

}  // namespace

void verify(const Kernel& kernel) { Verifier(kernel).run(); }

}  // namespace fluxion::kernel
