// ops/vecmath/erf.h: erf, erfc.
#pragma once

#include <voxloom/ops/vecmath/exp.h>

namespace voxloom::ops {
namespace vm {

/// erfc(a) for a >= 0: e^(-a^2) * erfcx(a), a^2 in two parts, (1 + 2a) erfcx(a) as a polynomial in (a - 4) / (a + 4).
template <class B> typename B::V erfc_positive(B& b, typename B::V a) {
  const DType t = a.dtype;
  a = at_most(b, a, pick(t, 11, 28));
  const auto h = b.mul(a, a);
  const auto low = b.fma(a, a, b.neg(h));
  const auto four = b.lit(t, 4);
  const auto w = b.div(b.sub(a, four), b.add(a, four));
  const auto scaled = horner(b, w, erfcx_c32, erfcx_c64);
  const auto tail = b.div(scaled, b.fma(a, b.lit(t, 2), b.lit(t, 1)));
  auto e = exp_clamped(b, at_least(b, b.neg(h), pick(t, -126, -790)));
  e.p = b.mul(e.p, b.fma(b.neg(low), tail, tail));
  return unscale(b, e);
}

template <class B> typename B::V erf_large64(B& b, typename B::V a) {
  const DType t = a.dtype;
  const auto h = b.mul(a, a);
  const auto low = b.fma(a, a, b.neg(h));
  const auto centre = b.lit(t, 2.5);
  const auto tail = horner(b, b.div(b.sub(a, centre), b.add(a, centre)), erf_tail_c64);
  const auto e = exp_clamped(b, b.neg(h));
  return b.fma(b.neg(unscale(b, e)), b.fma(b.neg(low), tail, tail), b.lit(t, 1));
}
}  // namespace vm

/// Below 1: x + x P(x^2). Above, f32: a polynomial of degree 15 around 2.35, and 1 where that is the rounded value; f64: 1 - e^(-a^2) W, W
/// a polynomial in (a - 2.5) / (a + 2.5).
template <class B> typename B::V erf_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto a = b.abs(x);
  const auto one = b.lit(t, 1);
  const auto u = b.mul(a, a);
  const auto small = b.fma(a, horner(b, u, erf_small_c32, erf_small_c64), a);
  auto large = one;
  if (t == DType::f32) large = b.select(b.lt(b.lit(t, 3.919), a), one, horner(b, b.sub(a, b.lit(t, 0x1.2cedfcp+1)), erf_large_c32));
  else large = erf_large64(b, at_most(b, a, 6));
  return with_sign(b, b.select(b.lt(a, one), small, large), sign_of(b, x));
}

/// a < 1/2: 1 - erf; otherwise erfc_positive, and 2 - that for negative x.
template <class B> typename B::V erfc_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto a = b.abs(x);
  const auto u = b.mul(x, x);
  const auto one = b.lit(t, 1), zero = b.lit(t, 0);
  const auto small = b.sub(b.sub(one, x), b.mul(x, horner(b, u, erf_small_c32, erf_small_c64)));
  const auto tail = erfc_positive(b, a);
  return b.select(b.lt(a, b.lit(t, 0.5)), small, b.select(b.lt(x, zero), b.sub(b.lit(t, 2), tail), tail));
}

}  // namespace voxloom::ops
