#!/usr/bin/env bash
# scripts/install_deps.sh: installs the Debian packages that are missing. Arguments: groups of scripts/packages.txt (default: build).
# Fast and silent when nothing is missing; without root and sudo it prints the line to run and exits 1.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
groups=("${@:-build}")

wanted=()
for group in "${groups[@]}"; do
  while read -r word package _; do
    if [[ $word == "$group" ]]; then wanted+=("$package"); fi
  done < "$here/packages.txt"
done

if [[ -n ${CONDA_PREFIX:-} ]]; then exit 0; fi  # environment.yml names what it holds
if ! command -v dpkg-query > /dev/null; then
  echo "install_deps: not a Debian system; these must be there under their own names: ${wanted[*]}"
  exit 0
fi
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2> /dev/null | sed -n 's/^ii *//p')
missing=()
for package in "${wanted[@]}"; do
  grep -qx -- "$package" <<< "$installed" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then exit 0; fi

as_root=()
if ((EUID != 0)); then
  if command -v sudo > /dev/null && { [[ -t 0 ]] || sudo -n true 2> /dev/null; }; then
    as_root=(sudo)
  else
    echo "install_deps: packages are missing and there is neither root nor sudo. Run as root:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi
echo "install_deps: installing ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
