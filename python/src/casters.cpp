// python/src/casters.cpp: axes, sizes and argument lists from Python's values.
#include "casters.h"

#include <voxloom/graph/error.h>
#include <voxloom/runtime/limits.h>

namespace voxloom::python {
namespace {

[[noreturn]] void refuse(const char* function, const char* wanted, nb::handle object) {
  fail_user(ErrorCode::usage, function, std::string(wanted) + ", not " + nb::repr(object).c_str(), python_origin());
}

bool is_int(nb::handle object) { return PyIndex_Check(object.ptr()) && !PyBool_Check(object.ptr()) && !unwrap(object); }

int64_t int_of(const char* function, nb::handle object) {
  const nb::object index = nb::steal(PyNumber_Index(object.ptr()));
  const long long value = index ? PyLong_AsLongLong(index.ptr()) : -1;
  if (PyErr_Occurred()) {
    PyErr_Clear();
    refuse(function, "an integer of at most 64 bits is needed", object);
  }
  return value;
}

}  // namespace

Axis axis_of(const char* function, nb::handle object) {
  if (PyUnicode_Check(object.ptr())) return Axis(std::string(nb::cast<std::string>(object)));
  if (!is_int(object)) refuse(function, "an axis is a position or a name", object);
  const int64_t position = int_of(function, object);
  if (position < -1000 || position > 1000) {
    fail_user(ErrorCode::index, function, "there is no axis " + std::to_string(position), python_origin());
  }
  return Axis(static_cast<int>(position));
}

Axes axes_of(const char* function, nb::handle object) {
  if (object.is_none()) return {};
  if (!PyList_Check(object.ptr()) && !PyTuple_Check(object.ptr())) return Axes(std::vector<Axis>{axis_of(function, object)});
  std::vector<Axis> axes;
  for (nb::handle item : object) axes.push_back(axis_of(function, item));
  return Axes(std::move(axes));
}

Dim dim_of_python(const char* function, nb::handle object, bool open) {
  if (nb::isinstance<Dim>(object)) return nb::cast<Dim>(object);
  if (PyUnicode_Check(object.ptr())) return Dim::symbol(nb::cast<std::string>(object));
  if (open && object.is_none()) return Dim::fresh();
  if (!is_int(object)) refuse(function, open ? "a size is an int, a name, a Dim or None" : "a size is an int, a name or a Dim", object);
  return Dim(int_of(function, object));
}

std::vector<Dim> dims_of_python(const char* function, nb::handle sequence, bool open) {
  std::vector<Dim> dims;
  if (!PyList_Check(sequence.ptr()) && !PyTuple_Check(sequence.ptr())) return {dim_of_python(function, sequence, open)};
  for (nb::handle item : sequence) dims.push_back(dim_of_python(function, item, open));
  return dims;
}

Sizes sizes_of(const char* function, nb::handle sequence) {
  Sizes sizes;
  for (const Dim& d : dims_of_python(function, sequence, false)) sizes.emplace_back(d);
  return sizes;
}

int64_t bytes_of_python(const char* function, nb::handle object) {
  if (object.is_none()) return 0;
  if (PyUnicode_Check(object.ptr())) return parse_size(nb::cast<std::string>(object));
  if (!is_int(object)) refuse(function, "memory is a number of bytes or a text such as '64M'", object);
  const int64_t bytes = int_of(function, object);
  if (bytes < 0) refuse(function, "memory is at least 0", object);
  return bytes;
}

std::vector<nb::object> spread(nb::args args) {
  std::vector<nb::object> items;
  const bool one = args.size() == 1 && (PyList_Check(args[0].ptr()) || PyTuple_Check(args[0].ptr()));
  if (one) {
    for (nb::handle item : nb::object(args[0])) items.push_back(nb::borrow(item));
  } else {
    for (nb::handle item : args) items.push_back(nb::borrow(item));
  }
  return items;
}

}  // namespace voxloom::python
