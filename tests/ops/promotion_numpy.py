# tests/ops/promotion_numpy.py: the promotion table of docs/ops.md and the one that promote_test.cpp holds the code to, against NumPy itself.
#   promotion_numpy.py SOURCE_DIR BINARY_DIR
# Where NumPy says float16, float32 is used; under floatX = float32 no pair without a float64 brings one in. Without NumPy it ends with 77.
import os
import re
import subprocess
import sys

source, binary = sys.argv[1:3]
try:
    import numpy as np
except ImportError:
    for python in (os.path.join(binary, venv, "bin", "python") for venv in ("venv", "bench-venv")):
        if os.path.exists(python) and python != sys.executable and subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0:
            os.execv(python, [python] + sys.argv)
    print("SKIP: no NumPy")
    sys.exit(77)

NAMES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "complex64", "complex128"]
NARROW = {"float64": "float32", "complex128": "complex64"}


def numpys(a, b):
    name = np.promote_types(a, b).name
    return "float32" if name == "float16" else name


def check_page():
    rows = {}
    for line in open(os.path.join(source, "docs", "ops.md")):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) == len(NAMES) + 1 and cells[0].startswith("**"):
            rows[cells[0].strip("*")] = dict(zip(NAMES, cells[1:]))
    assert sorted(rows) == sorted(NAMES), "docs/ops.md has no promotion table"
    for a in NAMES:
        for b in NAMES:
            expected = numpys(a, b)
            if a not in NARROW and b not in NARROW:
                expected = NARROW.get(expected, expected)
            assert rows[a][b] == expected, f"docs/ops.md: {a} with {b} is {rows[a][b]}, NumPy's {expected}"


def check_test_table():
    text = open(os.path.join(source, "tests", "ops", "promote_test.cpp")).read()
    codes = re.search(r'codes\[?\]?\s*=\s*"([^"]+)"', text).group(1)
    table = re.findall(r'"([^"]+)"', re.search(r"numpy_table[^=]*=\s*\{(.*?)\};", text, re.S).group(1))
    assert len(table) == len(codes) == len(NAMES)
    for i, a in enumerate(NAMES):
        for k, b in enumerate(NAMES):
            found = NAMES[codes.index(table[i][k])]
            assert found == numpys(a, b), f"promote_test.cpp: {a} with {b} is {found}, NumPy's {numpys(a, b)}"


check_page()
check_test_table()
print(f"{len(NAMES) ** 2} pairs agree with NumPy {np.__version__}")
