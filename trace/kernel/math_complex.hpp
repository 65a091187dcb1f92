// Functions of complex numbers as kernels compute them.
#pragma once
#include "trace/kernel/builder.hpp"
#include "trace/kernel/complex.hpp"

namespace fluxion::kernel {

// Parts are float32 or float64; those of float32 are computed in float64 and rounded once. Branch
// cuts, signed zeros, infinities and NaN are C's (Annex G). Each part is within 3 units in its last
// place, whatever the size of the other, except where a comment says so.
using ComplexScalar = Complex<Scalar>;
Scalar complex_abs(ComplexScalar);
/// z / |z|; 0 of 0.
ComplexScalar complex_sign(ComplexScalar);
ComplexScalar complex_square(ComplexScalar);
ComplexScalar complex_exp(ComplexScalar);
ComplexScalar complex_expm1(ComplexScalar);
ComplexScalar complex_log(ComplexScalar);
ComplexScalar complex_log1p(ComplexScalar);
ComplexScalar complex_sin(ComplexScalar);
ComplexScalar complex_cos(ComplexScalar);
ComplexScalar complex_tan(ComplexScalar);
ComplexScalar complex_sinh(ComplexScalar);
ComplexScalar complex_cosh(ComplexScalar);
ComplexScalar complex_tanh(ComplexScalar);
ComplexScalar complex_asin(ComplexScalar);
ComplexScalar complex_acos(ComplexScalar);
ComplexScalar complex_atan(ComplexScalar);
ComplexScalar complex_asinh(ComplexScalar);
ComplexScalar complex_acosh(ComplexScalar);
ComplexScalar complex_atanh(ComplexScalar);
ComplexScalar complex_sqrt(ComplexScalar);
/// Relative to the modulus.
ComplexScalar complex_rsqrt(ComplexScalar);
/// 1 / (1 + exp(-z)), relative to the modulus.
ComplexScalar complex_logistic(ComplexScalar);
ComplexScalar complex_div(ComplexScalar, ComplexScalar);
/// exp(y log x), relative to the modulus; 0^0 is 1, 0^y is 0 where the real part of y is positive.
ComplexScalar complex_pow(ComplexScalar x, ComplexScalar y);

// Real functions that these share their formulas with: float32 or float64, C's special values.
Scalar sinh(Scalar);
Scalar cosh(Scalar);
Scalar asin(Scalar);  // float64: 2.01 units in the last place
Scalar acos(Scalar);
Scalar atan(Scalar);
Scalar asinh(Scalar);
Scalar acosh(Scalar);
Scalar atanh(Scalar);

}  // namespace fluxion::kernel
