// ops/vecmath/exp.h: exp, exp2, expm1.
#pragma once

#include <voxloom/ops/vecmath/coefficients.h>
#include <voxloom/ops/vecmath/common.h>

namespace voxloom::ops {
namespace vm {

// ln 2 in two parts: the first is ln 2 rounded, so that x - k * ln2_hi is exact near the reduced range.
inline constexpr double ln2_hi32 = 0x1.62e430p-1, ln2_lo32 = -0x1.05c610p-29;
inline constexpr double ln2_hi64 = 0x1.62e42fefa39efp-1, ln2_lo64 = 0x1.abc9e3b39803fp-56;
inline constexpr double log2_e = 0x1.71547652b82fep+0;

/// A number p * 2^k, still to be rounded.
template <class V> struct Scaled {
  V p, k;
};
template <class B> typename B::V unscale(B& b, Scaled<typename B::V> x) { return b.scale(x.p, x.k); }

/// Range where the result is neither 0 nor infinity, a little widened.
template <class B> typename B::V clamp_exponent(B& b, typename B::V x, double low, double high) {
  return at_least(b, at_most(b, x, high), low);
}

/// 2^k as two factors that are normal numbers, |k| <= 252 (f32), 2044 (f64); for what Prim::scale does not cover.
template <class V> struct Factors {
  V first, second;
};
template <class B> Factors<typename B::V> factors_of_power(B& b, typename B::V k) {
  const Format f = format_of(k.dtype);
  const auto width = b.lit_int(f.bits, f.digits);
  const auto sum = to_bits(b, b.add(k, b.lit(k.dtype, f.magic + 2 * f.bias)));
  const auto half = b.shr(sum, b.lit_int(f.bits, 1));
  return {b.bitcast(f.real, b.shl(half, width)), b.bitcast(f.real, b.shl(b.sub(sum, half), width))};
}

/// e^x for x already clamped: x = k ln 2 + r, |r| <= ln 2 / 2, degree 6 (f32) or 11 (f64).
template <class B> Scaled<typename B::V> exp_clamped(B& b, typename B::V x) {
  const DType t = x.dtype;
  const auto k = round_scaled(b, x, b.lit(t, log2_e), 0).integer;
  const auto r = b.fma(k, num(b, t, -ln2_lo32, -ln2_lo64), b.fma(k, num(b, t, -ln2_hi32, -ln2_hi64), x));
  return {b.fma(horner(b, r, exp_half_c32, exp_half_c64), r, b.lit(t, 1)), k};
}
template <class B> Scaled<typename B::V> exp_scaled(B& b, typename B::V x) {
  return exp_clamped(b, clamp_exponent(b, x, pick(x.dtype, -104, -746), pick(x.dtype, 89, 710)));
}
/// e^x for x <= 0.
template <class B> typename B::V exp_of_negative(B& b, typename B::V x) {
  return unscale(b, exp_clamped(b, at_least(b, x, pick(x.dtype, -104, -746))));
}

/// An unevaluated sum.
template <class V> struct Pair {
  V hi, lo;
};
/// e^x - 1 without the sign of zero; `adjust` may lower the exponent k of the pattern it is given.
template <class B, class Adjust> Pair<typename B::V> expm1_parts(B& b, typename B::V x, Adjust&& adjust) {
  const DType t = x.dtype;
  const Format f = format_of(t);
  const auto k = round_scaled(b, x, b.lit(t, log2_e), f.bias);
  const auto high = b.fma(k.integer, num(b, t, -ln2_hi32, -ln2_hi64), x);
  const auto low = num(b, t, -ln2_lo32, -ln2_lo64);
  const auto r = b.fma(k.integer, low, high);
  const auto rl = b.fma(k.integer, low, b.sub(high, r));
  const auto q = b.fma(b.mul(r, r), horner(b, r, expm1_c32, expm1_c64), rl);
  const auto s = b.bitcast(t, b.shl(adjust(to_bits(b, k.magic)), b.lit_int(f.bits, f.digits)));
  const auto s1 = b.sub(s, b.lit(t, 1));
  const auto hi = b.fma(s, r, s1);
  const auto lo = b.fma(s, r, b.sub(s1, hi));
  return {hi, b.fma(s, q, lo)};
}
}  // namespace vm

/// Clamp, exp_clamped, scale.
template <class B> typename B::V exp_(B& b, typename B::V x) { return vm::unscale(b, vm::exp_scaled(b, x)); }

/// As exp, with an exact reduction: x = k + r, |r| <= 1/2.
template <class B> typename B::V exp2_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  x = clamp_exponent(b, x, pick(t, -151, -1076), pick(t, 128, 1024));
  const auto k = round_scaled(b, x, b.lit(t, 1), 0).integer;
  const auto r = b.sub(x, k);
  return b.scale(b.fma(horner(b, r, exp2_half_c32, exp2_half_c64), r, b.lit(t, 1)), k);
}

/// x = k ln 2 + r + rl, s = 2^k: e^x - 1 = (s - 1 + s r) + s (rl + r^2 Q(r)), the first sum with its rounding error kept. For large x s is
/// halved (2^128 has no float) and the result doubled. 1 ulp both.
template <class B> typename B::V expm1_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto sign = sign_of(b, x);
  x = clamp_exponent(b, x, pick(t, -18, -38), pick(t, 89, 710));
  const auto large = b.lt(b.lit(t, 64), x);
  const auto parts =
      expm1_parts(b, x, [&](auto exponent) { return b.select(large, b.sub(exponent, b.lit_int(exponent.dtype, 1)), exponent); });
  const auto y = b.add(parts.hi, parts.lo);
  return with_sign(b, b.select(large, b.add(y, y), y), sign);
}

}  // namespace voxloom::ops
