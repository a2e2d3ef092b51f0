# tests/structure/symbols_test.py: libvoxloom shows its own names only; above all nothing of LLVM, which may live twice in one process.
# Usage: symbols_test.py NM LIBRARY
import subprocess
import sys


def foreign(symbol):
    """Whether a demangled name is neither ours nor a weak copy of something of the C++ library."""
    name = symbol
    for prefix in ("typeinfo for ", "typeinfo name for ", "vtable for ", "guard variable for ", "VTT for "):
        name = name.removeprefix(prefix)
    return "voxloom::" not in name and not name.startswith("voxloom_") and "std::" not in name and "__gnu_cxx" not in name


def main():
    nm, library = sys.argv[1:3]
    listing = subprocess.run([nm, "-DC", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    rows = [line.split(" ", 2) for line in listing.splitlines()]
    bad = [name for _, kind, name in rows if foreign(name) or "llvm::" in name]
    for name in bad:
        print("exported but not ours:", name)
    print(f"{len(rows)} exported symbols, {len(bad)} foreign")
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
