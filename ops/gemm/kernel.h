// ops/gemm/kernel.h: the innermost loops of a matrix product, one set per instruction set. All sets give the same bits.
#pragma once

#include <cstdint>

namespace voxloom::ops::gemm {

/// Multiplies a packed panel of `mr` rows with `nr` columns (ldb = nr where they are packed): for r < rows and j < nr
///     t = 0;  for k in 0 .. depth-1: t = fma(a[k * mr + r], b[k * ldb + j], t)
///     c[r * ldc + j] = add ? c[r * ldc + j] + t : t
/// Integers multiply and add modulo 2^bits. No alignment is asked for.
template <class T> struct Kernel {
  int mr = 0, nr = 0;
  void (*run)(int64_t depth, const T* a, const T* b, int64_t ldb, T* c, int64_t ldc, int rows, bool add) = nullptr;
};

struct Kernels {
  Kernel<float> f32;
  Kernel<double> f64;
  Kernel<uint32_t> u32;
  Kernel<uint64_t> u64;
};

/// What every machine that the library is built for can run, and what AVX-512 machines run.
extern const Kernels base_kernels;
#if defined(__x86_64__)
extern const Kernels avx512_kernels;
#endif

/// The fastest set for this machine.
const Kernels& kernels();

}  // namespace voxloom::ops::gemm
