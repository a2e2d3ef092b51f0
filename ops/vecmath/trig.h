// ops/vecmath/trig.h: sin, cos, tan; arguments too large for the three-part reduction go to Prim::rare.
#pragma once

#include <voxloom/ops/rare.h>
#include <voxloom/ops/vecmath/coefficients.h>
#include <voxloom/ops/vecmath/common.h>

namespace voxloom::ops {
namespace vm {

/// a = quadrant * pi/2 + r + low for a >= 0, |r| <= 0.8; `quadrant` is a pattern whose low two bits count quarter turns; where precise,
/// r + low is also high - w, but for an error of w's last place.
template <class V> struct Reduced {
  V r, low, quadrant, high, w;
};
/// Up to here the quadrant times the parts of pi/2 stays exact enough for one rounding of r.
inline constexpr double reduction_limit32 = 1e5, reduction_limit64 = 1e7;

/// pi/2 in three parts, each truncated; a - k p1 is exact. `precise`: the rounding errors of k p2 and of the difference go to `low` with k
/// p3; otherwise `low` is k p3 alone.
template <class B> Reduced<typename B::V> reduce_quarter_turns(B& b, typename B::V a, bool precise) {
  const DType t = a.dtype;
  const auto k = round_scaled(b, a, b.lit(t, 0x1.45f306dc9c883p-1), 0);
  const auto p2 = num(b, t, 0x1.4442dp-24, 0x1.1a62633145c06p-54), p3 = num(b, t, -0x1.846988p-48, -0x1.c1cd129024e08p-107);
  const auto high = b.fma(k.integer, num(b, t, -0x1.921fb4p+0, -0x1.921fb54442d18p+0), a);
  const auto quadrant = to_bits(b, k.magic);
  if (!precise) return {b.fma(k.integer, b.neg(p2), high), b.mul(k.integer, p3), quadrant, {}, {}};
  const auto w = b.mul(k.integer, p2);
  const auto r = b.sub(high, w);
  // high - r is exact, so that one rounding is left of both errors.
  const auto rounded = b.fma(k.integer, b.neg(p2), b.sub(high, r));
  return {r, b.fma(k.integer, p3, rounded), quadrant, high, w};
}
/// Horner's rule with the coefficients of one or the other polynomial, c lacking those of the highest powers.
template <class B, size_t N, size_t M>
typename B::V horner_of(B& b, typename B::V x, typename B::V second, const double (&c)[N], const double (&d)[M]) {
  const DType t = x.dtype;
  const auto coefficient = [&](size_t i) { return b.select(second, b.lit(t, d[i]), b.lit(t, i < N ? c[i] : 0)); };
  auto p = coefficient(M - 1);
  for (size_t i = M - 1; i-- > 0;) p = b.fma(p, x, coefficient(i));
  return p;
}
/// sin(r + low) or, where `odd`, cos(r + low). One polynomial in u = r^2 with coefficients by choice: r + r u S(u) or 1 + u C(u). f32 needs
/// `low` to stay within 1 ulp: the sine adds it before r, the cosine has it in u = high^2 - w (high + r), which waits for nothing else.
/// f64, allowed 2 ulp, adds it to r.
template <class B> typename B::V sin_or_cos(B& b, const Reduced<typename B::V>& q, typename B::V odd) {
  const DType t = q.r.dtype;
  const auto one = b.lit(t, 1);
  if (t == DType::f64) {
    const auto r = b.add(q.r, q.low);
    const auto u = b.mul(r, r), first = b.select(odd, one, r);
    return b.fma(b.mul(u, first), horner_of(b, u, odd, sin_c64, cos_c64), first);
  }
  const auto u = b.fma(q.high, q.high, b.neg(b.mul(q.w, b.add(q.high, q.r))));
  const auto scale = b.select(odd, u, b.mul(u, q.r)), first = b.select(odd, one, q.low);
  const auto y = b.fma(scale, horner_of(b, u, odd, sin_c32, cos_c32), first);
  return b.select(odd, y, b.add(y, q.r));
}
/// Bit n of the pattern moved to the sign position.
template <class B> typename B::V bit_to_sign(B& b, typename B::V pattern, DType real, int bit) {
  const Format f = format_of(real);
  return b.shl(pattern, b.lit_int(f.bits, f.digits + (real == DType::f32 ? 8 : 11) - bit));
}
template <class B> typename B::V is_odd(B& b, typename B::V pattern) {
  const auto one = b.lit_int(pattern.dtype, 1);
  return b.ne(b.bit_and(pattern, one), b.lit_int(pattern.dtype, 0));
}
template <class B> typename B::V with_rare_path(B& b, int function, typename B::V a, typename B::V y, typename B::V x) {
  return b.rare(function, b.lt(num(b, x.dtype, reduction_limit32, reduction_limit64), a), y, x);
}

/// tan(r + low) for |r| <= 0.8 or its negated reciprocal where `odd`. The value is kept in two parts, so that the reciprocal is not rounded
/// twice; `low` counts with the slope 1 + 1.5 r^2, which is close enough to 1 + tan^2. In f32 the rounding errors of r^2 and r^3 count too,
/// times the polynomial's value near the end of the range.
template <class B> typename B::V tan_kernel(B& b, typename B::V r, typename B::V low, typename B::V odd) {
  const DType t = r.dtype;
  const auto u = b.mul(r, r);
  const auto cube = b.mul(r, u);
  auto small = b.fma(b.mul(low, b.lit(t, 1.5)), u, low);
  if (t == DType::f32) {
    const auto cube_error = b.fma(r, b.fma(r, r, b.neg(u)), b.fma(r, u, b.neg(cube)));
    small = b.fma(cube_error, b.lit(t, 0.44), small);
  }
  const auto w = b.fma(cube, horner(b, u, tan_c32, tan_c64), small);
  const auto high = b.add(r, w);
  const auto rest = b.add(b.sub(r, high), w);
  const auto q = b.div(b.lit(t, -1), high);
  const auto error = b.fma(q, rest, b.fma(q, high, b.lit(t, 1)));
  return b.select(odd, b.fma(q, error, q), high);
}
}  // namespace vm

/// Reduction to [-pi/4, pi/4], the sine's or the cosine's polynomial by the quadrant (degree 7 and 8 in f32, 13 and 14 in f64); odd through
/// the sign bit.
template <class B> typename B::V sin_(B& b, typename B::V x) {
  using namespace vm;
  const auto a = b.abs(x);
  const auto q = reduce_quarter_turns(b, a, x.dtype == DType::f32);
  const auto y = sin_or_cos(b, q, is_odd(b, q.quadrant));
  const auto sign = b.bit_and(b.bit_xor(bit_to_sign(b, q.quadrant, x.dtype, 1), to_bits(b, x)), sign_mask(b, x.dtype));
  return with_rare_path(b, rare_sin, a, flip_sign(b, y, sign), x);
}

template <class B> typename B::V cos_(B& b, typename B::V x) {
  using namespace vm;
  const auto a = b.abs(x);
  const auto q = reduce_quarter_turns(b, a, x.dtype == DType::f32);
  const auto next = b.add(q.quadrant, b.lit_int(q.quadrant.dtype, 1));
  const auto y = sin_or_cos(b, q, is_odd(b, next));
  const auto sign = b.bit_and(bit_to_sign(b, next, x.dtype, 1), sign_mask(b, x.dtype));
  return with_rare_path(b, rare_cos, a, flip_sign(b, y, sign), x);
}

/// The same reduction; odd polynomial of degree 15 (f32) or 29 (f64), one division for odd quadrants.
template <class B> typename B::V tan_(B& b, typename B::V x) {
  using namespace vm;
  const auto a = b.abs(x);
  const auto q = reduce_quarter_turns(b, a, true);
  const auto y = tan_kernel(b, q.r, q.low, is_odd(b, q.quadrant));
  return with_rare_path(b, rare_tan, a, flip_sign(b, y, sign_of(b, x)), x);
}

}  // namespace voxloom::ops
