// How a kernel is written as bytes: lists with their lengths, numbers of seven bits to a byte.
#include "trace/kernel/structure.hpp"

namespace fluxion::kernel {
namespace {

class Writer {
 public:
  explicit Writer(std::string& bytes) : bytes_(bytes) {}

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  /// Small negative numbers are short, too: 0, -1, 1, -2, ...
  void integer(std::int64_t value) {
    number(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
  }
  template <class E> void word(E value) { number(static_cast<std::uint64_t>(value)); }
  template <class List, class Write> void list(const List& items, Write write) {
    number(items.size());
    for (const auto& item : items) write(item);
  }
  void terms(const Affine::Terms& terms) {
    list(terms, [&](const Affine::Term& term) {
      integer(term.of);
      integer(term.scale);
    });
  }
  void block(const Block& block) {
    list(block, [&](const Item& item) {
      integer(item.index);
      word(item.is_loop);
    });
  }
  void instruction(const Instruction& i) {
    word(i.verb);
    word(i.type);
    for (Id operand : {i.a, i.b, i.c}) integer(operand);
    number(i.bits);
  }
  void access(const Access& access) {
    integer(access.buffer);
    integer(access.offset.constant);
    terms(access.offset.variables);
    terms(access.offset.opaque);
    integer(access.predicate);
    integer(access.otherwise);
  }
  void loop(const Loop& loop) {
    word(loop.kind);
    word(loop.tree);
    list(loop.variables, [&](std::int32_t variable) { integer(variable); });
    integer(loop.trip_count);
    list(loop.carries, [&](const Carry& carry) {
      word(carry.combiner);
      for (Id id : {carry.initial, carry.element, carry.factor, carry.result}) integer(id);
    });
    block(loop.condition_block);
    integer(loop.condition);
    block(loop.body);
  }

 private:
  std::string& bytes_;
};

}  // namespace

std::string structure_bytes(const Kernel& kernel) {
  std::string bytes;
  bytes.reserve(64 + kernel.instructions.size() * 8);
  Writer out(bytes);
  out.list(kernel.buffers, [&](const BufferDecl& buffer) {
    out.word(buffer.dtype);
    out.word(buffer.role);
    out.integer(buffer.count);
  });
  out.list(kernel.variables, [&](const Variable& variable) { out.integer(variable.extent); });
  out.list(kernel.instructions, [&](const Instruction& i) { out.instruction(i); });
  out.list(kernel.accesses, [&](const Access& access) { out.access(access); });
  out.list(kernel.tables, [&](const Table& table) {
    out.word(table.dtype);
    out.list(table.bits, [&](std::uint64_t bits) { out.number(bits); });
  });
  out.list(kernel.loops, [&](const Loop& loop) { out.loop(loop); });
  out.block(kernel.top);
  return bytes;
}

}  // namespace fluxion::kernel
