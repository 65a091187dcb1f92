// The list of generated functions that GDB reads: what comes and goes with the code.
#include "codegen/code_names.hpp"

#include "tests/support/catch.hpp"

#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fluxion/fluxion.hpp>
#include <optional>

namespace {

struct Entry {  // as GDB's manual has them
  Entry *next, *previous;
  const char* file;
  std::uint64_t size;
};
struct Descriptor {
  std::uint32_t version, action;
  Entry *relevant, *first;
};

/// The library's own, whatever others in the process have.
const Descriptor& descriptor() {
  Dl_info library{};
  REQUIRE(dladdr(reinterpret_cast<void*>(&fluxion::num_threads), &library) != 0);
  void* handle = dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  REQUIRE(handle != nullptr);
  const void* found = dlsym(handle, "__jit_debug_descriptor");
  REQUIRE(found != nullptr);
  return *static_cast<const Descriptor*>(found);
}

bool listed(const Entry* wanted) {
  const Entry* previous = nullptr;
  bool found = false;
  for (const Entry* e = descriptor().first; e; previous = e, e = e->next) {
    CHECK(e->previous == previous);
    found = found || e == wanted;
  }
  return found;
}

void phase(const fluxion::codegen::Context*, void* const*, std::int64_t, std::int64_t) {}

}  // namespace

TEST_CASE("functions are listed for GDB while their code lives") {
  using Named = fluxion::codegen::NamedCode;
  const std::vector<Named> one_name{{"first_0", phase, 16}}, other_name{{"second_0", phase, 16}};
  CHECK(descriptor().version == 1);
  std::optional<fluxion::codegen::CodeNames> first, second;
  first.emplace(one_name);
  const Entry* one = descriptor().first;
  second.emplace(other_name);
  const Entry* two = descriptor().first;
  CHECK(one != two);
  CHECK(listed(one));
  CHECK(listed(two));
  Elf64_Ehdr header;
  REQUIRE(one->size > sizeof header);
  std::memcpy(&header, one->file, sizeof header);
  CHECK(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);
  const std::string object(one->file, one->size);
  CHECK(object.find(std::string("first_0") + '\0') != object.npos);
  first.reset();
  CHECK_FALSE(listed(one));
  CHECK(listed(two));
  second.reset();
  CHECK_FALSE(listed(two));
}
