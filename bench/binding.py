#!/usr/bin/env python3
"""bench/binding.py: what the Python binding itself costs: a small call, the import, compiling, the time until Ctrl-C has stopped a call.

Run it with build/venv/bin/python after `make build`; prints a table, writes JSON with --json. The aims are those of a quiet 2-core machine.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 9


def median_of(measure):
    return statistics.median(measure() for _ in range(ROUNDS))


def seconds_per_call(function, *arguments, calls=20_000):
    start = time.perf_counter()
    for _ in range(calls):
        function(*arguments)
    return (time.perf_counter() - start) / calls


def small_calls():
    import numpy as np

    import voxloom as vl

    x = vl.fvector("x")
    a, out = np.arange(8, dtype="float32"), np.empty(8, "float32")
    f, borrowed = vl.function([x], x * 2 + 1), vl.function([x], vl.Out(x * 2 + 1, borrow=True))
    yield "call on 8 floats", median_of(lambda: seconds_per_call(f, a)), 1.5e-6
    yield "call on 8 floats, borrowed result", median_of(lambda: seconds_per_call(borrowed, a)), None
    yield "call on 8 floats, out=", median_of(lambda: seconds_per_call(lambda v: f(v, out=out), a)), None
    yield "NumPy's a * 2 + 1 on 8 floats", median_of(lambda: seconds_per_call(lambda v: v * 2 + 1, a)), None


def in_process(code, **environment):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environment})
    return float(done.stdout.split()[-1])


IMPORT = "import numpy, time; t = time.perf_counter(); import voxloom; print(time.perf_counter() - t)"
COMPILE = """
import numpy as np, time, voxloom as vl
vl.config.cache_dir = {cache!r}
x, y = vl.fmatrices("x", "y")
t = time.perf_counter()
f = vl.function([x, y], [vl.exp(-(x - y) ** 2 / 2) * vl.sin(x) + vl.tanh(x * y), x.sum(axis=1)])
f(np.ones((4, 4), "f"), np.ones((4, 4), "f"))
print(time.perf_counter() - t)
"""
INTERRUPT = """
import numpy as np, os, signal, threading, time, voxloom as vl
x = vl.fvector("x")
e = x
for _ in range(40):
    e = vl.erf(vl.exp(vl.sin(e)))
f = vl.function([x], e.sum())
a = np.ones(200_000_000, "float32")
f(a[:10])
sent = []
threading.Timer(0.3, lambda: (sent.append(time.monotonic()), os.kill(os.getpid(), signal.SIGINT))).start()
try:
    f(a, threads={threads})
except KeyboardInterrupt:
    print(time.monotonic() - sent[0])
"""


def processes():
    yield "import voxloom after NumPy", median_of(lambda: in_process(IMPORT)), 50e-3
    with tempfile.TemporaryDirectory() as cache:
        yield "build, compile and call, cold", median_of(lambda: in_process(COMPILE.format(cache="off"))), None
        in_process(COMPILE.format(cache=cache))
        yield "build, compile and call, from the disk cache", median_of(lambda: in_process(COMPILE.format(cache=cache))), None
    for threads in (1, 2):
        yield f"from Ctrl-C to its exception, {threads} threads", max(in_process(INTERRUPT.format(threads=threads)) for _ in range(3)), 0.25


def text(seconds):
    return f"{seconds * 1e6:8.2f} us" if seconds < 1e-3 else f"{seconds * 1e3:8.2f} ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    figures = {}
    for part in (small_calls, processes):
        for name, seconds, aim in part():
            figures[name] = seconds
            print(f"{name:48} {text(seconds)}" + (f"   aim {text(aim).strip()}" if aim else ""), flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
