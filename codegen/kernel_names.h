// codegen/kernel_names.h: short names of dtypes and primitives for the printers of kernels.
#pragma once

#include <voxloom/ops/prim.h>

#include <iterator>

namespace voxloom::codegen {

/// "f32", "i16", "bool".
constexpr const char* short_name(DType t) {
  constexpr const char* names[] = {"bool", "i8",  "i16",  "i32", "i64", "u8",  "u16", "u32",
                                   "u64",  "f16", "bf16", "f32", "f64", "c64", "c128"};
  const auto k = static_cast<size_t>(t);
  return k < std::size(names) ? names[k] : "?";
}

inline constexpr int prim_count = static_cast<int>(ops::Prim::scale) + 1;

/// The enumerator's name.
constexpr const char* prim_name(ops::Prim p) {
  constexpr const char* names[] = {"literal", "add",     "sub",     "mul",    "div",     "neg",    "abs",     "sqrt",    "fma",
                                   "minimum", "maximum", "floor",   "ceil",   "trunc",   "rint",   "idiv",    "imod",    "eq",
                                   "ne",      "lt",      "le",      "select", "bit_and", "bit_or", "bit_xor", "bit_not", "shl",
                                   "shr",     "cast",    "bitcast", "rare",   "lookup",  "scale"};
  static_assert(std::size(names) == static_cast<size_t>(prim_count));
  const auto k = static_cast<size_t>(p);
  return k < std::size(names) ? names[k] : "?";
}

}  // namespace voxloom::codegen
