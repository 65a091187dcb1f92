// The special functions of mathematics, with the names and meanings of jax.scipy.special. Integers
// become float32; float32 is computed in float64 and rounded once.
#pragma once
#include "ops.hpp"

namespace fluxion::special {

/// log |gamma(x)|, infinite at 0, -1, -2, ...
Array gammaln(const Operand& x);
/// The sign of gamma(x): 1, -1, or 0 at the poles -1, -2, ...; at 0 that of the zero.
Array gammasgn(const Operand& x);
/// The gamma function; relative error 1e-14 times log |gamma(x)| in float64. NaN at the poles.
Array gamma(const Operand& x);
/// gamma(n + 1), 0 where n < 0.
Array factorial(const Operand& n);
/// The derivative of gammaln, NaN at -1, -2, ...
Array digamma(const Operand& x);
/// The n-th derivative of digamma, n = 0, 1, 2, ...; elementwise in both, differentiable in x.
/// Relative error 1e-14 for x > 0.
Array polygamma(const Operand& n, const Operand& x);
/// Hurwitz's zeta function, the sum over k >= 0 of (q + k)^-x, for x > 1; differentiable in q.
Array zeta(const Operand& x, const Operand& q = 1);
/// log B(a, b) and B(a, b), for positive arguments.
Array betaln(const Operand& a, const Operand& b);
Array beta(const Operand& a, const Operand& b);
/// The logarithm of the multivariate gamma function of dimension d, for a > (d - 1) / 2.
Array multigammaln(const Operand& a, int d);
/// The regularized lower and upper incomplete gamma functions, for a >= 0 and x >= 0, not both 0.
/// Differentiable in both (in a once). Relative error 1e-13 in float64 for a up to 1e4.
Array gammainc(const Operand& a, const Operand& x);
Array gammaincc(const Operand& a, const Operand& x);
/// The regularized incomplete beta function, for positive a and b and 0 <= x <= 1. Differentiable
/// in all (in a and b once). Relative error 1e-12 in float64 for a and b up to 1e3.
Array betainc(const Operand& a, const Operand& b, const Operand& x);

/// The error function, 1 minus it, its inverse.
Array erf(const Operand& x);
Array erfc(const Operand& x);
Array erfinv(const Operand& x);
/// The distribution function of the standard normal distribution, its logarithm (also far below 0),
/// and its inverse on (0, 1).
Array ndtr(const Operand& x);
Array log_ndtr(const Operand& x);
Array ndtri(const Operand& p);

/// x log y and x log(1 + y), 0 where x is 0.
Array xlogy(const Operand& x, const Operand& y);
Array xlog1py(const Operand& x, const Operand& y);
/// -x log x; 0 at 0, -infinity below.
Array entr(const Operand& x);
/// x log(x / y), and that - x + y; 0 at x = 0; infinite outside.
Array rel_entr(const Operand& x, const Operand& y);
Array kl_div(const Operand& x, const Operand& y);
/// log(x / (1 - x)) and its inverse.
Array logit(const Operand& x);
Array expit(const Operand& x);

/// The modified Bessel functions of the first kind of order 0 and 1, and these times exp(-|x|).
/// Relative error 1e-15 in float64.
Array i0(const Operand& x);
Array i0e(const Operand& x);
Array i1(const Operand& x);
Array i1e(const Operand& x);

}  // namespace fluxion::special

namespace fluxion::lax {

/// jax.lax's names of special::gammaln and special::digamma.
Array lgamma(const Operand& x);
Array digamma(const Operand& x);

}  // namespace fluxion::lax
