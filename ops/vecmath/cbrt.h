// ops/vecmath/cbrt.h: cbrt, and hypot.
#pragma once

#include <voxloom/ops/vecmath/common.h>

namespace voxloom::ops {
namespace vm {

/// About a^(-1/3), relative error below 4 %: the exponent and leading bits, taken as one number, times -1/3. The product is formed in
/// floats: adding magic leaves it, rounded, in the low bits.
template <class B> typename B::V inverse_cbrt_guess(B& b, typename B::V a) {
  if (a.dtype == DType::f32) {
    // bits ~ 0x54a2fa8e - i / 3 in units of 256.
    const auto i = b.cast(DType::f32, b.bitcast(DType::i32, a));
    const auto z = b.fma(i, b.lit(DType::f32, -1.0 / 768), b.lit(DType::f32, 0x1.8p23 + (1419966094.0 - 1073741824.0) / 256));
    return b.bitcast(DType::f32, b.shl(b.bitcast(DType::i32, z), b.lit_int(DType::i32, 8)));
  }
  // The upper 32 bits as an integer below 2^31, through the pattern of 2^52.
  const DType t = DType::f64;
  const auto upper = b.shr(b.bitcast(DType::u64, a), b.lit_int(DType::u64, 32));
  const auto i = b.sub(b.bitcast(t, b.bit_or(upper, b.lit_bits(DType::u64, bits_of(t, 0x1p52)))), b.lit(t, 0x1p52));
  const auto z = b.fma(i, b.lit(t, -1.0 / 3), b.lit(t, 0x1.8p52 + 1430194557.0));
  return b.bitcast(t, b.shl(b.bitcast(DType::u64, z), b.lit_int(DType::u64, 32)));
}
/// One step of r (1 + e/3 + 2 e^2/9 + 14 e^3/81), e = 1 - a r^3, towards a^(-1/3).
template <class B> typename B::V refine_inverse_cbrt(B& b, typename B::V a, typename B::V r, int terms) {
  const DType t = a.dtype;
  const auto e = b.fma(b.neg(b.mul(r, r)), b.mul(a, r), b.lit(t, 1));
  auto p = b.fma(e, b.lit(t, 2.0 / 9), b.lit(t, 1.0 / 3));
  if (terms == 3) p = b.fma(b.fma(e, b.lit(t, 14.0 / 81), b.lit(t, 2.0 / 9)), e, b.lit(t, 1.0 / 3));
  return b.fma(b.mul(r, e), p, r);
}
}  // namespace vm

/// Inverse cube root without division, refined to half precision (f64: beyond), y = a r^2, and one Newton step on y^3 = a.
template <class B> typename B::V cbrt_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const Format f = format_of(t);
  const auto magnitude = b.abs(x);
  const auto small = b.lt(magnitude, b.lit(t, f.min_normal));
  const auto a = b.select(small, b.mul(magnitude, b.lit(t, pick(t, 0x1p24, 0x1p54))), magnitude);
  auto r = refine_inverse_cbrt(b, a, inverse_cbrt_guess(b, a), 3);
  if (t == DType::f64) r = refine_inverse_cbrt(b, a, r, 2);
  const auto r2 = b.mul(r, r);
  const auto y = b.mul(a, r2);
  const auto error = b.fma(b.neg(b.mul(y, y)), y, a);
  const auto root = b.fma(b.mul(error, r2), b.lit(t, 1.0 / 3), y);
  const auto scaled = b.select(small, b.mul(root, b.lit(t, pick(t, 0x1p-8, 0x1p-18))), root);
  const auto usual = b.lt(b.mul(magnitude, b.lit(t, 0)), b.lit(t, 1));  // Finite.
  const auto special = b.eq(x, b.lit(t, 0));
  return with_sign(b, b.select(special, magnitude, b.select(usual, scaled, magnitude)), sign_of(b, x));
}

/// sqrt(x^2 + y^2), scaled by a power of two where squares would leave the range; the larger square keeps its rounding error.
template <class B> typename B::V hypot_(B& b, typename B::V x, typename B::V y) {
  using namespace vm;
  const DType t = x.dtype;
  const auto ax = b.abs(x), ay = b.abs(y);
  const auto swap = b.lt(ax, ay);
  const auto big = b.select(swap, ay, ax), small = b.select(swap, ax, ay);
  const auto huge = b.lt(b.lit(t, pick(t, 0x1p60, 0x1p500)), big), tiny = b.lt(big, b.lit(t, pick(t, 0x1p-50, 0x1p-450)));
  const auto scale_of = [&](double down, double up) { return b.select(huge, b.lit(t, down), b.select(tiny, b.lit(t, up), b.lit(t, 1))); };
  const auto scale = scale_of(pick(t, 0x1p-70, 0x1p-600), pick(t, 0x1p100, 0x1p600));
  const auto back = scale_of(pick(t, 0x1p70, 0x1p600), pick(t, 0x1p-100, 0x1p-600));
  const auto u = b.mul(big, scale), v = b.mul(small, scale);
  const auto square = b.mul(u, u);
  const auto error = b.fma(u, u, b.neg(square));
  const auto sum = b.add(square, b.fma(v, v, error));
  const auto root = b.mul(b.sqrt(sum), back);
  const auto inf = b.lit(t, infinity);
  return b.select(b.bit_or(b.eq(ax, inf), b.eq(ay, inf)), inf, root);
}

}  // namespace voxloom::ops
