// Transcendental functions as polynomials in the verbs of the kernel language: the same bits on
// every backend, scalar and vector.
#pragma once
#include "trace/kernel/builder.hpp"

namespace fluxion::kernel {

// Arguments are float32 or float64 (16-bit floats are converted by the caller), subnormal numbers
// and results included; special values are those of C's <math.h>. Beside each function, its largest
// error in units in the last place: float32 (of all arguments; of millions for those of two) and
// float64 (of millions of arguments, by MPFR).
Scalar exp(Scalar);                // 1.01, 0.97
Scalar expm1(Scalar);              // 1.46, 1.79
Scalar log(Scalar);                // 0.92, 0.80
Scalar log1p(Scalar);              // 1.46, 1.33
Scalar sin(Scalar);                // 0.51, 0.95; however large the argument
Scalar cos(Scalar);                // 0.51, 0.99
Scalar tan(Scalar);                // 0.51, 2.3
Scalar tanh(Scalar);               // 1.34, 1.29
Scalar logistic(Scalar);           // 1.55, 1.38
Scalar erf(Scalar);                // 1.06, 1.03
Scalar erfc(Scalar);               // 2.29, 2.17
Scalar pow(Scalar, Scalar);        // 0.54, 1.11
Scalar atan2(Scalar y, Scalar x);  // 1.51, 1.83
/// 1 / sqrt(x).
Scalar rsqrt(Scalar);  // 1.5, 1.5
/// The remainder of truncated division (C's fmod), exact.
Scalar remainder(Scalar, Scalar);
/// Rounds halves away from zero.
Scalar round_away(Scalar);
/// log |gamma(x)|. At negative float64 the error is relative to the larger of it and 1 + lgamma(1 -
/// x), which it is a difference from.
Scalar lgamma(Scalar);  // 0.51, 2.6
/// The derivative of log gamma(x), NaN at its poles but zero; at negative float64 as lgamma, with
/// 1 + digamma(1 - x).
Scalar digamma(Scalar);  // 0.51, 3.1

}  // namespace fluxion::kernel
