"""bench/peers.py: one peer on one case in this process: `peers.py PEER CASE`. Prints {"seconds": [...], "peak_mib": m, "version": v}."""
import argparse
import glob
import importlib
import json
import os
import time

SIZES = {"add_owned": 99_000_000, "add_borrowed": 99_000_000, "exp_1000_calls": 230_400, "expression": 10_000_000, "add_and_sub": 10_000_000,
         "call_8_floats": 8, "matmul_256": 256, "matmul_1024": 1024, "matmul_2048": 2048}
QUICK = {"add_owned": 1_000_000, "add_borrowed": 1_000_000, "exp_1000_calls": 230_400, "expression": 100_000, "add_and_sub": 100_000,
         "call_8_floats": 8, "matmul_256": 64, "matmul_1024": 64, "matmul_2048": 64}
REPEAT = {"add_owned": 7, "add_borrowed": 7, "exp_1000_calls": 3, "expression": 9, "add_and_sub": 15, "call_8_floats": 5, "matmul_256": 301,
          "matmul_1024": 41, "matmul_2048": 9, "half": 3, "mean_t": 5, "mean_t_gz": 2}


def inputs(case, quick):
    import numpy as np
    n = (QUICK if quick else SIZES)[case]
    generator = np.random.default_rng(0)
    if case.startswith("matmul"):
        return [generator.random((n, n), dtype=np.float32) * 2 - 1 for _ in range(2)]
    return [generator.random(n, dtype=np.float32) * 6 - 3 for _ in range(3 if case == "expression" else 2)]


def numpy_case(case, arrays, _):
    import numpy as np
    x, y = arrays[:2]
    out, other = np.empty_like(x), np.empty_like(x)
    if case.startswith("matmul"):
        return lambda: np.matmul(x, y, out=out)
    if case == "expression":
        z = arrays[2]
        return lambda: np.exp(-((x - y) ** 2) / 2) * np.sin(z) + np.tanh(x * y)
    return {
        "add_owned": lambda: x + y,
        "add_borrowed": lambda: np.add(x, y, out=out),
        "exp_1000_calls": lambda: np.exp(x, out=out),
        "add_and_sub": lambda: (np.add(x, y, out=out), np.subtract(x, y, out=other)),
        "call_8_floats": lambda: x * 2 + 1,
    }[case]


def numexpr_case(case, arrays, threads):
    import numexpr as ne
    import numpy as np
    ne.set_num_threads(threads)
    x, y = arrays[:2]
    two, one = np.float32(2), np.float32(1)  # a Python number would be float64 there
    out, other = np.empty_like(x), np.empty_like(x)
    names = {"x": x, "y": y, "z": arrays[-1], "two": two, "one": one}

    def evaluate(text, out=None):
        return ne.evaluate(text, local_dict=names, out=out)
    return {
        "add_owned": lambda: evaluate("x+y"),
        "add_borrowed": lambda: evaluate("x+y", out),
        "exp_1000_calls": lambda: evaluate("exp(x)", out),
        "expression": lambda: evaluate("exp(-(x-y)**2/two)*sin(z)+tanh(x*y)", out),
        "add_and_sub": lambda: (evaluate("x+y", out), evaluate("x-y", other)),
        "call_8_floats": lambda: evaluate("x*two+one"),
    }[case]


def functions(m):
    """The cases over a module with NumPy's names."""
    return {
        "add_owned": lambda x, y: x + y,
        "add_borrowed": lambda x, y: x + y,
        "exp_1000_calls": lambda x, y: m.exp(x),
        "expression": lambda x, y, z: m.exp(-((x - y) ** 2) / 2) * m.sin(z) + m.tanh(x * y),
        "add_and_sub": lambda x, y: (x + y, x - y),
        "call_8_floats": lambda x, y: x * 2 + 1,
    }


def jax_case(case, arrays, _):
    import jax
    import jax.numpy as jnp
    if case == "add_borrowed":
        raise RuntimeError("jax has no out=")
    f = jax.jit(functions(jnp)[case])
    put = [jax.device_put(a) for a in arrays]
    return lambda: jax.block_until_ready(f(*put))


def drjit_case(case, arrays, threads):
    if "DRJIT_LIBLLVM_PATH" not in os.environ:
        found = sorted(glob.glob("/usr/lib/llvm-*/lib/libLLVM*.so*"))
        if found:
            os.environ["DRJIT_LIBLLVM_PATH"] = found[-1]
    import drjit as dr
    from drjit.llvm import Float
    if case == "add_borrowed":
        raise RuntimeError("drjit has no out=")
    dr.set_thread_count(threads)
    f = functions(dr)[case]
    put = [Float(a) for a in arrays]
    dr.eval(*put)
    dr.sync_thread()

    def run():
        dr.eval(f(*put))
        dr.sync_thread()
    return run


def pytensor_case(case, arrays, _):
    import pytensor
    import pytensor.tensor as pt
    variables = [pt.fvector(name) for name in "xyz"[:len(arrays)]]
    result = functions(pt)[case](*variables)
    outputs = list(result) if isinstance(result, tuple) else [result]
    f = pytensor.function(variables, [pytensor.Out(o, borrow=case != "add_owned") for o in outputs], on_unused_input="ignore",
                          accept_inplace=False)
    return lambda: f(*arrays)


def torch_case(case, arrays, threads):
    import torch
    torch.set_num_threads(threads)
    put = [torch.from_numpy(a) for a in arrays]
    x, y = put[:2]
    out, other = torch.empty_like(x), torch.empty_like(x)
    if case == "expression":
        f = torch.compile(functions(torch)[case])
        return lambda: f(*put)
    return {
        "add_owned": lambda: x + y,
        "add_borrowed": lambda: torch.add(x, y, out=out),
        "exp_1000_calls": lambda: torch.exp(x, out=out),
        "add_and_sub": lambda: (torch.add(x, y, out=out), torch.sub(x, y, out=other)),
        "call_8_floats": lambda: x * 2 + 1,
    }[case]


def image_paths(case, scratch):
    return scratch + ("/series.nii.gz" if case == "mean_t_gz" else "/series.nii"), scratch + "/peer.nii"


def nilearn_case(case, scratch):
    from nilearn import image
    source, out = image_paths(case, scratch)
    if case == "half":
        return lambda: image.math_img("a/2", a=source).to_filename(out)
    return lambda: image.mean_img(source, copy_header=True).to_filename(out)


def numpy_chunks_case(case, scratch):
    """What a careful user writes: blocks of volumes, float32, nothing else in memory."""
    import nibabel as nib
    import numpy as np
    source, out = image_paths(case, scratch)

    def blocks(dataobj, n, step=32):
        for t in range(0, n, step):
            yield t, np.asanyarray(dataobj[..., t:t + step])

    def half():
        img = nib.load(source)
        header = img.header.copy()
        header.set_data_dtype(np.float32)
        header.set_data_offset(352)
        with open(out, "wb") as f:
            header.write_to(f)
            f.write(b"\0" * (352 - f.tell()))
            for _, block in blocks(img.dataobj, img.shape[3]):
                f.write((block * np.float32(0.5)).ravel(order="K").data)

    def mean():
        img = nib.load(source)
        total = np.zeros(img.shape[:3], np.float32, order="F")
        if source.endswith(".gz"):  # in order, one pass
            with nib.openers.Opener(source) as f:
                f.read(352)
                count = int(np.prod(img.shape[:3]))
                for _ in range(img.shape[3]):
                    total += np.frombuffer(f.read(2 * count), img.get_data_dtype()).reshape(img.shape[:3], order="F")
        else:
            for _, block in blocks(img.dataobj, img.shape[3]):
                total += block.sum(axis=3, dtype=np.float32)
        nib.Nifti1Image(total / np.float32(img.shape[3]), img.affine).to_filename(out)
    return half if case == "half" else mean


def peak_mib():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("peer")
    parser.add_argument("case")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scratch", default=".")
    parser.add_argument("--repeat", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))[:options.threads]
    os.sched_setaffinity(0, cpus)
    module = {"numpy_chunks": "numpy"}.get(options.peer, options.peer)
    version = getattr(importlib.import_module(module), "__version__", "?")
    images = options.case not in SIZES
    if images:
        run = globals()[options.peer + "_case"](options.case, options.scratch)
    else:
        run = globals()[options.peer + "_case"](options.case, inputs(options.case, options.quick), options.threads)
    # What one measurement is: 1000 calls, one run, or the mean of many tiny calls.
    calls, share = {"exp_1000_calls": (10 if options.quick else 1000, 1), "call_8_floats": (20000, 20000)}.get(options.case, (1, 1))
    out = options.scratch + "/peer.nii"
    seconds = []
    for round_ in range(-1, options.repeat or REPEAT[options.case]):
        if images and os.path.exists(out):
            os.remove(out)
        if round_ < 0:
            run()
            if not images:
                run()
            continue
        start = time.perf_counter()
        for _ in range(calls):
            run()
        seconds.append((time.perf_counter() - start) / share)
    if images and os.path.exists(out):
        os.remove(out)
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib(), "version": version}))


if __name__ == "__main__":
    main()
