// Loops in order that do nothing but update: what goes where is found out with lanes for a block of
// steps, and waits on the stack; then the updates are made one after the other.
#include "codegen/llvm/emitter.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::codegen {

using kernel::Access;
using kernel::Combiner;
using kernel::Instruction;
using kernel::Loop;
using llvm::BasicBlock;
using llvm::Type;
using llvm::Value;

namespace {

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

// Long enough that what was stored for one block is out of the store buffer when it is read.
constexpr std::int64_t steps_of_block = 256;
constexpr std::int64_t steps_without_branch = 4;  // every number of lanes is a multiple

}  // namespace

/// In place of an update: its lanes wait at their steps' places.
void PhaseEmitter::keep(const Instruction& i, const Address& where) {
  const Access& access = kernel_.accesses[i.bits];
  const DType type = kernel_.buffers[at(access.buffer)].dtype;
  const auto kept = [&](Value* v) {
    Type* const element = v->getType()->getScalarType();
    Value* const memory = stack(element, steps_of_block);
    b_.CreateStore(v, b_.CreateGEP(element, memory, lanes_.position));
    return memory;
  };
  Value* places = where.offsets;
  if (!places) places = b_.CreateAdd(splat(where.base), iota(b_.getInt64Ty(), where.step));
  Value* marks = nullptr;
  if (access.predicate >= 0) {
    Value* const inside = vector(access.predicate);
    all_inside_ = b_.CreateAnd(all_inside_, b_.CreateAndReduce(inside));
    marks = kept(b_.CreateZExt(inside, wide(b_.getInt8Ty())));
  }
  kept_.push_back({&i,
                   places->getType()->getScalarType(),
                   kept(places),
                   kept(to_memory(type, vector(i.a))),
                   marks});
}

/// The update of one step of a block.
void PhaseEmitter::make(const Kept& kept, Value* step, bool all_inside) {
  const Access& access = kernel_.accesses[kept.update->bits];
  const DType type = kernel_.buffers[at(access.buffer)].dtype;
  const auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(type)));
  Type* const element = memory_type_of(type);
  const auto taken = [&](Type* of, Value* memory) {
    return b_.CreateLoad(of, b_.CreateGEP(of, memory, step));
  };
  BasicBlock* after = nullptr;
  if (kept.marks && !all_inside) {
    auto* const inside = BasicBlock::Create(b_.getContext(), "update", function_);
    after = BasicBlock::Create(b_.getContext(), "updated", function_);
    Value* const mark = taken(b_.getInt8Ty(), kept.marks);
    b_.CreateCondBr(b_.CreateICmpNE(mark, b_.getInt8(0)), inside, after);
    b_.SetInsertPoint(inside);
  }
  Value* const place = taken(kept.place_type, kept.places);
  Value* const to = pointer(access, b_.CreateSExt(place, b_.getInt64Ty()));
  Value* const by = from_memory(type, taken(element, kept.values));
  Value* const now = from_memory(type, b_.CreateAlignedLoad(element, to, align));
  const auto combiner = static_cast<Combiner>(kept.update->b);
  b_.CreateAlignedStore(to_memory(type, verbs_.combine(combiner, type, now, by)), to, align);
  if (!after) return;
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

void PhaseEmitter::block_of_updates(const Loop& l, const LoopMapping& m, Value* first, Value* end) {
  const auto each = [&](Value* inside, Value* base) {
    kept_.clear();
    all_inside_ = inside;
    lanes_.position = b_.CreateSub(base, first);
    lanes_over(l.body, m.variable, m.width, base, nullptr);
    return all_inside_;
  };
  Value* const all = counted(first,
                             end,
                             number(m.width),
                             {b_.getTrue()},
                             true,
                             [&](Value* base, std::vector<Value*> carried) {
                               return std::vector<Value*>{each(carried[0], base)};
                             })[0];
  lanes_ = Lanes{};
  Value* const steps = b_.CreateSub(end, first);
  const auto make_all = [&](std::int64_t together, bool all_inside) {
    counted(number(0), steps, number(together), {}, true, [&](Value* step, std::vector<Value*>) {
      for (std::int64_t k = 0; k < together; ++k)
        for (const Kept& kept : kept_)
          make(kept, k == 0 ? step : b_.CreateAdd(step, number(k)), all_inside);
      return std::vector<Value*>{};
    });
  };
  const bool always =
      std::none_of(kept_.begin(), kept_.end(), [](const Kept& kept) { return kept.marks; });
  if (always) return make_all(steps_without_branch, true);
  auto* const whole = BasicBlock::Create(b_.getContext(), "all", function_);
  auto* const some = BasicBlock::Create(b_.getContext(), "some", function_);
  auto* const after = BasicBlock::Create(b_.getContext(), "updated", function_);
  b_.CreateCondBr(all, whole, some);
  b_.SetInsertPoint(whole);
  make_all(steps_without_branch, true);
  b_.CreateBr(after);
  b_.SetInsertPoint(some);
  make_all(1, false);
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

void PhaseEmitter::updates_in_order(const Loop& l, const LoopMapping& m) {
  std::vector<std::int32_t> outer = l.variables;
  outer.pop_back();
  const std::int64_t extent = kernel_.variables[at(m.variable)].extent;
  const std::int64_t whole = extent - extent % m.width;
  nest(outer, 0, [&] {
    if (whole > 0) {
      counted(number(0),
              number(whole),
              number(steps_of_block),
              {},
              true,
              [&](Value* first, std::vector<Value*>) {
                Value* const end = b_.CreateIntrinsic(
                    llvm::Intrinsic::smin,
                    {b_.getInt64Ty()},
                    {b_.CreateAdd(first, number(steps_of_block)), number(whole)});
                find_varying(l.body, m.variable);
                block_of_updates(l, m, first, end);
                return std::vector<Value*>{};
              });
    }
    if (whole == extent) return;
    counted(
        number(whole), number(extent), number(1), {}, true, [&](Value* step, std::vector<Value*>) {
          variables_[at(m.variable)] = step;
          block(l.body);
          return std::vector<Value*>{};
        });
  });
}

}  // namespace fluxion::codegen
