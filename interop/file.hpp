// Whole files in and out: errors with the path, gzip on the way in, all or nothing on the way out.
#pragma once
#include "fluxion/core.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace fluxion::interop {

enum class Compression { none, gzip_or_none };

/// Bytes of a file read in order. Errors "file".
class InputFile {
 public:
  InputFile(const std::string& path, Compression, const Site&);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  /// How many bytes were there, up to out.size().
  std::size_t read(std::span<char> out);
  /// `count` more bytes; grows with what is really there, so that a lie about the size allocates
  /// nothing. Shorter at the end of the file.
  std::vector<char> read_up_to(std::uint64_t count);

 private:
  std::size_t read_zipped(std::span<char> out);
  int descriptor_ = -1;
  void* unzip_ = nullptr;  // owns the descriptor, where there is one
  std::string path_;
  Site site_;
};

/// Writes a file as a whole: to a temporary beside it, synced, then renamed over `path`; on an
/// error nothing is left and `path` is as it was. Errors "file".
void write_atomically(const std::string& path,
                      std::span<const std::span<const char>> pieces,
                      const Site&);

}  // namespace fluxion::interop
