// The table on disk: what it finds, refuses, evicts, and that nothing of it is an error.
#include "runtime/disk_cache.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fluxion::test {
namespace {

namespace fs = std::filesystem;
using runtime::DiskCache;

constexpr std::uint64_t plenty = std::uint64_t{64} << 20;

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  return files;
}
std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A cache with one entry, "key" to "value".
struct OneEntry {
  TemporaryFolder folder;
  DiskCache cache{folder.path() / "cache", plenty};
  fs::path file;
  OneEntry() {
    cache.store("key", "value");
    const auto files = files_in(folder.path());
    REQUIRE(files.size() == 1);
    file = files[0];
  }
};

}  // namespace

TEST_CASE("what was stored is found by its key alone, also by another process's cache") {
  const TemporaryFolder folder;
  DiskCache cache(folder.path() / "a" / "b", plenty);
  CHECK(!cache.find("one"));
  cache.store("one", "first");
  cache.store("two", std::string("second\0part", 11));
  cache.store("", "");
  CHECK(cache.find("one") == "first");
  DiskCache other(folder.path() / "a" / "b", plenty);
  CHECK(other.find("two") == std::string("second\0part", 11));
  CHECK(other.find("") == "");
  CHECK(!other.find("three"));
  other.store("one", "newer");
  CHECK(cache.find("one") == "newer");
  CHECK(cache.counts().hits == 2);
  CHECK(cache.counts().misses == 1);
  CHECK(cache.counts().stored == 3);
  CHECK(cache.counts().rejected == 0);
  CHECK(other.counts().hits == 2);
  CHECK(other.counts().misses == 1);
}

TEST_CASE("directories and entries of the cache are for their user alone") {
  const OneEntry one;
  const auto rights = [](const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
  };
  CHECK(rights(one.folder.path() / "cache") == 0700);
  CHECK(rights(one.file.parent_path()) == 0700);
  CHECK(rights(one.file) == 0600);
}

TEST_CASE("a cut-off entry is rejected at every length, and replaced by the next store") {
  OneEntry one;
  const std::string bytes = read(one.file);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write(one.file, bytes.substr(0, size));
    CHECK(!one.cache.find("key"));
  }
  write(one.file, bytes + '\0');
  CHECK(!one.cache.find("key"));
  CHECK(one.cache.counts().rejected == bytes.size() + 1);
  one.cache.store("key", "value");
  CHECK(one.cache.find("key") == "value");
}

TEST_CASE("an entry with any bit turned is rejected") {
  OneEntry one;
  const std::string bytes = read(one.file);
  for (std::size_t k = 0; k < 8 * bytes.size(); ++k) {
    std::string damaged = bytes;
    damaged[k / 8] = static_cast<char>(damaged[k / 8] ^ (1 << k % 8));
    write(one.file, damaged);
    CHECK(!one.cache.find("key"));
  }
  CHECK(one.cache.counts().rejected == 8 * bytes.size());
  write(one.file, bytes);
  CHECK(one.cache.find("key") == "value");
}

TEST_CASE("a whole entry under the name of another key is not found") {
  OneEntry one;
  const std::string bytes = read(one.file);
  one.cache.store("other", "something");
  for (const fs::path& file : files_in(one.folder.path())) write(file, bytes);
  CHECK(!one.cache.find("other"));
  CHECK(one.cache.counts().rejected == 0);
  CHECK(one.cache.find("key") == "value");
}

TEST_CASE("entries and directories that others may write are not used") {
  OneEntry one;
  const fs::path root = one.folder.path() / "cache";
  for (const fs::path& path : {one.file, one.file.parent_path(), root}) {
    for (const auto bit : {fs::perms::group_write, fs::perms::others_write}) {
      fs::permissions(path, bit, fs::perm_options::add);
      CHECK(!one.cache.find("key"));
      if (path != one.file) {
        one.cache.store("key", "another");
        CHECK(one.cache.counts().stored == 1);
      }
      fs::permissions(path, bit, fs::perm_options::remove);
      CHECK(one.cache.find("key") == "value");
    }
  }
}

TEST_CASE("links, folders and pipes in the place of an entry are not opened") {
  OneEntry one;
  const fs::path moved = one.folder.path() / "moved";
  fs::rename(one.file, moved);
  fs::create_symlink(moved, one.file);
  CHECK(!one.cache.find("key"));
  fs::remove(one.file);
  fs::create_directory(one.file);
  CHECK(!one.cache.find("key"));
  one.cache.store("key", "value");
  CHECK(one.cache.counts().stored == 1);
  fs::remove(one.file);
  REQUIRE(mkfifo(one.file.c_str(), 0600) == 0);
  CHECK(!one.cache.find("key"));
  fs::remove(one.file);
  fs::rename(moved, one.file);
  CHECK(one.cache.find("key") == "value");
}

TEST_CASE("a directory that cannot be made, read or written only misses") {
  const TemporaryFolder folder;
  write(folder.path() / "file", "");
  for (const fs::path& path : {folder.path() / "file",
                               folder.path() / "file" / "below",
                               fs::path("/proc/nothing/here"),
                               fs::path("")}) {
    DiskCache cache(path, plenty);
    cache.store("key", "value");
    CHECK(!cache.find("key"));
    CHECK(cache.counts().stored == 0);
  }
  if (geteuid() == 0) return;  // root may write everywhere
  fs::create_directory(folder.path() / "closed");
  fs::permissions(folder.path() / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  DiskCache cache(folder.path() / "closed", plenty);
  cache.store("key", "value");
  CHECK(cache.counts().stored == 0);
  fs::permissions(folder.path() / "closed", fs::perms::owner_all);
}

TEST_CASE("a cache that is deleted while it is used begins anew") {
  OneEntry one;
  fs::remove_all(one.folder.path() / "cache");
  CHECK(!one.cache.find("key"));
  one.cache.store("key", "value");
  CHECK(one.cache.find("key") == "value");
}

TEST_CASE("what was not used for longest goes when there is too much") {
  const TemporaryFolder folder;
  constexpr std::uint64_t most = 16 * 32 * 4096;  // 32 small entries in each of 16 folders
  DiskCache cache(folder.path(), most);
  const auto key = [](int k) { return "key " + std::to_string(k); };
  cache.store("used", "value");
  const fs::path used = files_in(folder.path()).at(0);
  for (int k = 0; k < 2000; ++k) {
    cache.store(key(k), "value");
    if (k % 10 != 0) continue;
    // A use makes an entry young, once in an hour: this one always looks unused for two.
    fs::last_write_time(used, fs::file_time_type::clock::now() - std::chrono::hours(2));
    CHECK(cache.find("used") == "value");
  }
  CHECK(cache.counts().stored == 2001);
  // A folder is trimmed when a sixteenth of its share is new.
  CHECK(files_in(folder.path()).size() <= 16 * (32 + 32 / 16 + 1));
  CHECK(files_in(folder.path()).size() >= 16 * 32 / 2);
  CHECK(cache.counts().evicted == 2001 - files_in(folder.path()).size());
  int early = 0, late = 0;
  for (int k = 0; k < 200; ++k) {
    early += cache.find(key(k)).has_value();
    late += cache.find(key(1999 - k)).has_value();
  }
  CHECK(early == 0);
  CHECK(late > 150);
}

TEST_CASE("a value too large for the cache is not kept, nor anything in one of no bytes") {
  const TemporaryFolder folder;
  DiskCache small(folder.path(), 16 * 8192), none(folder.path(), 0);
  small.store("key", std::string(8192, 'x'));
  none.store("key", "value");
  CHECK(files_in(folder.path()).empty());
  small.store("key", std::string(4096, 'x'));
  CHECK(small.find("key") == std::string(4096, 'x'));
}

TEST_CASE("what killed processes left unfinished is removed after an hour") {
  OneEntry one;
  const fs::path old = one.file.string() + "-1.tmp", young = one.file.string() + "-2.tmp";
  write(old, "half");
  write(young, "half");
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(2));
  DiskCache another(one.cache.directory(), plenty);
  another.store("key", "value");  // the first store in a folder counts its files
  CHECK(!fs::exists(old));
  CHECK(fs::exists(young));
  CHECK(another.find("key") == "value");
}

TEST_CASE("threads that store, find and evict the same keys never see a wrong value") {
  const TemporaryFolder folder;
  constexpr std::uint64_t most = 16 * 4 * 4096;
  DiskCache cache(folder.path(), most);
  std::atomic<int> wrong{0}, found{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int k = 0; k < 500; ++k) {
        const std::string key = std::to_string((k * 7 + t) % 100);
        if (const auto value = cache.find(key)) {
          ++found;
          if (*value != std::string(1000, key.back())) ++wrong;
        } else {
          cache.store(key, std::string(1000, key.back()));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(found > 0);
  CHECK(cache.counts().rejected == 0);
}

}  // namespace fluxion::test
