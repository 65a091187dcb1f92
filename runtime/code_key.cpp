// The build is known by the identifications that the linker made of the contents of the library and
// of the module with its compiler.
#include "runtime/code_key.hpp"

#include "codegen/host.hpp"
#include "codegen/llvm/backend.hpp"
#include "trace/kernel/structure.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
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

/// That of a library which is not loaded, among the first bytes of its file; empty: not there.
std::string build_id_of_file(const std::string& path) {
  std::string head(16384, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  ElfW(Ehdr) header;
  if (head.size() < sizeof header) return {};
  std::memcpy(&header, head.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return {};
  for (std::size_t k = 0; k < header.e_phnum; ++k) {
    ElfW(Phdr) segment;
    const std::size_t at = header.e_phoff + k * sizeof segment;
    if (at > head.size() || head.size() - at < sizeof segment) return {};
    std::memcpy(&segment, head.data() + at, sizeof segment);
    if (segment.p_type != PT_NOTE || segment.p_offset > head.size() ||
        segment.p_filesz > head.size() - segment.p_offset)
      continue;
    const std::string found = build_id_in(head.data() + segment.p_offset, segment.p_filesz);
    if (!found.empty()) return found;
  }
  return {};
}

/// What all keys of this process begin with.
std::string environment() {
  const std::string build = build_id();
  const std::string compiler = build_id_of_file(codegen::backend_path());
  const std::string& processor = codegen::host_identification();
  if (build.empty() || compiler.empty() || processor.empty()) return {};
  std::string key;
  for (const std::string& part : {std::string(FLUXION_VERSION),
                                  std::string(FLUXION_LLVM_VERSION),
                                  build,
                                  compiler,
                                  processor})
    key.append(std::to_string(part.size())).append(":").append(part);
  return key;
}

}  // namespace

std::string code_key(const kernel::Kernel& kernel) {
  static const std::string common = environment();
  return common.empty() ? common : common + kernel::structure_bytes(kernel);
}

}  // namespace fluxion::runtime
