#!/usr/bin/env python3
"""Writes distribution_vectors.hpp: samples drawn by JAX (0.10.2, jax_threefry_partitionable=True, CPU) for fixed keys, and gradients.

    python3 -m venv env && env/bin/pip install jax==0.10.2 && env/bin/python make_distribution_vectors.py
"""
import pathlib
import jax
import jax.numpy as jnp
import numpy as np

random = jax.random
SEEDS = [0, 42, 0x12345678]
lines = []


def emit(name, draw):
    """One table: a row of numbers for each seed."""
    rows = [np.asarray(draw(random.PRNGKey(seed))).astype("float64").reshape(-1) for seed in SEEDS]
    lines.append(f"inline constexpr double {name}[{len(rows)}][{len(rows[0])}] = {{")
    for row in rows:
        lines.append("    {" + ", ".join(float(v).hex() for v in row) + "},")
    lines.append("};")


ALPHAS = np.array([0.05, 0.3, 0.9, 1.0, 1.7, 4.0, 30.0, 1000.0])
COV = np.array([[2.0, 0.6, 0.1], [0.6, 1.0, -0.2], [0.1, -0.2, 0.5]], "float32")
P = np.array([0.1, 0.4, 0.05, 0.25, 0.2], "float32")
ROWS = np.arange(12, dtype="float32").reshape(6, 2)
f32 = lambda *v: np.array(v, "float32")

emit("gamma32", lambda k: random.gamma(k, ALPHAS.astype("float32")))
emit("loggamma32", lambda k: random.loggamma(k, ALPHAS.astype("float32")))
emit("gamma_grad32", lambda k: jax.grad(lambda a: random.gamma(k, a).sum())(ALPHAS.astype("float32")[1:]))
emit("beta", lambda k: random.beta(k, f32(0.5, 1, 3), f32(2, 0.3, 4)))
emit("beta_grad", lambda k: jax.grad(lambda a: random.beta(k, a, f32(2, 0.3, 4)).sum())(f32(0.5, 1, 3)))
emit("dirichlet", lambda k: random.dirichlet(k, f32(0.5, 1, 3), (2,)))
emit("chisquare", lambda k: random.chisquare(k, f32(1, 5), shape=(2,)))
emit("student", lambda k: random.t(k, f32(1, 5), (2,)))
emit("fisher", lambda k: random.f(k, np.float32(3), np.float32(7), (4,)))
emit("pareto", lambda k: random.pareto(k, np.float32(1.5), (4,)))
emit("weibull", lambda k: random.weibull_min(k, 2.0, 1.5, (4,)))
emit("maxwell", lambda k: random.maxwell(k, (4,)))
emit("lognormal", lambda k: random.lognormal(k, np.float32(0.7), (4,)))
emit("rayleigh", lambda k: random.rayleigh(k, np.float32(2), (4,)))
emit("geometric", lambda k: random.geometric(k, np.float32(0.2), (8,)))
emit("triangular", lambda k: random.triangular(k, -1.0, 0.5, 2.0, (8,)))
emit("multivariate", lambda k: random.multivariate_normal(k, f32(1, 2, 3), COV, (2,)))
emit("orthogonal", lambda k: random.orthogonal(k, 3))
emit("orthogonal_wide", lambda k: random.orthogonal(k, 2, m=3))
emit("poisson", lambda k: random.poisson(k, f32(0, 0.1, 1, 5, 9.9, 10, 50, 3000)))
emit("permutation", lambda k: random.permutation(k, 20))
emit("permutation_rows", lambda k: random.permutation(k, ROWS))
emit("permutation_lines", lambda k: random.permutation(k, ROWS, independent=True))
emit("permutation_large", lambda k: random.permutation(k, 3000)[:16])
emit("choice", lambda k: random.choice(k, 10, (6,)))
emit("choice_once", lambda k: random.choice(k, 10, (6,), replace=False))
emit("choice_weighted", lambda k: random.choice(k, 5, (2, 4), p=P))
emit("choice_weighted_once", lambda k: random.choice(k, 5, (3,), replace=False, p=P))
emit("choice_rows", lambda k: random.choice(k, ROWS, (3,), replace=False))
with jax.enable_x64(True):
    emit("gamma64", lambda k: random.gamma(k, ALPHAS, dtype="float64"))
    emit("gamma_grad64", lambda k: jax.grad(lambda a: random.gamma(k, a, dtype="float64").sum())(ALPHAS))
    A = np.array([0.05, 0.5, 1.0, 2.5, 10.0, 10.0, 200.0, 200.0])
    X = np.array([1e-3, 0.3, 1.5, 2.0, 4.0, 25.0, 180.0, 230.0])
    emit("random_gamma_grad", lambda k: jax.lax.random_gamma_grad(A, X))
pathlib.Path(__file__).with_name("distribution_vectors.hpp").write_text(
    "// Samples drawn by JAX for fixed keys; made by make_distribution_vectors.py. One row for each seed.\n#pragma once\n#include <cstdint>\n\nnamespace fluxion::test::jax_samples {\n// clang-format off\n"
    f"inline constexpr std::uint64_t seeds[{len(SEEDS)}] = {{" + ", ".join(f"{s}u" for s in SEEDS) + "};\n"
    + "\n".join(lines) + "\n// clang-format on\n}  // namespace fluxion::test::jax_samples\n"
)
