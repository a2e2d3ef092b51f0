// codegen/print_c.h: kernels as C++ text: what `explain` shows, what tests compile with g++ as a second oracle, what a GPU back end builds on.
#pragma once

#include <voxloom/codegen/kernel_ir.h>

#include <string_view>

namespace voxloom::codegen {

/// Helper functions that printed kernels use, with eval_prim's meaning. No standard library beyond <stdint.h> and <math.h>; VL_FN says
/// how functions are declared ("static inline" unless defined before, e.g. as "static __device__ __forceinline__").
/// Prim::rare calls the C functions double voxloom_rare_<n>(double).
std::string_view c_preamble();

/// extern "C" void NAME(const i64* params, char* const* pointers, i64 begin, i64 end, char* scratch). To be compiled after c_preamble()
/// and without contraction of multiply and add. The kernel must be well formed (verify()).
std::string print_c(const Kernel& kernel, std::string_view name);

}  // namespace voxloom::codegen
