// codegen/llvm/loop_shape.h: how wide the vectors of a vector loop are.
#pragma once

#include <voxloom/codegen/kernel_ir.h>

namespace voxloom::codegen {

/// A chunk of a vector loop is `parts` vectors of `width` lanes, one after another.
struct LoopShape {
  unsigned width = 1, parts = 1;
  unsigned chunk() const { return width * parts; }
};

/// The shape for one vector loop of a kernel on a target of `vector_bits`. Results never depend on it.
LoopShape loop_shape(const Kernel& kernel, const Loop& loop, int vector_bits);

/// Whether any access of the kernel asks for non-temporal stores.
bool has_nontemporal(const Kernel& kernel);

}  // namespace voxloom::codegen
