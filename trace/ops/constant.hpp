// constant: a scalar literal of a program, as the bits of its element.
#pragma once
#include "trace/op.hpp"

namespace fluxion::ops {

struct Constant {
  static constexpr auto name = "constant";
  DType dtype = float32;
  /// The element's bits, zero-extended; of complex128 `low` is the real part and `high` the
  /// imaginary one, complex64 has both in `low`.
  std::uint64_t low = 0, high = 0;

  /// The number as a double, rounded if it is a large integer; the real part of a complex one.
  double value() const;

  Types types(TypeList in) const;
  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array()}; }
  Batched batch(Arrays, BatchAxes, std::int64_t) const;
  kernel::Scalar at(kernel::Reader&, const kernel::Index&) const;
  void reference(ConstTensors in, Tensors out) const;
  /// "[dtype=f32, value=0.5]"; a NaN that is not the usual one prints its bits.
  std::string print() const;
  static std::optional<Constant> parse(std::string_view name, AttributeParser&);
};

}  // namespace fluxion::ops
