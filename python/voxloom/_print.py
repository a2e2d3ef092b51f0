# python/voxloom/_print.py: debugprint().
"""Printing expressions and functions."""

import sys

from . import _core


def debugprint(graph, depth=-1, print_type=True, *, print_origin=False, file=None):
    """Prints an expression, a function, or a list of them as a tree: one node a line, operands below it, each node's operands once.

    Of a function it is the graph after the passes, with the kernel that computes a node, where its value lives, "view of" for values that are
    another's memory, and "destroys" for an argument that may be written over. depth: levels of the tree (-1: all). print_origin: your lines too.
    file: where it goes (default: sys.stdout); "str" returns the text instead.
    Raises: DTypeError for other objects.

    Example:
        >>> x = vl.fvector("x")
        >>> vl.debugprint(vl.exp(-x))
        exp [A] <f32[...]>
         |neg [B] <f32[...]>
         | |x [C] <f32[...]>
    """
    graphs = graph if isinstance(graph, (list, tuple)) else [graph]
    text = "".join(_core._debugprint(g, depth, bool(print_type), bool(print_origin)) for g in graphs)
    if file == "str":
        return text
    (sys.stdout if file is None else file).write(text)
    return None
