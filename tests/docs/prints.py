# tests/docs/prints.py: runs a program; its output must be that of a file, and its status 0. Usage: prints.py FILE PROGRAM ARGUMENT ...
import difflib
import pathlib
import subprocess
import sys

wanted = pathlib.Path(sys.argv[1])
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, text=True)
sys.stdout.writelines(difflib.unified_diff(wanted.read_text().splitlines(True), done.stdout.splitlines(True), wanted.name, "printed"))
sys.exit(done.returncode if done.returncode != 0 else int(done.stdout != wanted.read_text()))
