#!/usr/bin/env python3
"""Prints trace/kernel/math_coefficients.hpp: weighted minimax polynomials by Remez's exchange.

Usage: minimax.py [name ...]   (needs mpmath; without names: the whole header)
"""
import sys
from mpmath import (atan, atanh, cos, digamma, erf, erfc, exp, expm1, findroot, log, log1p, loggamma, lu_solve, matrix, mp,
                    mpf, nint, pi, sin, sqrt, tanh)

mp.prec = 200


def rounded(value, bits):
    """The nearest number of `bits` significant bits."""
    with mp.workprec(bits):
        return +mpf(value)


def exchange(xs, targets, weights, powers):
    """Coefficients of x^powers with the least maximum of |weight * error| on the grid, and that."""
    count, size = len(xs), len(powers)
    values = {p: [x**p for x in xs] for p in powers}
    # The grid is of Chebyshev's density, so equal steps of its index start near the answer.
    picks = [round(i * (count - 1) / size) for i in range(size + 1)]
    best = None
    for _ in range(40):
        system, right = matrix(size + 1, size + 1), matrix(size + 1, 1)
        for row, i in enumerate(picks):
            for column, p in enumerate(powers):
                system[row, column] = values[p][i]
            system[row, size] = (-1)**row / weights[i]
            right[row] = targets[i]
        solution = lu_solve(system, right)
        errors = []
        for i in range(count):
            error = targets[i]
            for column, p in enumerate(powers):
                error -= solution[column] * values[p][i]
            errors.append(weights[i] * error)
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[0]:
            best = (worst, [solution[k] for k in range(size)])
        if worst - abs(solution[size]) < worst / 1000:
            break
        extrema = []  # one per run of equal sign
        for i, error in enumerate(errors):
            if extrema and (errors[extrema[-1]] > 0) == (error > 0):
                if abs(error) > abs(errors[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        while len(extrema) > size + 1:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        if len(extrema) < size + 1:
            break
        picks = extrema
    return best


def fit(function, weight, count, low, high, bits, one_by_one, long_constant):
    """The error of the rounded polynomial, and its coefficients, constant first."""
    points = max(400, 24 * count)
    low, high = mpf(low), mpf(high)
    xs = [low + (high - low) * (1 - cos(pi * (i + mpf(1) / 2) / points)) / 2 for i in range(points)]
    left = [function(x) for x in xs]
    weights = [weight(x) for x in xs]
    result = []
    for first in range(count):
        _, solution = exchange(xs, left, weights, list(range(first, count)))
        # The later coefficients make up for the rounding of the earlier ones, where the interval does
        # not contain zero; elsewhere x^first .. do not determine a best approximation.
        for power, value in enumerate(solution[:1] if one_by_one else solution, first):
            result.append(rounded(value, 2 * bits if long_constant and power == 0 else bits))
            left = [t - result[-1] * x**power for t, x in zip(left, xs)]
        if not one_by_one:
            break
    return max(abs(w * t) for w, t in zip(weights, left)), result


def at_least(least, x):
    return max(mpf(least), x)


ZERO = mpf("1e-12")
HALF_LN2 = log(mpf(2)) / 2 * mpf("1.0001")
ROOT_LOW, ROOT_HIGH = sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1
S_MAX = (3 - 2 * sqrt(mpf(2))) * mpf("1.0001")  # s = f / (2 + f) of the mantissa 1 + f


def series(f):
    """P with f(x) = x + x^3 P(x^2), and the weight that makes the error relative to f."""
    return (lambda z: (f(sqrt(z)) / sqrt(z) - 1) / z, lambda z: z * sqrt(z) / f(sqrt(z)))


def erfc_part(middle):
    def value(q):
        x = middle * (1 + q) / (1 - q)
        return (1 + 2 * x) * exp(x * x) * erfc(x)
    return value, lambda q: 1 / value(q)


def middle_range(middle, top):
    return mpf(-1) + mpf("1e-9"), (mpf(top) - middle) / (mpf(top) + middle)


# name: (what it is, function, weight, count, low, high, bits, one by one, constant as two parts)
FITS = {}


def row(name, text, functions, count, low, high, bits, one_by_one=True, long_constant=False):
    FITS[name] = (text, *functions, count, low, high, bits, one_by_one, long_constant)


exp_tail = (lambda r: (expm1(r) - r) / r**2, lambda r: at_least("0.01", r * r) / exp(r))
row("exp_single", "(exp(r) - 1 - r) / r^2, |r| <= ln(2) / 2", exp_tail, 5, -HALF_LN2, HALF_LN2, 24, False)
row("exp_double", "(exp(r) - 1 - r) / r^2, |r| <= ln(2) / 2", exp_tail, 11, -HALF_LN2, HALF_LN2, 53)
row("log_single", "(log(1 + f) - f) / f^2, 1 + f from sqrt(1/2) to sqrt(2)",
    (lambda f: (log1p(f) - f) / f**2,
     lambda f: at_least("0.0025", f * f) / at_least("0.05", abs(log1p(f)))), 9, ROOT_LOW, ROOT_HIGH, 24, False)
row("log_double", "(atanh(s) / s - 1) * 2 / s^2 in s^2, |s| <= 3 - 2 sqrt(2)",
    (lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z, lambda z: z / 2), 7, ZERO, S_MAX**2, 53)
row("log2_wide", "log2(1 + f) / f to 36 bits",
    (lambda f: log1p(f) / f / log(mpf(2)), lambda f: f / log1p(f) * log(mpf(2))), 13, ROOT_LOW, ROOT_HIGH, 53, False)
row("exp2_wide", "2^r to 29 bits, |r| <= 1/2",
    (lambda r: mpf(2)**r, lambda r: mpf(2)**-r), 7, "-0.5001", "0.5001", 53, False)
row("atanh_tail", "((atanh(q) / q - 1) / q^2 - 1/3) / q^2 in q^2, |q| <= 3 - 2 sqrt(2)",
    (lambda s: ((atanh(sqrt(s)) / sqrt(s) - 1) / s - mpf(1) / 3) / s, lambda s: s * s), 8, "1e-8", S_MAX**2, 53)
row("tanh_single", "(tanh(x) / x - 1) / x^2 in x^2, |x| <= 0.55", series(tanh), 5, ZERO, "0.3026", 24)
row("tanh_double", "(tanh(x) / x - 1) / x^2 in x^2, |x| <= 0.55", series(tanh), 11, ZERO, "0.3026", 53)
row("sin_half_turn", "sin(pi t) / t in t^2 to 43 bits, |t| <= 1/2",
    (lambda z: sin(pi * sqrt(z)) / sqrt(z), lambda z: sqrt(z) / sin(pi * sqrt(z))), 7, ZERO, "0.2502", 53)
row("sin_quarter_turn", "sin(pi t) / t in t^2 to 37 bits, |t| <= 1/4",
    (lambda z: sin(pi * sqrt(z)) / sqrt(z), lambda z: sqrt(z) / sin(pi * sqrt(z))), 5, ZERO, "0.06255", 53)
row("cos_quarter_turn", "cos(pi t) in t^2 to 34 bits, |t| <= 1/4",
    (lambda z: cos(pi * sqrt(z)), lambda z: 1 / cos(pi * sqrt(z))), 5, ZERO, "0.06255", 53)
row("sin_half_pi", "(sin(x) / x - 1) / x^2 in x^2, |x| <= pi / 2", series(sin), 8, ZERO, "2.468", 53)
row("sin_quarter_pi", "(sin(x) / x - 1) / x^2 in x^2, |x| <= pi / 4", series(sin), 6, ZERO, "0.6172", 53)
row("cos_quarter_pi", "(cos(x) - 1 + x^2 / 2) / x^4 in x^2, |x| <= pi / 4",
    (lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, lambda z: z * z), 6, ZERO, "0.6172", 53)
row("atan_single", "(atan(t) / t - 1) / t^2 in t^2, t <= 1", series(atan), 9, ZERO, 1, 24)
row("atan_double", "(atan(t) / t - 1) / t^2 in t^2, t <= 1", series(atan), 20, ZERO, 1, 53)
erf_small = (lambda z: erf(sqrt(z)) / sqrt(z) - 1, lambda z: sqrt(z) / erf(sqrt(z)))
row("erf_small_single", "erf(x) / x - 1 in x^2, |x| <= 0.9275", erf_small, 6, ZERO, "0.8613", 24)
row("erf_small_double", "erf(x) / x - 1 in x^2, |x| <= 0.9275", erf_small, 12, ZERO, "0.8613", 53)
erf_large = (lambda t: -log(erfc(t)) / t - 1, lambda t: erfc(t) * t / erf(t))
row("erf_large_single", "-log(erfc(t)) / t - 1, t from 0.927 to 3.93", erf_large, 6, "0.927", "3.93", 24)
row("erf_large_double", "-log(erfc(t)) / t - 1, t from 0.927 to 5.94", erf_large, 18, "0.927", "5.94", 53)
row("erfc_single", "(1 + 2 x) exp(x^2) erfc(x) in (x - 2) / (x + 2), 0 <= x <= 10.07",
    erfc_part(mpf(2)), 10, *middle_range(2, "10.07"), 24, False, True)
row("erfc_double", "(1 + 2 x) exp(x^2) erfc(x) in (x - 4) / (x + 4), 0 <= x <= 27.3",
    erfc_part(mpf(4)), 23, *middle_range(4, "27.3"), 53, False, True)
row("lgamma_near_two", "lgamma(2 + t) / t, t from -3/4 to 1/2",
    (lambda t: loggamma(2 + t) / t, lambda t: t / loggamma(2 + t)), 24, "-0.7501", "0.5001", 53, False)
stirling = lambda x: (x - mpf(1) / 2) * log(x) - x + log(2 * pi) / 2
row("lgamma_tail", "(lgamma(x) - Stirling's formula) x in 1 / x^2, x >= 7",
    (lambda w: (loggamma(1 / sqrt(w)) - stirling(1 / sqrt(w))) / sqrt(w), lambda w: mpf(1)), 8, "1e-14", "0.020409", 53)
DIGAMMA_ROOT = findroot(digamma, mpf("1.4616"))
row("digamma_near_root", "digamma(x) / (x - its root) in x - 1.625, 1 <= x <= 2.25",
    (lambda t: digamma(t + mpf("1.625")) / (t + mpf("1.625") - DIGAMMA_ROOT),
     lambda t: (t + mpf("1.625") - DIGAMMA_ROOT) / digamma(t + mpf("1.625"))), 24, "-0.6251", "0.6251", 53, False)
row("digamma_tail", "(log(x) - 1 / (2 x) - digamma(x)) x^2 in 1 / x^2, x >= 6.25",
    (lambda w: (log(1 / sqrt(w)) - sqrt(w) / 2 - digamma(1 / sqrt(w))) / w, lambda w: mpf(1)), 10, "1e-12", "0.025601", 53)


def literal(value, bits):
    digits = 9 if bits == 24 else 17
    return f"{float(value):.{digits}g}" + ("f" if bits == 24 else "")


def wrapped(items, indent="    "):
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 2 > 100:
            lines.append(line.rstrip())
            line = indent
        line += item + ", "
    return "\n".join(lines + [line.rstrip().rstrip(",")])


def with_point(text):
    head = text.rstrip("f")
    return text if "." in head or "e" in head else head + "." + text[len(head):]


def print_fit(name):
    text, *arguments = FITS[name]
    *_, count, _, _, bits, _, long_constant = arguments
    worst, coefficients = fit(*arguments)
    print(f"// {text}; error 2^{float(log(worst, 2)):.1f}.")
    print(f"inline constexpr std::array<double, {count}> {name} = {{")
    print(wrapped([with_point(literal(rounded(c, bits), bits)) for c in coefficients]) + "};")
    if long_constant:
        low = coefficients[0] - rounded(coefficients[0], bits)
        print(f"inline constexpr double {name}_low = {with_point(literal(low, bits))};")


def chunks(value, count):
    """`value` as a sum of doubles, each the rest's nearest."""
    parts = []
    for _ in range(count):
        parts.append(rounded(value, 53))
        value -= parts[-1]
    return parts


def centred(value):
    """The representative of value modulo 2 in [-1, 1]."""
    return value - 2 * nint(value / 2)


def print_inverse_pi():
    with mp.workprec(1400):
        print("// 1/pi * 2^(16 g) modulo 2 as four doubles: row k holds the k-th parts, g = 0 .. 60.")
        print("inline constexpr std::array<std::array<double, 61>, 4> inverse_pi = {{")
        groups = [chunks(1 / pi * mpf(2)**(16 * g) if g == 0 else centred(1 / pi * mpf(2)**(16 * g)), 4)
                  for g in range(61)]
        for k in range(4):
            print("    {{" + wrapped([with_point(literal(g[k], 53)) for g in groups], "      ").lstrip() + "}},")
        print("}};")
        print("// 1/pi, and 1/pi * 2^64 modulo 2, as three doubles.")
        for name, value in (("inverse_pi_low", 1 / pi), ("inverse_pi_high", centred(1 / pi * mpf(2)**64))):
            print(f"inline constexpr std::array<double, 3> {name} = {{")
            print(wrapped([with_point(literal(c, 53)) for c in chunks(value, 3)]) + "};")


def main():
    if sys.argv[1:]:
        for name in sys.argv[1:]:
            print_fit(name)
        return
    print("// The coefficients of math.hpp's polynomials, constant first; printed by scripts/minimax.py.")
    print("#pragma once\n#include <array>\n\nnamespace fluxion::kernel::coefficients {\n")
    for name in FITS:
        print_fit(name)
    print_inverse_pi()
    print("\n}  // namespace fluxion::kernel::coefficients")


main()
