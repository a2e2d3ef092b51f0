#!/usr/bin/env bash
# scripts/demo.sh: the main job on real images (those inside nibabel's wheel): expressions over NIfTI files, compiled, streamed, written,
# with plan, profile and pictures. Everything it makes lies in build/demo.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
voxloom=$root/build/bin/voxloom
demo=$root/build/demo
nibabel=5.4.2  # a version whose wheel is known to hold tests/data
data=nibabel/tests/data
images=(functional.nii anatomical.nii example4d.nii.gz)

# Puts the three images into build/demo; they come out of nibabel's wheel on PyPI.
fetch_images() {
  local image missing=0
  for image in "${images[@]}"; do [[ -s $demo/$image ]] || missing=1; done
  if ((missing == 0)); then return; fi
  rm -rf "$demo/wheel"
  mkdir -p "$demo/wheel"
  if ! "$root/scripts/venv.sh" pip download -q --no-deps --only-binary :all: --dest "$demo/wheel" "nibabel==$nibabel"; then
    echo "demo: PyPI cannot be reached, and the demo's images are inside nibabel's wheel there." >&2
    echo "demo: put ${images[*]} into $demo and run 'make demo' again." >&2
    exit 1
  fi
  python3 -m zipfile -e "$demo"/wheel/nibabel-*.whl "$demo/wheel"
  for image in "${images[@]}"; do cp "$demo/wheel/$data/$image" "$demo/$image"; done
  rm -rf "$demo/wheel"
}

# run TITLE COMMAND...: says what is run, as a user would type it, then runs it.
run() {
  printf '\n\033[1m== %s\033[0m\n$ voxloom' "$1"
  shift
  local word
  for word in "$@"; do
    if [[ $word == *[!A-Za-z0-9._/=-]* ]]; then printf " '%s'" "$word"; else printf ' %s' "$word"; fi
  done
  printf '\n'
  "$voxloom" "$@"
}

mkdir -p "$demo"
fetch_images
cd "$demo"
zscore='(a - mean(a, "t")) / std(a, "t")'
change='exp(-((a[..., 0] - a[..., 1]) / 50)**2)'

run "What this machine offers, and whether compiled code works on it" doctor
run "What the files hold (headers only)" info "${images[@]}"
run "The plan of the z-score: graph, passes over the file, predicted peak; nothing is run" explain math "$zscore" functional.nii -o zscore.nii
run "z-score of every voxel over time" math "$zscore" functional.nii -o zscore.nii --profile
run "The plan of the change between two volumes" explain math "$change" example4d.nii.gz -o change.nii.gz
run "Similarity of the first two volumes, gzip in and out" math "$change" example4d.nii.gz -o change.nii.gz --profile
run "A big-endian integer image" math 'sqrt(abs(a))' anatomical.nii -o root.nii
run "Reductions print their value" mean anatomical.nii
for picture in zscore.nii change.nii.gz root.nii; do
  run "A picture of $picture" png "$picture" -o "${picture%%.*}.png"
done
printf '\nResults and pictures:\n'
ls -l "$demo"/*.png "$demo"/zscore.nii "$demo"/change.nii.gz "$demo"/root.nii
