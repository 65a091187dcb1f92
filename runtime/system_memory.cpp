// mmap, huge pages, guard pages, and the files that tell how much memory is left.
#include "runtime/system_memory.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <limits>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace fluxion::runtime {
namespace {

constexpr std::size_t huge_threshold = 2 * huge_page;
constexpr std::size_t unknown = std::numeric_limits<std::size_t>::max();

void* map(std::size_t bytes, int protection) noexcept {
  void* pages = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

/// The number after `label` at the beginning of a file; without stdio, because memory may be short.
std::size_t number_in_file(const char* path, std::string_view label) noexcept {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return unknown;
  std::array<char, 1024> buffer;
  const ssize_t length = read(file, buffer.data(), buffer.size() - 1);
  close(file);
  if (length <= 0) return unknown;
  buffer[static_cast<std::size_t>(length)] = 0;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(length));
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return unknown;
  char* end = nullptr;
  const char* begin = buffer.data() + at + label.size();
  const unsigned long long value = std::strtoull(begin, &end, 10);
  return end == begin ? unknown : static_cast<std::size_t>(value);
}

}  // namespace

std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

void* map_pages(std::size_t bytes) noexcept {
  if (bytes < huge_threshold) return map(bytes, PROT_READ | PROT_WRITE);
  auto* const pages = static_cast<std::byte*>(map(bytes + huge_page, PROT_READ | PROT_WRITE));
  if (pages == nullptr) return nullptr;
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(pages) % huge_page;
  if (before != 0) munmap(pages, before);
  munmap(pages + before + bytes, huge_page - before);
  madvise(pages + before, bytes, MADV_HUGEPAGE);
  return pages + before;
}

void* map_guarded_pages(std::size_t bytes) noexcept {
  const std::size_t page = page_size();
  auto* const pages = static_cast<std::byte*>(map(bytes + 2 * page, PROT_NONE));
  if (pages == nullptr) return nullptr;
  if (mprotect(pages + page, bytes, PROT_READ | PROT_WRITE) != 0) {
    munmap(pages, bytes + 2 * page);
    return nullptr;
  }
  return pages + page;
}

void unmap_pages(void* pages, std::size_t bytes) noexcept { munmap(pages, bytes); }

void unmap_guarded_pages(void* pages, std::size_t bytes) noexcept {
  munmap(static_cast<std::byte*>(pages) - page_size(), bytes + 2 * page_size());
}

std::size_t available_memory() noexcept {
  const std::size_t kilobytes = number_in_file("/proc/meminfo", "MemAvailable:");
  const std::size_t machine = kilobytes == unknown ? unknown : kilobytes * 1024;
  const std::size_t most = number_in_file("/sys/fs/cgroup/memory.max", "");
  const std::size_t used = number_in_file("/sys/fs/cgroup/memory.current", "");
  if (most == unknown || used == unknown) return machine;
  return std::min(machine, most - std::min(most, used));
}

}  // namespace fluxion::runtime
