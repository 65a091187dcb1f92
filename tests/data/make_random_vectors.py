#!/usr/bin/env python3
"""Writes random_vectors.hpp: numbers drawn by JAX (0.10.2, jax_threefry_partitionable=True, x64 on, CPU) for fixed keys.

    python3 -m venv env && env/bin/pip install jax==0.10.2 && env/bin/python make_random_vectors.py
"""
import pathlib
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
assert jax.config.jax_threefry_partitionable and jax.config.jax_default_prng_impl == "threefry2x32"
random = jax.random
SEEDS = [0, 42, 0x123456789ABCDEF0]
lines = []


def emit(name, kind, rows):
    """One table: a row of numbers for each seed."""
    rows = [np.asarray(row).reshape(-1) for row in rows]
    lines.append(f"inline constexpr {kind} {name}[{len(rows)}][{len(rows[0])}] = {{")
    for row in rows:
        if row.dtype.kind == "f":
            words = [float(v).hex() for v in row]
        elif kind == "std::uint64_t":
            words = [f"{int(v)}u" for v in row]
        else:
            words = [str(int(v)) for v in row]
        lines.append("    {" + ", ".join(words) + "},")
    lines.append("};")


def each(draw):
    return [draw(random.PRNGKey(seed)) for seed in SEEDS]


emit("keys", "std::uint64_t", each(lambda k: k))
emit("split3", "std::uint64_t", each(lambda k: random.split(k, 3)))
emit("folded7", "std::uint64_t", each(lambda k: random.fold_in(k, 7)))
emit("folded_large", "std::uint64_t", each(lambda k: random.fold_in(k, 0xFFFFFFF0)))
for width in (8, 16, 32, 64):
    emit(f"bits{width}", "std::uint64_t", each(lambda k: random.bits(k, (2, 3), f"uint{width}")))
emit("bits_scalar", "std::uint64_t", each(lambda k: random.bits(k, (), "uint32")))
emit("bits_1000_last", "std::uint64_t", each(lambda k: random.bits(k, (1000,), "uint32")[-4:]))
for name, dtype in (("32", "float32"), ("64", "float64"), ("16", "float16"), ("b16", "bfloat16")):
    emit(f"uniform{name}", "double", each(lambda k: random.uniform(k, (5,), dtype).astype("float64")))
emit("uniform_symmetric", "double", each(lambda k: random.uniform(k, (2, 3), "float32", -1, 1).astype("float64")))
emit("uniform_odd_range", "double", each(lambda k: random.uniform(k, (8,), "float32", np.float32(-3.7), np.float32(2.2)).astype("float64")))
emit("uniform64_odd_range", "double", each(lambda k: random.uniform(k, (8,), "float64", -3.7, 2.2)))
INTEGERS = [("int32", 0, 10), ("int32", -100, 1000003), ("int32", 5, 5), ("int32", -2**31, 2**31 - 1), ("int64", -7, 2**40), ("uint8", 0, 256), ("uint8", 3, 200),
            ("int8", -128, 127), ("uint16", 0, 60000), ("uint32", 0, 2**32), ("uint64", 0, 2**50)]
for index, (dtype, low, high) in enumerate(INTEGERS):
    emit(f"randint{index}", "std::int64_t", each(lambda k: random.randint(k, (6,), low, high, dtype)))
emit("normal32", "double", each(lambda k: random.normal(k, (12,), "float32").astype("float64")))
emit("normal64", "double", each(lambda k: random.normal(k, (12,), "float64")))
emit("truncated32", "double", each(lambda k: random.truncated_normal(k, -0.5, 2.0, (8,), "float32").astype("float64")))
emit("bernoulli", "std::int64_t", each(lambda k: random.bernoulli(k, np.float32(0.3), (16,)).astype("int64")))
emit("exponential", "double", each(lambda k: random.exponential(k, (8,), "float32").astype("float64")))
emit("laplace", "double", each(lambda k: random.laplace(k, (8,), "float32").astype("float64")))
emit("gumbel", "double", each(lambda k: random.gumbel(k, (8,), "float32").astype("float64")))
emit("logistic", "double", each(lambda k: random.logistic(k, (8,), "float32").astype("float64")))
emit("cauchy", "double", each(lambda k: random.cauchy(k, (8,), "float32").astype("float64")))


def rademacher(key):
    with jax.enable_x64(False):  # by default its probability of 0.5 is a float32
        return random.rademacher(key, (8,), "int32")


emit("rademacher", "std::int64_t", each(rademacher))
LOGITS = jnp.log(jnp.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]], "float32"))
emit("categorical", "std::int64_t", each(lambda k: random.categorical(k, LOGITS)))
emit("categorical_many", "std::int64_t", each(lambda k: random.categorical(k, LOGITS, axis=-1, shape=(5, 2))))
emit("categorical_first", "std::int64_t", each(lambda k: random.categorical(k, LOGITS, axis=0)))

text = "// Numbers drawn by JAX for fixed keys; made by make_random_vectors.py. One row for each seed.\n#pragma once\n#include <cstdint>\n\nnamespace fluxion::test::jax_numbers {\n// clang-format off\n"
text += f"inline constexpr std::uint64_t seeds[{len(SEEDS)}] = {{" + ", ".join(f"{s}u" for s in SEEDS) + "};\n"
text += "\n".join(lines) + "\n// clang-format on\n}  // namespace fluxion::test::jax_numbers\n"
(pathlib.Path(__file__).parent / "random_vectors.hpp").write_text(text)
