// Order: sorting, searching in what is sorted, quantiles. Names and meanings of jax.numpy and
// jax.lax.
#pragma once
#include "ops.hpp"

namespace fluxion {

/// The elements along an axis (the last; {}: of the flattened array) in ascending order, stably:
/// NaN comes last, -0 equals 0. `descending`: the other way round, equal elements in their order.
/// The derivative moves with the elements. Lines of n elements cost O(n) for each 11 bits of the
/// dtype.
Array sort(const Operand& x, MaybeAxis axis = -1, bool descending = false);
/// The positions from which sort takes its elements, int32 (int64 for axes that need it).
Array argsort(const Operand& x, MaybeAxis axis = -1, bool descending = false);
/// The positions that sort by the last key, equal ones by the one before it, and so on. Error
/// `sort` where there is no key or the shapes differ.
Array lexsort(const std::vector<Array>& keys, int axis = -1);

/// Which end of a run of equal elements.
enum class Side { left, right };
/// Where the values would be put into the sorted vector so that it stays sorted: before (right:
/// behind) equal elements; int32 in the shape of `values`. Costs a few comparisons for each value.
/// Error `sort` where `sorted` is no vector.
Array searchsorted(const Operand& sorted, const Operand& values, Side side = Side::left);

/// What stands between two elements when a quantile falls between them.
enum class Interpolation { linear, lower, higher, midpoint, nearest };
/// The value below which the fraction q (in [0, 1], a number or a vector, whose axis comes first)
/// of the elements lies; NaN where one of them is NaN. Integers become float32.
Array quantile(const Operand& x,
               const Operand& q,
               const Axes& axes = {},
               Interpolation = Interpolation::linear,
               bool keepdims = false);
/// quantile of q / 100.
Array percentile(const Operand& x,
                 const Operand& q,
                 const Axes& axes = {},
                 Interpolation = Interpolation::linear,
                 bool keepdims = false);
/// The middle element, or the mean of the two in the middle.
Array median(const Operand& x, const Axes& axes = {}, bool keepdims = false);

namespace lax {

/// The operands, of one shape, moved together into the order of the first `num_keys` of them,
/// compared one after the other; stable. Error `sort` where shapes differ.
std::vector<Array> sort(const std::vector<Array>& operands, int axis = -1, int num_keys = 1);

/// The k largest elements of each row (the last axis), the largest first, and where they were
/// (int32); of equal ones the first. Error `sort` where the rows are shorter.
struct TopK {
  Array values, indices;
};
TopK top_k(const Operand& x, std::int64_t k);

/// x rounded to a float with so many bits of exponent and mantissa, as a value of its dtype: what
/// is too large becomes infinite, what is too small zero. Tangents are rounded too. Error `dtype`
/// unless x is a float.
Array reduce_precision(const Operand& x, int exponent_bits, int mantissa_bits);

}  // namespace lax
}  // namespace fluxion
