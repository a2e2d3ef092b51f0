# python/voxloom/_custom.py: ops that are functions of Python.
"""Ops given as functions over NumPy arrays."""

import re

from . import _core

_rows: dict = {}  # what an op is made of -> its row
_by_row: dict = {}  # id of a row -> an op of it


def _refuse(text, op):
    _core._fail("usage", op, text)


class HostOp:
    """An op computed by a function of yours over NumPy arrays.

    name: a C identifier that voxloom has no op of. host: called with an array for each operand (copies, which it may keep or change), gives the
    result as an array. It must depend on its arguments alone: equal ops over equal operands are computed once, results that nobody uses
    not at all. It runs with the GIL, alone between kernels, on the thread that called the function; it neither fuses nor streams.
    infer: called with the operands (expressions), gives the result's type: an expression of that type, or (shape, dtype). Left out, the result is
    like the first operand.
    grad: called with the operands and the gradient g of a cost with respect to the result, gives an expression for each operand (one of one), None
    where nothing comes through. Left out, grad() through the op is an error.
    Shapes and dtypes are those that infer says: a result of another shape or kind is an error of the call.
    Ops of equal name, host, infer and grad are equal and merge. An op lives as long as the process. Functions with such ops pickle if host, infer and
    grad do, which means by the names under which they are imported.
    Raises: UserError for a bad name, DTypeError and UserError of a call for results that do not fit; what host raises leaves the call,
    with a note that says the op and your line, and shared variables keep their values.

    Example:
        >>> double = vl.HostOp("double", lambda a: 2 * a, grad=lambda x, g: 2 * g)
        >>> x = vl.fmatrix("x")
        >>> vl.function([x], double(x) + 1)(np.ones((1, 3), "float32"))
        array([[3., 3., 3.]], dtype=float32)
    """

    __slots__ = ("_parts", "_row")

    def __init__(self, name, host, infer=None, grad=None):
        self._make((name, host, infer, grad), (name, host, infer, grad))

    def _make(self, row_parts, parts):
        self._parts = parts
        key = (type(self), *self._parts)
        try:
            self._row = _rows.get(key)
        except TypeError:  # a callable object that cannot be hashed is an op of its own
            key, self._row = None, None
        if self._row is None:
            self._row = _core._make_host_row(*row_parts)
            if key is not None:
                _rows[key] = self._row
            _by_row[self._row.id] = self

    def __call__(self, *operands):
        """The expression of these operands."""
        return _core._apply_host_row(self._row, *operands)

    @property
    def name(self):
        """Its name."""
        return self._parts[0]

    @property
    def host(self):
        """Its function."""
        return self._parts[1]

    def __eq__(self, other):
        return isinstance(other, HostOp) and self._row.id == other._row.id

    def __hash__(self):
        return self._row.id

    def __repr__(self):
        return f"<voxloom.{type(self).__name__} {self.name}>"

    def __reduce__(self):
        return type(self), self._parts


def _sizes(what, given, op):
    sizes = (given,) if isinstance(given, int) else given
    if given is not None and not (
        isinstance(sizes, (tuple, list)) and 1 <= len(sizes) <= 3 and all(isinstance(n, int) and n > 0 for n in sizes)
    ):
        _refuse(f"{what} is one to three positive ints, not {given!r}", op)
    return None if given is None else tuple(sizes)


class CudaOp(HostOp):
    """An op given as CUDA source, with a function of yours that computes it on the CPU.

    source: CUDA C; kernel: the name of its __global__ function, and of the op. block, grid: one to three positive ints each.
    host, infer, grad: as of HostOp. This build has no GPU back end: functions run host, and source, block and grid only tell ops apart, so that one
    script serves both kinds of machine.
    Raises: UserError without host, for a source that has no such kernel and sizes that are none; otherwise as HostOp.

    Example:
        >>> source = "__global__ void twice(const float* x, float* y, int n) { int i = ...; if (i < n) y[i] = 2 * x[i]; }"
        >>> twice = vl.CudaOp(source=source, kernel="twice", block=(512,), host=lambda a: 2 * a, grad=lambda x, g: 2 * g)
        >>> x = vl.fmatrix("x")
        >>> vl.function([x], twice(x))(np.ones((1, 3), "float32"))
        array([[2., 2., 2.]], dtype=float32)
    """

    __slots__ = ()

    def __init__(self, source, kernel, block=None, grid=None, host=None, infer=None, grad=None):
        if not isinstance(kernel, str) or not isinstance(source, str):
            _refuse(f"source and kernel are texts, not {source!r} and {kernel!r}", op="CudaOp")
        if "__global__" not in source or not re.search(rf"\b{re.escape(kernel)}\s*\(", source):
            _refuse(f"the source has no __global__ function of the name {kernel!r}", op="CudaOp")
        if host is None:
            _refuse("this build has no GPU back end, so the op needs a function host= for the CPU", op=kernel)
        block, grid = _sizes("block", block, kernel), _sizes("grid", grid, kernel)
        self._make((kernel, host, infer, grad), (source, kernel, block, grid, host, infer, grad))

    @property
    def name(self):
        """Its name: that of the kernel."""
        return self._parts[1]

    @property
    def host(self):
        """Its function for the CPU."""
        return self._parts[4]

    @property
    def source(self):
        """Its CUDA source."""
        return self._parts[0]


def ops_of(rows):
    """The host ops of these rows, for pickling."""
    ops = [_by_row[row] for row in rows]
    names = [op.name for op in ops]
    for name in names:
        if names.count(name) > 1:
            _refuse(f"two different ops are called {name}, which a pickle cannot tell apart", op="pickle")
    return ops


def rows_of(ops):
    """Rows by name."""
    return {op.name: op._row for op in ops}
