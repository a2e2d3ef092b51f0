# python/voxloom/_function.py: function(): its arguments sorted out, results in the form of the outputs; evaluation and pickling.
"""Compiling functions."""

from . import _core, _custom
from ._errors import make


def _refuse(text, code="usage", op="function"):
    raise make("user", code, f"{op}: {text}", op, "")


class In:
    """An input with options.

    mutable: the function may overwrite the argument: a borrowed output of the same dtype and shape is then written over it where every kernel
    only maps.
    Raises: UserError unless `variable` is a variable.

    Example:
        >>> x = vl.fvector("x")
        >>> f = vl.function([vl.In(x, mutable=True)], vl.Out(vl.exp(x), borrow=True))
        >>> a = np.zeros(2, "float32")
        >>> f(a) is a
        True
    """

    __slots__ = ("variable", "mutable")

    def __init__(self, variable, *, mutable=False):
        if not isinstance(variable, _core.Expr) or variable.op != "input":
            _refuse(f"an input is a variable such as vector(), not {variable!r}", op="In")
        self.variable = variable
        self.mutable = mutable


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

    __slots__ = ("value", "borrow")

    def __init__(self, value, *, borrow=False):
        self.value = _core.constant(value)
        self.borrow = borrow


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


def _updates(updates):
    pairs = list(updates.items()) if isinstance(updates, dict) else [tuple(p) for p in updates or ()]
    seen = []
    for pair in pairs:
        if len(pair) != 2:
            _refuse(f"updates are pairs (shared variable, new value), not {pair!r}")
        variable, value = pair
        if not isinstance(variable, _core.Shared):
            _refuse(f"an update is for a shared variable, not for {variable!r}")
        if any(variable is s for s in seen):
            _refuse(f"{variable.name or variable!r} is updated twice")
        seen.append(variable)
        yield variable, _core.constant(value).astype(variable.dtype) if not isinstance(value, _core.Expr) else value


def function(
    inputs,
    outputs,
    updates=None,
    *,
    name="function",
    profile=False,
    optimise=True,
    fuse=True,
    optimizer_excluding=(),
    on_unused_input=None,
):
    """Compiles expressions into a Function.

    inputs: variables, or In(variable, ...). outputs: an expression (or Out(...)), a list or a dict of them, or None; calls return results in the
    same form. updates: {shared: new value} or pairs, computed from the old values and committed together when the call has succeeded.
    profile: measure every step of every call. optimise, fuse: off for looking closer. optimizer_excluding: names of passes to leave out.
    on_unused_input: "raise", "warn" or "ignore" (None: vl.config.on_unused_input).
    The GIL is released while it compiles. Compiled kernels are kept on disk (vl.config.cache_dir).
    Raises: UserError for variables that are missing or listed twice and for updates of another type; errors name your line.

    Example:
        >>> x, y = vl.fvectors("x", "y")
        >>> f = vl.function([x, y], {"sum": x + y, "difference": x - y})
        >>> f([1, 2], [1, 1])["difference"]
        array([0., 1.], dtype=float32)
    """
    ins = _inputs(inputs)
    outs, form = _outputs(outputs)
    outs = [o if isinstance(o, Out) else Out(o) for o in outs]
    pairs = list(_updates(updates))
    options = {
        "name": name,
        "profile": bool(profile),
        "optimise": bool(optimise),
        "fuse": bool(fuse),
        "optimizer_excluding": list(optimizer_excluding),
        "on_unused_input": on_unused_input,
    }
    recipe = (ins, outs, pairs, options, form)
    return _core._compile(
        [i.variable for i in ins],
        [bool(i.mutable) for i in ins],
        [o.value for o in outs],
        [bool(o.borrow) for o in outs],
        pairs,
        options,
        form,
        recipe,
    )


# ---- pickling: the graph as text, the values of shared variables, the options; kernels are found again in the cache ----

_FORMAT = 1


def reduce(recipe):
    """What pickle stores for a Function. Shared variables become inputs of the stored graph, with their values beside it."""
    ins, outs, pairs, options, form = recipe
    values = [o.value for o in outs] + [value for _, value in pairs]
    read = [leaf for leaf in _core._leaves(values) if isinstance(leaf, _core.Shared)]
    shared = read + [s for s, _ in pairs if not any(s is r for r in read)]
    if any(leaf.op == "image" for leaf in _core._leaves(values)):
        _refuse("a function over image files does not pickle; pickle its inputs and build it where it is needed", op="pickle")
    stand_ins = [_core.tensor(s.name, dtype=s.dtype, shape=(None,) * s.ndim) for s in shared]
    replaced = _core._substitute(values, shared, stand_ins)
    text = _core._graph_text([i.variable for i in ins] + stand_ins, replaced)
    state = {
        "format": _FORMAT,
        "graph": text,
        "names": [i.variable.name for i in ins],
        "mutable": [bool(i.mutable) for i in ins],
        "borrow": [bool(o.borrow) for o in outs],
        "shared": [(s.name, s.get_value()) for s in shared],
        "updated": [next(k for k, r in enumerate(shared) if r is s) for s, _ in pairs],
        "options": options,
        "form": form,
        "host_ops": _custom.ops_below(values),
    }
    return restore, (state,)


def restore(state):
    """A Function from what reduce() stored; its shared variables are its own."""
    if state["format"] != _FORMAT:
        _refuse(f"format {state['format']} of a pickled function (allowed {_FORMAT})", op="pickle")
    inputs, values = _core._parse_graph(state["graph"], _custom.rows_of(state["host_ops"]))
    own = len(state["mutable"])
    shared = [_core.shared(value, name=name) for name, value in state["shared"]]
    values = _core._substitute(values, inputs[own:], shared)
    count = len(state["borrow"])
    outs = [Out(v, borrow=b) for v, b in zip(values[:count], state["borrow"])]
    ins = [In(v, mutable=m) for v, m in zip(inputs[:own], state["mutable"])]
    updates = [(shared[k], v) for k, v in zip(state["updated"], values[count:])]
    form = state["form"]
    outputs = None if form is None else outs[0] if form is True else outs if form is False else dict(zip(form, outs))
    options = dict(state["options"])
    return function(ins, outputs, updates, **options)


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
