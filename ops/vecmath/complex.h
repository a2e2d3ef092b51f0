// ops/vecmath/complex.h: arithmetic and functions of complex numbers.
#pragma once

#include <voxloom/ops/vecmath/cbrt.h>
#include <voxloom/ops/vecmath/exp.h>
#include <voxloom/ops/vecmath/inverse_trig.h>
#include <voxloom/ops/vecmath/log.h>
#include <voxloom/ops/vecmath/trig.h>

namespace voxloom::ops {

template <class B> Cx<typename B::V> cadd_(B& b, Cx<typename B::V> x, Cx<typename B::V> y) {
  return {b.add(x.re, y.re), b.add(x.im, y.im)};
}
template <class B> Cx<typename B::V> csub_(B& b, Cx<typename B::V> x, Cx<typename B::V> y) {
  return {b.sub(x.re, y.re), b.sub(x.im, y.im)};
}
/// The textbook formula: no fma, so that x * conj(x) has imaginary part 0.
template <class B> Cx<typename B::V> cmul_(B& b, Cx<typename B::V> x, Cx<typename B::V> y) {
  return {b.sub(b.mul(x.re, y.re), b.mul(x.im, y.im)), b.add(b.mul(x.re, y.im), b.mul(x.im, y.re))};
}
template <class B> Cx<typename B::V> cneg_(B& b, Cx<typename B::V> x) { return {b.neg(x.re), b.neg(x.im)}; }
template <class B> Cx<typename B::V> cconj_(B& b, Cx<typename B::V> x) { return {x.re, b.neg(x.im)}; }

namespace vm {

/// x * 2^-e with its larger part in [1, 4) (subnormals: as near as one power of two comes), and e + bias as an integer.
template <class V> struct ScaledComplex {
  Cx<V> x;
  V exponent;
};
template <class B> ScaledComplex<typename B::V> normalise_complex(B& b, Cx<typename B::V> x) {
  const DType t = x.re.dtype;
  const Format f = format_of(t);
  const auto re = b.abs(x.re), im = b.abs(x.im);
  const auto larger = b.select(b.lt(re, im), im, re);
  const auto field = b.shr(to_bits(b, larger), b.lit_int(f.bits, f.digits));
  const auto top = b.lit_int(f.bits, 2 * f.bias - 1);
  const auto e = b.select(b.lt(top, field), top, field);
  const auto scale = b.bitcast(t, b.shl(b.sub(b.lit_int(f.bits, 2 * f.bias), e), b.lit_int(f.bits, f.digits)));
  return {{b.mul(x.re, scale), b.mul(x.im, scale)}, e};
}
/// The power of two 2^n for an integer n + bias.
template <class B> typename B::V power_of_exponent(B& b, DType real, typename B::V biased) {
  return b.bitcast(real, b.shl(biased, b.lit_int(biased.dtype, format_of(real).digits)));
}
}  // namespace vm

template <class B> Cx<typename B::V> cdiv_(B& b, Cx<typename B::V> x, Cx<typename B::V> y) {
  using namespace vm;
  const DType t = x.re.dtype;
  const Format f = format_of(t);
  const auto n = normalise_complex(b, x), d = normalise_complex(b, y);
  const auto norm = b.fma(d.x.re, d.x.re, b.mul(d.x.im, d.x.im));
  const auto re = b.div(b.add(b.mul(n.x.re, d.x.re), b.mul(n.x.im, d.x.im)), norm);
  const auto im = b.div(b.sub(b.mul(n.x.im, d.x.re), b.mul(n.x.re, d.x.im)), norm);
  const auto sum = b.sub(b.add(n.exponent, b.lit_int(f.bits, 2 * f.bias)), d.exponent);
  const auto half = b.shr(sum, b.lit_int(f.bits, 1));
  const auto s1 = power_of_exponent(b, t, half), s2 = power_of_exponent(b, t, b.sub(sum, half));
  return {b.mul(b.mul(re, s1), s2), b.mul(b.mul(im, s1), s2)};
}

template <class B> typename B::V cabs_(B& b, Cx<typename B::V> x) { return hypot_(b, x.re, x.im); }
template <class B> typename B::V cangle_(B& b, Cx<typename B::V> x) { return atan2_(b, x.im, x.re); }

/// e^re (cos im + i sin im); a real argument stays real. Beyond the range of e^re the cosine or sine may bring the product back, so e^re is
/// clamped only where that cannot be.
template <class B> Cx<typename B::V> cexp_(B& b, Cx<typename B::V> x) {
  using namespace vm;
  const auto e = exp_clamped(b, clamp_exponent(b, x.re, pick(x.re.dtype, -104, -746), pick(x.re.dtype, 175, 1400)));
  const auto power = factors_of_power(b, e.k);
  const auto times_exp = [&](auto y) { return b.mul(b.mul(b.mul(e.p, y), power.first), power.second); };
  const auto re = times_exp(cos_(b, x.im)), im = times_exp(sin_(b, x.im));
  return {re, b.select(b.eq(x.im, b.lit(x.im.dtype, 0)), x.im, im)};
}

/// log|x| + i angle(x); near |x| = 1 the real part is log1p((m - 1)(m + 1) + n^2) / 2 for the larger and smaller part m and n.
template <class B> Cx<typename B::V> clog_(B& b, Cx<typename B::V> x) {
  using namespace vm;
  const DType t = x.re.dtype;
  const auto one = b.lit(t, 1);
  const auto ax = b.abs(x.re), ay = b.abs(x.im);
  const auto swap = b.lt(ax, ay);
  const auto m = b.select(swap, ay, ax), n = b.select(swap, ax, ay);
  const auto huge = b.lt(b.lit(t, pick(t, 0x1p120, 0x1p1000)), m);
  const auto scale = b.select(huge, b.lit(t, 0.25), one);
  const auto far = b.add(log_(b, hypot_(b, b.mul(m, scale), b.mul(n, scale))), b.select(huge, b.lit(t, 2 * ln2_hi64), b.lit(t, 0)));
  const auto close = b.mul(log1p_(b, b.fma(b.sub(m, one), b.add(m, one), b.mul(n, n))), b.lit(t, 0.5));
  const auto is_close = b.bit_and(b.lt(b.lit(t, 0.5), m), b.lt(m, b.lit(t, 2)));
  return {b.select(is_close, close, far), cangle_(b, x)};
}

/// w = sqrt((|re| + |x|) / 2), scaled by powers of 4; the other part is im / (2 w).
template <class B> Cx<typename B::V> csqrt_(B& b, Cx<typename B::V> x) {
  using namespace vm;
  const DType t = x.re.dtype;
  const auto zero = b.lit(t, 0), inf = b.lit(t, infinity);
  const auto ax = b.abs(x.re), ay = b.abs(x.im);
  const auto larger = b.select(b.lt(ax, ay), ay, ax);
  const auto huge = b.lt(b.lit(t, pick(t, 0x1p120, 0x1p1000)), larger), tiny = b.lt(larger, b.lit(t, pick(t, 0x1p-100, 0x1p-900)));
  const auto scale = b.select(huge, b.lit(t, 0x1p-4), b.select(tiny, b.lit(t, pick(t, 0x1p60, 0x1p200)), b.lit(t, 1)));
  const auto back = b.select(huge, b.lit(t, 0x1p2), b.select(tiny, b.lit(t, pick(t, 0x1p-30, 0x1p-100)), b.lit(t, 1)));
  const auto re = b.mul(ax, scale), im = b.mul(ay, scale);
  const auto w = b.sqrt(b.mul(b.add(re, hypot_(b, re, im)), b.lit(t, 0.5)));
  const auto other = b.select(b.eq(w, zero), zero, b.div(im, b.add(w, w)));
  const auto negative = b.ne(sign_of(b, x.re), b.lit_int(format_of(t).bits, 0));
  const auto large_part = b.mul(w, back), small_part = b.mul(other, back);
  const auto imaginary_inf = b.eq(ay, inf);
  // At infinity the quotient has no value: sqrt(inf + i y) has imaginary part 0, sqrt(x +- i inf) = inf +- i inf.
  const auto small_fixed = b.select(imaginary_inf, inf, b.select(b.eq(ax, inf), b.select(b.is_nan(x.im), x.im, zero), small_part));
  const auto real = b.select(negative, small_fixed, large_part), imag = b.select(negative, large_part, small_fixed);
  return {real, with_sign(b, b.abs(imag), sign_of(b, x.im))};
}

}  // namespace voxloom::ops
