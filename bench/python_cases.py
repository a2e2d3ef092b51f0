"""bench/python_cases.py: one contender on one case from Python in this process: `python_cases.py WHO CASE`; bench/run.py calls it.

Prints {"seconds": [...], "version": v, "details": {...}}. Building and importing are measured once per run of this program.
"""
import argparse
import glob
import importlib
import json
import os
import subprocess
import sys
import time

SAMPLES, FEATURES = 400, 784
THREADS = 2  # main() sets it


def data():
    import numpy as np
    rng = np.random.default_rng(1)
    return (rng.normal(size=(SAMPLES, FEATURES)).astype("float32"), rng.integers(0, 2, SAMPLES).astype("float32"),
            (0.05 * rng.normal(size=FEATURES)).astype("float32"))


# ---- a logistic regression: each function makes a step that returns the prediction and the cross-entropy, and the values of w so far ----


def voxloom_step(X, Y, start):
    import numpy as np
    import voxloom as vl
    x, y = vl.matrix("x"), vl.vector("y")
    w, b = vl.shared(start, name="w"), vl.shared(np.float32(0), name="b")
    p = 1 / (1 + vl.exp(-vl.dot(x, w) - b))
    xent = -y * vl.log(p) - (1 - y) * vl.log(1 - p)
    gw, gb = vl.grad(xent.mean() + 0.01 * (w**2).sum(), [w, b])
    train = vl.function([x, y], [p > 0.5, xent], updates={w: w - 0.01 * gw, b: b - 0.01 * gb}, name="train")
    return train, w.get_value


def numpy_step(X, Y, start):
    import numpy as np
    w, b = start.copy(), np.float32(0)
    one, rate, decay = np.float32(1), np.float32(0.01), np.float32(0.02)

    def step(x, y):
        nonlocal w, b
        p = one / (one + np.exp(-(x @ w) - b))
        xent = -y * np.log(p) - (one - y) * np.log(one - p)
        g = (p - y) / np.float32(len(y))
        w = w - rate * (x.T @ g + decay * w)
        b = b - rate * g.sum()
        return p > 0.5, xent
    return step, lambda: w


def jax_step(X, Y, start):
    import jax
    import jax.numpy as jnp

    def cost(parameters, x, y):
        w, b = parameters
        p = 1 / (1 + jnp.exp(-(x @ w) - b))
        xent = -y * jnp.log(p) - (1 - y) * jnp.log(1 - p)
        return xent.mean() + 0.01 * (w**2).sum(), (p > 0.5, xent)

    @jax.jit
    def update(parameters, x, y):
        gradient, results = jax.grad(cost, has_aux=True)(parameters, x, y)
        return [v - 0.01 * g for v, g in zip(parameters, gradient)], results

    parameters = [jnp.asarray(start), jnp.float32(0)]

    def step(x, y):
        nonlocal parameters
        parameters, results = update(parameters, x, y)
        return jax.block_until_ready(results)
    return step, lambda: parameters[0]


def pytensor_step(X, Y, start):
    import numpy as np
    import pytensor
    import pytensor.tensor as pt
    pytensor.config.floatX = "float32"
    x, y = pt.matrix("x"), pt.vector("y")
    w, b = pytensor.shared(start.copy(), name="w"), pytensor.shared(np.asarray(0, "float32"), name="b")
    p = 1 / (1 + pt.exp(-pt.dot(x, w) - b))
    xent = -y * pt.log(p) - (1 - y) * pt.log(1 - p)
    gw, gb = pt.grad(xent.mean() + 0.01 * (w**2).sum(), [w, b])
    rate = np.float32(0.01)
    step = pytensor.function([x, y], [p > 0.5, xent], updates=[(w, w - rate * gw), (b, b - rate * gb)], name="train")
    return step, w.get_value


def torch_step(X, Y, start):
    import torch
    torch.set_num_threads(THREADS)
    w, b = torch.tensor(start, requires_grad=True), torch.zeros((), requires_grad=True)

    def step(x, y):
        p = 1 / (1 + torch.exp(-(x @ w) - b))
        xent = -y * torch.log(p) - (1 - y) * torch.log(1 - p)
        gw, gb = torch.autograd.grad(xent.mean() + 0.01 * (w**2).sum(), [w, b])
        with torch.no_grad():
            w.sub_(0.01 * gw)
            b.sub_(0.01 * gb)
        return p > 0.5, xent.detach()
    return step, lambda: w.detach().numpy()


def drjit_step(X, Y, start):
    if "DRJIT_LIBLLVM_PATH" not in os.environ:
        found = sorted(glob.glob("/usr/lib/llvm-*/lib/libLLVM*.so*"))
        if found:
            os.environ["DRJIT_LIBLLVM_PATH"] = found[-1]
    import drjit as dr
    from drjit.llvm import TensorXf
    dr.set_thread_count(THREADS)
    w, b = TensorXf(start), TensorXf([0.0])

    def update(x, y, w, b):
        p = 1 / (1 + dr.exp(-dr.sum(x * w[None, :], axis=1) - b))
        xent = -y * dr.log(p) - (1 - y) * dr.log(1 - p)
        g = (p - y) / SAMPLES
        return p > 0.5, xent, w - 0.01 * (dr.sum(x * g[:, None], axis=0) + 0.02 * w), b - 0.01 * dr.sum(g, axis=0)
    x, y = TensorXf(X), TensorXf(Y)

    def step(*_):
        nonlocal w, b
        prediction, xent, w, b = update(x, y, w, b)
        dr.eval(prediction, xent, w, b)
        dr.sync_thread()
        return prediction, xent
    return step, lambda: w.numpy()


def arguments(who, X, Y):
    """X and Y as this contender keeps them between calls."""
    if who == "jax":
        import jax
        return [jax.device_put(X), jax.device_put(Y)]
    if who == "torch":
        import torch
        return [torch.from_numpy(X), torch.from_numpy(Y)]
    return [X, Y]


def check_training(step, values, X, Y, start, given):
    """The largest distance of w after 3 steps from float64 by hand."""
    import numpy as np
    x, y, w, b = X.astype("float64"), Y.astype("float64"), start.astype("float64"), 0.0
    for _ in range(3):
        step(*given)
        g = (1 / (1 + np.exp(-(x @ w) - b)) - y) / len(y)
        w, b = w - 0.01 * (x.T @ g + 0.02 * w), b - 0.01 * g.sum()
    distance = float(np.abs(np.asarray(values(), dtype="float64") - w).max())
    assert distance < 1e-5, f"w is wrong by {distance}"
    return distance


def training(options, repeat):
    X, Y, start = data()
    step, values = globals()[options.who + "_step"](X, Y, start)
    given = arguments(options.who, X, Y)
    distance = check_training(step, values, X, Y, start, given)
    calls = 20 if options.quick else 10_000
    seconds = []
    for _ in range(1 if options.quick else options.repeat or 3):
        begin = time.perf_counter()
        if repeat:
            step.repeat(calls, *given)
        else:
            for _ in range(calls):
                step(*given)
        seconds.append(time.perf_counter() - begin)
    return seconds, {"distance of w after 3 steps from float64": distance}


def train_10000_calls(options):
    return training(options, False)


def train_repeat_10000(options):
    """voxloom's steps inside one call; the peers have calls only."""
    return training(options, options.who == "voxloom")


def build(options, cold):
    X, Y, start = data()
    if options.who == "voxloom":
        import voxloom as vl
        vl.config.cache_dir = "off" if cold else options.scratch + "/cache"
        if not cold and "VOXLOOM_BENCH_FILLS_CACHE" not in os.environ:
            subprocess.run([sys.executable, *sys.argv], env=dict(os.environ, VOXLOOM_BENCH_FILLS_CACHE="1"), stdout=subprocess.DEVNULL, check=True)
    else:
        importlib.import_module(options.who)
    given = arguments(options.who, X, Y)
    begin = time.perf_counter()
    step, _ = globals()[options.who + "_step"](X, Y, start)
    step(*given)
    return [time.perf_counter() - begin], {}


def train_build_cold(options):
    return build(options, True)


def train_build_warm(options):
    return build(options, False)


def import_after_numpy(options):
    import numpy  # noqa: F401: what is measured comes after it
    begin = time.perf_counter()
    importlib.import_module(options.who)
    return [time.perf_counter() - begin], {}


def python_call_8_floats(options):
    import numpy as np
    a = np.arange(8, dtype="float32")
    if options.who == "voxloom":
        import voxloom as vl
        x = vl.fvector("x")
        f = vl.function([x], x * 2 + 1)
    else:
        def f(a):
            return a * 2 + 1
    seconds, calls = [], 1000 if options.quick else 100_000
    for _ in range(options.repeat or 9):
        begin = time.perf_counter()
        for _ in range(calls):
            f(a)
        seconds.append((time.perf_counter() - begin) / calls)
    return seconds, {}


def mean_of_images(options):
    """float32 mean of 1024 images of 256 x 256 x 3 over (0, 1, 2)."""
    import numpy as np
    count = 16 if options.quick else 1024
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (16, 256, 256, 3)).astype("float32")
    images = np.ascontiguousarray(np.broadcast_to(images, (count // 16, *images.shape))).reshape(count, 256, 256, 3)
    if options.who == "voxloom":
        import voxloom as vl
        x = vl.ftensor4("x")
        f = vl.function([x], vl.mean(x, axis=(0, 1, 2)))
    else:
        def f(x):
            return np.mean(x, axis=(0, 1, 2))
    exact = images[:16].astype("float64").mean(axis=(0, 1, 2))
    error = float(np.abs(f(images) / exact - 1).max())
    if options.who == "voxloom":
        assert error <= 1e-7, f"the mean is wrong by {error}"
    seconds = []
    for _ in range(options.repeat or 5):
        begin = time.perf_counter()
        f(images)
        seconds.append(time.perf_counter() - begin)
    return seconds, {"relative error": error}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("who")
    parser.add_argument("case")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scratch", default=".")
    parser.add_argument("--repeat", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:options.threads])
    global THREADS
    THREADS = options.threads
    seconds, details = globals()[options.case](options)
    version = getattr(importlib.import_module(options.who), "__version__", "?")
    print(json.dumps({"seconds": seconds, "peak_mib": 0, "version": version, "details": details}))


if __name__ == "__main__":
    main()
