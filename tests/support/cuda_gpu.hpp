// The printed kernels on a GPU, where the machine has one: the driver is looked up when the tests
// run.
#pragma once
#include "codegen/cuda/print.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fluxion::test {

/// Memory of the host that a kernel reads or writes; equal addresses are one buffer.
struct GpuBuffer {
  void* host;
  std::size_t bytes;
};

/// Machine code that is loaded and can be launched.
class GpuProgram {
 public:
  /// Throws std::runtime_error with the driver's words.
  explicit GpuProgram(const std::string& machine_code);
  ~GpuProgram();
  GpuProgram(const GpuProgram&) = delete;
  /// All launches of a source, on copies of the buffers that come back; what went wrong, or
  /// nothing. Bytes around every buffer and the scratch rows are checked to stay as they were.
  std::string run(const codegen::CudaSource&, std::span<const GpuBuffer> buffers) const;
  /// Microseconds of one run of all launches, the median of `times`.
  double microseconds(const codegen::CudaSource&,
                      std::span<const GpuBuffer> buffers,
                      int times) const;
  /// Whether there is a driver and a device. FLUXION_TEST_GPU=0: no.
  static bool available();
  /// The device's name.
  static std::string device();

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace fluxion::test
