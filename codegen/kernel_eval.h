// codegen/kernel_eval.h: runs a kernel statement by statement; slow, for tests and for finding out which back end is wrong.
#pragma once

#include <voxloom/codegen/kernel_ir.h>

namespace voxloom::codegen {

/// Does what the compiled kernel does, with the arguments of a KernelEntry. The kernel must be well formed (verify()).
void eval_kernel(const Kernel& kernel, const int64_t* params, char* const* pointers, int64_t begin, int64_t end, char* scratch);

}  // namespace voxloom::codegen
