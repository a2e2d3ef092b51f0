#!/usr/bin/env python3
# scripts/fit_polynomials.py: computes every polynomial of ops/vecmath and prints ops/vecmath/coefficients.h, which clang-format then wraps (needs mpmath; takes minutes).
# Usage: fit_polynomials.py [name ...] > ops/vecmath/coefficients.h; with names, only those and their errors on stderr.
import sys

from mpmath import acos, asin, atan, cos, erf, erfc, exp, expm1, log, log1p, mp, mpf, nstr, pi, sin, sinh, sqrt, tan, tanh
from remez import fit

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
    "exp_wide": ("(e^r - 1) / r, |r| <= ln 2", lambda r: expm1(r) / r, lambda r: r / exp(r), -2 * H - 0.0005, 2 * H + 0.0005, {64: 12}),
    "exp_half": ("(e^r - 1) / r, |r| <= ln 2 / 2", lambda r: expm1(r) / r, lambda r: r / exp(r), -H - 0.0005, H + 0.0005, {32: 5}),
    "exp2_wide": ("(2^r - 1) / r, |r| <= 1", lambda r: expm1(r * log(2)) / r, lambda r: r / 2**r, -1, 1, {64: 12}),
    "exp2_half": ("(2^r - 1) / r, |r| <= 1/2", lambda r: expm1(r * log(2)) / r, lambda r: r / 2**r, mpf(-0.5), mpf(0.5), {32: 5}),
    "expm1": ("(e^r - 1 - r) / r^2, |r| <= ln 2 / 2", lambda r: (expm1(r) - r) / r**2, lambda r: r * r / abs(expm1(r)), -H - 0.0005, H + 0.0005, {32: 5, 64: 10}),
    "tanh_small": ("(tanh x - x) / x^3 in x^2, |x| <= 0.98", root(lambda x: (tanh(x) / x - 1) / x**2), root(lambda x: x**3 / tanh(x)), 0, mpf("0.9604"), {32: 6}),
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


def main():
    wanted = sys.argv[1:] or list(FITS)
    print("// ops/vecmath/coefficients.h: polynomials, lowest power first; written by scripts/fit_polynomials.py, not by hand.")
    print("#pragma once\n\nnamespace voxloom::ops::vm {\n")
    for name in wanted:
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
