// Memory of one array: who owns it is behind a virtual destructor.
#pragma once
#include "fluxion/core.hpp"

namespace fluxion {

/// A run of bytes, aligned to 64 bytes at least unless borrowed.
class Buffer : public detail::Shared {
 public:
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  /// The user's memory: never written, never donated.
  bool borrowed() const { return borrowed_; }

 protected:
  Buffer(void* data, std::size_t bytes, bool borrowed)
      : data_(data), bytes_(bytes), borrowed_(borrowed) {}
  void* data_;
  std::size_t bytes_;
  bool borrowed_;
};

/// Uninitialised memory from the caching allocator (defined in runtime/). Never null; throws Error
/// "out-of-memory".
detail::Ref<Buffer> allocate(std::size_t bytes);

}  // namespace fluxion
