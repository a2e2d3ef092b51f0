# tests/golden/golden_test.py: `explain`, graph text and plan, of expressions like the demo's, against the .txt files beside this one.
# Usage: golden_test.py VOXLOOM [--update-golden]. Sizes in bytes are left out: they are measured elsewhere and follow buffers, not the plan.
import difflib
import gzip
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).parent
# Name, expression, input, its shape, output. Plans depend on shapes and dtypes alone, so the images are made here, of zeros.
CASES = [
    ("change", "exp(-((a[..., 0] - a[..., 1]) / 50)**2)", "example4d.nii.gz", (128, 96, 24, 2), "change.nii.gz"),  # small: one block
    ("zscore", '(a - mean(a, "t")) / std(a, "t")', "bold.nii", (64, 64, 32, 40), "zscore.nii"),  # blocks along z, one pass
    ("centre", "a - mean(a)", "bold.nii", (64, 64, 32, 40), "centre.nii"),  # two passes
    ("change_of_blocks", "sum(abs(a[..., 1:] - a[..., :-1]), 'z')", "bold.nii", (64, 64, 32, 40), "sum.nii.gz"),  # halo, in order
]


def image(shape, compressed):
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(shape), *shape, 1, 1, 1)
    struct.pack_into("<hh", head, 70, 4, 16)
    struct.pack_into("<8f", head, 76, 1, 2, 2, 2.2, 2000, 0, 0, 0)
    struct.pack_into("<3f", head, 108, 352, 0, 0)
    head[344:348] = b"n+1\0"
    data = bytes(head) + bytes(2 * shape[0] * shape[1] * shape[2] * shape[3])
    return gzip.compress(data, 1) if compressed else data


def explained(voxloom, expression, name, shape, output):
    with tempfile.TemporaryDirectory(prefix="voxloom_golden_") as folder:
        (pathlib.Path(folder) / name).write_bytes(image(shape, name.endswith(".gz")))
        command = [voxloom, "explain", "math", expression, name, "-o", output, "--threads", "2", "--memory", "1G"]
        environment = dict(os.environ, XDG_CACHE_HOME=folder)
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=100)
    return re.sub(r"\d+(\.\d+)? (B|KiB|MiB|GiB)\b", "N bytes", done.stdout)


def main():
    voxloom, update = os.path.abspath(sys.argv[1]), "--update-golden" in sys.argv[2:]
    differ = False
    for name, *case in CASES:
        golden, text = FOLDER / f"{name}.txt", explained(voxloom, *case)
        if update:
            golden.write_text(text)
        wanted = golden.read_text() if golden.exists() else ""
        if text != wanted:
            differ = True
            sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), text.splitlines(True), golden.name, "explain"))
    if differ:
        print("If this change is wanted: tests/golden/golden_test.py build/bin/voxloom --update-golden")
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
