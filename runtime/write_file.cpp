// A file under a name of its own, which becomes the wanted one when it is complete.
#include "runtime/write_file.hpp"

#include "trace/error.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace fluxion::runtime {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& path, const Site& site) {
  const std::string reason = std::strerror(errno);
  fail("file", site, what + " " + path + ": " + reason);
}

/// A new file beside `path`; removed unless it was renamed.
class Temporary {
 public:
  Temporary(const std::string& path, const Site& site) : name_(path + ".XXXXXX") {
    file_ = ::mkstemp(name_.data());
    if (file_ < 0) refuse("cannot create a file beside", path, site);
  }
  ~Temporary() {
    ::close(file_);
    if (!renamed_) ::unlink(name_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t n = ::write(file_, text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return ::fchmod(file_, 0644) == 0;
  }
  bool rename_to(const std::string& path) {
    return renamed_ = ::rename(name_.c_str(), path.c_str()) == 0;
  }

 private:
  std::string name_;
  int file_ = -1;
  bool renamed_ = false;
};

}  // namespace

void check_writable(const std::string& path, const Site& site) { const Temporary file(path, site); }

void write_atomically(const std::string& path, std::string_view text, const Site& site) {
  Temporary file(path, site);
  if (!file.write(text)) refuse("cannot write", path, site);
  if (!file.rename_to(path)) refuse("cannot replace", path, site);
}

}  // namespace fluxion::runtime
