// Names of verbs, arithmetic of affine sums, structural identity of kernels.
#include "trace/kernel/kernel.hpp"

#include <algorithm>

namespace fluxion::kernel {

const char* name_of(Verb verb) noexcept {
  static constexpr const char* names[] = {"constant",
                                          "loop_index",
                                          "carry",
                                          "result",
                                          "load",
                                          "store",
                                          "update",
                                          "table",
                                          "add",
                                          "sub",
                                          "mul",
                                          "div",
                                          "rem",
                                          "mulhi",
                                          "fma",
                                          "min",
                                          "max",
                                          "neg",
                                          "abs",
                                          "floor",
                                          "ceil",
                                          "round_even",
                                          "truncate",
                                          "sqrt",
                                          "bit_and",
                                          "bit_or",
                                          "bit_xor",
                                          "bit_not",
                                          "shift_left",
                                          "shift_right_logical",
                                          "shift_right_arithmetic",
                                          "clz",
                                          "popcount",
                                          "equal",
                                          "not_equal",
                                          "less",
                                          "less_equal",
                                          "select",
                                          "convert",
                                          "bitcast"};
  static_assert(std::size(names) == static_cast<std::size_t>(Verb::bitcast) + 1);
  return names[static_cast<std::size_t>(verb)];
}

int operand_count(Verb verb) noexcept {
  switch (verb) {
    case Verb::constant:
    case Verb::loop_index:
    case Verb::carry:
    case Verb::result:
    case Verb::load:
      return 0;
    case Verb::store:
    case Verb::update:
    case Verb::table:
    case Verb::neg:
    case Verb::abs:
    case Verb::floor:
    case Verb::ceil:
    case Verb::round_even:
    case Verb::truncate:
    case Verb::sqrt:
    case Verb::bit_not:
    case Verb::clz:
    case Verb::popcount:
    case Verb::convert:
    case Verb::bitcast:
      return 1;
    case Verb::fma:
    case Verb::select:
      return 3;
    default:
      return 2;
  }
}

namespace {

void add_terms(Affine::Terms& into, const Affine::Terms& terms) {
  for (const Affine::Term& term : terms) {
    auto at = std::lower_bound(
        into.begin(), into.end(), term.of, [](const Affine::Term& t, std::int32_t of) {
          return t.of < of;
        });
    if (at != into.end() && at->of == term.of) {
      at->scale = static_cast<std::int64_t>(static_cast<std::uint64_t>(at->scale) +
                                            static_cast<std::uint64_t>(term.scale));
      if (at->scale == 0) into.erase(at);
    } else {
      into.insert(at, term);
    }
  }
}

std::int64_t wrapping_product(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

/// FNV-1a over words, with a final mix.
class Hash {
 public:
  void add(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x100000001b3u;
    state_ ^= state_ >> 29;
  }
  void add(const Affine& affine) {
    add(static_cast<std::uint64_t>(affine.constant));
    add(affine.variables.size());
    for (const Affine::Term& term : affine.variables) add_term(term);
    for (const Affine::Term& term : affine.opaque) add_term(term);
  }
  void add(const Block& block) {
    add(block.size());
    for (const Item& item : block) {
      add(static_cast<std::uint64_t>(item.index) * 2 + (item.is_loop ? 1 : 0));
    }
  }
  std::uint64_t value() const { return state_ * 0x9e3779b97f4a7c15u; }

 private:
  void add_term(const Affine::Term& term) {
    add(static_cast<std::uint64_t>(term.of));
    add(static_cast<std::uint64_t>(term.scale));
  }
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

bool same_blocks(const Block& a, const Block& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Item& x, const Item& y) {
    return x.is_loop == y.is_loop && x.index == y.index;
  });
}

bool same_carries(const std::vector<Carry>& a, const std::vector<Carry>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Carry& x, const Carry& y) {
    return x.combiner == y.combiner && x.initial == y.initial && x.element == y.element &&
           x.factor == y.factor && x.result == y.result;
  });
}

bool same_loops(const Loop& a, const Loop& b) {
  return a.kind == b.kind && a.tree == b.tree && a.variables == b.variables &&
         a.trip_count == b.trip_count && same_carries(a.carries, b.carries) &&
         same_blocks(a.condition_block, b.condition_block) && a.condition == b.condition &&
         same_blocks(a.body, b.body);
}

template <class T, class Same>
bool same_lists(const std::vector<T>& a, const std::vector<T>& b, Same same) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

}  // namespace

Affine& Affine::operator+=(const Affine& other) {
  constant = static_cast<std::int64_t>(static_cast<std::uint64_t>(constant) +
                                       static_cast<std::uint64_t>(other.constant));
  add_terms(variables, other.variables);
  add_terms(opaque, other.opaque);
  return *this;
}

Affine& Affine::operator*=(std::int64_t factor) {
  if (factor == 0) return *this = Affine{};
  constant = wrapping_product(constant, factor);
  for (Term& term : variables) term.scale = wrapping_product(term.scale, factor);
  for (Term& term : opaque) term.scale = wrapping_product(term.scale, factor);
  for (Terms* terms : {&variables, &opaque})
    terms->erase_if([](const Term& term) { return term.scale == 0; });
  return *this;
}

std::uint64_t Kernel::hash() const {
  Hash hash;
  for (const BufferDecl& buffer : buffers) {
    hash.add(static_cast<std::uint64_t>(buffer.dtype) * 4 +
             static_cast<std::uint64_t>(buffer.role));
    hash.add(static_cast<std::uint64_t>(buffer.count));
  }
  for (const Variable& variable : variables) hash.add(static_cast<std::uint64_t>(variable.extent));
  for (const Instruction& i : instructions) {
    hash.add(static_cast<std::uint64_t>(i.verb) * 256 + static_cast<std::uint64_t>(i.type));
    hash.add(static_cast<std::uint64_t>(static_cast<std::uint32_t>(i.a)) << 32 |
             static_cast<std::uint32_t>(i.b));
    hash.add(static_cast<std::uint64_t>(static_cast<std::uint32_t>(i.c)));
    hash.add(i.bits);
  }
  for (const Access& access : accesses) {
    hash.add(static_cast<std::uint64_t>(access.buffer));
    hash.add(access.offset);
    hash.add(static_cast<std::uint64_t>(access.predicate));
    hash.add(static_cast<std::uint64_t>(access.otherwise));
  }
  for (const Table& table : tables) {
    hash.add(static_cast<std::uint64_t>(table.dtype));
    for (std::uint64_t bits : table.bits) hash.add(bits);
  }
  for (const Loop& loop : loops) {
    hash.add(static_cast<std::uint64_t>(loop.kind) * 2 + static_cast<std::uint64_t>(loop.tree));
    for (std::int32_t variable : loop.variables) hash.add(static_cast<std::uint64_t>(variable));
    hash.add(static_cast<std::uint64_t>(loop.trip_count));
    for (const Carry& carry : loop.carries) {
      hash.add(static_cast<std::uint64_t>(carry.combiner));
      for (Id id : {carry.initial, carry.element, carry.factor, carry.result}) {
        hash.add(static_cast<std::uint64_t>(id));
      }
    }
    hash.add(loop.condition_block);
    hash.add(static_cast<std::uint64_t>(loop.condition));
    hash.add(loop.body);
  }
  hash.add(top);
  return hash.value();
}

bool same_structure(const Kernel& a, const Kernel& b) {
  return a.instructions == b.instructions && same_blocks(a.top, b.top) &&
         same_lists(a.buffers,
                    b.buffers,
                    [](const BufferDecl& x, const BufferDecl& y) {
                      return x.dtype == y.dtype && x.role == y.role && x.count == y.count;
                    }) &&
         same_lists(a.variables,
                    b.variables,
                    [](const Variable& x, const Variable& y) { return x.extent == y.extent; }) &&
         same_lists(a.accesses,
                    b.accesses,
                    [](const Access& x, const Access& y) {
                      return x.buffer == y.buffer && x.offset == y.offset &&
                             x.predicate == y.predicate && x.otherwise == y.otherwise;
                    }) &&
         same_lists(a.tables,
                    b.tables,
                    [](const Table& x, const Table& y) {
                      return x.dtype == y.dtype && x.bits == y.bits;
                    }) &&
         same_lists(a.loops, b.loops, same_loops);
}

}  // namespace fluxion::kernel
