# python/tests/test_processes.py: threads, forked children, pickling, signals.
import concurrent.futures
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import voxloom as vl


def make(name="f"):
    x = vl.fmatrix("x")
    return vl.function([x], [vl.exp(-x / 2), x.sum(axis=1)], name=name)


A = np.random.default_rng(1).normal(size=(200, 300)).astype("float32")


def test_one_function_in_many_threads():
    f = make()
    expected = f(A)
    sizes = [A[:k] for k in (1, 17, 200, 50, 3)]

    def work(k):
        for _ in range(20):
            a = sizes[k % len(sizes)]
            got = f(a)
            np.testing.assert_array_equal(got[0], expected[0][: len(a)])
            np.testing.assert_array_equal(got[1], expected[1][: len(a)])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))


def test_updates_from_many_threads_lose_nothing():
    n = vl.shared(np.zeros(1, "int64"), name="n")
    step = vl.function([], None, updates={n: n + 1})
    threads = [threading.Thread(target=lambda: [step() for _ in range(200)]) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert n.get_value().tolist() == [800]


def test_the_gil_is_released():
    x = vl.fvector("x")
    e = x
    for _ in range(20):
        e = vl.erf(vl.exp(vl.sin(e)))
    f = vl.function([x], e.sum())
    a = np.ones(5_000_000, "float32")
    f(a[:10])
    running = threading.Event()
    counted = 0

    def call():
        running.set()
        f(a, threads=1)

    thread = threading.Thread(target=call)
    thread.start()
    running.wait()
    while thread.is_alive():
        counted += 1
        time.sleep(0.001)
    thread.join()
    assert counted > 5


def child(f, queue):
    queue.put([r.tobytes() for r in f(A)])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(method):
    f = make()
    expected = [r.tobytes() for r in f(A)]
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=child, args=(f, queue))
    process.start()
    got = queue.get(timeout=120)
    process.join()
    assert got == expected and process.exitcode == 0
    assert [r.tobytes() for r in f(A)] == expected


def test_fork_in_the_middle_of_use():
    f = make()
    f(A)
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            g = make("child")
            os._exit(0 if all((a == b).all() for a, b in zip(g(A), f(A))) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_pickle_is_the_graph():
    f = make()
    data = pickle.dumps(f)
    assert b"graph {" in data and len(data) < 5000
    g = pickle.loads(data)
    assert g.name == "f" and g.input_names == ["x"]
    for a, b in zip(f(A), g(A)):
        np.testing.assert_array_equal(a, b)


def test_pickle_with_state():
    x = vl.fvector("x")
    w = vl.shared(np.ones(2, "float32"), name="w")
    b = vl.shared(1.0, name="b")
    f = vl.function([vl.In(x)], {"y": w * x + b}, updates=[(w, w + x)], name="step", profile=True)
    f([1, 2])
    g = pickle.loads(pickle.dumps(f))
    assert g([1, 1])["y"].tolist() == [3, 4] == f([1, 1])["y"].tolist()
    f([1, 1])
    assert g([1, 1])["y"].tolist() == [4, 5] and w.get_value().tolist() == [4, 5]
    assert g.profile["calls"] == 2
    count = vl.function([], None, updates={w: w * 2})
    assert pickle.loads(pickle.dumps(count))() is None
    state = f.__reduce__()[1][0]
    with pytest.raises(vl.UserError, match="format"):
        f.__reduce__()[0]({**state, "format": 99})
    with pytest.raises(vl.UserError):
        f.__reduce__()[0]({**state, "function": state["function"][:-20]})


def test_joblib():
    joblib = pytest.importorskip("joblib")
    f = make()
    expected = f(A)
    results = joblib.Parallel(n_jobs=2)(joblib.delayed(f)(A) for _ in range(3))
    for r in results:
        np.testing.assert_array_equal(r[0], expected[0])


ENDLESS = """
import os, signal, sys, threading, time
import numpy as np
import voxloom as vl
x = vl.fvector("x")
e = x
for _ in range(40):
    e = vl.erf(vl.exp(vl.sin(e)))
f = vl.function([x], e.sum())
f(np.ones(10, "float32"))
a = np.ones(400_000_000, "float32")
threading.Timer(0.5, lambda: (print(time.monotonic(), flush=True), os.kill(os.getpid(), signal.SIGINT))).start()
try:
    f(a, threads={threads})
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
    print(f([0, 0]).shape)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_stops_a_long_call(threads):
    done = subprocess.run([sys.executable, "-c", ENDLESS.format(threads=threads)], capture_output=True, text=True, timeout=300)
    lines = done.stdout.split()
    assert len(lines) == 3 and lines[2] == "()", done.stdout + done.stderr
    latency = float(lines[1]) - float(lines[0])
    assert latency < 10  # the promise is 0.25 s on a quiet machine: bench/ measures it
    print(f"latency {latency * 1e3:.0f} ms")


def test_ctrl_c_stops_a_save(tmp_path):
    script = f"""
        import os, signal, threading, time
        import numpy as np
        import voxloom as vl
        img = vl.Image(np.zeros((256, 256, 64, 20), "int16"), np.eye(4))
        e = img * 1.0
        for _ in range(60):
            e = vl.erf(vl.exp(vl.sin(e)))
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            vl.save(e, {str(tmp_path / "out.nii")!r}, threads=1)
        except KeyboardInterrupt:
            print("stopped", os.listdir({str(tmp_path)!r}))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "stopped []", done.stdout + done.stderr


def test_signal_handlers_run_during_a_call():
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(time.monotonic()))
    try:
        x = vl.fvector("x")
        e = x
        for _ in range(20):
            e = vl.erf(vl.exp(vl.sin(e)))
        f = vl.function([x], e.sum())
        a = np.ones(5_000_000, "float32")
        f(a[:10])
        threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        result = f(a)
        ended = time.monotonic()
        while not seen:
            time.sleep(0.001)
        assert result.shape == () and (seen[0] < ended or ended - seen[0] < 1)
    finally:
        signal.signal(signal.SIGUSR1, before)
