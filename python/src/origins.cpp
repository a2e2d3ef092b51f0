// python/src/origins.cpp: lines of the user's Python code, kept as (code object, instruction) and put into words when somebody asks.
#include "expr.h"

#include <voxloom/graph/origins.h>

#include <frameobject.h>

#include <string>
#include <unordered_map>

namespace voxloom::python {
namespace {

std::string& package_folder() {
  static auto* const folder = new std::string;
  return *folder;
}

/// Whether code belongs to this package. Every code object that was asked about is kept: the table of origins points at it.
bool is_ours(PyCodeObject* code) {
  static auto* const known = new std::unordered_map<PyCodeObject*, bool>;
  const auto found = known->find(code);
  if (found != known->end()) return found->second;
  const char* file = PyUnicode_AsUTF8(code->co_filename);
  if (file == nullptr) PyErr_Clear();
  const bool ours = file != nullptr && std::string_view(file).starts_with(package_folder());
  Py_INCREF(code);
  known->emplace(code, ours);
  return ours;
}

std::string line_text(const void* object, int lasti) {
  if (!Py_IsInitialized()) return {};
  const PyGILState_STATE gil = PyGILState_Ensure();
  auto* const code = static_cast<PyCodeObject*>(const_cast<void*>(object));
  const char* file = PyUnicode_AsUTF8(code->co_filename);
  if (file == nullptr) PyErr_Clear();
  const std::string text = (file ? std::string(file) : "?") + ":" + std::to_string(PyCode_Addr2Line(code, lasti));
  PyGILState_Release(gil);
  return text;
}

OriginId origin_hook() { return PyGILState_Check() ? python_origin() : OriginId{}; }

}  // namespace

OriginId python_origin() {
  auto* frame = reinterpret_cast<PyFrameObject*>(Py_XNewRef(reinterpret_cast<PyObject*>(PyEval_GetFrame())));
  OriginId origin;
  while (frame != nullptr) {
    PyCodeObject* const code = PyFrame_GetCode(frame);
    if (!is_ours(code)) {
      origin = origin_of_object(code, PyFrame_GetLasti(frame), line_text);
      Py_DECREF(code);
      break;
    }
    Py_DECREF(code);
    PyFrameObject* const back = PyFrame_GetBack(frame);
    Py_DECREF(frame);
    frame = back;
  }
  Py_XDECREF(frame);
  return origin;
}

void install_origins(const char* folder) {
  package_folder() = folder;
  set_origin_hook(origin_hook);
}

}  // namespace voxloom::python
