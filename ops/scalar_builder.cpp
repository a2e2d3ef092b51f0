// ops/scalar_builder.cpp: evaluation of primitives and conversion between numbers and their bits.
#include <voxloom/ops/builder.h>
#include <voxloom/ops/prim_eval.h>

namespace voxloom::ops {

uint64_t eval_prim(Prim op, DType type, DType arg_type, uint64_t a, uint64_t b, uint64_t c, uint64_t imm) {
  return detail::eval_prim_inline(op, type, arg_type, a, b, c, imm);
}

Scalar ScalarBuilder::emit(Prim p, DType type, Scalar a, Scalar b, Scalar c, uint64_t imm) {
  const DType arg_type = p == Prim::select || p == Prim::rare ? c.dtype : a.dtype;
  return {type, detail::eval_prim_inline(p, type, arg_type, a.bits, b.bits, c.bits, imm)};
}

uint64_t bits_of(DType type, double value) {
  if (type == DType::f64) return detail::pack(value);
  if (type == DType::f32) return detail::pack(static_cast<float>(value));
  if (type == DType::boolean) return value != 0 ? 1 : 0;
  const double whole = std::nearbyint(value);
  if (!std::isfinite(whole)) return 0;
  // Two halves so that the conversion is defined; the remainder keeps the sign of `whole` and is below 2^64.
  const double remainder = std::fmod(whole, 0x1p64), magnitude = std::fabs(remainder);
  const uint64_t bits = static_cast<uint64_t>(magnitude);
  return bits_of_int(type, static_cast<int64_t>(remainder < 0 ? 0 - bits : bits));
}

uint64_t bits_of_int(DType type, int64_t value) {
  return detail::with_type(type, [&](auto t) { return detail::pack(detail::convert<decltype(t)>(value)); });
}

double to_double(Scalar s) { return detail::unpack<double>(eval_prim(Prim::cast, DType::f64, s.dtype, s.bits, 0, 0, 0)); }

int64_t to_int(Scalar s) { return detail::unpack<int64_t>(eval_prim(Prim::cast, DType::i64, s.dtype, s.bits, 0, 0, 0)); }

}  // namespace voxloom::ops
