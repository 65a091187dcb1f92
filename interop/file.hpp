// Files that are read: errors with the path, gzip or not.
#pragma once
#include "fluxion/core.hpp"

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

}  // namespace fluxion::interop
