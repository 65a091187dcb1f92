// The special functions of mathematics, with the names and meanings of jax.scipy.special. Integers
// become float32; float32 is computed in float64 and rounded once.
#pragma once
#include "ops.hpp"

namespace fluxion::special {

/// The n-th derivative of digamma, n = 0, 1, 2, ...; elementwise in both, differentiable in x.
/// Relative error 1e-14 for x > 0.
Array polygamma(const Operand& n, const Operand& x);
/// Hurwitz's zeta function, the sum over k >= 0 of (q + k)^-x, for x > 1; differentiable in q.
Array zeta(const Operand& x, const Operand& q = 1);

}  // namespace fluxion::special

namespace fluxion::lax {

/// The derivative of log |gamma(x)|, NaN at -1, -2, ...
Array digamma(const Operand& x);
/// log |gamma(x)|, infinite at 0, -1, -2, ...
Array lgamma(const Operand& x);

}  // namespace fluxion::lax
