// ops/gemm/kernel_base.cpp: kernels for vectors of 32 bytes (AVX2 with FMA on x86-64), and the choice at run time.
#include <voxloom/ops/gemm/kernel_body.h>

namespace voxloom::ops::gemm {

const Kernels base_kernels = {kernel_of<Lanes<float, 8>, 6, 2>(), kernel_of<Lanes<double, 4>, 6, 2>(),
                              kernel_of<Lanes<uint32_t, 8>, 4, 2>(), kernel_of<Lanes<uint64_t, 4>, 4, 1>()};

const Kernels& kernels() {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (wide) return avx512_kernels;
#endif
  return base_kernels;
}

}  // namespace voxloom::ops::gemm
