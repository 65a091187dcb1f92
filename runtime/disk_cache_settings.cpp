// What the environment says of the cache on disk.
#include "runtime/disk_cache.hpp"

#include <cctype>
#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace fluxion::runtime {
namespace {

constexpr std::uint64_t default_bytes = std::uint64_t{512} << 20;

/// Nothing of the caller's where the program runs with more rights than its caller.
std::string word(const char* name) {
  const char* value = secure_getenv(name);
  return value ? value : "";
}

/// Empty: none.
std::string directory() {
  if (const std::string given = word("FLUXION_CACHE_DIR"); !given.empty()) {
    if (given[0] == '/') return given;
    char here[4096];
    return getcwd(here, sizeof here) ? std::string(here) + '/' + given : "";
  }
  if (const std::string caches = word("XDG_CACHE_HOME"); caches.starts_with('/'))
    return caches + "/fluxion";
  const std::string home = word("HOME");
  struct stat status;
  // In the home of another (as with sudo) the files would be in their owner's way.
  if (!home.starts_with('/') || stat(home.c_str(), &status) != 0 || status.st_uid != geteuid())
    return "";
  return home + "/.cache/fluxion";
}

/// A number of bytes, or with K, M or G behind it.
std::uint64_t most_bytes() {
  const std::string text = word("FLUXION_CACHE_SIZE");
  if (text.empty() || !std::isdigit(static_cast<unsigned char>(text[0]))) return default_bytes;
  char* end = nullptr;
  const std::uint64_t count = std::strtoull(text.c_str(), &end, 10);
  const std::string unit = end;
  const int shift = unit.empty()                 ? 0
                    : unit == "K" || unit == "k" ? 10
                    : unit == "M" || unit == "m" ? 20
                    : unit == "G" || unit == "g" ? 30
                                                 : -1;
  if (shift < 0 || count > UINT64_MAX >> shift) return default_bytes;
  return count << shift;
}

}  // namespace

DiskCache* process_disk_cache() {
  // Never destroyed: programs with static lifetime may still compile.
  static DiskCache* const made = []() -> DiskCache* {
    if (word("FLUXION_CACHE") == "0") return nullptr;
    std::string path = directory();
    return path.empty() ? nullptr : new DiskCache(std::move(path), most_bytes());
  }();
  return made;
}

}  // namespace fluxion::runtime
