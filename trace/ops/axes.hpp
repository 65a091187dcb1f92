// Axis arithmetic that the operations on shapes share: permutations, strides, moving batch axes.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// 0, 1, ..., count - 1.
std::vector<int> counted_axes(int count);
/// The axes of an array of `rank` axes that are in none of the lists, ascending.
std::vector<int> other_axes(int rank,
                            const std::vector<int>& axes,
                            const std::vector<int>& more = {});
/// The position of `axis` in the list, or -1.
int position_of(int axis, const std::vector<int>& axes);
/// The permutation that undoes one: result[axes[k]] = k.
std::vector<int> inverse(const std::vector<int>& permutation);
/// Every axis one further, for an array that gained an axis at the front.
std::vector<int> shifted(std::vector<int> axes, int by = 1);
/// Every axis as it is numbered after a new axis was put in at `at`.
std::vector<int> around(std::vector<int> axes, int at);
std::vector<int> prepended(int first, std::vector<int> rest);

int rank_of(const Array&);
inline int rank_of(const Type& type) { return static_cast<int>(type.shape.size()); }
/// The size of one axis.
std::int64_t size_at(const Shape&, int axis);
Shape with_axis(const Shape&, int at, std::int64_t size);
Shape without_axis(const Shape&, int at);
/// Row-major strides in elements.
std::vector<std::int64_t> strides_of(const Shape&);

/// The array with one axis moved; the others keep their order.
Array move_axis(const Array&, int from, int to);
/// A batched operand with its batch axis first, an unbatched one repeated `size` times.
Array batch_first(const Array&, int axis, std::int64_t size);
/// Moves axis `from` before axis `into` (numbered without `from`) and makes one axis of the two.
Array merge_axis(const Array&, int from, int into);
/// Makes two axes of one: the outer has `outer` elements.
Array split_axis(const Array&, int axis, std::int64_t outer);
/// a + b, where an empty Array is zero.
Array sum_of(const Array& a, const Array& b);
/// Zeros where the Array is empty.
Array or_zeros(const Array&, const Type&);
/// One number everywhere.
Array filled(double value, const Type&);

/// "{0,2}".
std::string list_text(const std::vector<int>&);
std::string list_text(const std::vector<std::int64_t>&);
/// Refuses lists with an axis outside [0, rank) or one that comes twice.
void check_axes(std::string_view operation,
                std::string_view what,
                const std::vector<int>& axes,
                int rank);
/// Refuses complex operands of an operation that computes.
void check_real(std::string_view operation, const Type&);
/// Refuses operands of different dtypes.
void check_same_dtype(std::string_view operation, const Type& a, const Type& b);

/// Copies element `from` of one row-major array to element `to` of another of the same dtype.
inline void copy_element(const Tensor& out,
                         std::int64_t to,
                         const ConstTensor& in,
                         std::int64_t from) {
  const std::size_t bytes = size_of(in.type.dtype);
  std::memcpy(static_cast<char*>(out.data) + static_cast<std::size_t>(to) * bytes,
              static_cast<const char*>(in.data) + static_cast<std::size_t>(from) * bytes,
              bytes);
}

/// visit(index, flat position) for every index of a shape, in row-major order.
template <class Visit> void for_each_index(const Shape& shape, Visit&& visit) {
  if (element_count(shape) == 0) return;
  std::vector<std::int64_t> index(shape.size());
  std::int64_t flat = 0;
  do visit(index, flat++);
  while (next_index(index, shape));
}

}  // namespace fluxion::ops
