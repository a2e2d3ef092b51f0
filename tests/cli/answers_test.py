# tests/cli/answers_test.py: the command's answers in full: dtypes of outputs, warnings from inside files, several files, limits, wording.
# Usage: answers_test.py VOXLOOM [unittest arguments]. Needs the standard library alone.
import gzip
import json
import math
import os
import signal
import subprocess
import unittest

from support import SHAPE, VOXLOOM, Command, nifti, voxels


class Storage(Command):
    """What lands in a file: its dtype, rounding, saturation, its axes."""

    def out(self, *arguments):
        self.good("math", *arguments, "-o", "o.nii")
        return voxels(self.work / "o.nii")

    def test_integers_saturate(self):
        self.assertEqual(list(self.out("a", "a.nii", "--dtype", "uint8")[1]), [min(max(v, 0), 255) for v in self.a])
        self.assertEqual(list(self.out("a", "a.nii", "--dtype", "int8")[1]), [min(max(v, -128), 127) for v in self.a])
        self.assertEqual(list(self.out("where(a > 0, 3000000000, -3000000000) + 0 * a // 1", "a.nii", "--dtype", "int16")[1]),
                         [32767 if v > 0 else -32768 for v in self.a])
        # cast in an expression keeps its meaning.
        self.assertEqual(list(self.out("a.astype('uint8')", "a.nii")[1]), [v % 256 for v in self.a])

    def test_floats_round_and_saturate(self):
        values = [0.5, 1.5, 2.5, -0.5, 254.5, 255.5, 1e30, -1e30, math.nan, math.inf, -math.inf, 7.0]
        self.write("f.nii", nifti(values, (12, 1, 1), "f"))
        self.assertEqual(list(self.out("f", "f=f.nii", "--dtype", "uint8")[1]), [0, 2, 2, 0, 254, 255, 255, 0, 0, 255, 0, 7])
        for memory in ("2M", "4G"):
            for threads in ("1", "3"):
                self.assertEqual(list(self.out("a / 2 * 9", "a.nii", "--dtype", "int8", "--threads", threads, "--memory", memory)[1]),
                                 [min(max(round(v * 4.5), -128), 127) for v in self.a])

    def test_one_kernel(self):
        text = self.good("explain", "math", "a // 2", "a.nii", "-o", "o.nii", "--dtype", "uint8")
        self.assertEqual(text.count("Fused{"), 1, text)

    def test_scalars_take_the_dtype(self):
        self.assertEqual(self.good("math", "a.max()", "a.nii", "--dtype", "int8"), "127\n")
        self.assertEqual(self.good("math", "a.max() + 0.5", "a.nii", "--dtype", "input"), f"{round(max(self.a) + 0.5)}\n")

    def test_sums_are_as_narrow_as_their_bounds(self):
        self.assertEqual(self.dtype_of("sum(a, 'x')", "a.nii"), "int32")
        self.assertEqual(self.dtype_of("sum(m, 'x')[:, ::-1]", "m=mask.nii"), "int16")
        self.write("wide.nii", nifti([2**31 - 1] * 8, (2, 2, 2), "i"))
        self.assertEqual(self.dtype_of("sum(w, 'x')", "w=wide.nii"), "int64")
        self.assertEqual(set(self.out("sum(w, 'x')", "w=wide.nii")[1]), {2**32 - 2})
        self.assertEqual(self.dtype_of("sum(a, 'x')", "a.nii", "--dtype", "int64"), "int64")

    def dtype_of(self, *arguments):
        self.out(*arguments)
        return json.loads(self.good("info", "o.nii", "--json"))["dtype"]

    def test_empty_images(self):
        self.bad(2, "no position along axis x", "math", "a[5:2]", "a.nii", "-o", "e.nii")
        self.bad(2, "no position along axis t", "explain", "math", "a[..., 6:]", "a.nii", "-o", "e.nii")
        self.assertFalse((self.work / "e.nii").exists())

    def test_new_axes(self):
        self.write("m.nii", nifti(range(60), SHAPE[:3]))
        series = list(range(60)) + [float(2 * k) for k in range(60)]
        for expression in ("stack([m, m * 2], 't')", "stack((m, m * 2), 3)", "stack((m, m * 2), axis=0)", "concatenate((m[None], 2 * m[None]))"):
            shape, values = self.out(expression, "m=m.nii")
            self.assertEqual((shape, list(values)), (SHAPE[:3] + (2,), series), expression)
        self.assertEqual(list(self.out("mean(stack((m, 3 * m), 't'), 't')", "m=m.nii")[1]), [2.0 * k for k in range(60)])
        self.assertEqual(self.out("stack((a, a), 'u')", "a.nii")[0], SHAPE + (2,))
        self.good("math", "stack((m, m), 't')", "m=m.nii", "-o", "o.nii.gz")
        self.assertEqual(json.loads(self.good("info", "o.nii.gz", "--json"))["pixdim"][4], 1.5)
        self.bad(2, "is an axis of", "math", "stack((a, a), 't')", "a.nii", "-o", "o.nii")
        self.bad(2, "axis 9 of a result of rank 5", "math", "stack((a, a), 9)", "a.nii", "-o", "o.nii")


class Warnings(Command):
    def test_what_decoding_finds(self):
        whole = gzip.compress(nifti(self.a, SHAPE))
        surplus = gzip.compress(nifti(self.a, SHAPE) + b"12345")
        for name, data, text in (("tail.nii.gz", whole + b"garbage", "bytes behind the gzip data"), ("more.nii.gz", surplus, "5 decompressed bytes")):
            self.write(name, data)
            for command in (("math", "a", name, "-o", "o.nii"), ("math", "a[..., 0]", name, "-o", "o.nii"), ("mean", name), ("png", name, "-o", "o.png")):
                done = self.run_command(*command)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stderr, rf"\Avoxloom: warning: {name}: [^\n]*{text}[^\n]*\n\Z")
                self.good(*command, "--quiet")
                for output in ("o.nii", "o.png"):
                    (self.work / output).unlink(missing_ok=True)
                self.bad(3, text, *command, "--strict")
                self.assertEqual([n for n in self.files() if n.startswith("o.")], [])

    def test_writers_under_strict(self):
        self.write("row.nii", nifti([1] * 20000, (20000, 1, 1)))
        command = ("math", "concatenate((a, a))", "row.nii", "-o", "o.nii")
        self.assertIn("NIfTI-2 is written", self.run_command(*command).stderr)
        (self.work / "o.nii").unlink()
        self.bad(3, "NIfTI-2 is written", *command, "--strict")
        self.assertFalse((self.work / "o.nii").exists())


class Files(Command):
    def test_info_shows_the_good_ones(self):
        self.write("cut.nii", nifti(self.a, SHAPE)[:-100])
        done = self.run_command("info", "a.nii", "cut.nii", "mask.nii", "gone.nii")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stdout.count("orientation"), 2)
        self.assertEqual(done.stderr.count("voxloom: error: "), 2)
        self.assertEqual(self.run_command("info", "a.nii", "gone.nii").returncode, 4)
        done = self.run_command("info", "a.nii", "cut.nii", "--json")
        self.assertEqual((done.returncode, len(json.loads(done.stdout))), (3, 1))

    def test_one_file_under_two_names(self):
        self.write("z.nii.gz", gzip.compress(nifti(self.a, SHAPE)))
        os.link(self.work / "z.nii.gz", self.work / "hard.nii.gz")
        os.symlink("z.nii.gz", self.work / "soft.nii.gz")
        text = self.good("explain", "math", "a + b * c", "z.nii.gz", "hard.nii.gz", "soft.nii.gz", "-o", "o.nii")
        self.assertEqual((text.count("read once"), text.count("image \"")), (1, 1), text)
        self.good("math", "a + b * c", "z.nii.gz", "hard.nii.gz", "soft.nii.gz", "-o", "o.nii")
        self.assertEqual(list(voxels(self.work / "o.nii")[1]), [float(v + v * v) for v in self.a])
        self.write("copy.nii.gz", (self.work / "z.nii.gz").read_bytes())
        self.assertEqual(self.good("explain", "math", "a + b", "z.nii.gz", "copy.nii.gz", "-o", "o.nii").count("read once"), 2)

    def test_no_axis_allows_blocks(self):
        side = (64, 64, 64, 8)
        self.write("g.nii.gz", gzip.compress(nifti(bytes(2 * math.prod(side)), side), 1))
        done = self.bad(5, "no axis allows blocks", "math", "a[..., ::-1] - a", "g.nii.gz", "-o", "o.nii.gz", "--memory", "8M")
        self.assertIn("gunzip g.nii.gz", done.stderr)
        needed = done.stderr.split("a memory limit of ")[1].split(" bytes")[0]
        self.good("math", "a[..., ::-1] - a", "g.nii.gz", "-o", "o.nii.gz", "--memory", needed)

    def test_bomb(self):
        # 10 GiB declared in 11 MB: refused by the sizes alone, so what follows the first member does not matter.
        head = nifti(b"", (1000, 1000, 5000))
        self.write("bomb.nii.gz", gzip.compress(head) + bytes(11 << 20))
        for command in (("math", "a + 1", "bomb.nii.gz", "-o", "o.nii"), ("max", "bomb.nii.gz"), ("explain", "max", "bomb.nii.gz"),
                        ("png", "bomb.nii.gz", "-o", "o.png")):
            done = self.bad(5, "more than 256 times as much", *command, timeout=10)
            self.assertIn("bomb.nii.gz: declares 9.3 GiB in 11.0 MiB", done.stderr)
        # The user who means it says so; then it is read, and found to be cut.
        self.bad(3, "bomb.nii.gz", "max", "bomb.nii.gz", "--memory", "12G")

    def test_other_formats(self):
        for name, data, text in (("x.PAR", b"# === DATA DESCRIPTION FILE ====" + bytes(400), "PAR/REC; convert it with dcm2niix"),
                                 ("x.rec", bytes(400), "PAR/REC; convert it with dcm2niix"),
                                 ("x.HEAD", b"\ntype  = string-attribute\n" + bytes(400), "3dAFNItoNIFTI"),
                                 ("x.BRIK", bytes(400), "3dAFNItoNIFTI"),
                                 ("x.trk", b"TRACK\0" + bytes(1000), "tckmap"),
                                 ("x.dcm", bytes(400), "DICOM; convert it with dcm2niix")):
            self.write(name, data)
            done = self.bad(3, text, "info", name)
            self.assertIn("NIfTI-1 or NIfTI-2", done.stderr)


class Wording(Command):
    def test_names(self):
        for text, *arguments in [("unknown name 'b' (images here: a)", "a - b", "a.nii"),
                                 ("unknown name 'b' (images here: a)", "exp(b)", "a.nii"),
                                 ("unknown name 'float32' (images here: a)", "float32 + a", "a.nii"),
                                 ("unknown name 'd' (images here: a)", "d", "a.nii"),
                                 ("unknown name 'b' (images here: a)", "b.mean()", "a.nii"),
                                 ("'<>' is written != here", "a <> 2", "a.nii"),
                                 ("need parentheses", "a > 1 & a / 2 < 5", "a.nii"),
                                 ("need parentheses", "a / 2 & a < 5", "a.nii"),
                                 ("need parentheses", "a > 5 | a / 2", "a.nii"),
                                 ("have other axes", "stack((a, a[..., 0]), 'u')", "a.nii")]:
            self.bad(2, text, "math", *arguments, "-o", "o.nii")
        for text, expression in [("bit_not", "~(a / 2)"), ("bit_and", "a / 2 & 1"), ("bit_or", "(a > 1) + (a / 2 | 1)")]:
            self.assertNotIn("need parentheses", self.bad(2, text, "math", expression, "a.nii", "-o", "o.nii").stderr)

    def test_not_a_number(self):
        self.assertEqual(self.good("math", "mean(0 * a / 0)", "a.nii"), "nan\n")
        self.assertEqual(self.good("math", "-(nan + a.max())", "a.nii"), "nan\n")

    def test_options(self):
        for text, *arguments in [("--threads x: is not a whole number", "mean", "a.nii", "--threads", "x"),
                                 ("--threads 0 (allowed 1 ... 1024)", "mean", "a.nii", "--threads=0"),
                                 ("--ddof 1.5: is not a whole number", "std", "a.nii", "--ddof", "1.5"),
                                 ("--threads needs a value", "mean", "a.nii", "--threads"),
                                 ("cache burn: is neither list nor clear", "cache", "burn")]:
            self.bad(2, text, *arguments)
        self.assertEqual(self.good("-V"), self.good("--version"))
        self.assertEqual(self.good("help"), self.good("--help"))
        self.assertEqual(self.good("help", "mean"), self.good("mean", "--help"))
        self.assertIn("saturate", self.good("--help"))

    def test_ops(self):
        for name, *parts in [("**", "pow(x1, x2)", "x ** y"), ("np.exp", "exp(x)"), ("numpy.mean", "mean(a, axis=None, keepdims=False"),
                             ("std", "ddof=0"), ("where", "where(condition, x, y)"), ("clip", "clip(a, min=None, max=None)"), ("<=", "le(x1, x2)"),
                             ("stack", "stack(arrays, axis=0)", "new axis"), ("flip", "flip(m, axis=None)", "backwards")]:
            text = self.good("ops", name)
            for part in parts:
                self.assertIn(part, text)

    def test_profile(self):
        self.bad(4, "cannot write the profile", "math", "a", "a.nii", "-o", "o.nii", "--profile=/nonexist/x.html")
        (self.work / "folder.html").mkdir()
        self.bad(4, "folder.html: cannot write the profile", "math", "a", "a.nii", "-o", "o.nii", "--profile=folder.html")
        self.assertFalse((self.work / "o.nii").exists())
        self.write("big.nii", nifti(bytes(2 * 64 * 64 * 64 * 12), (64, 64, 64, 12)))
        done = self.run_command("math", "a / 2", "big.nii", "-o", "o.nii", "--profile")
        self.assertIn("read big.nii", done.stderr)
        self.assertIn("write o.nii", done.stderr)
        done = self.run_command("math", "a - mean(a)", "big.nii", "-o", "o.nii", "--profile")
        for part in ("pass 1: read big.nii", "pass 2: read big.nii", "pass 2: write o.nii"):
            self.assertIn(part, done.stderr)

    def test_signal_at_any_moment(self):
        for _ in range(6):
            process = subprocess.Popen([VOXLOOM, "math", "a / 2", "a.nii", "-o", "o.nii"], cwd=self.work, env=self.environment, stderr=subprocess.PIPE)
            with open(f"/proc/{process.pid}/status") as status:
                caught = next(line for line in status if line.startswith("SigCgt"))
            while not int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1 and process.poll() is None:
                with open(f"/proc/{process.pid}/status") as status:
                    caught = next((line for line in status if line.startswith("SigCgt")), "SigCgt: 0")
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
            self.assertIn(process.returncode, (0, 130))
            if process.returncode == 130:
                self.assertRegex(errors.decode(), r"\Avoxloom: error: [^\n]*cancelled[^\n]*\n\Z")
            self.assertEqual([n for n in self.files() if n not in ("a.nii", "b.nii", "mask.nii", "o.nii")], [])


if __name__ == "__main__":
    unittest.main()
