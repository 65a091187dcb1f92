// What a kernel means, instruction by instruction on the host: the oracle of every backend's tests.
#pragma once
#include "tests/support/kernel_arithmetic.hpp"

#include <functional>
#include <span>
#include <vector>

namespace fluxion::test {

/// Runs kernels directly from their definition. Throws std::out_of_range when an access leaves its
/// buffer.
class KernelInterpreter : private KernelArithmetic {
 public:
  /// `buffers`: the memory of every input and output, in the order of the kernel's list.
  KernelInterpreter(const kernel::Kernel& kernel, std::span<void* const> buffers)
      : kernel_(kernel),
        buffers_(buffers.begin(), buffers.end()),
        values_(kernel.instructions.size()),
        variables_(kernel.variables.size()),
        carries_(kernel.loops.size()) {
    for (const kernel::BufferDecl& buffer : kernel.buffers) {
      if (buffer.role == kernel::Role::scratch) {
        scratch_.emplace_back(static_cast<std::size_t>(buffer.count) * bytes(buffer.dtype) + 1);
      }
    }
    for (auto& row : scratch_) buffers_.push_back(row.data());
  }
  void run() { block(kernel_.top, 0); }

 private:
  using Id = kernel::Id;

  std::int64_t offset(const kernel::Affine& affine) const {
    std::int64_t sum = affine.constant;
    for (const auto& term : affine.variables)
      sum += term.scale * variables_[static_cast<std::size_t>(term.of)];
    for (const auto& term : affine.opaque) {
      sum += term.scale * static_cast<std::int64_t>(values_[static_cast<std::size_t>(term.of)]);
    }
    return sum;
  }
  unsigned char* element(const kernel::Access& access) const {
    const kernel::BufferDecl& buffer = kernel_.buffers[static_cast<std::size_t>(access.buffer)];
    const std::int64_t at = offset(access.offset);
    if (at < 0 || at >= buffer.count) {
      throw std::out_of_range("element " + std::to_string(at) + " of buffer " +
                              std::to_string(access.buffer));
    }
    return static_cast<unsigned char*>(buffers_[static_cast<std::size_t>(access.buffer)]) +
           static_cast<std::size_t>(at) * bytes(buffer.dtype);
  }
  Bits value(Id id) const { return values_[static_cast<std::size_t>(id)]; }
  bool holds(Id predicate) const { return predicate < 0 || value(predicate) != 0; }

  void instruction(Id id) {
    const kernel::Instruction& i = kernel_.instructions[static_cast<std::size_t>(id)];
    Bits& result = values_[static_cast<std::size_t>(id)];
    switch (i.verb) {
      case Verb::constant:
        result = i.bits;
        return;
      case Verb::loop_index:
        result = put(variables_[i.bits]);
        return;
      case Verb::carry:
      case Verb::result:
        result = carries_[static_cast<std::size_t>(i.a)][static_cast<std::size_t>(i.b)];
        return;
      case Verb::table:
        result = kernel_.tables[i.bits].bits.at(value(i.a));
        return;
      case Verb::load: {
        const kernel::Access& access = kernel_.accesses[i.bits];
        result = 0;
        if (holds(access.predicate))
          std::memcpy(&result, element(access), bytes(i.type));
        else
          result = value(access.otherwise);
        if (i.type == bool_) result = result != 0;
        return;
      }
      case Verb::store:
      case Verb::update: {
        const kernel::Access& access = kernel_.accesses[i.bits];
        if (!holds(access.predicate)) return;
        unsigned char* at = element(access);
        Bits now = 0, next = value(i.a);
        std::memcpy(&now, at, bytes(i.type));
        auto combiner = static_cast<kernel::Combiner>(i.b);
        if (i.verb == Verb::update && combiner != kernel::Combiner::set)
          next = combine(combiner, i.type, now, next);
        std::memcpy(at, &next, bytes(i.type));
        return;
      }
      default:
        break;
    }
    const Id ids[] = {i.a, i.b, i.c};
    Bits operands[3] = {0, 0, 0};
    for (int k = 0; k < kernel::operand_count(i.verb); ++k) operands[k] = value(ids[k]);
    const DType from =
        i.verb == Verb::select ? i.type : kernel_.instructions[static_cast<std::size_t>(i.a)].type;
    result = i.verb == Verb::convert
                 ? convert(from, i.type, operands[0])
                 : arithmetic(i.verb, from, operands[0], operands[1], operands[2]);
  }

  DType type_of(Id id) const { return kernel_.instructions[static_cast<std::size_t>(id)].type; }

  using State = std::vector<Bits>;
  /// Puts the elements (or another partial result) into `into`; `factor` where one belongs.
  void accumulate(const kernel::Loop& loop,
                  State& into,
                  const State& elements,
                  bool factors) const {
    for (std::size_t k = 0; k < loop.carries.size(); ++k) {
      const kernel::Carry& carry = loop.carries[k];
      const DType type = type_of(carry.initial);
      if (is_pair(carry.combiner)) {
        if (replaces(carry.combiner, type, into[k], into[k + 1], elements[k], elements[k + 1])) {
          into[k] = elements[k];
          into[k + 1] = elements[k + 1];
        }
        ++k;
      } else if (factors && carry.factor >= 0) {
        into[k] = arithmetic(Verb::fma, type, elements[k], value(carry.factor), into[k]);
      } else {
        into[k] = combine(carry.combiner, type, into[k], elements[k]);
      }
    }
  }
  State identities(const kernel::Loop& loop) const {
    State state;
    for (std::size_t k = 0; k < loop.carries.size(); ++k) {
      state.push_back(identity(loop.carries[k].combiner, type_of(loop.carries[k].initial)));
      if (!is_pair(loop.carries[k].combiner)) continue;
      state.push_back(put(std::numeric_limits<std::int64_t>::max()));
      ++k;
    }
    return state;
  }

  /// Runs `body` for every point of the loop's band, in row-major order.
  void band(const kernel::Loop& loop, std::size_t level, const std::function<void()>& body) {
    if (level == loop.variables.size()) return body();
    const auto variable = static_cast<std::size_t>(loop.variables[level]);
    std::int64_t extent = kernel_.variables[variable].extent;
    if (level == 0 && loop.trip_count >= 0) {
      extent = std::min(extent, static_cast<std::int64_t>(value(loop.trip_count)));
    }
    for (std::int64_t k = 0; k < extent; ++k) {
      variables_[variable] = k;
      band(loop, level + 1, body);
    }
  }

  void reduce(const kernel::Loop& loop, int depth, State& state) {
    auto elements = [&] {
      State given;
      for (const kernel::Carry& carry : loop.carries) given.push_back(value(carry.element));
      return given;
    };
    if (loop.tree == kernel::Tree::sequential) {
      band(loop, 0, [&] {
        block(loop.body, depth);
        accumulate(loop, state, elements(), true);
      });
      return;
    }
    std::vector<State> lanes(64, identities(loop));
    band(loop, 0, [&] {
      block(loop.body, depth);
      const auto innermost = static_cast<std::size_t>(loop.variables.back());
      accumulate(
          loop, lanes[static_cast<std::size_t>(variables_[innermost] % 64)], elements(), true);
    });
    for (std::size_t n = 32; n >= 1; n /= 2) {
      for (std::size_t k = 0; k < n; ++k) accumulate(loop, lanes[k], lanes[k + n], false);
    }
    accumulate(loop, state, lanes[0], false);
  }

  void loop(std::int32_t number, int depth) {
    const kernel::Loop& loop = kernel_.loops[static_cast<std::size_t>(number)];
    if (loop.kind == kernel::LoopKind::parallel) {
      band(loop, 0, [&] {
        // A row is undefined when an iteration of the outermost loops begins.
        if (depth == 0)
          for (auto& row : scratch_) row.assign(row.size(), 0xa5);
        block(loop.body, depth + 1);
      });
      return;
    }
    State& state = carries_[static_cast<std::size_t>(number)];
    state.clear();
    for (const kernel::Carry& carry : loop.carries) state.push_back(value(carry.initial));
    auto step = [&] {
      block(loop.body, depth + 1);
      State next;
      for (const kernel::Carry& carry : loop.carries) next.push_back(value(carry.element));
      state = next;
    };
    switch (loop.kind) {
      case kernel::LoopKind::reduce:
        reduce(loop, depth + 1, state);
        break;
      case kernel::LoopKind::serial:
        band(loop, 0, step);
        break;
      default:
        for (;;) {
          block(loop.condition_block, depth + 1);
          if (!value(loop.condition)) break;
          step();
        }
    }
  }

  void block(const kernel::Block& items, int depth) {
    for (const kernel::Item& item : items) {
      if (item.is_loop)
        loop(item.index, depth);
      else
        instruction(item.index);
    }
  }

  const kernel::Kernel& kernel_;
  std::vector<void*> buffers_;
  std::vector<std::vector<unsigned char>> scratch_;
  std::vector<Bits> values_;
  std::vector<std::int64_t> variables_;
  std::vector<State> carries_;
};

/// Runs a kernel on the memory of its inputs and outputs.
inline void interpret(const kernel::Kernel& kernel, std::vector<void*> buffers) {
  KernelInterpreter(kernel, buffers).run();
}

}  // namespace fluxion::test
