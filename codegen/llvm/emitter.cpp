// Phases, blocks and loops as LLVM functions: units are decoded, bodies are emitted once per way
// they run.
#include "codegen/llvm/emitter.hpp"

#include "codegen/abi.hpp"
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
using llvm::BasicBlock;

namespace {

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

}  // namespace

PhaseEmitter::PhaseEmitter(llvm::Module& module,
                           const kernel::Kernel& kernel,
                           const Mapping& mapping,
                           const VectorTarget& target)
    : module_(module),
      kernel_(kernel),
      mapping_(mapping),
      target_(target),
      b_(module.getContext()),
      verbs_(b_, target.masks),
      results_(kernel.instructions.size()),
      top_level_(kernel.instructions.size()),
      preset_(kernel.instructions.size()),
      variables_(kernel.variables.size()),
      varying_(kernel.instructions.size()),
      divergent_(kernel.loops.size()),
      tables_(kernel.tables.size()) {}

void PhaseEmitter::emit(std::size_t phase, const std::string& name) {
  llvm::LLVMContext& context = module_.getContext();
  Type* pointer = llvm::PointerType::getUnqual(context);
  auto* type = llvm::FunctionType::get(
      b_.getVoidTy(), {pointer, pointer, b_.getInt64Ty(), b_.getInt64Ty()}, false);
  function_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module_);
  function_->addFnAttr(llvm::Attribute::NoUnwind);
  function_->addFnAttr("prefer-vector-width", "512");
  function_->addFnAttr("no-builtins");
  BasicBlock* entry = BasicBlock::Create(context, "entry", function_);
  BasicBlock* start = BasicBlock::Create(context, "units", function_);
  b_.SetInsertPoint(entry);
  entry_end_ = b_.CreateBr(start);

  b_.SetInsertPoint(entry_end_);
  const ScratchRows scratch = scratch_rows(kernel_, mapping_);
  Value* rows = scratch.lent ? b_.CreateLoad(pointer, function_->getArg(0))
                             : stack(b_.getInt8Ty(), static_cast<std::int64_t>(scratch.bytes));
  for (std::size_t k = 0; k < kernel_.buffers.size(); ++k) {
    if (kernel_.buffers[k].role == Role::scratch) {
      buffers_.push_back(b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), rows, scratch.places[k]));
    } else {
      Value* slot = b_.CreateConstInBoundsGEP1_64(pointer, function_->getArg(1), k);
      buffers_.push_back(b_.CreateLoad(pointer, slot));
    }
  }
  for (const Item& item : kernel_.top) {
    if (!item.is_loop) top_level_[at(item.index)] = true;
  }

  b_.SetInsertPoint(start);
  const PhaseMapping& p = mapping_.phases[phase];
  Value *begin = function_->getArg(2), *end = function_->getArg(3);
  if (p.units != p.iterations) {
    begin = b_.CreateMul(begin, number(p.iterations));
    end = b_.CreateMul(end, number(p.iterations));
  }
  std::vector<std::int64_t> extents = digit_extents(p);
  counted(begin,
          end,
          number(1),
          first_digits(extents, begin),
          false,
          [&](Value* unit, std::vector<Value*> digits) {
            if (digits.size() == 1) digits[0] = unit;
            emit_unit(p, digits);
            return next_digits(extents, std::move(digits));
          });
  b_.CreateRetVoid();
}

namespace {

/// A unit's number has a digit for every outer variable and one for the chunk, fastest first.
std::vector<std::int32_t> digit_variables(const PhaseMapping& p) {
  std::vector<std::int32_t> variables(p.order.rbegin(), p.order.rend());
  if (p.chunks > 1) variables.insert(p.chunks_first ? variables.end() : variables.begin(), -1);
  return variables;
}

}  // namespace

std::vector<std::int64_t> PhaseEmitter::digit_extents(const PhaseMapping& p) const {
  std::vector<std::int64_t> extents;
  for (std::int32_t v : digit_variables(p)) {
    const std::int64_t tile = v >= 0 && v == p.tiled ? p.tile : 1;
    extents.push_back(v < 0 ? p.chunks : (kernel_.variables[at(v)].extent + tile - 1) / tile);
  }
  return extents;
}

std::vector<PhaseEmitter::Value*> PhaseEmitter::first_digits(
    const std::vector<std::int64_t>& extents, Value* unit) {
  std::vector<Value*> digits;
  for (std::int64_t extent : extents) {
    digits.push_back(b_.CreateURem(unit, number(extent)));
    unit = b_.CreateUDiv(unit, number(extent));
  }
  return digits;
}

/// Counts on, as an odometer does: no division for the units after the first.
std::vector<PhaseEmitter::Value*> PhaseEmitter::next_digits(
    const std::vector<std::int64_t>& extents, std::vector<Value*> digits) {
  Value* carry = b_.getTrue();
  for (std::size_t k = 0; k < digits.size(); ++k) {
    Value* more = b_.CreateAdd(digits[k], b_.CreateZExt(carry, b_.getInt64Ty()));
    Value* over = b_.CreateICmpEQ(more, number(extents[k]));
    digits[k] = b_.CreateSelect(over, number(0), more);
    carry = over;
  }
  return digits;
}

void PhaseEmitter::emit_unit(const PhaseMapping& p, const std::vector<Value*>& digits) {
  std::vector<std::int32_t> variables = digit_variables(p);
  Value* chunk = number(0);
  for (std::size_t k = 0; k < digits.size(); ++k) {
    (variables[k] < 0 ? chunk : variables_[static_cast<std::size_t>(variables[k])]) = digits[k];
  }
  if (p.tiled >= 0) return emit_tile(p, chunk);
  rows_of_unit(p, chunk);
}

void PhaseEmitter::rows_of_unit(const PhaseMapping& p, Value* chunk) {
  if (mapping_.loops[at(p.loop)].variable < 0) return block(kernel_.loops[at(p.loop)].body);
  chunk_of_lanes(p, chunk);
}

void PhaseEmitter::chunk_of_lanes(const PhaseMapping& p, Value* chunk) {
  const LoopMapping& m = mapping_.loops[at(p.loop)];
  const Block& body = kernel_.loops[at(p.loop)].body;
  std::int64_t extent = kernel_.variables[at(m.variable)].extent;
  std::int64_t rest = extent % m.width, whole = extent - rest;
  lanes_.expand_scratch = true;
  find_varying(body, m.variable);
  Value* low = b_.CreateMul(chunk, number(p.chunk));
  Value* high = b_.CreateAdd(low, number(p.chunk));
  bool even = rest == 0 && extent % p.chunk == 0;
  if (!even)
    high = b_.CreateIntrinsic(llvm::Intrinsic::smin, {b_.getInt64Ty()}, {high, number(whole)});
  hoist_uniform(body);
  if (whole > 0) {
    bool always = rest == 0 || p.chunks == 1;
    counted(low, high, number(m.width), {}, always, [&](Value* base, std::vector<Value*>) {
      lanes_over(body, m.variable, m.width, base, nullptr);
      return std::vector<Value*>{};
    });
  }
  if (rest > 0) {
    // Only the last chunk has the elements that fill no vector.
    BasicBlock *last = nullptr, *after = nullptr;
    if (p.chunks > 1) {
      last = BasicBlock::Create(b_.getContext(), "tail", function_);
      after = BasicBlock::Create(b_.getContext(), "after", function_);
      b_.CreateCondBr(b_.CreateICmpEQ(chunk, number(p.chunks - 1)), last, after);
      b_.SetInsertPoint(last);
    }
    tail(whole, rest, m.width, [&](std::int64_t base, int width, Value* mask) {
      lanes_over(body, m.variable, width, number(base), mask);
    });
    if (after) {
      b_.CreateBr(after);
      b_.SetInsertPoint(after);
    }
  }
  preset_.assign(preset_.size(), false);
  lanes_ = Lanes{};
}

PhaseEmitter::Value* PhaseEmitter::mask_of_first(std::int64_t count, int width) const {
  llvm::SmallVector<llvm::Constant*> bits;
  for (int lane = 0; lane < width; ++lane) bits.push_back(b_.getInt1(lane < count));
  return llvm::ConstantVector::get(bits);
}

void PhaseEmitter::tail(std::int64_t whole,
                        std::int64_t rest,
                        int width,
                        const std::function<void(std::int64_t, int, Value*)>& piece) const {
  if (rest == 0) return;
  if (target_.masks) return piece(whole, width, mask_of_first(rest, width));
  for (int part = width / 2; rest > 0; part /= 2) {
    if (part > rest) continue;
    piece(whole, part, nullptr);
    whole += part;
    rest -= part;
  }
}

void PhaseEmitter::lanes_over(
    const Block& body, std::int32_t variable, int width, Value* base, Value* mask) {
  lanes_.variable = variable;
  lanes_.width = width;
  lanes_.base = base;
  lanes_.mask = mask;
  block(body);
}

/// What is the same for all lanes is computed before the loop over them, unless it touches what the
/// loop writes.
void PhaseEmitter::hoist_uniform(const Block& body) {
  auto known = [&](Id id) {
    return id < 0 || results_[at(id)].scalar != nullptr || top_level_[at(id)];
  };
  each_row([&](std::size_t) {
    for (const Item& item : body) {
      if (item.is_loop) continue;
      const Instruction& i = kernel_.instructions[at(item.index)];
      results_[at(item.index)] = {};
      if (take_shared(item.index)) continue;
      if (marked(item.index) || i.verb == Verb::store || i.verb == Verb::update ||
          i.verb == Verb::result)
        continue;
      const Id operands[] = {i.a, i.b, i.c};
      bool ready = true;
      for (int k = 0; k < kernel::operand_count(i.verb); ++k) ready = ready && known(operands[k]);
      if (i.verb == Verb::load) {
        const kernel::Access& access = kernel_.accesses[i.bits];
        ready = ready && kernel_.buffers[at(access.buffer)].role == Role::input &&
                known(access.predicate) && known(access.otherwise);
        for (const auto& term : access.offset.opaque) ready = ready && known(term.of);
      }
      if (!ready) continue;
      instruction(item.index);
      preset_[at(item.index)] = true;
    }
  });
}

std::vector<PhaseEmitter::Value*> PhaseEmitter::counted(Value* from,
                                                        Value* to,
                                                        Value* step,
                                                        std::vector<Value*> carried,
                                                        bool at_least_once,
                                                        const LoopBody& body) {
  llvm::LLVMContext& context = b_.getContext();
  BasicBlock* before = b_.GetInsertBlock();
  BasicBlock* loop = BasicBlock::Create(context, "loop", function_);
  BasicBlock* done = BasicBlock::Create(context, "done", function_);
  if (at_least_once)
    b_.CreateBr(loop);
  else
    b_.CreateCondBr(b_.CreateICmpSLT(from, to), loop, done);
  b_.SetInsertPoint(loop);
  llvm::PHINode* index = b_.CreatePHI(b_.getInt64Ty(), 2);
  index->addIncoming(from, before);
  std::vector<llvm::PHINode*> phis;
  std::vector<Value*> inside;
  for (Value* value : carried) {
    llvm::PHINode* phi = b_.CreatePHI(value->getType(), 2);
    phi->addIncoming(value, before);
    phis.push_back(phi);
    inside.push_back(phi);
  }
  std::vector<Value*> next = body(index, std::move(inside));
  Value* following = b_.CreateAdd(index, step, "", true, true);
  BasicBlock* last = b_.GetInsertBlock();
  b_.CreateCondBr(b_.CreateICmpSLT(following, to), loop, done);
  index->addIncoming(following, last);
  for (std::size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(next[k], last);
  b_.SetInsertPoint(done);
  if (at_least_once) return next;
  std::vector<Value*> results;
  for (std::size_t k = 0; k < phis.size(); ++k) {
    llvm::PHINode* phi = b_.CreatePHI(next[k]->getType(), 2);
    phi->addIncoming(carried[k], before);
    phi->addIncoming(next[k], last);
    results.push_back(phi);
  }
  return results;
}

void PhaseEmitter::block(const Block& items) {
  for (const Item& item : items) {
    if (item.is_loop) {
      loop(item.index);
    } else if (!preset_[at(item.index)]) {
      each_row([&](std::size_t) {
        if (!take_shared(item.index)) instruction(item.index);
      });
    }
  }
}

void PhaseEmitter::loop(std::int32_t number) {
  const Loop& l = kernel_.loops[at(number)];
  switch (l.kind) {
    case LoopKind::parallel:
      return parallel(l, mapping_.loops[at(number)]);
    case LoopKind::reduce:
      return reduce(number);
    case LoopKind::serial:
      return serial(number);
    case LoopKind::repeat_while:
      return repeat_while(number);
  }
}

void PhaseEmitter::nest(const std::vector<std::int32_t>& variables,
                        std::size_t level,
                        const std::function<void()>& body) {
  if (level == variables.size()) return body();
  std::int32_t variable = variables[level];
  counted(number(0),
          number(kernel_.variables[at(variable)].extent),
          number(1),
          {},
          true,
          [&](Value* index, std::vector<Value*>) {
            variables_[at(variable)] = index;
            nest(variables, level + 1, body);
            return std::vector<Value*>{};
          });
}

void PhaseEmitter::parallel(const Loop& l, const LoopMapping& m) {
  if (m.variable < 0) return nest(l.variables, 0, [&] { block(l.body); });
  std::vector<std::int32_t> outer = l.variables;
  std::erase(outer, m.variable);
  std::int64_t extent = kernel_.variables[at(m.variable)].extent;
  std::int64_t rest = extent % m.width, whole = extent - rest;
  find_varying(l.body, m.variable);
  nest(outer, 0, [&] {
    hoist_uniform(l.body);
    if (whole > 0) {
      counted(number(0),
              number(whole),
              number(m.width),
              {},
              true,
              [&](Value* base, std::vector<Value*>) {
                lanes_over(l.body, m.variable, m.width, base, nullptr);
                return std::vector<Value*>{};
              });
    }
    if (rest > 0) {
      tail(whole, rest, m.width, [&](std::int64_t base, int width, Value* mask) {
        lanes_over(l.body, m.variable, width, number(base), mask);
      });
    }
    preset_.assign(preset_.size(), false);
    lanes_ = Lanes{};
  });
}

}  // namespace fluxion::codegen
