#!/usr/bin/env bash
# scripts/wheel.sh: makes the wheel of what `make build` has built, checks it, installs it into a fresh environment and runs README's Python
# program there. The wheel lies in build/dist.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
python=$root/build/venv/bin/python
rm -rf build/dist build/wheel-venv
# In the build folder itself: the library is compiled already. (`pip wheel .` alone compiles it anew, in build/wheel.)
"$python" -m pip wheel . -q --no-build-isolation --no-deps -w build/dist -C build-dir=build -C cmake.define.BUILD_TESTING=ON
cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr/local > build/dist/configure.log  # the build folder is the developer's again
"$python" scripts/check_wheel.py build/dist/voxloom-*.whl
"$python" -m wheel tags --remove --platform-tag manylinux_2_34_x86_64 build/dist/voxloom-*.whl > /dev/null

python3 -m venv build/wheel-venv
build/wheel-venv/bin/pip install -q build/dist/voxloom-*.whl
"$python" tests/docs/first_block.py README.md python build/wheel-venv/readme.py
"$python" tests/docs/make_image.py build/wheel-venv/series.nii
cd build/wheel-venv
bin/python readme.py series.nii zscore.nii
bin/python -c 'import voxloom as vl; assert vl.open("zscore.nii").shape == (5, 4, 3, 6); assert "wheel-venv" in vl.__file__'
ls -l "$root"/build/dist/*.whl
