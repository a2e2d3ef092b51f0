#!/usr/bin/env python3
# scripts/update_readme.py: runs the commands that README.md quotes and pastes their output under them.
# A quoted command is a fenced block whose first line is "$ voxloom ..."; it runs in build/demo, where `make demo` left its images.
# "# ... lines" after the command limits what is pasted: `$ voxloom explain ...  # 20 lines`.
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEMO = ROOT / "build" / "demo"


def output_of(command):
    limit = re.search(r"  # (\d+) lines$", command)
    shell = command[: limit.start()] if limit else command
    done = subprocess.run(
        ["bash", "-c", shell], cwd=DEMO, capture_output=True, text=True, env={"PATH": f"{ROOT}/build/bin:/usr/bin:/bin", "HOME": str(DEMO)}
    )
    if done.returncode != 0:
        sys.exit(f"{shell}: exit {done.returncode}: {done.stderr}")
    lines = [line.rstrip() for line in (done.stdout + done.stderr).replace(str(DEMO) + "/", "").splitlines()]
    if limit and len(lines) > int(limit.group(1)):
        lines = lines[: int(limit.group(1))] + ["..."]
    return lines


def main():
    page = ROOT / "README.md"
    result, in_block = [], False
    for line in page.read_text().splitlines():
        if in_block and line != "```":
            continue
        in_block = False
        result.append(line)
        if line.startswith("$ voxloom "):
            result += output_of(line[2:])
            in_block = True
    page.write_text("\n".join(result) + "\n")


if __name__ == "__main__":
    main()
