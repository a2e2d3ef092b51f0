# python/tests/test_expressions.py: variables, operators, NumPy's functions on expressions, protocols, origins.
import copy

import numpy as np
import pytest

import voxloom as vl


@pytest.mark.parametrize(
    "prefix, dtype",
    [("", "float32"), ("b", "int8"), ("w", "int16"), ("i", "int32"), ("l", "int64"), ("ub", "uint8"), ("uw", "uint16"), ("ui", "uint32")]
    + [("ul", "uint64"), ("f", "float32"), ("d", "float64"), ("c", "complex64"), ("z", "complex128")],
)
@pytest.mark.parametrize("kind, ndim", [("scalar", 0), ("vector", 1), ("row", 2), ("col", 2), ("matrix", 2), ("tensor3", 3), ("tensor5", 5)])
def test_every_variable(prefix, dtype, kind, ndim):
    x = getattr(vl, prefix + kind)("x")
    assert (x.dtype, x.ndim, x.name) == (dtype, ndim, "x")


def test_plurals_and_shapes():
    a, b = vl.matrices("a", "b")
    assert (a.name, b.name) == ("a", "b") and len(vl.ivectors(3)) == 3
    x = vl.tensor("x", dtype="float64", shape=("n", 784, None))
    assert x.shape[1] == 784 and x.shape[0] == "n" and isinstance(x.shape[2], vl.Dim)
    assert vl.matrix("m", ("n", 4)).T.shape == (4, vl.Dim("n"))
    assert x.shape[0] + 1 == vl.Dim("n + 1") and str(2 * x.shape[0] - 1) == "2*n - 1"
    vl.config.floatX = "float64"
    assert vl.matrix("x").dtype == "float64"


def test_operators_match_numpy():
    x, y = vl.dvectors("x", "y")
    a, b = np.array([1.5, -2.0, 3.0]), np.array([2.0, 4.0, -0.5])
    cases = {
        "+": (x + y, a + b),
        "-": (1 - x, 1 - a),
        "*": (a * x, a * a),
        "/": (x / 2, a / 2),
        "//": (x // y, a // b),
        "%": (x % y, a % b),
        "**": (x**2, a**2),
        "neg": (-x, -a),
        "abs": (abs(x), abs(a)),
        "==": (x == y, a == b),
        "!=": (x != 1.5, a != 1.5),
        "<": (x < y, a < b),
        ">=": (2 >= x, 2 >= a),
        "&": ((x > 0) & (y > 0), (a > 0) & (b > 0)),
        "~": (~(x > 0), ~(a > 0)),
        "round": (round(x), np.round(a)),
    }
    for name, (expr, expected) in cases.items():
        inputs = {v: value for v, value in ((x, a), (y, b)) if any(v is leaf for leaf in leaves(expr))}
        np.testing.assert_array_equal(expr.eval(inputs), expected, err_msg=name)


def leaves(expr):
    found = [] if expr.inputs else [expr]
    for e in expr.inputs:
        found += leaves(e)
    return found


def test_weak_numbers_do_not_widen():
    x = vl.fvector("x")
    for other in (2, 2.5, np.float64(2.5), np.int64(3), True):
        assert (x * other).dtype == "float32", other
    assert (x * 1j).dtype == "complex64" and (vl.ivector("i") + 1).dtype == "int32"
    assert (x * np.ones(3)).dtype == "float64"


def test_numpy_functions_build_expressions():
    x = vl.fmatrix("x")
    assert np.exp(x).op == "exp" and np.multiply(np.ones(3, "float32"), x).op == "mul"
    a = np.arange(6, dtype="float32").reshape(2, 3)
    for numpy_function, arguments in [
        (np.mean, {"axis": -1}),
        (np.sum, {}),
        (np.max, {"axis": 0, "keepdims": True}),
        (np.std, {"axis": 1, "ddof": 1}),
        (np.transpose, {}),
        (np.clip, {"a_min": 1, "a_max": 3}),
        (np.argmax, {"axis": 1}),
        (np.all, {}),
        (np.reshape, {"shape": (3, 2)}),
        (np.add.reduce, {}),
        (np.round, {}),
    ]:
        value = numpy_function(x, **arguments).eval({x: a})
        np.testing.assert_allclose(value, numpy_function(a, **arguments), rtol=1e-6, err_msg=numpy_function.__name__)
    joined = np.concatenate([x, x], axis=1)
    assert joined.eval({x: a}).shape == (2, 6) and np.stack([x, x]).ndim == 3
    assert np.where(x > 2, x, 0).eval({x: a}).max() == 5
    with pytest.raises(TypeError):
        np.linalg.svd(x)
    with pytest.raises(TypeError, match="out"):
        np.exp(x, out=a)


def test_methods():
    x = vl.tensor("x", dtype="float32", shape=(2, 3))
    a = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_array_equal(x.T.eval({x: a}), a.T)
    np.testing.assert_array_equal(x.dimshuffle(1, "x", 0).eval({x: a}), a.T[:, None, :])
    np.testing.assert_array_equal(x.sum(axis=0).eval({x: a}), a.sum(0))
    np.testing.assert_array_equal(x.mean().eval({x: a}), a.mean())
    np.testing.assert_array_equal(x.reshape(-1).eval({x: a}), a.ravel())
    np.testing.assert_array_equal(x.reshape((3, 2)).eval({x: a}), a.reshape(3, 2))
    np.testing.assert_array_equal(x.astype("int16").eval({x: a}), a.astype("int16"))
    np.testing.assert_array_equal(x[::-1, 1:, None].eval({x: a}), a[::-1, 1:, None])
    np.testing.assert_array_equal(x[-1, ...].eval({x: a}), a[-1])
    rows = [r.eval({x: a}) for r in x]
    assert len(x) == 2 and len(rows) == 2 and (rows[1] == a[1]).all()
    with pytest.raises(IndexError):
        x[2]
    with pytest.raises(TypeError):
        iter(vl.fvector("y"))
    with pytest.raises(TypeError):
        len(vl.fvector("y"))


def test_identity_hash_and_bool():
    x, y = vl.fvectors("x", "y")
    e = vl.exp(x + y)
    assert e.inputs[0].inputs[0] is x and e.inputs[0] is e.inputs[0]
    table = {x: 1, y: 2, e: 3}
    assert table[x] == 1 and table[e.inputs[0].inputs[1]] == 2 and len({x, x, y}) == 2
    assert copy.copy(x) is x and copy.deepcopy(x) is x
    assert (x == y).dtype == "bool"
    with pytest.raises(TypeError, match=r"&.*where") as caught:
        bool(x < y)
    assert isinstance(caught.value, vl.UserError)
    with pytest.raises(TypeError):
        x + "text"
    assert x.__eq__("text") is NotImplemented and (x == None) is False  # noqa: E711


def test_origins_name_the_users_line():
    x = vl.fvector("x")
    e = vl.exp(
        x
    )
    assert x.origin.startswith(__file__ + ":") and e.origin.startswith(__file__ + ":")
    line = int(x.origin.rsplit(":", 1)[1])
    assert int((x + 1).origin.rsplit(":", 1)[1]) > line
    with pytest.raises(vl.UserError) as caught:
        vl.tensor("a", dtype="float32", shape=(2, 3)) + vl.tensor("b", dtype="float32", shape=(4, 3))
    assert f"[at {__file__}:" in str(caught.value) and caught.value.origin.startswith(__file__)


def test_html_and_text():
    x = vl.fmatrix("x")
    e = vl.exp(-x / 2) < 3
    assert "exp" in repr(e) and "x" in str(e)
    assert "<table>" in e._repr_html_() and "&lt;" in (vl.tensor("a<b", dtype="float32", shape=())._repr_html_())
    f = vl.function([x], vl.exp(x), name="f")
    assert "Fused" in f._repr_html_() and "f(x)" in repr(f)


def test_constants():
    assert vl.constant([1, 2, 3]).dtype == "int64" and vl.constant(2.5).dtype == "float32"
    big = np.arange(4, dtype=">i2")[::-1]
    np.testing.assert_array_equal(vl.constant(big).eval(), big)
    assert vl.constant(3, dtype="uint8").dtype == "uint8"
    x = vl.fvector("x")
    assert vl.constant(x) is x
    with pytest.raises(vl.DTypeError, match="float16"):
        vl.constant(np.zeros(2, "float16"))
    with pytest.raises(TypeError):
        vl.exp(object())
