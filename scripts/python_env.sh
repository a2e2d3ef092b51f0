#!/usr/bin/env bash
# scripts/python_env.sh: brings what builds and tests the Python binding into build/venv, and lets its Python find build/python. Fails, saying so,
# where PyPI cannot be reached; fast when nothing is missing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wanted=$root/python/requirements.txt
stamp=$root/build/venv/requirements.txt
if ! cmp -s "$wanted" "$stamp"; then
  if ! "$root/scripts/venv.sh" pip install -q -r "$wanted"; then
    echo "python_env: PyPI cannot be reached, so the Python binding is neither built nor tested; needed are:" >&2
    grep -v '^#' "$wanted" >&2
    exit 1
  fi
  cp "$wanted" "$stamp"
fi
packages=$("$root/scripts/venv.sh" python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$root/build/python" > "$packages/voxloom-build.pth"
