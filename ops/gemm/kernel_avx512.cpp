// ops/gemm/kernel_avx512.cpp: kernels for vectors of 64 bytes; compiled for x86-64-v4 (cmake/modules.cmake).
#if defined(__x86_64__)
#include <voxloom/ops/gemm/kernel_body.h>

namespace voxloom::ops::gemm {

const Kernels avx512_kernels = {kernel_of<Lanes<float, 16>, 12, 2>(), kernel_of<Lanes<double, 8>, 12, 2>(),
                                kernel_of<Lanes<uint32_t, 16>, 8, 2>(), kernel_of<Lanes<uint64_t, 8>, 8, 2>()};

}  // namespace voxloom::ops::gemm
#endif
