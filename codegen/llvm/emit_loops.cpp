// Loops that carry values: serial and while loops, uniform or with lanes that stop at different
// times.
#include "codegen/llvm/emitter.hpp"

namespace fluxion::codegen {

using kernel::Block;
using kernel::Instruction;
using kernel::Item;
using kernel::Loop;
using kernel::LoopKind;
using kernel::Verb;
using llvm::BasicBlock;

namespace {
std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
}  // namespace

PhaseEmitter::Value* PhaseEmitter::any(Value* mask) {
  return mask->getType()->isVectorTy() ? b_.CreateOrReduce(mask) : mask;
}

PhaseEmitter::Value* PhaseEmitter::both(Value* mask, Value* other) {
  if (!mask) return other;
  if (!other) return mask;
  return b_.CreateAnd(mask, other);
}

std::vector<bool> PhaseEmitter::carry_varies(std::int32_t number) {
  const Loop& l = kernel_.loops[at(number)];
  std::vector<bool> vary;
  for (const kernel::Carry& carry : l.carries) {
    bool differs = lanes_.variable >= 0 && (divergent_[at(number)] || marked(carry.element) ||
                                            marked(carry.factor) || varies(carry.initial));
    vary.push_back(differs);
  }
  // A pair is decided together.
  for (std::size_t k = 0; k + 1 < l.carries.size(); ++k) {
    bool pair = l.kind == LoopKind::reduce && (l.carries[k].combiner == kernel::Combiner::arg_min ||
                                               l.carries[k].combiner == kernel::Combiner::arg_max);
    if (!pair) continue;
    vary[k] = vary[k + 1] = vary[k] || vary[k + 1];
    ++k;
  }
  return vary;
}

std::vector<PhaseEmitter::Value*> PhaseEmitter::initial(const Loop& l,
                                                        const std::vector<bool>& vary) {
  std::vector<Value*> state;
  for (std::size_t k = 0; k < l.carries.size(); ++k)
    state.push_back(value(l.carries[k].initial, vary[k]));
  return state;
}

std::vector<PhaseEmitter::Value*> PhaseEmitter::elements(const Loop& l,
                                                         const std::vector<bool>& vary) {
  std::vector<Value*> given;
  for (std::size_t k = 0; k < l.carries.size(); ++k)
    given.push_back(value(l.carries[k].element, vary[k]));
  return given;
}

std::vector<PhaseEmitter::Value*> PhaseEmitter::choose(Value* mask,
                                                       std::vector<Value*> yes,
                                                       const std::vector<Value*>& no) {
  if (!mask) return yes;
  for (std::size_t k = 0; k < yes.size(); ++k) {
    // A carry that is the same for all lanes is not touched by what some of them skip.
    if (yes[k]->getType()->isVectorTy() || !mask->getType()->isVectorTy()) {
      yes[k] = b_.CreateSelect(mask, yes[k], no[k]);
    }
  }
  return yes;
}

void PhaseEmitter::set_carries(std::int32_t number, const std::vector<Value*>& state) {
  auto set = [&](const Block& items) {
    for (const Item& item : items) {
      if (item.is_loop) continue;
      const Instruction& i = kernel_.instructions[at(item.index)];
      if (i.verb != Verb::carry || i.a != number) continue;
      Value* v = state[at(i.b)];
      results_[at(item.index)] =
          v->getType()->isVectorTy() ? Result{nullptr, 0, v} : Result{v, 0, nullptr};
    }
  };
  set(kernel_.loops[at(number)].condition_block);
  set(kernel_.loops[at(number)].body);
}

void PhaseEmitter::set_results(std::int32_t number, const std::vector<Value*>& state) {
  const Loop& l = kernel_.loops[at(number)];
  for (std::size_t k = 0; k < l.carries.size(); ++k) {
    Value* v = state[k];
    if (l.carries[k].result < 0) continue;
    results_[at(l.carries[k].result)] =
        v->getType()->isVectorTy() ? Result{nullptr, 0, v} : Result{v, 0, nullptr};
  }
}

std::vector<PhaseEmitter::Value*> PhaseEmitter::band(
    const Loop& l,
    std::size_t level,
    std::vector<Value*> carried,
    const std::function<std::vector<Value*>(std::vector<Value*>)>& step,
    bool unroll) {
  if (level == l.variables.size()) return step(std::move(carried));
  std::int32_t variable = l.variables[level];
  if (unroll) {
    for (std::int64_t k = 0; k < kernel_.variables[at(variable)].extent; ++k) {
      variables_[at(variable)] = number(k);
      carried = band(l, level + 1, std::move(carried), step, true);
    }
    return carried;
  }
  Value* end = number(kernel_.variables[at(variable)].extent);
  bool bounded = level == 0 && l.trip_count >= 0;
  bool divergent = bounded && varies(l.trip_count);
  if (bounded && !divergent) {
    end = b_.CreateIntrinsic(llvm::Intrinsic::smin, {b_.getInt64Ty()}, {end, scalar(l.trip_count)});
  }
  return counted(number(0),
                 end,
                 number(1),
                 std::move(carried),
                 !bounded || divergent,
                 [&](Value* index, std::vector<Value*> inside) {
                   variables_[at(variable)] = index;
                   if (!divergent) return band(l, level + 1, std::move(inside), step);
                   // Every lane has its own bound: the others wait.
                   Value* outer = lanes_.mask;
                   Value* runs = b_.CreateICmpSLT(splat(index), vector(l.trip_count));
                   lanes_.mask = both(outer, runs);
                   std::vector<Value*> next = band(l, level + 1, inside, step);
                   next = choose(lanes_.mask, std::move(next), inside);
                   lanes_.mask = outer;
                   return next;
                 });
}

void PhaseEmitter::serial(std::int32_t number) {
  if (in_pieces(number)) return serial_in_pieces(number);
  const Loop& l = kernel_.loops[at(number)];
  if (mapping_.loops[at(number)].variable >= 0)
    return updates_in_order(l, mapping_.loops[at(number)]);
  std::vector<bool> vary = carry_varies(number);
  auto step = [&](std::vector<Value*> state) {
    set_carries(number, state);
    block(l.body);
    return elements(l, vary);
  };
  set_results(number, band(l, 0, initial(l, vary), step, mapping_.loops[at(number)].unroll));
}

void PhaseEmitter::repeat_while(std::int32_t number) {
  const Loop& l = kernel_.loops[at(number)];
  std::vector<bool> vary = carry_varies(number);
  bool divergent = divergent_[at(number)] && lanes_.variable >= 0;
  llvm::LLVMContext& context = b_.getContext();
  std::vector<Value*> state = initial(l, vary);
  BasicBlock* before = b_.GetInsertBlock();
  BasicBlock* head = BasicBlock::Create(context, "while", function_);
  BasicBlock* body = BasicBlock::Create(context, "body", function_);
  BasicBlock* done = BasicBlock::Create(context, "done", function_);
  Value* outer = lanes_.mask;
  Value* all = divergent && !outer ? llvm::Constant::getAllOnesValue(wide(b_.getInt1Ty())) : outer;
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  std::vector<llvm::PHINode*> phis;
  std::vector<Value*> inside;
  for (Value* v : state) {
    phis.push_back(b_.CreatePHI(v->getType(), 2));
    phis.back()->addIncoming(v, before);
    inside.push_back(phis.back());
  }
  llvm::PHINode* active = nullptr;
  if (divergent) {
    active = b_.CreatePHI(all->getType(), 2);
    active->addIncoming(all, before);
    lanes_.mask = active;
  }
  set_carries(number, inside);
  block(l.condition_block);
  Value* runs = divergent ? both(active, vector(l.condition)) : scalar(l.condition);
  b_.CreateCondBr(any(runs), body, done);
  b_.SetInsertPoint(body);
  if (divergent) lanes_.mask = runs;
  block(l.body);
  std::vector<Value*> next = elements(l, vary);
  if (divergent) next = choose(runs, std::move(next), inside);
  BasicBlock* last = b_.GetInsertBlock();
  b_.CreateBr(head);
  for (std::size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(next[k], last);
  if (active) active->addIncoming(runs, last);
  b_.SetInsertPoint(done);
  lanes_.mask = outer;
  set_results(number, inside);
}

}  // namespace fluxion::codegen
