#!/usr/bin/env python3
"""Writes linalg_vectors.hpp: results of NumPy 2.4 and SciPy 1.17 for matrices of a formula.

    python3 -m venv env && env/bin/pip install numpy scipy && env/bin/python make_linalg_vectors.py
"""
import pathlib
import numpy as np
import scipy.linalg as sl

lines = []


def matrix(m, n, shift=0.0):
    """Element (i, j) is sin(1 + 3 i + 7 j + i j); `shift` is added on the diagonal."""
    i, j = np.meshgrid(np.arange(m), np.arange(n), indexing="ij")
    return np.sin(1.0 + 3 * i + 7 * j + i * j) + shift * np.eye(m, n)


def emit(name, array):
    words = [float(v).hex() for v in np.asarray(array, dtype=np.float64).reshape(-1)]
    lines.append(f"inline constexpr double {name}[{len(words)}] = {{")
    for k in range(0, len(words), 12):
        lines.append("    " + ", ".join(words[k : k + 12]) + ",")
    lines.append("};")


for n in (2, 3, 4, 7, 12):
    a, b = matrix(n, n, 3), matrix(n, 2)
    spd = matrix(n, n) @ matrix(n, n).T + 2 * np.eye(n)
    symmetric = matrix(n, n) + matrix(n, n).T
    emit(f"inverse_{n}", np.linalg.inv(a))
    emit(f"solve_{n}", np.linalg.solve(a, b))
    emit(f"det_{n}", np.linalg.det(a))
    emit(f"slogdet_{n}", np.linalg.slogdet(-a))
    emit(f"cholesky_{n}", np.linalg.cholesky(spd))
    emit(f"eigvalsh_{n}", np.linalg.eigvalsh(symmetric))
    lu, piv = sl.lu_factor(matrix(n, n))
    emit(f"lu_{n}", lu)
    emit(f"pivots_{n}", piv)
    emit(f"expm_{n}", sl.expm(matrix(n, n)))
    emit(f"expm_large_{n}", sl.expm(4 * matrix(n, n)))
    emit(f"power_{n}", np.linalg.matrix_power(a, -3))
for m, n in ((3, 2), (2, 3), (6, 4), (4, 7), (12, 9), (9, 12)):
    a = matrix(m, n, 2)
    q, r = np.linalg.qr(a)
    emit(f"q_{m}_{n}", q)
    emit(f"r_{m}_{n}", r)
    emit(f"svdvals_{m}_{n}", np.linalg.svd(a, compute_uv=False))
    emit(f"pinv_{m}_{n}", np.linalg.pinv(a))
    emit(f"lstsq_{m}_{n}", np.linalg.lstsq(a, matrix(m, 1), rcond=None)[0])
    emit(f"norms_{m}_{n}", [np.linalg.norm(a, p) for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)])
    emit(f"conds_{m}_{n}", [np.linalg.cond(a), np.linalg.matrix_rank(a)])
emit("rank_one_pinv", np.linalg.pinv(np.outer([1.0, 2, 3, 4], [1.0, -1, 2])))
emit("vector_norms", [np.linalg.norm(matrix(5, 1)[:, 0], p) for p in (0, 1, 2, 3.5, -1, np.inf, -np.inf)])
pathlib.Path(__file__).with_name("linalg_vectors.hpp").write_text(
    "// Results of NumPy and SciPy; made by make_linalg_vectors.py.\n#pragma once\n\nnamespace fluxion::test::scipy_numbers {\n// clang-format off\n"
    + "\n".join(lines) + "\n// clang-format on\n}  // namespace fluxion::test::scipy_numbers\n"
)
