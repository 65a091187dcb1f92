// A kernel as LLVM IR: explicit vectors over the variable that the mapping chose, no passes needed
// after.
#pragma once
#include "codegen/kernel_mapping.hpp"
#include "codegen/llvm/verbs.hpp"
#include "trace/kernel/kernel.hpp"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fluxion::codegen {

/// Writes the function of one phase. All the state is of that function.
class PhaseEmitter {
 public:
  PhaseEmitter(llvm::Module&, const kernel::Kernel&, const Mapping&, const VectorTarget&);
  void emit(std::size_t phase, const std::string& name);

 private:
  using Value = llvm::Value;
  using Type = llvm::Type;
  using Id = kernel::Id;

  /// What an instruction gave: one scalar for all lanes; scalar + step * lane; or one vector.
  struct Result {
    Value* scalar = nullptr;
    std::int64_t step = 0;
    Value* vector = nullptr;
    bool varies() const { return vector != nullptr || step != 0; }
  };
  /// The lanes that are active: element `base + lane` of `variable`, where `mask` (if any) holds.
  struct Lanes {
    std::int32_t variable = -1;
    int width = 1;
    Value* base = nullptr;
    Value* mask = nullptr;
    bool expand_scratch = false;  // every lane has its own row
    /// Lanes are steps of a loop in order, from this one of their block on: updates wait.
    Value* position = nullptr;
  };
  using LoopBody = std::function<std::vector<Value*>(Value* index, std::vector<Value*> carried)>;

  // types and values
  Type* type_of(DType) const;  // in registers
  Type* memory_type_of(DType) const;
  Type* wide(Type*) const;  // a vector of it, if lanes are active
  Type* type_of(DType type, bool varies) const {
    return varies ? wide(type_of(type)) : type_of(type);
  }
  Value* constant(DType, std::uint64_t bits) const;
  Value* number(std::int64_t value) const { return b_.getInt64(static_cast<std::uint64_t>(value)); }
  Value* iota(Type* element, std::int64_t step) const;
  const Result& result(Id);
  void on_entry(Id);
  bool varies(Id id) { return result(id).varies(); }
  Value* scalar(Id);
  Value* vector(Id);
  Value* value(Id id, bool vary) { return vary ? vector(id) : scalar(id); }
  Value* splat(Value* v) { return b_.CreateVectorSplat(static_cast<unsigned>(lanes_.width), v); }
  Value* both(Value* mask, Value* other);  // a & b, where null holds everywhere

  // functions and loops
  void emit_unit(const PhaseMapping&, const std::vector<Value*>& digits);
  std::vector<std::int64_t> digit_extents(const PhaseMapping&) const;
  std::vector<Value*> first_digits(const std::vector<std::int64_t>& extents, Value* unit);
  std::vector<Value*> next_digits(const std::vector<std::int64_t>& extents,
                                  std::vector<Value*> digits);
  void chunk_of_lanes(const PhaseMapping&, Value* chunk);
  void rows_of_unit(const PhaseMapping&, Value* chunk);

  // tiles: several values of one outer variable at once, called rows of the tile
  void emit_tile(const PhaseMapping&, Value* chunk);
  void begin_tile(const PhaseMapping&, Value* first, std::int64_t rows);
  void end_tile();
  void enter_row(std::size_t row);
  std::size_t rows() const { return std::max<std::size_t>(1, tile_.size()); }
  /// Calls emit(row) for each row of the tile, or once.
  template <class Emit> void each_row(const Emit& emit) {
    for (std::size_t k = 0; k < rows(); ++k) {
      enter_row(k);
      emit(k);
    }
    enter_row(0);
  }
  /// The part of a state of all rows that is one row's.
  std::vector<Value*> of_row(const std::vector<Value*>& state, std::size_t row) const;
  /// Takes the first row's value where no row has one of its own.
  bool take_shared(Id);
  std::vector<Value*> counted(Value* from,
                              Value* to,
                              Value* step,
                              std::vector<Value*> carried,
                              bool at_least_once,
                              const LoopBody&);
  void block(const kernel::Block&);
  void instruction(Id);
  /// Sums and products by constants of base + step * lane stay such.
  bool step_verb(const kernel::Instruction&, Result& out);
  void loop(std::int32_t number);
  void nest(const std::vector<std::int32_t>& variables,
            std::size_t level,
            const std::function<void()>& body);
  void parallel(const kernel::Loop&, const LoopMapping&);
  void lanes_over(const kernel::Block&, std::int32_t variable, int width, Value* base, Value* mask);
  void hoist_uniform(const kernel::Block&);
  Value* mask_of_first(std::int64_t count, int width) const;
  /// The elements that fill no vector: one vector with a mask, or shorter vectors without.
  void tail(std::int64_t whole,
            std::int64_t rest,
            int width,
            const std::function<void(std::int64_t base, int width, Value* mask)>& piece) const;
  void serial(std::int32_t number);
  void repeat_while(std::int32_t number);
  // loops in order along rows that are lanes
  int known_lanes() const;
  bool in_pieces(std::int32_t number) const;
  void serial_in_pieces(std::int32_t number);
  void transpose(std::vector<Value*>& rows) const;
  Value* piece_of_row(const RowAccess&, int lane, int steps);
  std::vector<Value*> load_pieces(const RowAccess&, int steps);
  void store_pieces(const RowAccess&, std::vector<Value*> columns);
  /// Runs `step` over the loop's band; it maps the carried values to the next ones.
  std::vector<Value*> band(const kernel::Loop&,
                           std::size_t level,
                           std::vector<Value*> carried,
                           const std::function<std::vector<Value*>(std::vector<Value*>)>& step,
                           bool unroll = false);
  void set_carries(std::int32_t number, const std::vector<Value*>&);
  void set_results(std::int32_t number, const std::vector<Value*>&);
  Value* any(Value* mask);

  // divisions of all lanes by one number
  struct Reciprocal {
    Value* value = nullptr;
    Value* in_range = nullptr;  // whether the divisor's size allows to use it
  };
  Value* exact_inverse(Value* divisor) const;
  const Reciprocal& reciprocal(llvm::Instruction* divisor);
  Value* divide_by_same(Value* x, llvm::Instruction* divisor);
  Value* quotient_by_same(Value* x, Value* divisor);

  // reductions
  std::vector<bool> carry_varies(std::int32_t number);
  std::vector<Value*> combine(const kernel::Loop&,
                              std::vector<Value*> state,
                              const std::vector<Value*>& elements,
                              const std::vector<Value*>& factors);
  std::vector<Value*> elements(const kernel::Loop&, const std::vector<bool>& vary);
  std::vector<Value*> factors(const kernel::Loop&, const std::vector<bool>& vary);
  std::vector<Value*> identities(const kernel::Loop&, const std::vector<bool>& vary);
  std::vector<Value*> initial(const kernel::Loop&, const std::vector<bool>& vary);
  std::vector<Value*> choose(Value* mask, std::vector<Value*> yes, const std::vector<Value*>& no);
  void reduce(std::int32_t number);
  void reduce_sequential(std::int32_t number);
  void reduce_over_lanes(std::int32_t number, const LoopMapping&);
  Value* part_of(Value* vector, std::int64_t lane, int width);
  Value* with_part(Value* vector, Value* part, std::int64_t lane);
  std::vector<Value*> lanes_row(const kernel::Loop&, const LoopMapping&, std::vector<Value*> state);
  std::vector<Value*> lanes_row_bounded(const kernel::Loop&,
                                        const LoopMapping&,
                                        std::vector<Value*> state);
  std::vector<Value*> fold_lanes(const kernel::Loop&, std::vector<Value*> state, int vectors);
  void reduce_unrolled(std::int32_t number);
  void reduce_in_memory(std::int32_t number);

  // memory
  struct Address {
    Value* base = nullptr;     // uniform part, in elements
    std::int64_t step = 0;     // per lane
    Value* offsets = nullptr;  // varying part per lane, in elements; includes base and step
    bool varies() const { return step != 0 || offsets != nullptr; }
  };
  Address address(const kernel::Access&);
  Value* pointer(const kernel::Access&, Value* offset);
  Value* pointers(const kernel::Access&, const Address&);
  Value* to_memory(DType, Value*);
  Value* from_memory(DType, Value*);
  Value* load_scalar(const kernel::Access&, Value* offset, Value* predicate, Value* otherwise);
  Value* load_lanes(const kernel::Access&, const Address&);
  Value* load_each(const kernel::Access&, const Address&, Value* mask);
  Value* access_mask(const kernel::Access&);
  Result load(const kernel::Access&);
  void store(const kernel::Access&, Id value);
  void store_lanes(const kernel::Access&, const Address&, Value* value, Value* mask);
  void update(const kernel::Instruction&);
  // updates in order: where and by what is found out for a block of steps, then they are made
  struct Kept {
    const kernel::Instruction* update;
    llvm::Type* place_type;
    Value *places, *values, *marks;  // arrays on the stack: offsets, values, whether inside
  };
  void keep(const kernel::Instruction&, const Address&);
  void make(const Kept&, Value* step, bool all_inside);
  void updates_in_order(const kernel::Loop&, const LoopMapping&);
  void block_of_updates(const kernel::Loop&, const LoopMapping&, Value* first, Value* end);
  Result table(const kernel::Instruction&);
  Value* spare();  // eight bytes that nobody reads
  Value* stack(Type*, std::int64_t count);

  // which values differ from lane to lane
  void find_varying(const kernel::Block&, std::int32_t variable);
  bool mark_varying(const kernel::Block&, std::int32_t variable);
  bool marked(Id id) const { return id >= 0 && varying_[static_cast<std::size_t>(id)]; }
  bool load_varies(const kernel::Access&, std::int32_t variable) const;

  llvm::Module& module_;
  const kernel::Kernel& kernel_;
  const Mapping& mapping_;
  VectorTarget target_;
  mutable llvm::IRBuilder<> b_;
  VerbEmitter verbs_;
  llvm::Function* function_ = nullptr;
  llvm::Instruction* entry_end_ = nullptr;  // what the entry block holds is inserted before
  std::vector<Value*> buffers_;
  std::vector<Result> results_;
  std::vector<bool> top_level_;  // instructions outside all loops, emitted when first used
  std::vector<bool> preset_;     // emitted before the loop that they lie in
  std::vector<Value*> variables_;
  std::vector<bool> varying_, divergent_;
  /// What the rows of a tile have; that of the present row is in results_.
  struct TileRow {
    std::vector<Result> results;
    Value* index;
  };
  std::vector<TileRow> tile_;
  std::size_t row_ = 0;  // the present one
  std::int32_t tiled_ = -1;
  std::vector<bool> own_of_row_;  // instructions that differ from row to row
  std::vector<llvm::GlobalVariable*> tables_;
  Lanes lanes_;
  std::vector<Kept> kept_;
  Value* all_inside_ = nullptr;  // of the updates that were kept last
  Value* spare_ = nullptr;
  std::map<llvm::Instruction*, Reciprocal> reciprocals_;
};

}  // namespace fluxion::codegen
