// A linker of our own objects: sections one after the other, references between them relative.
#include "codegen/code_image.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <limits>

namespace fluxion::codegen {
namespace {

struct Refused {};
void require(bool holds) {
  if (!holds) throw Refused{};
}

/// Reads of an object that never leave it.
class Object {
 public:
  explicit Object(std::string_view bytes) : bytes_(bytes) {
    header_ = at<Elf64_Ehdr>(0);
    require(std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0);
    require(header_.e_ident[EI_CLASS] == ELFCLASS64 && header_.e_ident[EI_DATA] == ELFDATA2LSB);
    require(header_.e_type == ET_REL && header_.e_machine == EM_X86_64);
    require(header_.e_shnum > 0 && header_.e_shentsize == sizeof(Elf64_Shdr));
    sections_ = table<Elf64_Shdr>(header_.e_shoff, header_.e_shnum);
  }
  const std::vector<Elf64_Shdr>& sections() const { return sections_; }
  const Elf64_Shdr& section(std::size_t number) const {
    require(number < sections_.size());
    return sections_[number];
  }
  std::string_view contents(const Elf64_Shdr& section) const {
    return slice(section.sh_offset, section.sh_size);
  }
  template <class T> std::vector<T> entries(const Elf64_Shdr& section) const {
    require(section.sh_entsize == sizeof(T) && section.sh_size % sizeof(T) == 0);
    return table<T>(section.sh_offset, section.sh_size / sizeof(T));
  }
  std::string_view text(const Elf64_Shdr& strings, std::uint64_t offset) const {
    const std::string_view all = contents(strings);
    require(offset < all.size());
    const std::size_t end = all.find('\0', offset);
    require(end != all.npos);
    return all.substr(offset, end - offset);
  }
  std::string_view name(const Elf64_Shdr& s) const {
    return text(section(header_.e_shstrndx), s.sh_name);
  }

 private:
  std::string_view slice(std::uint64_t offset, std::uint64_t size) const {
    require(offset <= bytes_.size() && size <= bytes_.size() - offset);
    return bytes_.substr(offset, size);
  }
  template <class T> T at(std::uint64_t offset) const {
    T value;
    std::memcpy(&value, slice(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }
  template <class T> std::vector<T> table(std::uint64_t offset, std::uint64_t count) const {
    require(count <= bytes_.size() / sizeof(T));
    const std::string_view raw = slice(offset, count * sizeof(T));
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), raw.data(), raw.size());
    return values;
  }

  std::string_view bytes_;
  Elf64_Ehdr header_;
  std::vector<Elf64_Shdr> sections_;
};

class Linker {
 public:
  explicit Linker(std::string_view bytes) : object_(bytes) {}

  LinkedObject link(const std::vector<std::string>& names) {
    lay_out();
    for (const Elf64_Shdr& section : object_.sections()) {
      require(section.sh_type != SHT_REL);
      if (section.sh_type == SHT_SYMTAB) {
        require(symbols_.empty());
        symbols_ = object_.entries<Elf64_Sym>(section);
        strings_ = &object_.section(section.sh_link);
      }
    }
    for (const Elf64_Shdr& section : object_.sections())
      if (section.sh_type == SHT_RELA) relocate(section);
    LinkedObject result{std::move(code_), {}};
    for (const std::string& name : names) result.offsets.push_back(offset_of(name));
    return result;
  }

 private:
  static constexpr std::uint64_t absent = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;

  /// Nobody unwinds through kernels.
  bool needed(const Elf64_Shdr& section) const {
    return (section.sh_flags & SHF_ALLOC) && section.sh_type != SHT_X86_64_UNWIND &&
           object_.name(section) != ".eh_frame";
  }

  void lay_out() {
    for (const Elf64_Shdr& section : object_.sections()) {
      begins_.push_back(absent);
      if (!needed(section) || section.sh_size == 0) continue;
      require(section.sh_type == SHT_PROGBITS);
      require(!(section.sh_flags & (SHF_WRITE | SHF_TLS | SHF_COMPRESSED)));
      const std::uint64_t align = std::max<std::uint64_t>(section.sh_addralign, 1);
      require((align & (align - 1)) == 0 && align <= code_alignment);
      code_.resize((code_.size() + align - 1) / align * align);
      begins_.back() = code_.size();
      code_ += object_.contents(section);
      require(code_.size() <= most_bytes);
    }
  }

  /// Where a symbol lies in the image.
  std::uint64_t address(const Elf64_Sym& symbol) const {
    const std::size_t number = symbol.st_shndx;
    require(number != SHN_UNDEF && number < begins_.size() && begins_[number] != absent);
    require(symbol.st_value <= object_.section(number).sh_size);
    return begins_[number] + symbol.st_value;
  }

  std::uint64_t offset_of(const std::string& name) const {
    for (const Elf64_Sym& symbol : symbols_)
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC &&
          object_.text(*strings_, symbol.st_name) == name)
        return address(symbol);
    throw Refused{};
  }

  void relocate(const Elf64_Shdr& list) {
    require(list.sh_info < begins_.size());
    const Elf64_Shdr& into = object_.section(list.sh_info);
    if (!needed(into)) return;
    for (const Elf64_Rela& entry : object_.entries<Elf64_Rela>(list)) {
      const std::uint32_t type = ELF64_R_TYPE(entry.r_info);
      if (type == R_X86_64_NONE) continue;
      // A call of a function of this object needs no table of procedures.
      require(type == R_X86_64_PC32 || type == R_X86_64_PLT32 || type == R_X86_64_PC64);
      const std::uint64_t width = type == R_X86_64_PC64 ? 8 : 4;
      require(begins_[list.sh_info] != absent && entry.r_offset <= into.sh_size &&
              width <= into.sh_size - entry.r_offset);
      const std::uint64_t place = begins_[list.sh_info] + entry.r_offset;
      const std::size_t symbol = ELF64_R_SYM(entry.r_info);
      require(symbol < symbols_.size());
      const auto distance = static_cast<std::int64_t>(
          address(symbols_[symbol]) + static_cast<std::uint64_t>(entry.r_addend) - place);
      require(width == 8 || distance == static_cast<std::int32_t>(distance));
      std::memcpy(code_.data() + place, &distance, width);
    }
  }

  Object object_;
  std::string code_;
  std::vector<std::uint64_t> begins_;  // of each section in the image
  std::vector<Elf64_Sym> symbols_;
  const Elf64_Shdr* strings_ = nullptr;
};

}  // namespace

std::optional<LinkedObject> link_object(std::string_view object,
                                        const std::vector<std::string>& symbols) {
  try {
    return Linker(object).link(symbols);
  } catch (const Refused&) {
    return {};
  }
}

}  // namespace fluxion::codegen
