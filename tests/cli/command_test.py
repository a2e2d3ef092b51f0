# tests/cli/command_test.py: the voxloom command as a user meets it: values, exit codes, one-line messages, signals, full disks.
# Usage: command_test.py VOXLOOM [unittest arguments]. Needs the standard library alone.
import io
import json
import math
import os
import pathlib
import resource
import signal
import struct
import subprocess
import time
import unittest
import zipfile

from support import SHAPE, VOXLOOM, Command, f32, nifti, voxels


class Values(Command):
    def test_elementwise(self):
        self.good("math", "-a/2", "a.nii", "-o", "half.nii")
        shape, values = voxels(self.work / "half.nii")
        self.assertEqual((shape, list(values)), (SHAPE, [-v / 2 for v in self.a]))

    def test_z_score(self):
        self.good("math", '(a - mean(a, "t")) / std(a, "t")', "a.nii", "-o", "z.nii")
        _, values = voxels(self.work / "z.nii")
        for k in range(60):
            series = [self.a[k + 60 * t] for t in range(6)]
            mean = sum(series) / 6
            spread = math.sqrt(sum((v - mean) ** 2 for v in series) / 6)
            for t in range(6):
                self.assertAlmostEqual(values[k + 60 * t], (series[t] - mean) / spread, places=5)

    def test_names_and_axes(self):
        self.good("math", "where(mask > 0, a[..., 0], -1)", "mask=mask.nii", "a=a.nii", "-o", "o.nii", "--dtype", "float64")
        shape, values = voxels(self.work / "o.nii")
        self.assertEqual(shape, SHAPE[:3])
        self.assertEqual(list(values), [float(self.a[k]) if k % 2 else -1.0 for k in range(60)])

    def test_three_dimensional_image_meets_series(self):
        self.good("math", "a * m", "a.nii", "m=mask.nii", "-o", "o.nii")
        shape, values = voxels(self.work / "o.nii")
        self.assertEqual((shape, list(values)), (SHAPE, [float(v * (k % 60 % 2)) for k, v in enumerate(self.a)]))

    def test_scalars_are_printed(self):
        self.assertEqual(self.good("math", "1 + 1"), "2\n")
        self.assertEqual(self.good("math", "a.sum()", "a.nii"), f"{sum(self.a)}\n")
        self.assertEqual(self.good("max", "a.nii"), f"{max(self.a)}\n")
        self.assertEqual(self.good("min", "a.nii", "b.nii"), f"a.nii\t{min(self.a)}\nb.nii\t0\n")
        self.assertEqual(self.good("math", "a.mean() == 3", "a.nii"), "False\n")
        self.assertAlmostEqual(float(self.good("mean", "a.nii")), f32(sum(self.a) / len(self.a)), places=5)

    def test_reductions_to_files(self):
        self.good("mean", "a.nii", "--axis", "t", "-o", "m.nii")
        shape, values = voxels(self.work / "m.nii")
        self.assertEqual(shape, SHAPE[:3])
        for k in range(60):
            self.assertAlmostEqual(values[k], sum(self.a[k + 60 * t] for t in range(6)) / 6, places=4)
        self.good("std", "a.nii", "b.nii", "--axis", "-1", "--outdir", "out", "--ddof", "1", "--suffix", "_s")
        self.assertEqual(sorted(os.listdir(self.work / "out")), ["a_s.nii", "b_s.nii"])

    def test_scaling_and_header(self):
        self.write("s.nii", nifti(self.a, SHAPE, slope=0.5, inter=3.0))
        self.good("math", "a", "s.nii", "-o", "o.nii")
        self.assertEqual(list(voxels(self.work / "o.nii")[1]), [v * 0.5 + 3 for v in self.a])
        facts = json.loads(self.good("info", "o.nii", "--json"))
        self.assertEqual((facts["dtype"], facts["scaled"], facts["pixdim"][4], facts["sform_code"]), ("float32", False, 1.5, 1))
        self.assertEqual(facts["affine"][0], [2.0, 0.0, 0.0, -10.0])

    def test_same_bits_however_it_runs(self):
        targets = ["x86-64-v3"] + (["x86-64-v4"] if "x86-64-v4" in self.good("doctor") else [])
        found = set()
        for threads in ("1", "2", "3", "8"):
            for target in targets:
                for memory in ("2M", "4G"):
                    self.good("math", "exp(-(a - a.mean('t')) ** 2 / 900) / (1 + std(a))", "a.nii", "-o", "o.nii", "--threads", threads, "--target",
                              target, "--memory", memory)
                    found.add((self.work / "o.nii").read_bytes())
        self.assertEqual(len(found), 1)

    def test_gzip_in_and_out(self):
        self.good("math", "a + 1", "a.nii", "-o", "o.nii.gz")
        self.good("math", "a - 1", "o.nii.gz", "-o", "back.nii")
        self.assertEqual(list(voxels(self.work / "back.nii")[1]), [float(v) for v in self.a])

    def test_output_over_the_input(self):
        os.link(self.work / "a.nii", self.work / "other_name.nii")
        before = (self.work / "a.nii").read_bytes()
        self.good("math", "a + 1", "a.nii", "-o", "a.nii")
        self.assertEqual(list(voxels(self.work / "a.nii")[1]), [v + 1.0 for v in self.a])
        self.assertEqual((self.work / "other_name.nii").read_bytes(), before)

    def test_dtype(self):
        self.good("math", "a / 2", "a.nii", "-o", "o.nii", "--dtype", "input")
        self.assertEqual(json.loads(self.good("info", "o.nii", "--json"))["dtype"], "int16")

    def test_graph_over_arrays(self):
        def npy(values, kind):
            head = f"{{'descr': '<{kind}', 'fortran_order': False, 'shape': ({len(values)},), }}".encode()
            head += b" " * (-(10 + len(head) + 1) % 64) + b"\n"
            return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack(f"<{len(values)}f", *values)

        with zipfile.ZipFile(self.work / "in.npz", "w") as archive:
            archive.writestr("x.npy", npy([1, 2, 3], "f4"))
        self.write("g.vl", b'graph {\n  %x = input "x" : f32[n]\n  %1 = sqr(%x) : f32[n]\n  %2 = sum(%x) {acc_dtype=f64, axes=[0], dtype=f32, keepdims=false} : f32[]\n  return %1, %2\n}\n')
        self.good("run", "g.vl", "in.npz", "-o", "out.npz")
        with zipfile.ZipFile(self.work / "out.npz") as archive:
            self.assertEqual(archive.namelist(), ["out0.npy", "out1.npy"])
            self.assertEqual(struct.unpack("<3f", archive.read("out0.npy")[-12:]), (1, 4, 9))
            self.assertEqual(struct.unpack("<f", archive.read("out1.npy")[-4:]), (6,))
        self.bad(2, "has no array 'x'", "run", "g.vl", "empty.npz", "-o", "o.npz") if self.empty_archive() else None
        self.write("g.vl", b"graph { nonsense")
        self.bad(2, "1:", "run", "g.vl", "in.npz", "-o", "out.npz")

    def empty_archive(self):
        with zipfile.ZipFile(self.work / "empty.npz", "w") as archive:
            archive.writestr("y.npy", io.BytesIO(b"\x93NUMPY\x01\x00" + struct.pack("<H", 54) + b"{'descr': '<f4', 'fortran_order': False, 'shape': ()}\n" + bytes(4)).getvalue())
        return True


class Reports(Command):
    def test_explain_runs_nothing(self):
        before = self.files()
        text = self.good("explain", "math", '(a - mean(a, "t")) / std(a, "t")', "a.nii", "-o", "z.nii")
        for part in ("optimised graph", "read once", "predicted peak", "Fused{"):
            self.assertIn(part, text)
        self.assertTrue(text.endswith("\n"))
        self.assertIn("read once", self.good("explain", "mean", "a.nii", "--axis", "t"))
        self.assertEqual(self.files(), before)

    def test_explain_shows_kernels(self):
        before = self.files()
        for words in (("--kernels", "math"), ("math", "--kernels")):
            text = self.good("explain", *words, "sqrt(a) / 2", "a.nii", "-o", "z.nii")
            self.assertIn('extern "C" void kernel_0(', text)
            self.assertIn("vl_sqrt(", text)
            self.assertLess(text.index("predicted peak"), text.index("kernels as C"))
        self.assertNotIn('extern "C"', self.good("explain", "math", "sqrt(a) / 2", "a.nii", "-o", "z.nii"))
        self.assertEqual(self.files(), before)
        self.bad(2, "--kernels belongs to explain", "math", "a", "a.nii", "-o", "z.nii", "--kernels")
        self.bad(2, "explain: needs a command that computes", "explain", "--kernels", "info", "a.nii")

    def test_debug_ladder(self):
        signs = ("kernel Fused{", "pass canonicalise: ", "after simplify\ngraph {", "; ModuleID = ", "rule ")
        for level in range(6):
            for quiet in ((), ("--quiet",)):
                done = self.run_command("math", "-(-a) + 1", "a.nii", "-o", "o.nii", "--debug", str(level), *quiet)
                self.assertEqual(done.returncode, 0)
                for step, sign in enumerate(signs, 1):
                    self.assertEqual(sign in done.stderr, level >= step, (level, sign, done.stderr))
        self.bad(2, "--debug 6 (allowed 0 ... 5)", "math", "a", "a.nii", "-o", "o.nii", "--debug", "6")

    def test_profile(self):
        done = self.run_command("math", "exp(a)", "a.nii", "-o", "o.nii", "--profile")
        self.assertEqual(done.returncode, 0)
        for part in ("profile of math 'exp(a)' a.nii: ", "read a.nii", "peak memory: planned", " compile ", "partition and plan"):
            self.assertIn(part, done.stderr)
        self.assertRegex(done.stderr, r"Fused\{.*\} from (LLVM|disk) in ")
        self.assertIn("profile of mean a.nii: ", self.run_command("mean", "a.nii", "--profile").stderr)
        self.good("math", "exp(a)", "a.nii", "-o", "o.nii", "--profile=p.json")
        profile = json.loads((self.work / "p.json").read_text())
        kernel = next(step for step in profile["steps"] if step["kind"] == "kernel")
        voxels = 5 * 4 * 3 * 6
        self.assertEqual((kernel["flops"], kernel["bytes_written"]), (20 * voxels, 4 * voxels))
        self.assertGreater(profile["classes"]["compile"], 0)
        # Bound once to size the run and once to run it.
        self.assertEqual(len({k["name"] for k in profile["kernels"]}), 1)
        self.assertEqual([k["origin"] == "memory" for k in profile["kernels"]], [False, True])
        self.good("math", "exp(a)", "a.nii", "-o", "o.nii", "--profile=p.html")
        self.assertIn("<html", (self.work / "p.html").read_text().lower())
        self.bad(2, "must end in .html, .json or .txt", "math", "a", "a.nii", "-o", "o.nii", "--profile=p.pdf")

    def test_png(self):
        self.good("png", "a.nii", "-o", "a.png", "--volume", "-1")
        self.assertTrue((self.work / "a.png").read_bytes().startswith(b"\x89PNG\r\n"))
        self.bad(2, "--volume 6 of a.nii, which has 6", "png", "a.nii", "-o", "a.png", "--volume", "6")

    def test_info(self):
        text = self.good("info", "a.nii", "mask.nii")
        self.assertIn("5 x 4 x 3 x 6  (xyzt)", text)
        self.assertEqual(len(json.loads(self.good("info", "a.nii", "mask.nii", "--json"))), 2)

    def test_ops(self):
        self.assertIn("e ** x", self.good("ops", "exp"))
        self.assertIn("arctan2", self.good("ops"))
        page = pathlib.Path(__file__).parents[2] / "docs" / "ops.md"
        self.assertEqual(self.good("ops", "--markdown"), page.read_text())
        self.bad(2, "did you mean mean?", "ops", "meen")

    def test_machine(self):
        self.assertTrue(json.loads(self.good("doctor", "--json"))["self_test"]["right"])
        self.assertIn("cpu", self.good("devices"))
        self.assertIn("threads              3", self.good("config", "--threads", "3"))
        self.assertRegex(self.good("cache", "list"), r"cache/voxloom: [1-9]\d* kernels")
        self.assertRegex(self.good("cache", "clear"), r"^[1-9]\d* kernels removed")
        self.assertIn(": 0 kernels", self.good("cache", "list"))

    def test_help_and_version(self):
        self.assertRegex(self.good("--version"), r"^voxloom \d+\.\d+\.\d+\n$")
        self.assertIn("explain", self.good("--help"))
        self.assertIn("--axis", self.good("mean", "--help"))
        self.assertIn("EXPR", self.good("math", "--help"))
        self.assertNotIn("GRAPH", self.good("--help"))


class Refusals(Command):
    def test_usage(self):
        for text, *arguments in [
            ("unknown command 'meen' (did you mean mean?)", "meen", "a.nii"),
            ("unknown command 'smooth'", "smooth", "a.nii"),
            ("unknown option --memroy (did you mean --memory?)", "math", "a", "a.nii", "-o", "o.nii", "--memroy", "3M"),
            ('size "3Q" is not understood', "math", "a", "a.nii", "-o", "o.nii", "--memory", "3Q"),
            ("the expression is missing", "math", "-o", "o.nii"),
            ("IMAGE is required", "info"),
            ("say where it goes with -o", "math", "a", "a.nii"),
            ("column 3: '^' is not a power here: write **", "math", "a ^ 2", "a.nii", "-o", "o.nii"),
            ("column 7: '&&' is written &", "math", "a > 1 && b > 2", "a.nii", "b.nii", "-o", "o.nii"),
            ("column 1: unknown function 'meen' (did you mean mean?)", "math", "meen(a)", "a.nii", "-o", "o.nii"),
            ("unknown name 'c' (images here: a, b)", "math", "a + c", "a.nii", "b.nii", "-o", "o.nii"),
            ("nested deeper than 256 levels", "math", "(" * 1000 + "a" + ")" * 1000, "a.nii", "-o", "o.nii"),
            ("at most 65536 are read", "math", "a+" * 40000 + "a", "a.nii", "-o", "o.nii"),
            ("do not broadcast", "math", "a[1:] - a", "a.nii", "-o", "o.nii"),
            ("no axis is named w", "mean", "a.nii", "--axis", "w"),
            ("two images are called a", "math", "a", "a.nii", "a=b.nii", "-o", "o.nii"),
            ("--header-from c: no image has this name (images here: a)", "math", "a", "a.nii", "-o", "o.nii", "--header-from", "c"),
            ("unknown dtype", "math", "a", "a.nii", "-o", "o.nii", "--dtype", "int17"),
            ("suffix", "math", "a", "a.nii", "-o", "o.txt"),
            ("-o names one output", "mean", "a.nii", "b.nii", "-o", "o.nii"),
            ("needs a command that computes", "explain", "info", "a.nii"),
            ("target", "math", "a", "a.nii", "-o", "o.nii", "--target", "z80"),
        ]:
            self.bad(2, text, *arguments)
        self.assertEqual(self.files(), ["a.nii", "b.nii", "mask.nii"])

    def test_grids(self):
        self.write("wide.nii", nifti(self.a, SHAPE, zoom=3.0))
        done = self.bad(2, "do not lie on one grid", "math", "a - b", "a.nii", "wide.nii", "-o", "o.nii")
        self.assertIn("wide.nii", done.stderr)

    def test_files(self):
        self.bad(4, "nothing.nii: cannot open: No such file", "info", "nothing.nii")
        self.bad(4, "cannot", "math", "a", "a.nii", "-o", "no_folder/o.nii")
        self.bad(4, "no-clobber", "math", "a", "a.nii", "-o", "b.nii", "--no-clobber")
        self.bad(3, "not a regular file", "info", ".")
        self.bad(4, "", "info", "bad\nname\x1b[31m.nii")
        self.write("cut.nii", nifti(self.a, SHAPE)[:-100])
        self.bad(3, "cut.nii", "math", "a", "cut.nii", "-o", "o.nii")
        self.assertFalse((self.work / "o.nii").exists())

    def test_device(self):
        self.bad(4, "no CUDA support", "math", "a", "a.nii", "-o", "o.nii", "--device", "cuda")
        self.good("math", "a", "a.nii", "-o", "o.nii", "--device", "auto")

    def test_warnings(self):
        self.write("w.nii", nifti(self.a, SHAPE, bitpix=8))
        done = self.run_command("math", "a", "w.nii", "-o", "o.nii")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"\Avoxloom: warning: w\.nii: [^\n]*bitpix[^\n]*\n\Z")
        self.good("math", "a", "w.nii", "-o", "o.nii", "--quiet")
        self.bad(3, "bitpix", "math", "a", "w.nii", "-o", "o.nii", "--strict")

    def test_memory_limit(self):
        self.bad(5, "budget", "math", "a - a.mean('t')", "a.nii", "-o", "o.nii", "--memory", "1K")

    def test_standard_output_full(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([VOXLOOM, "math", "1 + 1"], stdout=full, stderr=subprocess.PIPE, text=True, env=self.environment, timeout=60)
        self.assertEqual(done.returncode, 4)
        self.assertIn("standard output", done.stderr)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_permission(self):
        os.chmod(self.work / "a.nii", 0)
        self.bad(4, "Permission denied", "info", "a.nii")


class Interruptions(Command):
    """Work long enough to be stopped in the middle: noise at gzip level 9."""

    def start(self, *options):
        side = 256
        self.write("big.nii", nifti(os.urandom(2 * side * side * 512), (side, side, 512)))
        self.write("out.nii.gz", b"the old file")
        before = set(self.files())
        process = subprocess.Popen([VOXLOOM, "math", "sqrt(abs(a)) / 3", "big.nii", "-o", "out.nii.gz", "--gzip-level", "9", *options], cwd=self.work,
                                   env=self.environment, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while set(self.files()) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        self.assertIsNone(process.poll(), "the work ended before it could be interrupted")
        return process

    def interrupted(self, signal_number):
        process = self.start()
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assertRegex(errors, r"\Avoxloom: error: [^\n]*cancelled[^\n]*\n\Z")
        self.assertEqual(self.files(), ["a.nii", "b.nii", "big.nii", "mask.nii", "out.nii.gz"])
        self.assertEqual((self.work / "out.nii.gz").read_bytes(), b"the old file")

    def test_interrupt(self):
        self.interrupted(signal.SIGINT)

    def test_progress(self):
        process = self.start("--progress")
        line = process.stderr.readline()
        self.assertRegex(line, r"^\[#* *\] +\d+ %  .*/s  \d+:\d\d left\n$")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)

    def test_terminate(self):
        self.interrupted(signal.SIGTERM)

    def test_kill(self):
        process = self.start()
        process.kill()
        process.communicate(timeout=20)
        self.assertEqual((self.work / "out.nii.gz").read_bytes(), b"the old file")
        self.good("math", "a", "a.nii", "-o", "out.nii.gz")
        self.assertEqual(self.files(), ["a.nii", "b.nii", "big.nii", "mask.nii", "out.nii.gz"])

    def test_full_disk(self):
        self.write("o.nii", b"the old file")
        done = self.bad(4, "o.nii", "math", "a", "a.nii", "-o", "o.nii",
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600)))
        self.assertNotIn("internal", done.stderr)
        self.assertEqual((self.work / "o.nii").read_bytes(), b"the old file")
        self.assertEqual(self.files(), ["a.nii", "b.nii", "mask.nii", "o.nii"])


if __name__ == "__main__":
    unittest.main()
