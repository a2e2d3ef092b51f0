// ops/vecmath/inverse_trig.h: atan, atan2, asin, acos.
#pragma once

#include <voxloom/ops/vecmath/coefficients.h>
#include <voxloom/ops/vecmath/common.h>

namespace voxloom::ops {
namespace vm {
inline constexpr double pi = 0x1.921fb54442d18p+1, pi_lo64 = 0x1.1a62633145c07p-53, pi_hi32 = 0x1.921fb6p+1, pi_lo32 = -0x1.777a5cp-24;

/// scale * pi, and the part that its rounding lost.
template <class B> typename B::V pi_high(B& b, DType t, double scale) { return num(b, t, pi_hi32 * scale, pi * scale); }
template <class B> typename B::V pi_low(B& b, DType t, double scale) { return num(b, t, pi_lo32 * scale, pi_lo64 * scale); }

/// atan t - t + extra for |t| <= 1. In f32 the rounding error of t^3 counts too, times the polynomial's value near 1.
template <class B> typename B::V atan_tail(B& b, typename B::V t, typename B::V extra) {
  const auto u = b.mul(t, t);
  const auto cube = b.mul(t, u);
  if (t.dtype == DType::f32) extra = b.fma(b.fma(t, u, b.neg(cube)), b.lit(t.dtype, -0.215), extra);
  return b.fma(cube, horner(b, u, atan_c32, atan_c64), extra);
}
/// asin t - t for |t| <= 1/2 and u = t^2.
template <class B> typename B::V asin_tail(B& b, typename B::V t, typename B::V u) {
  return b.mul(b.mul(t, u), horner(b, u, asin_c32, asin_c64));
}
}  // namespace vm

/// Above 1 pi/2 - atan(1/a); polynomial of degree 19 (f32) or 39 (f64); the sum pi/2 + t with its rounding error kept.
template <class B> typename B::V atan_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto a = at_most(b, b.abs(x), pick(t, 0x1p60, 0x1p200));  // Finite, so that the correction below is.
  const auto inverted = b.lt(b.lit(t, 1), a);
  const auto w = b.select(inverted, b.div(b.lit(t, -1), a), a);
  const auto zero = b.lit(t, 0);
  const auto base = b.select(inverted, pi_high(b, t, 0.5), zero);
  const auto high = b.add(base, w);
  const auto low = b.add(b.sub(base, high), w);
  // The quotient's rounding error e = w a + 1 counts with the slope 1 / (1 + w^2), which matters near 1, where it is a little above 1/2.
  const auto error = b.mul(b.fma(w, a, b.lit(t, 1)), w);
  const auto below = b.select(inverted, b.fma(error, b.lit(t, 0.53), pi_low(b, t, 0.5)), zero);
  const auto y = b.add(high, atan_tail(b, w, b.add(low, below)));
  return with_sign(b, y, sign_of(b, x));
}

/// atan(min / max) moved to its octant; the quotient's rounding error is corrected.
template <class B> typename B::V atan2_(B& b, typename B::V y, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto ax = b.abs(x), ay = b.abs(y);
  const auto zero = b.lit(t, 0), one = b.lit(t, 1);
  const auto steep = b.lt(ax, ay);
  const auto big = b.select(steep, ay, ax), small = b.select(steep, ax, ay);
  // 0/0 stands for 0 and inf/inf for 1; NaN in either argument stays.
  const auto quotient = b.div(small, big);
  const auto both_zero = b.eq(big, zero), both_inf = b.eq(small, b.lit(t, infinity));
  auto w = b.select(both_zero, zero, b.select(both_inf, one, quotient));
  const auto error = b.div(b.fma(b.neg(w), big, small), big);  // NaN only where an argument is 0 or infinite or NaN.
  const auto correction = b.select(b.lt(b.abs(error), one), error, zero);
  const auto negative = b.ne(b.bit_and(to_bits(b, x), sign_mask(b, t)), b.lit_int(format_of(t).bits, 0));
  // result = base + sign * (w + tail): sign flips when exactly one of steep and negative holds.
  const auto flip = b.bit_xor(steep, negative);
  const auto base_high = b.select(steep, pi_high(b, t, 0.5), b.select(negative, pi_high(b, t, 1), zero));
  const auto base_low = b.select(steep, pi_low(b, t, 0.5), b.select(negative, pi_low(b, t, 1), zero));
  const auto tail = b.fma(b.neg(b.mul(w, w)), correction, atan_tail(b, w, correction));
  const auto signed_w = b.select(flip, b.neg(w), w), signed_tail = b.select(flip, b.neg(tail), tail);
  const auto high = b.add(base_high, signed_w);
  const auto low = b.add(b.sub(base_high, high), signed_w);
  const auto angle = b.add(high, b.add(signed_tail, b.add(low, base_low)));
  const auto result = with_sign(b, b.abs(angle), sign_of(b, y));
  return b.select(b.is_nan(b.add(ax, ay)), b.add(x, y), result);
}

/// Up to 1/2 an odd polynomial; above pi/2 - 2 asin(sqrt((1 - a) / 2)).
template <class B> typename B::V asin_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto a = b.abs(x);
  const auto far = b.lt(b.lit(t, 0.5), a);
  const auto v = b.fma(b.neg(a), b.lit(t, 0.5), b.lit(t, 0.5));
  const auto root = b.sqrt(v);
  const auto w = b.select(far, root, a);
  const auto u = b.select(far, v, b.mul(a, a));
  const auto tail = asin_tail(b, w, u);
  const auto half_pi = pi_high(b, t, 0.5);
  const auto twice = b.add(root, root);
  const auto high = b.sub(half_pi, twice);
  const auto low = b.sub(b.sub(half_pi, high), twice);
  const auto complement = b.add(high, b.add(low, b.fma(b.lit(t, -2), tail, pi_low(b, t, 0.5))));
  return with_sign(b, b.select(far, complement, b.add(a, tail)), sign_of(b, x));
}

/// |x| <= 1/2: pi/2 - asin x; above 2 asin(sqrt((1 - a) / 2)), for negative x pi minus that.
template <class B> typename B::V acos_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto a = b.abs(x);
  const auto far = b.lt(b.lit(t, 0.5), a);
  const auto v = b.fma(b.neg(a), b.lit(t, 0.5), b.lit(t, 0.5));
  const auto root = b.sqrt(v);
  const auto w = b.select(far, root, x);
  const auto u = b.select(far, v, b.mul(a, a));
  const auto tail = asin_tail(b, w, u);
  const auto negative = b.lt(x, b.lit(t, 0));
  // base + factor * (w + tail)
  const auto factor = b.select(far, b.select(negative, b.lit(t, -2), b.lit(t, 2)), b.lit(t, -1));
  const auto beyond = b.select(negative, pi_high(b, t, 1), b.lit(t, 0)), beyond_low = b.select(negative, pi_low(b, t, 1), b.lit(t, 0));
  const auto base = b.select(far, beyond, pi_high(b, t, 0.5)), base_low = b.select(far, beyond_low, pi_low(b, t, 0.5));
  const auto step = b.mul(factor, w);
  const auto high = b.add(base, step);
  const auto low = b.add(b.sub(base, high), step);
  // Where base is 0 the larger term is `step`, and high is exact.
  return b.add(high, b.fma(factor, tail, b.add(low, base_low)));
}

}  // namespace voxloom::ops
