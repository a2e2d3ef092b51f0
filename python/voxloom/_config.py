# python/voxloom/_config.py: vl.config.
"""The process's configuration as attributes of one object."""

import difflib

from . import _core
from ._errors import make


class Config:
    """The configuration: attributes that are read when expressions are built and functions compiled or called.

    `dir(vl.config)` lists the names, `print(vl.config)` their values.
    Raises: UserError for a name that does not exist (with the nearest one) or a value that is not allowed.

    Example:
        >>> vl.config.floatX
        'float32'
        >>> vl.config.floatx = "float64"
        Traceback (most recent call last):
        voxloom._errors.UserError: config: there is no option floatx; did you mean floatX?
    """

    __slots__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _core._config_get(_known(name))

    def __setattr__(self, name, value):
        _core._config_set(_known(name), value)

    def __dir__(self):
        return list(_core._config_names())

    def __repr__(self):
        return "\n".join(f"{name} = {_core._config_get(name)!r}  # {doc}" for name, doc in _core._config_names().items())


def _known(name):
    names = _core._config_names()
    if name in names:
        return name
    folded = {n.casefold(): n for n in names}
    near = difflib.get_close_matches(name.casefold(), folded, 1)
    hint = f"; did you mean {folded[near[0]]}?" if near else "; there are " + ", ".join(names)
    raise make("user", "usage", f"config: there is no option {name}{hint}", "config", "")


config = Config()
