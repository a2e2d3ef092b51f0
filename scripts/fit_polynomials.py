#!/usr/bin/env python3
# scripts/fit_polynomials.py: computes every polynomial and table of ops/vecmath and prints ops/vecmath/coefficients.h, which clang-format then wraps (needs mpmath; takes minutes).
# Usage: fit_polynomials.py [name ...] > ops/vecmath/coefficients.h; with names, only those and their errors on stderr.
import struct
import sys

from mpmath import acos, asin, atan, cos, erf, erfc, exp, expm1, log, log1p, mp, mpf, nstr, pi, sin, sinh, sqrt, tan, tanh
from remez import fit, least_squares, round_to

mp.dps = 60
H = log(2) / 2
CENTRE = mpf(float.fromhex("0x1.2cedfcp+1"))  # A float near 2.35 whose erf is a float to within 1e-4 of its last place.
ROOT = (sqrt(mpf("0.5")) - 1, sqrt(mpf(2)) - 1)  # f = m - 1 for m in [sqrt(1/2), sqrt(2)].


def root(f):
    """f(sqrt(u)) as a function of u."""
    return lambda u: f(sqrt(u))


def log_q(f):
    return (log1p(f) - f) / f**2


def atanh_tail(z):
    """(log((1+s)/(1-s)) - 2s) / s^3 at z = s*s."""
    s = sqrt(z)
    return (log((1 + s) / (1 - s)) - 2 * s) / s**3


def pow_tail(z):
    """(log((1+s)/(1-s)) - 2s - 2/3 s^3) / s^5 at z = s*s."""
    s = sqrt(z)
    return (log((1 + s) / (1 - s)) - 2 * s - 2 * s**3 / 3) / s**5


def erfcx_m(t, k, c):
    """(1 + c*a) * exp(a*a) * erfc(a) at a = k*(1+t)/(1-t)."""
    a = k * (1 + t) / (1 - t)
    return (1 + c * a) * exp(a * a) * erfc(a)


# name: (comment, function, weight of the absolute error, lo, hi, {32: degree, 64: degree})
FITS = {
    "exp_half": ("(e^r - 1) / r, |r| <= ln 2 / 2", lambda r: expm1(r) / r, lambda r: r / exp(r), -H - 0.0005, H + 0.0005, {32: 5, 64: 10}),
    "exp2_half": ("(2^r - 1) / r, |r| <= 1/2", lambda r: expm1(r * log(2)) / r, lambda r: r / 2**r, mpf(-0.5), mpf(0.5), {32: 5, 64: 10}),
    "expm1": ("(e^r - 1 - r) / r^2, |r| <= ln 2 / 2", lambda r: (expm1(r) - r) / r**2, lambda r: r * r / abs(expm1(r)), -H - 0.0005, H + 0.0005, {32: 5, 64: 10}),
    "log": ("(log(1+f) - f) / f^2, 1+f in [sqrt 1/2, sqrt 2]", log_q, lambda f: f * f / abs(log1p(f)), ROOT[0], ROOT[1], {32: 9}),
    "log_s": ("(log((1+s)/(1-s)) - 2s) / s^3 in s^2", atanh_tail, lambda z: sqrt(z) ** 3 / (2 * sqrt(z)), 0, mpf("0.02945"), {64: 6}),
    "log2_pow": ("log2(1+f) / f, 1+f in [sqrt 1/2, sqrt 2], for powf", lambda f: log1p(f) / log(2) / f, lambda f: f / log1p(f), ROOT[0], ROOT[1], {64: 13}),
    "exp2_pow": ("(2^r - 1) / r, |r| <= 1/2, for powf", lambda r: expm1(r * log(2)) / r, lambda r: r / 2**r, mpf(-0.5), mpf(0.5), {64: 6}),
    "log_pow": ("(log((1+s)/(1-s)) - 2s - 2/3 s^3) / s^5 in s^2, for pow", pow_tail, lambda z: z**2, 0, mpf("0.02945"), {64: 7}),
    "sin": ("(sin r - r) / r^3 in r^2, |r| <= 0.80", root(lambda r: (sin(r) / r - 1) / r**2), root(lambda r: r**3 / sin(r)), 0, mpf("0.64"), {32: 2, 64: 5}),
    "cos": ("(cos r - 1) / r^2 in r^2, |r| <= 0.80", root(lambda r: (cos(r) - 1) / r**2), lambda u: u, 0, mpf("0.64"), {32: 3, 64: 6}),
    "tan": ("(tan r - r) / r^3 in r^2, |r| <= 0.80", root(lambda r: (tan(r) / r - 1) / r**2), root(lambda r: r**3 / tan(r)), 0, mpf("0.64"), {32: 6, 64: 13}),
    "atan": ("(atan t - t) / t^3 in t^2, |t| <= 1", root(lambda t: (atan(t) / t - 1) / t**2), root(lambda t: t**3 / atan(t)), 0, 1, {32: 8, 64: 18}),
    "asin": ("(asin t - t) / t^3 in t^2, |t| <= 1/2", root(lambda t: (asin(t) / t - 1) / t**2), root(lambda t: t**3 / asin(t)), 0, mpf("0.25"), {32: 4, 64: 11}),
    "erf_small": ("erf(x) / x - 1 in x^2, |x| <= 1", root(lambda x: erf(x) / x - 1), root(lambda x: x / erf(x)), 0, 1, {32: 6, 64: 12}),
    "erf_large": ("erf(c + t), c = 2.35101..., 0.94 <= c + t <= 3.92", lambda t: erf(t + CENTRE), lambda t: 1, mpf("0.94") - CENTRE, mpf("3.92") - CENTRE, {32: 15}),
    "erfcx": ("(1 + 2a) e^(a^2) erfc(a) in t = (a - 4)/(a + 4), 0 <= a <= 28", lambda t: erfcx_m(t, 4, 2), lambda t: 1 / erfcx_m(t, 4, 2), -1, mpf("0.75"), {32: 11, 64: 22}),
    "erf_tail": ("e^(a^2) erfc(a) in t = (a - 2.5)/(a + 2.5), 1 <= a <= 6", lambda t: erfcx_m(t, mpf("2.5"), 0), lambda t: erfc(mpf("2.5") * (1 + t) / (1 - t)) / erfcx_m(t, mpf("2.5"), 0), mpf("-0.42858"), mpf("0.41177"), {64: 13}),
    "sinh": ("(sinh x - x) / x^3 in x^2, |x| <= 1", root(lambda x: (sinh(x) / x - 1) / x**2), root(lambda x: x**3 / sinh(x)), 0, 1, {32: 3, 64: 7}),
}


def bits32(x):
    return struct.unpack("I", struct.pack("f", x))[0]


def float32(bits):
    return struct.unpack("f", struct.pack("I", bits))[0]


TANH_OFFSET = float.fromhex("0x1.34p-1")  # As in hyperbolic.h.


def tanh_centre(lo, hi):
    """A float near the middle of [lo, hi] whose tanh is nearest to a float, so that c0 carries no error. In wide intervals farther on: no
    d may be above c0."""

    def distance(x):
        t = tanh(mpf(x))
        return abs(t - round_to(t, 24)) / t

    middle = 0.5 if hi - lo < 1.5 else 0.675  # tanh(8.115) is three places below 1
    first, last = (bits32(lo + (hi - lo) * (middle + side)) for side in (-0.01, 0.01))
    step = max(1, (last - first) // 2000)
    return min((float32(first + i * step) for i in range(2000)), key=distance)


def tanh_tables():
    """Rows: centre m, c0 to c7 of tanh(m + d) in d; one column per interval of x: the bits of x + TANH_OFFSET
    from those of TANH_OFFSET on in steps of half a binade. In the first interval m = c0 = 0, and x itself is added."""
    ends = [float32(bits32(TANH_OFFSET) + (i << 22)) - TANH_OFFSET for i in range(9)]
    columns, worst = [], 0
    for i in range(8):
        lo, hi = mpf(ends[i]), mpf(ends[i + 1])
        if i == 0:
            m, head = mpf(0), [mpf(0), mpf(0), mpf(0)]
            c, error = fit(lambda d: (tanh(d) - d) / d**2, lambda d: d * d / tanh(d), lo, hi, range(1, 6), 24, method=least_squares)
        else:
            m = mpf(tanh_centre(ends[i], ends[i + 1]))
            head = [round_to(tanh(m), 24)]
            c, error = fit(lambda d: (tanh(m + d) - head[0]) / d, lambda d: abs(d) / tanh(m + d), lo - m, hi - m, range(7), 24, method=least_squares)
        worst = max(worst, error)
        assert i == 0 or hi - m < head[0]
        columns.append([m] + head + c)
    rows = ",\n".join("{" + ", ".join(float(column[r]).hex() + "f" for column in columns) + "}" for r in range(9))
    print(f"/// Tables of tanh, see hyperbolic.h: centre, c0 to c7; error {nstr(worst * mpf(2) ** 24, 2)} * 2^-24.")
    print(f"inline constexpr LookupTable tanh_c32[] = {{{rows}}};")


def main():
    wanted = sys.argv[1:] or list(FITS) + ["tanh"]
    print("// ops/vecmath/coefficients.h: polynomials, lowest power first; written by scripts/fit_polynomials.py, not by hand.")
    print("#pragma once\n\n#include <voxloom/ops/prim.h>\n\nnamespace voxloom::ops::vm {\n")
    for name in wanted:
        if name == "tanh":
            tanh_tables()
            continue
        comment, function, weight, lo, hi, degrees = FITS[name]
        for width, degree in degrees.items():
            bits = 24 if width == 32 else 53
            c, error = fit(function, weight, lo, hi, range(degree + 1), bits)
            print(name, width, degree, "error / 2^-%d = " % bits, nstr(error * mpf(2) ** bits, 4), file=sys.stderr)
            values = ", ".join(float(v).hex() for v in c)
            print(f"/// {comment}; error {nstr(error * mpf(2) ** bits, 2)} * 2^-{bits}.")
            print(f"inline constexpr double {name}_c{width}[] = {{{values}}};")
    print("\n}  // namespace voxloom::ops::vm")


main()
