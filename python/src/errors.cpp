// python/src/errors.cpp: which Python class an error becomes: voxloom/_errors.py has the table.
#include "errors.h"

#include <voxloom/graph/error.h>

#include <nanobind/stl/string.h>

#include <exception>
#include <new>

namespace voxloom::python {
namespace {

namespace nb = nanobind;

const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return "usage";
    case ErrorCode::shape: return "shape";
    case ErrorCode::dtype: return "dtype";
    case ErrorCode::index: return "index";
    case ErrorCode::bad_input: return "bad_input";
    case ErrorCode::file: return "file";
    case ErrorCode::device: return "device";
    case ErrorCode::limit: return "limit";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

const char* base_of(const Error& error) {
  if (dynamic_cast<const UserError*>(&error)) return "user";
  return dynamic_cast<const RuntimeError*>(&error) ? "runtime" : "internal";
}

void raise(const Error& error) {
  try {
    const nb::object make = nb::module_::import_("voxloom._errors").attr("make");
    const nb::object exception = make(base_of(error), name_of(error.code()), error.what(), error.op(), error.origin());
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  } catch (nb::python_error& failure) { failure.restore(); }
}

void translate(const std::exception_ptr& pointer, void*) {
  try {
    std::rethrow_exception(pointer);
  } catch (const Error& error) { raise(error); }
}

}  // namespace

void install_errors() { nb::register_exception_translator(translate); }

void set_python_error() noexcept {
  try {
    throw;
  } catch (nb::python_error& error) { error.restore(); } catch (const Error& error) {
    raise(error);
  } catch (const std::bad_alloc&) { PyErr_NoMemory(); } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

}  // namespace voxloom::python
