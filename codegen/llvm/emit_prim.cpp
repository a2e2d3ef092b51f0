// codegen/llvm/emit_prim.cpp: the primitives, bit for bit those of eval_prim().
#include <voxloom/codegen/llvm/emit_prim.h>
#include <voxloom/graph/error.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

namespace voxloom::codegen {

namespace {

using ops::Prim;
using V = Ir::V;
using T = Ir::T;

bool is_unsigned_like(DType t) { return is_unsigned_int(t) || t == DType::boolean; }
unsigned bits_in(DType t) { return static_cast<unsigned>(8 * size_of(t)); }

class PrimEmitter {
 public:
  PrimEmitter(Ir& ir, bool avx512, const PrimArgs& args)
      : ir_(ir), avx512_(avx512), x_(args), b_(ir.builder()), type_(LLVMTypeOf(args.a)), lanes_(Ir::lanes_of(args.a)) {}

  V emit(Prim op) {
    switch (op) {
      case Prim::add:
      case Prim::sub:
      case Prim::mul:
      case Prim::div:
      case Prim::neg:
      case Prim::abs: return arithmetic(op);
      case Prim::sqrt: return unary("llvm.sqrt");
      case Prim::floor: return unary("llvm.floor");
      case Prim::ceil: return unary("llvm.ceil");
      case Prim::trunc: return unary("llvm.trunc");
      case Prim::rint: return unary("llvm.roundeven");
      case Prim::fma: return ir_.intrinsic("llvm.fma", {type_}, {x_.a, x_.b, x_.c});
      case Prim::minimum:
      case Prim::maximum: return is_float(x_.arg_type) ? float_extremum(op == Prim::minimum) : int_extremum(op == Prim::minimum);
      case Prim::idiv:
      case Prim::imod: return division(op);
      case Prim::eq:
      case Prim::ne:
      case Prim::lt:
      case Prim::le: return compare(op);
      case Prim::select: return ir_.select(x_.a, x_.b, x_.c);
      case Prim::bit_and: return ir_.bit_and(x_.a, x_.b);
      case Prim::bit_or: return ir_.bit_or(x_.a, x_.b);
      case Prim::bit_xor: return ir_.bit_xor(x_.a, x_.b);
      case Prim::bit_not: return LLVMBuildNot(b_, x_.a, "");
      case Prim::shl:
      case Prim::shr: return shift(op == Prim::shl);
      case Prim::cast: return cast();
      case Prim::bitcast: return x_.arg_type == DType::boolean || x_.type == DType::boolean ? cast_bits() : ir_.bitcast(x_.a, to_type());
      case Prim::lookup: return lookup();
      case Prim::scale: return scale();
      case Prim::literal:
      case Prim::rare: break;
    }
    fail_internal("a primitive that is not an instruction of one value");
  }

 private:
  V unary(std::string_view name) { return ir_.intrinsic(name, {type_}, {x_.a}); }
  T to_type() { return ir_.vector(ir_.value_type(x_.type), lanes_); }

  V arithmetic(Prim op) {
    const bool real = is_float(x_.arg_type);
    switch (op) {
      case Prim::add: return real ? LLVMBuildFAdd(b_, x_.a, x_.b, "") : ir_.add(x_.a, x_.b);
      case Prim::sub: return real ? LLVMBuildFSub(b_, x_.a, x_.b, "") : ir_.sub(x_.a, x_.b);
      case Prim::mul: return real ? LLVMBuildFMul(b_, x_.a, x_.b, "") : ir_.mul(x_.a, x_.b);
      case Prim::div: return LLVMBuildFDiv(b_, x_.a, x_.b, "");
      case Prim::neg: return real ? LLVMBuildFNeg(b_, x_.a, "") : LLVMBuildNeg(b_, x_.a, "");
      default: break;
    }
    if (real) return unary("llvm.fabs");
    return is_signed_int(x_.arg_type) ? ir_.intrinsic("llvm.abs", {type_}, {x_.a, LLVMConstInt(ir_.int_type(1), 0, 0)}) : x_.a;
  }

  V int_extremum(bool least) {
    if (x_.arg_type == DType::boolean) return least ? ir_.bit_and(x_.a, x_.b) : ir_.bit_or(x_.a, x_.b);
    const bool is_signed = is_signed_int(x_.arg_type);
    return ir_.intrinsic(least ? (is_signed ? "llvm.smin" : "llvm.umin") : (is_signed ? "llvm.smax" : "llvm.umax"), {type_}, {x_.a, x_.b});
  }

  // The x86 instructions give their second operand on NaN and on equality, so both orders m and w together hold all that is needed: they
  // differ only for zeros of two signs and for NaN. minimum = m | w: the sign of -0 stays, NaN | number is a NaN.
  // maximum wants the sign by "and" and a NaN by "or": the majority of m, w and ~sign bit (one vpternlog), or "and" with all ones where
  // the operands are unordered.
  V float_extremum(bool least) {
    const LLVMRealPredicate p = least ? LLVMRealOLT : LLVMRealOGT;
    const T as_int = ir_.int_like(type_);
    const V m = ir_.bitcast(ir_.select(ir_.fcmp(p, x_.a, x_.b), x_.a, x_.b), as_int);
    const V w = ir_.bitcast(ir_.select(ir_.fcmp(p, x_.b, x_.a), x_.b, x_.a), as_int);
    if (least) return ir_.bitcast(ir_.bit_or(m, w), type_);
    const V both = ir_.bit_and(m, w);
    V result;
    if (avx512_ && lanes_ > 1) {
      const unsigned bits = LLVMGetIntTypeWidth(Ir::element_of(as_int));
      result = ir_.bit_or(both, ir_.bit_and(ir_.bit_or(m, w), ir_.int_constant(as_int, ~(uint64_t{1} << (bits - 1)))));
    } else {
      result = ir_.bit_or(both, LLVMBuildSExt(b_, ir_.fcmp(LLVMRealUNO, x_.a, x_.b), as_int, ""));
    }
    return ir_.bitcast(result, type_);
  }

  V compare(Prim op) {
    if (is_float(x_.arg_type)) {
      const LLVMRealPredicate p = op == Prim::eq ? LLVMRealOEQ : op == Prim::ne ? LLVMRealUNE : op == Prim::lt ? LLVMRealOLT : LLVMRealOLE;
      return ir_.fcmp(p, x_.a, x_.b);
    }
    const bool u = is_unsigned_like(x_.arg_type);
    const LLVMIntPredicate p = op == Prim::eq   ? LLVMIntEQ
                               : op == Prim::ne ? LLVMIntNE
                               : op == Prim::lt ? (u ? LLVMIntULT : LLVMIntSLT)
                                                : (u ? LLVMIntULE : LLVMIntSLE);
    return ir_.icmp(p, x_.a, x_.b);
  }

  V shift(bool left) {
    const V width = ir_.int_constant(type_, bits_in(x_.type)), inside = ir_.icmp(LLVMIntULT, x_.b, width);
    if (!left && is_signed_int(x_.type)) {
      return LLVMBuildAShr(b_, x_.a, ir_.select(inside, x_.b, ir_.int_constant(type_, bits_in(x_.type) - 1)), "");
    }
    const V shifted = left ? LLVMBuildShl(b_, x_.a, x_.b, "") : LLVMBuildLShr(b_, x_.a, x_.b, "");
    return ir_.select(inside, shifted, ir_.zero(type_));
  }

  /// Truncated quotient for a divisor that is neither 0 nor -1. x86 has no vector division of integers: up to 32 bits the quotient of the
  /// nearest float type with twice the bits is exact after truncation, its error being smaller than the distance 1/b to the next integer.
  V quotient(V a, V b) {
    const bool is_signed = is_signed_int(x_.type);
    if (lanes_ == 1 || bits_in(x_.type) == 64 || LLVMIsConstant(b))
      return is_signed ? LLVMBuildSDiv(b_, a, b, "") : LLVMBuildUDiv(b_, a, b, "");
    const T real = ir_.vector(ir_.value_type(bits_in(x_.type) == 32 ? DType::f64 : DType::f32), lanes_);
    if (is_signed) {
      return LLVMBuildFPToSI(b_, LLVMBuildFDiv(b_, LLVMBuildSIToFP(b_, a, real, ""), LLVMBuildSIToFP(b_, b, real, ""), ""), type_, "");
    }
    return LLVMBuildFPToUI(b_, LLVMBuildFDiv(b_, LLVMBuildUIToFP(b_, a, real, ""), LLVMBuildUIToFP(b_, b, real, ""), ""), type_, "");
  }

  V division(Prim op) {
    const V zero = ir_.zero(type_), one = ir_.int_constant(type_, 1);
    const V by_zero = ir_.icmp(LLVMIntEQ, x_.b, zero);
    if (!is_signed_int(x_.type)) {
      const V b = ir_.select(by_zero, one, x_.b), q = quotient(x_.a, b);
      return op == Prim::idiv ? ir_.select(by_zero, zero, q) : ir_.sub(x_.a, ir_.mul(q, b));
    }
    const V by_minus_one = ir_.icmp(LLVMIntEQ, x_.b, LLVMConstAllOnes(type_));
    const V b = ir_.select(ir_.bit_or(by_zero, by_minus_one), one, x_.b), q = quotient(x_.a, b), r = ir_.sub(x_.a, ir_.mul(q, b));
    const V down = ir_.bit_and(ir_.icmp(LLVMIntNE, r, zero), ir_.icmp(LLVMIntSLT, ir_.bit_xor(r, b), zero));
    if (op == Prim::imod) return ir_.select(down, ir_.add(r, b), r);
    const V floored = ir_.add(q, LLVMBuildSExt(b_, down, type_, ""));
    return ir_.select(by_zero, zero, ir_.select(by_minus_one, ir_.sub(zero, x_.a), floored));
  }

  V cast_bits() { return x_.type == DType::boolean ? LLVMBuildTrunc(b_, x_.a, to_type(), "") : LLVMBuildZExt(b_, x_.a, to_type(), ""); }

  V cast() {
    const DType from = x_.arg_type, to = x_.type;
    if (to == from) return x_.a;
    if (to == DType::boolean) {
      return is_float(from) ? ir_.fcmp(LLVMRealUNE, x_.a, ir_.zero(type_)) : ir_.icmp(LLVMIntNE, x_.a, ir_.zero(type_));
    }
    if (from == DType::boolean) {
      return is_float(to) ? ir_.select(x_.a, ir_.real_constant(to_type(), 1), ir_.zero(to_type())) : LLVMBuildZExt(b_, x_.a, to_type(), "");
    }
    if (is_float(from)) return is_float(to) ? LLVMBuildFPCast(b_, x_.a, to_type(), "") : float_to_int();
    if (is_float(to)) return is_signed_int(from) ? LLVMBuildSIToFP(b_, x_.a, to_type(), "") : LLVMBuildUIToFP(b_, x_.a, to_type(), "");
    if (bits_in(to) < bits_in(from)) return LLVMBuildTrunc(b_, x_.a, to_type(), "");
    if (bits_in(to) == bits_in(from)) return x_.a;
    return is_signed_int(from) ? LLVMBuildSExt(b_, x_.a, to_type(), "") : LLVMBuildZExt(b_, x_.a, to_type(), "");
  }

  /// Clamped before the conversion, since out of range it would be poison; "x > low ? x : low" turns NaN into low.
  V float_to_int() {
    const DType from = x_.arg_type, to = x_.type;
    const bool is_signed = is_signed_int(to);
    const int magnitude = static_cast<int>(bits_in(to)) - (is_signed ? 1 : 0), digits = from == DType::f32 ? 24 : 53;
    const double top = std::ldexp(1.0, magnitude);
    // The largest value that converts: top - 1 if the float type has it, otherwise the last float below top.
    const bool exact = magnitude <= digits;
    const double high = exact ? top - 1 : top - std::ldexp(1.0, magnitude - digits);
    const V low_v = ir_.real_constant(type_, is_signed ? -top : 0.0), high_v = ir_.real_constant(type_, high);
    const V raised = ir_.select(ir_.fcmp(LLVMRealOGT, x_.a, low_v), x_.a, low_v);
    const V clamped = ir_.select(ir_.fcmp(LLVMRealOLT, raised, high_v), raised, high_v);
    const T wide = bits_in(to) < 32 ? ir_.vector(ir_.int_type(32), lanes_) : to_type();
    V result = is_signed || bits_in(to) < 32 ? LLVMBuildFPToSI(b_, clamped, wide, "") : LLVMBuildFPToUI(b_, clamped, wide, "");
    if (!exact) {
      const uint64_t max = is_signed ? (uint64_t{1} << magnitude) - 1 : ~uint64_t{0};
      result = ir_.select(ir_.fcmp(LLVMRealOGE, x_.a, ir_.real_constant(type_, top)), ir_.int_constant(wide, max), result);
    }
    if (is_signed) result = ir_.select(ir_.fcmp(LLVMRealORD, x_.a, x_.a), result, ir_.zero(wide));
    return bits_in(to) < 32 ? LLVMBuildTrunc(b_, result, to_type(), "") : result;
  }

  /// f(operands' lanes [from, from + width)) for every `width` lanes, put together again.
  template <class F> V by_vectors(unsigned width, F&& f) {
    std::vector<V> parts;
    for (unsigned from = 0; from < lanes_; from += width) parts.push_back(f(from));
    return ir_.concat(parts.data(), static_cast<unsigned>(parts.size()));
  }

  /// One permutation of a register that holds the table (twice, if it has room), or a load for one lane.
  V lookup() {
    const ops::LookupTable& table = ops::lookup_tables[x_.imm];
    std::vector<V> values;
    const unsigned width = avx512_ && lanes_ >= 16 ? 16 : ops::lookup_size;
    for (unsigned k = 0; k < width; ++k)
      values.push_back(ir_.bits_constant(DType::f32, std::bit_cast<uint32_t>(table[k % ops::lookup_size])));
    const V constant = LLVMConstVector(values.data(), width);
    if (lanes_ == 1) return LLVMBuildExtractElement(b_, constant, ir_.bit_and(x_.a, ir_.c32(ops::lookup_size - 1)), "");
    if (lanes_ < width) return ir_.slice(permutation(constant, ir_.widen(x_.a, width)), 0, lanes_);
    return by_vectors(width, [&](unsigned from) { return permutation(constant, ir_.slice(x_.a, from, width)); });
  }
  V permutation(V table, V index) {
    return ir_.intrinsic(Ir::lanes_of(index) == 16 ? "llvm.x86.avx512.permvar.sf.512" : "llvm.x86.avx2.permps", {}, {table, index});
  }

  /// AVX-512 has an instruction; otherwise two multiplications as eval_prim does them.
  V scale() {
    const bool single = x_.type == DType::f32;
    const unsigned width = single ? 16 : 8;
    if (avx512_ && lanes_ >= width) {
      return by_vectors(width, [&](unsigned from) {
        const V x = ir_.slice(x_.a, from, width), k = ir_.slice(x_.b, from, width);
        return ir_.intrinsic(single ? "llvm.x86.avx512.mask.scalef.ps.512" : "llvm.x86.avx512.mask.scalef.pd.512", {},
                             {x, k, x, LLVMConstAllOnes(ir_.int_type(width)), ir_.c32(4)});
      });
    }
    const T as_int = ir_.int_like(type_);
    const V magic = ir_.real_constant(type_, single ? static_cast<double>(ops::scale_magic32) : ops::scale_magic64);
    const V sum = ir_.bitcast(LLVMBuildFAdd(b_, x_.b, magic, ""), as_int), half = LLVMBuildLShr(b_, sum, ir_.int_constant(as_int, 1), "");
    const auto power = [&](V k) { return ir_.bitcast(LLVMBuildShl(b_, k, ir_.int_constant(as_int, single ? 23 : 52), ""), type_); };
    return LLVMBuildFMul(b_, LLVMBuildFMul(b_, x_.a, power(half), ""), power(ir_.sub(sum, half)), "");
  }

  Ir& ir_;
  bool avx512_;
  PrimArgs x_;
  LLVMBuilderRef b_;
  T type_;
  unsigned lanes_;
};

}  // namespace

LLVMValueRef emit_prim(Ir& ir, bool avx512, Prim op, const PrimArgs& args) { return PrimEmitter(ir, avx512, args).emit(op); }

}  // namespace voxloom::codegen
