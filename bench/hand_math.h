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
  const auto magic = V::set(0x1.8p23f);
  const auto k = V::sub(V::fma(x, V::set(0x1.71547652b82fep+0f), magic), magic);
  const auto r = V::fma(k, V::set(0x1.05c610p-29f), V::fma(k, V::set(-0x1.62e430p-1f), x));
  return V::scale(V::fma(horner<V>(r, exp_half_c32), r, V::set(1.0f)), k);
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
  const auto rounded = V::fma(k, V::neg(p2), V::sub(high, r));
  const auto low = V::fma(k, p3, rounded);
  const auto q = V::bits(z);
  const auto odd = V::odd(q);
  const auto u = V::fma(high, high, V::neg(V::mul(w, V::add(high, r))));
  const auto either = [&](double sine, double cosine) {
    return V::select(odd, V::set(static_cast<float>(cosine)), V::set(static_cast<float>(sine)));
  };
  auto p = V::fma(either(0, cos_c32[3]), u, either(sin_c32[2], cos_c32[2]));
  p = V::fma(V::fma(p, u, either(sin_c32[1], cos_c32[1])), u, either(sin_c32[0], cos_c32[0]));
  p = V::fma(p, V::select(odd, u, V::mul(u, r)), V::select(odd, V::set(1.0f), low));
  auto y = V::xor_sign(V::select(odd, p, V::add(p, r)), V::ixor(V::shl30(q), V::bits(x)));
  const auto large = V::lt(V::set(1e5f), a);
  if (__builtin_expect(V::any(large), 0)) y = V::each(large, y, x, rare);
  return y;
}

template <class V> BENCH_INLINE typename V::F tanh_(typename V::F x) {
  using voxloom::ops::vm::tanh_c32;
  const auto y = V::min(V::set(9.02f), V::abs(x));
  const auto offset = V::set(0x1.34p-1f);
  const auto interval = V::shr22(V::isub(V::bits(V::add(y, offset)), V::bits(offset)));
  const auto entry = [&](int row) { return V::lookup(tanh_c32[row].data(), interval); };
  const auto d = V::sub(y, entry(0));
  const auto head = V::max(d, entry(1));  // c0 where d is NaN
  auto p = entry(8);
#pragma GCC unroll 6
  for (int row = 7; row >= 2; --row) p = V::fma(p, d, entry(row));
  return V::or_sign(V::fma(p, d, head), x);
}

template <class V> BENCH_INLINE typename V::F expression_(typename V::F x, typename V::F y, typename V::F z, float (*rare)(float)) {
  const auto d = V::sub(x, y);
  const auto e = exp_<V>(V::mul(V::mul(d, d), V::set(-0.5f)));
  return V::add(V::mul(e, sin_<V>(z, rare)), tanh_<V>(V::mul(x, y)));
}

}  // namespace bench
