// ops/builder.h: what op rows and vector math are written over: ScalarBuilder computes at once (the interpreter), RecordBuilder records
// instructions (compiled code). Both offer the same members, so one template serves both:
//   template <class B> typename B::V exp_(B& b, typename B::V x);
#pragma once

#include <voxloom/ops/prim.h>

#include <bit>
#include <cstdint>

namespace voxloom::ops {

/// A complex (or, with `re` alone, real) value.
template <class V> struct Cx {
  V re{}, im{};
};

/// A dtype with its bits in the low bytes; booleans are 0 or 1.
struct Scalar {
  DType dtype = DType::f32;
  uint64_t bits = 0;
};
/// Id of a recorded instruction.
struct Value {
  DType dtype = DType::f32;
  uint32_t id = 0;
};

/// The meaning of every primitive. `type` is the result's dtype; args are bit patterns of dtype `arg_type` (select and rare: of x and y; the mask is a boolean).
uint64_t eval_prim(Prim op, DType type, DType arg_type, uint64_t a, uint64_t b, uint64_t c, uint64_t imm);

/// Bits of a number in a dtype (rounded to nearest; integers wrap).
uint64_t bits_of(DType type, double value);
uint64_t bits_of_int(DType type, int64_t value);
double to_double(Scalar s);
int64_t to_int(Scalar s);

/// Where recorded instructions go.
class InstSink {
 public:
  virtual ~InstSink() = default;
  /// Returns the id of the instruction; may return an earlier equal one.
  virtual uint32_t emit(const Inst& inst) = 0;
  /// The bits when the id is a literal.
  virtual bool literal(uint32_t id, uint64_t& bits) const = 0;
};

/// Members shared by both builders; Derived offers V, `V emit(Prim, DType type, V a, V b, V c, imm)` and `V literal(DType, bits)`.
template <class Derived, class Val> class BuilderBase {
 public:
  using V = Val;
  V lit(DType t, double x) { return self().literal(t, bits_of(t, x)); }
  V lit_int(DType t, int64_t x) { return self().literal(t, bits_of_int(t, x)); }
  V lit_bits(DType t, uint64_t bits) { return self().literal(t, bits); }
  V boolean(bool x) { return self().literal(DType::boolean, x ? 1 : 0); }

  V add(V a, V b) { return op(Prim::add, a, b); }
  V sub(V a, V b) { return op(Prim::sub, a, b); }
  V mul(V a, V b) { return op(Prim::mul, a, b); }
  V div(V a, V b) { return op(Prim::div, a, b); }
  V neg(V a) { return op(Prim::neg, a); }
  V abs(V a) { return op(Prim::abs, a); }
  V sqrt(V a) { return op(Prim::sqrt, a); }
  V fma(V a, V b, V c) { return self().emit(Prim::fma, a.dtype, a, b, c, 0); }
  V minimum(V a, V b) { return op(Prim::minimum, a, b); }
  V maximum(V a, V b) { return op(Prim::maximum, a, b); }
  V floor(V a) { return op(Prim::floor, a); }
  V ceil(V a) { return op(Prim::ceil, a); }
  V trunc(V a) { return op(Prim::trunc, a); }
  V rint(V a) { return op(Prim::rint, a); }
  V idiv(V a, V b) { return op(Prim::idiv, a, b); }
  V imod(V a, V b) { return op(Prim::imod, a, b); }
  V eq(V a, V b) { return compare(Prim::eq, a, b); }
  V ne(V a, V b) { return compare(Prim::ne, a, b); }
  V lt(V a, V b) { return compare(Prim::lt, a, b); }
  V le(V a, V b) { return compare(Prim::le, a, b); }
  V gt(V a, V b) { return compare(Prim::lt, b, a); }
  V ge(V a, V b) { return compare(Prim::le, b, a); }
  V is_nan(V a) { return compare(Prim::ne, a, a); }
  V select(V c, V a, V b) { return self().emit(Prim::select, a.dtype, c, a, b, 0); }
  V bit_and(V a, V b) { return op(Prim::bit_and, a, b); }
  V bit_or(V a, V b) { return op(Prim::bit_or, a, b); }
  V bit_xor(V a, V b) { return op(Prim::bit_xor, a, b); }
  V bit_not(V a) { return op(Prim::bit_not, a); }
  V shl(V a, V n) { return op(Prim::shl, a, n); }
  V shr(V a, V n) { return op(Prim::shr, a, n); }
  V cast(DType to, V a) { return to == a.dtype ? a : self().emit(Prim::cast, to, a, a, a, 0); }
  V bitcast(DType to, V a) { return to == a.dtype ? a : self().emit(Prim::bitcast, to, a, a, a, 0); }
  V rare(int function, V mask, V otherwise, V x) {
    return self().emit(Prim::rare, otherwise.dtype, mask, otherwise, x, static_cast<uint64_t>(function));
  }
  /// Element `index` mod 8 of a table; `index` is i32.
  V lookup(int table, V index) { return self().emit(Prim::lookup, DType::f32, index, index, index, static_cast<uint64_t>(table)); }
  V scale(V x, V k) { return op(Prim::scale, x, k); }

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
  V op(Prim p, V a) { return self().emit(p, a.dtype, a, a, a, 0); }
  V op(Prim p, V a, V b) { return self().emit(p, a.dtype, a, b, b, 0); }
  V compare(Prim p, V a, V b) { return self().emit(p, DType::boolean, a, b, b, 0); }
};

class ScalarBuilder : public BuilderBase<ScalarBuilder, Scalar> {
 public:
  Scalar literal(DType t, uint64_t bits) { return {t, bits}; }
  Scalar emit(Prim p, DType type, Scalar a, Scalar b, Scalar c, uint64_t imm);
};

/// Records into a sink; operations on literals are folded with eval_prim.
class RecordBuilder : public BuilderBase<RecordBuilder, Value> {
 public:
  explicit RecordBuilder(InstSink& sink) : sink_(&sink) {}
  Value literal(DType t, uint64_t bits);
  Value emit(Prim p, DType type, Value a, Value b, Value c, uint64_t imm);

 private:
  InstSink* sink_;
};

}  // namespace voxloom::ops
