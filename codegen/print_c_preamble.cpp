// codegen/print_c_preamble.cpp: c_preamble().
#include <voxloom/codegen/print_c.h>

namespace voxloom::codegen {

std::string_view c_preamble() {
  return R"(// Helpers of printed kernels. Compile without contraction of multiply and add (g++: -ffp-contract=off, CUDA: --fmad=false).
#ifndef VL_FN
#define VL_FN static inline
#endif
#ifdef __CUDACC_RTC__
typedef signed char i8;  typedef short i16;  typedef int i32;  typedef long long i64;
typedef unsigned char u8;  typedef unsigned short u16;  typedef unsigned int u32;  typedef unsigned long long u64;
#else
#include <math.h>
#include <stdint.h>
#include <string.h>
typedef int8_t i8;  typedef int16_t i16;  typedef int32_t i32;  typedef int64_t i64;
typedef uint8_t u8;  typedef uint16_t u16;  typedef uint32_t u32;  typedef uint64_t u64;
#endif
typedef float f32;  typedef double f64;

// Memory: addresses need not be aligned; swapped means the other byte order; booleans are bytes 0 and 1.
template <class T> VL_FN T vl_load(const char* p) { T x; memcpy(&x, p, sizeof x); return x; }
VL_FN bool vl_load_bool(const char* p) { return *p != 0; }
template <class T> VL_FN T vl_load_swapped(const char* p) {
  char b[sizeof(T)];
  for (unsigned k = 0; k < sizeof(T); ++k) b[k] = p[sizeof(T) - 1 - k];
  return vl_load<T>(b);
}
template <class T> VL_FN void vl_store(char* p, T x) { memcpy(p, &x, sizeof x); }
template <class T> VL_FN void vl_store_swapped(char* p, T x) {
  char b[sizeof(T)];
  vl_store<T>(b, x);
  for (unsigned k = 0; k < sizeof(T); ++k) p[k] = b[sizeof(T) - 1 - k];
}
template <class T> VL_FN T vl_param(const i64* params, int slot) { return vl_load<T>((const char*)(params + slot)); }
template <class To, class From> VL_FN To vl_bits(From x) { To y; memcpy(&y, &x, sizeof y); return y; }

// Integers: two's complement, wrapping; x // 0 = 0, x % 0 = 0; shifts by less than 0 or by the width or more give 0 (or the sign).
template <class T> VL_FN T vl_add(T a, T b) { return (T)((u64)a + (u64)b); }
template <class T> VL_FN T vl_sub(T a, T b) { return (T)((u64)a - (u64)b); }
template <class T> VL_FN T vl_mul(T a, T b) { return (T)((u64)a * (u64)b); }
template <class T> VL_FN T vl_neg(T a) { return (T)(0 - (u64)a); }
template <class T> VL_FN T vl_idiv(T a, T b) {
  if (b == 0) return 0;
  if ((T)-1 < (T)0 && b == (T)-1) return vl_neg<T>(a);
  T q = (T)(a / b), r = (T)(a % b);
  return (T)(r != 0 && (r < 0) != (b < 0) ? q - 1 : q);
}
template <class T> VL_FN T vl_imod(T a, T b) {
  if (b == 0 || ((T)-1 < (T)0 && b == (T)-1)) return 0;
  T r = (T)(a % b);
  return (T)(r != 0 && (r < 0) != (b < 0) ? r + b : r);
}
template <class T> VL_FN T vl_shl(T a, T n) { return n < 0 || n >= (T)(8 * sizeof(T)) ? (T)0 : (T)((u64)a << (int)n); }
template <class T> VL_FN T vl_shr(T a, T n) { return n < 0 || n >= (T)(8 * sizeof(T)) ? (T)(a < 0 ? -1 : 0) : (T)(a >> (int)n); }

// Minimum and maximum of IEEE 754-2019: NaN propagates, -0 < +0.
template <class T> VL_FN T vl_abs(T a) { return a < 0 ? vl_neg<T>(a) : a; }
template <class T> VL_FN T vl_minimum(T a, T b) { return a < b ? a : b; }
template <class T> VL_FN T vl_maximum(T a, T b) { return a < b ? b : a; }
#define VL_FLOAT(T, s)                                                                      \
  VL_FN T vl_fma(T a, T b, T c) { return fma##s(a, b, c); }                                 \
  VL_FN T vl_sqrt(T a) { return sqrt##s(a); }                                               \
  VL_FN T vl_floor(T a) { return floor##s(a); }                                             \
  VL_FN T vl_ceil(T a) { return ceil##s(a); }                                               \
  VL_FN T vl_trunc(T a) { return trunc##s(a); }                                             \
  VL_FN T vl_rint(T a) { return rint##s(a); }                                               \
  VL_FN T vl_abs(T a) { return fabs##s(a); }                                \
  VL_FN T vl_minimum(T a, T b) {                                            \
    return a != a ? a : b != b ? b : a == b ? (copysign##s(1, a) < 0 ? a : b) : a < b ? a : b; \
  }                                                                                         \
  VL_FN T vl_maximum(T a, T b) {                                            \
    return a != a ? a : b != b ? b : a == b ? (copysign##s(1, a) < 0 ? b : a) : a < b ? b : a; \
  }
VL_FLOAT(f32, f)
VL_FLOAT(f64, )

VL_FN f32 vl_lookup(i32 index, f32 c0, f32 c1, f32 c2, f32 c3, f32 c4, f32 c5, f32 c6, f32 c7) {
  const f32 table[8] = {c0, c1, c2, c3, c4, c5, c6, c7};
  return table[(u32)index % 8];
}

// x * 2^k for x of moderate size and |k| < 2 * bias, by two factors; k + 2 * bias stands in the low bits of k + magic.
VL_FN f32 vl_scale(f32 x, f32 k) {
  const u32 sum = vl_bits<u32, f32>(k + (12582912.0f + 254.0f)), half = sum >> 1;
  return x * vl_bits<f32, u32>(half << 23) * vl_bits<f32, u32>((sum - half) << 23);
}
VL_FN f64 vl_scale(f64 x, f64 k) {
  const u64 sum = vl_bits<u64, f64>(k + (6755399441055744.0 + 2046.0)), half = sum >> 1;
  return x * vl_bits<f64, u64>(half << 52) * vl_bits<f64, u64>((sum - half) << 52);
}

// Float to integer truncates and saturates, NaN gives 0.
template <class To, class From> VL_FN To vl_to_int(From x) {
  const To low = (To)-1 < (To)0 ? (To)((u64)1 << (8 * sizeof(To) - 1)) : (To)0, high = (To)~low;
  const From above = (From)(high / 2 + 1) * 2;  // exact: a power of two
  return x != x ? (To)0 : x <= (From)low ? low : x >= above ? high : (To)x;
}

)";
}

}  // namespace voxloom::codegen
