// Where the routines of LAPACK come from: the first installed library that has them.
#include "runtime/leaves/lapack.hpp"

#include <array>
#include <dlfcn.h>

namespace fluxion::runtime::lapack {
namespace {

struct Library {
  std::string name;
  std::array<Routines, 4> routines = {};
  bool complete = false;

  Library() {
    for (const char* candidate : {"libopenblas.so.0", "libopenblas.so", "liblapack.so.3"}) {
      void* handle = dlopen(candidate, RTLD_LAZY | RTLD_LOCAL);
      if (!handle) continue;
      if (!(complete = load(handle))) continue;
      name = candidate;
      // Threads are shared out over the batch here; the library's own would compete with them.
      if (void* set_threads = dlsym(handle, "openblas_set_num_threads"))
        reinterpret_cast<void (*)(int)>(set_threads)(1);
      return;
    }
  }

  bool load(void* handle) {
    bool all = true;
    const auto find = [&](auto& routine, char letter, const std::string& rest) {
      void* address = dlsym(handle, (letter + rest + "_").c_str());
      all = all && address;
      routine = reinterpret_cast<std::remove_reference_t<decltype(routine)>>(address);
    };
    constexpr char letters[] = {'s', 'd', 'c', 'z'};
    for (std::size_t k = 0; k < 4; ++k) {
      Routines& r = routines[k];
      const bool is_complex = k >= 2;
      find(r.potrf, letters[k], "potrf");
      find(r.trsm, letters[k], "trsm");
      find(r.getrf, letters[k], "getrf");
      find(r.getri, letters[k], "getri");
      find(r.gelqf, letters[k], "gelqf");
      find(r.orglq, letters[k], is_complex ? "unglq" : "orglq");
      find(r.eigh, letters[k], is_complex ? "heevd" : "syevd");
      find(r.svd, letters[k], "gesdd");
    }
    return all;
  }
};

const Library& loaded() {
  static const Library* library = new Library;  // never unloaded: its threads may outlive us
  return *library;
}

}  // namespace

const Routines* routines(DType dtype) {
  const Library& library = loaded();
  if (!library.complete) return nullptr;
  switch (dtype) {
    case float32:
      return &library.routines[0];
    case float64:
      return &library.routines[1];
    case complex64:
      return &library.routines[2];
    case complex128:
      return &library.routines[3];
    default:
      return nullptr;
  }
}

std::string library() { return loaded().name; }

}  // namespace fluxion::runtime::lapack
