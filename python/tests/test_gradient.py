# python/tests/test_gradient.py: gradients from Python: forms of arguments and results, options, errors; the mathematics is tested in tests/ops.
import numpy as np
import pytest

import voxloom as vl


def test_forms_of_wrt():
    x, y = vl.dvectors("x", "y")
    cost = (x**2 * y).sum()
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    one, many, pair = vl.grad(cost, x), vl.grad(cost, [x, y]), vl.grad(cost, (x,))
    assert isinstance(one, vl.Expr) and type(many) is list and type(pair) is tuple
    np.testing.assert_array_equal(one.eval({x: a, y: b}), 2 * a * b)
    np.testing.assert_array_equal(many[1].eval({x: a, y: b}), a**2)
    middle = x * y
    np.testing.assert_array_equal(vl.grad((middle**2).sum(), middle).eval({x: a, y: b}), 2 * a * b)


def test_training_step():
    rng = np.random.default_rng(1)
    features, labels = rng.normal(size=(50, 3)), rng.integers(0, 2, 50).astype(float)
    x, y = vl.dmatrix("x"), vl.dvector("y")
    w, b = vl.shared(np.zeros(3), name="w"), vl.shared(np.float64(0), name="b")
    p = 1 / (1 + vl.exp(-(x * w).sum(axis=1) - b))
    cost = (-y * vl.log(p) - (1 - y) * vl.log(1 - p)).mean() + 0.01 * (w**2).sum()
    gw, gb = vl.grad(cost, [w, b])
    train = vl.function([x, y], cost, updates={w: w - 0.1 * gw, b: b - 0.1 * gb})
    weights, bias = np.zeros(3), 0.0
    for _ in range(20):
        cost_now = train(features, labels)
        q = 1 / (1 + np.exp(-features @ weights - bias))
        expected = -(labels * np.log(q) + (1 - labels) * np.log(1 - q)).mean() + 0.01 * (weights**2).sum()
        np.testing.assert_allclose(cost_now, expected, rtol=1e-12)
        weights, bias = weights - 0.1 * (features.T @ (q - labels) / 50 + 0.02 * weights), bias - 0.1 * (q - labels).mean()
    np.testing.assert_allclose(w.get_value(), weights, rtol=1e-10)


def test_products_with_jacobians():
    x, y, v = vl.dvectors("x", "y", "v")
    a, b, d = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([1.0, 10.0])
    values = {x: a, y: b, v: d}
    np.testing.assert_array_equal(vl.Lop(x**2 * y, x, v).eval(values), 2 * a * b * d)
    left = vl.Lop([x**2, x * y], [x, y], [v, d])
    assert type(left) is list
    np.testing.assert_array_equal(left[0].eval(values), 2 * a * d + b * d)
    np.testing.assert_array_equal(vl.Rop(x**2, x, v).eval({x: a, v: d}), 2 * a * d)
    moved = vl.Rop((x**2, x * y), [x, y], [v, np.ones(2)])
    assert type(moved) is tuple
    np.testing.assert_array_equal(moved[1].eval(values), b * d + a)
    np.testing.assert_array_equal(vl.jacobian(x**2, x).eval({x: a}), np.diag(2 * a))
    np.testing.assert_array_equal(vl.hessian((x**2 * y).sum(), [x])[0].eval({x: a, y: b}), np.diag(2 * b))
    with pytest.raises(vl.UserError, match="Lop"):
        vl.Lop([x**2], [x], [v, v])
    with pytest.raises(vl.UserError, match="f is an expression or a list"):
        vl.Rop(3, x, v)


def test_options(recwarn):
    x, y = vl.dvectors("x", "y")
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    square = x**2
    np.testing.assert_array_equal(vl.grad((square * x).sum(), x, consider_constant=[square]).eval({x: a}), a**2)
    np.testing.assert_array_equal(vl.grad((square * x).sum(), x, consider_constant=square).eval({x: a}), a**2)
    np.testing.assert_array_equal(vl.grad((square * y).sum(), x, known_grads={square: np.ones(2)}).eval({x: a}), 2 * a)
    np.testing.assert_array_equal(vl.grad((square * y).sum(), x, known_grads=[(square, y * 0 + 1)]).eval({x: a, y: b}), 2 * a)
    with pytest.raises(vl.UserError, match="y .*not connected.*ignore"):
        vl.grad(square.sum(), [x, y])
    assert vl.grad(square.sum(), y, disconnected_inputs="ignore").eval({y: b}).tolist() == [0, 0] and not recwarn
    with pytest.warns(UserWarning, match="not connected") as caught:
        vl.grad(square.sum(), y, disconnected_inputs="warn")
    assert caught[0].filename == __file__
    with pytest.raises(vl.UserError, match="allowed 'raise', 'warn', 'ignore'"):
        vl.grad(square.sum(), x, disconnected_inputs="zeros")


def test_a_warning_may_be_an_error():
    import warnings

    x, y = vl.dvectors("x", "y")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning):
            vl.grad(x.sum(), y, disconnected_inputs="warn")


def test_gradients_that_are_changed_on_the_way():
    x = vl.dvector("x")
    a = np.array([-3.0, 0.5])
    for changed, expected in [
        (vl.zero_grad(x) * x, a),
        (vl.consider_constant(x) * x, a),
        (vl.disconnected_grad(x) * x, a),
        (vl.grad_clip(x, -1, 1) * x * 10, 10 * a + np.clip(10 * a, -1, 1)),
        (vl.grad_scale(x, -2), -2 * np.ones(2)),
    ]:
        np.testing.assert_array_equal(vl.grad(changed.sum(), x).eval({x: a}), expected, err_msg=str(changed))
    with pytest.raises(vl.UserError, match="not connected"):
        vl.grad(vl.disconnected_grad(x).sum(), x)


def test_stable_where_the_truth_is():
    x = vl.fvector("x")
    g = vl.grad(vl.log(1 - vl.sigmoid(x)).sum(), x)
    assert g.eval({x: np.array([-1000, 0, 1000], "float32")}).tolist() == [0, -0.5, -1]


def test_errors():
    x, i = vl.dvector("x"), vl.lscalar("i")
    with pytest.raises(vl.UserError, match=r"has shape .* and is no scalar; take its sum or mean \[at .*test_gradient.py:\d+\]"):
        vl.grad(x * 2, x)
    with pytest.raises(vl.DTypeError, match="int64"):
        vl.grad(i * 2, i)
    with pytest.raises(vl.UserError, match="wrt is an expression, not 'x'|wrt is an expression or a list of them"):
        vl.grad(x.sum(), ["x"])
    with pytest.raises(vl.UserError, match="known_grads are"):
        vl.grad(x.sum(), x, known_grads=[x])
    with pytest.raises(vl.DTypeError, match="neither an expression"):
        vl.grad(object(), x)
    with pytest.raises(vl.UserError, match="no scalar"):
        vl.hessian(x, x)


def test_verify_grad():
    rng = np.random.default_rng(3)
    vl.verify_grad(lambda x, y: vl.exp(x) / y.sum(axis=0), [rng.random((2, 3)), rng.random((4, 3)) + 1], n_tests=1)
    vl.verify_grad(lambda x: x[[0, 0, 1]] ** 2, [[1.0, 2.0]])
    vl.verify_grad(lambda z: abs(z * z), [np.array([1 + 2j, 0.5 - 1j])])
    with pytest.raises(vl.UserError, match="gradient of argument 0 at element 1"):
        vl.verify_grad(lambda x: x * vl.zero_grad(x), [np.array([0.0, 2.0])])
    vl.verify_grad(lambda x: x * vl.zero_grad(x), [np.array([0.0, 2.0])], abs_tol=100)
    with pytest.raises(ZeroDivisionError):
        vl.verify_grad(lambda x: 1 / 0, [np.ones(2)])
    with pytest.raises(vl.DTypeError, match="has no gradient"):
        vl.verify_grad(lambda x: x, [[1, 2]])
    with pytest.raises(vl.DTypeError, match="neither an expression"):
        vl.verify_grad(lambda x: None, [np.ones(2)])
