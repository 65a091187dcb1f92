// GDB reads an object file that the process shows it: here one without code, whose symbols lie
// where the functions do.
#include "codegen/code_names.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <mutex>
#include <string_view>
#include <unistd.h>

// The interface is fixed by GDB ("JIT Compilation Interface" in its manual): it puts a breakpoint
// into the function and reads the list when it is hit. Protected: another library in the process
// (LLVM) may have its own of the same names, which GDB reads, too.
extern "C" {
struct JitCodeEntry {
  JitCodeEntry *next, *previous;
  const char* file;
  std::uint64_t size;
};
struct JitDescriptor {
  std::uint32_t version, action;
  JitCodeEntry *relevant, *first;
};
// NOLINTBEGIN(bugprone-reserved-identifier)
[[gnu::visibility("protected"), gnu::used]] JitDescriptor __jit_debug_descriptor = {
    1, 0, nullptr, nullptr};
[[gnu::visibility("protected"), gnu::noinline, gnu::used]] void __jit_debug_register_code() {
  asm volatile("" ::: "memory");
}
// NOLINTEND(bugprone-reserved-identifier)
}

namespace fluxion::codegen {
namespace {

enum : std::uint32_t { no_action, register_code, unregister_code };

std::mutex& list_lock() {
  static auto* made = new std::mutex;  // kernels may outlive every static object
  return *made;
}

std::uint64_t address_of(const NamedCode& f) { return reinterpret_cast<std::uint64_t>(f.entry); }

template <class T> T read(const std::string& bytes, std::uint64_t at) {
  T value{};
  if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class T> void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// A relocatable object with a .text that has an address and no bytes, and the functions in it.
std::string object_with(std::span<const NamedCode> functions) {
  std::uint64_t begin = UINT64_MAX, end = 0;
  for (const NamedCode& f : functions) {
    begin = std::min(begin, address_of(f));
    end = std::max(end, address_of(f) + f.size);
  }
  enum : std::uint16_t { none, text, symbol_table, names, sections };
  std::string strings("\0.text\0.symtab\0.strtab\0", 23);
  const std::uint32_t text_name = 1, symbols_name = 7, names_name = 15;
  std::string symbols;
  append(symbols, Elf64_Sym{});
  for (const NamedCode& f : functions) {
    Elf64_Sym symbol{};
    symbol.st_name = static_cast<Elf64_Word>(strings.size());
    symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    symbol.st_shndx = text;
    symbol.st_value = address_of(f) - begin;
    symbol.st_size = f.size;
    append(symbols, symbol);
    strings += f.name + '\0';
  }
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
#if defined(__x86_64__)
  header.e_machine = EM_X86_64;
#elif defined(__aarch64__)
  header.e_machine = EM_AARCH64;
#endif
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = sections;
  header.e_shstrndx = names;
  header.e_shoff = sizeof(Elf64_Ehdr);
  Elf64_Shdr table[sections] = {};
  table[text].sh_name = text_name;
  table[text].sh_type = SHT_NOBITS;
  table[text].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  table[text].sh_addr = begin;
  table[text].sh_size = end - begin;
  table[text].sh_addralign = 16;
  table[symbol_table].sh_name = symbols_name;
  table[symbol_table].sh_type = SHT_SYMTAB;
  table[symbol_table].sh_offset = sizeof header + sizeof table;
  table[symbol_table].sh_size = symbols.size();
  table[symbol_table].sh_link = names;
  table[symbol_table].sh_info = 1;  // the first global symbol
  table[symbol_table].sh_addralign = 8;
  table[symbol_table].sh_entsize = sizeof(Elf64_Sym);
  table[names].sh_name = names_name;
  table[names].sh_type = SHT_STRTAB;
  table[names].sh_offset = sizeof header + sizeof table + symbols.size();
  table[names].sh_size = strings.size();
  table[names].sh_addralign = 1;
  std::string object;
  append(object, header);
  append(object, table);
  return object + symbols + strings;
}

/// perf reads "address size name"; whole lines, so that threads do not mix theirs. A file that
/// cannot be written is ignored.
void write_for_perf(std::span<const NamedCode> functions) {
  static const bool asked = [] {
    const char* word = std::getenv("FLUXION_PERF_MAP");
    return word && *word && *word != '0';
  }();
  if (!asked) return;
  const std::string path = fmt::format("/tmp/perf-{}.map", getpid());
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  std::string lines;
  for (const NamedCode& f : functions)
    lines += fmt::format("{:x} {:x} {}\n", address_of(f), f.size, f.name);
  [[maybe_unused]] const ssize_t written = ::write(file, lines.data(), lines.size());
  ::close(file);
}

}  // namespace

std::uint64_t size_in(const std::string& object, std::string_view name) {
  const auto header = read<Elf64_Ehdr>(object, 0);
  for (std::size_t s = 0; s < header.e_shnum; ++s) {
    const auto symbols = read<Elf64_Shdr>(object, header.e_shoff + s * sizeof(Elf64_Shdr));
    if (symbols.sh_type != SHT_SYMTAB) continue;
    const auto names =
        read<Elf64_Shdr>(object, header.e_shoff + symbols.sh_link * sizeof(Elf64_Shdr));
    for (std::uint64_t at = 0; at < symbols.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = read<Elf64_Sym>(object, symbols.sh_offset + at);
      const std::uint64_t begin = names.sh_offset + symbol.st_name;
      if (begin < object.size() && name == object.c_str() + begin) return symbol.st_size;
    }
  }
  return 0;
}

struct CodeNames::Entry {
  std::string object;
  JitCodeEntry list{};
};

CodeNames::CodeNames(std::span<const NamedCode> functions) {
  if (functions.empty()) return;
  write_for_perf(functions);
  entry_ = std::make_unique<Entry>();
  entry_->object = object_with(functions);
  JitCodeEntry& list = entry_->list;
  list.file = entry_->object.data();
  list.size = entry_->object.size();
  const std::lock_guard guard(list_lock());
  list.next = __jit_debug_descriptor.first;
  if (list.next) list.next->previous = &list;
  __jit_debug_descriptor.first = &list;
  __jit_debug_descriptor.relevant = &list;
  __jit_debug_descriptor.action = register_code;
  __jit_debug_register_code();
  __jit_debug_descriptor.action = no_action;
}

CodeNames::~CodeNames() {
  if (!entry_) return;
  JitCodeEntry& list = entry_->list;
  const std::lock_guard guard(list_lock());
  (list.previous ? list.previous->next : __jit_debug_descriptor.first) = list.next;
  if (list.next) list.next->previous = list.previous;
  __jit_debug_descriptor.relevant = &list;
  __jit_debug_descriptor.action = unregister_code;
  __jit_debug_register_code();
  __jit_debug_descriptor.action = no_action;
}

}  // namespace fluxion::codegen
