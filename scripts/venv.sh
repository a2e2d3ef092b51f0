#!/usr/bin/env bash
# scripts/venv.sh: makes build/venv when it is not there, then runs a program of it: scripts/venv.sh pip install numpy
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ ! -x $root/build/venv/bin/python ]]; then
  python3 -m venv "$root/build/venv"
fi
program=$1
shift
export PIP_DISABLE_PIP_VERSION_CHECK=1
exec "$root/build/venv/bin/$program" "$@"
