// ops/gemm/kernel_body.h: the loops of kernel.h over vectors; a .cpp file per instruction set includes it and names the sizes. Everything
// has internal linkage and uses nothing of the standard library: no function compiled for one machine may be linked into another's code.
#pragma once

#include <voxloom/ops/gemm/kernel.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace voxloom::ops::gemm {
namespace {

/// Vectors of N elements of T, in the compiler's own vector types.
template <class T, int N> struct Lanes {
  using Element = T;
  static constexpr int count = N;
  typedef T Vector __attribute__((vector_size(N * sizeof(T))));
  typedef T Unaligned __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));

  static Vector load(const T* p) { return *reinterpret_cast<const Unaligned*>(p); }
  static void store(T* p, Vector v) { *reinterpret_cast<Unaligned*>(p) = v; }
  static Vector all(T x) { return x - Vector{}; }  // x - 0 is x, -0 and NaN included
  static Vector fma(Vector a, Vector b, Vector c) {
    if constexpr (T(0.5) == T(0)) {
      return a * b + c;
    } else {
#if defined(__AVX512F__)
      if constexpr (sizeof(Vector) == 64 && sizeof(T) == 4) return (Vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
      if constexpr (sizeof(Vector) == 64 && sizeof(T) == 8) return (Vector)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#endif
#if defined(__FMA__)
      if constexpr (sizeof(Vector) == 32 && sizeof(T) == 4) return (Vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
      if constexpr (sizeof(Vector) == 32 && sizeof(T) == 8) return (Vector)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#endif
      for (int k = 0; k < N; ++k)
        c[k] = sizeof(T) == 4 ? T(__builtin_fmaf(float(a[k]), float(b[k]), float(c[k]))) : T(__builtin_fma(a[k], b[k], c[k]));
      return c;
    }
  }
};

/// A tile of Rows rows and NV vectors, its sums in registers.
template <class L, int MR, int NV, int Rows>
void tile(int64_t depth, const typename L::Element* a, const typename L::Element* b, int64_t ldb, typename L::Element* c, int64_t ldc,
          bool add) {
  using V = typename L::Vector;
  V sums[Rows][NV];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) sums[r][j] = V{};
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) __builtin_prefetch(c + r * ldc + j * L::count, 1);
  for (int64_t k = 0; k < depth; ++k) {
    V column[NV];
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) column[j] = L::load(b + j * L::count);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const V row = L::all(a[r]);
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) sums[r][j] = L::fma(row, column[j], sums[r][j]);
    }
    a += MR;
    b += ldb;
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) {
      typename L::Element* at = c + r * ldc + j * L::count;
      L::store(at, add ? L::load(at) + sums[r][j] : sums[r][j]);
    }
}

/// The tile with that number of rows.
template <class L, int MR, int NV, int Rows = MR>
void run(int64_t depth, const typename L::Element* a, const typename L::Element* b, int64_t ldb, typename L::Element* c, int64_t ldc,
         int rows, bool add) {
  if (rows == Rows) tile<L, MR, NV, Rows>(depth, a, b, ldb, c, ldc, add);
  else if constexpr (Rows > 1) run<L, MR, NV, Rows - 1>(depth, a, b, ldb, c, ldc, rows, add);
}

template <class L, int MR, int NV> constexpr Kernel<typename L::Element> kernel_of() { return {MR, NV * L::count, run<L, MR, NV>}; }

}  // namespace
}  // namespace voxloom::ops::gemm
