// The primitives, as functions that record one operation each. Every function checks shapes and
// dtypes and names the user's line.
#pragma once
#include "trace/op.hpp"

namespace fluxion::ops {

// Elementwise: operands of one shape and dtype (the caller broadcasts and promotes). Names are
// those of the rows in ops/unary.cpp and ops/binary.cpp.
Array unary(std::string_view name, const Array& x, const Site&);
Array binary(std::string_view name, const Array& x, const Array& y, const Site&);
enum class Direction { eq, ne, lt, le, gt, ge };
Array compare(Direction, const Array& x, const Array& y, const Site&, bool total_order = false);
/// condition: bool of the same shape, or of shape ().
Array select(const Array& condition, const Array& yes, const Array& no, const Site&);
/// low and high: of x's shape, or of shape ().
Array clamp(const Array& low, const Array& x, const Array& high, const Site&);
Array convert(const Array& x, DType, const Site&);
/// Same width.
Array bitcast(const Array& x, DType, const Site&);

enum class Reduction { sum, prod, max, min, all, any, bit_and, bit_or, bit_xor };
/// axes: sorted, distinct. Sums and products of 16-bit floats accumulate in float32 unless
/// `accumulate_in_element_type`.
Array reduce(Reduction,
             const Array& x,
             const std::vector<int>& axes,
             const Site&,
             bool accumulate_in_element_type = false);
/// Index of the largest (smallest) element along one axis; NaN wins; ties give the smallest index.
Array argreduce(bool largest, const Array& x, int axis, DType index, const Site&);

Array reshape(const Array& x, const Shape&, const Site&);
Array transpose(const Array& x, const std::vector<int>& permutation, const Site&);
/// x's axis k becomes axis `at[k]` of the result; x's size there is the result's, or 1.
Array broadcast_in_dim(const Array& x, const Shape&, const std::vector<int>& at, const Site&);
struct Padding {
  std::int64_t low = 0, high = 0, interior = 0;
};  // low and high may be negative
Array pad(const Array& x, const Array& value, const std::vector<Padding>&, const Site&);
Array slice(const Array& x,
            const std::vector<std::int64_t>& start,
            const std::vector<std::int64_t>& stop,
            const std::vector<std::int64_t>& step,
            const Site&);
Array concatenate(Arrays, int axis, const Site&);
Array rev(const Array& x, const std::vector<int>& axes, const Site&);
Array iota(const Type&, int axis, const Site&);

struct DotDimensions {
  std::vector<int> lhs_contract, rhs_contract, lhs_batch, rhs_batch;
};
/// StableHLO's dot_general: batch axes, then lhs' free axes, then rhs'. `result`: the dtype of sums
/// and result (default: the operands').
Array dot_general(const Array& lhs,
                  const Array& rhs,
                  const DotDimensions&,
                  const Site&,
                  std::optional<DType> result = {});

struct ConvolutionWindow {
  std::vector<std::int64_t> stride;
  std::vector<std::pair<std::int64_t, std::int64_t>> padding;  // may be negative
  std::vector<std::int64_t> lhs_dilation, rhs_dilation;
  std::int64_t feature_groups = 1, batch_groups = 1;
};
struct ConvolutionDimensions {  // which axis is what; spatial axes in order
  int lhs_batch = 0, lhs_feature = 1;
  std::vector<int> lhs_spatial;
  int rhs_out = 0, rhs_in = 1;
  std::vector<int> rhs_spatial;
  int out_batch = 0, out_feature = 1;
  std::vector<int> out_spatial;
};
Array conv_general_dilated(const Array& lhs,
                           const Array& rhs,
                           const ConvolutionWindow&,
                           const ConvolutionDimensions&,
                           const Site&);

struct Window {  // one entry per axis of the operand
  std::vector<std::int64_t> size, stride, base_dilation, window_dilation;
  std::vector<std::pair<std::int64_t, std::int64_t>> padding;
};
Array reduce_window(Reduction, const Array& x, const Window&, const Site&);
/// The flat row-major index in x of each window's largest (smallest) element.
Array window_argreduce(bool largest, const Array& x, const Window&, DType index, const Site&);

struct GatherDimensions {  // StableHLO's
  std::vector<int> offset_dims, collapsed_slice_dims, operand_batching_dims,
      start_indices_batching_dims, start_index_map;
  int index_vector_dim = 0;
};
enum class OutOfBounds { clip, fill, promise_in_bounds };
/// fill: out-of-bounds slices are NaN (floats), the smallest value (signed), the largest
/// (unsigned), true.
Array gather(const Array& x,
             const Array& indices,
             const GatherDimensions&,
             const std::vector<std::int64_t>& slice_sizes,
             OutOfBounds,
             const Site&);
struct ScatterDimensions {
  std::vector<int> update_window_dims, inserted_window_dims, operand_batching_dims,
      scatter_indices_batching_dims, scatter_dims_to_operand_dims;
  int index_vector_dim = 0;
};
enum class Update { set, add, mul, min, max };
struct ScatterPromise {
  bool unique = false, sorted = false;
};
/// Updates that do not fit are dropped (or, clip: moved inside).
Array scatter(Update,
              const Array& x,
              const Array& indices,
              const Array& updates,
              const ScatterDimensions&,
              OutOfBounds,
              ScatterPromise,
              const Site&);

/// Threefry-2x32 with 20 rounds (Salmon et al. 2011): two keys and two counters, uint32 of one
/// shape; two results.
std::pair<Array, Array> threefry2x32(
    const Array& key0, const Array& key1, const Array& count0, const Array& count1, const Site&);

/// The same values, with tangent zero.
Array stop_gradient(const Array& x, const Site&);
/// The same values under a name, by which checkpoint policies know them.
Array name(const Array& x, std::string_view text, const Site&);

/// Runs a closed graph as one operation.
ArrayList call(GraphRef, std::string_view name, Arrays operands, const Site&);

}  // namespace fluxion::ops

namespace fluxion {
template <> struct EnumWords<ops::Reduction> {
  static constexpr bool given = true;
  static constexpr std::string_view words[] = {
      "sum", "prod", "max", "min", "all", "any", "bit_and", "bit_or", "bit_xor"};
};
template <> struct EnumWords<ops::OutOfBounds> {
  static constexpr bool given = true;
  static constexpr std::string_view words[] = {"clip", "fill", "promise_in_bounds"};
};
template <> struct EnumWords<ops::Update> {
  static constexpr bool given = true;
  static constexpr std::string_view words[] = {"set", "add", "mul", "min", "max"};
};
}  // namespace fluxion
