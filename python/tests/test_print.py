# python/tests/test_print.py: trees, formulas, drawings, plans and profiles from Python.
import io
import xml.dom.minidom

import numpy as np
import pytest

import voxloom as vl


def step():
    x = vl.fvector("x")
    w = vl.shared(np.zeros(3, "float32"), name="w")
    return x, vl.function([x], vl.Out(vl.exp(x) * w, borrow=True), updates={w: w + x}, name="step")


def test_debugprint(capsys):
    x, f = step()
    vl.debugprint(vl.exp(x) + 2)
    assert capsys.readouterr().out.startswith("add [A] <f32")
    text = vl.debugprint(f, file="str")
    for part in ("kernel 0", "argument 0", "shared", "output 0 (borrowed)", "update of w"):
        assert part in text
    assert vl.debugprint(vl.exp(x), 1, False, file="str") == "exp [A]\n |x [B]\n" or vl.debugprint(vl.exp(x), 0, False, file="str") == "exp [A]\n"
    assert "test_print.py:" in vl.debugprint(vl.exp(x), print_origin=True, file="str")
    stream = io.StringIO()
    assert vl.debugprint([x, vl.exp(x)], file=stream) is None and stream.getvalue().count("[A]") == 2
    with pytest.raises(TypeError, match="debugprint: takes an expression or a function"):
        vl.debugprint(3)


def test_pprint():
    x, y = vl.fvectors("x", "y")
    assert vl.pprint((x + y) * 2) == "(x + y) * 2" == vl.pp((x + y) * 2)
    assert vl.pprint(vl.dot(vl.fmatrix("A"), vl.fmatrix("B"))) != ""
    with pytest.raises(TypeError):
        vl.pprint(object())


def test_drawings(tmp_path):
    x, f = step()
    for graph in (f, vl.exp(x) + 1):
        assert vl.to_dot(graph).startswith("digraph")
        xml.dom.minidom.parseString(vl.to_svg(graph))
        for suffix in ("svg", "dot", "gv"):
            vl.pydotprint(graph, tmp_path / f"g.{suffix}")
            assert (tmp_path / f"g.{suffix}").stat().st_size > 100
    with pytest.raises(vl.UserError, match=r"\.svg"):
        vl.pydotprint(f, "g.png")
    with pytest.raises(OSError):
        vl.pydotprint(f, str(tmp_path / "none" / "g.svg"))
    with pytest.raises(TypeError, match="pydotprint"):
        vl.pydotprint("f", "g.svg")


def test_plan_and_explain():
    _, f = step()
    assert "w is replaced when a call is done" in f.plan() and "borrowed" in f.explain()
    assert 'extern "C"' in f.explain(kernels=True) and 'extern "C"' in f.plan(kernels=True) and 'extern "C"' not in f.plan()


def test_profile_of_every_call(tmp_path):
    x = vl.fmatrix("x")
    f = vl.function([x], (vl.exp(x) * 2).sum(axis=1), profile=True, name="measured")
    for _ in range(3):
        f(np.ones((10, 10), "float32"))
    profile = f.profile
    assert profile["calls"] == 3 and profile["function"] == "measured"
    assert profile["steps"][0]["name"] == "Fused{exp,mul,sum}"
    f.profile_report(str(tmp_path / "p.html"))
    assert "<html" in (tmp_path / "p.html").read_text()
    assert vl.function([x], x + 1).profile["calls"] == 0
