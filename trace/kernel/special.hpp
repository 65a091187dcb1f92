// Special functions of several arguments in the verbs of the kernel language: series, continued
// fractions and asymptotic expansions. Arguments and results are float64, of
// erf_inv also float32.
#pragma once
#include "trace/kernel/builder.hpp"

namespace fluxion::kernel {

/// Hurwitz's zeta function, the sum over n >= 0 of (q + n)^-s.
Scalar zeta(Scalar s, Scalar q);
/// The regularized incomplete gamma functions: of a, from 0 to x, and from x on.
Scalar igamma(Scalar a, Scalar x);
Scalar igammac(Scalar a, Scalar x);
/// The derivative of igamma with respect to a.
Scalar igamma_grad_a(Scalar a, Scalar x);
/// The regularized incomplete beta function, and its derivative with respect to a.
Scalar betainc(Scalar a, Scalar b, Scalar x);
Scalar betainc_grad_a(Scalar a, Scalar b, Scalar x);
/// exp(-|x|) times the modified Bessel functions of the first kind.
Scalar bessel_i0e(Scalar x);
Scalar bessel_i1e(Scalar x);
/// The inverse of the error function on (-1, 1); in float32 by XLA's formula.
Scalar erf_inv(Scalar x);

}  // namespace fluxion::kernel
