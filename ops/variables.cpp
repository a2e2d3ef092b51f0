// ops/variables.cpp: makes input and constant leaves.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/variables.h>

#include <algorithm>

namespace voxloom {
namespace {

std::vector<Dim> checked_shape(const char* function, const Sizes& shape, OriginId origin) {
  std::vector<Dim> dims;
  for (const Size& size : shape) {
    if (size.dim.is_constant() && size.dim.constant() < 0) fail_user(ErrorCode::shape, function, "a size of " + size.dim.str(), origin);
    dims.push_back(size.dim);
  }
  return dims;
}

void check_dtype(const char* function, DType dtype, OriginId origin) {
  if (dtype == DType::f16 || dtype == DType::bf16)
    fail_user(ErrorCode::dtype, function, std::string(name_of(dtype)) + " is not supported", origin);
}

}  // namespace

Expr tensor(std::string name, DType dtype, const Sizes& shape, std::source_location where) {
  const OriginId origin = origin_of(where);
  check_dtype("tensor", dtype, origin);
  return make_input(std::move(name), {dtype, checked_shape("tensor", shape, origin), Order::C, {}}, origin);
}

Expr image_input(std::string name, DType dtype, const Sizes& shape, std::vector<std::string> axis_names, std::source_location where) {
  const OriginId origin = origin_of(where);
  check_dtype("image_input", dtype, origin);
  if (axis_names.size() != shape.size())
    fail_user(ErrorCode::usage, "image_input",
              std::to_string(axis_names.size()) + " axis names for " + std::to_string(shape.size()) + " axes", origin);
  for (size_t k = 0; k < axis_names.size(); ++k)
    if (!axis_names[k].empty() && std::find(axis_names.begin(), axis_names.begin() + static_cast<std::ptrdiff_t>(k), axis_names[k]) !=
                                      axis_names.begin() + static_cast<std::ptrdiff_t>(k))
      fail_user(ErrorCode::usage, "image_input", "two axes are named " + axis_names[k], origin);
  return make_input(std::move(name), {dtype, checked_shape("image_input", shape, origin), Order::F, std::move(axis_names)}, origin);
}

Expr detail::variable(const char* function, DType dtype, int rank, int unit, std::string name, const Sizes& shape,
                      const std::source_location& where) {
  const OriginId origin = origin_of(where);
  std::vector<Dim> dims = checked_shape(function, shape, origin);
  if (shape.empty())
    for (int k = 0; k < rank; ++k) dims.push_back(k == unit ? Dim(1) : Dim::fresh());
  if (static_cast<int>(dims.size()) != rank)
    fail_user(ErrorCode::shape, function, "has rank " + std::to_string(rank) + ", not " + std::to_string(dims.size()), origin);
  return make_input(std::move(name), {dtype, std::move(dims), Order::C, {}}, origin);
}

Expr constant(const StridedView& data, Order order, std::source_location where) {
  return make_constant(constant_op(), data, order, {}, origin_of(where));
}

Expr constant(const Operand& value, DType dtype) { return value.as_expr(dtype); }

}  // namespace voxloom
