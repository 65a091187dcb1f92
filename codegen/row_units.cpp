// Rows as ranges of units: from the order of the band's variables and the strides of every access.
#include "codegen/row_units.hpp"

#include <algorithm>

namespace fluxion::codegen {
namespace {

using kernel::Affine;
using kernel::Kernel;
using kernel::Loop;

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

std::int64_t scale_of(const Affine& affine, std::int32_t variable) {
  for (const Affine::Term& term : affine.variables)
    if (term.of == variable) return term.scale;
  return 0;
}

/// The values that each variable has where a predicate holds, as far as comparisons of one variable
/// with a constant tell.
class Extents {
 public:
  struct Range {
    std::int64_t first, last;
  };
  Extents(const Kernel& kernel, kernel::Id predicate) : kernel_(kernel) {
    for (const kernel::Variable& v : kernel.variables) ranges_.push_back({0, v.extent - 1});
    if (predicate >= 0) narrow(predicate);
  }
  const Range& of(std::int32_t variable) const { return ranges_[at(variable)]; }

 private:
  struct Shifted {  // variable + constant; -1: the constant alone
    std::int32_t variable;
    std::int64_t constant;
  };
  void narrow(kernel::Id id) {
    const kernel::Instruction& i = kernel_.instructions[at(id)];
    if (i.verb == kernel::Verb::bit_and && i.type == bool_) {
      narrow(i.a);
      narrow(i.b);
    }
    if (i.verb != kernel::Verb::less && i.verb != kernel::Verb::less_equal) return;
    const std::optional<Shifted> a = shifted(i.a), b = shifted(i.b);
    if (!a || !b) return;
    const std::int64_t strict = i.verb == kernel::Verb::less ? 1 : 0;
    const std::int64_t between = b->constant - a->constant - strict;
    if (a->variable >= 0 && b->variable < 0) {
      std::int64_t& last = ranges_[at(a->variable)].last;
      last = std::min(last, between);
    } else if (a->variable < 0 && b->variable >= 0) {
      std::int64_t& first = ranges_[at(b->variable)].first;
      first = std::max(first, -between);
    }
  }
  std::optional<Shifted> shifted(kernel::Id id) const {
    const kernel::Instruction& i = kernel_.instructions[at(id)];
    if (i.type != int32 && i.type != int64) return std::nullopt;
    if (i.verb == kernel::Verb::loop_index) return Shifted{static_cast<std::int32_t>(i.bits), 0};
    if (i.verb == kernel::Verb::constant) {
      const std::int64_t value =
          i.type == int32 ? static_cast<std::int32_t>(i.bits) : static_cast<std::int64_t>(i.bits);
      const bool wraps = value > INT32_MAX / 2 || value < INT32_MIN / 2;  // perhaps, in a sum
      return wraps ? std::nullopt : std::optional(Shifted{-1, value});
    }
    if (i.verb == kernel::Verb::convert) return shifted(i.a);
    if (i.verb != kernel::Verb::add) return std::nullopt;
    const std::optional<Shifted> a = shifted(i.a), b = shifted(i.b);
    if (!a || !b || (a->variable >= 0 && b->variable >= 0)) return std::nullopt;
    return Shifted{std::max(a->variable, b->variable), a->constant + b->constant};
  }

  const Kernel& kernel_;
  std::vector<Range> ranges_;
};

}  // namespace

std::optional<RowUnits> RowUnits::find(const Kernel& kernel,
                                       const Mapping& mapping,
                                       std::int64_t rows) {
  if (mapping.phases.size() != 1 || rows <= 0) return std::nullopt;
  const PhaseMapping& phase = mapping.phases[0];
  const Loop& loop = kernel.loops[at(phase.loop)];
  if (phase.units != phase.iterations || phase.chunks_first || loop.trip_count >= 0)
    return std::nullopt;
  RowUnits found(kernel, phase);
  // Units count the outer variables and then the chunks of the lanes' variable: in row-major order
  // only if that is the last one.
  found.band_ = phase.order;
  const std::int32_t lanes = mapping.loops[at(phase.loop)].variable;
  if (lanes >= 0) found.band_.push_back(lanes);
  if (found.band_ != loop.variables) return std::nullopt;
  std::int64_t total = 1;
  for (std::int32_t v : found.band_) total *= kernel.variables[at(v)].extent;
  if (total % rows != 0 || total == 0) return std::nullopt;
  found.points_ = total / rows;
  std::int64_t inside = 1;
  for (std::size_t k = found.band_.size() + 1; k-- > 0;) {
    if (inside == found.points_) {
      found.apart_ = true;
      found.row_variables_ = k;
      break;
    }
    if (k > 0) inside *= kernel.variables[at(found.band_[k - 1])].extent;
  }
  return found;
}

std::optional<std::int64_t> RowUnits::units(std::int64_t rows) const {
  const std::int64_t points = rows * points_;
  const std::int64_t extent = kernel_.variables[at(band_.back())].extent;
  if (phase_.tiled >= 0) return tiles(points);
  if (phase_.chunks == 1 && phase_.chunk == 1) return points;
  if (points % extent == 0) return points / extent * phase_.chunks;
  // Within the lanes' variable blocks begin at whole chunks if each of them is whole chunks.
  if (band_.size() == 1 && points % phase_.chunk == 0) return points / phase_.chunk;
  return std::nullopt;
}

/// Where the variable of which several values are one unit is the fastest of those that count
/// units, and whole units are asked for.
std::optional<std::int64_t> RowUnits::tiles(std::int64_t points) const {
  const std::int64_t lanes =
      band_.size() > phase_.order.size() ? kernel_.variables[at(band_.back())].extent : 1;
  const bool fits = phase_.order.back() == phase_.tiled &&
                    kernel_.variables[at(phase_.tiled)].extent % phase_.tile == 0 &&
                    points % (lanes * phase_.tile) == 0;
  if (!fits) return std::nullopt;
  return points / (lanes * phase_.tile) * phase_.chunks;
}

bool RowUnits::stays_in_row(std::int32_t buffer, std::int64_t length) const {
  const std::size_t numbering = apart_ ? row_variables_ : band_.size();
  if (!apart_ && points_ != length) return false;
  return std::all_of(
      kernel_.accesses.begin(), kernel_.accesses.end(), [&](const kernel::Access& access) {
        if (access.buffer != buffer) return true;
        if (!access.offset.opaque.empty()) return false;
        // Along the variables that number rows: from row to row; of elements: from one to the next.
        std::int64_t step = apart_ ? length : 1;
        for (std::size_t k = numbering; k-- > 0;) {
          const std::int64_t extent = kernel_.variables[at(band_[k])].extent;
          if (extent > 1 && scale_of(access.offset, band_[k]) != step) return false;
          step *= extent;
        }
        const Extents extents(kernel_, access.predicate);
        std::int64_t least = access.offset.constant, greatest = least;
        for (const Affine::Term& term : access.offset.variables) {
          const auto end = band_.begin() + static_cast<std::ptrdiff_t>(numbering);
          if (std::find(band_.begin(), end, term.of) != end) continue;
          const auto [low, high] = std::minmax(
              {term.scale * extents.of(term.of).first, term.scale * extents.of(term.of).last});
          least += low;
          greatest += high;
        }
        return apart_ ? least >= 0 && greatest < length : least == 0 && greatest == 0;
      });
}

bool has_dense_rows(const std::int64_t (&strides)[3],
                    const MatmulSpec& product,
                    std::int64_t columns,
                    std::int64_t length) {
  return (product.batch == 1 || strides[0] == product.m * length) &&
         (product.m == 1 || strides[1] == length) && (columns - 1) * strides[2] < length &&
         strides[2] >= 0;
}

}  // namespace fluxion::codegen
