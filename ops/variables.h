// ops/variables.h: the leaves users start from: variables of every rank and dtype, image variables, constants.
#pragma once

#include <voxloom/ops/build.h>

#include <complex>
#include <cstring>
#include <source_location>
#include <string>
#include <vector>

namespace voxloom {

/// A variable bound at each call. Sizes: numbers, symbols ("n": equal names are equal sizes) or dims.
VOXLOOM_API Expr tensor(std::string name, DType dtype, const Sizes& shape, std::source_location where = std::source_location::current());
/// A variable whose axes have names (x fastest in memory); integer voxels compute in floats.
VOXLOOM_API Expr image_input(std::string name, DType dtype, const Sizes& shape, std::vector<std::string> axis_names,
                             std::source_location where = std::source_location::current());

namespace detail {
/// Without a shape every axis has a symbol of its own; `unit` is the axis of row() and col() that has size 1.
VOXLOOM_API Expr variable(const char* function, DType dtype, int rank, int unit, std::string name, const Sizes& shape,
                          const std::source_location& where);
}  // namespace detail

#define VOXLOOM_VARIABLE(function, dtype, rank, unit)                                                                                  \
  inline Expr function(std::string name = {}, const Sizes& shape = {}, std::source_location where = std::source_location::current()) { \
    return detail::variable(#function, dtype, rank, unit, std::move(name), shape, where);                                              \
  }
// row() has shape (1, n), col() (n, 1): their axis of size 1 broadcasts.
// clang-format off
#define VOXLOOM_VARIABLES(prefix, dtype)          \
  VOXLOOM_VARIABLE(prefix##scalar, dtype, 0, -1)  \
  VOXLOOM_VARIABLE(prefix##vector, dtype, 1, -1)  \
  VOXLOOM_VARIABLE(prefix##row, dtype, 2, 0)      \
  VOXLOOM_VARIABLE(prefix##col, dtype, 2, 1)      \
  VOXLOOM_VARIABLE(prefix##matrix, dtype, 2, -1)  \
  VOXLOOM_VARIABLE(prefix##tensor3, dtype, 3, -1) \
  VOXLOOM_VARIABLE(prefix##tensor4, dtype, 4, -1) \
  VOXLOOM_VARIABLE(prefix##tensor5, dtype, 5, -1)
// clang-format on
VOXLOOM_VARIABLES(, current_policy().floatX)
VOXLOOM_VARIABLES(b, DType::i8)
VOXLOOM_VARIABLES(w, DType::i16)
VOXLOOM_VARIABLES(i, DType::i32)
VOXLOOM_VARIABLES(l, DType::i64)
VOXLOOM_VARIABLES(ub, DType::u8)
VOXLOOM_VARIABLES(uw, DType::u16)
VOXLOOM_VARIABLES(ui, DType::u32)
VOXLOOM_VARIABLES(ul, DType::u64)
VOXLOOM_VARIABLES(f, DType::f32)
VOXLOOM_VARIABLES(d, DType::f64)
VOXLOOM_VARIABLES(c, DType::c64)
VOXLOOM_VARIABLES(z, DType::c128)
#undef VOXLOOM_VARIABLES
#undef VOXLOOM_VARIABLE

/// A copy of the view's elements; its dtype is not weak.
VOXLOOM_API Expr constant(const StridedView& data, Order order = Order::C, std::source_location where = std::source_location::current());
/// A scalar of that dtype.
VOXLOOM_API Expr constant(const Operand& value, DType dtype);
/// An array of that shape, last axis fastest.
template <class T>
Expr constant(const std::vector<T>& values, std::vector<int64_t> shape, std::source_location where = std::source_location::current()) {
  std::vector<T> copy = values;
  StridedView view{reinterpret_cast<std::byte*>(copy.data()), dtype_of<T>, std::move(shape), {}, false};
  view.strides = dense_strides(view.shape, sizeof(T), false);
  if (view.size() != static_cast<int64_t>(values.size()))
    fail_user(ErrorCode::shape, "constant", std::to_string(values.size()) + " values for " + std::to_string(view.size()) + " elements",
              origin_of(where));
  return constant(view, Order::C, where);
}

}  // namespace voxloom
