# python/voxloom/_numpy.py: NumPy's functions on expressions build expressions.
"""`__array_ufunc__`, `__array_function__` and `__array__` of expressions."""

import numpy

from . import _core

_REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
}
# NumPy's functions whose name alone does not say which of ours it is.
_FUNCTIONS = {"amax": "max", "amin": "min", "around": "round", "clip": "clip"}


def _refuse(op, text):
    _core._fail("dtype", op, text)


def _without_defaults(op, kwargs):
    """Keywords with a meaning here; NumPy passes its defaults along."""
    kept = {}
    for name, value in kwargs.items():
        if value is None or value is numpy._NoValue or (name == "where" and value is True) or (name == "initial" and value is None):
            continue
        if name in ("out", "where", "initial", "casting", "order", "subok", "signature", "extobj"):
            _refuse(op, f"an expression takes no {name}=")
        kept[name] = value
    return kept


def ufunc(self, function, method, inputs, kwargs):
    """Called by NumPy for a ufunc with an expression among its operands."""
    name = function.__name__
    kwargs = _without_defaults(name, kwargs)
    if method == "reduce":
        if name not in _REDUCTIONS:
            return NotImplemented
        kwargs.setdefault("axis", 0)
        return getattr(_core, _REDUCTIONS[name])(*inputs, **kwargs)
    target = getattr(_core, name, None)
    if method != "__call__" or target is None or function.nout != 1:
        return NotImplemented
    dtype = kwargs.pop("dtype", None)
    along = {"axis": kwargs.pop("axis")} if name == "vecdot" and "axis" in kwargs else {}
    if kwargs:
        _refuse(name, f"an expression takes no {next(iter(kwargs))}=")
    result = target(*inputs, **along)
    return result if dtype is None else result.astype(dtype)


def function(func, args, kwargs):
    """Called by NumPy for its other functions with an expression among their arguments."""
    name = _FUNCTIONS.get(func.__name__, func.__name__)
    target = getattr(_core, name, None) if func.__module__ in ("numpy", "numpy.linalg") else None
    if target is None or name.startswith("_"):
        return NotImplemented
    if name == "einsum":
        kwargs.pop("optimize", None)  # operands are contracted from left to right: the order is part of the result's bits
    if name == "clip":
        return _clip(*args, **kwargs)
    return target(*args, **_without_defaults(name, kwargs))


def _clip(a, a_min=None, a_max=None, out=None, *, min=None, max=None, **kwargs):
    _without_defaults("clip", {"out": out, **kwargs})
    low = a_min if a_min is not None and a_min is not numpy._NoValue else min
    high = a_max if a_max is not None and a_max is not numpy._NoValue else max
    if low is None or low is numpy._NoValue:
        return _core.minimum(a, high)
    if high is None or high is numpy._NoValue:
        return _core.maximum(a, low)
    return _core.clip(a, low, high)


def array(expr, dtype):
    """The value of an expression without inputs: np.asarray(img / 2)."""
    free = [leaf.name or "?" for leaf in _core._leaves([expr]) if leaf.op == "input"]
    if free:
        _refuse("array", f"the expression has no value before its inputs are given ({', '.join(free)}); use eval() or function()")
    value = expr.eval()
    return value if dtype is None else value.astype(dtype, copy=False)
