// The operations that jax.numpy's functions are made of, with the names and meanings of jax.lax.
#pragma once
#include "ops.hpp"

namespace fluxion::lax {

/// Which axes of two operands are summed over together, and which run along together.
struct DotDimensions {
  std::vector<int> lhs_contract = {}, rhs_contract = {}, lhs_batch = {}, rhs_batch = {};
};
/// The sum over products of the contracted axes: batch axes, then lhs' free axes, then rhs'.
/// `result`: the dtype of sums and result (default: that of the operands, sums of 16-bit floats in
/// float32). Error `dot-sizes` where sizes differ.
Array dot_general(const Operand& lhs,
                  const Operand& rhs,
                  const DotDimensions&,
                  MaybeDType result = {});

/// What is added before and after each spatial axis.
class Padding {
 public:
  enum class Rule { valid, same, same_lower, given };
  /// valid: nothing; same: so much that a stride of 1 keeps the size, the odd one after
  /// (same_lower: before) the axis.
  constexpr Padding(Rule rule) : rule_(rule) {}
  Padding(std::initializer_list<std::pair<std::int64_t, std::int64_t>> widths)
      : rule_(Rule::given), widths_(widths) {}
  Padding(std::vector<std::pair<std::int64_t, std::int64_t>> widths)
      : rule_(Rule::given), widths_(std::move(widths)) {}
  Rule rule() const { return rule_; }
  const std::vector<std::pair<std::int64_t, std::int64_t>>& widths() const { return widths_; }

 private:
  Rule rule_;
  std::vector<std::pair<std::int64_t, std::int64_t>> widths_;
};
inline constexpr Padding::Rule valid = Padding::Rule::valid;
inline constexpr Padding::Rule same = Padding::Rule::same;
inline constexpr Padding::Rule same_lower = Padding::Rule::same_lower;

/// Which axis is what: N batch, C feature, O and I output and input features of the kernel, every
/// other letter a spatial axis. Empty: "NC..." and "OI..." with the spatial axes in order.
struct ConvolutionLayout {
  std::string lhs = {}, rhs = {}, out = {};
};
struct ConvolutionOptions {
  Shape strides = {};  // one for each spatial axis; default 1
  Padding padding = valid;
  Shape lhs_dilation =
      {};  // 1 + the zeros between neighbours of the image (transposed convolution)
  Shape rhs_dilation = {};  // 1 + the zeros between neighbours of the kernel
  ConvolutionLayout layout = {};
  std::int64_t feature_groups = 1, batch_groups = 1;
};
/// The correlation of an image with a kernel that machine learning calls convolution. Error
/// `convolution` where sizes do not fit.
Array conv_general_dilated(const Operand& lhs, const Operand& rhs, const ConvolutionOptions& = {});

enum class Reduction { sum, prod, max, min };
/// Windows over x: one entry for each axis; empty ones are 1.
struct Window {
  Shape size = {}, strides = {}, base_dilation = {}, window_dilation = {};
  Padding padding = valid;
};
/// The sum (product, maximum, minimum) of each window; padding and holes count as the identity.
/// Error `window`.
Array reduce_window(const Operand& x, Reduction, const Window&);

/// StableHLO's gather dimension numbers.
struct GatherDimensions {
  std::vector<int> offset_dims = {}, collapsed_slice_dims = {}, start_index_map = {};
  std::vector<int> operand_batching_dims = {}, start_indices_batching_dims = {};
};
/// What happens to slices that do not fit: moved inside; filled (gather: NaN, or the extreme
/// integer; scatter: dropped); not checked.
enum class OutOfBounds { clip, fill, promise_in_bounds };
/// Slices of x that begin at the index vectors along the last axis of `indices`.
Array gather(const Operand& x,
             const Operand& indices,
             const GatherDimensions&,
             const Shape& slice_sizes,
             OutOfBounds = OutOfBounds::clip);

/// StableHLO's scatter dimension numbers.
struct ScatterDimensions {
  std::vector<int> update_window_dims = {}, inserted_window_dims = {},
                   scatter_dims_to_operand_dims = {};
  std::vector<int> operand_batching_dims = {}, scatter_indices_batching_dims = {};
};
struct ScatterOptions {
  OutOfBounds mode = OutOfBounds::fill;
  bool unique_indices = false, indices_are_sorted = false;
};
/// x with slices replaced by (scatter_add: increased by, ...) the updates. Of several that replace
/// one element the last wins.
Array scatter(const Operand& x,
              const Operand& indices,
              const Operand& updates,
              const ScatterDimensions&,
              const ScatterOptions& = {});
Array scatter_add(const Operand& x,
                  const Operand& indices,
                  const Operand& updates,
                  const ScatterDimensions&,
                  const ScatterOptions& = {});
Array scatter_mul(const Operand& x,
                  const Operand& indices,
                  const Operand& updates,
                  const ScatterDimensions&,
                  const ScatterOptions& = {});
Array scatter_min(const Operand& x,
                  const Operand& indices,
                  const Operand& updates,
                  const ScatterDimensions&,
                  const ScatterOptions& = {});
Array scatter_max(const Operand& x,
                  const Operand& indices,
                  const Operand& updates,
                  const ScatterDimensions&,
                  const ScatterOptions& = {});

/// A slice of fixed size whose start is an array of one integer for each axis; the start is moved
/// so that the slice fits.
Array dynamic_slice(const Operand& x, const std::vector<Array>& start, const Shape& sizes);
/// x with the slice at `start` replaced by `update`; the start is moved so that it fits.
Array dynamic_update_slice(const Operand& x,
                           const Operand& update,
                           const std::vector<Array>& start);

/// x[start:stop:step] along every axis; steps default to 1. Error `slice` where a range is outside.
Array slice(const Operand& x, const Shape& start, const Shape& stop, const Shape& step = {});
/// What is put before, after (negative: taken away) and between the elements of each axis.
struct PadWidth {
  std::int64_t low = 0, high = 0, interior = 0;
};
Array pad(const Operand& x, const Operand& value, const std::vector<PadWidth>&);
/// Axis k of x becomes axis at[k] of the result; sizes of 1 are repeated.
Array broadcast_in_dim(const Operand& x, const Shape&, const std::vector<int>& at);
/// 0, 1, 2, ... along one axis of a shape.
Array iota(DType, const Shape&, int axis = 0, Site = Site::current());
/// The bits of x as another dtype of the same width. Error `bitcast` where the widths differ.
Array bitcast_convert_type(const Operand& x, DType);
/// How many bits are set; how many leading ones are zero; in the dtype of x. Integers only.
Array population_count(const Operand& x);
Array clz(const Operand& x);
/// Logical (zero-filling) right shift of integers.
Array shift_right_logical(const Operand& x, const Operand& y);

}  // namespace fluxion::lax
