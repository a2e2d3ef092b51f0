#!/usr/bin/env python3
"""bench/run.py: voxloom_bench and its peers from PyPI in one run; prints a table of ratios and writes JSON.

Every peer runs in processes of its own, with as many threads as voxloom, in turn with voxloom_bench; a peer that is not there is named
with the reason. Figures are medians over the rounds' medians.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = pathlib.Path(__file__).resolve().parent / "peers.py"
PYTHON_CASES = PEERS.with_name("python_cases.py")
PACKAGES = ["numpy", "numexpr", "jax", "drjit", "pytensor", "nibabel", "nilearn"]
ARRAY_PEERS = ["numpy", "numexpr", "jax", "drjit", "pytensor", "torch"]
IMAGE_PEERS = ["nilearn", "numpy_chunks"]
TRAINING_PEERS = ["numpy", "jax", "drjit", "pytensor", "torch"]
# case: (peers, limits against peers: {"best" or a peer: ratio})
CASES = {
    "add_owned": (ARRAY_PEERS, {}),
    "add_borrowed": (ARRAY_PEERS, {}),
    "exp_1000_calls": (ARRAY_PEERS, {"torch": 1.0}),
    "expression": (ARRAY_PEERS, {"best": 0.6}),
    "add_and_sub": (ARRAY_PEERS, {"drjit": 0.7}),
    "matmul_256": (["numpy"], {"numpy": 1.1}),
    "matmul_1024": (["numpy"], {"numpy": 1.1}),
    "matmul_2048": (["numpy"], {"numpy": 1.1}),
    "logistic_1000_steps": ([], {}),
    "train_10000_calls": (TRAINING_PEERS, {"best": 0.45}),
    "train_repeat_10000": (TRAINING_PEERS, {"best": 0.35}),
    "train_build_cold": (["jax", "pytensor"], {}),
    "train_build_warm": (["jax", "pytensor"], {}),
    "import_after_numpy": (["jax", "torch"], {}),
    "python_call_8_floats": (["numpy"], {}),
    "mean_of_images": (["numpy"], {"numpy": 1.0}),
    "call_8_floats": (ARRAY_PEERS, {}),
    "compile_cold": ([], {}),
    "compile_disk": ([], {}),
    "start_cold": ([], {}),
    "start_warm": ([], {}),
    "parse_header": ([], {}),
    "half": (IMAGE_PEERS, {"nilearn": 0.3}),
    "half_fsync": ([], {}),
    "half_peak": ([], {}),
    "mean_t": (IMAGE_PEERS, {}),
    "mean_t_peak": ([], {}),
    "mean_t_gz": (IMAGE_PEERS, {}),
    "bad_headers": ([], {}),
    "bad_files": ([], {}),
}
# Cases of python_cases.py, where voxloom is called from Python too: (unit, at most, in that unit)
FROM_PYTHON = {
    "train_10000_calls": ("s", None),
    "train_repeat_10000": ("s", None),
    "train_build_cold": ("ms", 80),
    "train_build_warm": ("ms", 8),
    "import_after_numpy": ("ms", 50),
    "python_call_8_floats": ("us", 1.5),
    "mean_of_images": ("s", None),
}


def make_venv(folder):
    """A virtual environment with the peers; reused when it is there. Peers that cannot be installed are reported later."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    have = subprocess.run([python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"], capture_output=True, text=True)
    names = {p["name"].lower() for p in json.loads(have.stdout or "[]")}
    for package in PACKAGES:
        if package not in names:
            print(f"installing {package}", file=sys.stderr)
            subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", package], check=False)
    return python


def run_voxloom(options, case, out):
    command = [options.build / "bin" / "voxloom_bench", "--only", case, "--threads", options.threads, "--scratch", options.scratch, "--keep",
               "--out", out]
    if options.repeat:
        command += ["--repeat", options.repeat]
    if options.quick:
        command += ["--quick"]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"voxloom_bench failed on {case}: {done.stderr.strip()}")
    return json.loads(out.read_text())["cases"]


def run_peer(options, python, peer, case):
    environment = dict(os.environ, PYTHONWARNINGS="ignore", TF_CPP_MIN_LOG_LEVEL="3", JAX_PLATFORMS="cpu", CUDA_VISIBLE_DEVICES="")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NUMBA_NUM_THREADS"):
        environment[name] = str(options.threads)
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # the peer's own choice for this machine
        environment.pop(name, None)
    command = [python, PYTHON_CASES if case in FROM_PYTHON else PEERS, peer, case, "--threads", options.threads, "--scratch", options.scratch]
    if options.repeat:
        command += ["--repeat", options.repeat]
    if options.quick:
        command += ["--quick"]
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=environment, timeout=600)
    except subprocess.TimeoutExpired:
        return {"missing": "no answer in 600 s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        error = done.stderr.strip().splitlines()
        return {"missing": error[-1] if error else f"status {done.returncode}"}
    return json.loads(lines[-1])


def run_from_python(options, case):
    """What voxloom_bench would say of a case that calls voxloom from Python."""
    answer = run_peer(options, options.build / "venv" / "bin" / "python", "voxloom", case)
    if "missing" in answer:
        return [{"name": case, "skipped": answer["missing"]}]
    unit, limit = FROM_PYTHON[case]
    seconds = statistics.median(answer["seconds"])
    if unit == "s":
        return [{"name": case, "seconds": {"voxloom": {"median": seconds}}, "details": answer["details"]}]
    return [{"name": case, "value": seconds * {"us": 1e6, "ms": 1e3}[unit], "unit": unit, "limit": limit, "details": answer["details"]}]


def voxloom_median(entries, contender):
    values = [e["seconds"][contender]["median"] for e in entries if contender in e.get("seconds", {})]
    return statistics.median(values) if values else None


def measure(options, python, case):
    """The rounds of one case: the entries of voxloom_bench by name, and what each peer said."""
    entries, peers = {}, {}
    for _ in range(options.rounds):
        found = run_from_python(options, case) if case in FROM_PYTHON else run_voxloom(options, case, options.scratch / "voxloom_bench.json")
        for entry in found:
            entries.setdefault(entry["name"], []).append(entry)
        for peer in CASES[case][0]:
            if options.peer and peer not in options.peer:
                continue
            known = peers.setdefault(peer, {"seconds": []})
            if "missing" in known:
                continue
            answer = run_peer(options, python, peer, case)
            if "missing" in answer:
                peers[peer] = answer
                continue
            known["seconds"].append(statistics.median(answer["seconds"]))
            known["peak_mib"] = answer["peak_mib"]
            known["version"] = answer["version"]
    return entries, peers


def summarise(case, entries, peers):
    rows = []
    for name, rounds in entries.items():
        last = rounds[-1]
        row = {"case": name, "details": last.get("details", {}), "peers": {}, "missing": {}}
        rows.append(row)
        if "skipped" in last:
            row["skipped"] = last["skipped"]
            continue
        if "value" in last:
            row.update(unit=last["unit"], voxloom=statistics.median(r["value"] for r in rounds), limit=last.get("limit"))
            scale = {"us": 1e6, "ms": 1e3}.get(last["unit"], 1)
        else:
            row.update(unit="s", voxloom=voxloom_median(rounds, "voxloom"), hand=voxloom_median(rounds, "hand"),
                       command=voxloom_median(rounds, "command"), limit_hand=last.get("limit"))
            ratios = [r["ratio"] for r in rounds if "ratio" in r]
            if ratios:
                row["ratio_hand"] = statistics.median(ratios)
                row["ratio_hand_of_best"] = min(r["seconds"]["voxloom"]["best"] for r in rounds) / min(r["seconds"]["hand"]["best"] for r in rounds)
            scale = 1
        for peer, answer in peers.items():
            if "missing" in answer:
                row["missing"][peer] = answer["missing"]
            else:
                row["peers"][peer] = {"value": statistics.median(answer["seconds"]) * scale, "peak_mib": answer["peak_mib"], "version": answer["version"]}
        values = {p: a["value"] for p, a in row["peers"].items()}
        if values:
            best = min(values, key=values.get)
            row["best_peer"] = best
            row["ratio_best_peer"] = row["voxloom"] / values[best]
            for against, limit in CASES[case][1].items():
                peer = best if against == "best" else against
                if peer in values:
                    row.setdefault("limits_peers", []).append({"peer": peer, "ratio": row["voxloom"] / values[peer], "limit": limit})
    return rows


def text_of(value):
    return "-" if value is None else f"{value:.4g}"


def print_table(rows):
    header = f"{'case':<18} {'unit':>4} {'voxloom':>9} {'hand':>9} {'vox/hand':>8} {'limit':>6}  {'best peer':<22} {'vox/peer':>8}  verdict"
    print(header)
    print("-" * len(header))
    for row in rows:
        if "skipped" in row:
            print(f"{row['case']:<18} SKIP: {row['skipped']}")
            continue
        verdicts = []
        if row.get("limit"):
            verdicts.append(("ok" if row["voxloom"] <= row["limit"] else "OVER") + f" (at most {row['limit']:g} {row['unit']})")
        if row.get("limit_hand"):
            verdicts.append(("ok" if row["ratio_hand"] <= row["limit_hand"] else "OVER") + f" ({row['limit_hand']:g} of hand)")
        for limit in row.get("limits_peers", []):
            verdicts.append(("ok" if limit["ratio"] <= limit["limit"] else "OVER") + f" ({limit['ratio']:.2f} of {limit['peer']}, at most {limit['limit']:g})")
        best = row.get("best_peer")
        peer_text = f"{best} {row['peers'][best]['value']:.4g}" if best else "-"
        print(f"{row['case']:<18} {row['unit']:>4} {text_of(row['voxloom']):>9} {text_of(row.get('hand')):>9} {text_of(row.get('ratio_hand')):>8} "
              f"{text_of(row.get('limit_hand')):>6}  {peer_text:<22} {text_of(row.get('ratio_best_peer')):>8}  {', '.join(verdicts)}")
        others = [f"{p} {a['value']:.4g}" + (f" ({a['peak_mib']:.0f} MiB)" if row["case"].startswith(("half", "mean")) else "")
                  for p, a in sorted(row["peers"].items(), key=lambda item: item[1]["value"])]
        if others:
            print("    peers: " + ", ".join(others))
        if row.get("ratio_hand_of_best"):
            print(f"    best over best: {row['ratio_hand_of_best']:.2f} of hand")
        if row.get("command"):
            print(f"    the command as a process: {row['command']:.4g} s, {row['command'] / row['hand']:.2f} of hand")
        for key, value in row["details"].items():
            print(f"    {key}: {value if isinstance(value, str) else format(value, '.4g')}")
        for peer, reason in row["missing"].items():
            print(f"    {peer} is missing: {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--venv", type=pathlib.Path, help="virtual environment of the peers (default: BUILD/bench-venv)")
    parser.add_argument("--scratch", type=pathlib.Path, help="folder of large files, removed at the end if it was not there (default: BUILD/bench-files)")
    parser.add_argument("--only", action="append", choices=sorted(CASES), help="a case; may be repeated")
    parser.add_argument("--peer", action="append", help="only this peer; may be repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=0, help="measurements per round (default: each case's own)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="small sizes: does everything run?")
    parser.add_argument("--out", type=pathlib.Path, help="JSON (default: BUILD/bench.json)")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.venv = options.venv or options.build / "bench-venv"
    options.scratch = (options.scratch or options.build / "bench-files").resolve()
    options.out = options.out or options.build / "bench.json"
    if not (options.build / "bin" / "voxloom_bench").exists():
        raise SystemExit("bench/run.py: build the target voxloom_bench first")
    python = make_venv(options.venv)
    made = not options.scratch.exists()
    options.scratch.mkdir(parents=True, exist_ok=True)
    rows = []
    try:
        for case in options.only or CASES:
            print(f"... {case}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
            rows += summarise(case, *measure(options, python, case))
    finally:
        if made:
            shutil.rmtree(options.scratch, ignore_errors=True)
    options.out.write_text(json.dumps({"threads": options.threads, "rounds": options.rounds, "rows": rows}, indent=1) + "\n")
    print_table(rows)


if __name__ == "__main__":
    main()
