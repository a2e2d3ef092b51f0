// api/storage.cpp: saturating stores, the storage dtype of sums, and what no file can hold.
#include <voxloom/api/storage.h>

#include <voxloom/ops/build.h>
#include <voxloom/ops/variables.h>

#include <string>

namespace voxloom::detail {
namespace {

bool is_unsigned(DType t) { return t >= DType::u8 && t <= DType::u64; }
int bits_of(DType t) { return static_cast<int>(8 * size_of(t)); }
int64_t lowest(DType t) { return is_unsigned(t) ? 0 : INT64_MIN >> (64 - bits_of(t)); }
uint64_t highest(DType t) { return UINT64_MAX >> (64 - bits_of(t) + (is_unsigned(t) ? 0 : 1)); }

Expr saturated(const Expr& value, DType to) {
  const DType from = value.dtype();
  const auto bound = [&](int64_t n) { return Operand(constant(Operand(n), from), value->origin()); };
  Expr result = value;
  if (lowest(from) < lowest(to)) result = maximum(Operand(result, value->origin()), bound(lowest(to)));
  // Where the dtype's end does not fit int64, nothing is above it.
  if (highest(from) > highest(to)) result = minimum(Operand(result, value->origin()), bound(static_cast<int64_t>(highest(to))));
  return cast(result, to);
}

}  // namespace

Expr stored_as(const Expr& value, DType dtype) {
  const DType from = value.dtype();
  if (from == dtype) return value;
  if (is_complex(from) && !is_complex(dtype)) {
    fail_user(ErrorCode::dtype, "save",
              "the result is " + std::string(name_of(from)) + " and cannot be written as " + std::string(name_of(dtype)) +
                  "; take abs, real or imag first");
  }
  if (is_integer(dtype) && is_float(from)) return cast(rint(value), dtype);  // the cast saturates
  return is_integer(dtype) && is_integer(from) ? saturated(value, dtype) : cast(value, dtype);
}

DType default_storage(const Expr& value) {
  const Node* n = value.get();
  while (n->op().kind == OpKind::view) n = n->input(0).get();
  if (&n->op() != &op("sum") || (n->type().dtype != DType::i64 && n->type().dtype != DType::u64)) return value.dtype();
  const Type& from = n->input(0).type();
  if (from.dtype != DType::boolean && !is_integer(from.dtype)) return value.dtype();
  __int128 low = from.dtype == DType::boolean ? 0 : lowest(from.dtype), high = from.dtype == DType::boolean ? 1 : highest(from.dtype);
  for (const int64_t axis : n->attr_ints("axes")) {
    const int64_t extent = from.shape[static_cast<size_t>(axis)].constant();
    low *= extent, high *= extent;
    if (low < INT64_MIN || high > INT64_MAX) return value.dtype();
  }
  for (const DType t : {DType::i16, DType::i32}) {
    if (low >= lowest(t) && high <= static_cast<__int128>(highest(t))) return t;
  }
  return value.dtype();
}

void check_not_empty(const Expr& value) {
  const Type& type = value.type();
  for (size_t k = 0; k < type.shape.size(); ++k) {
    if (!type.shape[k].is_constant() || type.shape[k].constant() != 0) continue;
    const std::string name = type.names.empty() || type.names[k].empty() ? std::to_string(k) : type.names[k];
    fail_user(ErrorCode::shape, "save",
              "the result " + type.str() + " has no position along axis " + name + ", and no file holds an empty image", value->origin());
  }
}

}  // namespace voxloom::detail
