// bench/hand_avx2.cpp: the hand-written loops with 8 floats at a time, for machines without AVX-512.
#include <immintrin.h>

#include "hand_loops.h"

namespace bench {
namespace {

struct Vec {
  using F = __m256;
  using I = __m256i;
  using M = __m256;
  static constexpr size_t width = 8;
  static BENCH_INLINE F set(float x) { return _mm256_set1_ps(x); }
  static BENCH_INLINE F load(const float* p) { return _mm256_loadu_ps(p); }
  static BENCH_INLINE void store(float* p, F x) { _mm256_storeu_ps(p, x); }
  static BENCH_INLINE void stream(float* p, F x) { _mm256_stream_ps(p, x); }
  static BENCH_INLINE I first(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n < 8 ? n : 8)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static BENCH_INLINE F load_first(const float* p, size_t n) { return _mm256_maskload_ps(p, first(n)); }
  static BENCH_INLINE void store_first(float* p, size_t n, F x) { _mm256_maskstore_ps(p, first(n), x); }
  static BENCH_INLINE void fence() { _mm_sfence(); }
  static BENCH_INLINE F add(F a, F b) { return _mm256_add_ps(a, b); }
  static BENCH_INLINE F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static BENCH_INLINE F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static BENCH_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static BENCH_INLINE F min(F a, F b) { return _mm256_min_ps(a, b); }
  static BENCH_INLINE F max(F a, F b) { return _mm256_max_ps(a, b); }
  static BENCH_INLINE I bits(F x) { return _mm256_castps_si256(x); }
  static BENCH_INLINE F floats(I x) { return _mm256_castsi256_ps(x); }
  static BENCH_INLINE F sign() { return _mm256_set1_ps(-0.0f); }
  static BENCH_INLINE F abs(F x) { return _mm256_andnot_ps(sign(), x); }
  static BENCH_INLINE F neg(F x) { return _mm256_xor_ps(sign(), x); }
  static BENCH_INLINE I shr22(I x) { return _mm256_srli_epi32(x, 22); }
  /// Elements `index` mod 8 of a table.
  static BENCH_INLINE F lookup(const float* table, I index) { return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index); }
  /// x * 2^k by two factors.
  static BENCH_INLINE F scale(F x, F k) {
    const I sum = bits(add(k, set(0x1.8p23f + 254.0f))), half = _mm256_srli_epi32(sum, 1);
    return mul(mul(x, floats(_mm256_slli_epi32(half, 23))), floats(_mm256_slli_epi32(isub(sum, half), 23)));
  }
  static BENCH_INLINE I shl30(I x) { return _mm256_slli_epi32(x, 30); }
  static BENCH_INLINE I isub(I a, I b) { return _mm256_sub_epi32(a, b); }
  static BENCH_INLINE I iadd(I a, I b) { return _mm256_add_epi32(a, b); }
  static BENCH_INLINE I ixor(I a, I b) { return _mm256_xor_si256(a, b); }
  /// x with its sign flipped where `pattern` has the sign bit, and x with the sign of y put in.
  static BENCH_INLINE F xor_sign(F x, I pattern) { return _mm256_xor_ps(x, _mm256_and_ps(floats(pattern), sign())); }
  static BENCH_INLINE F or_sign(F x, F y) { return _mm256_or_ps(x, _mm256_and_ps(y, sign())); }
  static BENCH_INLINE M odd(I x) { return floats(_mm256_slli_epi32(x, 31)); }  // blendv and movemask look at the sign bits
  static BENCH_INLINE M lt(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static BENCH_INLINE bool any(M m) { return _mm256_movemask_ps(m) != 0; }
  static BENCH_INLINE F select(M m, F a, F b) { return _mm256_blendv_ps(b, a, m); }
  static F __attribute__((noinline)) each(M m, F y, F x, float (*f)(float)) {
    alignas(32) float in[width], out[width];
    store(in, x), store(out, y);
    const int lanes = _mm256_movemask_ps(m);
    for (size_t j = 0; j < width; ++j) {
      if ((lanes >> j & 1) != 0) out[j] = f(in[j]);
    }
    return load(out);
  }
  static BENCH_INLINE I load_i16(const int16_t* p) { return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
  static BENCH_INLINE F to_floats(I x) { return _mm256_cvtepi32_ps(x); }
  static BENCH_INLINE I load_i(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static BENCH_INLINE void store_i(int32_t* p, I x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
};

}  // namespace

const HandLoops hand_avx2 = Loops<Vec>::table("AVX2");

const HandLoops& hand_loops() {
  static const bool wide = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                           __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0;
  return wide ? hand_avx512 : hand_avx2;
}

}  // namespace bench
