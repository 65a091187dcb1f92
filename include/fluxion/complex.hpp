// Complex numbers: how they are made and taken apart, with the names of jax.numpy and jax.lax.
#pragma once
#include "ops.hpp"

namespace fluxion {

// Arithmetic, comparison with == and !=, sums, products, dots, convolutions and the functions exp,
// expm1, log, log1p, log2, log10, sqrt, rsqrt, square, sin, cos, tan, sinh, cosh, tanh, asin, acos,
// atan, asinh, acosh, atanh, abs, sign, power and sigmoid take complex operands, with the branch
// cuts of C; < and its kin compare the real parts first, then the imaginary ones. A complex number
// that meets a real array makes it complex. Derivatives follow JAX: tangents are complex,
// cotangents pair with them as Re(ct dz) without a conjugate, so that the gradient of a real
// function u of x + i y is du/dx - i du/dy, and that of a holomorphic one, by vjp, its complex
// derivative.

/// re + i im, of float32 or float64 (others become float32).
Array complex(const Operand& re, const Operand& im);
/// The real and the imaginary part; of real numbers, themselves and zeros.
Array real(const Operand& x);
Array imag(const Operand& x);
/// x with the sign of the imaginary part changed; real numbers stay.
Array conj(const Operand& x);
/// The argument in (-pi, pi]: atan2(imag, real), of complex and real numbers.
Array angle(const Operand& x);
/// Whether the imaginary part is 0, or not.
Array isreal(const Operand& x);
Array iscomplex(const Operand& x);
/// Whether the dtype is complex.
bool iscomplexobj(const Operand& x);

namespace lax {
using fluxion::complex, fluxion::conj, fluxion::imag, fluxion::real;
}
}  // namespace fluxion
