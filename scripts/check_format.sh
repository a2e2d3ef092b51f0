#!/usr/bin/env bash
# scripts/check_format.sh: fails when a C++ file differs from what clang-format-19 makes of it; with --fix it rewrites the files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=(--dry-run -Werror)
if [[ ${1:-} == --fix ]]; then mode=(-i); fi
git ls-files -z '*.cpp' '*.h' | xargs -0 -n 16 -P 2 clang-format-19 "${mode[@]}"
