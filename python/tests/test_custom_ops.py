# python/tests/test_custom_ops.py: ops that users write.
import os
import pickle
import subprocess
import sys
import threading

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


def test_a_gradient_that_is_a_function():
    x, a = vl.fvectors("x", "a")
    soft = vl.ElemwiseOp(
        "soft", "x > 0 ? x : a * expm1(x)", ["x", "a"], grad=lambda x, a, g: [vl.where(x > 0, g, g * a * vl.exp(x)), None]
    )
    values = np.array([-1, 0.5, 2], "float32")
    slope = vl.grad(soft(x, 0.5).sum(), x).eval({x: values})
    np.testing.assert_allclose(slope, np.where(values > 0, 1, 0.5 * np.exp(values)), rtol=1e-6)
    assert soft == soft and soft != vl.ElemwiseOp("soft", "x > 0 ? x : a * expm1(x)", ["x", "a"])
    double = vl.ElemwiseOp("double", "2 * x", grad=double_gradient)
    f = pickle.loads(pickle.dumps(vl.function([x], vl.grad(double(x * x).sum(), x))))
    assert f([1, 2]).tolist() == [4, 8]
    assert pickle.loads(pickle.dumps(double)) == double
    with pytest.raises(ZeroDivisionError):
        vl.ElemwiseOp("f", "2 * x", grad=lambda x, g: 1 / 0)(x)
    with pytest.raises(vl.UserError, match="f: its gradient gives 2 expressions for 1 inputs"):
        vl.ElemwiseOp("f", "2 * x", grad=lambda x, g: (g, g))(x)
    with pytest.raises(vl.UserError, match='uses the variable "a"'):
        vl.ElemwiseOp("f", "2 * x", grad=lambda x, g: g * a)(x)
    w = vl.shared(np.float32(2), name="w")
    with pytest.raises(vl.UserError, match='its gradient uses "w"; what it needs must be an input'):
        vl.ElemwiseOp("f", "2 * x", grad=lambda x, g: g * w)(x)


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


@pytest.mark.parametrize("code", ["é" * 100, "x + " + "xé" * 100, "1" * 60000, "y" * 60000, "x" * 60000 + "(2)", "x " * 20 + "\U0001f600" * 50, "\0", "x\n+\ny"])
def test_messages_are_short_texts(code):
    for offset in range(4):
        with pytest.raises(vl.UserError) as error:
            vl.ElemwiseOp("bad", " " * offset + code, inputs=["x"])
        assert len(str(error.value)) < 400 + len(__file__)


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


# ---- functions of Python as ops ----


def double_array(a):
    return 2 * a


def double_gradient(x, g):
    return 2 * g


def row_sums(a):
    return a.sum(axis=1, dtype="float64")


def type_of_row_sums(x):
    return x.shape[:1], "float64"


double = vl.HostOp("double_array", double_array, grad=double_gradient)


def test_a_host_function_on_a_matrix():
    x = vl.fmatrix("x")
    f = vl.function([x], double(x))
    a = np.arange(20, dtype="float32").reshape(4, 5)
    for view in (a, a.T, a[::-1, ::2], a.astype(">f4"), a[:0]):
        assert (f(view) == 2 * view).all() and f(view).shape == view.shape
    assert f.toposort() == ["double_array(x)"]
    assert double(x).eval({x: a}).tolist() == (2 * a).tolist()


def test_between_kernels_with_types_of_its_own():
    x = vl.fmatrix("x")
    sums = vl.HostOp("row_sums", row_sums, infer=type_of_row_sums)
    f = vl.function([x], [vl.exp(sums(x + 1)), sums(x + 1) - 1])
    a = np.random.default_rng(0).random((4, 5), "float32")
    np.testing.assert_allclose(f(a)[0], np.exp((a + 1).sum(1, dtype="float64")), rtol=1e-6)
    assert sums(x).dtype == "float64" and sum(step.startswith("row_sums") for step in f.toposort()) == 1
    like = vl.HostOp("add_arrays", np.add, infer=lambda p, q: p + q)
    assert (like(x, vl.fvector("v")) * 1).ndim == 2
    assert like(x, x).eval({x: a}).tolist() == (a + a).tolist()


def test_equal_ops_merge():
    x = vl.fmatrix("x")
    again = vl.HostOp("double_array", double_array, grad=double_gradient)
    assert double == again and hash(double) == hash(again)
    assert double != vl.HostOp("double_array", lambda a: a)
    assert len(vl.function([x], [double(x), again(x)]).toposort()) <= 2
    calls = []
    counted = vl.HostOp("counted", lambda a: calls.append(1) or a)
    vl.function([x], counted(x) + vl.exp(counted(x)))(np.ones((2, 2)).astype("float32"))
    assert len(calls) == 1


def test_gradients_of_host_functions():
    x = vl.fmatrix("x")
    a = np.arange(6, dtype="float32").reshape(2, 3)
    assert (vl.grad((double(x) ** 2).sum(), x).eval({x: a}) == 8 * a).all()
    vl.verify_grad(lambda v: vl.HostOp("cube", lambda v: v**3, grad=lambda v, g: [3 * v**2 * g])(v), [np.array([0.5, -1.0, 2])])
    with pytest.raises(vl.UserError, match="plain: a host function without a gradient") as error:
        vl.grad(vl.HostOp("plain", double_array)(x).sum(), x)
    assert error.value.origin.startswith(__file__)
    p, q = vl.fvectors("p", "q")
    first = vl.HostOp("first", lambda a, b: a, grad=lambda a, b, g: (g, None))
    assert vl.grad(first(p, q).sum(), p).eval({p: [1, 2], q: [3, 4]}).tolist() == [1, 1]
    with pytest.raises(vl.UserError):
        vl.grad(first(p, q).sum(), q)


def test_what_it_raises_leaves_the_call_and_nothing_else():
    x = vl.fvector("x")
    moods = iter([None, KeyError("not today"), KeyboardInterrupt(), None])

    def moody(a):
        mood = next(moods)
        if mood is not None:
            raise mood
        return a

    w = vl.shared(np.float32(1), name="w")
    f = vl.function([x], vl.HostOp("moody", moody)(x), updates={w: w + x.sum()})
    ones = np.ones(3, "float32")
    assert f(ones).tolist() == [1, 1, 1] and w.get_value() == 4
    with pytest.raises(KeyError, match="not today") as error:
        f(ones)
    assert any("host function of the op moody" in note and __file__ in note for note in error.value.__notes__)
    with pytest.raises(KeyboardInterrupt):
        f(ones)
    assert w.get_value() == 4
    assert f(ones).tolist() == [1, 1, 1] and w.get_value() == 7


@pytest.mark.parametrize(
    "result, error, text",
    [
        (np.zeros(4, "float32"), vl.UserError, r"gave an array of shape \(4,\), its result has \(3,\)"),
        (np.zeros(3, "complex64"), vl.DTypeError, "gave complex64, its result is float32"),
        (np.zeros(3, "float16"), vl.DTypeError, "float16 is not supported"),
        (np.array(["a", "b", "c"]), vl.DTypeError, "gave <U1"),
        (None, vl.UserError, "gave None"),
        ([1, [2]], ValueError, "inhomogeneous"),
    ],
)
def test_results_that_do_not_fit(result, error, text):
    x = vl.fvector("x")
    f = vl.function([x], vl.HostOp("wrong", lambda a: result)(x))
    with pytest.raises(error, match=text):
        f([1, 2, 3])
    assert vl.function([x], vl.HostOp("right", lambda a: [1, 2, 3])(x))([1, 2, 3]).tolist() == [1, 2, 3]


def test_arguments_may_be_kept_and_changed():
    x = vl.fvector("x")
    kept = []

    def keep(a):
        kept.append(a)
        a += 1
        return a

    f = vl.function([x], vl.HostOp("keep", keep)(x * 2))
    values = np.ones(100_000, "float32")
    for _ in range(5):
        assert (f(values) == 3).all()
    assert all((a == 3).all() for a in kept) and (values == 1).all()


def test_many_threads():
    x = vl.fmatrix("x")
    f = vl.function([x], (double(x * 2) - 1).sum())
    a = np.random.default_rng(1).random((50, 60), "float32")
    expected, wrong = f(a), []

    def work():
        for _ in range(20):
            if f(a) != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_set_value_waits_for_a_call_whose_function_needs_the_gil():
    code = """
import threading, time
import numpy as np, voxloom as vl
x, started = vl.fvector("x"), threading.Event()

def slow(a):
    started.set()
    time.sleep(0.2)  # another thread runs
    return a

w = vl.shared(np.float32(1), name="w")
f = vl.function([x], vl.HostOp("slow", slow)(x), updates={w: w + 1})
thread = threading.Thread(target=f, args=([1, 2],))
thread.start()
started.wait()
w.set_value(10)
thread.join()
assert w.get_value() == 10
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_debug_mode_compares_kernels_around_it_and_finds_functions_that_are_not_pure():
    code = """
import numpy as np, voxloom as vl
x = vl.fmatrix("x")
a = np.ones((4, 5), "float32")
double = vl.HostOp("double", lambda a: 2 * a)
assert vl.function([x], (double(x * 2) - 1).sum())(a) == 60
noise = vl.HostOp("noise", lambda a: a + np.random.random(a.shape).astype("float32"))
try:
    vl.function([x], noise(x))(a)
except vl.Error as error:
    assert "noise" in str(error), error
else:
    raise AssertionError("two different results")
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "VOXLOOM_FLAGS": "mode=DebugMode"})


def test_names_and_functions_that_do_not_fit():
    with pytest.raises(vl.UserError, match='voxloom has an op called "exp"'):
        vl.HostOp("exp", double_array)
    with pytest.raises(vl.UserError, match="C identifier"):
        vl.HostOp("a b", double_array)
    with pytest.raises(vl.UserError, match="host is a function, not None") as error:
        vl.HostOp("f", None)
    assert error.value.origin.startswith(__file__)
    with pytest.raises(vl.UserError, match="infer gives an expression"):
        vl.HostOp("f", double_array, infer=lambda x: 3)(vl.fvector("x"))
    with pytest.raises(vl.UserError, match="takes at least one operand"):
        double()
    with pytest.raises(ZeroDivisionError):
        vl.HostOp("f", double_array, infer=lambda x: 1 / 0)(vl.fvector("x"))


def test_functions_with_host_ops_pickle_by_import_path():
    x = vl.fmatrix("x")
    assert pickle.loads(pickle.dumps(double)) == double
    f = vl.function([x], double(x) * 3)
    g = pickle.loads(pickle.dumps(f))
    a = np.ones((4, 5), "float32")
    assert (g(a) == 6).all()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(vl.function([x], vl.HostOp("unnamed", lambda a: a)(x)))


def test_cuda_source_with_a_host_function():
    source = "__global__ void my_fct(float* i0, float* o0, int size) { /* ... */ }"
    op = vl.CudaOp(source=source, kernel="my_fct", block=(512, 1, 1), grid=(1, 1), host=double_array, grad=double_gradient)
    x = vl.fmatrix("x")
    ones = np.ones((4, 5), "float32")
    assert (vl.function([x], op(x))(ones) == 2).all() and (vl.grad(op(x).sum(), x).eval({x: ones}) == 2).all()
    same = vl.CudaOp(source, "my_fct", [512, 1, 1], (1, 1), double_array, None, double_gradient)
    assert op == same and pickle.loads(pickle.dumps(op)) == op and op.source == source and op.host is double_array
    assert op != vl.CudaOp(source + " ", "my_fct", (512, 1, 1), (1, 1), double_array, None, double_gradient)
    for arguments, text in [
        ({"host": None}, "this build has no GPU back end"),
        ({"kernel": "other"}, "no __global__ function of the name 'other'"),
        ({"block": (0,)}, "block is one to three positive ints"),
        ({"grid": (1, 2, 3, 4)}, "grid is one to three positive ints"),
        ({"source": 3}, "source and kernel are texts"),
    ]:
        with pytest.raises(vl.UserError, match=text):
            vl.CudaOp(**{"source": source, "kernel": "my_fct", "host": double_array, **arguments})


def test_a_file_alone_does_not_run_host_functions(tmp_path):
    x = vl.fmatrix("x")
    vl.function([x], double(x)).save(tmp_path / "f.vlf")
    assert b"double_array(%x)" in (tmp_path / "f.vlf").read_bytes()
    with pytest.raises(vl.UserError, match="runs double_array, a host function of this program; allow_native_ops lets it"):
        vl.load_function(tmp_path / "f.vlf")
