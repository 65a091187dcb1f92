// A process that shares the cache on disk with others: SEED COUNT compile|load|any|vectors [SIZE].
// Runs COUNT programs out of 200, of SIZE elements or a few more, and checks their results. Exits
// with 1: a wrong result; 2: a damaged entry; 3: it compiled where it should load, or the other
// way; 5: the module with LLVM is in its memory where it loaded all code, or is not where it
// compiled.
#include "fluxion/fluxion.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/kernel_cache.hpp"

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

namespace fx = fluxion;

bool has_compiler() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find("fluxion_llvm") != line.npos) return true;
  return false;
}

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 4;
  // Compiles before the first run, or not at all.
  if (std::string_view(argv[3]) != "vectors") setenv("FLUXION_VECTORS", "0", 0);
  std::mt19937 random(static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10)));
  const int count = std::atoi(argv[2]);
  const std::string_view expected = argv[3];
  const int least = argc == 5 ? std::atoi(argv[4]) : 10;
  for (int k = 0; k < count; ++k) {
    const int size = least + static_cast<int>(random() % 200);
    const fx::Array x = fx::arange(static_cast<float>(size));
    const std::vector<float> y = ((x * x + x) * 2).to_vector<float>();
    if (static_cast<int>(y.size()) != size) return 1;
    for (int i = 0; i < size; ++i)
      if (y[static_cast<std::size_t>(i)] != static_cast<float>(2 * (i * i + i))) return 1;
  }
  fluxion::runtime::DiskCache* disk = fluxion::runtime::process_disk_cache();
  if (!disk) return 4;
  if (disk->counts().rejected > 0) return 2;
  const bool compiled = fluxion::runtime::compiled_kernels() > 0;
  const bool loaded = fluxion::runtime::loaded_kernels() > 0;
  if (expected == "compile" && (!compiled || loaded)) return 3;
  if (expected == "load" && (compiled || !loaded)) return 3;
  if (expected == "vectors") return !compiled || loaded ? 3 : has_compiler() ? 5 : 0;
  return has_compiler() == compiled ? 0 : 5;
}
