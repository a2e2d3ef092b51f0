#!/usr/bin/env bash
# scripts/sizes.sh: lines per folder and the longest files; a file above 800 lines fails, above 400 is named.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
git ls-files '*.cpp' '*.h' '*.py' '*.sh' '*.cmake' '*CMakeLists.txt' | xargs wc -l | grep -v ' total$' | sort -rn | awk '
  { path = $2; split(path, part, "/"); folder = (path ~ /\//) ? part[1] : "."; files[folder]++; lines[folder] += $1; count[NR] = $1
    if ($1 > 800) { print "too long: " path " has " $1 " lines (at most 800)"; bad = 1 } else if ($1 > 400) print "long: " $1 " " path }
  END { printf "%-10s %6s %7s\n", "folder", "files", "lines"
        for (f in files) { printf "%-10s %6d %7d\n", f, files[f], lines[f] | "sort"; all += lines[f] } close("sort")
        printf "%-10s %6d %7d   median %d\n", "all", NR, all, count[int((NR + 1) / 2)]; exit bad }'
