// ops/reduce_types.h: dtypes of reductions: accumulators and results.
#pragma once

#include <voxloom/graph/dtype.h>
#include <voxloom/ops/policy.h>

namespace voxloom::ops {

/// In what sums and products accumulate: float64 (complex128) for floats; i64 for booleans and integers, exact up to 32 bits; u64 for u64.
constexpr DType sum_accumulator(DType t) {
  if (is_float(t)) return DType::f64;
  if (is_complex(t)) return DType::c128;
  return t == DType::u64 ? DType::u64 : DType::i64;
}
/// A sum's own dtype for floats, the accumulator's for integers.
constexpr DType sum_result(DType t) { return is_float(t) || is_complex(t) ? t : sum_accumulator(t); }
/// Means of 64-bit integers accumulate in float64; others as sums.
constexpr DType mean_accumulator(DType t) { return is_integer(t) && size_of(t) == 8 ? DType::f64 : sum_accumulator(t); }
/// Means, variances and deviations of integers are floatX (of voxels from 32 bits on float64).
inline DType mean_result(DType t, bool image, const Policy& policy) {
  if (image && is_integer(t)) return voxel_float(t, policy);
  if (t == DType::boolean) return policy.cast_policy == CastPolicy::floatX ? policy.floatX : DType::f64;
  return is_integer(t) && policy.cast_policy == CastPolicy::numpy ? DType::f64 : float_of(t, policy);
}

}  // namespace voxloom::ops
