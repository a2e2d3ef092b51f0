# python/voxloom/_config.py: vl.config.
"""The process's configuration as attributes of one object."""

import contextlib
import os

import numpy

from . import _core


class Config:
    """The configuration: attributes that are read when expressions are built and functions compiled or called.

    Values come from ~/.voxloomrc (or $VOXLOOMRC, an INI file), then from VOXLOOM_FLAGS="name=value,name=value", then from what is set here;
    arguments of function() and of calls win. `dir(vl.config)` lists the names, `print(vl.config)` values and meanings.
    Raises: UserError for a name that does not exist (with the nearest one) or a value that is not allowed. What is wrong in the environment
    is an ImportError of `import voxloom`.

    Example:
        >>> vl.config.floatX
        'float32'
        >>> vl.config.floatx = "float64"
        Traceback (most recent call last):
        voxloom._errors.UserError: config: no option is called floatx (did you mean floatX?)
    """

    __slots__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _core._config_get(name)

    def __setattr__(self, name, value):
        _core._config_set(name, _text(name, value))

    @contextlib.contextmanager
    def change_flags(self, **options):
        """A context in which options have other values: `with vl.config.change_flags(floatX="float64"): ...`.

        Raises: UserError for a name or a value; then nothing has changed.

        Example:
            >>> with vl.config.change_flags(floatX="float64"):
            ...     vl.vector("x").dtype
            dtype('float64')
            >>> vl.config.floatX
            'float32'
        """
        before = {}
        try:
            for name, value in options.items():
                old = getattr(self, name)
                setattr(self, name, value)
                before[name] = old
            yield self
        finally:
            for name, value in before.items():
                setattr(self, name, value)

    def __dir__(self):
        return [name for name, _, _ in _core._config_options()]

    def __repr__(self):
        return "\n".join(f"{name} = {getattr(self, name)!r}  # {doc} ({values})" for name, values, doc in _core._config_options())


def _text(name, value):
    """What the option's parser reads."""
    if isinstance(value, (list, tuple)):
        return ":".join(map(str, value))
    if isinstance(value, (type, numpy.dtype)):
        return numpy.dtype(value).name
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if not isinstance(value, (str, bool, int, numpy.integer, numpy.bool_)):
        _core._fail("dtype", "config", f"{name} = {value!r} is neither a text nor a number nor True or False")
    return str(value)


config = Config()
