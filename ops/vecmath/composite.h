// ops/vecmath/composite.h: sigmoid, softplus, logaddexp, xlogy, log1mexp, integer powers.
#pragma once

#include <voxloom/ops/vecmath/exp.h>
#include <voxloom/ops/vecmath/log.h>

namespace voxloom::ops {

/// e = e^-|x|: 1 / (1 + e) for x >= 0, e / (1 + e) below, so that small results keep their precision.
template <class B> typename B::V sigmoid_(B& b, typename B::V x) {
  const auto one = b.lit(x.dtype, 1);
  const auto e = vm::exp_of_negative(b, b.neg(b.abs(x)));
  return b.div(b.select(b.lt(x, b.lit(x.dtype, 0)), e, one), b.add(e, one));
}

namespace vm {
/// log(1 + e^d) for d <= 0.
template <class B> typename B::V log1p_exp(B& b, typename B::V d) { return log1p_finite(b, exp_of_negative(b, d)); }
}  // namespace vm

/// max(x, 0) + log1p(e^-|x|).
template <class B> typename B::V softplus_(B& b, typename B::V x) {
  const auto zero = b.lit(x.dtype, 0);
  const auto y = b.add(b.select(b.lt(zero, x), x, zero), vm::log1p_exp(b, b.neg(b.abs(x))));
  return b.select(b.is_nan(x), x, y);
}

/// max + log1p(e^-|x - y|); equal infinities have difference 0.
template <class B> typename B::V logaddexp_(B& b, typename B::V x, typename B::V y) {
  const auto d = b.select(b.eq(x, y), b.lit(x.dtype, 0), b.neg(b.abs(b.sub(x, y))));
  const auto larger = b.select(b.lt(x, y), y, x);
  const auto sum = b.add(larger, vm::log1p_exp(b, d));
  return b.select(b.is_nan(d), d, sum);
}

template <class B> typename B::V xlogy_(B& b, typename B::V x, typename B::V y) {
  const auto zero = b.lit(x.dtype, 0);
  const auto product = b.mul(x, log_(b, y));
  const auto is_zero = b.bit_and(b.eq(x, zero), b.eq(y, y));
  return b.select(is_zero, zero, product);
}

/// log(-expm1(x)) above -ln 2, log1p(-e^x) below. NaN for x > 0.
template <class B> typename B::V log1mexp_(B& b, typename B::V x) {
  const auto near_zero = log_(b, b.neg(expm1_(b, x)));
  const auto far = log1p_(b, b.neg(exp_(b, x)));
  return b.select(b.lt(b.lit(x.dtype, -0x1.62e430p-1), x), near_zero, far);
}

template <class B> typename B::V ipow_const_(B& b, typename B::V x, uint64_t n) {
  if (n == 0) return b.lit_int(x.dtype, 1);
  auto result = x;
  for (int bit = 62 - std::countl_zero(n); bit >= 0; --bit) {
    result = b.mul(result, result);
    if ((n >> bit & 1) != 0) result = b.mul(result, x);
  }
  return result;
}

/// All bits of n are used, one squaring each; the loop is unrolled at build time, its length is the width of the dtype.
template <class B> typename B::V ipow_(B& b, typename B::V x, typename B::V n) {
  const DType t = x.dtype;
  const auto zero = b.lit_int(t, 0), one = b.lit_int(t, 1);
  const int bits = static_cast<int>(8 * size_of(t)) - (is_signed_int(t) ? 1 : 0);
  auto result = one, square = x;
  for (int i = 0; i < bits; ++i) {
    const auto set = b.ne(b.bit_and(n, b.lit_bits(t, 1ULL << i)), zero);
    result = b.select(set, b.mul(result, square), result);
    square = b.mul(square, square);
  }
  if (!is_signed_int(t)) return result;
  const auto minus_one = b.lit_int(t, -1);
  const auto odd = b.ne(b.bit_and(n, one), zero);
  const auto unit = b.select(odd, x, one);
  const auto inverse = b.select(b.bit_or(b.eq(x, one), b.eq(x, minus_one)), unit, zero);
  return b.select(b.lt(n, zero), inverse, result);
}

}  // namespace voxloom::ops
