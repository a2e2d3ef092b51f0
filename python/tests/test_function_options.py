# python/tests/test_function_options.py: what inputs, outputs and functions can be told: defaults, conversions, borrow, givens, modes, repeat,
# copies, files, test values.
import pickle

import numpy as np
import pytest

import voxloom as vl


def test_defaults_and_names():
    x, y, z = vl.fvectors("x", "y", "z")
    f = vl.function([x, vl.In(y, value=[1, 2]), vl.In(z, name="shift", value=np.float32([10, 10]))], x * y + z)
    assert f.input_names == ["x", "y", "shift"]
    assert f([1, 1]).tolist() == [11, 12] and f([1, 1], [0, 0]).tolist() == [10, 10]
    assert f([1, 1], shift=[0, 0]).tolist() == [1, 2] and f(shift=[0, 0], x=[2, 2]).tolist() == [2, 4]
    for call, text in [
        (lambda: f(), "takes 3 arguments, but 0 were given; argument 0 .x. is missing"),
        (lambda: f(y=[1, 1]), "argument 0 .x. is missing"),
        (lambda: f([1], [1], [1], [1]), "takes 3 arguments, but 4"),
        (lambda: f([1], shfit=[1]), "no input named shfit .did you mean shift"),
        (lambda: f([1], z=[1]), "no input named z"),
    ]:
        with pytest.raises(vl.UserError, match=text) as caught:
            call()
        assert caught.value.origin.startswith(__file__)
    assert f([1, 1]).tolist() == [11, 12]


def test_default_values_are_copied_unless_borrowed():
    x = vl.fvector("x")
    mine = np.zeros(2, "float32")
    copied, held = vl.function([vl.In(x, value=mine)], x + 1), vl.function([vl.In(x, value=mine, borrow=True)], x + 1)
    mine[:] = 5
    assert copied().tolist() == [1, 1] and held().tolist() == [6, 6]
    mutable = vl.function([vl.In(x, value=mine, mutable=True)], vl.Out(vl.exp(x), borrow=True))
    mutable()
    assert mine.tolist() == [5, 5] and mutable().tolist() == mutable().tolist()
    for wrong in (np.zeros(2), np.zeros((2, 2), "float32"), object()):
        with pytest.raises(vl.UserError, match="default value"):
            vl.function([vl.In(x, value=wrong)], x)
    with pytest.raises(vl.UserError, match="In: an input is a variable"):
        vl.In(x + 1)


def test_conversions():
    x, i = vl.fvector("x"), vl.wvector("i")
    f = vl.function([x], x * 2)
    assert f(np.array([1, 2], "int16")).dtype == "float32" and f(np.array([True])).tolist() == [2]
    with pytest.raises(TypeError) as caught:
        f(np.zeros(2))
    text = str(caught.value)
    assert "float64" in text and "cast(float32)" in text and "allow_input_downcast=True" in text and "floatX" in text
    assert "argument 0 (x)" in text and caught.value.origin.startswith(__file__) and caught.value.code == "dtype"
    strict = vl.function([vl.In(x, strict=True)], x * 2)
    with pytest.raises(vl.DTypeError, match="strict"):
        strict(np.array([1, 2], "int16"))
    assert strict(np.float32([1, 2])).tolist() == [2, 4]
    loose = vl.function([vl.In(i, allow_downcast=True)], i)
    assert loose(np.array([1.7, -2.2])).tolist() == [1, -2] and loose([1.7]).tolist() == [1]
    all_loose = vl.function([x, vl.In(i, allow_downcast=False)], [x, i], allow_input_downcast=True)
    assert all_loose(np.array([0.1]), [1])[0].tolist() == [np.float32(0.1)]
    with pytest.raises(vl.DTypeError):
        all_loose(np.array([0.1]), np.array([1.5]))
    with pytest.raises(vl.DTypeError):
        all_loose(np.array([1j]), [1])
    assert f([1, 2]).tolist() == [2, 4]


def test_outputs_of_every_form():
    x = vl.fvector("x")
    assert vl.function([x], [x + 1])([1])[0].tolist() == [2]
    assert vl.function([x], (x + 1, x))([1])[1].tolist() == [1]
    assert vl.function([x], {3: x, "b": x + 1})([1])[3].tolist() == [1]
    w = vl.shared(0.0)
    step = vl.function([], updates=[(w, w + 1)])
    assert step() is None and step.repeat(3) is None and w.get_value() == 4
    with pytest.raises(vl.UserError, match="neither an output nor an update"):
        vl.function([])


def test_borrow_both_ways_hands_the_argument_through():
    x = vl.fvector("x")
    f = vl.function([vl.In(x, borrow=True)], [vl.Out(x, borrow=True), x + 1])
    a = np.float32([1, 2])
    assert f(a)[0] is a and f(x=a)[0] is a and f([1, 2])[0].tolist() == [1, 2]
    owned = vl.function([vl.In(x, borrow=True)], x)(a)
    assert owned is not a and owned.tolist() == [1, 2]


def test_a_list_for_a_mutable_input():
    x = vl.fvector("x")
    f = vl.function([vl.In(x, mutable=True)], vl.Out(vl.exp(x), borrow=True))
    first, second = f([0, 0]), f([1, 0])
    assert first.tolist() == [1, 1] and second[1] == 1


def test_strict_borrow():
    x = vl.fvector("x")
    f = vl.function([x], vl.Out(x + 1, borrow=True), strict_borrow=True)
    held = f([1, 2])
    with pytest.raises(vl.UserError, match="output 0 is borrowed and the result of an earlier call is still held"):
        f([3, 4])
    assert held.tolist() == [2, 3]
    del held
    assert f([3, 4]).tolist() == [4, 5]
    with vl.config.change_flags(strict_borrow=True):
        g = vl.function([x], vl.Out(x + 1, borrow=True))
    kept = g([1])
    with pytest.raises(vl.UserError, match="borrowed"):
        g([1])
    assert kept.tolist() == [2]
    loose = vl.function([x], vl.Out(x + 1, borrow=True), profile=True)
    one, two = loose([1]), loose([2])
    assert one.tolist() == [2] and two.tolist() == [3]
    assert any("held" in name for name in loose.profile["counters"])


def test_givens():
    x, y = vl.fvectors("x", "y")
    table = vl.shared(np.float32([[1, 2], [3, 4]]), name="table")
    k = vl.lscalar("k")
    assert vl.function([k], x * 2, givens={x: table[k]})(1).tolist() == [6, 8]
    middle = vl.exp(x)
    assert vl.function([y], middle + 1, givens=[(middle, y)])([1, 2]).tolist() == [2, 3]
    assert vl.function([x, y], x - y, givens={x: y, y: x})([1], [3]).tolist() == [2]
    assert vl.function([], x + 1, givens={x: [1, 2]})().tolist() == [2, 3]
    w = vl.shared(1.0)
    step = vl.function([], None, updates={w: w + x.sum()}, givens={x: np.float32([1, 2])})
    step()
    assert w.get_value() == 4
    for wrong, text in [({3: x}, "givens replace expressions"), ({x: vl.dvector("d")}, "float64|f64"), ([x], "givens is a dict or"), ({x: vl.fmatrix("m")}, "f32")]:
        with pytest.raises(vl.UserError, match=text):
            vl.function([y], x + y, givens=wrong)


def test_updates_in_every_form():
    w = vl.shared(np.zeros(2, "float32"), name="w")
    for updates in ({w: [1, 2]}, [(w, np.float32([1, 2]))], ((w, [1.0, 2.0]),), {w: w * 0 + np.float32([1, 2])}):
        vl.function([], None, updates=updates)()
        assert w.get_value().tolist() == [1, 2]
    for wrong, text in [({w: np.zeros(2)}, "f64"), ({w: 1.5}, r"f32\[\]"), ([w], "updates is a dict or a sequence of pairs"), ({vl.fvector("x"): w}, "for a shared variable")]:
        with pytest.raises(vl.UserError, match=text):
            vl.function([], None, updates=wrong)


def test_updates_are_all_or_nothing():
    x = vl.fvector("x")
    a, b = vl.shared(np.zeros(2, "float32"), name="a"), vl.shared(np.zeros(2, "float32"), name="b")
    i = vl.lvector("i")
    f = vl.function([x, i], None, updates=[(a, b + x), (b, vl.take(a, i) + 1)])
    f([1, 1], [0, 1])
    assert a.get_value().tolist() == [1, 1] and b.get_value().tolist() == [1, 1]  # both from the old values
    with pytest.raises(IndexError, match="5"):
        f([1, 1], [0, 5])
    assert a.get_value().tolist() == [1, 1] and b.get_value().tolist() == [1, 1]
    f([1, 1], [0, 1])
    assert a.get_value().tolist() == [2, 2]


def test_repeat():
    x = vl.fvector("x")
    w = vl.shared(np.zeros(2, "float32"), name="w")
    f = vl.function([x], {"old": w * 1}, updates={w: w + x})
    assert f.repeat(10, [1, 2])["old"].tolist() == [9, 18] and w.get_value().tolist() == [10, 20]
    assert f.repeat(2, x=[1, 2], threads=1)["old"].tolist() == [11, 22]
    out = np.zeros(2, "float32")
    assert f.repeat(1, [0, 0], out=[out])["old"] is out and out.tolist() == [12, 24]
    for n in (0, -1):
        with pytest.raises(vl.UserError, match="at least 1 step"):
            f.repeat(n, [1, 2])
    with pytest.raises(TypeError):
        f.repeat("many", [1, 2])
    with pytest.raises(vl.UserError, match="takes 1 arguments, but 0"):
        f.repeat(3)


def test_copy():
    v, w, u = vl.shared(1.0, name="v"), vl.shared(10.0, name="w"), vl.shared(0.0, name="u")
    f = vl.function([], {"value": v * 1}, updates={v: v + 1}, name="f", profile=True)
    plain, swapped, frozen = f.copy(), f.copy(swap={v: w}, name="g"), f.copy(delete_updates=True)
    assert plain()["value"] == 1 and f()["value"] == 2 and swapped()["value"] == 10 and frozen()["value"] == 3 == frozen()["value"]
    assert (v.get_value(), w.get_value()) == (3, 11) and swapped.name == "g" and swapped.get_shared() == [w] or swapped.get_shared()[0] is w
    assert pickle.loads(pickle.dumps(swapped))()["value"] == 11 and plain.profile["calls"] == 1
    assert f.copy(share_memory=True)()["value"] == 3
    with pytest.raises(vl.UserError, match="uses no shared variable"):
        f.copy(swap={u: w})
    with pytest.raises(vl.UserError, match="swap is"):
        f.copy(swap={v: 3})
    with pytest.raises(vl.UserError, match="share_memory cannot"):
        f.copy(share_memory=True, delete_updates=True)


def test_files(tmp_path):
    x, y = vl.fvectors("x", "y")
    w = vl.shared(np.float32([1, 2]), name="w", strict=True)
    f = vl.function([x, vl.In(y, value=[1, 1], name="by")], {"sum": x + y + w, "first": x[0]}, updates={w: w * 2}, name="saved")
    f([1, 1])
    path = tmp_path / "f.vlf"
    f.save(path)
    g = vl.load_function(path)
    assert g.name == "saved" and g.input_names == ["x", "by"] and g.get_shared()[0].name == "w"
    assert g([1, 1])["sum"].tolist() == f([1, 1])["sum"].tolist() and g.get_shared()[0].get_value().tolist() == [4, 8]
    with pytest.raises(vl.DTypeError, match="strict"):
        g.get_shared()[0].set_value(np.array([1, 2], "int8"))
    one = vl.function([x], x + 1)
    one.save(str(path))
    assert vl.load_function(str(path))([1]).tolist() == [2]
    several = vl.function([x], [x, x + 1])
    several.save(path)
    assert [r.tolist() for r in vl.load_function(path)([1])] == [[1], [2]]
    vl.function([], updates={w: w + 1}).save(path)
    assert vl.load_function(path)() is None
    with pytest.raises(vl.UserError, match="names of outputs"):
        vl.function([x], {1: x}).save(path)
    with pytest.raises(OSError):
        vl.load_function(tmp_path / "none.vlf")
    with pytest.raises(OSError):
        one.save(tmp_path / "no_such_folder" / "f.vlf")


def test_damaged_files(tmp_path):
    x = vl.fvector("x")
    path = tmp_path / "f.vlf"
    vl.function([x], x + 1).save(path)
    good = path.read_bytes()
    for bad in (b"", b"not a function", good[:-1], good + b"x", good[:100] + bytes([good[100] ^ 1]) + good[101:]):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="f.vlf") as caught:
            vl.load_function(path)
        assert isinstance(caught.value, vl.UserError) and caught.value.code == "bad_input"


def host(a):
    return a * 3


def test_files_with_host_functions(tmp_path):
    x = vl.fvector("x")
    triple = vl.HostOp("triple_of_this_test", host)
    path = tmp_path / "f.vlf"
    vl.function([x], triple(x)).save(path)
    with pytest.raises(vl.UserError, match="triple_of_this_test.*allow_native_ops"):
        vl.load_function(path)
    assert vl.load_function(path, allow_native_ops=True)([1, 2]).tolist() == [3, 6]


def test_a_pickle_runs_the_host_function_it_holds():
    """Not the one that has its name by now."""
    x = vl.fvector("x")
    data = pickle.dumps(vl.function([x], vl.HostOp("same_name", host)(x)))
    vl.HostOp("same_name", lambda a: a * 0)
    assert pickle.loads(data)([1, 2]).tolist() == [3, 6]


def test_pickles_keep_inputs_and_forms():
    x = vl.fvector("x")
    w = vl.shared(1.0, name="w")
    f = vl.function([vl.In(x, value=[1, 2], name="arg")], {1: x * w, "b": x}, givens={w: w + 1}, mode="NanGuardMode", name="f")
    g = pickle.loads(pickle.dumps(f))
    assert g()[1].tolist() == [2, 4] and g(arg=[3])["b"].tolist() == [3] and list(g()) == [1, "b"]
    with pytest.raises(vl.UserError, match="NanGuardMode"):
        g([np.nan])
    assert pickle.loads(pickle.dumps(vl.function([x], [x])))([1])[0].tolist() == [1]


def test_functions_take_arrays_not_files(tmp_path):
    path = str(tmp_path / "a.nii")
    vl.save(vl.Image(np.ones((2, 2, 2), "float32"), np.eye(4)), path)
    img = vl.open(path)
    with pytest.raises(vl.UserError, match='reads the image "a.nii", but functions take arrays') as caught:
        vl.function([], img + 1)
    assert caught.value.origin.startswith(__file__)
    x = vl.image_input("x", "float32", img.shape, img.axes)
    assert vl.function([x], img + 1, givens={img: x})(np.ones((2, 2, 2), "float32")).sum() == 16


def test_device_memory_and_threads():
    x = vl.fvector("x")
    assert vl.function([x], x + 1, device="cpu", threads=1, memory="1M", allow_gc=False)([1]).tolist() == [2]
    small = vl.function([x], x + 1, memory=1000)
    with pytest.raises(MemoryError, match="1000|1\\.0 KiB|memory"):
        small(np.zeros(10_000, "float32"))
    assert small([1, 2]).tolist() == [2, 3] and small(np.zeros(10_000, "float32"), memory="1M").shape == (10_000,)
    with pytest.raises(vl.Error, match="cuda"):
        vl.function([x], x, device="cuda")
    for options, text in [
        ({"threads": "two"}, "threads cannot be 'two'"),
        ({"memory": 1.5}, "memory is a number of bytes"),
        ({"memory": "many"}, "many"),
        ({"mode": "FAST_RNU"}, "did you mean FAST_RUN"),
        ({"mode": 3}, "mode is a name"),
        ({"on_unused_input": "shout"}, "allowed"),
        ({"optimizer_excluding": "fusoin"}, "did you mean fusion"),
        ({"optimizer_excluding": [3]}, "optimizer_excluding cannot be"),
        ({"target": "z80"}, "z80"),
    ]:
        with pytest.raises(vl.UserError, match=text) as caught:
            vl.function([x], x + 1, **options)
        assert caught.value.origin.startswith(__file__)
    f = vl.function([x], x + 1)
    with pytest.raises(vl.UserError, match="threads is a number"):
        f([1], threads=-1)


def test_modes():
    x = vl.fvector("x")
    e = vl.log(x) + 1
    for mode in ("FAST_RUN", "FAST_COMPILE", "DebugMode", "NanGuardMode", "ProfileMode", vl.Mode("FAST_RUN").excluding("fusion")):
        np.testing.assert_allclose(vl.function([x], e, mode=mode)([1, 2]), np.log([1, 2]) + 1, rtol=1e-6)
    assert len(vl.function([x], e).toposort()) == 1 and len(vl.function([x], e, mode=vl.Mode().excluding("fusion")).toposort()) == 2
    assert vl.function([x], e, mode="ProfileMode").profile["calls"] == 0
    assert vl.Mode("FAST_COMPILE").including("simplify", "push_views").excluded == [] and "FAST_COMPILE" in repr(vl.Mode("FAST_COMPILE"))
    with vl.config.change_flags(mode="NanGuardMode"):
        f = vl.function([x], e)
    with pytest.raises(vl.UserError, match="NanGuardMode"):
        f([-1])
    for call, text in [
        (lambda: vl.Mode("DebugMod"), "did you mean DebugMode"),
        (lambda: vl.Mode().excluding("simplfy"), "did you mean simplify"),
        (lambda: vl.Mode().including(3), "is a text"),
    ]:
        with pytest.raises(vl.UserError, match=text):
            call()


def test_nan_guard_names_the_first_bad_node_and_the_line(caplog):
    x = vl.fvector("x")
    inside = vl.log(x)  # here
    line = int(inside.origin.rsplit(":", 1)[1])
    f = vl.function([x], vl.exp(inside) * 2, mode=vl.NanGuardMode(), name="guarded")
    with pytest.raises(vl.UserError, match=r"guarded: NanGuardMode: log gives nan at \[1\]") as caught:
        f([1, -1])
    assert caught.value.origin == f"{__file__}:{line}"
    with pytest.raises(vl.UserError, match=r"argument.*x.*holds inf at \[0\]"):
        f([np.inf])
    with pytest.raises(vl.UserError, match="-inf"):
        f([0])
    assert f([1, 2]).tolist() == [2, 4]
    big = vl.function([x], x * 10, mode=vl.NanGuardMode(limit=100))
    with pytest.raises(vl.UserError, match="big value"):
        big([50])
    assert vl.function([x], x * 10, mode=vl.NanGuardMode(big_is_error=False))([1e10]) > 1e10
    assert np.isnan(vl.function([x], vl.log(x), mode=vl.NanGuardMode(nan_is_error=False))([-1])[0])
    warned = vl.function([x], vl.log(x), mode=vl.NanGuardMode(action="warn"))
    assert np.isnan(warned([-1])[0]) and "log gives nan" in caplog.text
    for wrong in ({"action": "shout"}, {"limit": -1}):
        with pytest.raises(vl.UserError, match="NanGuardMode"):
            vl.NanGuardMode(**wrong)


def test_debug_mode_finds_an_op_that_is_not_a_function_of_its_arguments():
    x = vl.fvector("x")
    calls = []
    drifting = vl.HostOp("drifting", lambda a: (calls.append(1), a + len(calls))[1])
    f = vl.function([x], drifting(x), mode="DebugMode")
    with pytest.raises(vl.InternalError, match="drifting"):
        f([1, 2])


def test_unused_inputs(caplog):
    x, y = vl.fvectors("x", "y")
    with pytest.raises(vl.UserError, match='the input "y" is not used') as caught:
        vl.function([x, y], x)
    assert caught.value.origin == y.origin
    assert vl.function([x, y], x, on_unused_input="ignore")([1], [2]).tolist() == [1]
    vl.function([x, y], x, on_unused_input="warn")
    assert "not used" in caplog.text


def test_test_values():
    x, y = vl.fmatrix("x"), vl.fvector("y")
    with pytest.raises(AttributeError, match="no test value"):
        x.tag.test_value
    with vl.config.change_flags(compute_test_value="raise"):
        x.tag.test_value, y.tag.test_value = np.ones((2, 3), "float32"), [1, 2, 3]
        assert vl.dot(x, y).tag.test_value.tolist() == [6, 6]
        with pytest.raises(vl.UserError) as caught:
            vl.dot(x.T, y)
        assert caught.value.origin.startswith(__file__) and "2" in str(caught.value) and "3" in str(caught.value)
        with pytest.raises(vl.UserError, match="has no test value"):
            vl.exp(vl.fvector("z"))
    for wrong in (np.zeros((2, 3)), np.zeros(3, "float32"), object()):
        with pytest.raises(vl.UserError, match="test_value|test value"):
            x.tag.test_value = wrong
    with pytest.raises(vl.UserError, match="only variables"):
        (x + 1).tag.test_value = np.zeros((2, 3), "float32")


def test_shared_options():
    w = vl.shared(np.zeros(2, "float32"), "w", strict=True)
    with pytest.raises(TypeError, match="strict"):
        w.set_value(np.zeros(2, "int16"))
    loose = vl.shared(np.zeros(2, "float32"))
    loose.set_value(np.array([1, 2], "int16"))
    assert loose.get_value().tolist() == [1, 2] and loose.name == "" and w.name == "w"
    mine = np.float32([1, 2])
    loose.set_value(mine, borrow=True)
    mine[0] = 7
    assert loose.get_value(borrow=True).tolist() == [7, 2] and not loose.get_value(borrow=True).flags.writeable
    with pytest.raises(vl.DTypeError, match="a value is an array"):
        vl.shared(object())
    with pytest.raises(vl.DTypeError, match="a value is an array"):
        vl.shared("text")


def test_eval_keeps_its_function():
    x, y = vl.fvectors("x", "y")
    e = x * y
    assert e.eval({x: [1, 2], y: [3, 4]}).tolist() == [3, 8] == e.eval({y: [3, 4], x: [1, 2]}).tolist()
    assert vl.shared(2.0).eval() == 2 and (vl.shared(2.0) + 1).eval() == 3
    with pytest.raises(vl.UserError, match="y"):
        e.eval({x: [1]})
