// ops/vecmath/pow.h: pow.
#pragma once

#include <voxloom/ops/vecmath/exp.h>
#include <voxloom/ops/vecmath/log.h>

namespace voxloom::ops {
namespace vm {

/// a + b exactly for |a| >= |b| or a = 0.
template <class B> Pair<typename B::V> fast_two_sum(B& b, typename B::V x, typename B::V y) {
  const auto s = b.add(x, y);
  return {s, b.sub(y, b.sub(s, x))};
}
template <class B> Pair<typename B::V> two_product(B& b, typename B::V x, typename B::V y) {
  const auto p = b.mul(x, y);
  return {p, b.fma(x, y, b.neg(p))};
}

/// log2(x) in f64 for f32 arguments widened to f64 (so never subnormal): relative error 2^-37.
template <class B> typename B::V log2_for_pow32(B& b, typename B::V x) {
  const auto d = decompose(b, x, false);
  return b.fma(d.f, horner(b, d.f, log2_pow_c64), d.k);
}

/// ln(x) as hi + lo, relative error about 2^-64, for positive finite f64. With 1 + f in [sqrt 1/2, sqrt 2], s = f / (2 + f) in two parts,
/// log(1 + f) = 2s + 2/3 s^3 + s^5 P(s^2): the first two terms in two parts.
template <class B> Pair<typename B::V> log_pair(B& b, typename B::V x) {
  const DType t = x.dtype;
  const auto d = decompose(b, x);
  const auto g = fast_two_sum(b, b.lit(t, 2), d.f);
  const auto s = b.div(d.f, g.hi);
  const auto s_lo = b.div(b.fma(b.neg(s), g.lo, b.fma(b.neg(s), g.hi, d.f)), g.hi);
  const auto square = two_product(b, s, s);
  const auto square_lo = b.fma(b.add(s, s), s_lo, square.lo);
  const auto cube = two_product(b, square.hi, s);
  const auto cube_lo = b.fma(square_lo, s, b.fma(square.hi, s_lo, cube.lo));
  // 2/3 in two parts times the cube.
  const double third_hi = 0x1.5555555555555p-1, third_lo = 0x1.5555555555555p-55;
  const auto term = two_product(b, cube.hi, b.lit(t, third_hi));
  const auto term_lo = b.fma(cube.hi, b.lit(t, third_lo), b.fma(cube_lo, b.lit(t, third_hi), term.lo));
  const auto rest = b.mul(b.mul(cube.hi, square.hi), horner(b, square.hi, log_pow_c64));
  // k ln2 + 2s + term + rest, largest first.
  const auto unit = two_product(b, d.k, b.lit(t, ln2_hi64));
  const auto unit_lo = b.fma(d.k, b.lit(t, ln2_lo64), unit.lo);
  const auto first = fast_two_sum(b, unit.hi, b.add(s, s));
  // |first| may be as small as the term when k = -1 and s is large, never smaller.
  const auto second = fast_two_sum(b, first.hi, term.hi);
  const auto low = b.add(b.add(first.lo, second.lo), b.add(b.add(unit_lo, b.add(s_lo, s_lo)), b.add(term_lo, rest)));
  return fast_two_sum(b, second.hi, low);
}

/// The logarithm y of x, except -inf, inf and NaN for x = 0, inf and NaN.
template <class B> typename B::V log_or_end(B& b, typename B::V x, typename B::V y) {
  const auto high = b.select(b.lt(x, b.lit(x.dtype, infinity)), y, x);
  return b.select(b.eq(x, b.lit(x.dtype, 0)), b.lit(x.dtype, -infinity), high);
}

/// e^(x + low) for clamped f64 x and |low| far below 1: x + low = k ln 2 + r + rl, e^r = (1 + r) + (rl + r^2 Q(r)), the first sum kept in
/// two parts, so that one rounding remains and exact powers come out exact.
template <class B> Scaled<typename B::V> exp_pair(B& b, typename B::V x, typename B::V low) {
  const DType t = x.dtype;
  const auto one = b.lit(t, 1);
  const auto k = round_scaled(b, x, b.lit(t, log2_e), 0).integer;
  const auto high = b.fma(k, b.lit(t, -ln2_hi64), x);
  const auto small = b.fma(k, b.lit(t, -ln2_lo64), low);
  const auto r = fast_two_sum(b, high, small);
  const auto sum = fast_two_sum(b, one, r.hi);
  const auto rest = b.fma(b.mul(r.hi, r.hi), horner(b, r.hi, expm1_c64), b.fma(r.lo, r.hi, r.lo));
  return {b.add(sum.hi, b.add(sum.lo, rest)), k};
}

/// |x|^y in f64 through ln; `x` positive, finite or not; y clamped to a finite number.
template <class B> typename B::V pow_positive64(B& b, typename B::V x, typename B::V y) {
  const DType t = x.dtype;
  const auto l = log_pair(b, x);
  const auto zero = b.lit(t, 0);
  const auto hi = log_or_end(b, x, l.hi);
  const auto product = two_product(b, y, hi);
  const auto product_lo = b.fma(y, l.lo, product.lo);
  const auto clamped = clamp_exponent(b, product.hi, -746, 710);
  // Where clamped, the small part no longer matters and may be anything.
  const auto small = b.select(b.eq(clamped, product.hi), product_lo, zero);
  return unscale(b, exp_pair(b, clamped, small));
}

/// |x|^y for f32 in f64: log2, product, 2^z; one rounding to f32 at the end, which also makes subnormals and infinities.
template <class B> typename B::V pow_positive32(B& b, typename B::V x, typename B::V y) {
  const DType t = DType::f64;
  const auto wide = b.cast(t, x);
  const auto l = log_or_end(b, wide, log2_for_pow32(b, wide));
  const auto z = clamp_exponent(b, b.mul(l, b.cast(t, y)), -200, 200);
  const auto k = round_scaled(b, z, b.lit(t, 1), format_of(t).bias);
  const auto r = b.sub(z, k.integer);
  const auto p = b.fma(horner(b, r, exp2_pow_c64), r, b.lit(t, 1));
  return b.cast(DType::f32, b.mul(p, power_of_two(b, k.magic)));
}
}  // namespace vm

/// C99 pow. f64: ln x in two parts (64 bits), exp of the product; f32: log2 and 2^z in f64.
template <class B> typename B::V pow_(B& b, typename B::V x, typename B::V y) {
  using namespace vm;
  const DType t = x.dtype;
  const auto one = b.lit(t, 1), zero = b.lit(t, 0);
  const auto ax = b.abs(x);
  const auto limit = pick(t, 0x1p120, 0x1p80);
  const auto exponent = clamp_exponent(b, y, -limit, limit);  // Only 1 and its neighbours could tell, and they are 1 or saturated already.
  const auto magnitude = t == DType::f32 ? pow_positive32(b, ax, exponent) : pow_positive64(b, ax, exponent);
  const auto half = b.mul(y, b.lit(t, 0.5));
  const auto integral = b.eq(b.rint(y), y), even = b.eq(b.rint(half), half);
  const auto negative = b.ne(sign_of(b, x), b.lit_int(format_of(t).bits, 0));
  const auto odd = b.bit_and(integral, b.bit_not(even));
  const auto signed_magnitude = b.select(b.bit_and(negative, odd), b.neg(magnitude), magnitude);
  // Finite negative numbers have no power that is not whole; -inf and -0 do.
  const auto undefined = b.bit_and(b.bit_and(b.lt(x, zero), b.lt(ax, b.lit(t, infinity))), b.bit_not(integral));
  const auto result = b.select(b.is_nan(y), y, b.select(undefined, b.lit(t, not_a_number), signed_magnitude));
  return b.select(b.bit_or(b.eq(y, zero), b.eq(x, one)), one, result);
}

}  // namespace voxloom::ops
