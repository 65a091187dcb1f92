// Calls of g++ and NVRTC, both looked up when the tests run.
#include "tests/support/cuda_emulation/compile.hpp"

#include <chrono>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace fluxion::test {

namespace {

/// A folder of this process that goes away with it.
const std::string& folder() {
  static const struct Folder {
    std::string path = (std::filesystem::temp_directory_path() / "fluxion_cuda_XXXXXX").string();
    Folder() {
      if (!mkdtemp(path.data())) throw std::runtime_error("no folder for temporary files");
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  } folder;
  return folder.path;
}

constexpr const char* callers = R"(
#include <utility>
template <class... A, std::size_t... K>
void fx_call(void (*f)(A...), void* const* p, std::index_sequence<K...>) { f((A)p[K]...); }
template <class... A> void fx_call(void (*f)(A...), void* const* p) {
  fx_call(f, p, std::index_sequence_for<A...>{});
}
)";

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

bool EmulatedProgram::available() {
#if defined(__x86_64__)
  static const bool found =
      std::system((std::string(FLUXION_HOST_COMPILER) + " --version > /dev/null 2>&1").c_str()) ==
      0;
  return found;
#else
  return false;
#endif
}

EmulatedProgram::EmulatedProgram(std::span<const codegen::CudaSource> sources) {
  static int serial = 0;
  const std::string base = folder() + "/program" + std::to_string(serial++);
  std::ofstream file(base + ".cpp");
  file << "#include \"tests/support/cuda_emulation/device.hpp\"\n"
       << codegen::cuda_program(sources) << callers;
  for (const auto& source : sources) {
    for (const auto& launch : source.launches) {
      file << "extern \"C\" void fx_call_" << launch.entry << "(void* const* p) { fx_call("
           << launch.entry << ", p); }\n";
    }
  }
  file.close();
  const std::string command = std::string(FLUXION_HOST_COMPILER) +
                              " -std=c++17 -O1 -ffp-contract=off -fno-strict-aliasing -shared"
                              " -fPIC -w -I" FLUXION_SOURCE_DIR " " +
                              base + ".cpp -o " + base + ".so 2> " + base + ".log";
  if (std::system(command.c_str()) != 0)
    throw std::runtime_error("the emulation does not compile:\n" + text_of(base + ".log"));
  library_ = dlopen((base + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library_) throw std::runtime_error(dlerror());
}

EmulatedProgram::~EmulatedProgram() {
  if (library_) dlclose(library_);
}

std::string EmulatedProgram::run(const codegen::CudaSource& source,
                                 const std::vector<void*>& buffers,
                                 ThreadOrder order) const {
  for (const codegen::CudaLaunch& launch : source.launches) {
    const auto bytes = static_cast<std::size_t>(launch.scratch_bytes);
    std::vector<unsigned char> scratch(bytes + 64, 0xa5);
    std::vector<void*> arguments = buffers;
    arguments.push_back(scratch.data());
    const EmulatedLaunch how{launch.blocks, launch.threads, launch.barriers, order};
    std::string error = emulate(library_, launch.entry, how, launch.shared_bytes, arguments);
    if (!error.empty()) return error;
    for (std::size_t k = bytes; k < scratch.size(); ++k)
      if (scratch[k] != 0xa5) return launch.entry + ": writes beyond its scratch rows";
  }
  return "";
}

NvrtcResult compile_nvrtc(const std::string& text, NvrtcEffort effort) {
  NvrtcResult result;
  void* library = nullptr;
  for (const char* name : {FLUXION_NVRTC, "libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"})
    if (!library) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) return result;
  result.available = true;
  const auto call = [&](const char* name, auto signature, auto... arguments) {
    void* place = dlsym(library, name);
    if (!place) throw std::runtime_error(std::string("NVRTC has no ") + name);
    return reinterpret_cast<decltype(signature)>(place)(arguments...);
  };
  using Program = void*;
  using Take = int (*)(Program, char*);
  using Size = int (*)(Program, std::size_t*);
  using Create =
      int (*)(Program*, const char*, const char*, int, const char* const*, const char* const*);
  Program program = nullptr;
  call("nvrtcCreateProgram",
       Create{},
       &program,
       text.c_str(),
       "kernels.cu",
       0,
       static_cast<const char* const*>(nullptr),
       static_cast<const char* const*>(nullptr));
  std::vector<const char*> options(std::begin(codegen::cuda_options),
                                   std::end(codegen::cuda_options));
  int major = 0, minor = 0;
  call("nvrtcVersion", static_cast<int (*)(int*, int*)>(nullptr), &major, &minor);
  if (effort == NvrtcEffort::least && (major > 12 || (major == 12 && minor >= 8)))
    options.push_back("--Ofast-compile=mid");
  const auto start = std::chrono::steady_clock::now();
  const int code = call("nvrtcCompileProgram",
                        static_cast<int (*)(Program, int, const char* const*)>(nullptr),
                        program,
                        static_cast<int>(options.size()),
                        static_cast<const char* const*>(options.data()));
  result.milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  result.compiled = code == 0;
  std::size_t size = 0;
  call("nvrtcGetProgramLogSize", Size{}, program, &size);
  result.log.resize(size);
  call("nvrtcGetProgramLog", Take{}, program, result.log.data());
  if (result.compiled) {
    call("nvrtcGetCUBINSize", Size{}, program, &size);
    result.machine_code.resize(size);
    call("nvrtcGetCUBIN", Take{}, program, result.machine_code.data());
  }
  call("nvrtcDestroyProgram", static_cast<int (*)(Program*)>(nullptr), &program);
  return result;
}

}  // namespace fluxion::test
