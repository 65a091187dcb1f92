// A table of bytes in a directory that many processes share: nothing in it is trusted, nothing of
// it is ever an error.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fluxion::runtime {

/// Safe to use from several threads, and from several processes with the same directory. What the
/// system refuses (a full disk, missing rights, a directory of somebody else) is a miss.
class DiskCache {
 public:
  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;    // rejected ones included
    std::uint64_t rejected = 0;  // entries that are damaged, or not safely the user's own
    std::uint64_t stored = 0;
    std::uint64_t evicted = 0;
  };

  /// `directory`: absolute; made with its parents, for the user alone, when something is stored.
  DiskCache(std::string directory, std::uint64_t most_bytes)
      : directory_(std::move(directory)), most_bytes_(most_bytes) {}

  /// The value that was stored last for exactly this key.
  std::optional<std::string> find(std::string_view key) noexcept;
  /// Replaces what there is for this key. What was not used for longest goes where there are too
  /// many bytes; a value of more than 1/16 of the bound is not kept.
  void store(std::string_view key, std::string_view value) noexcept;

  Counts counts() const noexcept;
  const std::string& directory() const { return directory_; }

 private:
  static constexpr unsigned shards = 16;
  std::optional<std::string> read(std::string_view key);
  bool write(std::string_view key, std::string_view value);
  void trim(int folder);

  const std::string directory_;
  const std::uint64_t most_bytes_;
  std::atomic<std::uint64_t> hits_{0}, misses_{0}, rejected_{0}, stored_{0}, evicted_{0};
  // Bytes stored in a folder since its files were counted, plus one; 0: never counted.
  std::array<std::atomic<std::uint64_t>, shards> uncounted_{};
};

/// The cache that the environment asks for (docs/performance.md); null: none. The same for the
/// whole life of the process.
DiskCache* process_disk_cache();

}  // namespace fluxion::runtime
