// python/src/arrays.cpp: windows on NumPy arrays, NumPy arrays on our buffers, dtypes.
#include "arrays.h"

#include <voxloom/graph/error.h>
#include <voxloom/ops/policy.h>

#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>

#include <array>
#include <optional>
#include <string>

namespace voxloom::python {
namespace {

int type_number(DType dtype) {
  switch (dtype) {
    case DType::boolean: return NPY_BOOL;
    case DType::i8: return NPY_INT8;
    case DType::i16: return NPY_INT16;
    case DType::i32: return NPY_INT32;
    case DType::i64: return NPY_INT64;
    case DType::u8: return NPY_UINT8;
    case DType::u16: return NPY_UINT16;
    case DType::u32: return NPY_UINT32;
    case DType::u64: return NPY_UINT64;
    case DType::f32: return NPY_FLOAT32;
    case DType::f64: return NPY_FLOAT64;
    case DType::c64: return NPY_COMPLEX64;
    case DType::c128: return NPY_COMPLEX128;
    case DType::f16:
    case DType::bf16: break;
  }
  fail_internal("a dtype without NumPy's counterpart");
}

// By kind and size: NumPy has several numbers for one layout (long, long long).
std::optional<DType> known_dtype(const PyArray_Descr* descr) {
  const npy_intp size = PyDataType_ELSIZE(descr);
  const auto of_size = [size](DType one, DType two, DType four, DType eight) {
    return size == 1 ? one : size == 2 ? two : size == 4 ? four : eight;
  };
  switch (descr->kind) {
    case 'b': return DType::boolean;
    case 'i': return of_size(DType::i8, DType::i16, DType::i32, DType::i64);
    case 'u': return of_size(DType::u8, DType::u16, DType::u32, DType::u64);
    case 'f':
      if (size == 4) return DType::f32;
      if (size == 8) return DType::f64;
      return {};
    case 'c':
      if (size == 8) return DType::c64;
      if (size == 16) return DType::c128;
      return {};
    default: return {};
  }
}

std::string text_of(nb::handle object) { return nb::str(object).c_str(); }

[[noreturn]] void refuse_dtype(const PyArray_Descr* descr) {
  auto* const object = reinterpret_cast<PyObject*>(const_cast<PyArray_Descr*>(descr));
  fail_user(ErrorCode::dtype, "array",
            "dtype " + text_of(object) +
                " is not supported; convert it with astype() to one of bool, int8 to int64, uint8 to uint64, float32, float64, complex64, "
                "complex128");
}

PyArrayObject* as_array(nb::handle object) { return reinterpret_cast<PyArrayObject*>(object.ptr()); }

/// Releases a Python reference from whichever thread lets go of the memory.
struct Release {
  void operator()(const void* object) const {
    if (!Py_IsInitialized()) return;
    const PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF(static_cast<PyObject*>(const_cast<void*>(object)));
    PyGILState_Release(gil);
  }
};

constexpr const char* buffer_capsule = "voxloom.buffer";

nb::object capsule_of(const Buffer& buffer) {
  PyObject* const capsule = PyCapsule_New(new Buffer(buffer), buffer_capsule,
                                          [](PyObject* self) { delete static_cast<Buffer*>(PyCapsule_GetPointer(self, buffer_capsule)); });
  if (capsule == nullptr) throw nb::python_error();
  return nb::steal(capsule);
}

}  // namespace

void import_numpy() {
  if (_import_array() < 0) throw nb::python_error();
}

bool is_numpy_array(PyObject* object) noexcept { return PyArray_Check(object) != 0; }
bool is_numpy_scalar(PyObject* object) noexcept { return PyArray_IsScalar(object, Generic) != 0; }

bool is_array_like(nb::handle object) {
  if (is_numpy_array(object.ptr()) || PyList_Check(object.ptr()) || PyTuple_Check(object.ptr())) return true;
  if (PyUnicode_Check(object.ptr()) || PyBytes_Check(object.ptr())) return false;
  return PyObject_CheckBuffer(object.ptr()) || nb::hasattr(object, "__dlpack__") || nb::hasattr(object, "__array__");
}

nb::object as_numpy(nb::handle object) {
  if (is_numpy_array(object.ptr())) return nb::borrow(object);
  const nb::object numpy = nb::module_::import_("numpy");
  if (!PyObject_CheckBuffer(object.ptr()) && nb::hasattr(object, "__dlpack__") && !is_numpy_scalar(object.ptr())) {
    try {
      return numpy.attr("from_dlpack")(object);
    } catch (nb::python_error& error) {
      // Memory of another device, or a producer of an older DLPack for a read-only array: __array__ may still do.
      if (!nb::hasattr(object, "__array__")) throw;
    }
  }
  return numpy.attr("asarray")(object);
}

nb::object as_numpy(nb::handle object, DType dtype, std::string_view what) {
  if (is_numpy_array(object.ptr())) return nb::borrow(object);
  const bool values = PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()) || PyNumber_Check(object.ptr());
  nb::object array = as_numpy(object);
  const PyArray_Descr* const descr = PyArray_DESCR(as_array(array));
  const auto given = known_dtype(descr);
  if (given == dtype || !values || nb::hasattr(object, "__dlpack__") || PyObject_CheckBuffer(object.ptr())) return array;
  auto* const wanted = PyArray_DescrFromType(type_number(dtype));
  const bool fits =
      PyArray_SIZE(as_array(array)) == 0 || PyArray_CanCastTypeTo(const_cast<PyArray_Descr*>(descr), wanted, NPY_SAME_KIND_CASTING);
  Py_DECREF(wanted);
  // A Python int has no dtype of its own: it fits where its value does, an unsigned input included.
  if (!fits && !(given && is_integer(*given) && is_integer(dtype))) {
    fail_user(ErrorCode::dtype, what,
              text_of(reinterpret_cast<PyObject*>(const_cast<PyArray_Descr*>(descr))) + " values do not become " +
                  std::string(name_of(dtype)) + " without loss; convert them yourself");
  }
  const nb::object converted = array.attr("astype")(numpy_dtype(dtype));
  if (given && is_integer(*given) && is_integer(dtype) &&
      !nb::cast<bool>(nb::module_::import_("numpy").attr("array_equal")(converted, array))) {
    fail_user(ErrorCode::dtype, what, "an integer does not fit " + std::string(name_of(dtype)));
  }
  return converted;
}

Array array_of(nb::handle object) {
  PyArrayObject* const array = as_array(object);
  const PyArray_Descr* const descr = PyArray_DESCR(array);
  const auto dtype = known_dtype(descr);
  if (!dtype) refuse_dtype(descr);
  const int rank = PyArray_NDIM(array);
  if (rank > max_rank) {
    fail_user(ErrorCode::shape, "array",
              "an array of " + std::to_string(rank) + " axes; at most " + std::to_string(max_rank) + " are supported");
  }
  static_assert(sizeof(npy_intp) == sizeof(int64_t));
  const auto* const shape = reinterpret_cast<const int64_t*>(PyArray_DIMS(array));
  const auto* const strides = reinterpret_cast<const int64_t*>(PyArray_STRIDES(array));
  const auto axes = static_cast<size_t>(rank);
  const Dims sizes{std::span<const int64_t>(shape, axes)}, steps{std::span<const int64_t>(strides, axes)};
  void* const data = PyArray_DATA(array);
  Array window = PyArray_ISWRITEABLE(array) ? Array::view(data, sizes, *dtype, steps)
                                            : Array::view(static_cast<const void*>(data), sizes, *dtype, steps);
  return PyArray_ISBYTESWAPPED(array) ? window.as_swapped() : window;
}

Array owning_array_of(const nb::object& array) {
  const Array window = array_of(array);
  Py_INCREF(array.ptr());
  const std::shared_ptr<const void> keep(static_cast<const void*>(array.ptr()), Release());
  const Dims& strides = window.strides();
  Array kept = window.read_only() ? Array::view(static_cast<const void*>(window.raw()), window.shape(), window.dtype(), strides, keep)
                                  : Array::view(static_cast<void*>(window.raw()), window.shape(), window.dtype(), strides, keep);
  return window.swapped() ? kept.as_swapped() : kept;
}

nb::object numpy_of(const Array& array) {
  PyArray_Descr* descr = PyArray_DescrFromType(type_number(array.dtype()));
  if (array.swapped()) {
    PyArray_Descr* const native = descr;
    descr = PyArray_DescrNewByteorder(native, NPY_SWAP);
    Py_DECREF(native);
  }
  std::array<npy_intp, max_rank> shape, strides;
  for (int k = 0; k < array.rank(); ++k) {
    shape[static_cast<size_t>(k)] = array.shape()[k];
    strides[static_cast<size_t>(k)] = array.strides()[k];
  }
  PyObject* const made = PyArray_NewFromDescr(&PyArray_Type, descr, array.rank(), shape.data(), strides.data(), array.raw(),
                                              array.read_only() ? 0 : NPY_ARRAY_WRITEABLE, nullptr);
  if (made == nullptr) throw nb::python_error();
  nb::object result = nb::steal(made);
  if (PyArray_SetBaseObject(as_array(result), capsule_of(array.buffer()).release().ptr()) < 0) throw nb::python_error();
  return result;
}

DType dtype_of_python(nb::handle object) {
  if (PyUnicode_Check(object.ptr())) {
    const char* const name = PyUnicode_AsUTF8(object.ptr());
    if (name != nullptr && std::string_view(name) == "floatX") return current_policy().floatX;
    if (name != nullptr) {
      if (const auto dtype = dtype_from_name(name)) return *dtype;
    }
  }
  PyArray_Descr* descr = nullptr;
  if (PyArray_DescrConverter(object.ptr(), &descr) == NPY_FAIL || descr == nullptr) {
    PyErr_Clear();
    fail_user(ErrorCode::dtype, "dtype", "there is no dtype " + text_of(nb::repr(object)));
  }
  const nb::object held = nb::steal(reinterpret_cast<PyObject*>(descr));
  const auto dtype = known_dtype(descr);
  if (!dtype) refuse_dtype(descr);
  return *dtype;
}

nb::object numpy_dtype(DType dtype) { return nb::steal(reinterpret_cast<PyObject*>(PyArray_DescrFromType(type_number(dtype)))); }

}  // namespace voxloom::python
