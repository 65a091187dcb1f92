// Divisions of many numbers by one, exactly rounded without dividing: the quotient by the divisor's
// reciprocal, corrected by its remainder.
#include "codegen/llvm/emitter.hpp"

#include <cmath>

namespace fluxion::codegen {

using llvm::BasicBlock;
using llvm::Value;

namespace {

/// Exponents of what is divided so: no quotient is subnormal or overflows, and every remainder is a
/// number.
struct Range {
  int divisor, dividend;
};

Range range_of(const llvm::Type* element) {
  return element->isFloatTy() ? Range{24, 100} : Range{100, 900};
}

}  // namespace

/// A constant divisor's inverse, where dividing by it is to multiply; null otherwise.
PhaseEmitter::Value* PhaseEmitter::exact_inverse(Value* divisor) const {
  const auto* constant = llvm::dyn_cast<llvm::ConstantFP>(divisor);
  llvm::APFloat inverse(0.0);
  if (!constant || !constant->getValueAPF().getExactInverse(&inverse)) return nullptr;
  return llvm::ConstantFP::get(divisor->getType(), inverse);
}

/// Made behind the divisor, once for all that is divided by it.
const PhaseEmitter::Reciprocal& PhaseEmitter::reciprocal(llvm::Instruction* divisor) {
  auto [found, is_new] = reciprocals_.try_emplace(divisor);
  if (!is_new) return found->second;
  auto here = b_.saveIP();
  auto behind = divisor->getInsertionPointAfterDef();
  b_.SetInsertPoint(divisor->getParent() == &function_->getEntryBlock() ? entry_end_->getIterator()
                                                                        : *behind);
  llvm::Type* type = divisor->getType();
  const int exponent = range_of(type).divisor;
  Value* least = llvm::ConstantFP::get(type, std::ldexp(1.0, -exponent));
  Value* most = llvm::ConstantFP::get(type, std::ldexp(1.0, exponent));
  found->second.value = b_.CreateFDiv(llvm::ConstantFP::get(type, 1.0), divisor);
  found->second.in_range =
      b_.CreateAnd(b_.CreateFCmpOGE(divisor, least), b_.CreateFCmpOLE(divisor, most));
  b_.restoreIP(here);
  return found->second;
}

/// With y = 1 / d rounded to nearest, q = x y corrected by its remainder, q + (x - q d) y, is x / d
/// rounded to nearest (N. Brisebarre, J.-M. Muller, S. K. Raina, Accelerating correctly rounded
/// floating-point division when the divisor is known in advance, IEEE Trans. Comput. 53, 2004). The
/// signs are such that a zero keeps its own. Three multiplications a vector, where a division keeps
/// its unit busy for six (AVX2) to sixteen cycles (AVX-512).
PhaseEmitter::Value* PhaseEmitter::divide_by_same(Value* x, llvm::Instruction* divisor) {
  const Reciprocal& known = reciprocal(divisor);
  llvm::Type* type = x->getType();
  const int exponent = range_of(type->getScalarType()).dividend;
  Value *d = splat(divisor), *y = splat(known.value);
  Value* size = b_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  Value* large = b_.CreateFCmpOGE(size, llvm::ConstantFP::get(type, std::ldexp(1.0, -exponent)));
  Value* small = b_.CreateFCmpOLE(size, llvm::ConstantFP::get(type, std::ldexp(1.0, exponent)));
  Value* zero = b_.CreateFCmpOEQ(x, llvm::Constant::getNullValue(type));
  Value* inside = b_.CreateAnd(b_.CreateOr(large, zero), small);
  Value* fast = b_.CreateAnd(b_.CreateAndReduce(inside), known.in_range);

  llvm::LLVMContext& context = b_.getContext();
  BasicBlock* multiplied = BasicBlock::Create(context, "multiplied", function_);
  BasicBlock* divided = BasicBlock::Create(context, "divided", function_);
  BasicBlock* after = BasicBlock::Create(context, "quotient", function_);
  b_.CreateCondBr(fast, multiplied, divided);

  b_.SetInsertPoint(multiplied);
  auto fma = [&](Value* a, Value* b, Value* c) {
    return b_.CreateIntrinsic(llvm::Intrinsic::fma, {type}, {a, b, c});
  };
  Value* near = b_.CreateFMul(x, y);
  Value* excess = fma(near, d, b_.CreateFNeg(x));
  Value* quotient = fma(b_.CreateFNeg(excess), y, near);
  b_.CreateBr(after);

  b_.SetInsertPoint(divided);
  Value* plain = b_.CreateFDiv(x, d);
  b_.CreateBr(after);

  b_.SetInsertPoint(after);
  llvm::PHINode* result = b_.CreatePHI(type, 2);
  result->addIncoming(quotient, multiplied);
  result->addIncoming(plain, divided);
  return result;
}

/// A quotient of lanes by what they share; null where a division is as good.
PhaseEmitter::Value* PhaseEmitter::quotient_by_same(Value* x, Value* divisor) {
  if (Value* inverse = exact_inverse(divisor)) return b_.CreateFMul(x, splat(inverse));
  auto* made = llvm::dyn_cast<llvm::Instruction>(divisor);
  if (!made || made->getParent() == b_.GetInsertBlock()) return nullptr;
  return divide_by_same(x, made);
}

}  // namespace fluxion::codegen
