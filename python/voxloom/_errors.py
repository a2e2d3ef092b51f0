# python/voxloom/_errors.py: the exception classes; each also derives from the Python class that fits.
"""Exceptions of voxloom.

Every one is an `Error`; `UserError` means that the expression, the arguments or a file are at fault, `RuntimeError` that the disk, the memory or
a device failed, `InternalError` that voxloom has a bug. They also derive from Python's own classes, so that `except ValueError`, `except
IndexError` or `except OSError` do what one expects.
"""

import builtins


class Error(Exception):
    """Base of all errors of voxloom.

    Attributes: `code` (str: usage, shape, dtype, index, bad_input, file, device, limit, cancelled or internal), `op` (str: the function that
    refused), `origin` (str: "file.py:12", the line of yours that made the expression at fault; empty if unknown).

    Example:
        >>> try: vl.vector("x") + vl.tensor("y", dtype="float32", shape=(2, 3)) + vl.tensor("z", dtype="float32", shape=(4, 3))
        ... except vl.Error as error: print(error.code)
        shape
    """

    code = "internal"
    op = ""
    origin = ""


class UserError(Error, ValueError):
    """The expression, the arguments, their shapes or a file's content are at fault; a ValueError too.

    Example:
        >>> try: vl.function([vl.vector("x")], [])(1, 2)
        ... except ValueError as error: print(type(error).__name__)
        UserError
    """


class DTypeError(UserError, TypeError):
    """A dtype that does not fit; a TypeError (and ValueError) too.

    Example:
        >>> try: vl.shl(vl.vector("x"), 1)
        ... except TypeError as error: print(error.code)
        dtype
    """


class IndexError(UserError, builtins.IndexError):
    """An index out of range; Python's IndexError (and ValueError) too.

    Example:
        >>> try: vl.tensor("x", dtype="float32", shape=(3,))[5]
        ... except LookupError as error: print(error.code)
        index
    """


class RuntimeError(Error, builtins.RuntimeError):
    """The memory, the disk or a device failed, or the call was cancelled; Python's RuntimeError too.

    Example:
        >>> issubclass(vl.FileError, vl.RuntimeError)
        True
    """


class FileError(RuntimeError, OSError):
    """The operating system refused to open, read, write or rename a file; an OSError too.

    Example:
        >>> try: vl.open("/nowhere/bold.nii")
        ... except OSError as error: print(error.code)
        file
    """


class LimitError(RuntimeError, MemoryError):
    """A memory or size limit would be exceeded; a MemoryError too.

    Example:
        >>> issubclass(vl.LimitError, MemoryError)
        True
    """


class UserLimitError(UserError, MemoryError):
    """What was asked for is beyond a fixed limit (such as 2**63 bytes); a MemoryError and ValueError too.

    Example:
        >>> issubclass(vl.UserLimitError, ValueError)
        True
    """


class InternalError(Error):
    """A bug of voxloom: please report it with its text, which holds the graph.

    Example:
        >>> issubclass(vl.InternalError, vl.UserError)
        False
    """


_BY_KIND = {
    "user": (UserError, {"dtype": DTypeError, "index": IndexError, "limit": UserLimitError}),
    "runtime": (RuntimeError, {"file": FileError, "limit": LimitError}),
    "internal": (InternalError, {}),
}


def make(kind, code, message, op, origin):
    """The exception object for an error of the library (called by voxloom._core)."""
    fallback, by_code = _BY_KIND[kind]
    error = by_code.get(code, fallback)(message)
    error.code, error.op, error.origin = code, op, origin
    return error
