// ops/float_mod.h: floored division and remainder of floats, over a builder.
#pragma once

#include <voxloom/ops/builder.h>

#include <cmath>

namespace voxloom::ops {

template <class V> struct QuotientRemainder {
  V quotient, remainder;
};

/// Python's divmod for floats. The remainder x - floor(x / y) * y is exact while |x / y| < 2^53 (float32 computes in float64); beyond that
/// the quotient is rounded and the remainder is 0. It has the sign of y. y = 0: quotient x / y, remainder NaN.
template <class B> QuotientRemainder<typename B::V> float_divmod(B& b, typename B::V x32, typename B::V y32) {
  const DType type = x32.dtype, wide = DType::f64;
  const auto x = b.cast(wide, x32), y = b.cast(wide, y32), zero = b.lit(wide, 0.0), infinity = b.lit(wide, HUGE_VAL);
  const auto ratio = b.div(x, y);
  const auto whole = b.trunc(ratio);
  // x - whole * y, rounded once: exact where `whole` is the true quotient or one above it, which the rounding of x / y can cause.
  auto rest = b.fma(b.neg(whole), y, x);
  const auto finite_by_infinite = b.bit_and(b.eq(b.abs(y), infinity), b.lt(b.abs(x), infinity));
  rest = b.select(finite_by_infinite, x, rest);
  const auto opposite = [&](auto p, auto q) { return b.ne(b.lt(p, zero), b.lt(q, zero)); };
  const auto too_far = b.bit_and(b.ne(rest, zero), opposite(rest, x));
  const auto step = b.select(b.lt(ratio, zero), b.lit(wide, -1.0), b.lit(wide, 1.0));
  rest = b.select(too_far, b.fma(step, y, rest), rest);
  auto quotient = b.select(too_far, b.sub(whole, step), whole);
  // From truncated to floored.
  const auto below = b.bit_and(b.ne(rest, zero), opposite(rest, y));
  rest = b.select(below, b.add(rest, y), rest);
  quotient = b.select(below, b.sub(quotient, b.lit(wide, 1.0)), quotient);

  const auto beyond = b.bit_and(b.le(b.lit(wide, 0x1p53), b.abs(ratio)), b.lt(b.abs(ratio), infinity));
  const auto zero_like_y = b.select(b.lt(y, zero), b.lit(wide, -0.0), zero);
  rest = b.select(b.bit_or(beyond, b.eq(rest, zero)), zero_like_y, rest);
  quotient = b.select(beyond, whole, b.select(b.eq(quotient, zero), b.mul(zero, ratio), quotient));
  const auto by_zero = b.eq(y, zero);
  const auto nan = b.bit_or(b.is_nan(rest), b.is_nan(ratio));
  const auto invalid = b.lit(wide, __builtin_nan(""));
  quotient = b.select(by_zero, ratio, b.select(nan, invalid, quotient));
  rest = b.select(b.bit_or(by_zero, nan), invalid, rest);
  return {b.cast(type, quotient), b.cast(type, rest)};
}

}  // namespace voxloom::ops
