// The build is known by the identification that the linker made of the library's contents.
#include "runtime/code_key.hpp"

#include "codegen/host.hpp"
#include "trace/kernel/structure.hpp"

#include <cstring>
#include <link.h>

namespace fluxion::runtime {
namespace {

/// The build ID (NT_GNU_BUILD_ID) among the notes of a loaded segment; empty: none.
std::string build_id_in(const char* notes, std::size_t size) {
  const auto padded = [](std::size_t n) { return (n + 3) / 4 * 4; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof note);
    const std::size_t name = padded(note.n_namesz), text = padded(note.n_descsz);
    if (name > size - sizeof note || text > size - sizeof note - name) break;
    const char* begin = notes + sizeof note;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(begin, "GNU", 4) == 0)
      return {begin + name, note.n_descsz};
    notes += sizeof note + name + text;
    size -= sizeof note + name + text;
  }
  return {};
}

/// That of the library or program which holds this function.
std::string build_id() {
  struct Search {
    std::uintptr_t inside;
    std::string found;
  };
  static const char here = 0;
  Search search{reinterpret_cast<std::uintptr_t>(&here), {}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto& wanted = *static_cast<Search*>(data);
        bool holds = false;
        for (int k = 0; k < info->dlpi_phnum; ++k) {
          const ElfW(Phdr)& segment = info->dlpi_phdr[k];
          const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          holds = holds || (segment.p_type == PT_LOAD && wanted.inside >= begin &&
                            wanted.inside - begin < segment.p_memsz);
        }
        if (!holds) return 0;
        for (int k = 0; k < info->dlpi_phnum && wanted.found.empty(); ++k) {
          const ElfW(Phdr)& segment = info->dlpi_phdr[k];
          if (segment.p_type != PT_NOTE) continue;
          const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          wanted.found = build_id_in(reinterpret_cast<const char*>(begin), segment.p_memsz);
        }
        return 1;
      },
      &search);
  return search.found;
}

/// What all keys of this process begin with.
std::string environment() {
  const std::string build = build_id(), &processor = codegen::host_identification();
  if (build.empty() || processor.empty()) return {};
  std::string key;
  for (const std::string& part :
       {std::string(FLUXION_VERSION), std::string(FLUXION_LLVM_VERSION), build, processor})
    key.append(std::to_string(part.size())).append(":").append(part);
  return key;
}

}  // namespace

std::string code_key(const kernel::Kernel& kernel) {
  static const std::string common = environment();
  return common.empty() ? common : common + kernel::structure_bytes(kernel);
}

}  // namespace fluxion::runtime
