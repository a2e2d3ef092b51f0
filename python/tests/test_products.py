# python/tests/test_products.py: products by name, by operator and through NumPy's functions, against NumPy.
import numpy as np
import pytest

import voxloom as vl

RNG = np.random.default_rng(5)


def values(*shapes, dtype="float64"):
    made = [RNG.normal(size=shape) for shape in shapes]
    return [a + 1j * RNG.normal(size=a.shape) for a in made] if dtype == "complex128" else [a.astype(dtype) for a in made]


def variables(arrays):
    return [vl.tensor("xyz"[k], dtype=a.dtype, shape=[1 if n == 1 else None for n in a.shape]) for k, a in enumerate(arrays)]


def check(build, expected, *arrays):
    """build(expressions) against expected(arrays)."""
    names = variables(arrays)
    wanted = expected(*arrays)
    got = vl.function(names, build(*names))(*arrays)
    assert got.shape == np.shape(wanted) and got.dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


SHAPES = {
    "dot": [((3, 4), (4, 5)), ((3, 4), (4,)), ((4,), (4, 5)), ((4,), (4,)), ((), (3, 4)), ((2, 3, 4), (5, 4, 2))],
    "matmul": [((3, 4), (4, 5)), ((3, 4), (4,)), ((4,), (4, 5)), ((4,), (4,)), ((6, 3, 4), (4, 2)), ((6, 1, 3, 4), (5, 4, 2))],
    "outer": [((3,), (4,)), ((2, 2), (3,))],
    "inner": [((3, 4), (5, 4)), ((4,), (4,)), ((), (3,))],
    "vdot": [((4,), (4,)), ((2, 3), (2, 3))],
    "tensordot": [((2, 3, 4), (3, 4, 5))],
    "vecdot": [((3, 4), (4,)), ((3, 4), (3, 4))],
    "matvec": [((6, 3, 4), (4,)), ((3, 4), (6, 4))],
    "vecmat": [((3,), (6, 3, 4)), ((6, 3), (3, 4))],
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_by_name_and_through_numpy(name, dtype):
    if not hasattr(np, name):
        pytest.skip(f"this NumPy has no {name}")
    for shapes in SHAPES[name]:
        arrays = values(*shapes, dtype=dtype)
        check(getattr(vl, name), getattr(np, name), *arrays)
        check(getattr(np, name), getattr(np, name), *arrays)


def test_operator():
    a, b, v = values((3, 4), (4, 5), (4,))
    check(lambda x, y: x @ y, lambda x, y: x @ y, a, b)
    check(lambda x: x @ b, lambda x: x @ b, a)
    check(lambda y: a @ y, lambda y: a @ y, b)
    check(lambda y: a.tolist() @ y, lambda y: a.tolist() @ y, b)
    check(lambda x, y: x.dot(y), lambda x, y: x.dot(y), a, v)
    assert vl.fmatrix("x").__matmul__("text") is NotImplemented
    with pytest.raises(TypeError):
        vl.fmatrix("x") @ "text"
    with pytest.raises(vl.UserError, match=r"matmul.*rank 1 or more.*test_products.py"):
        vl.fscalar("s") @ vl.fmatrix("x")


def test_tensordot_axes():
    a, b = values((2, 3, 4), (4, 3, 5))
    for axes in (0, 1, ([1, 2], [1, 0]), (2, 0), ([2], 0), ((-1, -2), (0, 1))):
        check(lambda x, y: vl.tensordot(x, y, axes), lambda x, y: np.tensordot(x, y, axes), a, b)
        check(lambda x, y: np.tensordot(x, y, axes=axes), lambda x, y: np.tensordot(x, y, axes), a, b)
    x, y = variables([a, b])
    for wrong, text in [("ij", "axes are"), ([1], "axes are"), (([0], [0, 1]), "1 axes"), (9, "9 axes"), (([7], [0]), "axis 7"), (([0, 0], [0, 1]), "twice")]:
        with pytest.raises(vl.UserError, match=text):
            vl.tensordot(x, y, wrong)


@pytest.mark.parametrize(
    "subscripts, shapes",
    [("ij,jk->ik", ((3, 4), (4, 5))), ("ij,jk", ((3, 4), (4, 5))), ("...ij,...kj->...ik", ((6, 3, 4), (5, 4))), ("ij->j", ((3, 4),))]
    + [("ij,j,i->", ((3, 4), (4,), (3,))), ("i,j->ji", ((3,), (4,)))],
)
def test_einsum(subscripts, shapes):
    arrays = values(*shapes)
    check(lambda *e: vl.einsum(subscripts, *e), lambda *a: np.einsum(subscripts, *a), *arrays)
    check(lambda *e: np.einsum(subscripts, *e, optimize=True), lambda *a: np.einsum(subscripts, *a), *arrays)


def test_einsum_with_lists():
    a, b = values((3, 4), (4, 5))
    for result in ([], [[0, 2]], [[2, 0]]):
        check(lambda x, y: vl.einsum(x, [0, 1], y, [1, 2], *result), lambda x, y: np.einsum(x, [0, 1], y, [1, 2], *result), a, b)
    check(lambda x: np.einsum(x, [7, 3]), lambda x: np.einsum(x, [7, 3]), a)
    check(lambda x: np.einsum(x, [..., 3], [..., 3]), lambda x: np.einsum(x, [..., 3], [..., 3]), a)
    check(lambda x: np.einsum(x, [..., 3]), lambda x: np.einsum(x, [..., 3]), a)
    x = vl.fmatrix("x")
    for wrong in ((), (x, x), (x, ["i", "j"]), (x, [0, 1], x), ("ij,jk->ik", x), ("ij->kk", x)):
        with pytest.raises(vl.UserError, match="einsum"):
            vl.einsum(*wrong)


def test_theanos_batched_dot():
    a, b = values((6, 3, 4), (6, 4, 2))
    check(vl.batched_dot, lambda x, y: np.matmul(x, y), a, b)


def test_accumulating():
    x, y = vl.fmatrices("x", "y")
    a = np.full((2, 1000), 0.1, "float32")
    wide = vl.function([x, y], vl.dot(x, y, acc_dtype="float64"))(a, np.ascontiguousarray(a.T))
    np.testing.assert_array_equal(wide, (a.astype("float64") @ a.T.astype("float64")).astype("float32"))


def test_other_axes_of_ufuncs():
    a, b = values((3, 4), (3, 4))
    if hasattr(np, "vecdot"):
        check(lambda x, y: np.vecdot(x, y, axis=0), lambda x, y: np.vecdot(x, y, axis=0), a, b)
        check(lambda x, y: np.linalg.vecdot(x, y, axis=0), lambda x, y: np.vecdot(x, y, axis=0), a, b)
    x = vl.dmatrix("x")
    with pytest.raises(vl.DTypeError, match="takes no axes="):
        np.matmul(x, x, axes=[(0, 1), (0, 1), (0, 1)])
    with pytest.raises(vl.DTypeError, match="takes no out="):
        np.dot(x, x, out=np.zeros((3, 3)))


def test_sizes_that_do_not_fit():
    a, b = vl.tensor("a", dtype="float32", shape=(2, 3)), vl.tensor("b", dtype="float32", shape=(4, 5))
    for product in (vl.dot, vl.matmul, np.dot, np.matmul, lambda x, y: x @ y):
        with pytest.raises(vl.UserError) as caught:
            product(a, b)
        assert caught.value.code == "shape" and "3" in str(caught.value) and "4" in str(caught.value)
        assert caught.value.origin.startswith(__file__)
    x, y = vl.fmatrices("x", "y")
    f = vl.function([x, y], x @ y, name="f")
    with pytest.raises(vl.UserError, match="3.*4|4.*3"):
        f(np.zeros((2, 3), "float32"), np.zeros((4, 5), "float32"))
    assert f(np.ones((2, 3), "float32"), np.ones((3, 1), "float32")).tolist() == [[3], [3]]


def test_the_training_step_of_the_seed():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(400, 20)).astype("float32"), rng.integers(0, 2, 400).astype("float32")
    x, y = vl.matrix("x"), vl.vector("y")
    w, b = vl.shared(np.zeros(20, "float32"), name="w"), vl.shared(0.0, name="b")
    p = 1 / (1 + vl.exp(-vl.dot(x, w) - b))
    cost = (-y * vl.log(p) - (1 - y) * vl.log(1 - p)).mean() + 0.01 * (w**2).sum()
    gw, gb = vl.grad(cost, [w, b])
    train = vl.function([x, y], [p > 0.5, cost], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)), name="train")
    first = train(features, labels)[1]
    for _ in range(300):
        prediction, last = train(features, labels)
    assert last < first and (prediction == labels).mean() > 0.5 and prediction.dtype == "bool"


def trained(x, y, threads):
    """The bytes of all results of 3 steps of a logistic regression."""
    given_x, given_y = vl.matrix("x"), vl.vector("y")
    w, b = vl.shared(np.linspace(-1, 1, x.shape[1], dtype=x.dtype)), vl.shared(np.zeros((), x.dtype))
    p = 1 / (1 + vl.exp(-vl.dot(given_x, w) - b))
    xent = -given_y * vl.log(p) - (1 - given_y) * vl.log(1 - p)
    gw, gb = vl.grad(xent.mean(), [w, b])
    with vl.config.change_flags(threads=threads):
        step = vl.function([given_x, given_y], [p > 0.5, xent], updates={w: w - 0.1 * gw, b: b - 0.1 * gb})
        results = step.repeat(3, x, y)
    return b"".join(np.asarray(a).tobytes() for a in [*results, w.get_value(), b.get_value()])


@pytest.mark.parametrize("rows", [400, 515, 1025])
def test_one_value_per_row_has_the_same_bits_however_it_lies(rows):
    rng = np.random.default_rng(rows)
    x, y = rng.normal(size=(rows, 131)).astype("float32"), rng.integers(0, 2, rows).astype("float32")
    wide = np.zeros((rows, 3), "float32")
    wide[:, 1] = y
    expected = trained(x, y, 1)
    for same in (y, wide[:, 1], y[::-1].copy()[::-1]):
        assert [trained(x, same, threads) == expected for threads in (1, 2, 3)] == [True] * 3
