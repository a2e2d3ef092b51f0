// python/src/function.h: what a Function object of Python holds.
#pragma once

#include <voxloom/api/function.h>

#include <nanobind/nanobind.h>

#include <string>
#include <vector>

namespace voxloom::python {

/// A compiled function, and how its results look: one array, a list, a dict or nothing.
struct PyFunction {
  enum class Form : uint8_t { one, list, dict, none };
  struct Input {
    std::string name;
    DType dtype;
    bool has_default, downcasts;
  };
  Function function;
  std::vector<Input> inputs;
  size_t outputs = 0;
  Form form = Form::list;
  nanobind::object keys;  ///< a tuple of the dict's keys

  /// `form` is None, True for one result, False for a list, or a tuple of keys; see voxloom/_function.py.
  PyFunction(Function made, nanobind::handle form);
  nanobind::object form_object() const;
};

/// tp_call of Function: f(*args, out=, threads=, memory=, **named).
PyObject* call_function(PyObject* self, PyObject* args, PyObject* kwargs) noexcept;
/// f.repeat(n, *args, ...).
nanobind::object repeat_function(const PyFunction& f, int64_t n, nanobind::args args, nanobind::kwargs kwargs);

/// Arguments as windows, in the order of the inputs, undefined where a default value takes their place; `kept` holds converted ones.
void collect_arguments(const PyFunction& f, PyObject* args, PyObject* named, std::vector<Array>& arrays,
                       std::vector<nanobind::object>& kept);

}  // namespace voxloom::python
