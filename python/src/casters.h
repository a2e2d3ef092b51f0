// python/src/casters.h: how arguments of bound functions convert: expressions, operands, dtypes, axes, sizes. Include it wherever functions are bound.
#pragma once

#include "arrays.h"
#include "expr.h"

#include <voxloom/ops/build.h>

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <vector>

namespace voxloom::python {

using namespace nanobind::literals;

/// An argument that becomes an operand; conversion happens where the function runs, so that its errors are ours.
struct OperandArg {
  nb::handle object;
  Operand operator()(const char* function) const { return operand_for(function, object); }
};

/// A dtype argument: a name, NumPy's dtype or a type.
struct DTypeArg {
  nb::handle object;
  DType operator()() const { return dtype_of_python(object); }
};
inline std::optional<DType> optional_dtype(nb::handle object) {
  return object.is_none() ? std::nullopt : std::optional(dtype_of_python(object));
}

Axis axis_of(const char* function, nb::handle object);
/// None: all axes; one axis or a sequence of them, by position or name.
Axes axes_of(const char* function, nb::handle object);
/// An int, a name, a Dim, or (where `open` allows it) None for a size that stays open.
Dim dim_of_python(const char* function, nb::handle object, bool open);
std::vector<Dim> dims_of_python(const char* function, nb::handle sequence, bool open);
Sizes sizes_of(const char* function, nb::handle sequence);
/// Bytes from a number or a text such as "64M"; None is 0.
int64_t bytes_of_python(const char* function, nb::handle object);
/// Arguments given one by one or as one sequence: f(1, 2) and f((1, 2)).
std::vector<nb::object> spread(nb::args args);

}  // namespace voxloom::python

namespace nanobind::detail {

template <> struct type_caster<voxloom::Expr> {
  NB_TYPE_CASTER(voxloom::Expr, const_name("Expr"))
  bool from_python(handle source, uint32_t, cleanup_list*) noexcept {
    const voxloom::python::PyExpr* const held = voxloom::python::unwrap(source);
    if (held == nullptr) return false;
    value = held->expr;
    return true;
  }
  static handle from_cpp(const voxloom::Expr& expr, rv_policy, cleanup_list*) noexcept {
    try {
      return voxloom::python::wrap(expr).release();
    } catch (...) { return {}; }
  }
};

template <> struct type_caster<voxloom::python::OperandArg> {
  NB_TYPE_CASTER(voxloom::python::OperandArg, const_name("Operand"))
  bool from_python(handle source, uint32_t, cleanup_list*) noexcept {
    value.object = source;
    return true;
  }
  static handle from_cpp(const voxloom::python::OperandArg&, rv_policy, cleanup_list*) noexcept { return {}; }
};

template <> struct type_caster<voxloom::python::DTypeArg> {
  NB_TYPE_CASTER(voxloom::python::DTypeArg, const_name("DTypeLike"))
  bool from_python(handle source, uint32_t, cleanup_list*) noexcept {
    value.object = source;
    return true;
  }
  static handle from_cpp(const voxloom::python::DTypeArg&, rv_policy, cleanup_list*) noexcept { return {}; }
};

}  // namespace nanobind::detail
