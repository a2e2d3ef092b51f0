// python/src/arrays.h: NumPy arrays as Arrays and Arrays as NumPy arrays, both without a copy. NumPy's C interface is used in arrays.cpp alone.
#pragma once

#include <voxloom/runtime/array.h>

#include <nanobind/nanobind.h>

#include <string_view>

namespace voxloom::python {

namespace nb = nanobind;

/// Once, when the module is initialised; throws a Python error without NumPy.
void import_numpy();

bool is_numpy_array(PyObject* object) noexcept;
bool is_numpy_scalar(PyObject* object) noexcept;
/// Arrays, lists, tuples, and what speaks the buffer protocol, DLPack or __array__.
bool is_array_like(nb::handle object);
/// A NumPy array over the same memory where the object has memory (buffer protocol, DLPack, __array__), otherwise one of its values.
nb::object as_numpy(nb::handle object);
/// As as_numpy, of that dtype: plain numbers and lists are converted (safely: a fraction into an integer is a UserError naming `what`),
/// arrays are not.
nb::object as_numpy(nb::handle object, DType dtype, std::string_view what);

/// A window on a NumPy array, which must outlive it: any strides, either byte order, read-only ones too. UserError for dtypes we lack.
Array array_of(nb::handle array);
/// The same, keeping the NumPy array alive.
Array owning_array_of(const nb::object& array);
/// A NumPy array on our memory; the memory is not used again before the array is gone.
nb::object numpy_of(const Array& array);

/// From a dtype, its name, "floatX", or a type such as np.float32 or float.
DType dtype_of_python(nb::handle object);
nb::object numpy_dtype(DType dtype);

}  // namespace voxloom::python
