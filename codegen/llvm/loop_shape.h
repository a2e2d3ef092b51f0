// codegen/llvm/loop_shape.h: how wide the vectors of a vector loop are.
#pragma once

#include <voxloom/codegen/kernel_ir.h>

namespace voxloom::codegen {

/// A full chunk of a vector loop is `parts` vectors of `width` lanes, one after another. What is not a full chunk goes through masked
/// vectors of `narrow` lanes, which divides width.
struct LoopShape {
  unsigned width = 1, parts = 1, narrow = 1;
  unsigned chunk() const { return width * parts; }
};

/// The shape for one vector loop of a kernel on a target of `vector_bits`. Results never depend on it.
LoopShape loop_shape(const Kernel& kernel, const Loop& loop, int vector_bits);

/// Whether the body of a vector loop uses lanes values of outside, other than through carried ones.
bool uses_outer_lanes(const Kernel& kernel, const Loop& loop);

/// Whether any access of the kernel asks for non-temporal stores.
bool has_nontemporal(const Kernel& kernel);

}  // namespace voxloom::codegen
