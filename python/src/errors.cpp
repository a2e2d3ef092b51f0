// python/src/errors.cpp: which Python class an error becomes: voxloom/_errors.py has the table.
#include "errors.h"

#include "expr.h"

#include <nanobind/stl/string.h>

#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace voxloom::python {
namespace {

namespace nb = nanobind;
using namespace nanobind::literals;

constexpr std::pair<ErrorCode, const char*> code_names[] = {
    {ErrorCode::usage, "usage"},         {ErrorCode::shape, "shape"},       {ErrorCode::dtype, "dtype"},   {ErrorCode::index, "index"},
    {ErrorCode::bad_input, "bad_input"}, {ErrorCode::file, "file"},         {ErrorCode::device, "device"}, {ErrorCode::limit, "limit"},
    {ErrorCode::cancelled, "cancelled"}, {ErrorCode::internal, "internal"},
};

const char* name_of(ErrorCode code) {
  for (const auto& [known, name] : code_names) {
    if (known == code) return name;
  }
  return "internal";
}

ErrorCode code_of(std::string_view wanted) {
  for (const auto& [code, name] : code_names) {
    if (wanted == name) return code;
  }
  fail_internal("a code of an error");
}

const char* base_of(const Error& error) {
  if (dynamic_cast<const UserError*>(&error)) return "user";
  return dynamic_cast<const RuntimeError*>(&error) ? "runtime" : "internal";
}

void raise(const Error& error) {
  try {
    const nb::object make = nb::module_::import_("voxloom._errors").attr("make");
    std::string text = error.what(), origin = error.origin();
    // What no expression is at fault for is refused on the line that runs: that of the call.
    if (origin.empty() && dynamic_cast<const UserError*>(&error) != nullptr) {
      origin = origin_text(python_origin());
      if (!origin.empty()) text += " [at " + origin + "]";
    }
    const nb::object exception = make(base_of(error), name_of(error.code()), text, error.op(), origin);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  } catch (nb::python_error& failure) { failure.restore(); }
}

void translate(const std::exception_ptr& pointer, void*) {
  try {
    std::rethrow_exception(pointer);
  } catch (const Error& error) { raise(error); }
}

}  // namespace

void install_errors(nb::module_& m) {
  nb::register_exception_translator(translate);
  m.def(
      "_fail",
      [](const std::string& code, const std::string& op, const std::string& text) { fail_user(code_of(code), op, text, python_origin()); },
      "code"_a, "op"_a, "text"_a, nb::sig("def _fail(code: str, op: str, text: str) -> typing.NoReturn"));
}

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
