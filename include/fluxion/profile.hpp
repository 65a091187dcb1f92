// Where the time of compiled programs goes, as a file for Perfetto and chrome://tracing.
#pragma once
#include "core.hpp"

#include <utility>

namespace fluxion {

struct ProfileOptions {
  /// Slices beyond these are counted and left out: each takes 48 bytes, and 300 in the file.
  std::size_t most_slices = 500'000;
};

/// While one lives, every step that any thread's program runs is recorded, and the phases of every
/// compilation; its end writes the file.
class [[nodiscard]] Profile {
 public:
  Profile(std::string path, const ProfileOptions& options, Site site);
  /// Stops; a file that cannot be written is not heard of here.
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  /// Ends the recording and writes the file, whole or not at all. Error "file" where it cannot be
  /// written. Nothing the second time.
  void stop(Site site = Site::current());

 private:
  void finish(Site);
  std::string path_;
  bool running_ = false;
};

/// Records until the result is stopped or destroyed: `auto profile = fx::profile("trace.json");`.
/// A slice for each kernel, library call, copy, loop and branch, with your line, bytes,
/// floating-point operations, and its share of what the machine could do at best; under it on each
/// thread the parts of its work. Two programs that are equal are compiled as one, which has the
/// lines of the first. Costs about 100 ns a slice, and one load of a flag a run otherwise. Errors
/// "file" (the folder is missing or cannot be written), "profile" (another one is running).
[[nodiscard]] inline Profile profile(std::string path,
                                     const ProfileOptions& options = {},
                                     Site site = Site::current()) {
  return {std::move(path), options, site};
}

}  // namespace fluxion
