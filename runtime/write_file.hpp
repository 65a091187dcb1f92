// Reports as files: whole or not at all.
#pragma once
#include "fluxion/core.hpp"

#include <string>
#include <string_view>

namespace fluxion::runtime {

/// Error "file" unless a file can be made beside `path`.
void check_writable(const std::string& path, const Site&);
/// Under another name first, then renamed. Error "file".
void write_atomically(const std::string& path, std::string_view text, const Site&);

}  // namespace fluxion::runtime
