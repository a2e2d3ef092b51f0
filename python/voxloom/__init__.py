# python/voxloom/__init__.py: the public names of `import voxloom as vl`.
"""voxloom: a dataflow graph engine with a compile step for scientific images and matrices.

Build expressions with NumPy's and Theano's names, compile them with function(), call the result with NumPy arrays; or open NIfTI files, which are
expressions too, and save what you compute from them, block by block:

    >>> x = vl.fmatrix("x")
    >>> f = vl.function([x], vl.exp(-x / 2))
    >>> f(np.zeros((1, 2), "float32"))
    array([[1., 1.]], dtype=float32)
"""

import os as _os

from . import _core

_core._install_origins(_os.path.dirname(_os.path.abspath(__file__)) + _os.sep)

from ._config import Config, config
from ._core import *  # noqa: F403: every function of the library; _core.pyi lists them
from ._custom import CudaOp, HostOp
from ._errors import (
    DTypeError,
    Error,
    FileError,
    IndexError,
    InternalError,
    LimitError,
    RuntimeError,
    UserError,
    UserLimitError,
)
from ._function import In, Out, function
from ._image import Image, explain_save, load, open, save, save_many
from ._print import debugprint

__version__: str = _core._version
