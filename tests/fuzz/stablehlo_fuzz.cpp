// Any text at all, read as StableHLO: a program or an Error, never a crash, a hang, or memory
// without bound.
#include "fluxion/stablehlo.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const fluxion::stablehlo::Program program = fluxion::stablehlo::read(text);
    fluxion::stablehlo::write(program.function());
  } catch (const fluxion::Error&) {
  }
  return 0;
}
