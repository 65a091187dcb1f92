// What every verb is in LLVM instructions, for scalars and vectors alike, without a call to any
// library.
#pragma once
#include "trace/kernel/kernel.hpp"

#include <llvm/IR/IRBuilder.h>

namespace fluxion::codegen {

class VerbEmitter {
 public:
  /// `ranges`: the processor has AVX-512's vrange.
  VerbEmitter(llvm::IRBuilder<>& builder, bool ranges) : b_(builder), ranges_(ranges) {}

  /// `operand`: the type of a (of select: of b and c). 16-bit floats are i16, bool_ is i1.
  llvm::Value* emit(
      kernel::Verb, DType result, DType operand, llvm::Value* a, llvm::Value* b, llvm::Value* c);
  llvm::Value* convert(DType from, DType to, llvm::Value*);
  llvm::Value* combine(kernel::Combiner, DType, llvm::Value* a, llvm::Value* b);
  /// Whether (y, j) replaces (x, i) in an argument reduction.
  llvm::Value* replaces(
      kernel::Combiner, DType, llvm::Value* x, llvm::Value* i, llvm::Value* y, llvm::Value* j);
  /// The type of registers, in the shape (scalar or vector) of `like`.
  llvm::Type* shaped(DType, llvm::Value* like) const;
  llvm::Type* register_type(DType) const;

 private:
  using Value = llvm::Value;
  Value* integer(llvm::Type* type, std::uint64_t value) const;
  Value* divide(DType, Value* x, Value* y, bool remainder);
  Value* divide_exact(DType, Value* x, Value* y);
  Value* high_product(DType, Value* x, Value* y);
  Value* shift(kernel::Verb, DType, Value* x, Value* amount);
  Value* compare(kernel::Verb, DType, Value* x, Value* y);
  Value* extremum(bool greater, Value* a, Value* b);
  Value* float_verb(kernel::Verb, Value* a, Value* b, Value* c);
  Value* integer_verb(kernel::Verb, DType, Value* a, Value* b);
  Value* intrinsic(unsigned id, Value* a, Value* b = nullptr, Value* c = nullptr);
  Value* saturate(DType to, Value* x);
  Value* widen_half(Value* bits);
  Value* narrow_to_half(Value* f32);
  Value* narrow_to_bfloat(Value* f32);
  Value* round_to_odd(Value* f64);  // to float32, so that rounding once more rounds only once
  Value* integer_to_odd_float(DType, Value*);

  llvm::IRBuilder<>& b_;
  bool ranges_;
};

}  // namespace fluxion::codegen
