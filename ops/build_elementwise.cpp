// ops/build_elementwise.cpp: operators and elementwise functions over elementwise().
#include <voxloom/graph/constant.h>
#include <voxloom/ops/build.h>

#include <cmath>
#include <limits>

namespace voxloom {
namespace {

/// D30: an integer array to a negative constant power is an error, as in NumPy.
void check_power(const Operand& x, const Operand& y) {
  const Operand operands[2] = {x, y};
  if (!is_integer(common_dtype(op("pow"), operands))) return;
  const bool negative = y.is_weak() ? y.integer() < 0 : uniform_value(*y.expr()).value_or(0) < 0;
  if (negative) fail_user(ErrorCode::dtype, "pow", "integers to a negative integer power; cast one of them to a float", x.origin());
}

}  // namespace

#define VOXLOOM_DEFINE(name) \
  Expr name(const Operand& x) { return elementwise(#name, {x}); }
VOXLOOM_UNARY_FUNCTIONS(VOXLOOM_DEFINE)
#undef VOXLOOM_DEFINE
#define VOXLOOM_DEFINE(name)                                           \
  Expr name(const Operand& x, const Operand& y) {                      \
    if constexpr (std::string_view(#name) == "pow") check_power(x, y); \
    return elementwise(#name, {x, y});                                 \
  }
VOXLOOM_BINARY_FUNCTIONS(VOXLOOM_DEFINE)
#undef VOXLOOM_DEFINE

Expr operator+(const Operand& x, const Operand& y) { return add(x, y); }
Expr operator-(const Operand& x, const Operand& y) { return sub(x, y); }
Expr operator*(const Operand& x, const Operand& y) { return mul(x, y); }
Expr operator/(const Operand& x, const Operand& y) { return div(x, y); }
Expr operator%(const Operand& x, const Operand& y) { return mod(x, y); }
Expr operator-(const Operand& x) { return neg(x); }
Expr operator<(const Operand& x, const Operand& y) { return lt(x, y); }
Expr operator<=(const Operand& x, const Operand& y) { return le(x, y); }
Expr operator>(const Operand& x, const Operand& y) { return gt(x, y); }
Expr operator>=(const Operand& x, const Operand& y) { return ge(x, y); }
Expr operator&(const Operand& x, const Operand& y) { return bit_and(x, y); }
Expr operator|(const Operand& x, const Operand& y) { return bit_or(x, y); }
Expr operator^(const Operand& x, const Operand& y) { return bit_xor(x, y); }
Expr operator~(const Operand& x) { return bit_not(x); }
Expr operator<<(const Operand& x, const Operand& y) { return shl(x, y); }
Expr operator>>(const Operand& x, const Operand& y) { return shr(x, y); }

Expr where(const Operand& condition, const Operand& x, const Operand& y) { return elementwise("where", {condition, x, y}); }
Expr clip(const Operand& x, const Operand& low, const Operand& high) { return elementwise("clip", {x, low, high}); }

Expr round(const Operand& x, int decimals) {
  if (decimals == 0) return rint(x);
  const double scale = std::pow(10.0, std::abs(decimals));
  const OriginId origin = x.origin();
  const auto scaled = [&](const Expr& value, bool up) {
    return elementwise(up ? "mul" : "div", {Operand(value, origin), Operand(scale, origin)});
  };
  Expr value = x.as_expr();
  return scaled(rint(Operand(scaled(value, decimals > 0), origin)), decimals < 0);
}

Expr nan_to_num(const Operand& x, double nan, std::optional<double> posinf, std::optional<double> neginf) {
  const OriginId origin = x.origin();
  Expr value = x.as_expr();
  if (!is_float(value.dtype())) {
    if (is_complex(value.dtype()))
      fail_user(ErrorCode::dtype, "nan_to_num", std::string(name_of(value.dtype())) + " is not supported", origin);
    return value;
  }
  const double largest =
      value.dtype() == DType::f32 ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
  const double infinity = std::numeric_limits<double>::infinity();
  const auto operand = [&](auto v) { return Operand(v, origin); };
  const Expr no_nan = where(operand(isnan(operand(value))), operand(nan), operand(value));
  const Expr no_high = where(operand(eq(operand(value), operand(infinity))), operand(posinf.value_or(largest)), operand(no_nan));
  return where(operand(eq(operand(value), operand(-infinity))), operand(neginf.value_or(-largest)), operand(no_high));
}

Expr cast(const Operand& x, DType dtype) {
  if (dtype == DType::f16 || dtype == DType::bf16)
    fail_user(ErrorCode::dtype, "cast", std::string(name_of(dtype)) + " is not supported", x.origin());
  return Operand(x.as_expr(), x.origin()).as_expr(dtype);
}

}  // namespace voxloom
