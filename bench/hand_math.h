// bench/hand_math.h: float32 exp, sin and tanh by voxloom's algorithms and coefficients, over a vector type V of intrinsics (F: floats,
// I: integers, M: mask). Included by the two files of loops, which are compiled for different machines: no standard header comes in here.
#pragma once

#include <voxloom/ops/vecmath/coefficients.h>

namespace bench {

#define BENCH_INLINE inline __attribute__((always_inline))

template <class V, unsigned I = 0, unsigned N> BENCH_INLINE typename V::F horner(typename V::F x, const double (&c)[N]) {
  if constexpr (I + 1 == N) return V::set(static_cast<float>(c[I]));
  else return V::fma(horner<V, I + 1>(x, c), x, V::set(static_cast<float>(c[I])));
}

template <class V> BENCH_INLINE typename V::F exp_(typename V::F x) {
  using namespace voxloom::ops::vm;
  x = V::max(V::set(-104.0f), V::min(V::set(89.0f), x));  // in this order NaN passes
  const auto magic = V::set(0x1.8p23f + 254.0f);
  const auto z = V::fma(x, V::set(0x1.71547652b82fep+0f), magic);
  const auto k = V::sub(z, magic);
  const auto r = V::fma(k, V::set(0x1.05c610p-29f), V::fma(k, V::set(-0x1.62e430p-1f), x));
  const auto p = V::fma(horner<V>(r, exp_half_c32), r, V::set(1.0f));
  const auto sum = V::bits(z), half = V::shr1(sum);
  return V::mul(V::mul(p, V::floats(V::shl23(half))), V::floats(V::shl23(V::isub(sum, half))));
}

template <class V> BENCH_INLINE typename V::F sin_(typename V::F x, float (*rare)(float)) {
  using namespace voxloom::ops::vm;
  const auto a = V::abs(x);
  const auto magic = V::set(0x1.8p23f);
  const auto z = V::fma(a, V::set(0x1.45f306dc9c883p-1f), magic);
  const auto k = V::sub(z, magic);
  const auto p2 = V::set(0x1.4442dp-24f), p3 = V::set(-0x1.846988p-48f);
  const auto high = V::fma(k, V::set(-0x1.921fb4p+0f), a);
  const auto w = V::mul(k, p2);
  const auto r = V::sub(high, w);
  const auto rounded = V::sub(V::sub(V::sub(high, r), w), V::fma(k, p2, V::neg(w)));
  const auto low = V::fma(k, p3, rounded);
  const auto cross = V::mul(r, low);
  const auto u = V::fma(r, r, V::add(cross, cross));
  const auto s = V::add(r, V::fma(V::mul(r, u), horner<V>(u, sin_c32), low));
  const auto c = V::fma(u, horner<V>(u, cos_c32), V::set(1.0f));
  const auto q = V::bits(z);
  auto y = V::xor_sign(V::select(V::odd(q), c, s), V::ixor(V::shl30(q), V::bits(x)));
  const auto large = V::lt(V::set(1e5f), a);
  if (__builtin_expect(V::any(large), 0)) y = V::each(large, y, x, rare);
  return y;
}

template <class V> BENCH_INLINE typename V::F tanh_(typename V::F x) {
  using namespace voxloom::ops::vm;
  const auto a = V::abs(x);
  const auto y = V::min(V::set(9.1f), a);
  const auto magic = V::set(0x1.8p23f + 127.0f);
  const auto z = V::fma(y, V::set(2 * 0x1.71547652b82fep+0f), magic);
  const auto k = V::sub(z, magic);
  const auto r = V::fma(k, V::set(-0x1.62e430p-1f), V::add(y, y));
  const auto p = V::mul(horner<V>(r, exp_half_c32), r);
  const auto s = V::floats(V::shl23(V::bits(z)));
  const auto d = V::fma(s, p, V::add(s, V::set(1.0f)));
  const auto large = V::add(V::div(V::set(-2.0f), d), V::set(1.0f));
  const auto u = V::mul(a, a);
  const auto small = V::fma(V::mul(a, u), horner<V>(u, tanh_small_c32), a);
  return V::or_sign(V::select(V::lt(a, V::set(0.98f)), small, large), x);
}

template <class V> BENCH_INLINE typename V::F expression_(typename V::F x, typename V::F y, typename V::F z, float (*rare)(float)) {
  const auto d = V::sub(x, y);
  const auto e = exp_<V>(V::mul(V::mul(d, d), V::set(-0.5f)));
  return V::add(V::mul(e, sin_<V>(z, rare)), tanh_<V>(V::mul(x, y)));
}

}  // namespace bench
