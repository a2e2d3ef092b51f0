// ops/prim.h: the primitive scalar instructions. Ops and vector math are built from these alone; a back end implements these rows.
#pragma once

#include <voxloom/graph/dtype.h>

#include <array>
#include <cstdint>

namespace voxloom::ops {

/// Semantics are those of eval_prim() in ops/scalar_builder.cpp, bit for bit (all NaNs count as equal).
/// Floats: IEEE 754, round to nearest even, subnormals kept. Integers: two's complement, wrapping.
// clang-format off
enum class Prim : uint8_t {
  literal,  ///< imm = bits of the value
  // arithmetic; operands and result of one dtype
  add, sub, mul,      ///< floats, integers (wrap)
  div,                ///< floats only
  neg, abs,           ///< abs(INT_MIN) = INT_MIN; floats clear the sign bit (NaN too)
  sqrt, fma,          ///< floats only; fma rounds once
  minimum, maximum,   ///< IEEE 754-2019 minimum/maximum: NaN propagates, -0 < +0
  floor, ceil, trunc, rint,  ///< floats only; rint = half to even
  idiv, imod,         ///< integers: floored; x // 0 = 0, x % 0 = 0, INT_MIN // -1 = INT_MIN
  // comparisons: operands of one dtype, boolean result; false on NaN except ne
  eq, ne, lt, le,
  select,             ///< select(boolean, x, y)
  // bits: booleans and integers
  bit_and, bit_or, bit_xor, bit_not,
  shl, shr,           ///< integers; count of the same dtype; count < 0 or >= width gives 0 (shr of a negative signed value: -1)
  // conversions
  cast,               ///< int->int wraps; float->int truncates, saturates, NaN -> 0; to boolean: x != 0; boolean -> 0/1; int->float rounds to nearest even
  bitcast,            ///< same size
  rare,               ///< rare(mask, y, x): mask ? scalar_function[imm](x) : y; for slow paths chosen by value alone
  lookup,             ///< lookup(i32 index) -> f32: lookup_tables[imm][index mod 8]
  scale,  ///< floats; scale(x, k) = x * 2^k rounded once, for whole |k| <= 252 (f32), 2044 (f64) and x 0, infinite or |x| >= 2^-100 (2^-960);
          ///< a NaN where x is NaN; no promise for other operands
};
// clang-format on

/// An instruction in SSA form: operands are ids of earlier instructions. `type` is the dtype of the result.
struct Inst {
  Prim op = Prim::literal;
  DType type = DType::f32;
  std::array<uint32_t, 3> args{};
  uint64_t imm = 0;
};

/// Number of operands.
constexpr int arity(Prim p) {
  switch (p) {
    case Prim::literal: return 0;
    case Prim::neg:
    case Prim::abs:
    case Prim::sqrt:
    case Prim::floor:
    case Prim::ceil:
    case Prim::trunc:
    case Prim::rint:
    case Prim::bit_not:
    case Prim::cast:
    case Prim::bitcast:
    case Prim::lookup: return 1;
    case Prim::fma:
    case Prim::select:
    case Prim::rare: return 3;
    default: return 2;
  }
}

/// Scalar functions for Prim::rare, by imm. The compiled code calls them by the symbol "voxloom_rare_<imm>".
using RareFunction = double (*)(double);
struct RareEntry {
  const char* name;
  RareFunction function;
};
extern const RareEntry rare_table[];
extern const int rare_count;

/// Constants for Prim::lookup, by imm: as many as the narrowest vector of f32 has lanes, so that one permutation finds them.
inline constexpr int lookup_size = 8;
using LookupTable = std::array<float, lookup_size>;
extern const LookupTable* const lookup_tables;
extern const int lookup_count;

/// For Prim::scale without an instruction of its own: adding it leaves k plus twice the exponent bias in the low bits.
inline constexpr float scale_magic32 = 0x1.8p23f + 254;
inline constexpr double scale_magic64 = 0x1.8p52 + 2046;

}  // namespace voxloom::ops
