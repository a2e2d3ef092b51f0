// bench/hand_avx512.cpp: the hand-written loops with 16 floats at a time. Compiled for x86-64-v4; called only where the machine has it.
#include <immintrin.h>

#include "hand_loops.h"

namespace bench {
namespace {

struct Vec {
  using F = __m512;
  using I = __m512i;
  using M = __mmask16;
  static constexpr size_t width = 16;
  static BENCH_INLINE F set(float x) { return _mm512_set1_ps(x); }
  static BENCH_INLINE F load(const float* p) { return _mm512_loadu_ps(p); }
  static BENCH_INLINE void store(float* p, F x) { _mm512_storeu_ps(p, x); }
  static BENCH_INLINE void stream(float* p, F x) { _mm512_stream_ps(p, x); }
  static BENCH_INLINE M first(size_t n) { return n >= 16 ? static_cast<M>(0xffff) : static_cast<M>((1u << n) - 1); }
  static BENCH_INLINE F load_first(const float* p, size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static BENCH_INLINE void store_first(float* p, size_t n, F x) { _mm512_mask_storeu_ps(p, first(n), x); }
  static BENCH_INLINE void fence() { _mm_sfence(); }
  static BENCH_INLINE F add(F a, F b) { return _mm512_add_ps(a, b); }
  static BENCH_INLINE F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static BENCH_INLINE F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static BENCH_INLINE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static BENCH_INLINE F min(F a, F b) { return _mm512_min_ps(a, b); }
  static BENCH_INLINE F max(F a, F b) { return _mm512_max_ps(a, b); }
  static BENCH_INLINE I bits(F x) { return _mm512_castps_si512(x); }
  static BENCH_INLINE F floats(I x) { return _mm512_castsi512_ps(x); }
  static BENCH_INLINE I sign() { return _mm512_set1_epi32(static_cast<int>(0x80000000u)); }
  static BENCH_INLINE F abs(F x) { return floats(_mm512_andnot_si512(sign(), bits(x))); }
  static BENCH_INLINE F neg(F x) { return floats(_mm512_xor_si512(sign(), bits(x))); }
  static BENCH_INLINE I shr22(I x) { return _mm512_srli_epi32(x, 22); }
  /// Elements `index` mod 8 of a table.
  static BENCH_INLINE F lookup(const float* table, I index) {
    return _mm512_permutexvar_ps(index, _mm512_broadcast_f32x8(_mm256_loadu_ps(table)));
  }
  static BENCH_INLINE F scale(F x, F k) { return _mm512_scalef_ps(x, k); }
  static BENCH_INLINE I shl30(I x) { return _mm512_slli_epi32(x, 30); }
  static BENCH_INLINE I isub(I a, I b) { return _mm512_sub_epi32(a, b); }
  static BENCH_INLINE I iadd(I a, I b) { return _mm512_add_epi32(a, b); }
  static BENCH_INLINE I ixor(I a, I b) { return _mm512_xor_si512(a, b); }
  /// x with its sign flipped where `pattern` has the sign bit, and x with the sign of y put in.
  static BENCH_INLINE F xor_sign(F x, I pattern) { return floats(_mm512_ternarylogic_epi32(bits(x), pattern, sign(), 0x78)); }
  static BENCH_INLINE F or_sign(F x, F y) { return floats(_mm512_ternarylogic_epi32(bits(x), bits(y), sign(), 0xf8)); }
  static BENCH_INLINE M odd(I x) { return _mm512_test_epi32_mask(x, _mm512_set1_epi32(1)); }
  static BENCH_INLINE M lt(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static BENCH_INLINE bool any(M m) { return m != 0; }
  static BENCH_INLINE F select(M m, F a, F b) { return _mm512_mask_blend_ps(m, b, a); }
  static F __attribute__((noinline)) each(M m, F y, F x, float (*f)(float)) {
    alignas(64) float in[width], out[width];
    store(in, x), store(out, y);
    for (size_t j = 0; j < width; ++j) {
      if ((m >> j & 1) != 0) out[j] = f(in[j]);
    }
    return load(out);
  }
  static BENCH_INLINE I load_i16(const int16_t* p) {
    return _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static BENCH_INLINE F to_floats(I x) { return _mm512_cvtepi32_ps(x); }
  static BENCH_INLINE I load_i(const int32_t* p) { return _mm512_loadu_si512(p); }
  static BENCH_INLINE void store_i(int32_t* p, I x) { _mm512_storeu_si512(p, x); }
};

}  // namespace

const HandLoops hand_avx512 = Loops<Vec>::table("AVX-512");

}  // namespace bench
