// ops/vecmath/log.h: log, log2, log10, log1p.
#pragma once

#include <voxloom/ops/vecmath/coefficients.h>
#include <voxloom/ops/vecmath/common.h>

namespace voxloom::ops {
namespace vm {

/// x = 2^k * (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), f exact; for positive finite x.
template <class V> struct Decomposed {
  V k, f, biased;  ///< `biased`: k + bias (k without the shift of subnormals) as an integer
};
template <class B> Decomposed<typename B::V> decompose(B& b, typename B::V x, bool subnormals = true) {
  const DType t = x.dtype;
  const Format fm = format_of(t);
  const auto bits_lit = [&](uint64_t v) { return b.lit_bits(fm.bits, v); };
  const uint64_t one = bits_of(t, 1), root = bits_of(t, t == DType::f32 ? 0x1.6a09e6p-1 : 0x1.6a09e667f3bcdp-1);
  auto bias = b.lit(t, fm.bias);
  if (subnormals) {
    const auto small = b.lt(x, b.lit(t, fm.min_normal));
    x = b.select(small, b.mul(x, b.lit(t, pick(t, 0x1p23, 0x1p52))), x);
    bias = b.select(small, b.lit(t, fm.bias + fm.digits), bias);
  }
  const auto shifted = b.add(to_bits(b, x), bits_lit(one - root));
  const auto e = b.shr(shifted, bits_lit(static_cast<uint64_t>(fm.digits)));
  const auto fraction = b.bit_and(shifted, bits_lit((1ULL << fm.digits) - 1));
  const auto m = b.bitcast(t, b.add(fraction, bits_lit(root)));
  // i64 -> f64 has no AVX2 instruction; or-ing the pattern of 2^52 does the same for small integers.
  const auto e_float = t == DType::f32 ? b.cast(t, e) : b.sub(b.bitcast(t, b.bit_or(e, bits_lit(bits_of(t, 0x1p52)))), b.lit(t, 0x1p52));
  return {b.sub(e_float, bias), b.sub(m, b.lit(t, 1)), e};
}

/// log(1 + f) - f for f of decompose(). f32: f^2 Q(f). f64: s = f / (2 + f), s (f^2/2 + s^2 R(s^2) * s) - f^2/2. `extra` is added inside.
template <class B> typename B::V log_tail(B& b, typename B::V f, typename B::V extra) {
  const DType t = f.dtype;
  const auto f2 = b.mul(f, f);
  if (t == DType::f32) return b.fma(f2, horner(b, f, log_c32), extra);
  const auto s = b.div(f, b.add(f, b.lit(t, 2)));
  const auto z = b.mul(s, s);
  const auto half = b.mul(f2, b.lit(t, 0.5));
  const auto inner = b.fma(z, horner(b, z, log_s_c64), half);
  return b.add(b.fma(s, inner, b.neg(half)), extra);
}

/// k ln 2 + log(1 + f) + extra: the rounding error of k ln 2 + f is exact (both are multiples of the last place of f) and goes with the
/// small terms.
template <class B> typename B::V log_sum(B& b, typename B::V k, typename B::V f, typename B::V extra) {
  const DType t = f.dtype;
  const auto hi = b.fma(k, num(b, t, ln2_hi32, ln2_hi64), f);
  const auto back = b.fma(k, num(b, t, -ln2_hi32, -ln2_hi64), hi);
  const auto lo = b.sub(f, back);
  const auto tail = log_tail(b, f, t == DType::f32 ? b.add(lo, extra) : b.fma(k, num(b, t, ln2_lo32, ln2_lo64), b.add(lo, extra)));
  return b.add(hi, tail);
}

/// What every logarithm gives outside the positive numbers: NaN below zero, -inf at zero, inf and NaN themselves.
template <class B> typename B::V log_special(B& b, typename B::V x, typename B::V y) {
  const DType t = x.dtype;
  const auto zero = b.lit(t, 0);
  const auto outside = b.select(b.eq(x, zero), b.lit(t, -infinity), b.lit(t, not_a_number));
  return b.select(b.eq(x, b.lit(t, infinity)), x, b.select(b.lt(zero, x), y, outside));
}

/// c * (k + f log_c(e) + ...) for log2 and log10: k * unit_hi is exact, f * (scale_hi + scale_lo) is kept in two parts.
struct LogBase {
  double scale_hi, scale_lo, unit_hi, unit_lo;
};
template <class B> typename B::V log_base(B& b, typename B::V x, const LogBase& base) {
  const DType t = x.dtype;
  const auto d = decompose(b, x);
  const auto c = b.lit(t, base.scale_hi);
  // f32 has no room for the rounding error of f^2 in log_tail, whose leading term is -f^2 / 2.
  const auto square_error = t == DType::f32 ? b.mul(b.fma(d.f, d.f, b.neg(b.mul(d.f, d.f))), b.lit(t, -0.5)) : b.lit(t, -0.0);
  const auto tail = log_tail(b, d.f, square_error);
  const auto p = b.mul(d.f, c);
  const auto p_lo = b.fma(d.f, b.lit(t, base.scale_lo), b.fma(d.f, c, b.neg(p)));
  const auto unit = b.mul(d.k, b.lit(t, base.unit_hi));
  const auto hi = b.add(unit, p);
  auto lo = b.fma(tail, c, b.add(p_lo, b.sub(p, b.sub(hi, unit))));
  if (base.unit_lo != 0) lo = b.fma(d.k, b.lit(t, base.unit_lo), lo);
  return log_special(b, x, b.add(hi, lo));
}

/// log(1 + x) before special values: with u = 1 + x rounded and c its error, log(u + c) = log(u) + c/u.
template <class B> typename B::V log1p_finite(B& b, typename B::V x) {
  const DType t = x.dtype;
  const Format fm = format_of(t);
  const auto one = b.lit(t, 1);
  const auto u = b.add(x, one);
  const auto part = b.sub(u, one);
  const auto error = b.add(b.sub(one, b.sub(u, part)), b.sub(x, part));
  const auto d = decompose(b, u, false);
  // 2^-k; for huge u the error no longer matters, and the exponent would not fit.
  const auto inverse = b.bitcast(t, b.shl(b.sub(b.lit_int(fm.bits, 2 * fm.bias), d.biased), b.lit_int(fm.bits, fm.digits)));
  const auto c = b.select(b.lt(u, b.lit(t, pick(t, 0x1p30, 0x1p60))), b.mul(error, inverse), b.lit(t, 0));
  const auto f = b.add(d.f, c);  // For k = 0 this is x itself.
  const auto rest = b.sub(c, b.sub(f, d.f));
  return log_sum(b, d.k, f, b.fma(b.neg(rest), f, rest));
}
}  // namespace vm

/// x = 2^k (1 + f), 1 + f in [sqrt 1/2, sqrt 2]; f32: polynomial of degree 11; f64: series in f / (2 + f) of degree 6. 0.7 ulp both.
template <class B> typename B::V log_(B& b, typename B::V x) {
  const auto d = vm::decompose(b, x);
  return vm::log_special(b, x, vm::log_sum(b, d.k, d.f, b.lit(x.dtype, -0.0)));
}

template <class B> typename B::V log2_(B& b, typename B::V x) {
  if (x.dtype == DType::f32) return vm::log_base(b, x, {0x1.715476p+0, 0x1.4ae0cp-26, 1, 0});
  return vm::log_base(b, x, {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56, 1, 0});
}

template <class B> typename B::V log10_(B& b, typename B::V x) {
  if (x.dtype == DType::f32) return vm::log_base(b, x, {0x1.bcb7b2p-2, -0x1.5b235ep-27, 0x1.344p-2, 0x1.3509f8p-18});
  return vm::log_base(b, x, {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57, 0x1.34413509f6p-2, 0x1.9fef311f12b36p-42});
}

template <class B> typename B::V log1p_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto y = with_sign(b, log1p_finite(b, x), sign_of(b, x));
  const auto minus_one = b.lit(t, -1);
  const auto outside = b.select(b.eq(x, minus_one), b.lit(t, -infinity), b.lit(t, not_a_number));
  return b.select(b.eq(x, b.lit(t, infinity)), x, b.select(b.lt(minus_one, x), y, outside));
}

}  // namespace voxloom::ops
