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
  };
  Function function;
  std::vector<Input> inputs;
  size_t outputs = 0;
  Form form = Form::list;
  nanobind::object keys;    ///< a tuple of the dict's keys
  nanobind::object recipe;  ///< what pickle stores: see voxloom/_function.py
};

/// tp_call of Function: f(*args, out=, threads=, memory=, **named).
PyObject* call_function(PyObject* self, PyObject* args, PyObject* kwargs) noexcept;

/// Arguments as windows, in the order of the inputs; `kept` holds converted ones.
void collect_arguments(const PyFunction& f, PyObject* args, PyObject* named, std::vector<Array>& arrays,
                       std::vector<nanobind::object>& kept);

}  // namespace voxloom::python
