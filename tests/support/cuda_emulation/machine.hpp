// A GPU's blocks, warps and barriers on one thread of the host: every CUDA thread is a fiber.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace fluxion::test {

/// In which order the threads of a block run to their next barrier. Greedy: one warp as far as it
/// can, before the next one starts.
enum class ThreadOrder { forward, reverse, shuffled, greedy, greedy_reverse };

struct EmulatedLaunch {
  std::int64_t blocks = 1;
  int threads = 32;
  bool barriers = false;  // without any, threads are calls one after the other
  ThreadOrder order = ThreadOrder::forward;
};

/// Runs one launch of a function that `program` (the handle of the loaded library) defines.
/// `shared_bytes` beyond what the launch asks for are checked to stay as they were. Returns what
/// went wrong, or nothing.
std::string emulate(void* program,
                    const std::string& entry,
                    const EmulatedLaunch& launch,
                    std::int64_t shared_bytes,
                    const std::vector<void*>& arguments);

}  // namespace fluxion::test
