// Which units of a compiled kernel belong to which rows of what it reads and writes, and whether a
// product's rows follow each other in memory.
#pragma once
#include "codegen/kernel_mapping.hpp"
#include "trace/leaf.hpp"

#include <optional>

namespace fluxion::codegen {

/// A kernel whose only phase goes over `rows` rows in their order.
class RowUnits {
 public:
  /// None where the units of the mapped kernel do not follow the rows.
  static std::optional<RowUnits> find(const kernel::Kernel& mapped,
                                      const Mapping&,
                                      std::int64_t rows);
  /// How many units `rows` rows are, if a block of so many, wherever it begins, is whole units.
  std::optional<std::int64_t> units(std::int64_t rows) const;
  /// Whether the kernel touches of a buffer only elements of its own row; each has `length`.
  bool stays_in_row(std::int32_t buffer, std::int64_t length) const;

 private:
  std::optional<std::int64_t> tiles(std::int64_t points) const;
  RowUnits(const kernel::Kernel& kernel, const PhaseMapping& phase)
      : kernel_(kernel), phase_(phase) {}
  const kernel::Kernel& kernel_;
  const PhaseMapping& phase_;
  std::vector<std::int32_t> band_;  // the phase's variables, slowest first
  std::int64_t points_ = 1;         // of the band, in one row
  std::size_t row_variables_ = 0;   // of the band, that number the rows; if they are apart
  bool apart_ = false;
};

/// A product's operand or result, as rows of `length` elements that follow each other.
bool has_dense_rows(const std::int64_t (&strides)[3],
                    const MatmulSpec& product,
                    std::int64_t columns,
                    std::int64_t length);

}  // namespace fluxion::codegen
