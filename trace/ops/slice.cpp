// Every step-th element of a box of an array.
#include "trace/ops/axes.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> slice_rules();

namespace {

struct StridedSlice {
  static constexpr auto name = "slice";
  std::vector<std::int64_t> start, stop, step;

  std::int64_t count(std::size_t k) const { return (stop[k] - start[k] + step[k] - 1) / step[k]; }

  Types types(TypeList in) const {
    const std::size_t rank = in[0].shape.size();
    if (start.size() != rank || stop.size() != rank || step.size() != rank) {
      fail("slice-bounds",
           Site(),
           "slice: " + std::to_string(start.size()) + " starts, " + std::to_string(stop.size()) +
               " stops and " + std::to_string(step.size()) + " steps for " + std::to_string(rank) +
               " axes",
           {"operand " + to_string(in[0])});
    }
    Type result{{}, in[0].dtype};
    for (std::size_t k = 0; k < rank; ++k) {
      if (start[k] < 0 || start[k] > stop[k] || stop[k] > in[0].shape[k] || step[k] < 1) {
        fail("slice-bounds",
             Site(),
             "slice: from " + std::to_string(start[k]) + " to " + std::to_string(stop[k]) + " by " +
                 std::to_string(step[k]) + " is no slice of axis " + std::to_string(k) +
                 " of size " + std::to_string(in[0].shape[k]),
             {"operand " + to_string(in[0])});
      }
      result.shape.push_back(count(k));
    }
    return {result};
  }

  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? emit(*this, {dx[0]}, rule_site()) : Array()};
  }

  // A small box is added in place, so that slicing in a loop does not cost the whole array each
  // time; a large one is padded, which fuses.
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) || !out.needed(0)) return;
    const Type& operand = x.type(0);
    const bool dense =
        std::equal(step.begin(), step.end(), std::vector(step.size(), std::int64_t{1}).begin());
    const std::int64_t elements = element_count(type_of(ct[0]).shape);
    if (dense && elements > 0 && elements <= element_count(operand.shape) / 16) {
      add_in_place(ct[0], out);
      return;
    }
    std::vector<Padding> padding;
    for (std::size_t k = 0; k < start.size(); ++k) {
      const std::int64_t span = count(k) ? (count(k) - 1) * step[k] + 1 : 0;
      padding.push_back({start[k], operand.shape[k] - start[k] - span, step[k] - 1});
    }
    out.add(0, pad(ct[0], literal(0, operand.dtype), padding, rule_site()));
  }

  void add_in_place(const Array& ct, Accumulators& out) const {
    std::vector<Array> position;
    for (std::int64_t s : start) {
      position.push_back(
          broadcast_in_dim(literal(static_cast<double>(s), int64), {1}, {}, rule_site()));
    }
    const int rank = static_cast<int>(start.size());
    ScatterDimensions dimensions;
    dimensions.update_window_dims = counted_axes(rank);
    dimensions.scatter_dims_to_operand_dims = counted_axes(rank);
    const Array indices = concatenate(position, 0, rule_site());
    out.replace(0,
                scatter(Update::add,
                        out.buffer(0),
                        indices,
                        ct,
                        dimensions,
                        OutOfBounds::promise_in_bounds,
                        {.unique = true, .sorted = true},
                        rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    StridedSlice wider = *this;
    wider.start.insert(wider.start.begin() + at[0], 0);
    wider.stop.insert(wider.stop.begin() + at[0], size);
    wider.step.insert(wider.step.begin() + at[0], 1);
    return {{emit(wider, {x[0]}, rule_site())}, {at[0]}};
  }

  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    kernel::Index index(i.size());
    for (std::size_t k = 0; k < i.size(); ++k) index[k] = i[k] * step[k] + start[k];
    return x.read(0, index);
  }

  void reference(ConstTensors in, Tensors out) const {
    const std::vector<std::int64_t> strides = strides_of(in[0].type.shape);
    for_each_index(out[0].type.shape, [&](const auto& index, std::int64_t flat) {
      std::int64_t from = 0;
      for (std::size_t k = 0; k < index.size(); ++k) {
        from += (start[k] + index[k] * step[k]) * strides[k];
      }
      copy_element(out[0], flat, in[0], from);
    });
  }
};

constexpr const Rules* rules[] = {rules_of<StridedSlice>()};

}  // namespace

std::span<const Rules* const> slice_rules() { return rules; }

Array slice(const Array& x,
            const std::vector<std::int64_t>& start,
            const std::vector<std::int64_t>& stop,
            const std::vector<std::int64_t>& step,
            const Site& site) {
  return emit(StridedSlice{start, stop, step}, {x}, site);
}

}  // namespace fluxion::ops
