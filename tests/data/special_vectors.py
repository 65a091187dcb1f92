"""Writes special_vectors.hpp: values of special functions by mpmath, to 17 digits of 40."""
import mpmath as mp

mp.mp.dps = 40


def number(x):
    return mp.nstr(mp.mpf(x), 20, min_fixed=-5, max_fixed=17)


def gammainc(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


rows = []


def add(name, f, arguments):
    for x in arguments:
        x = x if isinstance(x, tuple) else (x,)
        x = tuple(mp.mpf(v) for v in x)
        padded = list(x) + [0] * (3 - len(x))
        rows.append('    {"%s", {%s}, %s},' % (name, ", ".join(number(v) for v in padded), number(f(*x))))


add("gammaln", lambda x: mp.re(mp.loggamma(x)), [0.125, 0.5, 1.5, 3.25, 10, 100.5, -0.5, -2.75, -10.25])
add("gamma", mp.gamma, [0.125, 0.5, 4.5, 10, -0.5, -2.75, 30.5])
add("digamma", mp.digamma, [0.125, 0.5, 1, 1.5, 10, 100.5, -0.5, -2.75])
add("polygamma", lambda n, x: mp.polygamma(int(n), x), [(0, 2.5), (1, 0.125), (1, 1), (1, 10.5), (1, -0.5), (1, -2.75), (2, 1), (2, 0.5), (3, 4.25), (5, 2.5), (1, 1000)])
add("zeta", mp.zeta, [(1.5, 1), (2, 1), (3, 1), (2, 0.25), (2.5, 7.5), (10, 0.5), (1.125, 20), (30, 2), (4, 1000)])
add("betaln", lambda a, b: mp.log(mp.beta(a, b)), [(0.5, 0.5), (2.5, 3.5), (10, 20), (0.125, 30)])
add("multigammaln", lambda a, d: mp.log(mp.pi) * d * (d - 1) / 4 + sum(mp.loggamma(a - mp.mpf(k) / 2) for k in range(int(d))), [(3.5, 3), (10, 5)])
gammas = [(0.5, 0.25), (0.5, 1), (1, 1), (2.5, 0.125), (2.5, 6), (10, 5), (10, 20), (30, 29), (100, 110), (500, 480), (0.125, 3), (5, 0.001)]
add("gammainc", gammainc, gammas)
add("gammaincc", lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), gammas + [(2, 40), (0.5, 100)])
add("gammainc_grad_a", lambda a, x: mp.diff(lambda t: gammainc(t, x), a), [(0.5, 0.25), (1, 1), (2.5, 6), (10, 5), (10, 20), (30, 29)])
betas = [(0.5, 0.5, 0.3), (2, 3, 0.5), (5, 1.5, 0.9), (20, 30, 0.35), (20, 30, 0.5), (0.25, 8, 0.01), (100, 80, 0.55), (1, 1, 0.125)]
add("betainc", lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), betas)
add("betainc_grad_a", lambda a, b, x: mp.diff(lambda t: mp.betainc(t, b, 0, x, regularized=True), a), betas[:6])
add("betainc_grad_b", lambda a, b, x: mp.diff(lambda t: mp.betainc(a, t, 0, x, regularized=True), b), betas[:6])
for n in (0, 1):
    add("i%d" % n, lambda x: mp.besseli(n, x), [0, 0.5, 1, 4, 7.9, 8.1, 20, -3, 100])
    add("i%de" % n, lambda x: mp.besseli(n, x) * mp.exp(-abs(x)), [0, 0.001, 1, 7.9, 8.1, 20, -3, 100, 5000])
add("ndtr", mp.ncdf, [-10, -3, -1, 0, 0.5, 2, 6])
add("log_ndtr", lambda x: mp.log(mp.ncdf(x)), [-100, -40, -10, -5.5, -4.5, -1, 0, 2, 6])
add("ndtri", lambda p: -mp.sqrt(2) * mp.findroot(lambda t: mp.erfc(t) / 2 - p, mp.mpf(1)) if p < 0.5 else mp.sqrt(2) * mp.erfinv(2 * p - 1), [0.001, 0.025, 0.25, 0.5, 0.75, 0.975, 0.999])
add("entr", lambda x: -x * mp.log(x), [0.25, 1, 3])

print("// Made by special_vectors.py with mpmath %s." % mp.__version__)
print("#pragma once\n\nnamespace fluxion::test {\n")
print("struct SpecialVector {\n  const char* name;\n  double x[3];\n  double value;\n};")
print("inline constexpr SpecialVector special_vectors[] = {")
print("\n".join(rows))
print("};\n\n}  // namespace fluxion::test")
