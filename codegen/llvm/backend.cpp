// Finds the module with LLVM beside the library.
#include "codegen/llvm/backend.hpp"

#include "trace/error.hpp"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <memory>

namespace fluxion::codegen {
namespace {

const Backend& load_backend() {
  std::string path = backend_path();
  if (path.empty()) path = FLUXION_LLVM_MODULE;  // the library's run path begins with its folder
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!module) throw InternalError(std::string("no compiler of kernels: ") + dlerror());
  const auto entry =
      reinterpret_cast<decltype(&fluxion_llvm_backend)>(dlsym(module, "fluxion_llvm_backend"));
  if (!entry || std::strcmp(entry()->version, FLUXION_VERSION) != 0)
    throw InternalError(path + " is not of this version of the library");
  return *entry();
}

}  // namespace

const Backend& backend() {
  static const Backend& loaded = load_backend();
  return loaded;
}

std::string backend_path() {
  static const char here = 0;
  Dl_info library;
  if (dladdr(&here, &library) == 0 || !library.dli_fname) return {};
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(library.dli_fname, nullptr),
                                                         &std::free);
  if (!real) return {};
  const std::string path = real.get();
  return path.substr(0, path.rfind('/') + 1) + FLUXION_LLVM_MODULE;
}

}  // namespace fluxion::codegen
