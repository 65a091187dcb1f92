// Transcendental functions as polynomials in the verbs of the kernel language: the same bits on
// every backend, scalar and vector.
#pragma once
#include "trace/kernel/builder.hpp"

namespace fluxion::kernel {

// Arguments are float32 or float64 (16-bit floats are converted by the caller). At most 2 units in
// the last place over the whole range, subnormal arguments and results included, with the special
// values of C's <math.h>.
Scalar exp(Scalar);
Scalar expm1(Scalar);
Scalar log(Scalar);
Scalar log1p(Scalar);
Scalar sin(Scalar);
Scalar cos(Scalar);
Scalar tan(Scalar);
Scalar tanh(Scalar);
Scalar logistic(Scalar);
Scalar erf(Scalar);
Scalar erfc(Scalar);
Scalar pow(Scalar, Scalar);
Scalar atan2(Scalar y, Scalar x);
Scalar rsqrt(Scalar);  // 1 / sqrt(x)
/// The remainder of truncated division (C's fmod), exact.
Scalar remainder(Scalar, Scalar);
/// Rounds halves away from zero.
Scalar round_away(Scalar);

}  // namespace fluxion::kernel
