// ops/index_rule.h: NumPy's meaning of an index in an array of integers.
#pragma once

#include <voxloom/ops/builder.h>

namespace voxloom::ops {

/// An index counted from the front (i64), and whether it exists in an axis of `size`. Signed ones count from the end when they are negative;
/// unsigned ones above INT64_MAX become that.
template <class B> struct FrontIndex {
  typename B::V index, inside;
};
template <class B> FrontIndex<B> front_index(B& b, typename B::V given, typename B::V size) {
  const auto zero = b.lit_int(DType::i64, 0), wide = b.cast(DType::i64, given);
  auto index = wide;
  if (is_signed_int(given.dtype)) index = b.select(b.lt(wide, zero), b.add(wide, size), wide);
  if (given.dtype == DType::u64) index = b.select(b.lt(wide, zero), b.lit_int(DType::i64, INT64_MAX), wide);
  return {index, b.bit_and(b.le(zero, index), b.lt(index, size))};
}

}  // namespace voxloom::ops
