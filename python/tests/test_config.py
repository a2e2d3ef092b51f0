# python/tests/test_config.py: the configuration from Python: attributes, the environment, the rc file; the table itself is the library's.
import os
import subprocess
import sys

import numpy as np
import pytest

import voxloom as vl


def test_every_option_of_the_table_is_there():
    names = "device floatX cast_policy warn_float64 mode allow_gc memory threads scratch profile cache_dir cache_size optimizer_excluding"
    assert set(f"{names} on_unused_input strict_borrow fast_math target debug debug_level compute_test_value".split()) == set(dir(vl.config))
    kinds = {name: type(getattr(vl.config, name)) for name in dir(vl.config)}
    assert {name for name, kind in kinds.items() if kind is bool} == {"allow_gc", "debug", "fast_math", "profile", "strict_borrow"}
    assert {name for name, kind in kinds.items() if kind is int} == {"cache_size", "debug_level", "memory", "threads"}
    for name in dir(vl.config):
        setattr(vl.config, name, getattr(vl.config, name))
        assert name in repr(vl.config)


def test_values():
    vl.config.memory = "64M"
    assert vl.config.memory == 64 << 20
    vl.config.profile = 1
    vl.config.allow_gc = np.bool_(False)
    vl.config.threads = np.int64(3)
    vl.config.floatX = np.float64
    vl.config.optimizer_excluding = ["fusion", "simplify"]
    assert (vl.config.profile, vl.config.allow_gc, vl.config.threads, vl.config.floatX) == (True, False, 3, "float64")
    assert vl.config.optimizer_excluding == "fusion:simplify" and vl.matrix("x").dtype == "float64"
    vl.config.cast_policy = "numpy"
    assert (vl.ivector("i") * vl.fvector("x")).dtype == "float64"


@pytest.mark.parametrize(
    "name, value, text",
    [("floatx", "float64", "did you mean floatX"), ("thread", 2, "did you mean threads"), ("zzzzzzz", 1, "there are allow_gc, cache_dir")]
    + [("cast_policy", "none", "allowed: floatX, numpy"), ("floatX", "int8", "allowed: float32, float64"), ("threads", -1, "allowed: 0")]
    + [("mode", "FAST_RUM", "did you mean FAST_RUN"), ("optimizer_excluding", "fusoin", "did you mean fusion"), ("debug", "maybe", "True, False")]
    + [("fast_math", True, "is not possible"), ("memory", "lots", "lots"), ("floatX", object(), "neither a text nor"), ("device", "cuda", "cuda")],
)
def test_wrong_names_and_values(name, value, text):
    before = repr(vl.config)
    with pytest.raises(vl.Error, match=text):
        setattr(vl.config, name, value)
    assert repr(vl.config) == before
    with pytest.raises(vl.UserError, match="no option is called"):
        getattr(vl.config, name + "q")


def test_change_flags():
    with vl.config.change_flags(floatX="float64", threads=1):
        assert vl.vector("x").dtype == "float64" and vl.config.threads == 1
    assert vl.config.floatX == "float32"
    with pytest.raises(ZeroDivisionError), vl.config.change_flags(floatX="float64"):
        1 / 0
    with pytest.raises(vl.UserError), vl.config.change_flags(floatX="float64", thread=1):
        pass
    assert vl.config.floatX == "float32"


def run(code, **environment):
    known = {name: value for name, value in os.environ.items() if not name.startswith("VOXLOOM")}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**known, **environment})


SHOW = "import voxloom as vl; print(vl.config.floatX, vl.config.allow_gc, vl.config.threads, vl.matrix('x').dtype)"


def test_environment(tmp_path):
    flags = run(SHOW, VOXLOOM_FLAGS="floatX=float64,allow_gc=False, threads = 1")
    assert flags.stdout.split() == ["float64", "False", "1", "float64"], flags.stderr
    rc = tmp_path / "rc"
    rc.write_text("# mine\n[global]\nfloatX = float64\nthreads = 2\n")
    assert run(SHOW, VOXLOOMRC=str(rc)).stdout.split() == ["float64", "True", "2", "float64"]
    assert run(SHOW, VOXLOOMRC=str(rc), VOXLOOM_FLAGS="threads=1").stdout.split()[2] == "1"
    (tmp_path / ".voxloomrc").write_text("floatX=float64\n")
    assert run(SHOW, HOME=str(tmp_path)).stdout.split()[0] == "float64"


@pytest.mark.parametrize(
    "environment, text",
    [({"VOXLOOM_FLAGS": "floatx=float64"}, "VOXLOOM_FLAGS: config: no option is called floatx (did you mean floatX?)")]
    + [({"VOXLOOM_FLAGS": "floatX"}, "not of the form name=value"), ({"VOXLOOMRC": "/nowhere/rc"}, "cannot be read")],
)
def test_what_is_wrong_in_the_environment_is_known_at_import(environment, text):
    done = run("import voxloom", **environment)
    assert done.returncode == 1 and text in done.stderr.splitlines()[-1]


def test_defaults_of_functions():
    x = vl.fvector("x")
    with vl.config.change_flags(profile=True, optimizer_excluding="fusion"):
        f = vl.function([x], vl.exp(x) + 1)
    f([1])
    assert f.profile["calls"] == 1 and len(f.toposort()) == 2
    with vl.config.change_flags(on_unused_input="ignore"):
        vl.function([x, vl.fvector("y")], x)
    with vl.config.change_flags(warn_float64="raise"), pytest.raises(vl.UserError, match="float64"):
        vl.function([x], x * np.ones(3))
