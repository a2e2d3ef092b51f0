# scripts/check_wheel.py: fails when a wheel would not run where it promises to: it asks for a glibc above 2.34, for a library that not every
# system has, shows foreign symbols, or is above 50 MB. Usage: check_wheel.py WHEEL
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

LARGEST = 50 * 10**6
NEWEST_GLIBC = (2, 34)
# What every Linux of that age has; libgcc_s because an unwinder must be the process's only one.
SYSTEM = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1", "ld-linux-x86-64.so.2"}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check_library(path, beside):
    dynamic = output("readelf", "-dW", path)
    for needed in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        if needed not in SYSTEM and needed not in beside:
            yield f"{path.name} needs {needed}, which is neither part of every system nor in the wheel"
    if beside & set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)) and "$ORIGIN" not in dynamic:
        yield f"{path.name} does not look for libraries beside itself (RUNPATH $ORIGIN)"
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", output("readelf", "-VW", path))}
    if versions and max(versions) > NEWEST_GLIBC:
        yield f"{path.name} needs GLIBC_{'.'.join(map(str, max(versions)))}, newer than {'.'.join(map(str, NEWEST_GLIBC))}"
    if re.search(r"GLIBCXX_|CXXABI_", output("readelf", "-VW", path)):
        yield f"{path.name} needs the system's libstdc++"


def check_module(path):
    names = {line.split()[-1].split("@")[0] for line in output("nm", "-D", "--defined-only", path).splitlines()}
    foreign = names - {"PyInit__core"}
    if foreign:
        yield f"{path.name} shows {len(foreign)} symbols, such as {sorted(foreign)[0]}"


def main():
    wheel = pathlib.Path(sys.argv[1])
    errors = []
    size = wheel.stat().st_size
    if size > LARGEST:
        errors.append(f"{wheel.name} has {size / 1e6:.1f} MB, at most {LARGEST / 1e6:.0f}")
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        libraries = sorted(pathlib.Path(folder).rglob("*.so*"))
        beside = {path.name for path in libraries}
        for path in libraries:
            errors += check_library(path, beside)
            if path.name.startswith("_core"):
                errors += check_module(path)
        names = {path.name for path in pathlib.Path(folder).rglob("*")}
        for wanted in ("py.typed", "_core.pyi", "LICENSE", "THIRD_PARTY_NOTICES"):
            if wanted not in names:
                errors.append(f"{wanted} is missing")
    for error in errors:
        print("wheel:", error)
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(libraries)} libraries, {len(errors)} errors")
    return 1 if errors or not libraries else 0


if __name__ == "__main__":
    sys.exit(main())
