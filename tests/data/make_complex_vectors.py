#!/usr/bin/env python3
"""Writes complex_vectors.hpp: derivatives of complex functions by JAX, Fourier transforms by NumPy.

    python3 -m venv env && env/bin/pip install jax numpy && env/bin/python make_complex_vectors.py
"""
import pathlib
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
Z = np.array([1.25 - 0.5j, -0.75 + 2.0j, 0.5 + 0.25j])
W = np.array([0.5 + 1.5j, 1.0 - 0.25j, -2.0 + 0.75j])
M = np.array([[1 + 2j, 0.5 - 1j, 0.25j], [-1.5 + 0.5j, 2.0, 1 - 1j]])
R = np.array([0.5, -1.25, 2.0])

GRADIENTS = {  # of real functions of Z
    "squared_modulus": lambda z: jnp.sum(jnp.abs(z) ** 2),
    "modulus": lambda z: jnp.sum(jnp.abs(z)),
    "real_of_square": lambda z: jnp.sum(jnp.real(z * z)),
    "imag_of_exp": lambda z: jnp.sum(jnp.imag(jnp.exp(z))),
    "real_of_quotient": lambda z: jnp.sum(jnp.real(z / W)),
    "real_of_product": lambda z: jnp.real(jnp.prod(z)),
    "angle": lambda z: jnp.sum(jnp.angle(z)),
    "norm_of_dot": lambda z: jnp.sum(jnp.abs(M @ z) ** 2),
    "real_of_conj": lambda z: jnp.sum(jnp.real(W * jnp.conj(z))),
    "spectrum": lambda z: jnp.sum(jnp.abs(jnp.fft.fft(z, 5)) ** 2 * jnp.arange(5)),
}
PULLED = {  # vjp with cotangent W of complex functions of Z
    "sin": jnp.sin, "log": jnp.log, "sqrt": jnp.sqrt, "tanh": jnp.tanh, "acos": jnp.arccos, "square": jnp.square,
    "product": lambda z: z * M[0], "conj": jnp.conj, "power": lambda z: z ** (0.5 + 1j), "fft": jnp.fft.fft,
}
REAL_GRADIENTS = {  # of real functions of R by way of complex numbers
    "rotation": lambda r: jnp.sum(jnp.real(jnp.exp(1j * r) * W)),
    "half_spectrum": lambda r: jnp.sum(jnp.abs(jnp.fft.rfft(r, 6)) ** 2 * jnp.arange(4)),
    "round_trip": lambda r: jnp.sum(jnp.fft.irfft(jnp.fft.rfft(r) * jnp.array([1, 2j]), 3) ** 2),
}


def pairs(values):
    return ", ".join(f"{{{float(v.real)!r}, {float(v.imag)!r}}}" for v in np.asarray(values, complex).ravel())


lines = [f"inline constexpr Pair z[] = {{{pairs(Z)}}};", f"inline constexpr Pair w[] = {{{pairs(W)}}};", f"inline constexpr Pair m[] = {{{pairs(M)}}};",
         "inline constexpr double r[] = {" + ", ".join(repr(float(v)) for v in R) + "};"]
for name, f in GRADIENTS.items():
    lines.append(f"inline constexpr Pair gradient_{name}[] = {{{pairs(jax.grad(f)(Z))}}};")
for name, f in PULLED.items():
    lines.append(f"inline constexpr Pair pulled_{name}[] = {{{pairs(jax.vjp(f, Z)[1](jnp.asarray(W))[0])}}};")
    lines.append(f"inline constexpr Pair pushed_{name}[] = {{{pairs(jax.jvp(f, (Z,), (W,))[1])}}};")
for name, f in REAL_GRADIENTS.items():
    lines.append(f"inline constexpr double gradient_{name}[] = {{" + ", ".join(repr(float(v)) for v in jax.grad(f)(R)) + "};")
X = np.array([complex((7 * k) % 5 - 2, (3 * k) % 4 - 1) for k in range(12)])
for n in (1, 2, 5, 8, 11, 12, 17, 30):
    lines.append(f"inline constexpr Pair fft_{n}[] = {{{pairs(np.fft.fft(X, n))}}};")
lines.append(f"inline constexpr Pair ifft_ortho[] = {{{pairs(np.fft.ifft(X, norm='ortho'))}}};")
lines.append(f"inline constexpr Pair rfft_7[] = {{{pairs(np.fft.rfft(X.real, 7))}}};")
lines.append(f"inline constexpr Pair irfft_9[] = {{{pairs(np.fft.irfft(X[:5], 9))}}};")
lines.append(f"inline constexpr Pair fft2_forward[] = {{{pairs(np.fft.fft2(X.reshape(3, 4), norm='forward'))}}};")
lines.append(f"inline constexpr Pair rfftn[] = {{{pairs(np.fft.rfftn(X.real.reshape(2, 2, 3)))}}};")
lines.append(f"inline constexpr Pair irfftn[] = {{{pairs(np.fft.irfftn(X.reshape(3, 4), (2, 5)))}}};")
text = "// Derivatives by JAX and transforms by NumPy; made by make_complex_vectors.py.\n#pragma once\n\nnamespace fluxion::test::exact_complex {\nstruct Pair {\n  double re, im;\n};\n// clang-format off\n"
text += "\n".join(lines) + "\n// clang-format on\n}  // namespace fluxion::test::exact_complex\n"
(pathlib.Path(__file__).parent / "complex_vectors.hpp").write_text(text)
