// Printed CUDA C++ through two compilers: the host's, to run it, and NVRTC, to see that it
// compiles.
#pragma once
#include "codegen/cuda/print.hpp"
#include "tests/support/cuda_emulation/machine.hpp"

#include <span>
#include <string>
#include <vector>

namespace fluxion::test {

/// Kernels that are loaded and can be run by the emulation.
class EmulatedProgram {
 public:
  /// One call of the host's compiler for all. Throws std::runtime_error with its words.
  explicit EmulatedProgram(std::span<const codegen::CudaSource> sources);
  ~EmulatedProgram();
  EmulatedProgram(const EmulatedProgram&) = delete;
  /// All launches of a source; what went wrong, or nothing.
  std::string run(const codegen::CudaSource&,
                  const std::vector<void*>& buffers,
                  ThreadOrder order) const;
  /// Whether there is a compiler to call.
  static bool available();

 private:
  void* library_ = nullptr;
};

/// What NVRTC said of a text.
struct NvrtcResult {
  bool available = false;  // the toolkit is installed
  bool compiled = false;
  double milliseconds = 0;
  std::string machine_code;
  std::string log;
};
/// Whether machine code is to be fast, or fast to make: a quarter of the time.
enum class NvrtcEffort { full, least };
/// For compute capability 9.0, with the options that the text is printed for.
NvrtcResult compile_nvrtc(const std::string& text, NvrtcEffort = NvrtcEffort::full);

}  // namespace fluxion::test
