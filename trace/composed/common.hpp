// What the composed functions share: promotion of dtypes, broadcasting, axes as users write them.
#pragma once
#include "fluxion/lax.hpp"
#include "trace/ops.hpp"

namespace fluxion::composed {

/// The dtype that two arrays meet in.
DType promote(DType, DType);
/// The dtype that operands meet in: arrays promote, then bare numbers follow.
DType common_dtype(std::initializer_list<const Operand*>);
/// The dtype of a function of real numbers: floats (and complex) stay, the rest is float32.
DType real_dtype(DType);
/// The dtype that arithmetic happens in: bool counts as int32.
DType arithmetic_dtype(DType);
/// The dtype of sums and products: bools and narrow integers widen to 32 bits.
DType sum_dtype(DType);
/// float32 for 16-bit floats, which overflow soon; else the dtype itself.
DType wide_dtype(DType);

/// The dtype of an operand by itself. Error `empty-array`.
DType dtype_of(const Operand&);
/// The operand as an array of this dtype. A bare integer must fit (error `dtype`).
Array as(const Operand&, DType, std::string_view who);
/// The array; checks that it is one. Bare numbers keep their own dtype.
Array array_of(const Operand&);
/// The operand for a function of real numbers.
Array real(const Operand&, std::string_view who);
/// A literal of x's dtype, repeated to its shape.
Array constant_like(const Array& x, double value, const Site&);

/// NumPy's rule. Error `broadcast` with both types.
Shape broadcast_shapes(std::string_view who, const Array& x, const Array& y, const Site&);
Shape broadcast_shapes(std::string_view who,
                       const Shape&,
                       const Shape&,
                       std::initializer_list<std::string> details,
                       const Site&);
Shape broadcast_shapes(std::string_view who, const std::vector<Array>&, const Site&);
/// The array repeated to a shape that it broadcasts to. Error `broadcast`.
Array broadcast(std::string_view who, const Array&, const Shape&, const Site&);

struct Pair {
  Array x, y;
};
/// Both with one dtype (given, or common) and one shape.
Pair meet(std::string_view who, const Operand& x, const Operand& y);
Pair meet(std::string_view who, const Operand& x, const Operand& y, DType);

/// The same, but a bare number that meets an array may stay a scalar: for ops::binary and
/// ops::compare, which repeat it.
Pair meet_number(std::string_view who, const Operand& x, const Operand& y, DType);

/// The axis counted from 0. Error `axis`.
int axis_of(std::string_view who, int axis, int rank, const Site&);
/// All, or those named: sorted, distinct. Error `axis`.
std::vector<int> axes_of(std::string_view who, const Axes&, int rank, const Site&);

inline int rank_of(const Array& x) { return static_cast<int>(type_of(x).shape.size()); }
inline const Shape& shape_of(const Array& x) { return type_of(x).shape; }
inline std::int64_t size_at(const Array& x, int axis) {
  return type_of(x).shape[static_cast<std::size_t>(axis)];
}
/// The shape with one size replaced, an axis put in, axes taken out.
Shape with_size(const Shape&, int axis, std::int64_t size);
Shape with_axis(const Shape&, int axis, std::int64_t size);
Shape without_axes(const Shape&, const std::vector<int>& axes);
/// x[start:stop:step] along one axis; 0 <= start <= stop <= size, step > 0.
Array slice_axis(const Array& x,
                 int axis,
                 std::int64_t start,
                 std::int64_t stop,
                 std::int64_t step,
                 const Site&);
/// The axis moved to another place.
Array move_axis(const Array& x, int from, int to, const Site&);
/// 0, 1, ... along one axis of a shape: int32, or int64 where a size needs it.
Array positions(const Shape&, int axis, const Site&);

}  // namespace fluxion::composed
