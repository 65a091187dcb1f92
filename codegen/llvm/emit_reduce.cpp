// Reductions in the order that their tree fixes, whatever runs over the lanes.
#include "codegen/llvm/emitter.hpp"
#include "trace/error.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <utility>

namespace fluxion::codegen {

using kernel::Carry;
using kernel::Combiner;
using kernel::Loop;
using kernel::Tree;
using llvm::Type;
using llvm::Value;

namespace {

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
bool is_pair(const Carry& carry) {
  return carry.combiner == Combiner::arg_min || carry.combiner == Combiner::arg_max;
}

/// The identity of every carry as (type, bits); an argument reduction's index starts at the
/// greatest int64.
std::vector<std::pair<DType, std::uint64_t>> identity_of(const kernel::Kernel& kernel,
                                                         const Loop& loop) {
  std::vector<std::pair<DType, std::uint64_t>> result;
  for (std::size_t k = 0; k < loop.carries.size(); ++k) {
    DType type = kernel.instructions[at(loop.carries[k].initial)].type;
    result.emplace_back(type, kernel::identity_bits(loop.carries[k].combiner, type));
    if (!is_pair(loop.carries[k])) continue;
    result.emplace_back(int64, ~std::uint64_t{0} >> 1);
    ++k;
  }
  return result;
}

}  // namespace

std::vector<Value*> PhaseEmitter::identities(const Loop& l, const std::vector<bool>& vary) {
  std::vector<Value*> state;
  for (auto [type, bits] : identity_of(kernel_, l)) {
    Value* one = constant(type, bits);
    state.push_back(vary[state.size()] ? splat(one) : one);
  }
  return state;
}

std::vector<Value*> PhaseEmitter::factors(const Loop& l, const std::vector<bool>& vary) {
  std::vector<Value*> given;
  for (std::size_t k = 0; k < l.carries.size(); ++k) {
    given.push_back(l.carries[k].factor < 0 ? nullptr : value(l.carries[k].factor, vary[k]));
  }
  return given;
}

/// `factors` may be empty: then partial results are combined.
std::vector<Value*> PhaseEmitter::combine(const Loop& l,
                                          std::vector<Value*> state,
                                          const std::vector<Value*>& elements,
                                          const std::vector<Value*>& factors) {
  for (std::size_t k = 0; k < l.carries.size(); ++k) {
    const Carry& carry = l.carries[k];
    DType type = kernel_.instructions[at(carry.initial)].type;
    if (is_pair(carry)) {
      Value* take = verbs_.replaces(
          carry.combiner, type, state[k], state[k + 1], elements[k], elements[k + 1]);
      state[k] = b_.CreateSelect(take, elements[k], state[k]);
      state[k + 1] = b_.CreateSelect(take, elements[k + 1], state[k + 1]);
      ++k;
    } else if (!factors.empty() && factors[k]) {
      state[k] = verbs_.emit(kernel::Verb::fma, type, type, elements[k], factors[k], state[k]);
    } else {
      state[k] = verbs_.combine(carry.combiner, type, state[k], elements[k]);
    }
  }
  return state;
}

void PhaseEmitter::reduce(std::int32_t number) {
  const Loop& l = kernel_.loops[at(number)];
  if (l.tree == Tree::sequential) return reduce_sequential(number);
  const LoopMapping& m = mapping_.loops[at(number)];
  if (lanes_.variable < 0 && m.variable >= 0) return reduce_over_lanes(number, m);
  bool bounded = l.trip_count >= 0;
  if (!bounded && kernel_.variables[at(l.variables.back())].extent <= 8)
    return reduce_unrolled(number);
  reduce_in_memory(number);
}

void PhaseEmitter::reduce_sequential(std::int32_t number) {
  const Loop& l = kernel_.loops[at(number)];
  std::vector<bool> vary = carry_varies(number);
  std::vector<Value*> begin;
  each_row([&](std::size_t) {
    for (Value* v : initial(l, vary)) begin.push_back(v);
  });
  auto step = [&](const std::vector<Value*>& state) {
    block(l.body);
    std::vector<Value*> next;
    each_row([&](std::size_t row) {
      for (Value* v : combine(l, of_row(state, row), elements(l, vary), factors(l, vary)))
        next.push_back(v);
    });
    return next;
  };
  const std::vector<Value*> sums =
      band(l, 0, std::move(begin), step, mapping_.loops[at(number)].unroll);
  each_row([&](std::size_t row) { set_results(number, of_row(sums, row)); });
}

/// The 64 accumulators are vectors: element j of a row goes to lane j mod 64 of them.
void PhaseEmitter::reduce_over_lanes(std::int32_t number, const LoopMapping& m) {
  const Loop& l = kernel_.loops[at(number)];
  std::vector<bool> all(l.carries.size(), true);
  find_varying(l.body, m.variable);
  lanes_.variable = m.variable;
  lanes_.width = m.width;
  std::int64_t extent = kernel_.variables[at(m.variable)].extent;
  int vectors = m.rotate ? static_cast<int>(std::min<std::int64_t>(4, (extent + 15) / 16)) : 1;
  std::vector<Value*> state;
  for (int k = 0; k < vectors * static_cast<int>(rows()); ++k) {
    for (Value* v : identities(l, all)) state.push_back(v);
  }
  Loop outer = l;
  outer.variables.pop_back();
  bool bounded_row = l.trip_count >= 0 && outer.variables.empty();
  if (bounded_row) {
    state = lanes_row_bounded(l, m, std::move(state));
  } else {
    state = band(outer, 0, std::move(state), [&](std::vector<Value*> inside) {
      lanes_.variable = m.variable;
      lanes_.width = m.width;
      return lanes_row(l, m, std::move(inside));
    });
  }
  std::vector<std::vector<Value*>> sums;
  for (std::size_t row = 0; row < rows(); ++row)
    sums.push_back(fold_lanes(l, of_row(state, row), vectors));
  lanes_ = Lanes{};
  std::vector<bool> none(l.carries.size(), false);
  each_row(
      [&](std::size_t row) { set_results(number, combine(l, initial(l, none), sums[row], {})); });
}

namespace {

int lanes_of(Value* v) {
  return static_cast<int>(llvm::cast<llvm::FixedVectorType>(v->getType())->getNumElements());
}

}  // namespace

Value* PhaseEmitter::part_of(Value* v, std::int64_t lane, int width) {
  if (lanes_of(v) == width) return v;
  llvm::SmallVector<int> picked;
  for (int k = 0; k < width; ++k) picked.push_back(static_cast<int>(lane) + k);
  return b_.CreateShuffleVector(v, picked);
}

Value* PhaseEmitter::with_part(Value* v, Value* part, std::int64_t lane) {
  int lanes = lanes_of(v), width = lanes_of(part);
  if (lanes == width) return part;
  llvm::SmallVector<int> widened, picked;
  for (int k = 0; k < lanes; ++k) {
    bool inside = k >= lane && k < lane + width;
    widened.push_back(k < width ? k : llvm::PoisonMaskElem);
    picked.push_back(inside ? lanes + k - static_cast<int>(lane) : k);
  }
  return b_.CreateShuffleVector(v, b_.CreateShuffleVector(part, widened), picked);
}

/// One row of the band. With several vectors of accumulators the first one is always next: they
/// take turns.
std::vector<Value*> PhaseEmitter::lanes_row(const Loop& l,
                                            const LoopMapping& m,
                                            std::vector<Value*> state) {
  std::size_t carries = l.carries.size();
  std::vector<bool> all(carries, true);
  std::int64_t extent = kernel_.variables[at(m.variable)].extent;
  std::int64_t rest = extent % m.width, whole = extent - rest;
  // `lane`: where the piece lies within the vector whose turn it is.
  auto step = [&](std::vector<Value*> now, Value* base, std::int64_t lane, int width, Value* mask) {
    lanes_over(l.body, m.variable, width, base, mask);
    each_row([&](std::size_t row) {
      const auto first = now.begin() + static_cast<std::ptrdiff_t>(carries * row);
      std::vector<Value*> part(first, first + static_cast<std::ptrdiff_t>(carries));
      for (Value*& v : part) v = part_of(v, lane, width);
      std::vector<Value*> next = combine(l, part, elements(l, all), factors(l, all));
      next = choose(mask, std::move(next), part);
      for (std::size_t k = 0; k < carries; ++k)
        first[static_cast<std::ptrdiff_t>(k)] =
            with_part(first[static_cast<std::ptrdiff_t>(k)], next[k], lane);
    });
    return now;
  };
  const std::size_t vectors = state.size() / carries / rows();
  auto turn = [&](std::vector<Value*> now) {
    if (vectors == 1) return now;
    std::rotate(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(carries), now.end());
    return now;
  };
  if (whole > 0) {
    state = counted(number(0),
                    number(whole),
                    number(m.width),
                    std::move(state),
                    true,
                    [&](Value* base, std::vector<Value*> now) {
                      return turn(step(std::move(now), base, 0, m.width, nullptr));
                    });
  }
  tail(whole, rest, m.width, [&](std::int64_t base, int width, Value* mask) {
    state = step(std::move(state), number(base), base - whole, width, mask);
  });
  if (rest > 0) state = turn(std::move(state));
  lanes_.width = m.width;
  if (vectors == 1) return state;
  // Back to the order in which the next row begins.
  std::size_t turns = static_cast<std::size_t>((extent + m.width - 1) / m.width) % vectors;
  std::size_t back = (vectors - turns) % vectors * carries;
  std::rotate(state.begin(), state.begin() + static_cast<std::ptrdiff_t>(back), state.end());
  return state;
}

std::vector<Value*> PhaseEmitter::lanes_row_bounded(const Loop& l,
                                                    const LoopMapping& m,
                                                    std::vector<Value*> state) {
  std::size_t carries = l.carries.size();
  std::vector<bool> all(carries, true);
  Lanes lanes = std::exchange(lanes_, Lanes{});
  std::int64_t extent = kernel_.variables[at(m.variable)].extent;
  Value* bound = b_.CreateIntrinsic(
      llvm::Intrinsic::smin, {b_.getInt64Ty()}, {scalar(l.trip_count), number(extent)});
  lanes_ = lanes;
  // Whole turns of all accumulators, so that they end in the order in which they began.
  std::int64_t vectors = static_cast<std::int64_t>(state.size() / carries);
  return counted(number(0),
                 bound,
                 number(m.width * vectors),
                 std::move(state),
                 false,
                 [&](Value* base, std::vector<Value*> now) {
                   for (std::int64_t turn = 0; turn < vectors; ++turn) {
                     auto begin = now.begin() + static_cast<std::ptrdiff_t>(carries) * turn;
                     std::vector<Value*> old(begin, begin + static_cast<std::ptrdiff_t>(carries));
                     Value* first = b_.CreateAdd(base, number(turn * m.width));
                     Value* index = b_.CreateAdd(splat(first), iota(b_.getInt64Ty(), 1));
                     Value* mask = b_.CreateICmpSLT(index, splat(bound));
                     lanes_over(l.body, m.variable, m.width, first, mask);
                     std::vector<Value*> next = combine(l, old, elements(l, all), factors(l, all));
                     next = choose(mask, std::move(next), old);
                     std::copy(next.begin(), next.end(), begin);
                   }
                   return now;
                 });
}

/// Lower half with upper half, until one is left. Accumulators that no element can reach hold
/// identities and change nothing.
std::vector<Value*> PhaseEmitter::fold_lanes(const Loop& l,
                                             std::vector<Value*> state,
                                             int vectors) {
  std::size_t carries = l.carries.size();
  std::vector<std::vector<Value*>> parts;
  for (int k = 0; k < vectors; ++k) {
    auto begin = state.begin() + static_cast<std::ptrdiff_t>(carries) * k;
    parts.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(carries));
  }
  for (std::size_t half = 2; half >= 1; half /= 2) {
    for (std::size_t k = half; k < parts.size(); ++k)
      parts[k - half] = combine(l, parts[k - half], parts[k], {});
    if (parts.size() > half) parts.resize(half);
  }
  std::vector<Value*> sum = parts[0];
  for (int width = lanes_.width; width > 1; width /= 2) {
    std::vector<Value*> low, high;
    llvm::SmallVector<int> lower, upper;
    for (int lane = 0; lane < width / 2; ++lane) {
      lower.push_back(lane);
      upper.push_back(lane + width / 2);
    }
    for (Value* v : sum) {
      low.push_back(b_.CreateShuffleVector(v, lower));
      high.push_back(b_.CreateShuffleVector(v, upper));
    }
    sum = combine(l, std::move(low), high, {});
  }
  for (Value*& v : sum) v = b_.CreateExtractElement(v, std::uint64_t{0});
  return sum;
}

/// A short row inside lanes: its elements have an accumulator each.
void PhaseEmitter::reduce_unrolled(std::int32_t number) {
  const Loop& l = kernel_.loops[at(number)];
  std::vector<bool> vary = carry_varies(number);
  std::size_t carries = l.carries.size();
  std::int32_t innermost = l.variables.back();
  std::int64_t extent = kernel_.variables[at(innermost)].extent;
  std::vector<Value*> state;
  for (std::int64_t j = 0; j < extent; ++j) {
    for (Value* v : identities(l, vary)) state.push_back(v);
  }
  Loop outer = l;
  outer.variables.pop_back();
  state = band(outer, 0, std::move(state), [&](std::vector<Value*> now) {
    for (std::int64_t j = 0; j < extent; ++j) {
      auto begin = now.begin() + j * static_cast<std::ptrdiff_t>(carries);
      variables_[at(innermost)] = this->number(j);
      block(l.body);
      std::vector<Value*> one(begin, begin + static_cast<std::ptrdiff_t>(carries));
      one = combine(l, std::move(one), elements(l, vary), factors(l, vary));
      std::copy(one.begin(), one.end(), begin);
    }
    return now;
  });
  std::vector<std::vector<Value*>> parts;
  for (std::size_t j = 0; j < static_cast<std::size_t>(extent); ++j) {
    auto begin = state.begin() + static_cast<std::ptrdiff_t>(j * carries);
    parts.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(carries));
  }
  for (std::size_t half = 32; half >= 1; half /= 2) {
    for (std::size_t k = half; k < parts.size(); ++k)
      parts[k - half] = combine(l, parts[k - half], parts[k], {});
    if (parts.size() > half) parts.resize(half);
  }
  set_results(number, combine(l, initial(l, vary), parts[0], {}));
}

/// The 64 accumulators of a long row inside lanes lie on the stack.
void PhaseEmitter::reduce_in_memory(std::int32_t number) {
  const Loop& l = kernel_.loops[at(number)];
  std::vector<bool> vary = carry_varies(number);
  std::vector<Value*> identity = identities(l, vary);
  std::vector<Value*> memory;
  for (Value* v : identity) memory.push_back(stack(v->getType(), 64));
  auto slot = [&](std::size_t k, Value* n) {
    return b_.CreateGEP(identity[k]->getType(), memory[k], n);
  };
  auto load_all = [&](Value* n) {
    std::vector<Value*> state;
    for (std::size_t k = 0; k < memory.size(); ++k) {
      state.push_back(b_.CreateLoad(identity[k]->getType(), slot(k, n)));
    }
    return state;
  };
  auto store_all = [&](Value* n, const std::vector<Value*>& state) {
    for (std::size_t k = 0; k < memory.size(); ++k) b_.CreateStore(state[k], slot(k, n));
  };
  counted(this->number(0),
          this->number(64),
          this->number(1),
          {},
          true,
          [&](Value* n, std::vector<Value*>) {
            store_all(n, identity);
            return std::vector<Value*>{};
          });
  Value* outer_mask = lanes_.mask;
  band(l, 0, {}, [&](std::vector<Value*>) {
    Value* n = b_.CreateAnd(variables_[at(l.variables.back())], this->number(63));
    block(l.body);
    std::vector<Value*> old = load_all(n);
    std::vector<Value*> next = combine(l, old, elements(l, vary), factors(l, vary));
    // Lanes whose own bound is reached keep what they have.
    if (lanes_.mask != outer_mask) next = choose(lanes_.mask, std::move(next), old);
    store_all(n, next);
    return std::vector<Value*>{};
  });
  for (std::int64_t half = 32; half >= 1; half /= 2) {
    counted(this->number(0),
            this->number(half),
            this->number(1),
            {},
            true,
            [&](Value* n, std::vector<Value*>) {
              std::vector<Value*> upper = load_all(b_.CreateAdd(n, this->number(half)));
              store_all(n, combine(l, load_all(n), upper, {}));
              return std::vector<Value*>{};
            });
  }
  set_results(number, combine(l, initial(l, vary), load_all(this->number(0)), {}));
}

}  // namespace fluxion::codegen
