# tests/structure/structure_test.py: who may include whom, where third-party headers may appear, how long a file may be.
# Usage: structure_test.py SOURCE_DIR. The rules are DESIGN's; the first part checks the checker on made-up trees.
import pathlib
import re
import sys
import tempfile

MAY_INCLUDE = {
    "graph": set(),
    "ops": {"graph"},
    "runtime": {"graph"},
    "io": {"runtime", "graph"},
    "codegen": {"graph", "ops", "runtime"},
    "api": {"graph", "ops", "runtime", "io", "codegen"},
    "cli": {"graph", "ops", "runtime", "io", "codegen", "api"},
    "bench": {"graph", "ops", "runtime", "io", "codegen", "api"},
    "examples": {"graph", "ops", "runtime", "io", "codegen", "api"},
    "python": {"graph", "ops", "runtime", "io", "api"},
}
# Third-party header -> folders where it may appear. tests/ may use nifti (as the second decoder) but never LLVM or CUDA.
CONTAINED = [
    (re.compile(r"llvm(-c)?/"), ["codegen/llvm"]),
    (re.compile(r"(cuda|cudart|nvrtc|cublas|cufft|cusolver)[a-zA-Z_0-9]*\.h"), ["codegen/cuda", "runtime/cuda"]),
    (re.compile(r"(nifti/)?(nifti[12](_io)?|nifticdf|znzlib)\.h"), ["io", "tests"]),
    (re.compile(r"(nanobind|numpy)/|(Python|frameobject)\.h"), ["python"]),
    (re.compile(r"(isa-l|igzip_lib|libdeflate|zlib|isa-l/.*)\.h"), ["io", "tests", "bench"]),
    (re.compile(r"CLI/"), ["cli", "bench", "tests"]),
    (re.compile(r"catch2/"), ["tests"]),
    (re.compile(r"mpfr\.h"), ["tests"]),
]
# Never in a header that users include.
NOT_PUBLIC = re.compile(r"(llvm|llvm-c|Eigen|fmt|nlohmann|CLI|nifti)/|nifti|znzlib|isa-l|igzip|libdeflate|zlib\.h|png\.h|iostream$|regex$")
OPT_IN = {"api/eigen.h"}
LONGEST = 800
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XXX)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def cpp_files(root):
    for folder in [*MAY_INCLUDE, "tests"]:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                yield path


def check_directions(root):
    for path in cpp_files(root):
        name = path.relative_to(root).as_posix()
        folder = name.split("/")[0]
        for number, kind, header in includes(path):
            where = f"{name}:{number}"
            if header.startswith("voxloom/"):
                if kind == '"':
                    yield f"{where}: write #include <{header}>"
                module = header.split("/")[1]
                if module.endswith(".h"):  # the umbrella header
                    if folder in MAY_INCLUDE and folder not in ("api", "cli", "bench", "examples"):
                        yield f"{where}: {folder} must not include the umbrella header"
                elif folder in MAY_INCLUDE and module != folder and module not in MAY_INCLUDE[folder]:
                    yield f"{where}: {folder} must not include {module} ({header})"
            elif kind == '"' and header.split("/")[0] in MAY_INCLUDE:
                yield f"{where}: write #include <voxloom/{header}>"
            for pattern, allowed in CONTAINED:
                if pattern.match(header) and not any(name.startswith(a + "/") for a in allowed):
                    yield f"{where}: <{header}> belongs in {' and '.join(allowed)} only"


def public_headers(root):
    """The headers that api/voxloom.h reaches, as the build installs them (cmake/public_headers.cmake)."""
    pending = [root / "api/voxloom.h"]
    seen = set()
    while pending:
        path = pending.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        pending += [root / h.removeprefix("voxloom/") for _, _, h in includes(path) if h.startswith("voxloom/")]
    return sorted(seen)


def check_public(root):
    for path in public_headers(root):
        name = path.relative_to(root).as_posix()
        if name in OPT_IN:
            continue
        if name.endswith("_impl.h"):
            yield f"{name}: a private header is reached from api/voxloom.h"
        for number, _, header in includes(path):
            if not header.startswith("voxloom/") and NOT_PUBLIC.search(header):
                yield f"{name}:{number}: a public header must not include <{header}>"


def check_texts(root):
    for path in cpp_files(root):
        name = path.relative_to(root).as_posix()
        lines = path.read_text().splitlines()
        if len(lines) > LONGEST:
            yield f"{name}: {len(lines)} lines, at most {LONGEST}"
        if not lines or not lines[0].startswith(f"// {name}: "):
            yield f"{name}: the first line must read '// {name}: purpose'"
        if path.suffix == ".h" and "#pragma once" not in lines:
            yield f"{name}: no #pragma once"
        for number, line in enumerate(lines, 1):
            if UNFINISHED.search(line):
                yield f"{name}:{number}: unfinished: {line.strip()}"


def check_links(root):
    for page in [*root.glob("*.md"), *root.glob("*/*.md"), *root.glob("graph/passes/*.md")]:
        for number, line in enumerate(page.read_text().splitlines(), 1):
            for target in LINK.findall(line):
                if not re.match(r"[a-z]+:|#", target) and not (page.parent / target.split("#")[0]).exists():
                    yield f"{page.relative_to(root)}:{number}: the link to {target} leads nowhere"


CHECKS = [check_directions, check_public, check_texts, check_links]


def errors_of(root):
    return [error for check in CHECKS for error in check(root)]


def self_test():
    """Each line is a file that breaks one rule; the checker must see it."""
    bad = {
        "graph/a.h": "#include <voxloom/ops/b.h>",
        "runtime/a.cpp": "#include <voxloom/codegen/b.h>",
        "io/a.cpp": "#include <llvm-c/Core.h>",
        "codegen/a.cpp": "#include <llvm/IR/Module.h>",
        "runtime/b.cpp": "#include <nifti2_io.h>",
        "ops/a.h": '#include "graph/node.h"',
        "api/voxloom.h": "#include <fmt/format.h>",
        "codegen/b.cpp": "#include <voxloom/voxloom.h>",
        "graph/long.cpp": "\n" * 900,
        "api/c.cpp": "#include <nanobind/nanobind.h>",
        "runtime/c.cpp": "#include <Python.h>",
        "python/src/a.cpp": "#include <voxloom/codegen/compiler.h>",
        "graph/open.cpp": "// TO" + "DO: later",
    }
    for name, text in bad.items():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True)
            path.write_text(f"// {name}: made up.\n#pragma once\n{text}\n")
            assert errors_of(pathlib.Path(folder)), f"not seen: {name}: {text!r}"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "codegen/llvm/a.cpp"
        path.parent.mkdir(parents=True)
        path.write_text("// codegen/llvm/a.cpp: made up.\n#include <llvm-c/Core.h>\n#include <voxloom/graph/node.h>\n")
        assert not errors_of(pathlib.Path(folder))


def main():
    self_test()
    root = pathlib.Path(sys.argv[1])
    errors = errors_of(root)
    for error in errors:
        print(error)
    print(f"{len(list(cpp_files(root)))} files, {len(public_headers(root))} public headers, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
