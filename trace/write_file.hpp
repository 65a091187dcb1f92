// Files that are written as a whole or not at all.
#pragma once
#include "fluxion/core.hpp"

#include <span>
#include <string>

namespace fluxion {

/// Error "file" unless a file can be made beside `path`.
void check_writable(const std::string& path, const Site&);
/// Writes a file as a whole: to a temporary beside it, synced, then renamed over `path`; on an
/// error nothing is left and `path` is as it was. Error "file".
void write_atomically(const std::string& path,
                      std::span<const std::span<const char>> pieces,
                      const Site&);

}  // namespace fluxion
