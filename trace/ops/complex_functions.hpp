// The elementwise operations on complex numbers: what kernels compute, and an independent
// reference.
#pragma once
#include "trace/ops/elementwise.hpp"

namespace fluxion::ops {

struct ComplexUnary {
  std::string_view name;
  kernel::Complex<kernel::Scalar> (*lower)(kernel::Complex<kernel::Scalar> x);
  WideComplex (*reference)(WideComplex x);
};
struct ComplexBinary {
  std::string_view name;
  kernel::Complex<kernel::Scalar> (*lower)(kernel::Complex<kernel::Scalar> x,
                                           kernel::Complex<kernel::Scalar> y);
  WideComplex (*reference)(WideComplex x, WideComplex y);
};
/// The row of an operation that accepts complex numbers. Where the result is real it is the real
/// part.
const ComplexUnary& complex_unary(std::string_view name);
const ComplexBinary& complex_binary(std::string_view name);

/// The product as it is defined, without C's special cases for infinities.
inline WideComplex naive_product(const WideComplex& x, const WideComplex& y) {
  return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
}

/// Runs the reference over all elements; real results are floats.
void complex_unary_reference(std::string_view name, const ConstTensor& x, const Tensor& y);
void complex_binary_reference(std::string_view name,
                              const ConstTensor& x,
                              const ConstTensor& y,
                              const Tensor& z);

}  // namespace fluxion::ops
