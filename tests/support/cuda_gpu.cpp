// Calls of the CUDA driver by name; its types are pointers and numbers.
#include "tests/support/cuda_gpu.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <stdexcept>
#include <utility>

namespace fluxion::test {

namespace {

using Address = std::uint64_t;  // of the device's memory
using Handle = void*;

constexpr std::size_t margin = 256;  // bytes that are looked at before and after a buffer
constexpr unsigned char untouched = 0xa5;
constexpr int shared_bytes_attribute = 8;  // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES

class Driver {
 public:
  static const Driver& instance() {
    static const Driver driver;
    return driver;
  }
  bool usable() const { return usable_; }
  const std::string& device() const { return device_; }

  template <class... A> int code(const char* name, A... arguments) const {
    void* place = dlsym(library_, name);
    if (!place) throw std::runtime_error(std::string("the CUDA driver has no ") + name);
    return reinterpret_cast<int (*)(A...)>(place)(arguments...);
  }
  template <class... A> void call(const char* name, A... arguments) const {
    const int result = code(name, arguments...);
    if (result == 0) return;
    const char* words = "unknown";
    code("cuGetErrorString", result, &words);
    throw std::runtime_error(std::string(name) + ": " + words);
  }

 private:
  Driver() {
    const char* wanted = std::getenv("FLUXION_TEST_GPU");
    if (wanted && std::string(wanted) == "0") return;
    library_ = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    int count = 0, device = 0;
    if (!library_ || code("cuInit", 0u) != 0 || code("cuDeviceGetCount", &count) != 0 || count == 0)
      return;
    call("cuDeviceGet", &device, 0);
    char name[256] = {};
    call("cuDeviceGetName", name, static_cast<int>(sizeof name), device);
    device_ = name;
    Handle context = nullptr;
    call("cuDevicePrimaryCtxRetain", &context, device);
    call("cuCtxSetCurrent", context);
    usable_ = true;
  }
  void* library_ = nullptr;
  bool usable_ = false;
  std::string device_;
};

/// Memory of the device between margins.
class Fenced {
 public:
  explicit Fenced(std::size_t bytes) : bytes_(bytes) {
    const Driver& driver = Driver::instance();
    driver.call("cuMemAlloc_v2", &base_, bytes + 2 * margin);
    driver.call("cuMemsetD8_v2", base_, untouched, bytes + 2 * margin);
  }
  Fenced(Fenced&& other) noexcept : base_(std::exchange(other.base_, 0)), bytes_(other.bytes_) {}
  ~Fenced() {
    if (base_) Driver::instance().code("cuMemFree_v2", base_);
  }
  Address data() const { return base_ + margin; }
  std::size_t bytes() const { return bytes_; }
  void set(const void* from, std::size_t bytes) const {
    if (bytes) Driver::instance().call("cuMemcpyHtoD_v2", data(), from, bytes);
  }
  void get(void* to, std::size_t bytes) const {
    if (bytes) Driver::instance().call("cuMemcpyDtoH_v2", to, data(), bytes);
  }
  bool intact() const {
    std::vector<unsigned char> around(2 * margin);
    const Driver& driver = Driver::instance();
    driver.call("cuMemcpyDtoH_v2", static_cast<void*>(around.data()), base_, margin);
    driver.call(
        "cuMemcpyDtoH_v2", static_cast<void*>(around.data() + margin), data() + bytes_, margin);
    return std::all_of(around.begin(), around.end(), [](auto b) { return b == untouched; });
  }

 private:
  Address base_ = 0;
  std::size_t bytes_;
};

}  // namespace

struct GpuProgram::Loaded {
  Handle module = nullptr;

  void launch(const codegen::CudaLaunch& launch, std::vector<Address> arguments) const {
    const Driver& driver = Driver::instance();
    Handle function = nullptr;
    driver.call("cuModuleGetFunction", &function, module, launch.entry.c_str());
    if (launch.shared_bytes > 48 * 1024)
      driver.call("cuFuncSetAttribute",
                  function,
                  shared_bytes_attribute,
                  static_cast<int>(launch.shared_bytes));
    std::vector<void*> pointers;
    for (Address& argument : arguments) pointers.push_back(&argument);
    driver.call("cuLaunchKernel",
                function,
                static_cast<unsigned>(launch.blocks),
                1u,
                1u,
                static_cast<unsigned>(launch.threads),
                1u,
                1u,
                static_cast<unsigned>(launch.shared_bytes),
                Handle(nullptr),
                pointers.data(),
                static_cast<void**>(nullptr));
  }
};

bool GpuProgram::available() { return Driver::instance().usable(); }
std::string GpuProgram::device() { return Driver::instance().device(); }

GpuProgram::GpuProgram(const std::string& machine_code) : loaded_(std::make_unique<Loaded>()) {
  Driver::instance().call(
      "cuModuleLoadData", &loaded_->module, static_cast<const void*>(machine_code.data()));
}
GpuProgram::~GpuProgram() { Driver::instance().code("cuModuleUnload", loaded_->module); }

namespace {

/// Copies of a source's buffers on the device, one for each address.
struct Copies {
  std::map<void*, Fenced> by_host;
  std::vector<Address> arguments;

  explicit Copies(std::span<const GpuBuffer> buffers) {
    std::map<void*, std::size_t> bytes;
    for (const GpuBuffer& b : buffers) bytes[b.host] = std::max(bytes[b.host], b.bytes);
    for (const auto& [host, size] : bytes) by_host.emplace(host, Fenced((size + 15) / 16 * 16));
    for (const auto& [host, size] : bytes) by_host.at(host).set(host, size);
    for (const GpuBuffer& b : buffers) arguments.push_back(by_host.at(b.host).data());
  }
};

}  // namespace

std::string GpuProgram::run(const codegen::CudaSource& source,
                            std::span<const GpuBuffer> buffers) const {
  const Driver& driver = Driver::instance();
  const Copies copies(buffers);
  for (const codegen::CudaLaunch& launch : source.launches) {
    const Fenced scratch(static_cast<std::size_t>(launch.scratch_bytes));
    std::vector<Address> arguments = copies.arguments;
    if (launch.scratch_bytes > 0) arguments.push_back(scratch.data());
    loaded_->launch(launch, std::move(arguments));
    driver.call("cuCtxSynchronize");
    if (!scratch.intact()) return launch.entry + ": writes beyond its scratch rows";
  }
  std::map<void*, std::size_t> bytes;
  for (const GpuBuffer& b : buffers) bytes[b.host] = std::max(bytes[b.host], b.bytes);
  for (const auto& [host, copy] : copies.by_host) {
    if (!copy.intact()) return "a kernel writes beside its buffers";
    copy.get(host, bytes[host]);
  }
  return "";
}

double GpuProgram::microseconds(const codegen::CudaSource& source,
                                std::span<const GpuBuffer> buffers,
                                int times) const {
  const Driver& driver = Driver::instance();
  const Copies copies(buffers);
  std::vector<Fenced> scratch;
  for (const codegen::CudaLaunch& launch : source.launches)
    scratch.emplace_back(static_cast<std::size_t>(launch.scratch_bytes));
  Handle begin = nullptr, end = nullptr;
  driver.call("cuEventCreate", &begin, 0u);
  driver.call("cuEventCreate", &end, 0u);
  std::vector<double> taken;
  for (int k = 0; k < times + 2; ++k) {
    driver.call("cuEventRecord", begin, Handle(nullptr));
    for (std::size_t s = 0; s < source.launches.size(); ++s) {
      std::vector<Address> arguments = copies.arguments;
      if (source.launches[s].scratch_bytes > 0) arguments.push_back(scratch[s].data());
      loaded_->launch(source.launches[s], std::move(arguments));
    }
    driver.call("cuEventRecord", end, Handle(nullptr));
    driver.call("cuEventSynchronize", end);
    float milliseconds = 0;
    driver.call("cuEventElapsedTime", &milliseconds, begin, end);
    if (k >= 2) taken.push_back(1000.0 * milliseconds);  // the first two warm up
  }
  driver.call("cuEventDestroy_v2", begin);
  driver.call("cuEventDestroy_v2", end);
  std::sort(taken.begin(), taken.end());
  return taken[taken.size() / 2];
}

}  // namespace fluxion::test
