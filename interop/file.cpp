// POSIX and zlib behind one way to read.
#include "interop/file.hpp"

#include "trace/error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

namespace fluxion::interop {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& path, const Site& site) {
  const std::string reason = std::strerror(errno);
  fail("file", site, what + " " + path + ": " + reason);
}

}  // namespace

InputFile::InputFile(const std::string& path, Compression compression, const Site& site)
    : path_(path), site_(site) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) refuse("cannot open", path, site);
  if (compression == Compression::none) return;
  unzip_ = gzdopen(descriptor_, "rb");
  if (!unzip_) {
    ::close(descriptor_);
    refuse("cannot open", path, site);
  }
  gzbuffer(static_cast<gzFile>(unzip_), 1 << 17);
}
InputFile::~InputFile() {
  if (unzip_)
    gzclose(static_cast<gzFile>(unzip_));
  else
    ::close(descriptor_);
}

std::size_t InputFile::read(std::span<char> out) {
  if (unzip_) return read_zipped(out);
  std::size_t total = 0;
  while (total < out.size()) {
    const ssize_t n = ::read(descriptor_, out.data() + total, out.size() - total);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) refuse("cannot read", path_, site_);
    if (n == 0) break;
    total += static_cast<std::size_t>(n);
  }
  return total;
}

std::size_t InputFile::read_zipped(std::span<char> out) {
  const auto file = static_cast<gzFile>(unzip_);
  std::size_t total = 0;
  while (total < out.size()) {
    const int n =
        gzread(file,
               out.data() + total,
               static_cast<unsigned>(std::min<std::size_t>(out.size() - total, 1u << 30)));
    int code = Z_OK;
    const char* text = gzerror(file, &code);
    if (n < 0 || (n == 0 && code != Z_OK &&
                  code != Z_STREAM_END))  // Z_BUF_ERROR: the compressed data stops too early
      fail("file",
           site_,
           "cannot read " + path_ + ": " + (code == Z_ERRNO ? std::strerror(errno) : text),
           {},
           "the file may be damaged: get it again");
    if (n == 0) break;
    total += static_cast<std::size_t>(n);
  }
  return total;
}

std::vector<char> InputFile::read_up_to(std::uint64_t count) {
  std::vector<char> out;
  while (out.size() < count) {
    const std::size_t before = out.size(),
                      step = static_cast<std::size_t>(std::min<std::uint64_t>(
                          count - before, std::max<std::size_t>(before, 1 << 20)));
    out.resize(before + step);
    const std::size_t n = read({out.data() + before, step});
    if (n == step) continue;
    out.resize(before + n);
    break;
  }
  return out;
}

}  // namespace fluxion::interop
