// Tiles: several values of an outer variable in one unit, so that their reductions share what they
// read. Each has instructions and accumulators of its own; what is the same for all is written
// once.
#include "codegen/llvm/emitter.hpp"

#include <utility>

namespace fluxion::codegen {

using llvm::BasicBlock;

namespace {
std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
}  // namespace

/// The unit's digit counts tiles; the last one may have fewer rows.
void PhaseEmitter::emit_tile(const PhaseMapping& p, Value* chunk) {
  const std::int64_t extent = kernel_.variables[at(p.tiled)].extent, rest = extent % p.tile;
  Value* tile = variables_[at(p.tiled)];
  Value* first = b_.CreateMul(tile, number(p.tile));
  const auto emit = [&](std::int64_t rows) {
    begin_tile(p, first, rows);
    rows_of_unit(p, chunk);
    end_tile();
  };
  if (rest == 0) return emit(p.tile);
  llvm::LLVMContext& context = b_.getContext();
  BasicBlock* whole = BasicBlock::Create(context, "tile", function_);
  BasicBlock* last = BasicBlock::Create(context, "rest", function_);
  BasicBlock* after = BasicBlock::Create(context, "after", function_);
  b_.CreateCondBr(b_.CreateICmpEQ(tile, number(extent / p.tile)), last, whole);
  b_.SetInsertPoint(whole);
  emit(p.tile);
  b_.CreateBr(after);
  b_.SetInsertPoint(last);
  emit(rest);
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

void PhaseEmitter::begin_tile(const PhaseMapping& p, Value* first, std::int64_t rows) {
  find_varying(kernel_.loops[at(p.loop)].body, p.tiled);
  own_of_row_ = varying_;
  tiled_ = p.tiled;
  row_ = 0;
  for (std::int64_t k = 0; k < rows; ++k)
    tile_.push_back({results_, k == 0 ? first : b_.CreateAdd(first, number(k))});
  variables_[at(tiled_)] = first;
}

void PhaseEmitter::end_tile() { tile_.clear(); }

void PhaseEmitter::enter_row(std::size_t row) {
  if (tile_.empty() || row == row_) return;
  std::swap(results_, tile_[row_].results);
  std::swap(results_, tile_[row].results);
  variables_[at(tiled_)] = tile_[row].index;
  row_ = row;
}

bool PhaseEmitter::take_shared(Id id) {
  // Each row stores at places of its own, also what is the same for all.
  const bool stores = kernel_.instructions[at(id)].verb == kernel::Verb::store;
  if (tile_.empty() || row_ == 0 || own_of_row_[at(id)] || stores) return false;
  results_[at(id)] = tile_[0].results[at(id)];
  return true;
}

std::vector<PhaseEmitter::Value*> PhaseEmitter::of_row(const std::vector<Value*>& state,
                                                       std::size_t row) const {
  const auto size = static_cast<std::ptrdiff_t>(state.size() / rows());
  const auto begin = state.begin() + size * static_cast<std::ptrdiff_t>(row);
  return {begin, begin + size};
}

}  // namespace fluxion::codegen
