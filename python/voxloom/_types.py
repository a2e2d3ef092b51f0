# python/voxloom/_types.py: what arguments may be, for type checkers.
"""Types of arguments: Operand (what becomes an expression) and DTypeLike (what names a dtype)."""

from typing import Union

import numpy
import numpy.typing

from . import _core

Operand = Union["_core.Expr", numpy.typing.ArrayLike]
DTypeLike = Union[str, numpy.dtype, type]
