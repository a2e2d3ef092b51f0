# python/tests/test_functions.py: calls: forms of results, arguments without a copy, out=, borrowing, updates, errors.
import array
import gc

import numpy as np
import pytest

import voxloom as vl


def decay():
    x = vl.fmatrix("x")
    return vl.function([x], vl.exp(-x / 2), name="decay")


def test_forms_of_outputs():
    x, y = vl.fvectors("x", "y")
    a, b = np.float32([1, 2]), np.float32([3, 5])
    one = vl.function([x, y], x + y)(a, b)
    assert isinstance(one, np.ndarray) and one.tolist() == [4, 7]
    both = vl.function([x, y], [x + y, x - y])(a, b)
    assert isinstance(both, list) and both[1].tolist() == [-2, -3]
    named = vl.function([x, y], {"sum": x + y, "product": x * y})(a, b)
    assert list(named) == ["sum", "product"] and named["product"].tolist() == [3, 10]
    total = vl.shared(np.float32(0))
    assert vl.function([x], None, {total: total + x.sum()})(a) is None and total.get_value() == 3
    assert vl.function(x, [x + 1])(a)[0].tolist() == [2, 3]


def test_one_kernel_for_two_outputs():
    x, y = vl.fvectors("x", "y")
    f = vl.function([x, y], [x + y, x - y])
    assert len(f.toposort()) == 1 and f.toposort()[0].startswith("Fused{")
    assert "writes" in f.plan() and "optimised graph" in f.explain()
    assert f.memory(np.zeros(10, "float32"), np.zeros(10, "float32")).outputs == 80
    z = vl.tensor("z", dtype="float32", shape=("n",))
    assert vl.function([z], z + 1).memory(n=1000).peak >= 4000


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"])
def test_every_dtype_goes_through(dtype):
    x = vl.tensor("x", dtype=dtype, shape=(None,))
    f = vl.function([x], [vl.identity(x), x == x])
    a = np.array([0, 1, 1, 0]).astype(dtype)
    same, equal = f(a)
    assert same.dtype == dtype and (same == a).all() and equal.dtype == bool and equal.all()
    same, _ = f(a.astype(np.dtype(dtype).newbyteorder()))
    assert (same == a).all()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_goes_through(dtype):
    x = vl.tensor("x", dtype=dtype, shape=(None,))
    a = np.array([1 + 2j, -3j], dtype)
    assert (vl.function([x], x * x)(a) == a * a).all()


def test_layouts_are_read_where_they_are():
    f = decay()
    a = np.random.default_rng(0).normal(size=(40, 60)).astype("float32")
    expected = f(np.ascontiguousarray(a[::-2, 3::2].T))
    frozen = a.copy()
    frozen.flags.writeable = False
    for view in (a[::-2, 3::2].T, a.astype(">f4")[::-2, 3::2].T, frozen[::-2, 3::2].T):
        np.testing.assert_array_equal(f(view), expected)
    unaligned = np.frombuffer(b"\0" + a.tobytes(), dtype="uint8")[1:].view("float32").reshape(a.shape)
    np.testing.assert_array_equal(f(unaligned), f(a))
    np.testing.assert_array_equal(f(np.broadcast_to(a[0], (3, 60))), f(np.tile(a[0], (3, 1))))
    assert f(np.empty((0, 5), "float32")).shape == (0, 5)


def test_large_arguments_are_not_copied():
    x = vl.fvector("x")
    f = vl.function([x], x.sum())
    a = np.ones(50_000_000, "float32")[::2]
    f(a)
    vl_peak = peak_of(lambda: f(a))
    assert vl_peak < a.size * 4 // 4


def peak_of(call):
    """Bytes by which the resident set grows at most."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    status = lambda key: next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(key))
    before = status("VmRSS")
    call()
    return status("VmHWM") - before


def test_buffers_and_dlpack():
    x = vl.dvector("x")
    f = vl.function([x], x * 2)
    assert f(array.array("d", [1, 2])).tolist() == [2, 4]
    assert f(memoryview(array.array("d", [1, 2, 3]))[::-2]).tolist() == [6, 2]

    class Producer:
        """Speaks DLPack and nothing else."""

        def __init__(self, a):
            self.a = a

        def __dlpack__(self, **kwargs):
            return self.a.__dlpack__(**kwargs)

        def __dlpack_device__(self):
            return self.a.__dlpack_device__()

    assert f(Producer(np.array([1.0, 4.0]))).tolist() == [2, 8]
    out = f([1.0, 2.0])
    assert np.from_dlpack(out).__array_interface__["data"][0] == out.__array_interface__["data"][0]


def test_numbers_and_lists_take_the_inputs_dtype():
    x, i = vl.fvector("x"), vl.ubscalar("i")
    f = vl.function([x, i], x * i)
    assert f([1, 2.5], 2).tolist() == [2, 5]
    with pytest.raises(vl.DTypeError, match="fit"):
        f([1], 300)
    with pytest.raises(vl.DTypeError):
        f([1], 2.5)
    with pytest.raises(vl.DTypeError):
        f("text", 1)


def test_names_and_keywords():
    x, y = vl.fvectors("x", "y")
    f = vl.function([x, y], x - y, name="minus")
    assert f([3], y=[1]).tolist() == [2] and f(y=[1], x=[5]).tolist() == [4] and f.input_names == ["x", "y"]
    for wrong, text in [((([1],), {}), "takes 2 arguments, but 1"), ((([1], [1]), {"x": [1]}), "twice"), ((([1],), {"z": [1]}), "no input named z")]:
        with pytest.raises(vl.UserError, match=text):
            f(*wrong[0], **wrong[1])
    with pytest.raises(vl.UserError, match="missing"):
        f(x=[1])
    assert f([3], [1], threads=1).tolist() == [2]
    with pytest.raises(MemoryError):
        f(np.zeros(10_000, "float32"), np.zeros(10_000, "float32"), memory=1000)


def test_errors_name_both_facts_and_the_function_stays_usable():
    f = decay()
    with pytest.raises(TypeError, match=r"argument 0 \(x\).*float64.*float32"):
        f(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"argument 0 \(x\).*rank 2"):
        f(np.zeros(3, "float32"))
    x, y = vl.tensor("x", dtype="float32", shape=("n",)), vl.tensor("y", dtype="float32", shape=("n",))
    g = vl.function([x, y], x + y)
    with pytest.raises(vl.UserError) as caught:
        g([1, 2], [1, 2, 3])
    assert "2" in str(caught.value) and "3" in str(caught.value)
    assert f([[0, 0]]).tolist() == [[1, 1]] and g([1], [2]).tolist() == [3]
    with pytest.raises(vl.UserError, match="y"):
        vl.function([x], x + y)
    with pytest.raises(vl.UserError, match="twice"):
        vl.function([x, x], x)


def test_out():
    f = decay()
    a = np.zeros((3, 4), "float32")
    out = np.full((3, 4), 7, "float32")
    assert f(a, out=out) is out and (out == 1).all()
    strided = np.zeros((3, 8), "float32")
    assert f(a, out=[strided[:, ::2]])[0, 0] == 1 and strided[:, 1::2].sum() == 0
    assert f(out, out=out) is out
    np.testing.assert_array_equal(out, f(np.ones((3, 4), "float32")))
    out.flags.writeable = False
    with pytest.raises(vl.UserError, match="read-only"):
        f(a, out=out)
    for wrong in (np.zeros((3, 4)), np.zeros((2, 4), "float32"), "text"):
        with pytest.raises(vl.UserError):
            f(a, out=wrong)
    x = vl.fvector("x")
    two = vl.function([x], [x + 1, x * 2])
    mine = np.zeros(2, "float32")
    results = two([1, 2], out=[None, mine])
    assert results[1] is mine and results[0].tolist() == [2, 3] and mine.tolist() == [2, 4]


def test_results_are_never_overwritten_while_held():
    x = vl.fvector("x")
    f = vl.function([x], vl.Out(x + 1, borrow=True))
    first = f([1, 2, 3])
    view = first[1:]
    address = first.__array_interface__["data"][0]
    del first
    second = f([10, 20, 30])
    assert view.tolist() == [3, 4] and second.__array_interface__["data"][0] != address
    del view, second
    gc.collect()
    third = f([5, 5, 5])
    kept = [f([k, k]) for k in range(5)]
    assert third.tolist() == [6, 6, 6] and [k.tolist() for k in kept] == [[k + 1, k + 1] for k in range(5)]


def test_results_outlive_their_function():
    f = decay()
    result = f(np.zeros((100, 100), "float32"))
    del f
    gc.collect()
    result += 1
    assert (result == 2).all() and result.flags.writeable


def test_borrowed_memory_is_reused():
    x = vl.fvector("x")
    f = vl.function([x], vl.Out(x + 1, borrow=True))
    a = np.zeros(1000, "float32")
    addresses = {f(a).__array_interface__["data"][0] for _ in range(10)}
    assert len(addresses) == 1


def test_mutable_input():
    x = vl.fvector("x")
    f = vl.function([vl.In(x, mutable=True)], vl.Out(vl.exp(x), borrow=True))
    a = np.zeros(4, "float32")
    assert f(a) is a and (a == 1).all()
    frozen = np.zeros(4, "float32")
    frozen.flags.writeable = False
    assert f(frozen) is not frozen and (frozen == 0).all()


def test_shared_and_updates():
    x = vl.fvector("x")
    w = vl.shared(np.zeros(2, "float32"), name="w")
    b = vl.shared(0.0, name="b")
    f = vl.function([x], [w * 1, b + 0], updates={w: w + x, b: b + 1})
    assert f([1, 2])[0].tolist() == [0, 0] and w.get_value().tolist() == [1, 2] and b.get_value() == 1
    f([1, 2])
    assert w.get_value().tolist() == [2, 4]
    held = w.get_value(borrow=True)
    with pytest.raises(ValueError):
        held[0] = 1
    f([1, 1])
    assert held.tolist() == [2, 4] and w.get_value().tolist() == [3, 5]
    copy = w.get_value()
    copy[:] = 0
    assert w.get_value().tolist() == [3, 5]
    w.set_value([9, 9])
    assert w.get_value().tolist() == [9, 9]
    with pytest.raises(vl.DTypeError):
        w.set_value(np.zeros(2))
    with pytest.raises(vl.UserError):
        w.set_value(np.zeros((2, 2), "float32"))
    for wrong in ({x: x}, [(w, w), (w, w)], {w: vl.dvector("d")}):
        with pytest.raises(vl.UserError):
            vl.function([x], None, updates=wrong)
    assert f.toposort() and vl.function([], w + 1)().tolist() == [10, 10]


def test_shared_borrow_takes_the_array():
    mine = np.zeros(3, "float32")
    w = vl.shared(mine, borrow=True)
    mine[0] = 5
    assert w.get_value()[0] == 5
    copied = vl.shared(mine)
    mine[0] = 6
    assert copied.get_value()[0] == 5


def test_profile(tmp_path):
    x = vl.fvector("x")
    f = vl.function([x], x * 2 + 1, name="f", profile=True)
    f([1, 2])
    assert f.profile["calls"] == 1 and f.profile["steps"]
    for suffix in (".html", ".json", ".txt"):
        f.profile_report(str(tmp_path / f"report{suffix}"))
        assert (tmp_path / f"report{suffix}").stat().st_size > 50
    with pytest.raises(vl.UserError, match="allowed .html"):
        f.profile_report("report.pdf")


def test_seed_programs():
    """Doubling a (4, 5) matrix; exp with a shared vector; strided arguments."""
    x = vl.matrix("x")
    double = vl.function([x], 2 * x)
    a = np.arange(20, dtype="float32").reshape(4, 5)
    np.testing.assert_array_equal(double(a), 2 * a)
    v = vl.shared(np.linspace(0, 1, 1000).astype("float32"), borrow=True)
    e = vl.function([], vl.Out(vl.exp(v), borrow=True))
    np.testing.assert_allclose(e(), np.exp(np.linspace(0, 1, 1000)), rtol=3e-7)
    assert any("exp" in step for step in e.toposort())
