// The text of a kernel: one line an instruction, loops indented, the same for equal kernels.
#include "trace/error.hpp"
#include "trace/kernel/fold.hpp"
#include "trace/kernel/kernel.hpp"

#include <bit>
#include <fmt/format.h>
#include <iterator>

namespace fluxion::kernel {

namespace {

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

const char* name_of(Combiner combiner) {
  static constexpr const char* names[] = {
      "add", "mul", "min", "max", "bit_and", "bit_or", "bit_xor", "arg_min", "arg_max", "set"};
  return names[static_cast<std::size_t>(combiner)];
}
const char* name_of(Promise promise) {
  static constexpr const char* names[] = {"unique", "sorted", "conflicts"};
  return names[static_cast<std::size_t>(promise)];
}
const char* name_of(Role role) {
  static constexpr const char* names[] = {"in", "out", "scratch"};
  return names[static_cast<std::size_t>(role)];
}

class Printer {
 public:
  explicit Printer(const Kernel& kernel) : kernel_(kernel) {
    line("kernel {}", kernel.name);
    depth_ = 1;
    for (std::size_t k = 0; k < kernel.buffers.size(); ++k) {
      const BufferDecl& buffer = kernel.buffers[k];
      line("b{}: {} {}[{}]", k, name_of(buffer.role), to_string(buffer.dtype), buffer.count);
    }
    for (std::size_t k = 0; k < kernel.tables.size(); ++k) {
      const Table& table = kernel.tables[k];
      std::string bits;
      for (std::uint64_t word : table.bits) bits += fmt::format(" {:x}", word);
      line("t{}: {}[{}] ={}", k, to_string(table.dtype), table.bits.size(), bits);
    }
    block(kernel.top);
  }
  std::string take() { return std::move(text_); }

 private:
  template <class... Parts> void line(fmt::format_string<Parts...> format, Parts&&... parts) {
    text_.append(2 * static_cast<std::size_t>(depth_), ' ');
    fmt::format_to(std::back_inserter(text_), format, std::forward<Parts>(parts)...);
    text_ += '\n';
  }

  static std::string constant(DType type, std::uint64_t bits) {
    if (type == bool_) return bits ? "true" : "false";
    if (type == float32) {
      return fmt::format("{}", std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    }
    if (is_float(type)) {
      return fmt::format("{}", std::bit_cast<double>(convert_bits(type, float64, bits)));
    }
    if (type == uint64) return fmt::format("{}", bits);
    return fmt::format("{}", static_cast<std::int64_t>(convert_bits(type, int64, bits)));
  }

  std::string value(Id id) const {
    if (id < 0) return "none";
    const Instruction& i = kernel_.instructions[at(id)];
    return i.verb == Verb::constant ? constant(i.type, i.bits) : fmt::format("%{}", id);
  }

  std::string affine(const Affine& affine) const {
    std::string text;
    auto add = [&](const std::string& name, std::int64_t scale) {
      if (!text.empty()) text += " + ";
      text += scale == 1 ? name : fmt::format("{}*{}", scale, name);
    };
    for (const Affine::Term& term : affine.variables) add(fmt::format("v{}", term.of), term.scale);
    for (const Affine::Term& term : affine.opaque) add(fmt::format("%{}", term.of), term.scale);
    if (affine.constant != 0 || text.empty()) {
      text += (text.empty() ? "" : " + ") + std::to_string(affine.constant);
    }
    return text;
  }

  std::string access(const Instruction& i) const {
    const Access& access = kernel_.accesses[i.bits];
    std::string text = fmt::format("b{}[{}]", access.buffer, affine(access.offset));
    if (access.predicate >= 0) text += " if " + value(access.predicate);
    if (access.otherwise >= 0) text += " else " + value(access.otherwise);
    return text;
  }

  void block(const Block& items) {
    for (const Item& item : items) {
      if (item.is_loop)
        loop(item.index);
      else
        instruction(item.index);
    }
  }

  void instruction(Id id) {
    const Instruction& i = kernel_.instructions[at(id)];
    std::string type = to_string(i.type);
    switch (i.verb) {
      case Verb::constant:
        return;
      case Verb::loop_index:
        return line("%{} = v{}", id, i.bits);
      case Verb::carry:
        return line("%{} = {} carry {} of loop {}", id, type, i.b, i.a);
      case Verb::result:
        return line("%{} = {} result {} of loop {}", id, type, i.b, i.a);
      case Verb::load:
        return line("%{} = {} load {}", id, type, access(i));
      case Verb::store:
        return line("store {} = {}", access(i), value(i.a));
      case Verb::update:
        return line("update {} {} {} {}",
                    access(i),
                    name_of(static_cast<Combiner>(i.b)),
                    value(i.a),
                    name_of(static_cast<Promise>(i.c)));
      case Verb::table:
        return line("%{} = {} t{}[{}]", id, type, i.bits, value(i.a));
      default:
        break;
    }
    std::string operands;
    const Id ids[] = {i.a, i.b, i.c};
    for (int k = 0; k < operand_count(i.verb); ++k) operands += (k ? ", " : " ") + value(ids[k]);
    line("%{} = {} {}{}", id, type, kernel::name_of(i.verb), operands);
  }

  void loop(std::int32_t number) {
    const Loop& loop = kernel_.loops[at(number)];
    std::string head;
    for (std::int32_t v : loop.variables) {
      head += fmt::format(" v{}<{}", v, kernel_.variables[at(v)].extent);
    }
    if (loop.trip_count >= 0) head += " at most " + value(loop.trip_count);
    switch (loop.kind) {
      case LoopKind::parallel:
        line("parallel{} {{", head);
        break;
      case LoopKind::reduce:
        line("loop {} reduce {}{} {{",
             number,
             loop.tree == Tree::lanes ? "lanes" : "sequential",
             head);
        break;
      case LoopKind::serial:
        line("loop {} serial{} {{", number, head);
        break;
      case LoopKind::repeat_while:
        line("loop {} while {{", number);
        break;
    }
    ++depth_;
    block(loop.condition_block);
    if (loop.kind == LoopKind::repeat_while) line("while {}", value(loop.condition));
    block(loop.body);
    for (std::size_t k = 0; k < loop.carries.size(); ++k) carry(loop, k);
    --depth_;
    line("}}");
  }

  void carry(const Loop& loop, std::size_t position) {
    const Carry& carry = loop.carries[position];
    std::string factor = carry.factor >= 0 ? " * " + value(carry.factor) : "";
    if (loop.kind == LoopKind::reduce) {
      line("carry {}: {} from {} by {}{}",
           position,
           name_of(carry.combiner),
           value(carry.initial),
           value(carry.element),
           factor);
    } else {
      line("carry {}: from {} to {}", position, value(carry.initial), value(carry.element));
    }
  }

  const Kernel& kernel_;
  std::string text_;
  int depth_ = 0;
};

}  // namespace

std::string to_string(const Kernel& kernel) { return Printer(kernel).take(); }

}  // namespace fluxion::kernel
