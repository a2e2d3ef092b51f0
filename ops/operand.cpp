// ops/operand.cpp: host numbers, and the dtypes they and the expressions take together.
#include <voxloom/graph/constant.h>
#include <voxloom/graph/leaf_ops.h>
#include <voxloom/ops/operand.h>
#include <voxloom/ops/policy.h>
#include <voxloom/ops/table.h>

#include <cstring>

namespace voxloom {
namespace {

DType default_real(const Policy& policy) { return policy.cast_policy == CastPolicy::numpy ? DType::f64 : policy.floatX; }

bool fits(int64_t value, DType t) {
  if (is_unsigned_int(t)) return value >= 0 && (size_of(t) == 8 || static_cast<uint64_t>(value) >> (8 * size_of(t)) == 0);
  return size_of(t) == 8 || (value >= -(int64_t{1} << (8 * size_of(t) - 1)) && value < int64_t{1} << (8 * size_of(t) - 1));
}

/// The smallest integer that holds the value: unsigned where `t` is and the value is not negative.
DType smallest_integer(int64_t value, DType t) {
  constexpr DType with_sign[] = {DType::i8, DType::i16, DType::i32, DType::i64},
                  without[] = {DType::u8, DType::u16, DType::u32, DType::u64};
  for (const DType candidate : value >= 0 && is_unsigned_int(t) ? without : with_sign)
    if (fits(value, candidate)) return candidate;
  return DType::i64;
}
Expr complex_constant(DType dtype, double re, double im, OriginId origin) {
  std::vector<std::byte> bytes(size_of(dtype));
  if (dtype == DType::c64) {
    const float parts[2] = {static_cast<float>(re), static_cast<float>(im)};
    std::memcpy(bytes.data(), parts, sizeof(parts));
  } else {
    const double parts[2] = {re, im};
    std::memcpy(bytes.data(), parts, sizeof(parts));
  }
  return make_constant(constant_op(), std::make_shared<ConstantPayload>(dtype, std::vector<int64_t>{}, std::move(bytes)), Order::C, {},
                       origin);
}

/// What a host number makes of the dtype of the expressions.
DType with_weak(DType t, bool has_strong, const Operand& x, const Policy& policy) {
  switch (x.weak()) {
    case Operand::Weak::no: return t;
    case Operand::Weak::integer:
      if (!has_strong || t == DType::boolean) return is_float(t) || is_complex(t) ? t : DType::i64;
      if (t == DType::u64 && x.integer() < 0)
        fail_user(ErrorCode::dtype, "operand", std::to_string(x.integer()) + " meets uint64, and no integer type holds both; cast one",
                  x.origin());
      return is_integer(t) && !fits(x.integer(), t) ? promote(t, smallest_integer(x.integer(), t), policy) : t;
    case Operand::Weak::real: return is_float(t) || is_complex(t) ? t : default_real(policy);
    case Operand::Weak::complex: return complex_of(is_float(t) || is_complex(t) ? t : default_real(policy));
  }
  return t;
}

bool is_arithmetic(Promotion rule) {
  return rule == Promotion::arithmetic || rule == Promotion::power || rule == Promotion::floating || rule == Promotion::division;
}

/// Images compute in floats where the row is arithmetic, or where integer voxels meet a fraction.
bool voxels_become_floats(Promotion rule, std::span<const Operand> operands) {
  if (is_arithmetic(rule)) return true;
  for (const Operand& x : operands) {
    if (x.weak() == Operand::Weak::real || x.weak() == Operand::Weak::complex) return true;
    if (!x.is_weak() && (is_float(x.expr().dtype()) || is_complex(x.expr().dtype()))) return true;
  }
  return false;
}

}  // namespace

Operand::Operand(const Expr& expr, Where where) : Operand(expr, origin_of(where)) {}
Operand::Operand(const Expr& expr, OriginId origin) : expr_(expr), origin_(origin) {
  if (!expr) fail_user(ErrorCode::usage, "operand", "the expression is empty", origin);
}
void Operand::set_boolean(bool value) { expr_ = make_scalar_bits(DType::boolean, value ? 1 : 0, origin_); }
void Operand::set_integer(int64_t value) {
  weak_ = Weak::integer;
  integer_ = value;
}
void Operand::set_unsigned(uint64_t value) {
  if (value > INT64_MAX) expr_ = make_scalar_bits(DType::u64, value, origin_);
  else set_integer(static_cast<int64_t>(value));
}
void Operand::set_real(double value) {
  weak_ = Weak::real;
  real_ = value;
}

Expr Operand::as_expr() const {
  const Policy policy = current_policy();
  switch (weak_) {
    case Weak::no: return expr_;
    case Weak::integer: return make_scalar_int(DType::i64, integer_, origin_);
    case Weak::real: return make_scalar(default_real(policy), real_, origin_);
    case Weak::complex: return as_expr(complex_of(default_real(policy)));
  }
  return expr_;
}

Expr Operand::as_expr(DType dtype) const {
  if (!is_weak()) return expr_.dtype() == dtype ? expr_ : make_node(op("cast"), {expr_}, {{"dtype", dtype}}, origin_);
  if (is_complex(dtype)) return complex_constant(dtype, real(), imag_, origin_);
  if (weak_ == Weak::complex)
    fail_user(ErrorCode::dtype, "operand", "a complex number where " + std::string(name_of(dtype)) + " is needed", origin_);
  if (dtype == DType::boolean) return make_scalar_bits(dtype, real() != 0 ? 1 : 0, origin_);
  if (is_integer(dtype) && weak_ == Weak::integer) {
    if (!fits(integer_, dtype))
      fail_user(ErrorCode::dtype, "operand", std::to_string(integer_) + " does not fit " + std::string(name_of(dtype)), origin_);
    return make_scalar_int(dtype, integer_, origin_);
  }
  if (is_integer(dtype)) fail_user(ErrorCode::dtype, "operand", "a fraction where " + std::string(name_of(dtype)) + " is needed", origin_);
  return make_scalar(dtype, real(), origin_);
}

DType common_dtype(const OpInfo& row, std::span<const Operand> operands) {
  const Policy policy = current_policy();
  const Promotion rule = row.promotion;
  const bool voxel_floats = voxels_become_floats(rule, operands);
  DType common = DType::boolean;
  bool has_strong = false;
  for (const Operand& x : operands) {
    if (x.is_weak()) continue;
    const DType t = voxel_floats && x.expr().type().is_image() ? voxel_float(x.expr().dtype(), policy) : x.expr().dtype();
    common = has_strong ? promote(common, t, policy) : t;
    has_strong = true;
  }
  for (const Operand& x : operands) common = with_weak(common, has_strong, x, policy);
  if (rule == Promotion::division && policy.cast_policy == CastPolicy::numpy && !is_float(common) && !is_complex(common)) return DType::f64;
  if (rule == Promotion::floating || rule == Promotion::division) return float_of(common, policy);
  if ((rule == Promotion::number || rule == Promotion::power) && common == DType::boolean) return DType::i8;
  return common;
}

Expr elementwise(const OpInfo& row, std::span<const Operand> operands, Attrs attrs) {
  const OriginId origin = operands.empty() ? OriginId{} : operands[0].origin();
  const auto count = static_cast<int>(operands.size());
  if (count < row.min_arity || count > row.max_arity)
    fail_user(ErrorCode::usage, row.name, "takes " + std::to_string(row.min_arity) + " operands, not " + std::to_string(count), origin);
  std::vector<Expr> inputs;
  inputs.reserve(operands.size());
  const bool choice = row.promotion == Promotion::choice;
  const DType common = row.promotion == Promotion::none || row.promotion == Promotion::logical
                           ? DType::boolean
                           : common_dtype(row, operands.subspan(choice ? 1 : 0));
  for (size_t k = 0; k < operands.size(); ++k) {
    if (row.promotion == Promotion::none) inputs.push_back(operands[k].as_expr());
    else inputs.push_back(operands[k].as_expr(choice && k == 0 ? DType::boolean : common));
  }
  return make_node(row, align(row.name, std::move(inputs), origin), std::move(attrs), origin);
}

Expr elementwise(const char* row, std::initializer_list<Operand> operands) {
  return elementwise(op(row), std::span(operands.begin(), operands.size()));
}

}  // namespace voxloom
