// Loads, stores, updates and tables: which addresses are one, contiguous, in steps or scattered,
// and what no lane may touch.
#include "codegen/llvm/emitter.hpp"
#include "trace/error.hpp"
#include "trace/kernel/fold.hpp"

namespace fluxion::codegen {

using kernel::Access;
using kernel::Combiner;
using kernel::Instruction;
using kernel::Promise;
using kernel::Role;
using llvm::Type;
using llvm::Value;

namespace {
std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
}  // namespace

Type* PhaseEmitter::memory_type_of(DType type) const {
  return type == bool_ ? b_.getInt8Ty() : type_of(type);
}

Value* PhaseEmitter::to_memory(DType type, Value* v) {
  if (type != bool_) return v;
  return b_.CreateZExt(v, v->getType()->getWithNewType(b_.getInt8Ty()));
}

Value* PhaseEmitter::from_memory(DType type, Value* v) {
  return type == bool_ ? b_.CreateICmpNE(v, llvm::Constant::getNullValue(v->getType())) : v;
}

Value* PhaseEmitter::stack(Type* type, std::int64_t count) {
  llvm::IRBuilder<>::InsertPointGuard guard(b_);
  b_.SetInsertPoint(&function_->getEntryBlock(), function_->getEntryBlock().begin());
  llvm::AllocaInst* memory = b_.CreateAlloca(type, b_.getInt64(static_cast<std::uint64_t>(count)));
  memory->setAlignment(llvm::Align(64));
  return memory;
}

Value* PhaseEmitter::spare() {
  if (!spare_) {
    spare_ = stack(b_.getInt64Ty(), 1);
    llvm::IRBuilder<>::InsertPointGuard guard(b_);
    b_.SetInsertPoint(entry_end_);
    b_.CreateStore(b_.getInt64(0), spare_);
  }
  return spare_;
}

PhaseEmitter::Address PhaseEmitter::address(const Access& access) {
  Address result;
  Value* uniform = number(access.offset.constant);
  auto add = [&](Value* term, std::int64_t scale) {
    uniform = b_.CreateAdd(uniform, scale == 1 ? term : b_.CreateMul(term, number(scale)));
  };
  for (const auto& term : access.offset.variables) {
    if (term.of != lanes_.variable) {
      add(variables_[at(term.of)], term.scale);
    } else {
      add(lanes_.base, term.scale);
      result.step += term.scale;
    }
  }
  std::vector<std::pair<Value*, std::int64_t>> scattered;
  for (const auto& term : access.offset.opaque) {
    const Result& r = this->result(term.of);
    if (r.vector) {
      scattered.emplace_back(r.vector, term.scale);
    } else {
      add(r.scalar, term.scale);
      result.step += r.step * term.scale;
    }
  }
  const kernel::BufferDecl& buffer = kernel_.buffers[at(access.buffer)];
  std::int64_t count = buffer.count;
  bool own_rows = lanes_.variable >= 0 && lanes_.expand_scratch && buffer.role == Role::scratch;
  std::int64_t spread = own_rows ? lanes_.width : 1;
  count *= spread;
  if (own_rows) {
    // Element e of lane l lies at e * width + l.
    uniform = b_.CreateMul(uniform, number(spread));
    result.step = result.step * spread + 1;
  }
  result.base = uniform;
  if (scattered.empty()) return result;
  // An index in range survives arithmetic modulo 2^32 if the buffer is small enough, and half as
  // wide gathers are faster.
  bool narrow = count <= std::int64_t{1} << 31;
  Type* element = narrow ? b_.getInt32Ty() : b_.getInt64Ty();
  Value* sum = b_.CreateAdd(splat(b_.CreateTrunc(uniform, element)), iota(element, result.step));
  for (auto [v, scale] : scattered) {
    Value* term = b_.CreateTrunc(v, wide(element));
    Value* factor = splat(llvm::ConstantInt::getSigned(element, scale * spread));
    sum = b_.CreateAdd(sum, scale * spread == 1 ? term : b_.CreateMul(term, factor));
  }
  result.offsets = sum;
  return result;
}

Value* PhaseEmitter::pointer(const Access& access, Value* offset) {
  Type* element = memory_type_of(kernel_.buffers[at(access.buffer)].dtype);
  return b_.CreateGEP(element, buffers_[at(access.buffer)], offset);
}

Value* PhaseEmitter::pointers(const Access& access, const Address& where) {
  Type* element = memory_type_of(kernel_.buffers[at(access.buffer)].dtype);
  if (where.offsets) return b_.CreateGEP(element, buffers_[at(access.buffer)], where.offsets);
  Value* first = pointer(access, where.base);
  bool narrow = where.step * lanes_.width < (std::int64_t{1} << 31) &&
                where.step * lanes_.width > -(std::int64_t{1} << 31);
  return b_.CreateGEP(element, first, iota(narrow ? b_.getInt32Ty() : b_.getInt64Ty(), where.step));
}

/// The lanes that touch memory; null if all do.
Value* PhaseEmitter::access_mask(const Access& access) {
  if (access.predicate < 0) return lanes_.mask;
  return both(lanes_.mask, vector(access.predicate));
}

Value* PhaseEmitter::load_scalar(const Access& access,
                                 Value* offset,
                                 Value* predicate,
                                 Value* otherwise) {
  DType type = kernel_.buffers[at(access.buffer)].dtype;
  Value* from = pointer(access, offset);
  if (predicate) from = b_.CreateSelect(predicate, from, spare());
  auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(type)));
  Value* loaded = from_memory(type, b_.CreateAlignedLoad(memory_type_of(type), from, align));
  return predicate ? b_.CreateSelect(predicate, loaded, otherwise) : loaded;
}

/// One lane after the other, for types that hardware cannot gather; lanes that the mask excludes
/// read element 0.
Value* PhaseEmitter::load_each(const Access& access, const Address& where, Value* mask) {
  DType type = kernel_.buffers[at(access.buffer)].dtype;
  Type* element = memory_type_of(type);
  auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(type)));
  Value* offsets = where.offsets;
  if (!offsets) {
    offsets = b_.CreateAdd(splat(where.base), iota(b_.getInt64Ty(), where.step));
  }
  if (mask)
    offsets = b_.CreateSelect(mask, offsets, llvm::Constant::getNullValue(offsets->getType()));
  Value* result = llvm::PoisonValue::get(wide(element));
  for (int lane = 0; lane < lanes_.width; ++lane) {
    auto number = static_cast<std::uint64_t>(lane);
    Value* from = pointer(access, b_.CreateExtractElement(offsets, number));
    result = b_.CreateInsertElement(result, b_.CreateAlignedLoad(element, from, align), number);
  }
  return result;
}

Value* PhaseEmitter::load_lanes(const Access& access, const Address& where) {
  DType type = kernel_.buffers[at(access.buffer)].dtype;
  Type* vector_type = wide(memory_type_of(type));
  auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(type)));
  Value* mask = access_mask(access);
  Value* otherwise = access.otherwise >= 0 ? to_memory(type, vector(access.otherwise))
                                           : llvm::Constant::getNullValue(vector_type);
  Value* loaded = nullptr;
  if (!where.offsets && (where.step == 1 || where.step == -1)) {
    Value* first = where.base;
    bool reversed = where.step == -1;
    Value* memory_mask = mask;
    if (reversed) {
      first = b_.CreateSub(first, number(lanes_.width - 1));
      if (mask) memory_mask = b_.CreateVectorReverse(mask);
    }
    Value* from = pointer(access, first);
    if (mask) {
      Value* fill = reversed ? b_.CreateVectorReverse(otherwise) : otherwise;
      loaded = b_.CreateMaskedLoad(vector_type, from, align, memory_mask, fill);
    } else {
      loaded = b_.CreateAlignedLoad(vector_type, from, align);
    }
    if (reversed) loaded = b_.CreateVectorReverse(loaded);
  } else if (kernel::bytes_of(type) >= 4 || kernel_.buffers[at(access.buffer)].count == 0) {
    Value* active = mask ? mask : llvm::Constant::getAllOnesValue(wide(b_.getInt1Ty()));
    loaded = b_.CreateMaskedGather(vector_type, pointers(access, where), align, active, otherwise);
  } else {
    loaded = load_each(access, where, mask);
    if (access.otherwise >= 0) loaded = b_.CreateSelect(mask, loaded, otherwise);
  }
  return from_memory(type, loaded);
}

PhaseEmitter::Result PhaseEmitter::load(const Access& access) {
  Address where = address(access);
  bool conditions_vary = access.predicate >= 0 && varies(access.predicate);
  if (lanes_.variable < 0 || (!where.varies() && !conditions_vary)) {
    bool conditional = access.predicate >= 0;
    if (!conditional) return {load_scalar(access, where.base, nullptr, nullptr), 0, nullptr};
    Value* predicate = scalar(access.predicate);
    if (!varies(access.otherwise)) {
      return {load_scalar(access, where.base, predicate, scalar(access.otherwise)), 0, nullptr};
    }
    Value* zero = llvm::Constant::getNullValue(type_of(kernel_.buffers[at(access.buffer)].dtype));
    Value* loaded = load_scalar(access, where.base, predicate, zero);
    return {nullptr, 0, b_.CreateSelect(predicate, splat(loaded), vector(access.otherwise))};
  }
  if (!where.varies()) {
    // One element for the lanes that ask for it: read once if any does.
    Value* mask = access_mask(access);
    DType type = kernel_.buffers[at(access.buffer)].dtype;
    Value* zero = llvm::Constant::getNullValue(type_of(type));
    Value* loaded = load_scalar(access, where.base, any(mask), zero);
    return {nullptr, 0, b_.CreateSelect(mask, splat(loaded), vector(access.otherwise))};
  }
  return {nullptr, 0, load_lanes(access, where)};
}

void PhaseEmitter::store_lanes(const Access& access, const Address& where, Value* v, Value* mask) {
  DType type = kernel_.buffers[at(access.buffer)].dtype;
  auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(type)));
  v = to_memory(type, v);
  if (!where.offsets && (where.step == 1 || where.step == -1)) {
    Value* first = where.base;
    if (where.step == -1) {
      first = b_.CreateSub(first, number(lanes_.width - 1));
      v = b_.CreateVectorReverse(v);
      if (mask) mask = b_.CreateVectorReverse(mask);
    }
    Value* to = pointer(access, first);
    if (mask)
      b_.CreateMaskedStore(v, to, align, mask);
    else
      b_.CreateAlignedStore(v, to, align);
    return;
  }
  if (!mask) mask = llvm::Constant::getAllOnesValue(wide(b_.getInt1Ty()));
  b_.CreateMaskedScatter(v, pointers(access, where), align, mask);
}

void PhaseEmitter::store(const Access& access, Id value_id) {
  DType type = kernel_.buffers[at(access.buffer)].dtype;
  Address where = address(access);
  if (lanes_.variable < 0) {
    Value* to = pointer(access, where.base);
    if (access.predicate >= 0) to = b_.CreateSelect(scalar(access.predicate), to, spare());
    auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(type)));
    b_.CreateAlignedStore(to_memory(type, scalar(value_id)), to, align);
    return;
  }
  store_lanes(access, where, vector(value_id), access_mask(access));
}

void PhaseEmitter::update(const Instruction& i) {
  const Access& access = kernel_.accesses[i.bits];
  auto combiner = static_cast<Combiner>(i.b);
  DType type = kernel_.buffers[at(access.buffer)].dtype;
  Address where = address(access);
  if (lanes_.variable < 0) {
    Value* to = pointer(access, where.base);
    Value* by = scalar(i.a);
    // Nearly all updates lie inside: a branch costs less than a chosen address that memory waits
    // for.
    llvm::BasicBlock* after = nullptr;
    if (access.predicate >= 0) {
      auto* inside = llvm::BasicBlock::Create(b_.getContext(), "update", function_);
      after = llvm::BasicBlock::Create(b_.getContext(), "updated", function_);
      b_.CreateCondBr(scalar(access.predicate), inside, after);
      b_.SetInsertPoint(inside);
    }
    auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(type)));
    Value* now = from_memory(type, b_.CreateAlignedLoad(memory_type_of(type), to, align));
    b_.CreateAlignedStore(to_memory(type, verbs_.combine(combiner, type, now, by)), to, align);
    if (after) {
      b_.CreateBr(after);
      b_.SetInsertPoint(after);
    }
    return;
  }
  if (lanes_.position) return keep(i, where);
  bool distinct =
      static_cast<Promise>(i.c) == Promise::unique || (!where.offsets && where.step != 0);
  if (!distinct) throw InternalError("lanes meet in an update");
  Access unguarded = access;
  unguarded.predicate = unguarded.otherwise = -1;
  Value* outer = lanes_.mask;
  Value* mask = access_mask(access);
  lanes_.mask = mask;
  Value* now = load_lanes(unguarded, where);
  store_lanes(unguarded, where, verbs_.combine(combiner, type, now, vector(i.a)), mask);
  lanes_.mask = outer;
}

PhaseEmitter::Result PhaseEmitter::table(const Instruction& i) {
  const kernel::Table& t = kernel_.tables[i.bits];
  Type* element = memory_type_of(t.dtype);
  llvm::GlobalVariable*& global = tables_[i.bits];
  if (!global) {
    llvm::SmallVector<llvm::Constant*> values;
    for (std::uint64_t bits : t.bits) {
      values.push_back(
          llvm::cast<llvm::Constant>(constant(t.dtype == bool_ ? uint8 : t.dtype, bits)));
    }
    auto* type = llvm::ArrayType::get(element, values.size());
    global = new llvm::GlobalVariable(module_,
                                      type,
                                      true,
                                      llvm::GlobalValue::InternalLinkage,
                                      llvm::ConstantArray::get(type, values),
                                      "table");
    global->setAlignment(llvm::Align(64));
  }
  auto align = llvm::Align(static_cast<std::uint64_t>(kernel::bytes_of(t.dtype)));
  if (!varies(i.a)) {
    Value* from = b_.CreateGEP(element, global, scalar(i.a));
    return {from_memory(t.dtype, b_.CreateAlignedLoad(element, from, align)), 0, nullptr};
  }
  // Lanes that are not active may hold any index.
  Value* index = b_.CreateTrunc(vector(i.a), wide(b_.getInt32Ty()));
  if (lanes_.mask) {
    index = b_.CreateSelect(lanes_.mask, index, llvm::Constant::getNullValue(index->getType()));
  }
  Value* loaded = nullptr;
  if (kernel::bytes_of(t.dtype) >= 4) {
    Value* all = llvm::Constant::getAllOnesValue(wide(b_.getInt1Ty()));
    loaded = b_.CreateMaskedGather(wide(element), b_.CreateGEP(element, global, index), align, all);
  } else {
    loaded = llvm::PoisonValue::get(wide(element));
    for (int lane = 0; lane < lanes_.width; ++lane) {
      auto number = static_cast<std::uint64_t>(lane);
      Value* from = b_.CreateGEP(element, global, b_.CreateExtractElement(index, number));
      loaded = b_.CreateInsertElement(loaded, b_.CreateAlignedLoad(element, from, align), number);
    }
  }
  return {nullptr, 0, from_memory(t.dtype, loaded)};
}

}  // namespace fluxion::codegen
