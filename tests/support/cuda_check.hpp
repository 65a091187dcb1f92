// Kernels printed as CUDA C++, compiled by NVRTC, run on the GPU that the machine has, or else by
// the emulation in every order of threads, and compared with their definition bit for bit.
#pragma once
#include "runtime/allocator.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compiled_kernel.hpp"
#include "tests/support/cuda_emulation/compile.hpp"
#include "tests/support/cuda_gpu.hpp"
#include "tests/support/kernel_interpreter.hpp"

#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <sstream>

namespace fluxion::test {

/// An array that ends, up to the next 16 bytes, at a page nobody may touch.
struct CudaArray {
  DType type;
  std::size_t count;
  detail::Ref<Buffer> memory;

  CudaArray(DType t, std::size_t n) : type(t), count(n) {
    memory = runtime::allocate_guarded((size() + 15) / 16 * 16, 16);
  }
  std::size_t size() const { return count * KernelArithmetic::bytes(type); }
  unsigned char* at(std::size_t k) const {
    return static_cast<unsigned char*>(memory->data()) + k * KernelArithmetic::bytes(type);
  }
  std::uint64_t get(std::size_t k) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, at(k), KernelArithmetic::bytes(type));
    return bits;
  }
  void set(std::size_t k, std::uint64_t bits) {
    std::memcpy(at(k), &bits, KernelArithmetic::bytes(type));
  }
};
using CudaArrays = std::vector<CudaArray>;

/// The first element that differs, as text; any NaN equals any NaN.
inline std::string first_difference(const CudaArrays& actual, const CudaArrays& expected) {
  for (std::size_t b = 0; b < expected.size(); ++b) {
    for (std::size_t k = 0; k < expected[b].count; ++k) {
      const std::uint64_t want = expected[b].get(k), have = actual[b].get(k);
      const DType type = expected[b].type;
      if (want == have || (is_nan(type, want) && is_nan(type, have))) continue;
      std::ostringstream text;
      text << "buffer " << b << ", element " << k << ": " << std::hex << have << ", not " << want;
      return text.str();
    }
  }
  return "";
}

/// A GPU has its own.
inline const std::vector<ThreadOrder>& orders(bool barriers) {
  static const std::vector<ThreadOrder> own{ThreadOrder::forward};
  if (GpuProgram::available()) return own;
  static const std::vector<ThreadOrder> all{ThreadOrder::forward,
                                            ThreadOrder::reverse,
                                            ThreadOrder::shuffled,
                                            ThreadOrder::greedy,
                                            ThreadOrder::greedy_reverse};
  static const std::vector<ThreadOrder> calls{ThreadOrder::forward, ThreadOrder::reverse};
  return barriers ? all : calls;
}

/// A name that is not the kernel's own, which another of the same program may have.
inline std::string kernel_name(std::size_t number) {
  return std::string("k").append(std::to_string(number));
}

/// Kernels that go through the compilers together.
class CudaBatch {
 public:
  explicit CudaBatch(const codegen::CudaTarget& target = {}) : target_(target) {}

  std::size_t add(const kernel::Kernel& kernel) {
    kernels_.push_back(kernel);
    sources_.push_back(codegen::cuda_source(kernel, kernel_name(sources_.size()), target_));
    return sources_.size() - 1;
  }
  std::size_t size() const { return kernels_.size(); }
  const kernel::Kernel& kernel(std::size_t k) const { return kernels_[k]; }
  const codegen::CudaSource& source(std::size_t k) const { return sources_[k]; }

  /// Compiles all for the GPU where NVRTC is, and for the emulation where no GPU is. False (and a
  /// warning) where nothing can run them.
  bool compile() {
    const std::string text = codegen::cuda_program(sources_);
    // Beside the host's compiler, which is a process of its own.
    const bool gpu = GpuProgram::available();
    const NvrtcEffort effort =
        gpu || std::getenv("FLUXION_NIGHTLY") ? NvrtcEffort::full : NvrtcEffort::least;
    auto compiling = std::async(std::launch::async, [&] { return compile_nvrtc(text, effort); });
    bool runs = !gpu && EmulatedProgram::available();
    if (runs) program_.emplace(sources_);
    const NvrtcResult nvrtc = compiling.get();
    if (!nvrtc.available) WARN("no NVRTC: the kernels are not compiled for a GPU");
    if (nvrtc.available && !nvrtc.compiled) {
      INFO(text);
      FAIL(nvrtc.log);
    }
    milliseconds_ = nvrtc.milliseconds;
    if (gpu && nvrtc.compiled) {
      gpu_ = std::make_unique<GpuProgram>(nvrtc.machine_code);
      runs = true;
    }
    if (!runs) WARN("no GPU and no compiler for the emulation: the kernels are not run");
    return runs;
  }
  double nvrtc_milliseconds() const { return milliseconds_; }

  std::string run(std::size_t k, const std::vector<void*>& buffers, ThreadOrder order) const {
    if (!gpu_) return program_->run(sources_[k], buffers, order);
    return gpu_->run(sources_[k], with_sizes(k, buffers));
  }
  /// Of one run on the GPU; 0 where there is none.
  double gpu_microseconds(std::size_t k, const std::vector<void*>& buffers, int times) const {
    return gpu_ ? gpu_->microseconds(sources_[k], with_sizes(k, buffers), times) : 0;
  }
  bool barriers(std::size_t k) const {
    bool any = false;
    for (const auto& launch : sources_[k].launches) any = any || launch.barriers;
    return any;
  }

  /// Runs a kernel in every order on buffers that begin as `fill` says.
  void check(std::size_t k, const Fill& fill) const {
    const CudaArrays begin = arrays(kernels_[k], fill), expected = arrays(kernels_[k], fill);
    interpret(kernels_[k], memory(expected));
    for (const ThreadOrder order : orders(barriers(k))) {
      CudaArrays actual = arrays(kernels_[k], {});
      for (std::size_t b = 0; b < begin.size(); ++b)
        if (begin[b].size()) std::memcpy(actual[b].at(0), begin[b].at(0), begin[b].size());
      const std::string error = run(k, memory(actual), order);
      const std::string difference = error.empty() ? first_difference(actual, expected) : error;
      if (difference.empty()) continue;
      INFO(kernel::to_string(kernels_[k]) << sources_[k].text);
      INFO("order " << static_cast<int>(order));
      FAIL(difference);
    }
    SUCCEED();
  }

  static CudaArrays arrays(const kernel::Kernel& kernel, const Fill& fill) {
    CudaArrays made;
    for (const kernel::BufferDecl& buffer : kernel.buffers) {
      if (buffer.role == kernel::Role::scratch) break;
      made.emplace_back(buffer.dtype, static_cast<std::size_t>(buffer.count));
      if (!fill) continue;
      for (std::size_t n = 0; n < made.back().count; ++n)
        made.back().set(n, fill(made.size() - 1, n));
    }
    return made;
  }
  static std::vector<void*> memory(const CudaArrays& arrays) {
    std::vector<void*> pointers;
    for (const CudaArray& array : arrays) pointers.push_back(array.memory->data());
    return pointers;
  }

 private:
  std::vector<GpuBuffer> with_sizes(std::size_t k, const std::vector<void*>& buffers) const {
    std::vector<GpuBuffer> sized;
    for (std::size_t b = 0; b < buffers.size(); ++b) {
      const kernel::BufferDecl& declared = kernels_[k].buffers[b];
      const auto count = static_cast<std::size_t>(declared.count);
      sized.push_back({buffers[b], count * KernelArithmetic::bytes(declared.dtype)});
    }
    return sized;
  }

  codegen::CudaTarget target_;
  std::vector<kernel::Kernel> kernels_;
  std::vector<codegen::CudaSource> sources_;
  std::optional<EmulatedProgram> program_;
  std::unique_ptr<GpuProgram> gpu_;
  double milliseconds_ = 0;
};

/// So few threads in flight that small kernels go round their grid more than once.
inline constexpr codegen::CudaTarget small_target{1, 2, 232448};

/// Kernels with what their buffers begin with, checked together.
class Kernels {
 public:
  explicit Kernels(const codegen::CudaTarget& target = small_target) : batch_(target) {}
  void add(const kernel::Kernel& kernel, Fill fill = {}) {
    if (!fill) {
      auto samples = std::make_shared<RandomBits>(kernel.hash());
      fill = [samples, buffers = kernel.buffers](std::size_t buffer, std::size_t) {
        return (*samples)(buffers[buffer].dtype);
      };
    }
    // Both sides and every order begin with the same numbers.
    auto made = std::make_shared<std::vector<std::vector<std::uint64_t>>>();
    for (std::size_t b = 0; b < kernel.buffers.size(); ++b) {
      if (kernel.buffers[b].role == kernel::Role::scratch) break;
      made->emplace_back();
      for (std::int64_t k = 0; k < kernel.buffers[b].count; ++k)
        made->back().push_back(fill(b, static_cast<std::size_t>(k)));
    }
    batch_.add(kernel);
    fills_.push_back([made](std::size_t b, std::size_t k) { return (*made)[b][k]; });
  }
  void check() {
    if (!batch_.compile()) return;
    for (std::size_t k = 0; k < fills_.size(); ++k) batch_.check(k, fills_[k]);
  }
  CudaBatch& batch() { return batch_; }

 private:
  CudaBatch batch_;
  std::vector<Fill> fills_;
};

}  // namespace fluxion::test
