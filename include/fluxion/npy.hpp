// NumPy's files of one array.
#pragma once
#include "array.hpp"

namespace fluxion {

/// The array of an .npy file (versions 1 to 3, either byte order, either order of axes). Errors
/// `file` where it cannot be read, `npy` where it is not such a file or holds elements that no
/// dtype here has.
Array load_npy(const std::string& path, Site = Site::current());
/// Writes an array as an .npy file (version 1; bfloat16, which NumPy lacks, as '<V2'). Atomic.
/// Error `file`.
void save_npy(const std::string& path, const Array&, Site = Site::current());

}  // namespace fluxion
