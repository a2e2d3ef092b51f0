# python/tests/test_index.py: x[...] against NumPy, set_subtensor and inc_subtensor, what a mask chooses, moves and new arrays.
import operator

import numpy as np
import pytest

import voxloom as vl

A = np.arange(24, dtype="float64").reshape(4, 6)
INDICES = {
    "position": 1,
    "slices": (slice(None, None, -1), slice(1, None, 2)),
    "ellipsis, new axis": (..., None, -2),
    "beyond the end": slice(2, 10**30),
    "list": [3, 0, 3],
    "tuple in a tuple": ((0, 1), (2, 3)),
    "no indices": [],
    "array of a narrow dtype": np.array([[0, -1], [2, 2]], "int8"),
    "several arrays": (np.array([[0], [2]]), np.array([5, 1])),
    "array beside a slice": (slice(1, None), [0, 2]),
    "arrays apart": (np.array([0, 1]), None, np.array([2, 3])),
    "array without axes": (np.array(2), slice(None)),
}


@pytest.mark.parametrize("key", INDICES.values(), ids=INDICES)
def test_index_and_subtensors_match_numpy(key):
    x = vl.dmatrix("x")
    np.testing.assert_array_equal(x[key].eval({x: A}), A[key])
    expected = A.copy()
    expected[key] = 7
    np.testing.assert_array_equal(vl.set_subtensor(x[key], 7).eval({x: A}), expected)
    expected = A.copy()
    np.add.at(expected, key, 0.5)
    np.testing.assert_array_equal(vl.inc_subtensor(x[key], 0.5).eval({x: A}), expected)


def test_indices_may_be_expressions_and_views_may_be_indexed():
    x, i = vl.dmatrix("x"), vl.lvector("i")
    k = np.array([2, 0, 2])
    np.testing.assert_array_equal(x[i].eval({x: A, i: k}), A[k])
    np.testing.assert_array_equal(vl.inc_subtensor(x.T[i], 1).eval({x: A, i: k}).T[:, k], (A.T[k] + [[2], [1], [2]]).T)
    np.testing.assert_array_equal(vl.set_subtensor(vl.take(x.T, i, axis=0), 0).eval({x: A, i: k})[1], A.T[1])
    part = x[1:, i]
    assert part.eval({x: A, i: k}).shape == (3, 3)
    assert vl.set_subtensor(part, part * 2).eval({x: A, i: k})[1, 2] == 2 * A[1, 2]
    again = part.inputs[0]
    assert vl.set_subtensor(again, 0).eval({x: A})[1:].max() == 0, "a node reached through another"


def test_take():
    x, i = vl.dmatrix("x"), vl.imatrix("i")
    k = np.array([[0, 3], [-1, 2]], "int32")
    for axis in (None, 0, 1, -1):
        np.testing.assert_array_equal(vl.take(x, i, axis=axis).eval({x: A, i: k}), np.take(A, k, axis))
    np.testing.assert_array_equal(x.take(2, axis=1).eval({x: A}), A[:, 2])
    np.testing.assert_array_equal(np.take(x, [1], 0).eval({x: A}), A[[1]])
    np.testing.assert_array_equal(x.take([]).eval({x: A}), [])
    with pytest.raises(vl.UserError, match="allowed 'raise'.*clip"):
        vl.take(x, i, mode="clip")
    with pytest.raises(vl.DTypeError, match="integers choose elements"):
        vl.take(x, [0.5])


def test_errors_of_indices():
    x = vl.dmatrix("x")
    f = vl.function([x], x[[0, 4]])
    with pytest.raises(IndexError, match=r"index 4 is out of bounds for axis 0 with size 4 \[at .*test_index.py:\d+\]"):
        f(A)
    assert f(np.vstack([A, A])).shape == (2, 6), "usable after an error"
    with pytest.raises(TypeError, match="integers choose elements"):
        x[[0.5]]
    with pytest.raises(vl.UserError, match="3 indices for an operand of rank 2"):
        x[0, 0, 0]
    with pytest.raises(TypeError, match="made of integers, slices"):
        x["a"]
    with pytest.raises(TypeError, match="a slice takes integers"):
        x[: x.sum()]
    with pytest.raises(TypeError, match="set_subtensor"):
        x[0] = 1
    with pytest.raises(vl.UserError, match="chooses no elements"):
        vl.set_subtensor(x, 1)
    with pytest.raises(vl.DTypeError, match="cast the one or the other"):
        vl.set_subtensor(vl.fvector("y")[0], vl.dscalar("v"))
    with pytest.raises(vl.UserError, match=r"shapes \[2\] and \[3\] do not broadcast"):
        vl.set_subtensor(vl.tensor("y", dtype="float32", shape=(3,))[:2], np.zeros(3, "float32"))
    with pytest.raises(vl.DTypeError, match="neither an expression"):
        vl.set_subtensor(x[0], "a")


def test_masks_choose_for_subtensors():
    x = vl.dmatrix("x")
    for mask, key in [(x > 7, A > 7), (A > 7, A > 7), ((A > 7).tolist(), A > 7)]:
        expected = A.copy()
        expected[key] = -1
        np.testing.assert_array_equal(vl.set_subtensor(x[mask], -1).eval({x: A}), expected)
        np.testing.assert_array_equal(vl.inc_subtensor(x[mask], 2).eval({x: A}), A + 2 * key)
    rows = np.array([True, False, True, False])
    expected = A.copy()
    expected[rows, 1:3] = [[8, 9]]
    np.testing.assert_array_equal(vl.set_subtensor(x[rows, 1:3], [[8.0, 9.0]]).eval({x: A}), expected)
    w = vl.shared(A, name="w")
    vl.function([], None, updates={w: vl.set_subtensor(w[w < 3], 3)})()
    np.testing.assert_array_equal(w.get_value(), np.maximum(A, 3))


MISUSES = {
    "operator": lambda c, x: c + 1,
    "reflected": lambda c, x: 1 - c,
    "beside an expression": lambda c, x: x * c,
    "beside an array": lambda c, x: np.ones(3) * c,
    "power": lambda c, x: c**2,
    "comparison": lambda c, x: c == 1,
    "negation": lambda c, x: -c,
    "method": lambda c, x: c.sum(),
    "property": lambda c, x: c.shape,
    "function": lambda c, x: vl.exp(c),
    "ufunc": lambda c, x: np.exp(c),
    "NumPy's function": lambda c, x: np.mean(c),
    "array": lambda c, x: np.asarray(c),
    "index": lambda c, x: c[0],
    "truth": lambda c, x: bool(c),
    "length": lambda c, x: len(c),
    "iteration": lambda c, x: list(c),
    "float": lambda c, x: float(c),
    "output": lambda c, x: vl.function([x], [c]),
    "value of set_subtensor": lambda c, x: vl.set_subtensor(x[0], c),
}


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=MISUSES)
def test_a_masked_choice_is_for_subtensors_only(misuse):
    x = vl.dmatrix("x")
    choice = x[x > 1]
    assert isinstance(choice, vl.MaskedChoice) and "a mask holds" in repr(choice)
    with pytest.raises(vl.UserError, match=r"known only at the call.*where\(mask, x, 0\).*set_subtensor.*\[at .*test_index.py:\d+\]"):
        misuse(choice, x)


def test_masks_that_do_not_fit():
    x = vl.tensor("x", dtype="float32", shape=(3, 4))
    with pytest.raises(vl.UserError, match="a mask of shape"):
        x[np.ones((2, 4), bool)]
    with pytest.raises(vl.UserError, match="a mask beside another array"):
        x[np.ones(3, bool), [0]]
    assert not hasattr(x[x > 0], "_repr_html_") and operator.is_not(x[x > 0], x)


def test_moves_match_numpy():
    x = vl.dmatrix("x")
    for name, arguments in [
        ("roll", {"shift": 2}),
        ("roll", {"shift": -1, "axis": 1}),
        ("repeat", {"repeats": 3}),
        ("repeat", {"repeats": 2, "axis": 0}),
        ("tile", {"reps": 2}),
        ("tile", {"reps": (2, 1, 3)}),
        ("pad", {"pad_width": 1}),
        ("pad", {"pad_width": (1, 2), "constant_values": 7}),
        ("pad", {"pad_width": ((0, 1), (2, 0))}),
        ("tril", {}),
        ("triu", {"k": 1}),
    ]:
        expected = getattr(np, name)(A, **arguments)
        np.testing.assert_array_equal(getattr(vl, name)(x, **arguments).eval({x: A}), expected, err_msg=name)
        np.testing.assert_array_equal(getattr(np, name)(x, **arguments).eval({x: A}), expected, err_msg="numpy." + name)
    with pytest.raises(vl.UserError, match="allowed 'constant'"):
        vl.pad(x, 1, mode="edge")
    with pytest.raises(vl.UserError, match="a width is"):
        vl.pad(x, (1, 2, 3))
    with pytest.raises(vl.UserError, match="known at the call only"):
        vl.repeat(x, x.shape[0])


def test_new_arrays():
    x = vl.fmatrix("x", ("n", 3))
    a = np.ones((2, 3), "float32")
    assert vl.zeros((2, 3)).eval().dtype == "float32" and vl.ones(2, dtype="int8").eval().tolist() == [1, 1]
    assert (x + vl.zeros(x.shape)).eval({x: a}).shape == (2, 3)
    assert vl.full((2,), 3, dtype="float64").eval().tolist() == [3, 3] and vl.full_like(x, 2).eval({x: a}).sum() == 12
    assert np.zeros_like(x, dtype="int32").dtype == "int32" and np.ones_like(x).eval({x: a}).sum() == 6
    np.testing.assert_array_equal(vl.arange(7).eval(), np.arange(7))
    np.testing.assert_array_equal(vl.arange(7, 1, -2, dtype="float32").eval(), np.arange(7, 1, -2))
    np.testing.assert_array_equal((x[:, 0] * vl.arange(x.shape[0])).eval({x: a}), [0, 1])
    np.testing.assert_array_equal(vl.eye(2, 3, 1, dtype="int64").eval(), np.eye(2, 3, 1))
    img = vl.image_input("a", "float32", (2, 2, 2), ["x", "y", "z"])
    assert vl.stack([img, img], "t").axes == ("x", "y", "z", "t") and vl.stack([x, x], -1).ndim == 3
    with pytest.raises(vl.UserError, match="a size is an int"):
        vl.zeros(x.sum())
