// Machine code that needs no linker: one block of bytes with all references inside it, and where
// its phases begin.
#pragma once
#include "codegen/abi.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fluxion::codegen {

/// Code may lie at any multiple of it.
inline constexpr std::size_t code_alignment = 64;

/// What a run of a kernel needs of its compilation; its code is never written.
struct CodeImage {
  struct Phase {
    std::uint64_t offset;  // of the entry, in `code`
    std::int64_t units, grain;
    friend bool operator==(const Phase&, const Phase&) = default;
  };
  std::vector<Phase> phases;
  std::uint64_t scratch_bytes = 0;
  std::uint64_t quick = 0;  // after so many runs it is to be compiled again; 0: never
  std::string code;         // functions and constants
};

/// As bytes, and back; nothing, where bytes are not exactly what pack() gives for some image.
std::string pack(const CodeImage&);
std::optional<CodeImage> unpack(std::string_view bytes);

/// Lays out a relocatable x86-64 object (ELF) and resolves its references. The symbols are where
/// the phases begin. Nothing, where the object asks for more than that: for symbols that it does
/// not define, absolute addresses, memory to write to.
struct LinkedObject {
  std::string code;
  std::vector<std::uint64_t> offsets;  // one for each symbol
};
std::optional<LinkedObject> link_object(std::string_view object,
                                        const std::vector<std::string>& symbols);

/// Code in memory that can be executed and not written; null where the system refuses.
std::shared_ptr<const void> executable_copy(std::string_view code);

}  // namespace fluxion::codegen
