// Entries are files of one write and one rename, in sixteen folders; each holds its whole key and a
// checksum over everything.
#include "runtime/disk_cache.hpp"

#define XXH_INLINE_ALL
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>
#include <xxhash.h>

namespace fluxion::runtime {
namespace {

constexpr std::uint64_t most_entry_bytes = std::uint64_t{256} << 20;
constexpr std::int64_t touch_after = 3600, abandoned_after = 3600;  // seconds
constexpr std::string_view temporary = ".tmp";

/// A file descriptor, closed with its scope.
class File {
 public:
  explicit File(int number) : number_(number) {}
  ~File() {
    if (number_ >= 0) close(number_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_;
};

struct Head {
  char magic[8];
  std::uint64_t checksum[2];  // of everything behind it
  std::uint64_t key_bytes, value_bytes;
};
constexpr char magic[8] = {'F', 'L', 'U', 'X', 'C', 'O', 'D', 'E'};
constexpr std::size_t checked_from = offsetof(Head, key_bytes);

void set_checksum(std::string_view entry, std::uint64_t (&checksum)[2]) {
  const XXH128_hash_t hash = XXH3_128bits(entry.data() + checked_from, entry.size() - checked_from);
  checksum[0] = hash.low64;
  checksum[1] = hash.high64;
}

std::string name_of(std::string_view key) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  char name[33];
  std::snprintf(name,
                sizeof name,
                "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return name;
}
unsigned shard_of(const std::string& name) {
  return static_cast<unsigned>(name[0] <= '9' ? name[0] - '0' : name[0] - 'a' + 10);
}

/// The user's own, and nobody else may change it.
bool own(const struct stat& status) {
  return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}
int checked_directory(int folder) {
  struct stat status;
  if (folder >= 0 && (fstat(folder, &status) != 0 || !own(status))) {
    close(folder);
    return -1;
  }
  return folder;
}
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

void make_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    mkdir(path.substr(0, end).c_str(), 0700);
    if (end == path.npos) return;
  }
}

/// The folder of a shard; -1 where it is not there or not the user's own. Opened anew each time:
/// it may have been deleted, and a program that closes all its files must not confuse us.
int open_shard(const std::string& directory, unsigned shard, bool make) {
  int opened = open(directory.c_str(), directory_flags);
  if (opened < 0 && errno == ENOENT && make) {
    make_directories(directory);
    opened = open(directory.c_str(), directory_flags);
  }
  const File root(checked_directory(opened));
  if (!root) return -1;
  const char name[2] = {"0123456789abcdef"[shard], '\0'};
  int folder = openat(root.number(), name, directory_flags | O_NOFOLLOW);
  if (folder < 0 && errno == ENOENT && make) {
    mkdirat(root.number(), name, 0700);
    folder = openat(root.number(), name, directory_flags | O_NOFOLLOW);
  }
  return checked_directory(folder);
}

bool read_all(int file, char* into, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(file, into, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}
bool write_all(int file, const char* from, std::size_t size) {
  while (size > 0) {
    const ssize_t put = ::write(file, from, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    from += put;
    size -= static_cast<std::size_t>(put);
  }
  return true;
}

/// A whole entry is as long as it says, has the checksum it says, and the key.
bool sound(std::string_view entry) {
  Head head;
  if (entry.size() < sizeof head) return false;
  std::memcpy(&head, entry.data(), sizeof head);
  if (std::memcmp(head.magic, magic, sizeof magic) != 0) return false;
  const std::uint64_t room = entry.size() - sizeof head;
  if (head.key_bytes > room || head.value_bytes != room - head.key_bytes) return false;
  std::uint64_t checksum[2];
  set_checksum(entry, checksum);
  return std::memcmp(checksum, head.checksum, sizeof checksum) == 0;
}
std::string_view key_of(std::string_view entry) {
  Head head;
  std::memcpy(&head, entry.data(), sizeof head);
  return entry.substr(sizeof head, head.key_bytes);
}

std::string entry_of(std::string_view key, std::string_view value) {
  std::string entry(sizeof(Head), '\0');
  entry.reserve(sizeof(Head) + key.size() + value.size());
  entry.append(key).append(value);
  Head head{};
  std::memcpy(head.magic, magic, sizeof magic);
  head.key_bytes = key.size();
  head.value_bytes = value.size();
  std::memcpy(entry.data(), &head, sizeof head);
  set_checksum(entry, head.checksum);
  std::memcpy(entry.data(), &head, sizeof head);
  return entry;
}

std::uint64_t bytes_on_disk(std::uint64_t size) { return (size + 4095) / 4096 * 4096; }

}  // namespace

std::optional<std::string> DiskCache::find(std::string_view key) noexcept {
  std::optional<std::string> value;
  try {
    value = read(key);
  } catch (...) {  // no memory
    value.reset();
  }
  (value ? hits_ : misses_).fetch_add(1, std::memory_order_relaxed);
  return value;
}

std::optional<std::string> DiskCache::read(std::string_view key) {
  const std::string name = name_of(key);
  const File folder(open_shard(directory_, shard_of(name), false));
  if (!folder) return {};
  // Without O_NONBLOCK a pipe of that name would block.
  const File file(
      openat(folder.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status;
  if (!file || fstat(file.number(), &status) != 0) return {};
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::string entry;
  if (S_ISREG(status.st_mode) && own(status) && size <= most_entry_bytes) {
    entry.resize(size);
    if (!read_all(file.number(), entry.data(), size)) entry.clear();
  }
  if (!sound(entry)) {
    rejected_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  if (key_of(entry) != key) return {};
  if (time(nullptr) - status.st_mtime > touch_after) futimens(file.number(), nullptr);
  entry.erase(0, sizeof(Head) + key.size());
  return entry;
}

void DiskCache::store(std::string_view key, std::string_view value) noexcept {
  try {
    if (write(key, value)) stored_.fetch_add(1, std::memory_order_relaxed);
  } catch (...) {  // no memory
  }
}

bool DiskCache::write(std::string_view key, std::string_view value) {
  const std::string entry = entry_of(key, value), name = name_of(key);
  if (entry.size() > most_entry_bytes || bytes_on_disk(entry.size()) > most_bytes_ / shards)
    return false;
  const unsigned shard = shard_of(name);
  const File folder(open_shard(directory_, shard, true));
  std::uint64_t random;
  if (!folder || getrandom(&random, sizeof random, 0) != sizeof random) return false;
  const std::string draft = name + '-' + std::to_string(random) + std::string(temporary);
  {
    const File file(openat(folder.number(),
                           draft.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           0600));
    if (!file) return false;
    if (!write_all(file.number(), entry.data(), entry.size())) {
      unlinkat(folder.number(), draft.c_str(), 0);
      return false;
    }
  }
  if (renameat(folder.number(), draft.c_str(), folder.number(), name.c_str()) != 0) {
    unlinkat(folder.number(), draft.c_str(), 0);
    return false;
  }
  const std::uint64_t before =
      uncounted_[shard].fetch_add(bytes_on_disk(entry.size()) + 1, std::memory_order_relaxed);
  if (before == 0 || before > most_bytes_ / shards / 16) {
    uncounted_[shard].store(1, std::memory_order_relaxed);
    trim(folder.number());
  }
  return true;
}

/// Deletes what was used longest ago until an eighth of the folder's share is free, and what
/// processes left unfinished.
void DiskCache::trim(int folder) {
  struct Used {
    std::int64_t seconds, nanoseconds;
    std::uint64_t bytes;
    std::string name;
  };
  const int again = openat(folder, ".", directory_flags);
  if (again < 0) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(fdopendir(again), &closedir);
  if (!list) {
    close(again);
    return;
  }
  std::vector<Used> files;
  std::uint64_t total = 0;
  const std::int64_t now = time(nullptr);
  while (const dirent* item = readdir(list.get())) {
    struct stat status;
    if (fstatat(folder, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(status.st_mode)) continue;
    std::string name = item->d_name;
    if (name.ends_with(temporary) && now - status.st_mtime > abandoned_after) {
      unlinkat(folder, name.c_str(), 0);
      continue;
    }
    const std::uint64_t bytes = bytes_on_disk(static_cast<std::uint64_t>(status.st_size));
    total += bytes;
    files.push_back({status.st_mtim.tv_sec, status.st_mtim.tv_nsec, bytes, std::move(name)});
  }
  const std::uint64_t share = most_bytes_ / shards;
  if (total <= share) return;
  std::sort(files.begin(), files.end(), [](const Used& a, const Used& b) {
    return a.seconds != b.seconds ? a.seconds < b.seconds : a.nanoseconds < b.nanoseconds;
  });
  for (const Used& file : files) {
    if (total <= share - share / 8) break;
    if (unlinkat(folder, file.name.c_str(), 0) != 0) continue;
    total -= file.bytes;
    evicted_.fetch_add(1, std::memory_order_relaxed);
  }
}

DiskCache::Counts DiskCache::counts() const noexcept {
  const auto read = [](const std::atomic<std::uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  return {read(hits_), read(misses_), read(rejected_), read(stored_), read(evicted_)};
}

}  // namespace fluxion::runtime
