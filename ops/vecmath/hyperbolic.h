// ops/vecmath/hyperbolic.h: tanh, sinh, cosh, asinh, acosh, atanh.
#pragma once

#include <voxloom/ops/lookup.h>
#include <voxloom/ops/vecmath/exp.h>
#include <voxloom/ops/vecmath/log.h>

namespace voxloom::ops {
namespace vm {

/// f32: eight intervals of half a binade of a + offset, each with its centre and a polynomial of degree 7. tanh of a centre is very nearly a
/// float, so that c0 carries no error. In the first interval the centre and c0 are 0, and a itself is added instead, as the larger of c0 and d:
/// centres lie so that c0 is the larger one in all others.
template <class B> typename B::V tanh32(B& b, typename B::V a) {
  const DType t = a.dtype;
  const double offset = 0x1.34p-1;
  const auto y = at_most(b, a, 9.02);  // below the end of the last interval; from 9.011 on tanh rounds to 1
  const auto position = b.sub(to_bits(b, b.add(y, b.lit(t, offset))), b.lit_bits(DType::i32, bits_of(t, offset)));
  const auto interval = b.shr(position, b.lit_int(DType::i32, 22));
  const auto entry = [&](int row) { return b.lookup(lookup_tanh + row, interval); };
  const auto d = b.sub(y, entry(0));
  const auto c0 = entry(1), head = b.select(b.lt(c0, d), d, c0);
  auto p = entry(8);
  for (int row = 7; row >= 2; --row) p = b.fma(p, d, entry(row));
  return b.fma(p, d, head);
}
/// f64: E / (E + 2) with E = e^2a - 1 in two parts; the quotient q is corrected by its remainder.
template <class B> typename B::V tanh64(B& b, typename B::V a) {
  const DType t = a.dtype;
  const auto y = at_most(b, a, 19.125);  // tanh rounds to 1 from 19.06 on, and this value does here
  const auto parts = expm1_parts(b, b.add(y, y), [](auto exponent) { return exponent; });
  const auto e = b.add(parts.hi, parts.lo);
  const auto e_lo = b.sub(parts.lo, b.sub(e, parts.hi));
  const auto d = b.add(e, b.lit(t, 2));
  const auto inverse = b.div(b.lit(t, 1), d);
  const auto q = b.mul(e, inverse);
  return b.fma(b.add(b.fma(b.neg(q), d, e), e_lo), inverse, q);
}

/// e^a / 2 without early overflow.
template <class B> typename B::V half_exp(B& b, typename B::V a) {
  auto e = exp_clamped(b, at_most(b, a, pick(a.dtype, 90, 711)));
  e.p = b.mul(e.p, b.lit(a.dtype, 0.5));
  return unscale(b, e);
}
}  // namespace vm

template <class B> typename B::V tanh_(B& b, typename B::V x) {
  using namespace vm;
  const auto a = b.abs(x);
  return with_sign(b, x.dtype == DType::f32 ? tanh32(b, a) : tanh64(b, a), sign_of(b, x));
}

/// Below 1 an odd polynomial, above e^a / 2 - 1 / (4 (e^a / 2)).
template <class B> typename B::V sinh_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto a = b.abs(x);
  const auto e = half_exp(b, a);
  const auto large = b.sub(e, b.div(b.lit(t, 0.25), e));
  const auto u = b.mul(a, a);
  const auto small = b.fma(b.mul(a, u), horner(b, u, sinh_c32, sinh_c64), a);
  return with_sign(b, b.select(b.lt(a, b.lit(t, 1)), small, large), sign_of(b, x));
}

template <class B> typename B::V cosh_(B& b, typename B::V x) {
  const auto e = vm::half_exp(b, b.abs(x));
  return b.add(e, b.div(b.lit(x.dtype, 0.25), e));
}

/// log1p(a + a^2 / (1 + sqrt(1 + a^2))); for huge a log(a) + ln 2 through the same log1p.
template <class B> typename B::V asinh_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto a = b.abs(x);
  const auto one = b.lit(t, 1);
  const auto a2 = b.mul(a, a);
  const auto moderate = b.add(a, b.div(a2, b.add(one, b.sqrt(b.add(a2, one)))));
  const auto huge = b.lt(b.lit(t, pick(t, 0x1p40, 0x1p300)), a);
  const auto y = b.add(log1p_finite(b, b.select(huge, a, moderate)), b.select(huge, b.lit(t, ln2_hi64), b.lit(t, 0)));
  return with_sign(b, b.select(b.lt(a, b.lit(t, infinity)), y, a), sign_of(b, x));
}

/// log1p(t + sqrt(t) sqrt(t + 2)), t = x - 1; for huge x log(x) + ln 2.
template <class B> typename B::V acosh_(B& b, typename B::V x) {
  using namespace vm;
  const DType t = x.dtype;
  const auto d = b.sub(x, b.lit(t, 1));
  const auto moderate = b.add(d, b.sqrt(b.mul(d, b.add(d, b.lit(t, 2)))));
  const auto huge = b.lt(b.lit(t, pick(t, 0x1p40, 0x1p300)), x);
  const auto y = b.add(log1p_finite(b, b.select(huge, x, moderate)), b.select(huge, b.lit(t, ln2_hi64), b.lit(t, 0)));
  const auto at_end = b.select(b.eq(x, b.lit(t, infinity)), x, b.lit(t, not_a_number));
  return b.select(b.le(b.lit(t, 0), d), b.select(b.lt(x, b.lit(t, infinity)), y, at_end), b.lit(t, not_a_number));
}

/// log1p(2a / (1 - a)) / 2.
template <class B> typename B::V atanh_(B& b, typename B::V x) {
  using namespace vm;
  const auto a = b.abs(x);
  const auto y = log1p_(b, b.div(b.add(a, a), b.sub(b.lit(x.dtype, 1), a)));
  return with_sign(b, b.mul(y, b.lit(x.dtype, 0.5)), sign_of(b, x));
}

}  // namespace voxloom::ops
