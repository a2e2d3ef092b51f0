# python/tests/test_custom_ops.py: ops that users write.
import pickle

import numpy as np
import pytest

import voxloom as vl


def test_doubling_on_a_matrix():
    x = vl.fmatrix("x")
    double = vl.ElemwiseOp("double", "2 * x", grad="2 * g")
    f = vl.function([x], double(x))
    assert (f(np.ones((4, 5), "float32")) == 2).all()
    assert (vl.grad(double(x).sum(), x).eval({x: np.ones((4, 5), "float32")}) == 2).all()


def test_it_fuses_and_equal_ops_are_one():
    x = vl.fvector("x")
    soft = vl.ElemwiseOp("soft", "x > 0 ? x : a * expm1(x)", inputs=["x", "a"], grad=["x > 0 ? g : g * (out + a)", "0"])
    f = vl.function([x], [soft(x * 2, 0.5), soft(x * 2, 0.5) + 1, vl.grad(soft(x, 0.5).sum(), x)])
    assert len(f.toposort()) == 1
    values = np.array([-1, 0.5, 2], "float32")
    np.testing.assert_allclose(f(values)[0], np.where(values > 0, 2 * values, 0.5 * np.expm1(2 * values)), rtol=1e-6)
    np.testing.assert_allclose(f(values)[2], np.where(values > 0, 1, 0.5 * np.exp(values)), rtol=1e-6)
    other = vl.ElemwiseOp("soft", "x > 0 ? x : a * expm1(x)", ("x", "a"), soft.grad)
    assert soft == other and hash(soft) == hash(other) and soft != vl.ElemwiseOp("soft", "x")
    assert eval(repr(soft), {"ElemwiseOp": vl.ElemwiseOp}) == soft


def test_ops_and_functions_pickle():
    x = vl.fvector("x")
    op = vl.ElemwiseOp("mine", "x * x", grad="g * 5 * x")
    assert pickle.loads(pickle.dumps(op)) == op
    f = vl.function([x], vl.grad(op(x).sum(), x))
    assert pickle.loads(pickle.dumps(f))([1, 2]).tolist() == [5, 10]


@pytest.mark.parametrize(
    "code, column, text",
    [
        ("x +", 4, "the text ends where a value is expected"),
        ("x ** 2", 3, "write pow(x, y)"),
        ("exq(x)", 1, "did you mean exp?"),
        ("__import__('os')", 1, "unknown function '__import__'"),
        ("x = 1", 3, "== compares"),
    ],
)
def test_texts_that_do_not_parse(code, column, text):
    with pytest.raises(vl.UserError) as error:
        vl.ElemwiseOp("bad", code)
    assert f"bad: column {column} of " in str(error.value) and text in str(error.value)
    assert error.value.origin.startswith(__file__)


def test_dtypes_and_operands_that_do_not_fit():
    bits = vl.ElemwiseOp("bits", "x & 3")
    with pytest.raises(TypeError, match="bits: column 3 of .x & 3.: bit_and") as error:
        bits(vl.fvector("x"))
    assert error.value.origin.startswith(__file__)
    with pytest.raises(vl.UserError, match="takes 1 operands"):
        bits(1, 2)
    with pytest.raises(vl.UserError, match="inputs says in which order"):
        vl.ElemwiseOp("f", "x + y")
    with pytest.raises(vl.UserError, match="inputs is a text or a list of texts"):
        vl.ElemwiseOp("f", "x + y", inputs=3)
