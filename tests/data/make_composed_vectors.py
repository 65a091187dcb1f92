#!/usr/bin/env python3
"""Writes composed_vectors.hpp: functions of one and two real numbers by mpmath (50 digits), rounded to float64.

    python3 -m venv env && env/bin/pip install mpmath && env/bin/python make_composed_vectors.py
"""
import pathlib
from mpmath import mp, mpf, inf, nan, isnan
import mpmath as m

mp.dps = 50
WIDE = ["-30.5", "-7.25", "-2.5", "-1.0", "-0.625", "-0.03125", "-1e-5", "0.0", "1e-7", "0.0009765625", "0.25", "0.5", "1.0", "1.75", "3.0", "11.0", "42.5"]
UNIT = ["-0.9990234375", "-0.75", "-0.5", "-0.015625", "-1e-6", "0.0", "1e-9", "0.125", "0.5", "0.875", "0.9999"]
POSITIVE = ["1e-30", "1e-5", "0.03125", "0.5", "0.9921875", "1.0", "1.0078125", "2.0", "8.0", "1000.0", "123456.0", "1e25"]
ABOVE_ONE = ["1.0", "1.0001", "1.125", "2.0", "17.0", "9999.0", "10001.0", "1e15", "1e30"]
HYPERBOLIC = WIDE + ["88.5", "-89.25", "0.0001"]


def phi(x):
    return (1 + m.erf(x / m.sqrt(2))) / 2


UNARY = {
    "exp2": (WIDE, lambda x: mpf(2) ** x), "log2": (POSITIVE, lambda x: m.log(x) / m.log(2)), "log10": (POSITIVE, m.log10), "cbrt": (WIDE + POSITIVE, lambda x: m.sign(x) * m.cbrt(abs(x))),
    "asin": (UNIT + ["1.0", "-1.0"], m.asin), "acos": (UNIT + ["1.0", "-1.0"], m.acos), "atan": (WIDE + ["1e20"], m.atan),
    "sinh": (HYPERBOLIC, m.sinh), "cosh": (HYPERBOLIC, m.cosh), "asinh": (WIDE + ["1e20", "-20000.0", "1e4"], m.asinh), "acosh": (ABOVE_ONE, m.acosh), "atanh": (UNIT, m.atanh),
    "sinc": (["-2.5", "-0.5", "-0.03", "0.0", "0.001", "0.0318", "0.0319", "0.25", "7.75"], lambda x: m.sincpi(x)),
    "erf_inv": (UNIT, m.erfinv), "logit": (["1e-6", "0.125", "0.5", "0.75", "0.999"], lambda x: m.log(x / (1 - x))),
    "radians": (["0.0", "30.0", "-180.0", "720.5"], m.radians), "degrees": (["0.0", "1.0", "-3.25"], m.degrees),
    "softplus": (WIDE, lambda x: m.log(1 + m.exp(x))), "log_sigmoid": (WIDE, lambda x: -m.log(1 + m.exp(-x))), "silu": (WIDE, lambda x: x / (1 + m.exp(-x))),
    "mish": (WIDE, lambda x: x * m.tanh(m.log(1 + m.exp(x)))), "soft_sign": (WIDE, lambda x: x / (1 + abs(x))), "gelu_exact": (WIDE, lambda x: x * m.erfc(-x / m.sqrt(2)) / 2),
    "gelu": (WIDE, lambda x: x / 2 * (1 + m.tanh(m.sqrt(2 / m.pi) * (x + mpf("0.044715") * x**3)))),
    "elu": (WIDE, lambda x: x if x > 0 else m.expm1(x)), "selu": (WIDE, lambda x: mpf("1.0507009873554804934193349852946") * (x if x > 0 else mpf("1.6732632423543772848170429916717") * m.expm1(x))),
}
PAIRS = [(a, b) for a in ["-7.5", "-2.0", "-0.25", "0.5", "3.0", "40.0"] for b in ["-3.0", "-0.75", "1.5", "2.0", "40.0"]]
BINARY = {
    "hypot": (PAIRS + [("0.0", "0.0"), ("3e30", "4e30")], m.hypot), "logaddexp": (PAIRS, lambda x, y: m.log(m.exp(x) + m.exp(y))),
    "logaddexp2": (PAIRS, lambda x, y: m.log(mpf(2) ** x + mpf(2) ** y) / m.log(2)), "remainder": (PAIRS, lambda x, y: x - m.floor(x / y) * y), "floor_divide": (PAIRS, lambda x, y: m.floor(x / y)),
    "fmod": (PAIRS, lambda x, y: x - (m.floor(x / y) if x / y > 0 else m.ceil(x / y)) * y), "atan2": (PAIRS, m.atan2),
    "xlogy": ([("0.0", "0.0"), ("0.0", "3.0"), ("2.5", "0.125")], lambda x, y: x * m.log(y) if x else mpf(0)), "xlog1py": ([("0.0", "-1.0"), ("2.0", "1e-6"), ("-1.5", "7.0")], lambda x, y: x * m.log1p(y) if x else mpf(0)),
}


def rows(name, table, arity):
    points, f = table[name]
    out = []
    for point in points:
        args = [mpf(float(p)) for p in (point if arity == 2 else [point])]
        value = f(*args)
        text = "0.0" if value == 0 else repr(float(value))
        out.append("{" + ", ".join(repr(float(a)) for a in args) + ", " + text + "}")
    return out


text = "// Values of functions by mpmath with 50 digits; made by make_composed_vectors.py. {x, f(x)} and {x, y, f(x, y)}.\n#pragma once\n\nnamespace fluxion::test::exact {\n// clang-format off\n"
for table, arity in ((UNARY, 1), (BINARY, 2)):
    for name in table:
        data = rows(name, table, arity)
        text += f"inline constexpr double {name}[][{arity + 1}] = {{\n    " + ", ".join(data) + "};\n"
text += "// clang-format on\n}  // namespace fluxion::test::exact\n"
(pathlib.Path(__file__).parent / "composed_vectors.hpp").write_text(text)
