// The form of a kernel that is compiled, with its mapping, and how long it is expected to take.
#include "codegen/kernel_mapping.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace fluxion::codegen {

MappedKernel map_kernel(const kernel::Kernel& kernel, const VectorTarget& target) {
  kernel::Kernel form = collapse(kernel);
  Mapping mapping = choose_mapping(form, target);
  const bool tiled = std::any_of(
      mapping.phases.begin(), mapping.phases.end(), [](const auto& p) { return p.tiled >= 0; });
  // What a tile shares it reads less often than any order of loops would.
  if (std::optional<kernel::Kernel> by_rows = tiled ? std::nullopt : interchange(form)) {
    form = std::move(*by_rows);
    mapping = choose_mapping(form, target);
  }
  return {std::move(form), std::move(mapping)};
}

double estimated_nanoseconds(const Mapping& mapping) {
  double sum = 0;
  for (const PhaseMapping& p : mapping.phases) {
    sum += static_cast<double>(p.iterations) * p.unit_nanoseconds;
  }
  return sum;
}

}  // namespace fluxion::codegen
