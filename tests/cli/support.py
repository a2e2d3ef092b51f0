# tests/cli/support.py: what tests of the command share: images made by hand, and a folder in which the command runs.
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

VOXLOOM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "voxloom"
SHAPE = (5, 4, 3, 6)
CODES = {"h": (4, 16), "f": (16, 32), "B": (2, 8), "d": (64, 64), "i": (8, 32)}


def nifti(values, shape, kind="h", zoom=2.0, slope=0.0, inter=0.0, bitpix=None):
    """Bytes of a little-endian .nii; values run with x fastest."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    struct.pack_into("<hh", head, 70, CODES[kind][0], bitpix or CODES[kind][1])
    struct.pack_into("<8f", head, 76, 1, zoom, 2, 2, 1.5, 0, 0, 0)
    struct.pack_into("<3f", head, 108, 352, slope, inter)
    head[123] = 10
    struct.pack_into("<hh", head, 252, 0, 1)
    for row, at in enumerate((280, 296, 312)):
        matrix = [0.0, 0.0, 0.0, -10.0]
        matrix[row] = zoom if row == 0 else 2.0
        struct.pack_into("<4f", head, at, *matrix)
    head[344:348] = b"n+1\0"
    data = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{kind}", *values)
    return bytes(head) + data


def voxels(path):
    """Shape and values of an uncompressed .nii as voxloom writes it."""
    raw = pathlib.Path(path).read_bytes()
    rank, *dims = struct.unpack_from("<8h", raw, 40)
    code, offset = struct.unpack_from("<h", raw, 70)[0], int(struct.unpack_from("<f", raw, 108)[0])
    kind = {4: "h", 16: "f", 2: "B", 64: "d", 256: "b", 512: "H", 8: "i", 1024: "q"}[code]
    count = math.prod(dims[:rank])
    return tuple(dims[:rank]), struct.unpack_from(f"<{count}{kind}", raw, offset)


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="voxloom_command_")
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.work = self.root / "work"
        self.work.mkdir()
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(self.root / "cache"))
        count = math.prod(SHAPE)
        self.a = [(37 * k) % 211 - 50 for k in range(count)]
        self.write("a.nii", nifti(self.a, SHAPE))
        self.write("b.nii", nifti([k % 13 for k in range(count)], SHAPE))
        self.write("mask.nii", nifti([k % 2 for k in range(60)], SHAPE[:3], "B"))

    def write(self, name, data):
        (self.work / name).write_bytes(data)

    def run_command(self, *arguments, **options):
        options.setdefault("timeout", 120)
        return subprocess.run([VOXLOOM, *arguments], cwd=self.work, env=self.environment, capture_output=True, text=True, **options)

    def good(self, *arguments, **options):
        done = self.run_command(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return done.stdout

    def bad(self, code, text, *arguments, **options):
        done = self.run_command(*arguments, **options)
        self.assertEqual(done.returncode, code, (arguments, done.stderr))
        self.assertRegex(done.stderr, r"\Avoxloom: error: [^\n]*\n\Z", arguments)
        self.assertIn(text, done.stderr, arguments)
        self.assertEqual(done.stdout, "", arguments)
        return done

    def files(self):
        return sorted(p.name for p in self.work.iterdir())
