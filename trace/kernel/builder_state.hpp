// A kernel under construction: open blocks, what is known of every instruction, the tables that
// make equal instructions one.
#pragma once
#include "trace/kernel/builder.hpp"

#include <optional>
#include <unordered_map>

namespace fluxion::kernel {

struct Range {
  std::int64_t low, high;  // inclusive
  static Range all();
  bool known() const;
  bool within(std::int64_t least, std::int64_t greatest) const {
    return least <= low && high <= greatest;
  }
};
/// The values of an integer type, as far as int64 can say them.
Range range_of(DType);

struct InstructionHash {
  std::size_t operator()(const Instruction&) const noexcept;
};

struct Builder::State {
  struct OpenBlock {
    Block items;
    std::int64_t serial;
    bool conditional = false;  // may run less often than its parent: only safe loads leave it
    bool sealed = false;       // a condition that is complete: what comes later goes into the body
    double weight = 1;         // iterations of the enclosing loops within one of the outermost
  };
  struct Known {
    std::int32_t depth;   // of the block that holds the instruction
    std::int64_t serial;  // and which block that was
    Range range;
  };

  Kernel kernel;
  std::vector<OpenBlock> stack;
  std::vector<Known> known;           // of every instruction
  std::vector<Known> variable_known;  // of every variable; depth of the loop's body
  std::int64_t next_serial = 0;
  std::int64_t unroll = 0;  // loops of at most so many iterations are written out
  double transcendentals = 0;
  std::unordered_map<Instruction, Id, InstructionHash> made;
  std::unordered_multimap<std::size_t, std::int32_t> made_accesses;  // by hash
  std::unordered_map<Id, Affine> affine_of;  // of int64 instructions that are sums

  State() {
    kernel.instructions.reserve(16);
    known.reserve(16);
    open(false);
    stack.back().items.reserve(16);
  }
  const Instruction& at(Id id) const { return kernel.instructions[static_cast<std::size_t>(id)]; }
  OpenBlock& top() { return stack.back(); }
  std::int32_t depth() const { return static_cast<std::int32_t>(stack.size()) - 1; }
  void open(bool conditional, double iterations = 1);
  Block close();

  /// The depth of a value, checked to be in scope.
  std::int32_t depth_of(Id) const;
  std::int32_t depth_of(const Affine&) const;
  std::int32_t depth_of(const Access&) const;
  /// Appends to the block at `depth`, or gives the equal instruction that is there.
  Id make(const Instruction&, std::int32_t depth, bool shared);
  Id append(const Instruction&, std::int32_t depth);
  std::int32_t access(Access);

  std::optional<std::uint64_t> constant_bits(Id) const;
  Id constant(DType, std::uint64_t bits);
  Id emit(Instruction);  // folded, simplified, shared, hoisted
  std::optional<Id> simplify(const Instruction&);
  std::optional<Id> simplify_integer(const Instruction&);
  std::optional<Id> compare_narrow(const Instruction&);
  std::optional<Id> simplify_float(const Instruction&);
  std::optional<Id> simplify_bool(const Instruction&);
  Range range_of_instruction(const Instruction&) const;
  Range range(const Affine&) const;
  void remember_sum(Id);
  Affine affine(Id) const;
  Id value(const Affine&);
  Id value32(const Affine&, DType);  // the same in 32 bits: the caller knows that every term fits

  bool fits_32_bits(const Affine&) const;  // with every partial sum
  /// Quotient and remainder of a value >= 0.
  std::pair<Affine, Affine> divide(const Affine&, std::int64_t by);
  std::pair<Affine, Affine> divide_rest(Affine rest, std::int64_t by);
  std::int32_t new_loop(LoopKind);
  /// Variables for the extents to keep, in the block that is open; the index they make.
  Index open_variables(const Shape& extents,
                       const std::vector<bool>& keep,
                       std::vector<std::int32_t>& variables);
  /// Appends a loop whose body is closed, and the results of its carries.
  std::vector<Scalar> finish_loop(Builder*,
                                  std::int32_t number,
                                  Loop,
                                  std::span<const Scalar> initial);
  void must(bool condition, const char* what) const;
};

/// Throws InternalError unless the types of an instruction's operands and result belong together.
void verify_types(const Kernel&, const Instruction&);
/// Drops what nothing needs and numbers the rest in program order.
Kernel compact(Kernel);
/// Operations and bytes per iteration of the outermost loops.
Facts count_facts(const Kernel&);

}  // namespace fluxion::kernel
