# tests/fuzz/numpy_oracle.py: NumPy as oracle. Runs graphs that graphfuzz --numpy wrote through `voxloom run`, with every node as an output,
# and computes each node again with NumPy from the operands that voxloom itself gave, so that errors do not add up along the graph.
#   numpy_oracle.py VOXLOOM FOLDER              cases that are there
#   numpy_oracle.py VOXLOOM GRAPHFUZZ SECONDS   cases of a run of the fuzzer
# Tolerances: integers, booleans, moves, comparisons, minima and correctly rounded operations: the same value (all NaNs are equal);
# vector math: 4 units in the last place of the result against the next wider format; sums: n * eps of the accumulator * sum|x|;
# variances: relative 1e-5 (float32) or 1e-11 of max|x|^2. Without NumPy (looked for in build/venv and build/bench-venv too) it says SKIP
# and ends with 77.
import glob
import os
import re
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    build = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[1])))
    for python in (os.path.join(build, venv, "bin", "python") for venv in ("venv", "bench-venv")):
        if os.path.exists(python) and python != sys.executable and subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0:
            os.execv(python, [python] + sys.argv)
    print("SKIP: no NumPy")
    sys.exit(77)

DTYPES = {"bool": np.bool_, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64, "u8": np.uint8, "u16": np.uint16,
          "u32": np.uint32, "u64": np.uint64, "f32": np.float32, "f64": np.float64, "c64": np.complex64, "c128": np.complex128}
np.seterr(all="ignore")


class Skip(Exception):
    """NumPy has no answer to compare with."""


# ---- reading the text form ----

def split_list(text):
    """Splits at commas that stand outside brackets and quotes."""
    parts, depth, start, quoted = [], 0, 0, False
    for i, c in enumerate(text):
        quoted ^= c == '"'
        depth += c in "([{"
        depth -= c in ")]}"
        if c == "," and depth == 0 and not quoted:
            parts.append(text[start:i].strip())
            start = i + 1
    if text[start:].strip():
        parts.append(text[start:].strip())
    return parts


class Node:
    def __init__(self, line):
        m = re.match(r"\s*(%\S+) = (\w+)(.*) : (\w+)\[(.*)\](F?)$", line)
        self.label, self.op, rest, dtype, dims, order = m.groups()
        self.dtype, self.order = np.dtype(DTYPES[dtype]), order or "C"
        self.dims = [d.rsplit(":", 1)[-1].strip() for d in split_list(dims)]
        self.inputs, self.attrs, self.rest = [], {}, rest.strip()
        if rest.startswith("("):
            end = rest.index(")")
            self.inputs = split_list(rest[1:end])
            rest = rest[end + 1:].strip()
        if rest.startswith("{"):
            for item in split_list(rest[1:rest.rindex("}")]):
                key, value = item.split("=", 1)
                self.attrs[key.strip()] = value.strip()

    def shape(self, symbols):
        return tuple(evaluate(d, symbols) for d in self.dims)


def evaluate(dim, symbols):
    env = dict(symbols, max=max, min=min, floor_div=lambda a, b: a // b)
    return eval(dim, {"__builtins__": {}}, env)  # our own text


def ints(text, symbols=None):
    text = text[len("dims"):] if text.startswith("dims") else text
    return [evaluate(t, symbols or {}) for t in split_list(text[1:-1])]


def read_graph(path):
    nodes, outputs = [], []
    for line in open(path).read().splitlines():
        if re.match(r"\s*%", line):
            nodes.append(Node(line))
        elif line.strip().startswith("return"):
            outputs = split_list(line.strip()[len("return"):])
    return nodes, outputs


def number(text):
    return float("nan") if text.startswith("nan") else True if text == "true" else False if text == "false" else \
        float(text) if re.search(r"[.einf]", text) else int(text)


def constant(node, symbols):
    shape, text = node.shape(symbols), node.rest
    if text.startswith("hex "):
        return np.frombuffer(bytes.fromhex(text[4:].strip()), node.dtype).reshape(shape)
    items = split_list(text[1:-1]) if text.startswith("[") else [text]

    def one(t):
        if not t.startswith("("):
            return number(t)
        re_, im_ = (number(p) for p in split_list(t[1:-1]))
        return complex(re_, im_)
    return np.array([one(t) for t in items], node.dtype).reshape(shape)


# ---- what NumPy says; a result is (value, allowed difference), the difference None where values must be equal ----

def wide(x):
    return np.longdouble if x.dtype == np.float64 else np.float64


def ulps(value, dtype, n):
    v = np.abs(value).astype(dtype)
    return n * np.spacing(np.where(np.isfinite(v), v, dtype(1)).astype(dtype)).astype(np.longdouble)


def minimum(a, b):
    r = np.minimum(a, b)
    return np.where((a == b) & (a == 0), np.where(np.signbit(a), a, b), r).astype(r.dtype) if r.dtype.kind == "f" else r


def maximum(a, b):
    r = np.maximum(a, b)
    return np.where((a == b) & (a == 0), np.where(np.signbit(a), b, a), r).astype(r.dtype) if r.dtype.kind == "f" else r


def skipping_nan(f, a, b):
    return np.where(np.isnan(a), b, np.where(np.isnan(b), a, f(a, b))).astype(a.dtype) if a.dtype.kind == "f" else f(a, b)


def to_integer(x, dtype):
    info = np.iinfo(dtype)
    t = np.trunc(x.astype(np.longdouble))
    safe = np.where(np.isnan(t) | (t < info.min) | (t > info.max), 0, t)
    whole = safe.astype(np.uint64 if info.min == 0 else np.int64).astype(dtype)
    whole = np.where(t < info.min, info.min, np.where(t > info.max, info.max, whole)).astype(dtype)
    return np.where(np.isnan(x), dtype.type(0), whole).astype(dtype)


def cast(x, dtype):
    if dtype.kind == "b":
        return x != 0
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = x.real
    if x.dtype.kind == "f" and dtype.kind in "iu":
        return to_integer(x, dtype)
    return x.astype(dtype)


def floordiv(a, b):
    if a.dtype.kind == "f":
        raise Skip
    zero = b == 0
    q = np.floor_divide(a, np.where(zero, 1, b).astype(b.dtype))
    if a.dtype.kind == "i":
        q = np.where(b == -1, (0 - a.astype(np.int64)).astype(a.dtype), q)
    return np.where(zero, 0, q).astype(a.dtype)


def mod(a, b):
    if a.dtype.kind == "f":
        r = np.fmod(a, b)
        r = np.where((r != 0) & ((r < 0) != (b < 0)), r + b, r)
        r = np.where(r == 0, np.copysign(0, b), r).astype(a.dtype)
        if np.any(np.abs(a.astype(np.longdouble) / b) >= 2.0**52) or np.any(~np.isfinite(a)) or np.any(~np.isfinite(b)):
            raise Skip
        return r
    zero = (b == 0) | ((b == -1) if a.dtype.kind == "i" else False)
    return np.where(zero, 0, np.mod(a, np.where(zero, 1, b).astype(b.dtype))).astype(a.dtype)


def shift(a, n, left):
    bits = a.dtype.itemsize * 8
    inside = (n >= 0) & (n < bits)
    count = np.where(inside, n, 0).astype(a.dtype)
    beyond = 0 if left else np.where(a < 0, -1, 0)
    return np.where(inside, (a << count) if left else (a >> count), beyond).astype(a.dtype)


def int_power(a, b):
    if np.any(b < 0):
        raise Skip
    return np.power(a, b).astype(a.dtype)


def half_away(x):
    whole = np.floor(np.abs(x))
    return np.copysign(whole + (np.abs(x) - whole >= 0.5), x).astype(x.dtype)


def vec(f):
    """A function of real numbers, compared within a few ulps of the wider format's value."""
    def run(*args):
        if args[0].dtype.kind == "c":
            raise Skip
        d = args[0].dtype.type
        value = f(*(a.astype(wide(args[0])) for a in args))
        return value, ulps(value, d, 4) + np.longdouble(np.finfo(d).smallest_subnormal) * 2
    return run


def erf(x):
    import math
    return np.vectorize(math.erf, otypes=[np.float64])(x.astype(np.float64))


def erfc(x):
    import math
    return np.vectorize(math.erfc, otypes=[np.float64])(x.astype(np.float64))


def near(f, scale):
    """Complex arithmetic: within a few eps of a scale that covers cancellation."""
    def run(*args):
        value = f(*args)
        if not all(np.all(np.isfinite(a)) for a in args) or not np.all(np.isfinite(value)):
            raise Skip
        return value, 16 * np.finfo(args[0].dtype).eps * scale(value, *args) + np.finfo(args[0].dtype).tiny
    return run


size = lambda v, *args: np.abs(v)
SIMPLE = {
    "add": lambda a, b: a + b if a.dtype.kind != "b" else a | b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b if a.dtype.kind != "b" else a & b,
    "div": lambda a, b: a / b, "floordiv": floordiv, "mod": mod, "neg": lambda a: -a if a.dtype.kind != "u" else (0 - a).astype(a.dtype), "abs": np.abs,
    "reciprocal": lambda a: (1 / a).astype(a.dtype), "sign": lambda a: np.sign(a).astype(a.dtype), "minimum": minimum, "maximum": maximum,
    "fmin": lambda a, b: skipping_nan(minimum, a, b), "fmax": lambda a, b: skipping_nan(maximum, a, b),
    "clip": lambda x, lo, hi: minimum(maximum(x, lo), hi), "copysign": lambda a, b: np.copysign(a, np.where(np.isnan(b), 0, b).astype(b.dtype)), "bit_and": np.bitwise_and, "bit_or": np.bitwise_or,
    "bit_xor": np.bitwise_xor, "bit_not": np.invert, "shl": lambda a, n: shift(a, n, True), "shr": lambda a, n: shift(a, n, False),
    "identity": lambda a: a, "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor, "logical_not": np.logical_not,
    "where": lambda c, a, b: np.where(c, a, b), "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "real": np.real, "imag": np.imag,
    "conj": np.conj, "sqr": lambda a: a * a, "sqrt": np.sqrt, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint,
    "round_half_away": half_away, "disconnected_grad": lambda a: a, "zero_grad": lambda a: a, "grad_clip": lambda a, lo, hi: np.broadcast_arrays(a, lo, hi)[0],
    "grad_scale": lambda a, s: np.broadcast_arrays(a, s)[0],
}
VECTOR = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "cbrt": np.cbrt, "hypot": np.hypot, "pow": np.power, "logaddexp": np.logaddexp,
    "deg2rad": lambda x: x * (np.longdouble("3.14159265358979323846264338327950288") / 180).astype(x.dtype),
    "rad2deg": lambda x: x * (180 / np.longdouble("3.14159265358979323846264338327950288")).astype(x.dtype), "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(x.dtype.type(0), x), "xlogy": lambda x, y: np.where((x == 0) & ~np.isnan(y), 0, x * np.log(y)),
    "log1mexp": lambda x: np.where(x > -0.6931, np.log(-np.expm1(x)), np.log1p(-np.exp(x))), "erf": erf, "erfc": erfc,
}
COMPLEX = {
    "mul": near(lambda a, b: a * b, lambda v, a, b: np.abs(a) * np.abs(b)), "div": near(lambda a, b: a / b, size), "abs": near(np.abs, size),
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "exp": near(np.exp, size), "sqrt": near(np.sqrt, size), "sqr": near(lambda a: a * a, size),
    "log": near(np.log, lambda v, a: np.abs(v) + 1), "reciprocal": near(lambda a: 1 / a, size),
}


def elementwise(node, args):
    if node.op == "cast":
        return cast(args[0], node.dtype)
    if node.op == "second":
        return np.broadcast_to(args[1], np.broadcast_shapes(args[0].shape, args[1].shape))
    if node.op == "complex":
        return np.ascontiguousarray(np.stack(np.broadcast_arrays(*args), -1)).view(node.dtype)[..., 0]
    if node.op == "angle":
        return angle(args[0])
    if node.op == "exp_shifted":
        return vec(np.exp)(args[0] - args[1])
    if args[0].dtype.kind == "c" and node.op in COMPLEX:
        return COMPLEX[node.op](*args)
    if args[0].dtype.kind == "c" and node.op not in SIMPLE:
        raise Skip
    if node.op == "pow" and args[0].dtype.kind in "iu":
        return int_power(*args)
    if node.op in VECTOR:
        return vec(VECTOR[node.op])(*args)
    return SIMPLE[node.op](*args)


def angle(z):
    if z.dtype.kind != "c":
        raise Skip
    return near(np.angle, lambda v, a: np.full(v.shape, 4.0))(z)


def flattened(x, axes, order):
    """Reduced axes last, as one, in the order of the type."""
    kept = [k for k in range(x.ndim) if k not in axes]
    moved = np.transpose(x, kept + sorted(axes) if order == "C" else kept + sorted(axes, reverse=True))
    return moved.reshape([x.shape[k] for k in kept] + [int(np.prod([x.shape[k] for k in axes], dtype=np.int64))])


def reduction(node, x, order):
    axes = [int(a) for a in ints(node.attrs["axes"])]
    flat = flattened(x, axes, order)
    n = flat.shape[-1]
    if node.op in ("min", "max"):
        return (np.min if node.op == "min" else np.max)(flat, -1)
    if node.op in ("argmin", "argmax"):
        return getattr(np, node.op)(flat, -1).astype(np.int64)
    if node.op in ("any", "all"):
        return getattr(np, node.op)(flat, -1)
    if node.op in ("var", "std"):
        return variance(node, flat, n)
    return total(node, flat, n)


def total(node, flat, n):
    acc = np.dtype(DTYPES[node.attrs["acc_dtype"]])
    if acc.kind in "iu":
        value = (np.prod if node.op == "prod" else np.sum)(cast(flat, acc), -1, dtype=acc)
        if node.op == "mean":
            value = value.astype(np.float64) / np.float64(n)
            return value.astype(node.dtype), ulps(value, node.dtype.type, 1)
        return cast(value, node.dtype)
    if acc.kind != "f" or node.dtype.kind not in "f":
        raise Skip
    long = flat.astype(acc).astype(np.longdouble)
    eps = np.finfo(acc).eps
    if node.op == "prod":
        value = np.prod(long, -1)
        partial = np.abs(np.cumprod(np.where(long == 0, 1, long), -1))
        if np.any(~np.isfinite(long)) or np.any(partial > np.finfo(acc).max / 4) or np.any((partial < np.finfo(acc).tiny * 4)):
            raise Skip
        spread = np.abs(value) * (n + 2) * eps
    else:
        value, spread = np.sum(long, -1), np.sum(np.abs(long), -1) * (n + 2) * eps
        if np.any(spread / eps > np.finfo(acc).max / 4) or np.any(np.isnan(spread)):
            raise Skip
        if node.op == "mean":
            value, spread = value / n, spread / max(n, 1)
    if np.any(np.abs(value) > np.finfo(node.dtype).max / 2):
        raise Skip
    return value, spread + ulps(value, node.dtype.type, 1)


def variance(node, flat, n):
    ddof = int(node.attrs.get("ddof", 0))
    if flat.dtype.kind == "c" or n - ddof <= 0 or not np.all(np.isfinite(flat.astype(np.float64))):
        raise Skip
    long = flat.astype(np.longdouble)
    mean = np.sum(long, -1, keepdims=True) / n
    value = np.sum((long - mean) ** 2, -1) / (n - ddof)
    top = np.max(np.abs(long), -1) ** 2 if n else 0
    if np.any(top > np.finfo(node.dtype).max / 1e6):
        raise Skip
    spread = (1e-5 if node.dtype == np.float32 else 1e-11) * np.maximum(value, 0) + 1e-11 * top
    if node.op == "std":
        return np.sqrt(value), np.sqrt(spread) + ulps(np.sqrt(value), node.dtype.type, 4)
    return value, spread


def move(node, args, orders, symbols):
    x = args[0]
    if node.op == "dimshuffle":
        pattern = [int(p) for p in ints(node.attrs["pattern"])]
        x = np.transpose(x.reshape([x.shape[p] for p in range(x.ndim) if p in pattern]), np.argsort(np.argsort([p for p in pattern if p >= 0])))
        for k, p in enumerate(pattern):
            if p < 0:
                x = np.expand_dims(x, k)
        return x
    if node.op == "relabel":
        return x
    if node.op == "broadcast_to":
        return np.broadcast_to(x, ints(node.attrs["shape"], symbols))
    if node.op == "slice":
        for axis, (start, count, step) in enumerate(zip(ints(node.attrs["starts"], symbols), ints(node.attrs["shape"], symbols), ints(node.attrs["steps"]))):
            x = np.take(x, [start + i * step for i in range(count)], axis)
        return x
    if node.op == "reshape":
        return x.reshape(ints(node.attrs["shape"], symbols), order=orders[0])
    return np.concatenate(args, int(node.attrs["axis"]))


def indexing(node, args, symbols):
    if node.op == "iota":
        shape, axis = ints(node.attrs["shape"], symbols), int(node.attrs["axis"])
        return np.broadcast_to(np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))]), shape)
    x = args[0].copy()
    if node.op in ("set_slice", "inc_slice"):
        region = []
        for start, count, step, whole in zip(ints(node.attrs["starts"], symbols), ints(node.attrs["shape"], symbols), ints(node.attrs["steps"]), x.shape):
            region.append(np.arange(whole) if count == -1 else start + step * np.arange(count))
        chosen = np.ix_(*region) if region else ()
        x[chosen] = args[1] if node.op == "set_slice" else x[chosen] + args[1]
        return x
    axes, position = ints(node.attrs["axes"]), int(node.attrs["position"])
    rest = [k for k in range(x.ndim) if k not in axes]
    indices = tuple(args[1:] if node.op == "take" else args[2:])
    front = x.transpose(axes + rest)
    rank = max(i.ndim for i in indices)
    if node.op == "take":
        return np.moveaxis(front[indices], range(rank), range(position, position + rank))
    values = np.moveaxis(args[1], range(position, position + rank), range(rank))
    if node.op == "set_at":
        front[indices] = values  # NumPy promises no order for equal indices, but has the last one in practice
    else:
        np.add.at(front, indices, values)
    return front.transpose(np.argsort(axes + rest))


def matrix_product(a, b):
    """Exact for integers and booleans; else in a wider dtype, with the error that sums of products in any order keep within."""
    if a.dtype.kind in "biu":
        return np.matmul(a, b), None
    wider = {"f4": np.float64, "f8": np.longdouble, "c8": np.complex128, "c16": np.clongdouble}[a.dtype.str[1:]]
    x, y = a.astype(wider), b.astype(wider)
    scale = np.matmul(np.abs(x), np.abs(y))
    if not np.all(scale < np.finfo(a.dtype).max / 4):
        raise Skip()
    tiny = np.finfo(a.dtype).tiny
    return np.matmul(x, y), (4 * a.shape[-1] + 8) * (np.finfo(a.dtype).eps * scale + tiny)


def expected(node, args, orders, symbols):
    if node.op in ("iota", "take", "set_slice", "inc_slice", "set_at", "inc_at"):
        return indexing(node, args, symbols), None
    if node.op == "size":
        raise Skip
    if node.op in ("dimshuffle", "broadcast_to", "relabel", "slice", "reshape", "concatenate"):
        result = move(node, args, orders, symbols)
    elif node.op in ("sum", "prod", "mean", "min", "max", "argmin", "argmax", "any", "all", "var", "std"):
        result = reduction(node, args[0], orders[0])
    elif node.op == "matmul":
        result = matrix_product(*args)
    elif node.op in SIMPLE or node.op in VECTOR or node.op in ("cast", "second", "complex", "angle", "exp_shifted"):
        result = elementwise(node, args)
    else:
        raise AssertionError("numpy_oracle.py does not know " + node.op)
    return result if isinstance(result, tuple) else (result, None)


# ---- comparison ----

def differs(node, got, value, allowed):
    value = np.asarray(value).reshape(got.shape)
    if allowed is None or got.dtype.kind in "biu":
        if got.dtype.kind in "fc":
            same = (got == value) | (np.isnan(got) & np.isnan(value))
        else:
            same = got == value
    else:
        allowed = np.asarray(allowed)
        allowed = allowed.reshape(got.shape) if allowed.size == got.size else allowed
        limit = np.finfo(got.dtype).max
        close = np.abs(got.astype(value.dtype) - value) <= allowed
        # Beyond the format's range the wider value stands for infinity.
        infinite = np.isinf(got) & (np.abs(value) >= limit * (1 - np.finfo(got.dtype).eps)) & ((np.real(got) > 0) == (np.real(value) > 0))
        same = close | infinite | (np.isnan(got) & np.isnan(value)) | (got == value)
    if np.all(same):
        return None
    at = np.unravel_index(int(np.argmin(same)), got.shape) if got.ndim else ()
    return "%d of %d elements, the first at %s: got %r, NumPy %r" % (np.sum(~same), got.size, at, got[at], value[at])


def check_case(voxloom, stem, counts):
    nodes, _ = read_graph(stem + ".vl")
    arrays = dict(np.load(stem + ".npz")) if any(n.op == "input" for n in nodes) else {}
    symbols, values, orders = {}, {}, {}
    computed = [n for n in nodes if n.op not in ("input", "constant")]
    if not computed:
        return []
    text = open(stem + ".vl").read()
    text = re.sub(r"return .*", "return " + ", ".join(n.label for n in computed), text)
    with tempfile.TemporaryDirectory() as folder:
        graph, out = os.path.join(folder, "g.vl"), os.path.join(folder, "out.npz")
        open(graph, "w").write(text)
        run = subprocess.run([voxloom, "run", graph, stem + ".npz", "-o", out], capture_output=True, text=True)
        if run.returncode != 0:
            return ["voxloom run failed: " + run.stderr.strip()]
        results = list(np.load(out).values())
    for n in nodes:
        orders[n.label] = n.order
        if n.op == "input":
            name = re.match(r'"(.*)"', n.rest).group(1)
            values[n.label] = arrays[name]
            for dim, size_ in zip(n.dims, arrays[name].shape):
                if re.fullmatch(r"[A-Za-z_]\w*", dim):
                    symbols[dim] = size_
        elif n.op == "constant":
            values[n.label] = constant(n, symbols)
    for n, got in zip(computed, results):
        values[n.label] = got
    problems = []
    for n in computed:
        got = values[n.label]
        if got.dtype != n.dtype or got.shape != n.shape(symbols):
            problems.append("%s %s: dtype or shape %s %s" % (n.label, n.op, got.dtype, got.shape))
            continue
        try:
            value, allowed = expected(n, [values[i] for i in n.inputs], [orders[i] for i in n.inputs], symbols)
            problem = differs(n, got, value, allowed)
            counts["compared"] += 1
        except Skip:
            counts["skipped"] += 1
            continue
        if problem:
            problems.append("%s = %s%s of %s: %s" % (n.label, n.op, n.inputs, [str(values[i].dtype) for i in n.inputs], problem))
    return problems


def main():
    if len(sys.argv) == 3:
        return check_folder(sys.argv[1], sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[2], "--plain", "--seed", "500001", "--seconds", sys.argv[3], "--numpy", folder], check=True)
        return check_folder(sys.argv[1], folder)


def check_folder(voxloom, folder):
    counts, bad, cases = {"compared": 0, "skipped": 0}, 0, 0
    for path in sorted(glob.glob(os.path.join(folder, "*.vl"))):
        cases += 1
        for problem in check_case(voxloom, path[:-3], counts):
            bad += 1
            print("%s: %s" % (os.path.basename(path), problem))
    print("%d graphs, %d nodes compared with NumPy %s, %d without a counterpart, %d differences" % (cases, counts["compared"], np.__version__, counts["skipped"], bad))
    return 1 if bad or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
