// python/src/errors.h: voxloom's errors as Python exceptions.
#pragma once

#include <nanobind/nanobind.h>

namespace voxloom::python {

/// Makes nanobind raise the classes of voxloom/_errors.py for our errors; the package's Python files raise them by _core._fail.
void install_errors(nanobind::module_& m);
/// Inside a catch block: sets the Python error for what was caught.
void set_python_error() noexcept;

}  // namespace voxloom::python
