// ops/record_builder.cpp: RecordBuilder folds operations on literals and local identities that are exact for every value, then records.
#include <voxloom/ops/builder.h>

#include <optional>
#include <utility>

namespace voxloom::ops {
namespace {

constexpr bool is_commutative(Prim p) {
  return p == Prim::add || p == Prim::mul || p == Prim::minimum || p == Prim::maximum || p == Prim::eq || p == Prim::ne ||
         p == Prim::bit_and || p == Prim::bit_or || p == Prim::bit_xor;
}

/// The bits r for which `x p r` is x for every x (NaN stays NaN), if there is one: x + -0.0, x - 0.0, x * 1, x / 1, x << 0, ...
std::optional<uint64_t> right_identity(Prim p, DType t) {
  switch (p) {
    case Prim::add: return is_float(t) ? bits_of(t, -0.0) : 0;
    case Prim::sub:
    case Prim::bit_or:
    case Prim::bit_xor:
    case Prim::shl:
    case Prim::shr: return 0;
    case Prim::mul:
    case Prim::div:
    case Prim::idiv: return bits_of(t, 1.0);
    case Prim::bit_and: return bits_of_int(t, -1);
    default: return std::nullopt;
  }
}

}  // namespace

Value RecordBuilder::literal(DType t, uint64_t bits) {
  Inst inst;
  inst.type = t;
  inst.imm = bits;
  return {t, sink_->emit(inst)};
}

Value RecordBuilder::emit(Prim p, DType type, Value a, Value b, Value c, uint64_t imm) {
  uint64_t x = 0, y = 0, z = 0;
  const int n = arity(p);
  const bool lit_a = n > 0 && sink_->literal(a.id, x), lit_b = n > 1 && sink_->literal(b.id, y), lit_c = n > 2 && sink_->literal(c.id, z);
  const DType arg_type = p == Prim::select || p == Prim::rare ? c.dtype : a.dtype;
  if (n > 0 && lit_a && (n < 2 || lit_b) && (n < 3 || lit_c)) return literal(type, eval_prim(p, type, arg_type, x, y, z, imm));
  if (p == Prim::select) {
    if (lit_a) return x != 0 ? b : c;
    if (b.id == c.id) return b;
  }
  if (p == Prim::rare && lit_a && x == 0) return b;
  if (n == 2) {
    if (is_commutative(p) && ((lit_a && !lit_b) || (lit_a == lit_b && a.id > b.id))) {
      std::swap(a, b);
      std::swap(x, y);
    }
    const bool literal_right = lit_a || lit_b;  // A literal of a commutative operation is on the right by now.
    if (literal_right && (lit_b || is_commutative(p))) {
      const auto identity = right_identity(p, type);
      if (identity && *identity == y) return a;
    }
  }
  Inst inst;
  inst.op = p;
  inst.type = type;
  inst.imm = imm;
  if (n > 0) inst.args[0] = a.id;
  if (n > 1) inst.args[1] = b.id;
  if (n > 2) inst.args[2] = c.id;
  return {type, sink_->emit(inst)};
}

}  // namespace voxloom::ops
