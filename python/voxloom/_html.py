# python/voxloom/_html.py: how expressions, functions and images look in a notebook.
"""`_repr_html_` of expressions, functions and images."""

from html import escape


def _table(title, rows):
    body = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(str(value))}</td></tr>"
        for name, value in rows
    )
    return f"<div><strong>{escape(title)}</strong><table>{body}</table></div>"


def expression(expr):
    """Text, type and the line that made it."""
    return _table(
        "voxloom expression",
        [("expression", expr), ("dtype", expr.dtype), ("shape", "(" + ", ".join(map(str, expr.shape)) + ")"), ("made at", expr.origin)],
    )


def function(f):
    """Inputs, and the kernels in order."""
    rows = [("inputs", ", ".join(f.input_names))]
    rows += [(f"kernel {k}", step) for k, step in enumerate(f.toposort())]
    return _table(f"voxloom function {f.name}", rows)


def image(img):
    """What the header says."""
    zooms = " x ".join(f"{z:g}" for z in img.header.get_zooms())
    rows = [("file", img.path), ("shape", img.shape), ("dtype in the file", img.get_data_dtype()), ("voxel size", zooms)]
    return _table("voxloom image", rows)
