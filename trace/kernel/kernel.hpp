// The kernel language as data: loops of four kinds over affine indices, scalar verbs, buffers; no
// thread, lane or barrier.
#pragma once
#include "fluxion/core.hpp"
#include "trace/kernel/inline_vector.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fluxion::kernel {

/// The number of an instruction; -1 is "none".
using Id = std::int32_t;

/// What one instruction does. Types of values: bool_ (one bit), int8..uint64, float32, float64;
/// float16 and bfloat16 only come from loads, constants and conversions, and only go to
/// conversions, selects, bitcasts and stores. Complex numbers never get here.
enum class Verb : std::uint8_t {
  constant,    // bits: the value's bit pattern, zero-extended
  loop_index,  // bits: the variable's number; int64
  carry,       // the value of a serial or while loop's carry inside its body; a: loop, b: position
  result,      // the value of a carry after its loop; a: loop, b: position
  load,        // bits: the access's number
  store,       // bits: access, a: value (no value of its own)
  update,      // bits: access, a: value, b: Combiner, c: Promise (no value of its own)
  table,       // bits: the table's number, a: int64 index (in range)
  add,
  sub,
  mul,
  div,
  rem,  // rem is for integers only; integers wrap; integer division truncates (x / 0 is -1 for
        // signed, all ones for unsigned; min / -1 is min); rem takes the dividend's sign (x % 0 is
        // x; min % -1 is 0)
  mulhi,  // the high half of the full product (32- and 64-bit integers)
  fma,    // a * b + c, rounded once (floats)
  min,
  max,  // NaN wins; -0 < +0
  neg,
  abs,
  floor,
  ceil,
  round_even,
  truncate,
  sqrt,  // sqrt is correctly rounded
  bit_and,
  bit_or,
  bit_xor,
  bit_not,  // bool_ or integers
  shift_left,
  shift_right_logical,
  shift_right_arithmetic,  // amounts beyond the width give 0 or the sign
  clz,
  popcount,
  equal,
  not_equal,
  less,
  less_equal,  // bool_; on NaN only not_equal holds
  select,      // a: bool_, b, c
  convert,  // numeric conversion: float to integer truncates, saturates and maps NaN to 0; to bool_
            // is != 0; float to float rounds to nearest even
  bitcast,  // same width
};
const char* name_of(Verb) noexcept;
/// How many of a, b, c are instructions (carry, result, update keep other numbers there too).
int operand_count(Verb) noexcept;

enum class Role : std::uint8_t {
  input,
  output,
  scratch
};  // scratch: one row, private to an iteration of the enclosing parallel loops
struct BufferDecl {
  DType dtype;
  Role role;
  std::int64_t count;  // elements
};

/// constant + sum of scale * loop variable + sum of scale * int64 value (gathered or otherwise
/// opaque).
struct Affine {
  struct Term {
    std::int32_t of;  // variable number, or instruction
    std::int64_t scale;
    friend bool operator==(const Term&, const Term&) = default;
  };
  std::int64_t constant = 0;
  using Terms = InlineVector<Term, 3>;
  Terms variables;  // sorted by variable, scales not zero
  Terms opaque;     // sorted by instruction, scales not zero

  friend bool operator==(const Affine&, const Affine&) = default;
  bool is_constant() const { return variables.empty() && opaque.empty(); }
  Affine& operator+=(const Affine&);
  Affine& operator*=(std::int64_t);
  friend Affine operator+(Affine a, const Affine& b) { return a += b; }
  friend Affine operator-(Affine a, Affine b) { return a += (b *= -1); }
  friend Affine operator*(Affine a, std::int64_t k) { return a *= k; }
  friend Affine operator+(Affine a, std::int64_t k) {
    a.constant += k;
    return a;
  }
};

/// Where a load, store or update goes. Where the predicate does not hold a load gives `otherwise`
/// and touches no memory; a store does nothing.
struct Access {
  std::int32_t buffer;
  Affine offset;  // in elements
  Id predicate = -1;
  Id otherwise = -1;
  friend bool operator==(const Access&, const Access&) = default;
};

struct Instruction {
  Verb verb;
  DType type;  // of the result; of the stored value for store and update
  Id a = -1, b = -1, c = -1;
  std::uint64_t bits = 0;
  friend bool operator==(const Instruction&, const Instruction&) = default;
};

/// How two partial results of a reduction become one. arg_min and arg_max work on two carries,
/// (value, int64 index): NaN wins, then the smaller index. Such carries stand side by side, value
/// then index; their identity is (identity_bits, the greatest int64). `set` is for updates only.
enum class Combiner : std::uint8_t {
  add,
  mul,
  min,
  max,
  bit_and,
  bit_or,
  bit_xor,
  arg_min,
  arg_max,
  set
};
/// What is known about the indices of an update.
enum class Promise : std::uint8_t { unique, sorted, conflicts };

enum class LoopKind : std::uint8_t {
  parallel,     // iterations are independent, except through updates
  reduce,       // every iteration gives elements; they are combined in the order that `tree` fixes
  serial,       // in order; carries go from one iteration to the next
  repeat_while  // as serial, as long as `condition` (computed by `condition_block` from the
                // carries) holds
};
/// The order in which a reduce loop combines: part of the program's meaning, so that every backend
/// and every fusion gives the same bits. sequential: ((init + e0) + e1) + ... lanes: element j of
/// the innermost variable goes to accumulator j mod 64; each accumulator takes its elements in
/// row-major order of the whole band, starting from the combiner's identity; then 64 -> 32 -> 16 ->
/// ... -> 1 by combining the lower half with the upper half (accumulator i with i + n/2), and
/// `initial` is combined with that from the left.
enum class Tree : std::uint8_t { sequential, lanes };

struct Carry {
  Combiner combiner = Combiner::add;  // reduce only
  Id initial = -1;
  Id element =
      -1;          // reduce: what an iteration gives; serial and while: the next value of the carry
  Id factor = -1;  // reduce with add: the accumulator becomes fma(element, factor, accumulator)
  Id result = -1;  // the `result` instruction
};

struct Item {  // one step of a block
  bool is_loop;
  std::int32_t index;  // into Kernel::loops or Kernel::instructions
};
using Block = std::vector<Item>;

/// Perfectly nested loops of one kind, written as one: variables in row-major order.
struct Loop {
  LoopKind kind = LoopKind::parallel;
  Tree tree = Tree::sequential;
  std::vector<std::int32_t> variables;  // none for repeat_while
  Id trip_count = -1;  // if given: a run-time bound (<= its extent) of the first variable
  std::vector<Carry> carries;
  Block condition_block;
  Id condition = -1;
  Block body;
};

struct Variable {
  std::int64_t extent;
};
struct Table {
  DType dtype;
  std::vector<std::uint64_t> bits;  // one bit pattern per element
};

/// What both mappers choose widths, unrolling and blocks from; per iteration of the outermost
/// loops.
struct Facts {
  double flops = 0, transcendentals = 0, bytes_in = 0, bytes_out = 0;
};

/// One kernel. `top` is a list of phases: loops (parallel bands) one after the other, each complete
/// before the next begins. Instructions among them are pure (constants, loads of inputs, arithmetic
/// on these) and belong to every phase that uses them.
struct Kernel {
  std::string name;
  std::vector<BufferDecl> buffers;  // inputs and outputs in the order of the ABI's buffer list;
                                    // scratch buffers after them
  std::vector<Variable> variables;
  std::vector<Instruction> instructions;
  std::vector<Access> accesses;
  std::vector<Table> tables;
  std::vector<Loop> loops;
  Block top;
  Facts facts;

  std::uint64_t hash() const;  // structural; without the name
  friend bool same_structure(const Kernel&, const Kernel&);
};

/// Throws InternalError when the kernel breaks a rule of the language (types, scopes, ranges,
/// roles).
void verify(const Kernel&);
/// Stable text, for dumps and golden tests.
std::string to_string(const Kernel&);

}  // namespace fluxion::kernel
