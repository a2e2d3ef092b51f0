# scripts/remez.py: weighted minimax fits on a grid (Remez exchange) with coefficients rounded one by one to the target format.
from mpmath import mp, mpf, cos, fdot, pi, lu_solve, matrix

mp.dps = 60


def round_to(value, bits):
    """Nearest number with a significand of `bits` bits."""
    if value == 0:
        return mpf(0)
    with mp.workprec(bits):
        return +value


def exchange(xs, target, weight, powers, rounds=30):
    """Minimises max |weight * (target - sum c_i x^powers_i)| over the grid; returns (c, error)."""
    n = len(powers)
    columns = [[x**p for x in xs] for p in powers]
    ref = [(i * (len(xs) - 1) + n // 2) // n for i in range(n + 1)]  # The grid is Chebyshev-spaced, so even steps are good first points.
    best = None
    for _ in range(rounds):
        a, rhs = matrix(n + 1, n + 1), matrix(n + 1, 1)
        for row, g in enumerate(ref):
            for col in range(n):
                a[row, col] = columns[col][g] * weight[g]
            a[row, n] = (-1) ** row
            rhs[row] = target[g] * weight[g]
        solution = lu_solve(a, rhs)
        c, level = [solution[i] for i in range(n)], abs(solution[n])
        err = [weight[g] * (target[g] - sum(c[i] * columns[i][g] for i in range(n))) for g in range(len(xs))]
        peaks = []
        for g, e in enumerate(err):
            if peaks and (e > 0) == (err[peaks[-1]] > 0):
                if abs(e) > abs(err[peaks[-1]]):
                    peaks[-1] = g
            else:
                peaks.append(g)
        while len(peaks) > n + 1:
            if len(peaks) == n + 2:
                peaks.pop(0 if abs(err[peaks[0]]) < abs(err[peaks[-1]]) else -1)
            else:
                i = min(range(len(peaks) - 1), key=lambda j: abs(err[peaks[j]]) + abs(err[peaks[j + 1]]))
                del peaks[i : i + 2]
        worst = max(abs(e) for e in err)
        if best is None or worst < best[1]:
            best = c, worst
        if len(peaks) < n + 1 or worst < level * mpf("1.002"):
            break
        ref = peaks
    return best


def least_squares(xs, target, weight, powers):
    """Minimises the sum of squares of weight * (target - sum c_i x^powers_i); on Chebyshev-spaced points nearly the minimax fit."""
    n = len(powers)
    columns = [[w * x**p for x, w in zip(xs, weight)] for p in powers]
    goal = [w * t for w, t in zip(weight, target)]
    a, rhs = matrix(n, n), matrix(n, 1)
    for i in range(n):
        for j in range(n):
            a[i, j] = fdot(columns[i], columns[j])
        rhs[i] = fdot(columns[i], goal)
    solution = lu_solve(a, rhs)
    return [solution[i] for i in range(n)], None


def grid(lo, hi, n, avoid_zero=True):
    """Chebyshev-spaced points of [lo, hi]."""
    lo, hi = mpf(lo), mpf(hi)
    xs = [(lo + hi) / 2 - (hi - lo) / 2 * cos(pi * i / (n - 1)) for i in range(n)]
    return [x if x != 0 or not avoid_zero else (hi - lo) * mpf(10) ** -12 for x in xs]


def fit(function, weight, lo, hi, powers, bits, points=None, method=exchange):
    """Fits function(x) by sum c_i x^powers_i; coefficients are rounded to `bits` bits, in order of powers.

    Returns (coefficients, worst weighted error after rounding)."""
    xs = grid(lo, hi, points or 24 * len(powers) + 60)
    rest = [function(x) for x in xs]
    w = [weight(x) for x in xs]
    out, todo = [], list(powers)
    while todo:
        c, _ = method(xs, rest, w, todo)
        value = round_to(c[0], bits)
        out.append(value)
        rest = [r - value * x ** todo[0] for r, x in zip(rest, xs)]
        todo.pop(0)
    return out, max(abs(a * r) for a, r in zip(w, rest))
