// A file under a name of its own, which becomes the wanted one when it is complete.
#include "trace/write_file.hpp"

#include "trace/error.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fluxion {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& path, const Site& site) {
  const std::string reason = std::strerror(errno);
  fail("file", site, what + " " + path + ": " + reason);
}

/// A new file beside `path`; removed unless it was renamed.
class Temporary {
 public:
  Temporary(const std::string& path, const Site& site) : name_(path + ".XXXXXX") {
    file_ = ::mkostemp(name_.data(), O_CLOEXEC);
    if (file_ < 0) refuse("cannot create a file beside", path, site);
  }
  ~Temporary() {
    ::close(file_);
    if (!renamed_) ::unlink(name_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  bool write(std::span<const char> bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(file_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
  }
  bool finish() const { return ::fchmod(file_, 0644) == 0 && ::fsync(file_) == 0; }
  bool rename_to(const std::string& path) {
    return renamed_ = ::rename(name_.c_str(), path.c_str()) == 0;
  }

 private:
  std::string name_;
  int file_ = -1;
  bool renamed_ = false;
};

/// The new name, too, survives a crash.
void sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::close(file);
}

}  // namespace

void check_writable(const std::string& path, const Site& site) { const Temporary file(path, site); }

void write_atomically(const std::string& path,
                      std::span<const std::span<const char>> pieces,
                      const Site& site) {
  Temporary file(path, site);
  for (const std::span<const char> piece : pieces)
    if (!file.write(piece)) refuse("cannot write", path, site);
  if (!file.finish()) refuse("cannot write", path, site);
  if (!file.rename_to(path)) refuse("cannot replace", path, site);
  sync_folder_of(path);
}

}  // namespace fluxion
