// ops/build_create.cpp: arrays out of nothing, and moves that are a take at computed indices.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/build.h>
#include <voxloom/ops/infer.h>

namespace voxloom {
namespace {

std::vector<Dim> checked_sizes(const char* function, const Sizes& sizes, OriginId origin) {
  std::vector<Dim> dims;
  for (const Size& size : sizes) {
    if (size.dim.is_constant() && size.dim.constant() < 0) fail_user(ErrorCode::shape, function, "a size of " + size.dim.str(), origin);
    dims.push_back(size.dim);
  }
  return dims;
}

/// The scalar repeated to that type's shape.
Expr filled(const Expr& scalar, const Type& type, OriginId origin) {
  Expr one = scalar;
  if (const ConstantPayload* constant = constant_of(*scalar)) {
    const std::span<const std::byte> bytes = constant->bytes();
    auto payload = std::make_shared<const ConstantPayload>(type.dtype, std::vector<int64_t>(type.shape.size(), 1),
                                                           std::vector<std::byte>(bytes.begin(), bytes.end()));
    one = make_constant(constant_op(), std::move(payload), type.order, type.names, origin);
  } else {
    one = dimshuffle(Operand(scalar, origin), std::vector<int>(type.shape.size(), -1));
  }
  return one.shape() == type.shape ? one : make_node(op("broadcast_to"), {one}, {{"shape", type.shape}}, origin);
}

Expr scalar_of(const char* function, const Operand& value, std::optional<DType> dtype) {
  const Expr scalar = dtype ? value.as_expr(*dtype) : value.as_expr();
  if (scalar.rank() != 0)
    fail_user(ErrorCode::shape, function, "the value has shape " + ops::shape_text(scalar.shape()) + "; a scalar is needed",
              value.origin());
  return scalar;
}

Expr iota(const Dim& size, OriginId origin) {
  return make_node(op("iota"), {}, {{"axis", int64_t{0}}, {"shape", std::vector<Dim>{size}}}, origin);
}

int64_t one_axis(const char* function, const Expr& x, const Axis& axis, OriginId origin) {
  return resolve_axes(function, x.type(), Axes{axis}, origin).front();
}

/// True where index j of the last axis is at most index i of the axis before it + k.
Expr lower_part(const char* function, const Expr& x, int64_t k, OriginId origin) {
  if (x.rank() < 2)
    fail_user(ErrorCode::shape, function, "needs a matrix or a stack of them, not rank " + std::to_string(x.rank()), origin);
  const auto rank = static_cast<size_t>(x.rank());
  const Expr i = iota(x.shape()[rank - 2], origin), j = iota(x.shape()[rank - 1], origin);
  return ge(expand_dims(Operand(i, origin), 1) + Operand(k, origin), j);
}

}  // namespace

Expr full(const Sizes& shape, const Operand& value, std::optional<DType> dtype) {
  const Expr scalar = scalar_of("full", value, dtype);
  return filled(scalar, {scalar.dtype(), checked_sizes("full", shape, value.origin()), Order::C, {}}, value.origin());
}
Expr zeros(const Sizes& shape, std::optional<DType> dtype) { return full(shape, 0, dtype.value_or(current_policy().floatX)); }
Expr ones(const Sizes& shape, std::optional<DType> dtype) { return full(shape, 1, dtype.value_or(current_policy().floatX)); }

Expr full_like(const Operand& x, const Operand& value, std::optional<DType> dtype) {
  Type type = x.as_expr().type();
  type.dtype = dtype.value_or(type.dtype);
  return filled(scalar_of("full_like", value, type.dtype), type, x.origin());
}
Expr zeros_like(const Operand& x, std::optional<DType> dtype) { return full_like(x, 0, dtype); }
Expr ones_like(const Operand& x, std::optional<DType> dtype) { return full_like(x, 1, dtype); }

Expr arange(const Size& stop, std::source_location where) { return arange(0, stop, 1, where); }
Expr arange(const Size& start, const Size& stop, int64_t step, std::source_location where) {
  const OriginId origin = origin_of(where);
  if (step == 0) fail_user(ErrorCode::usage, "arange", "the step is 0", origin);
  const Dim distance = step > 0 ? stop.dim - start.dim : start.dim - stop.dim;
  const Dim count = max(ceil_div(distance, Dim(step > 0 ? step : -step)), Dim(0));
  Expr result = iota(count, origin);
  if (step != 1) result = Operand(result, origin) * Operand(step, origin);
  return start.dim == Dim(0) ? result : Operand(result, origin) + Operand(make_size(start.dim, origin), origin);
}

Expr eye(const Size& rows, std::optional<Size> columns, int64_t k, std::optional<DType> dtype, std::source_location where) {
  const OriginId origin = origin_of(where);
  const Expr i = iota(rows.dim, origin), j = iota(columns.value_or(rows).dim, origin);
  return cast(eq(expand_dims(Operand(i, origin), 1) + Operand(k, origin), j), dtype.value_or(current_policy().floatX));
}

Expr tril(const Operand& x, int64_t k) { return where(lower_part("tril", x.as_expr(), k, x.origin()), x, 0); }
Expr triu(const Operand& x, int64_t k) { return where(lower_part("triu", x.as_expr(), k - 1, x.origin()), 0, x); }

Expr roll(const Operand& x, int64_t shift, const Axis& axis) {
  const Expr value = x.as_expr();
  const int64_t at = one_axis("roll", value, axis, x.origin());
  const Dim& n = value.shape()[static_cast<size_t>(at)];
  const Expr from = Operand(iota(n, x.origin()), x.origin()) - Operand(shift, x.origin());
  return take(x, mod(Operand(from, x.origin()), make_size(n, x.origin())), static_cast<int>(at));
}

Expr repeat(const Operand& x, int64_t repeats, const Axis& axis) {
  if (repeats < 0) fail_user(ErrorCode::usage, "repeat", std::to_string(repeats) + " repeats", x.origin());
  const Expr value = x.as_expr();
  const int64_t at = one_axis("repeat", value, axis, x.origin());
  const Expr number = iota(value.shape()[static_cast<size_t>(at)] * Dim(repeats), x.origin());
  return take(x, floordiv(Operand(number, x.origin()), Operand(repeats, x.origin())), static_cast<int>(at));
}

Expr tile(const Operand& x, const std::vector<int64_t>& repeats) {
  Expr value = x.as_expr();
  while (value.rank() < static_cast<int>(repeats.size())) value = expand_dims(Operand(value, x.origin()), 0);
  const size_t first = static_cast<size_t>(value.rank()) - repeats.size();
  for (size_t k = 0; k < repeats.size(); ++k) {
    if (repeats[k] < 0) fail_user(ErrorCode::usage, "tile", std::to_string(repeats[k]) + " repeats", x.origin());
    if (repeats[k] == 1) continue;
    const Dim n = value.shape()[first + k];
    const Expr number = mod(Operand(iota(n * Dim(repeats[k]), x.origin()), x.origin()), make_size(n, x.origin()));
    value = take(Operand(value, x.origin()), number, static_cast<int>(first + k));
  }
  return value;
}

Expr pad(const Operand& x, const std::vector<std::pair<int64_t, int64_t>>& widths, const Operand& value) {
  const Expr inside = x.as_expr();
  if (static_cast<int>(widths.size()) != inside.rank())
    fail_user(ErrorCode::usage, "pad",
              std::to_string(widths.size()) + " pairs of widths for an operand of rank " + std::to_string(inside.rank()), x.origin());
  Type type = inside.type();
  std::vector<Dim> starts;
  for (size_t k = 0; k < widths.size(); ++k) {
    if (widths[k].first < 0 || widths[k].second < 0) fail_user(ErrorCode::usage, "pad", "a negative width", x.origin());
    starts.emplace_back(widths[k].first);
    type.shape[k] = type.shape[k] + Dim(widths[k].first + widths[k].second);
  }
  const Expr around = filled(scalar_of("pad", value, type.dtype), type, x.origin());
  std::vector<Dim> shape = inside.shape();
  for (size_t k = 0; k < shape.size(); ++k)
    if (widths[k].first == 0 && widths[k].second == 0) shape[k] = -1;
  return make_node(op("set_slice"), {around, inside},
                   {{"shape", std::move(shape)}, {"starts", std::move(starts)}, {"steps", std::vector<int64_t>(widths.size(), 1)}},
                   x.origin());
}

}  // namespace voxloom
