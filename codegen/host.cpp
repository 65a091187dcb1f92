// What cpuid says: the leaves that LLVM 19 reads for the name and the features of an x86 processor.
#include "codegen/host.hpp"

#include <cstdint>

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace fluxion::codegen {
namespace {

struct Host {
  VectorTarget vector;
  bool supported = true;
  std::string identification;
};

#ifdef __x86_64__

struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

/// Zeros where the processor has no such leaf.
Registers cpuid(unsigned leaf, unsigned part = 0) {
  Registers r;
  if (!__get_cpuid_count(leaf, part, &r.a, &r.b, &r.c, &r.d)) return {};
  return r;
}

/// The register states that the operating system saves.
std::uint64_t saved_states() {
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<std::uint64_t>(high) << 32 | low;
}

bool bit(std::uint64_t word, int k) { return word >> k & 1; }

void append(std::string& bytes, std::uint64_t word, int count) {
  for (int k = 0; k < count; ++k) bytes += static_cast<char>(word >> 8 * k);
}

Host find_host() {
  Host host;
  std::string& id = host.identification;
  id = "x86-64";
  const auto add = [&](Registers r) {
    for (unsigned word : {r.a, r.b, r.c, r.d}) append(id, word, 4);
  };
  const Registers vendor = cpuid(0), model = cpuid(1), features = cpuid(7);
  add(vendor);
  // Leaf 1's second register names the core that answered.
  add({model.a, 0, model.c, model.d});
  const bool saves = bit(model.c, 27);  // xgetbv may be asked
  const std::uint64_t saved = saves ? saved_states() : 0;
  append(id, saved, 8);
  add(features);
  add(cpuid(7, 1));
  add({cpuid(0xd, 1).a, cpuid(0x14).b, cpuid(0x19).b, cpuid(0x24).b});
  add(cpuid(0x80000001));
  add({cpuid(0x80000000).a, cpuid(0x80000008).b, 0, 0});

  const bool avx = saves && bit(model.c, 28) && (saved & 6) == 6;
  host.supported = bit(model.c, 19) && avx && bit(model.c, 12) && bit(model.c, 29);
  const bool wide = avx && (saved & 0xe0) == 0xe0 && bit(features.b, 16) && bit(features.b, 17) &&
                    bit(features.b, 30) && bit(features.b, 31);
  host.vector.vector_bytes = wide ? 64 : 32;
  host.vector.masks = wide;
  return host;
}

#else

Host find_host() { return {{16, false}, true, ""}; }

#endif

const Host& host() {
  static const Host found = find_host();
  return found;
}

}  // namespace

const VectorTarget& host_vector() { return host().vector; }
bool host_supported() { return host().supported; }
const std::string& host_identification() { return host().identification; }

}  // namespace fluxion::codegen
