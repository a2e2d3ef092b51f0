# python/voxloom/_function.py: function(): its arguments sorted out, results in the form of the outputs; evaluation and pickling.
"""Compiling functions."""

from . import _core, _custom


def _refuse(text, code="usage", op="function"):
    _core._fail(code, op, text)


class In:
    """An input with options.

    name: for arguments by name (default: the variable's). value: used where a call gives no argument; copied unless borrow.
    mutable: the function may overwrite the argument: a borrowed output of the same dtype and shape is then written over it where every kernel
    only maps. borrow: an output that is the input itself, and borrowed too, is the argument itself, without a copy.
    strict: takes arrays of its own dtype only; otherwise those that convert without loss are converted. allow_downcast: converts with loss too
    (None: what function() says); complex numbers never become real.
    Raises: UserError unless `variable` is a variable; function() raises it for a default value that does not fit.

    Example:
        >>> x, y = vl.fvectors("x", "y")
        >>> f = vl.function([vl.In(x, mutable=True), vl.In(y, value=[1, 1])], vl.Out(vl.exp(x) * y, borrow=True))
        >>> a = np.zeros(2, "float32")
        >>> f(a) is a
        True
    """

    __slots__ = ("variable", "name", "value", "mutable", "borrow", "strict", "allow_downcast")

    def __init__(self, variable, name=None, value=None, *, mutable=False, borrow=False, strict=False, allow_downcast=None):
        if not isinstance(variable, _core.Expr) or variable.op != "input":
            _refuse(f"an input is a variable such as vector(), not {variable!r}", op="In")
        if name is not None and not isinstance(name, str):
            _refuse(f"a name is a text, not {name!r}", op="In")
        self.variable = variable
        self.name = name
        self.value = value
        self.mutable = bool(mutable)
        self.borrow = bool(borrow)
        self.strict = bool(strict)
        self.allow_downcast = None if allow_downcast is None else bool(allow_downcast)


class Out:
    """An output with options.

    borrow: the function may use the result's buffer again at its next call, unless somebody still holds the array: an array that is held is
    never overwritten.
    Raises: DTypeError for a value that becomes no expression.

    Example:
        >>> x = vl.fvector("x")
        >>> f = vl.function([x], vl.Out(x + 1, borrow=True))
        >>> f([1, 2])
        array([2., 3.], dtype=float32)
    """

    __slots__ = ("variable", "borrow")

    def __init__(self, variable, borrow=False):
        self.variable = _core.constant(variable)
        self.borrow = bool(borrow)


def _inputs(inputs):
    if isinstance(inputs, (_core.Expr, In)):
        inputs = [inputs]
    inputs = [i if isinstance(i, In) else In(i) for i in inputs]
    variables = [i.variable for i in inputs]
    for k, v in enumerate(variables):
        if any(v is w for w in variables[:k]):
            _refuse(f"the input {v.name or v!r} is listed twice")
    return inputs


def _outputs(outputs):
    """The outputs as a list, and their form: None, True for one, False for a list, or a tuple of the dict's keys."""
    if outputs is None:
        return [], None
    if isinstance(outputs, dict):
        return list(outputs.values()), tuple(outputs)
    if isinstance(outputs, (list, tuple)):
        return list(outputs), False
    return [outputs], True


def pairs(what, given, op="function"):
    """A dict or a sequence of pairs as a list of pairs."""
    found = list(given.items()) if isinstance(given, dict) else list(given or ())
    for pair in found:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            _refuse(f"{what} is a dict or a sequence of pairs, but one entry is {pair!r}", op=op)
    return found


def function(
    inputs,
    outputs=None,
    updates=None,
    *,
    givens=None,
    mode=None,
    name=None,
    profile=None,
    on_unused_input=None,
    allow_input_downcast=False,
    device=None,
    memory=None,
    threads=None,
    allow_gc=None,
    strict_borrow=None,
    optimise=True,
    fuse=True,
    optimizer_excluding=(),
    target=None,
):
    """Compiles expressions into a Function.

    inputs: variables, or In(variable, ...). outputs: an expression (or Out(...)), a list or a dict of them, or None; calls return results in the
    same form. updates: {shared: new value} or pairs, computed from the old values and committed together when the call has succeeded.
    givens: {variable or any node: what stands in its place}, all replaced at once, in outputs and updates.
    mode: a name or a Mode: FAST_RUN, FAST_COMPILE, DebugMode, NanGuardMode, ProfileMode. profile: measure every step of every call.
    allow_input_downcast: arguments are converted even if that loses precision. memory: limit of a call for results and temporaries, in bytes or as
    "64M". strict_borrow: an error where borrowing cannot give what was asked for. allow_gc=False keeps temporaries between calls.
    optimise, fuse: off for looking closer. optimizer_excluding: names of passes to leave out. on_unused_input: "raise", "warn" or "ignore".
    What is None comes from vl.config. The GIL is released while it compiles. Compiled kernels are kept on disk (vl.config.cache_dir).
    Raises: UserError for variables that are missing, listed twice or not used, for updates of another type and for unknown names of modes and
    passes; RuntimeError for a device that is not there. Errors name your line.

    Example:
        >>> x, y = vl.fvectors("x", "y")
        >>> f = vl.function([x, y], {"sum": x + y, "difference": x - y})
        >>> f([1, 2], [1, 1])["difference"]
        array([0., 1.], dtype=float32)
    """
    outs, form = _outputs(outputs)
    options = {
        "mode": mode,
        "name": "function" if name is None else name,
        "profile": profile,
        "on_unused_input": on_unused_input,
        "allow_input_downcast": allow_input_downcast,
        "device": device,
        "memory": memory,
        "threads": threads,
        "allow_gc": allow_gc,
        "strict_borrow": strict_borrow,
        "optimise": optimise,
        "fuse": fuse,
        "optimizer_excluding": [optimizer_excluding] if isinstance(optimizer_excluding, str) else list(optimizer_excluding),
        "target": target,
    }
    return _core._compile(
        _inputs(inputs),
        [o if isinstance(o, Out) else Out(o) for o in outs],
        pairs("updates", updates),
        pairs("givens", givens),
        options,
        form,
    )


# ---- pickling: the library's own format, the form of the results, and the host functions that the graph names ----

_FORMAT = 2


def reduce(f):
    """What pickle stores for a Function."""
    data, form, rows = _core._function_state(f)
    return restore, ({"format": _FORMAT, "function": data, "form": form, "host_ops": _custom.ops_of(rows)},)


def restore(state):
    """A Function from what reduce() stored; its shared variables are its own."""
    if state["format"] != _FORMAT:
        _refuse(f"format {state['format']} of a pickled function (allowed {_FORMAT})", op="pickle")
    return _core._function_of_state(state["function"], state["form"], _custom.rows_of(state["host_ops"]))


# ---- evaluation ----

_KEPT = 64
_evaluated: dict = {}  # id of a node -> (variables, function), the last ones used


def evaluate(expr, inputs):
    """The value of an expression for {variable: value}; see Expr.eval."""
    inputs = inputs or {}
    if any(leaf.op == "image" for leaf in _core._leaves([expr])):
        if inputs:
            _refuse("an expression over images takes no inputs", op="eval")
        return _core._evaluate([expr], {})[0]
    variables = list(inputs)
    key = _core._node_id(expr)
    kept = _evaluated.pop(key, None)
    if kept is None or len(kept[0]) != len(variables) or any(a is not b for a, b in zip(kept[0], variables)):
        kept = (variables, function(variables, expr, name="eval", on_unused_input="ignore"))
    _evaluated[key] = kept
    if len(_evaluated) > _KEPT:
        del _evaluated[next(iter(_evaluated))]
    return kept[1](*inputs.values())


def write_report(text, json, html, path):
    """Writes a profile in the form that the suffix asks for."""
    forms = {".html": html, ".json": json, ".txt": text}
    suffix = path[path.rfind(".") :] if "." in path else ""
    if suffix not in forms:
        _refuse(f"{path}: suffix {suffix!r} (allowed .html, .json, .txt)", op="profile_report")
    with open(path, "w", encoding="utf-8") as file:
        file.write(forms[suffix])
