// Images of code as bytes, and in executable memory.
#include "codegen/code_image.hpp"

#include <cstring>
#include <sys/mman.h>

namespace fluxion::codegen {
namespace {

constexpr std::size_t head_words = 3, phase_words = 3;

void put(std::string& bytes, std::uint64_t word) {
  char raw[sizeof word];
  std::memcpy(raw, &word, sizeof word);
  bytes.append(raw, sizeof word);
}
std::uint64_t word_at(std::string_view bytes, std::size_t index) {
  std::uint64_t word;
  std::memcpy(&word, bytes.data() + index * sizeof word, sizeof word);
  return word;
}

}  // namespace

std::string pack(const CodeImage& image) {
  std::string bytes;
  put(bytes, image.phases.size());
  put(bytes, image.scratch_bytes);
  put(bytes, image.quick);
  for (const CodeImage::Phase& phase : image.phases) {
    put(bytes, phase.offset);
    put(bytes, static_cast<std::uint64_t>(phase.units));
    put(bytes, static_cast<std::uint64_t>(phase.grain));
  }
  return bytes += image.code;
}

std::optional<CodeImage> unpack(std::string_view bytes) {
  const std::size_t words = bytes.size() / sizeof(std::uint64_t);
  if (words < head_words) return {};
  CodeImage image;
  const std::uint64_t phases = word_at(bytes, 0);
  if (phases > (words - head_words) / phase_words) return {};
  image.scratch_bytes = word_at(bytes, 1);
  image.quick = word_at(bytes, 2);
  const std::size_t code = (head_words + phase_words * phases) * sizeof(std::uint64_t);
  image.code = bytes.substr(code);
  for (std::size_t k = 0; k < phases; ++k) {
    const std::size_t at = head_words + k * phase_words;
    const CodeImage::Phase phase{word_at(bytes, at),
                                 static_cast<std::int64_t>(word_at(bytes, at + 1)),
                                 static_cast<std::int64_t>(word_at(bytes, at + 2))};
    if (phase.offset >= image.code.size() || phase.units < 0 || phase.grain < 0) return {};
    image.phases.push_back(phase);
  }
  return image;
}

std::shared_ptr<const void> executable_copy(std::string_view code) {
  if (code.empty()) return {};
  void* memory =
      mmap(nullptr, code.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return {};
  std::memcpy(memory, code.data(), code.size());
  const std::size_t size = code.size();
  // Caches of instructions need no flush: images are x86-64 code.
  if (mprotect(memory, size, PROT_READ | PROT_EXEC) != 0) {
    munmap(memory, size);
    return {};
  }
  return {memory, [size](void* p) { munmap(p, size); }};
}

}  // namespace fluxion::codegen
