// Values as scalars, as steps per lane, as vectors; which of them differ from lane to lane.
#include "codegen/llvm/emitter.hpp"
#include "trace/error.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::codegen {

using kernel::Block;
using kernel::Instruction;
using kernel::Item;
using kernel::Loop;
using kernel::LoopKind;
using kernel::Role;
using kernel::Verb;
using llvm::Type;
using llvm::Value;

namespace {
std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
}  // namespace

Type* PhaseEmitter::type_of(DType type) const { return verbs_.register_type(type); }

Type* PhaseEmitter::wide(Type* type) const {
  return llvm::FixedVectorType::get(type, static_cast<unsigned>(lanes_.width));
}

Value* PhaseEmitter::constant(DType type, std::uint64_t bits) const {
  if (type == float32 || type == float64) {
    auto* whole = llvm::ConstantInt::get(b_.getIntNTy(type == float32 ? 32 : 64), bits);
    return llvm::ConstantExpr::getBitCast(whole, type_of(type));
  }
  return llvm::ConstantInt::get(type_of(type), bits);
}

Value* PhaseEmitter::iota(Type* element, std::int64_t step) const {
  llvm::SmallVector<llvm::Constant*> lanes;
  for (int lane = 0; lane < lanes_.width; ++lane) {
    lanes.push_back(llvm::ConstantInt::getSigned(element, step * lane));
  }
  return llvm::ConstantVector::get(lanes);
}

const PhaseEmitter::Result& PhaseEmitter::result(Id id) {
  if (id < 0) throw InternalError("a value that does not exist is asked for");
  Result& found = results_[at(id)];
  if (found.scalar || found.vector) return found;
  // Operands first: ten thousand instructions that ask each other do not fit on a stack.
  const auto missing = [&](Id of) { return !results_[at(of)].scalar && !results_[at(of)].vector; };
  std::vector<Id> open{id};
  while (!open.empty()) {
    const Instruction& i = kernel_.instructions[at(open.back())];
    const std::size_t waiting = open.size();
    const bool computes = i.verb != Verb::carry && i.verb != Verb::result && missing(open.back());
    const Id operands[] = {i.a, i.b, i.c};
    for (int k = 0; computes && k < kernel::operand_count(i.verb); ++k)
      if (operands[k] >= 0 && missing(operands[k])) open.push_back(operands[k]);
    if (open.size() > waiting) continue;
    const Id next = open.back();
    open.pop_back();
    if (missing(next)) on_entry(next);
  }
  return results_[at(id)];
}

/// What lies outside all loops is computed once, on entry.
void PhaseEmitter::on_entry(Id id) {
  if (!top_level_[at(id)]) throw InternalError("a value is used before its code");
  auto here = b_.saveIP();
  Lanes lanes = std::exchange(lanes_, Lanes{});
  b_.SetInsertPoint(entry_end_);
  instruction(id);
  lanes_ = lanes;
  b_.restoreIP(here);
  for (std::size_t k = 0; k < tile_.size(); ++k)
    if (k != row_) tile_[k].results[at(id)] = results_[at(id)];
}

Value* PhaseEmitter::scalar(Id id) {
  const Result& r = result(id);
  if (r.varies()) throw InternalError("a value of all lanes is used as one");
  return r.scalar;
}

Value* PhaseEmitter::vector(Id id) {
  const Result r = result(id);
  if (r.vector) return r.vector;
  Value* all = splat(r.scalar);
  return r.step == 0 ? all : b_.CreateAdd(all, iota(r.scalar->getType(), r.step));
}

namespace {

/// Whether base + step * lane keeps its meaning in a type: integers that wrap the same way
/// everywhere.
bool steps(DType type) {
  return type == int64 || type == uint64 || type == int32 || type == uint32;
}

}  // namespace

bool PhaseEmitter::step_verb(const Instruction& i, Result& out) {
  if (lanes_.variable < 0 || !steps(i.type)) return false;
  auto known = [&](Id id) -> const llvm::ConstantInt* {
    const Result& r = result(id);
    return r.varies() ? nullptr : llvm::dyn_cast<llvm::ConstantInt>(r.scalar);
  };
  if (i.verb == Verb::convert) {
    const Result x = result(i.a);
    DType from = kernel_.instructions[at(i.a)].type;
    // Narrowing wraps as stepping does; widening does not.
    bool narrows = steps(from) && kernel::bytes_of(i.type) <= kernel::bytes_of(from);
    if (!narrows || x.vector || x.step == 0) return false;
    out = {b_.CreateTrunc(x.scalar, type_of(i.type)), x.step, nullptr};
    return true;
  }
  if (i.verb != Verb::add && i.verb != Verb::sub && i.verb != Verb::mul) return false;
  const Result x = result(i.a), y = result(i.b);
  if (x.vector || y.vector || (x.step == 0 && y.step == 0)) return false;
  if (i.verb == Verb::mul) {
    const llvm::ConstantInt* factor = known(i.b);
    if (!factor) return false;
    auto step =
        static_cast<std::uint64_t>(x.step) * static_cast<std::uint64_t>(factor->getSExtValue());
    out = {b_.CreateMul(x.scalar, y.scalar), static_cast<std::int64_t>(step), nullptr};
    return true;
  }
  if (i.verb == Verb::add)
    out = {b_.CreateAdd(x.scalar, y.scalar), x.step + y.step, nullptr};
  else
    out = {b_.CreateSub(x.scalar, y.scalar), x.step - y.step, nullptr};
  return true;
}

void PhaseEmitter::instruction(Id id) {
  const Instruction& i = kernel_.instructions[at(id)];
  Result& out = results_[at(id)];
  switch (i.verb) {
    case Verb::constant:
      out = {constant(i.type, i.bits), 0, nullptr};
      return;
    case Verb::loop_index: {
      bool lanes = static_cast<std::int32_t>(i.bits) == lanes_.variable;
      out = {lanes ? lanes_.base : variables_[i.bits], lanes ? 1 : 0, nullptr};
      return;
    }
    case Verb::carry:
    case Verb::result:
      return;  // set by their loops
    case Verb::load: {
      Result loaded = load(kernel_.accesses[i.bits]);
      results_[at(id)] = loaded;
      return;
    }
    case Verb::store: {
      store(kernel_.accesses[i.bits], i.a);
      return;
    }
    case Verb::update:
      return update(i);
    case Verb::table: {
      Result looked_up = table(i);
      results_[at(id)] = looked_up;
      return;
    }
    default:
      break;
  }
  const Id ids[] = {i.a, i.b, i.c};
  int count = kernel::operand_count(i.verb);
  bool vary = false;
  for (int k = 0; k < count; ++k) vary = varies(ids[k]) || vary;
  Result made;
  if (vary && step_verb(i, made)) {
    results_[at(id)] = made;
    return;
  }
  if (i.verb == Verb::div && kernel::is_float(i.type) && vary && !varies(i.b)) {
    if (Value* quotient = quotient_by_same(vector(i.a), scalar(i.b))) {
      results_[at(id)] = {nullptr, 0, quotient};
      return;
    }
  }
  Value* operands[3] = {nullptr, nullptr, nullptr};
  for (int k = 0; k < count; ++k) {
    // A condition that is the same for all lanes chooses whole vectors.
    bool whole = i.verb == Verb::select && k == 0 && !varies(i.a);
    operands[k] = value(ids[k], vary && !whole);
  }
  DType operand = kernel_.instructions[at(i.verb == Verb::select ? i.b : i.a)].type;
  Value* v = verbs_.emit(i.verb, i.type, operand, operands[0], operands[1], operands[2]);
  results_[at(id)] = vary ? Result{nullptr, 0, v} : Result{v, 0, nullptr};
}

bool PhaseEmitter::load_varies(const kernel::Access& access, std::int32_t variable) const {
  if (marked(access.predicate) || marked(access.otherwise)) return true;
  if (lanes_.expand_scratch && kernel_.buffers[at(access.buffer)].role == Role::scratch)
    return true;
  auto term_varies = [&](const kernel::Affine::Term& term) { return marked(term.of); };
  auto is_variable = [&](const kernel::Affine::Term& term) { return term.of == variable; };
  return std::any_of(access.offset.opaque.begin(), access.offset.opaque.end(), term_varies) ||
         std::any_of(access.offset.variables.begin(), access.offset.variables.end(), is_variable);
}

bool PhaseEmitter::mark_varying(const Block& items, std::int32_t variable) {
  bool changed = false;
  auto mark = [&](std::vector<bool>& marks, std::int32_t number, bool holds) {
    if (!holds || marks[at(number)]) return;
    marks[at(number)] = changed = true;
  };
  for (const Item& item : items) {
    if (item.is_loop) {
      const Loop& l = kernel_.loops[at(item.index)];
      mark(divergent_, item.index, marked(l.condition) || marked(l.trip_count));
      changed = mark_varying(l.condition_block, variable) || changed;
      changed = mark_varying(l.body, variable) || changed;
      continue;
    }
    const Instruction& i = kernel_.instructions[at(item.index)];
    const Id ids[] = {i.a, i.b, i.c};
    bool vary = i.verb == Verb::loop_index && static_cast<std::int32_t>(i.bits) == variable;
    for (int k = 0; k < kernel::operand_count(i.verb); ++k) vary = vary || marked(ids[k]);
    if (i.verb == Verb::load) vary = load_varies(kernel_.accesses[i.bits], variable);
    if (i.verb == Verb::carry || i.verb == Verb::result) {
      const Loop& l = kernel_.loops[at(i.a)];
      const kernel::Carry& carry = l.carries[at(i.b)];
      vary = divergent_[at(i.a)] || marked(carry.initial) || marked(carry.element) ||
             marked(carry.factor);
      // The two halves of an argument reduction are decided together.
      bool pair = l.kind == LoopKind::reduce && (carry.combiner == kernel::Combiner::arg_min ||
                                                 carry.combiner == kernel::Combiner::arg_max);
      for (std::size_t k = 0; pair && k < l.carries.size(); ++k) {
        vary = vary || marked(l.carries[k].initial) || marked(l.carries[k].element);
      }
    }
    mark(varying_, item.index, vary);
  }
  return changed;
}

void PhaseEmitter::find_varying(const Block& items, std::int32_t variable) {
  varying_.assign(varying_.size(), false);
  divergent_.assign(divergent_.size(), false);
  while (mark_varying(items, variable)) {
  }
}

}  // namespace fluxion::codegen
