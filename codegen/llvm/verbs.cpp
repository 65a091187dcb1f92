// The sequences behind the verbs: divisions that never trap, shifts beyond the width, 16-bit
// floats, saturating conversions.
#include "codegen/llvm/verbs.hpp"

#include "trace/error.hpp"
#include "trace/kernel/fold.hpp"

#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsX86.h>

#include <cmath>

namespace fluxion::codegen {

using kernel::Combiner;
using kernel::Verb;
using llvm::Type;
using llvm::Value;
namespace intrinsics = llvm::Intrinsic;

Type* VerbEmitter::register_type(DType type) const {
  switch (type) {
    case bool_:
      return b_.getInt1Ty();
    case float32:
      return b_.getFloatTy();
    case float64:
      return b_.getDoubleTy();
    default:
      return b_.getIntNTy(8 * static_cast<unsigned>(kernel::bytes_of(type)));
  }
}

Type* VerbEmitter::shaped(DType type, Value* like) const {
  Type* element = register_type(type);
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(like->getType());
  return vector ? llvm::FixedVectorType::get(element, vector->getNumElements()) : element;
}

Value* VerbEmitter::integer(Type* type, std::uint64_t value) const {
  return llvm::ConstantInt::get(type, value);
}

Value* VerbEmitter::intrinsic(unsigned id, Value* a, Value* b, Value* c) {
  llvm::SmallVector<Value*, 3> operands{a};
  if (b) operands.push_back(b);
  if (c) operands.push_back(c);
  return b_.CreateIntrinsic(id, {a->getType()}, operands);
}

Value* VerbEmitter::emit(Verb verb, DType result, DType operand, Value* a, Value* b, Value* c) {
  switch (verb) {
    case Verb::select:
      return b_.CreateSelect(a, b, c);
    case Verb::convert:
      return convert(operand, result, a);
    case Verb::bitcast:
      return b_.CreateBitCast(a, shaped(result, a));
    case Verb::equal:
    case Verb::not_equal:
    case Verb::less:
    case Verb::less_equal:
      return compare(verb, operand, a, b);
    default:
      break;
  }
  if (kernel::is_float(operand)) return float_verb(verb, a, b, c);
  return integer_verb(verb, operand, a, b);
}

Value* VerbEmitter::compare(Verb verb, DType type, Value* x, Value* y) {
  using Predicate = llvm::CmpInst::Predicate;
  if (kernel::is_float(type)) {
    switch (verb) {
      case Verb::equal:
        return b_.CreateFCmpOEQ(x, y);
      case Verb::not_equal:
        return b_.CreateFCmpUNE(x, y);
      case Verb::less:
        return b_.CreateFCmpOLT(x, y);
      default:
        return b_.CreateFCmpOLE(x, y);
    }
  }
  bool is_signed = kernel::is_signed(type);
  switch (verb) {
    case Verb::equal:
      return b_.CreateICmpEQ(x, y);
    case Verb::not_equal:
      return b_.CreateICmpNE(x, y);
    case Verb::less:
      return b_.CreateICmp(is_signed ? Predicate::ICMP_SLT : Predicate::ICMP_ULT, x, y);
    default:
      return b_.CreateICmp(is_signed ? Predicate::ICMP_SLE : Predicate::ICMP_ULE, x, y);
  }
}

Value* VerbEmitter::float_verb(Verb verb, Value* a, Value* b, Value* c) {
  switch (verb) {
    case Verb::add:
      return b_.CreateFAdd(a, b);
    case Verb::sub:
      return b_.CreateFSub(a, b);
    case Verb::mul:
      return b_.CreateFMul(a, b);
    case Verb::div:
      return b_.CreateFDiv(a, b);
    case Verb::fma:
      return intrinsic(intrinsics::fma, a, b, c);
    case Verb::min:
      return intrinsic(intrinsics::minimum, a, b);
    case Verb::max:
      return intrinsic(intrinsics::maximum, a, b);
    case Verb::neg:
      return b_.CreateFNeg(a);
    case Verb::abs:
      return intrinsic(intrinsics::fabs, a);
    case Verb::floor:
      return intrinsic(intrinsics::floor, a);
    case Verb::ceil:
      return intrinsic(intrinsics::ceil, a);
    case Verb::round_even:
      return intrinsic(intrinsics::roundeven, a);
    case Verb::truncate:
      return intrinsic(intrinsics::trunc, a);
    case Verb::sqrt:
      return intrinsic(intrinsics::sqrt, a);
    default:
      throw InternalError(std::string("no code for floats: ") + kernel::name_of(verb));
  }
}

/// NaN wins, -0 < +0. LLVM takes six instructions for a vector; AVX-512's vrange orders the zeros,
/// and a sum gives the NaN.
Value* VerbEmitter::extremum(bool greater, Value* a, Value* b) {
  unsigned general = greater ? intrinsics::maximum : intrinsics::minimum;
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(a->getType());
  bool constant = llvm::isa<llvm::Constant>(a) || llvm::isa<llvm::Constant>(b);
  if (!ranges_ || !vector || constant) return intrinsic(general, a, b);
  bool single = vector->getElementType()->isFloatTy();
  int whole = single ? 16 : 8, lanes = static_cast<int>(vector->getNumElements());
  if (lanes % whole != 0) return intrinsic(general, a, b);
  auto id =
      single ? intrinsics::x86_avx512_mask_range_ps_512 : intrinsics::x86_avx512_mask_range_pd_512;
  Value* every = b_.getInt(llvm::APInt::getAllOnes(static_cast<unsigned>(whole)));
  // Bit 0: the greater one; bit 2: with the sign of the operand that was chosen. 4: the current
  // rounding.
  Value *order = b_.getInt32(greater ? 5 : 4), *rounding = b_.getInt32(4);
  llvm::SmallVector<Value*> parts;
  for (int first = 0; first < lanes; first += whole) {
    llvm::SmallVector<int> picked;
    for (int k = 0; k < whole; ++k) picked.push_back(first + k);
    Value* x = lanes == whole ? a : b_.CreateShuffleVector(a, picked);
    Value* y = lanes == whole ? b : b_.CreateShuffleVector(b, picked);
    Value* passed = llvm::Constant::getNullValue(x->getType());
    Value* range = b_.CreateIntrinsic(id, {}, {x, y, order, passed, every, rounding});
    parts.push_back(b_.CreateSelect(b_.CreateFCmpUNO(x, y), b_.CreateFAdd(x, y), range));
  }
  return llvm::concatenateVectors(b_, parts);
}

Value* VerbEmitter::integer_verb(Verb verb, DType type, Value* a, Value* b) {
  bool is_signed = kernel::is_signed(type);
  switch (verb) {
    case Verb::add:
      return b_.CreateAdd(a, b);
    case Verb::sub:
      return b_.CreateSub(a, b);
    case Verb::mul:
      return b_.CreateMul(a, b);
    case Verb::div:
      return divide(type, a, b, false);
    case Verb::rem:
      return divide(type, a, b, true);
    case Verb::mulhi:
      return high_product(type, a, b);
    case Verb::min:
      return intrinsic(is_signed ? intrinsics::smin : intrinsics::umin, a, b);
    case Verb::max:
      return intrinsic(is_signed ? intrinsics::smax : intrinsics::umax, a, b);
    case Verb::neg:
      return b_.CreateNeg(a);
    case Verb::abs:
      if (!is_signed) return a;
      return b_.CreateIntrinsic(intrinsics::abs, {a->getType()}, {a, b_.getFalse()});
    case Verb::bit_and:
      return b_.CreateAnd(a, b);
    case Verb::bit_or:
      return b_.CreateOr(a, b);
    case Verb::bit_xor:
      return b_.CreateXor(a, b);
    case Verb::bit_not:
      return b_.CreateNot(a);
    case Verb::shift_left:
    case Verb::shift_right_logical:
    case Verb::shift_right_arithmetic:
      return shift(verb, type, a, b);
    case Verb::clz:
      return b_.CreateIntrinsic(intrinsics::ctlz, {a->getType()}, {a, b_.getFalse()});
    case Verb::popcount:
      return intrinsic(intrinsics::ctpop, a);
    default:
      throw InternalError(std::string("no code for integers: ") + kernel::name_of(verb));
  }
}

Value* VerbEmitter::shift(Verb verb, DType type, Value* x, Value* amount) {
  std::uint64_t width = 8 * static_cast<std::uint64_t>(kernel::bytes_of(type));
  Value* last = integer(x->getType(), width - 1);
  Value* within = b_.CreateICmpULE(amount, last);
  // A shift by the width or more would be poison.
  Value* safe = b_.CreateSelect(within, amount, last);
  if (verb == Verb::shift_right_arithmetic) return b_.CreateAShr(x, safe);
  Value* shifted = verb == Verb::shift_left ? b_.CreateShl(x, safe) : b_.CreateLShr(x, safe);
  return b_.CreateSelect(within, shifted, integer(x->getType(), 0));
}

/// Vectors of up to 32 bits: the quotient in a float type wide enough that its truncation is exact
/// (a quotient that is no integer is at least 1/x away from the next one, relatively).
Value* VerbEmitter::divide_exact(DType type, Value* x, Value* y) {
  DType real = kernel::bytes_of(type) <= 2 ? float32 : float64;
  bool is_signed = kernel::is_signed(type);
  Type* floating = shaped(real, x);
  auto to_float = [&](Value* v) {
    return is_signed ? b_.CreateSIToFP(v, floating) : b_.CreateUIToFP(v, floating);
  };
  Value* quotient = b_.CreateFDiv(to_float(x), to_float(y));
  // The quotient of 8- and 16-bit values is converted by way of 32 bits, as hardware does.
  Type* whole = shaped(kernel::bytes_of(type) < 4 ? int32 : type, x);
  quotient = is_signed || kernel::bytes_of(type) < 4 ? b_.CreateFPToSI(quotient, whole)
                                                     : b_.CreateFPToUI(quotient, whole);
  return b_.CreateTrunc(quotient, x->getType());
}

namespace {

/// A constant other than 0, and than -1 of a signed type: LLVM multiplies instead, and nothing can
/// trap.
bool harmless_divisor(Value* y, bool is_signed) {
  auto* constant = llvm::dyn_cast<llvm::Constant>(y);
  if (constant && y->getType()->isVectorTy()) constant = constant->getSplatValue();
  auto* value = llvm::dyn_cast_or_null<llvm::ConstantInt>(constant);
  return value && !value->isZero() && !(is_signed && value->isMinusOne());
}

}  // namespace

Value* VerbEmitter::divide(DType type, Value* x, Value* y, bool remainder) {
  bool is_signed = kernel::is_signed(type);
  if (harmless_divisor(y, is_signed)) {
    if (remainder) return is_signed ? b_.CreateSRem(x, y) : b_.CreateURem(x, y);
    return is_signed ? b_.CreateSDiv(x, y) : b_.CreateUDiv(x, y);
  }
  Value* zero = integer(x->getType(), 0);
  Value* one = integer(x->getType(), 1);
  Value* by_zero = b_.CreateICmpEQ(y, zero);
  Value* safe = by_zero;
  if (is_signed) {
    std::uint64_t least = std::uint64_t{1} << (8 * kernel::bytes_of(type) - 1);
    Value* overflow =
        b_.CreateAnd(b_.CreateICmpEQ(x, integer(x->getType(), least)),
                     b_.CreateICmpEQ(y, llvm::Constant::getAllOnesValue(x->getType())));
    safe = b_.CreateOr(by_zero, overflow);
  }
  // Dividing by one instead gives what min / -1 and min % -1 are.
  Value* divisor = b_.CreateSelect(safe, one, y);
  bool vector = x->getType()->isVectorTy() && kernel::bytes_of(type) <= 4;
  Value* result = nullptr;
  if (vector) {
    result = divide_exact(type, x, divisor);
    if (remainder) result = b_.CreateSub(x, b_.CreateMul(result, divisor));
  } else if (remainder) {
    result = is_signed ? b_.CreateSRem(x, divisor) : b_.CreateURem(x, divisor);
  } else {
    result = is_signed ? b_.CreateSDiv(x, divisor) : b_.CreateUDiv(x, divisor);
  }
  Value* at_zero = remainder ? x : llvm::Constant::getAllOnesValue(x->getType());
  return b_.CreateSelect(by_zero, at_zero, result);
}

Value* VerbEmitter::high_product(DType type, Value* x, Value* y) {
  bool is_signed = kernel::is_signed(type);
  unsigned width = 8 * static_cast<unsigned>(kernel::bytes_of(type));
  if (width == 32 || !x->getType()->isVectorTy()) {
    Type* twice = x->getType()->getWithNewBitWidth(2 * width);
    auto extend = [&](Value* v) {
      return is_signed ? b_.CreateSExt(v, twice) : b_.CreateZExt(v, twice);
    };
    Value* product = b_.CreateMul(extend(x), extend(y));
    return b_.CreateTrunc(b_.CreateLShr(product, integer(twice, width)), x->getType());
  }
  // By halves: (x1 2^32 + x0)(y1 2^32 + y0), unsigned; then the signs are put right.
  Value* low = integer(x->getType(), 0xffffffffu);
  Value* half = integer(x->getType(), 32);
  Value *x0 = b_.CreateAnd(x, low), *x1 = b_.CreateLShr(x, half);
  Value *y0 = b_.CreateAnd(y, low), *y1 = b_.CreateLShr(y, half);
  Value* middle = b_.CreateAdd(b_.CreateMul(x1, y0), b_.CreateLShr(b_.CreateMul(x0, y0), half));
  Value* other = b_.CreateAdd(b_.CreateMul(x0, y1), b_.CreateAnd(middle, low));
  Value* high = b_.CreateAdd(b_.CreateMul(x1, y1),
                             b_.CreateAdd(b_.CreateLShr(middle, half), b_.CreateLShr(other, half)));
  if (!is_signed) return high;
  Value* sign = integer(x->getType(), 63);
  high = b_.CreateSub(high, b_.CreateAnd(b_.CreateAShr(x, sign), y));
  return b_.CreateSub(high, b_.CreateAnd(b_.CreateAShr(y, sign), x));
}

Value* VerbEmitter::combine(Combiner combiner, DType type, Value* a, Value* b) {
  static constexpr Verb verbs[] = {
      Verb::add, Verb::mul, Verb::min, Verb::max, Verb::bit_and, Verb::bit_or, Verb::bit_xor};
  if (combiner == Combiner::set) return b;
  return emit(verbs[static_cast<std::size_t>(combiner)], type, type, a, b, nullptr);
}

Value* VerbEmitter::replaces(
    Combiner combiner, DType type, Value* x, Value* i, Value* y, Value* j) {
  Value* better = combiner == Combiner::arg_min ? compare(Verb::less, type, y, x)
                                                : compare(Verb::less, type, x, y);
  Value* tie = compare(Verb::equal, type, x, y);
  Value* earlier = b_.CreateICmpSLT(j, i);
  if (!kernel::is_float(type)) return b_.CreateOr(better, b_.CreateAnd(tie, earlier));
  Value* x_nan = b_.CreateFCmpUNO(x, x);
  Value* y_nan = b_.CreateFCmpUNO(y, y);
  tie = b_.CreateOr(tie, b_.CreateAnd(x_nan, y_nan));
  better = b_.CreateOr(better, b_.CreateAnd(y_nan, b_.CreateNot(x_nan)));
  return b_.CreateOr(better, b_.CreateAnd(tie, earlier));
}

namespace {

/// LLVM's own half type, in the shape of `like`: for conversions that are one instruction.
Type* half_like(llvm::IRBuilder<>& b, Value* like) {
  Type* half = llvm::Type::getHalfTy(b.getContext());
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(like->getType());
  return vector ? llvm::FixedVectorType::get(half, vector->getNumElements()) : half;
}

}  // namespace

Value* VerbEmitter::widen_half(Value* bits) {
  return b_.CreateFPExt(b_.CreateBitCast(bits, half_like(b_, bits)), shaped(float32, bits));
}

Value* VerbEmitter::narrow_to_half(Value* f32) {
  return b_.CreateBitCast(b_.CreateFPTrunc(f32, half_like(b_, f32)), shaped(uint16, f32));
}

Value* VerbEmitter::narrow_to_bfloat(Value* f32) {
  Type* word = shaped(uint32, f32);
  Value* bits = b_.CreateBitCast(f32, word);
  Value* odd = b_.CreateAnd(b_.CreateLShr(bits, integer(word, 16)), integer(word, 1));
  Value* rounded = b_.CreateAdd(b_.CreateAdd(bits, integer(word, 0x7fff)), odd);
  Value* quiet = b_.CreateOr(bits, integer(word, 0x400000));
  Value* result = b_.CreateSelect(b_.CreateFCmpUNO(f32, f32), quiet, rounded);
  return b_.CreateTrunc(b_.CreateLShr(result, integer(word, 16)), shaped(uint16, f32));
}

Value* VerbEmitter::round_to_odd(Value* f64) {
  Type* word = shaped(uint32, f64);
  Value* nearest = b_.CreateFPTrunc(f64, shaped(float32, f64));
  Value* back = b_.CreateFPExt(nearest, f64->getType());
  Value* inexact = b_.CreateFCmpONE(back, f64);
  Value* away =
      b_.CreateFCmpOGT(intrinsic(intrinsics::fabs, back), intrinsic(intrinsics::fabs, f64));
  Value* bits = b_.CreateBitCast(nearest, word);
  Value* toward_zero = b_.CreateSub(bits, b_.CreateZExt(away, word));
  Value* odd = b_.CreateOr(toward_zero, integer(word, 1));
  return b_.CreateBitCast(b_.CreateSelect(inexact, odd, bits), shaped(float32, f64));
}

/// An integer as a float32 that rounds to a 16-bit float as the integer itself would.
Value* VerbEmitter::integer_to_odd_float(DType type, Value* x) {
  bool is_signed = kernel::is_signed(type);
  if (kernel::bytes_of(type) <= 2) {
    Type* floating = shaped(float32, x);
    return is_signed ? b_.CreateSIToFP(x, floating) : b_.CreateUIToFP(x, floating);
  }
  Type* real = shaped(float64, x);
  if (kernel::bytes_of(type) == 4) {
    return round_to_odd(is_signed ? b_.CreateSIToFP(x, real) : b_.CreateUIToFP(x, real));
  }
  Value* magnitude = x;
  Type* word = x->getType();
  if (is_signed) {
    magnitude = b_.CreateIntrinsic(intrinsics::abs, {word}, {x, b_.getFalse()});
  }
  // Of magnitudes beyond 53 bits the lowest eleven become one sticky bit.
  Value* lowest = b_.CreateAnd(magnitude, integer(word, 0x7ff));
  Value* sticky = b_.CreateSelect(
      b_.CreateICmpNE(lowest, integer(word, 0)), integer(word, 0x800), integer(word, 0));
  Value* shortened =
      b_.CreateOr(b_.CreateAnd(magnitude, integer(word, ~std::uint64_t{0x7ff})), sticky);
  Value* long_one = b_.CreateICmpUGE(magnitude, integer(word, std::uint64_t{1} << 53));
  Value* exact = b_.CreateUIToFP(b_.CreateSelect(long_one, shortened, magnitude), real);
  if (is_signed) {
    exact = b_.CreateSelect(b_.CreateICmpSLT(x, integer(word, 0)), b_.CreateFNeg(exact), exact);
  }
  return round_to_odd(exact);
}

/// A float32 or float64 as an integer: NaN is 0, what is out of range is the nearest value.
/// (llvm.fptosi.sat would be one scalar after the other.)
Value* VerbEmitter::saturate(DType to, Value* x) {
  Type* real = x->getType();
  bool is_signed = kernel::is_signed(to);
  int digits = 8 * kernel::bytes_of(to) - (is_signed ? 1 : 0);
  bool exact = digits < (real->getScalarType()->isFloatTy() ? 24 : 53);
  Value* lowest = llvm::ConstantFP::get(real, is_signed ? -std::ldexp(1.0, digits) : 0.0);
  Value* inside = b_.CreateSelect(b_.CreateFCmpOGT(x, lowest), x, lowest);
  if (is_signed) {
    Value* zero = llvm::ConstantFP::get(real, 0.0);
    inside = b_.CreateSelect(b_.CreateFCmpUNO(x, x), zero, inside);
  }
  // The greatest integer, or what comes after it where that is no float of this type.
  Value* limit = llvm::ConstantFP::get(real, std::ldexp(1.0, digits) - (exact ? 1.0 : 0.0));
  Value* beyond = b_.CreateFCmpOGE(inside, limit);
  inside = b_.CreateSelect(beyond, exact ? limit : lowest, inside);
  Type* target = shaped(to, x);
  Type* whole = kernel::bytes_of(to) < 4 ? shaped(int32, x) : target;
  Value* result = is_signed || kernel::bytes_of(to) < 4 ? b_.CreateFPToSI(inside, whole)
                                                        : b_.CreateFPToUI(inside, whole);
  if (kernel::bytes_of(to) < 4) return b_.CreateTrunc(result, target);
  if (exact) return result;
  std::uint64_t greatest = digits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << digits) - 1;
  return b_.CreateSelect(beyond, integer(target, greatest), result);
}

Value* VerbEmitter::convert(DType from, DType to, Value* x) {
  if (from == to) return x;
  if (from == float16) return convert(float32, to, widen_half(x));
  if (from == bfloat16) {
    Type* word = shaped(uint32, x);
    Value* bits = b_.CreateShl(b_.CreateZExt(x, word), integer(word, 16));
    return convert(float32, to, b_.CreateBitCast(bits, shaped(float32, x)));
  }
  Type* target = shaped(to, x);
  bool from_float = kernel::is_float(from);
  if (to == bool_) {
    if (from_float) return b_.CreateFCmpUNE(x, llvm::ConstantFP::get(x->getType(), 0));
    return b_.CreateICmpNE(x, integer(x->getType(), 0));
  }
  if (kernel::is_narrow_float(to)) {
    Value* f32 = from == float32   ? x
                 : from == float64 ? round_to_odd(x)
                 : from == bool_   ? convert(bool_, float32, x)
                                   : integer_to_odd_float(from, x);
    return to == float16 ? narrow_to_half(f32) : narrow_to_bfloat(f32);
  }
  if (from == bool_) {
    if (!kernel::is_float(to)) return b_.CreateZExt(x, target);
    return b_.CreateSelect(x, llvm::ConstantFP::get(target, 1), llvm::ConstantFP::get(target, 0));
  }
  if (from_float && kernel::is_float(to)) {
    return to == float64 ? b_.CreateFPExt(x, target) : b_.CreateFPTrunc(x, target);
  }
  if (from_float) return saturate(to, x);
  bool is_signed = kernel::is_signed(from);
  if (kernel::is_float(to)) {
    return is_signed ? b_.CreateSIToFP(x, target) : b_.CreateUIToFP(x, target);
  }
  return is_signed ? b_.CreateSExtOrTrunc(x, target) : b_.CreateZExtOrTrunc(x, target);
}

}  // namespace fluxion::codegen
