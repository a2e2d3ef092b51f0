# Makefile: two commands for a fresh machine, `make demo` and `make test`; everything else is CMake's presets.
SHELL := /bin/bash
.PHONY: build demo test wheel install-deps check format lint asan ubsan tsan clean
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

build: install-deps
	@if scripts/python_env.sh; then binding=ON; else binding=OFF; fi; \
	  cmake --preset release -DVOXLOOM_PYTHON=$$binding -DPython_EXECUTABLE=$(CURDIR)/build/venv/bin/python
	cmake --build --preset release

demo: build
	scripts/demo.sh

test: build
	ctest --preset release -j 2 2>&1 | tee build/ctest.log; exit $${PIPESTATUS[0]}

wheel: build  # build/dist/voxloom-*.whl, checked and tried in a fresh environment
	scripts/wheel.sh

install-deps:
	@scripts/install_deps.sh build

check:  # what .ci/run checks before it builds
	@scripts/install_deps.sh check
	scripts/sizes.sh
	scripts/check_format.sh

format:
	@scripts/install_deps.sh check
	scripts/check_format.sh --fix

lint: build  # slow: minutes
	@scripts/install_deps.sh lint
	scripts/lint.sh

asan ubsan tsan: install-deps
	cmake --preset $@
	cmake --build --preset $@
	ctest --preset $@

clean:
	rm -rf build
